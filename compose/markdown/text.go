package markdown

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// columns is the width of the text part; a line never has more than 78.
const columns = 72

// glued stands for a space at which no line is cut, until the line is done.
// Parse lets no control character through, so it is nobody else's.
const glued = "\x01"

// Text writes the document as plain text with line feeds, 72 columns wide.
// Links and images are numbered through the document, and their addresses are
// listed, unbroken, at the end of the section they stand in.
func (doc *Document) Text(m Medium) []byte {
	w := &textWriter{medium: m, doc: doc}
	w.b.Grow(doc.Words * 8)
	w.blocks(doc.root.kids, "", "")
	w.flush()
	out := bytes.Trim(w.b.Bytes(), "\n")
	if len(out) == 0 {
		return nil
	}
	return append(out, '\n')
}

type textWriter struct {
	b      bytes.Buffer
	medium Medium
	doc    *Document
	urls   []string // of the section, still to be listed
	n      int      // addresses numbered so far
	tight  bool     // the next block follows without an empty line
	before string   // what stands before the lines of the last block
}

// blocks writes a run of children; text that stands between blocks is a
// paragraph. first is put before the first line, rest before all others.
func (w *textWriter) blocks(kids []*node, first, rest string) {
	for i := 0; i < len(kids); {
		if kids[i].block() {
			w.block(kids[i], first, rest)
			first = rest
			i++
			continue
		}
		end := i
		for end < len(kids) && !kids[end].block() {
			end++
		}
		if w.paragraph(w.inline(kids[i:end]), first, rest) {
			first = rest
		}
		i = end
	}
}

func (w *textWriter) block(n *node, first, rest string) {
	switch n.tag {
	case "h1", "h2", "h3", "h4", "h5", "h6":
		w.heading(n, first, rest)
	case "hr":
		w.lines([]string{"----------"}, first, rest)
	case "blockquote":
		w.blocks(n.kids, first+"> ", rest+"> ")
	case "ul", "ol":
		w.list(n, first, rest)
	case "pre":
		w.pre(n, first, rest)
	case "table":
		w.table(n, first, rest)
	case "dd":
		w.blocks(n.kids, first+"  ", rest+"  ")
	case "notes":
		w.notes(n, first, rest)
	default:
		if shown(n, w.medium) {
			w.blocks(n.kids, first, rest)
		}
	}
}

// lines writes finished lines with an empty line before them.
func (w *textWriter) lines(ls []string, first, rest string) {
	if w.b.Len() > 0 && !w.tight {
		w.b.WriteString(strings.TrimRight(shared(w.before, rest), " ") + "\n")
	}
	w.tight, w.before = false, rest
	for i, l := range ls {
		prefix := rest
		if i == 0 {
			prefix = first
		}
		w.b.WriteString(strings.TrimRight(prefix+l, " ") + "\n")
	}
}

// shared is what both prefixes begin with: the quotes and lists that go on.
func shared(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

func (w *textWriter) paragraph(s, first, rest string) bool {
	if strings.Trim(s, " \n"+glued) == "" {
		return false
	}
	w.lines(wrapText(s, columns-cols(rest)), first, rest)
	return true
}

// heading ends the section before it with its addresses.
func (w *textWriter) heading(n *node, first, rest string) {
	w.flush()
	ls := wrapText(w.inline(n.kids), columns-cols(rest))
	if len(ls) == 0 {
		return
	}
	longest := 0
	for _, l := range ls {
		longest = max(longest, cols(l))
	}
	mark := "="
	if n.heading() > 2 {
		mark = "~"
	}
	if w.b.Len() > 0 && first == "" {
		w.b.WriteString("\n")
	}
	w.lines(append(ls, strings.Repeat(mark, longest)), first, rest)
}

func (w *textWriter) list(n *node, first, rest string) {
	num, _ := strconv.Atoi(n.get("start"))
	if n.get("start") == "" {
		num = 1
	}
	begun := false
	for _, li := range n.kids {
		if li.tag != "li" {
			continue
		}
		mark := "- "
		if n.tag == "ol" {
			mark = fmt.Sprintf("%d. ", num)
			num++
		}
		// Entries follow each other closely unless they are paragraphs.
		if begun && !has(li, "p") {
			w.tight = true
		}
		w.entry(li, first+mark, rest+strings.Repeat(" ", len(mark)))
		first, begun = rest, true
	}
}

// entry writes one entry; a list in it follows closely.
func (w *textWriter) entry(li *node, first, rest string) {
	loose := has(li, "p")
	before := w.b.Len()
	for i, k := range grouped(li.kids) {
		if i > 0 && !loose {
			w.tight = true
		}
		w.blocks(k, first, rest)
		if w.b.Len() > before {
			first = rest
		}
	}
	if w.b.Len() == before {
		w.lines([]string{""}, first, rest)
	}
}

// grouped cuts children into blocks and runs of inline text.
func grouped(kids []*node) [][]*node {
	var out [][]*node
	for i, k := range kids {
		if i == 0 || k.block() || kids[i-1].block() {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], k)
	}
	return out
}

func (w *textWriter) pre(n *node, first, rest string) {
	var b strings.Builder
	n.walk(func(k *node) bool { b.WriteString(k.text); return true })
	var ls []string
	for _, l := range strings.Split(strings.Trim(b.String(), "\n"), "\n") {
		ls = append(ls, cutLong(strings.ReplaceAll(l, "\t", "    "), columns-2-cols(rest))...)
	}
	w.lines(ls, first+"  ", rest+"  ")
}

// table writes one row a line, cells apart by a bar.
func (w *textWriter) table(n *node, first, rest string) {
	n.walk(func(k *node) bool {
		switch k.tag {
		case "caption":
			w.blocks(k.kids, first, rest)
			first = rest
			return false
		case "tr":
			if w.row(k, first, rest) {
				first, w.tight = rest, true
			}
			return false
		}
		return true
	})
	w.tight = false
}

func (w *textWriter) row(tr *node, first, rest string) bool {
	var cells []string
	for _, c := range tr.kids {
		if c.tag == "td" || c.tag == "th" {
			cells = append(cells, strings.Trim(w.inline(c.kids), " \n"))
		}
	}
	return w.paragraph(strings.Join(cells, " | "), first, rest+"  ")
}

func (w *textWriter) notes(n *node, first, rest string) {
	w.lines([]string{"----------"}, first, rest)
	for _, k := range n.kids {
		mark := k.get("n") + ". "
		w.blocks(k.kids, rest+mark, rest+strings.Repeat(" ", len(mark)))
	}
}

// flush lists the addresses of the section that ends here.
func (w *textWriter) flush() {
	if len(w.urls) == 0 {
		return
	}
	ls := w.urls
	w.urls = nil
	w.lines(ls, "", "")
}

// number gives an address its number and keeps it for the list.
func (w *textWriter) number(url string) string {
	w.n++
	mark := "[" + strconv.Itoa(w.n) + "]"
	w.urls = append(w.urls, mark+" "+url)
	return mark
}

// inline gives running text with its marks; line breaks are line feeds.
func (w *textWriter) inline(kids []*node) string {
	var b strings.Builder
	for _, k := range kids {
		w.span(&b, k)
	}
	return b.String()
}

func (w *textWriter) span(b *strings.Builder, n *node) {
	switch n.tag {
	case "":
		b.WriteString(w.doc.said(n, w.medium))
	case "br":
		b.WriteByte('\n')
	case "img":
		w.image(b, n)
	case "a":
		w.link(b, n)
	case "del", "s":
		b.WriteString("~~" + w.inline(n.kids) + "~~")
	case "note":
		b.WriteString(glued + "(" + w.doc.label("note", "note") + glued + n.get("n") + ")")
	case "p", "div", "li", "ul", "ol", "pre", "blockquote": // blocks in a cell
		b.WriteString(w.inline(n.kids) + " ")
	default:
		b.WriteString(w.inline(n.kids))
	}
}

// label is a word that the text part sets itself.
func (doc *Document) label(name, english string) string {
	if l := doc.Labels[name]; l != "" {
		return l
	}
	return english
}

func (w *textWriter) image(b *strings.Builder, n *node) {
	label := "[" + w.doc.label("image", "Image") + "]"
	if alt := n.get("alt"); alt != "" {
		label = "[" + w.doc.label("image", "Image") + ": " + alt + "]"
	}
	if src := n.address(); src != "" {
		label += glued + w.number(src)
	}
	b.WriteString(label)
}

func (w *textWriter) link(b *strings.Builder, n *node) {
	url := n.get("href")
	if url == "" {
		b.WriteString(w.inline(n.kids))
		return
	}
	mark := w.number(url)
	label := w.inline(n.kids)
	if strings.Contains(label, "://") || strings.HasPrefix(label, "mailto:") {
		label = shortLabel(label)
	}
	if strings.TrimSpace(label) != "" {
		b.WriteString(label + glued)
	}
	b.WriteString(mark)
}

// shortLabel stands for an address that is its own link text: the list below
// has it whole, and it should be there once.
func shortLabel(s string) string {
	words := strings.Fields(s)
	for i, word := range words {
		word = strings.TrimPrefix(word, "mailto:")
		if _, rest, ok := strings.Cut(word, "://"); ok {
			word = strings.TrimSuffix(rest, "/")
		}
		if cols(word) > 60 {
			host, _, _ := strings.Cut(word, "/")
			word = host + "/…"
		}
		words[i] = word
	}
	return strings.Join(words, " ")
}
