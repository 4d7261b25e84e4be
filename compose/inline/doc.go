// Package inline turns the style sheets of a mail into style attributes,
// because many mail programs drop or rewrite <style>.
//
// It is for rendered mail documents, not for templates: HTML parsing moves and
// renames what stands between template braces.
//
// What it owns: the cascade. The rules of all plain sheets are matched and
// weighed here (CSS Cascading and Inheritance level 4, section 6), each distinct
// result becomes one generated class, and go-premailer writes those flat classes
// into the elements. What cannot be inlined (at-rules, dynamic pseudo-classes,
// pseudo-elements, sheets for one medium) stays where it stood, byte for byte,
// and so does every conditional comment for Outlook. All other comments go.
//
// What it promises: the same input gives the same bytes; it never writes to a
// log; a document that is nested deeper than the HTML parser allows is an error
// and nothing else is.
package inline
