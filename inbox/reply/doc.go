// Package reply tells what a person wrote in a mail from what the mail quotes.
//
// Split reads text, SplitHTML reads HTML; both give every line with its number
// and its kind, so that others can see what stands above, below and between
// quotes. It owns nothing, never fails, takes time in proportion to the text,
// and when in doubt calls a line the person's own: a quote that is shown too
// much is a smaller harm than words that are lost.
//
// It knows the marks of quoting in many languages by tables (words.go), and
// the shapes that hold in any: a date, an address and a colon before a quote.
package reply
