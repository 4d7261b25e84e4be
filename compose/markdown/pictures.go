package markdown

import (
	"slices"
	"strconv"
	"strings"
)

// Shown says how an image of the draft is shown: under which address in the
// mail and on the page, and how large.
type Shown struct {
	Mail, Web     string // "" on the web: the page cannot show it
	Width, Height int    // pixels, 0 when unknown
	// Column is the widest that a mail shows; programs that know no max-width
	// (Outlook) go by the attribute alone.
	Column int
}

// Show replaces the addresses of the images for which f knows a better one: the
// draft names a file, readers get its picture. Images keeps what the draft says.
func (doc *Document) Show(f func(src string) (Shown, bool)) {
	doc.root.walk(func(n *node) bool {
		if n.tag == "img" {
			if s, ok := f(n.get("src")); ok {
				n.shown = &s
			}
		}
		return true
	})
}

// attrs are the attributes of n as one medium gets them. A width that the draft
// asks for in raw HTML stays, as far as the column has room.
func (w *htmlWriter) attrs(n *node) []attr {
	if href := n.get("href"); w.base != "" && strings.HasPrefix(href, "#") {
		there := &node{attr: slices.Clone(n.attr)}
		there.set("href", w.base+href)
		return there.attr
	}
	if n.shown == nil {
		return n.attr
	}
	s := n.shown
	all := []attr{{"src", s.Mail}}
	if w.medium == Web && s.Web != "" {
		all[0].value = s.Web
	}
	for _, a := range n.attr {
		if a.name != "src" && a.name != "width" && a.name != "height" {
			all = append(all, a)
		}
	}
	width := s.Width
	wish, err := strconv.Atoi(n.get("width"))
	if err == nil && wish > 0 {
		width = wish
	}
	switch {
	case width == 0:
	case w.medium == Web && err != nil: // both, so that the page does not jump when it loads
		all = append(all, attr{"width", strconv.Itoa(width)}, attr{"height", strconv.Itoa(s.Height)})
	case w.medium == Web:
		all = append(all, attr{"width", strconv.Itoa(width)})
	default:
		all = append(all, attr{"width", strconv.Itoa(min(width, s.Column))})
	}
	return all
}

// Feed writes the document as the entry of a feed holds it: the page's words,
// with every link to a place in it leading to that place on the page at base.
func (doc *Document) Feed(base string) []byte {
	w := htmlWriter{medium: Web, doc: doc, base: base}
	for _, k := range doc.root.kids {
		w.node(k)
	}
	return w.b.Bytes()
}

// address is what the text part says of an image: a picture that the mail
// carries with it has none.
func (n *node) address() string {
	if n.shown != nil {
		return n.shown.Web
	}
	return n.get("src")
}
