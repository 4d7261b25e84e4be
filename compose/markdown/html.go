package markdown

import (
	"bytes"
	"strings"
)

// Medium is where a document is read.
type Medium string

// Mail is the edition that is mailed, Web the page of the archive.
const (
	Mail Medium = "mail"
	Web  Medium = "web"
)

// HTML writes the document as the inside of a body, without html and head. Item
// paragraphs have class "item", their lead links class "lead". In mail every
// heading also has an <a name>, since mail programs drop ids.
func (doc *Document) HTML(m Medium) []byte {
	w := htmlWriter{medium: m, doc: doc}
	w.b.Grow(doc.Words * 9) // about what English with its tags takes
	for _, k := range doc.root.kids {
		w.node(k)
	}
	return w.b.Bytes()
}

type htmlWriter struct {
	b      bytes.Buffer
	medium Medium
	doc    *Document
	base   string // stands before the address of a place in the document
}

var (
	textEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	attrEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
	// lineAfter holds the elements behind whose end a line ends.
	lineAfter = set("p blockquote ul ol li dl dt dd pre h1 h2 h3 h4 h5 h6 table thead tbody tfoot tr div caption")
	lineIn    = set("blockquote ul ol dl table thead tbody tfoot tr div")
)

func (w *htmlWriter) node(n *node) {
	switch {
	case n.tag == "":
		w.b.WriteString(textEscape.Replace(w.doc.said(n, w.medium)))
	case n.tag == "#":
		w.kids(n)
	case n.tag == "note":
		w.noteMark(n)
	case n.tag == "notes":
		w.notes(n)
	case !shown(n, w.medium):
	default:
		w.element(n)
	}
}

// shown tells whether n belongs in the medium.
func shown(n *node, m Medium) bool {
	only := onlyIn(n)
	return only == "" || only == m
}

// onlyIn is the medium that a div of class email-only or web-only stands in, ""
// for all else.
func onlyIn(n *node) Medium {
	switch {
	case n.tag != "div":
	case n.get("class") == "email-only":
		return Mail
	case n.get("class") == "web-only":
		return Web
	}
	return ""
}

func (w *htmlWriter) kids(n *node) {
	for _, k := range n.kids {
		w.node(k)
	}
}

func (w *htmlWriter) element(n *node) {
	w.b.WriteString("<" + n.tag)
	for _, a := range w.attrs(n) {
		w.b.WriteString(" " + a.name + `="` + attrEscape.Replace(a.value) + `"`)
	}
	if dir := direction(n); dir != "" {
		w.b.WriteString(` dir="` + dir + `"`)
	}
	w.b.WriteByte('>')
	if n.tag == "hr" || n.tag == "br" {
		w.b.WriteByte('\n')
	}
	if void[n.tag] {
		return
	}
	if lineIn[n.tag] || n.tag == "li" && len(n.kids) > 0 && n.kids[0].tag == "p" {
		w.b.WriteByte('\n')
	}
	if id := n.get("id"); n.heading() > 0 && id != "" && w.medium == Mail {
		w.b.WriteString(`<a name="` + attrEscape.Replace(id) + `"></a>`)
	}
	w.inside(n)
	w.b.WriteString("</" + n.tag + ">")
	if lineAfter[n.tag] {
		w.b.WriteByte('\n')
	}
}

// inside writes the children; a list in an entry begins on a line of its own.
func (w *htmlWriter) inside(n *node) {
	for _, k := range n.kids {
		if n.tag == "li" && (k.tag == "ul" || k.tag == "ol") && !bytes.HasSuffix(w.b.Bytes(), []byte("\n")) {
			w.b.WriteByte('\n')
		}
		w.node(k)
	}
}

// noteMark writes the number in the text that belongs to a footnote.
func (w *htmlWriter) noteMark(n *node) {
	num, ref := n.get("n"), n.get("ref")
	id := "fnref-" + num
	if ref != "0" {
		id += "-" + ref
	}
	w.b.WriteString(`<sup><a id="` + id + `" href="` + attrEscape.Replace(w.base) + `#fn-` + num + `">` + num + `</a></sup>`)
}

// notes writes the footnotes; the way back stands in the last line of each.
func (w *htmlWriter) notes(n *node) {
	w.b.WriteString("<hr>\n<ol>\n")
	for _, k := range n.kids {
		num := k.get("n")
		back := ` <a href="` + attrEscape.Replace(w.base) + `#fnref-` + num + `">back</a>`
		w.b.WriteString(`<li id="fn-` + num + `">`)
		w.kids(k)
		if b := w.b.Bytes(); bytes.HasSuffix(b, []byte("</p>\n")) {
			w.b.Truncate(len(b) - len("</p>\n"))
			back += "</p>\n"
		}
		w.b.WriteString(back + "</li>\n")
	}
	w.b.WriteString("</ol>\n")
}
