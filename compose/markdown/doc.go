// Package markdown turns the text an editor mailed into a document that can
// be written as HTML and as plain text.
//
// It works in two steps. Read takes a draft as it arrived, undoes what mail
// programs did to it (hard wraps, smart dashes, no-break spaces, quote marks, a
// signature at the end), takes the front matter off the top and says, with the
// line of the mail, what it changed. Parse reads the repaired Markdown into one
// tree, and HTML, Text, Sections, Links and Images all come from that tree: the
// mail, the archive page and the text part can not disagree.
//
// The package owns the front matter's keys, the dialect of Markdown and the
// list of raw HTML that may pass. It is pure: no clock, no network, no files,
// and the same draft always gives the same bytes.
//
// Promises when things fail: Read never fails, whatever the bytes; a fault is a
// Finding with its line, and what could not be understood stays in the text
// where the editor will see it. Parse returns an error only when the draft is
// larger than the budgets or the deadline passed; nothing is half rendered.
// Scripts, event handlers and links that run code never reach an output.
package markdown
