package markdown

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// node is one element or text of the document. Both writers, and everything
// that is counted or listed, walk this one tree; raw HTML of the draft is in it
// like everything else, if the allow-list let it pass.
type node struct {
	tag  string // element name; "" for text, "#" for a mere group
	text string
	attr []attr
	kids []*node
	up   *node
	line int  // of the source as mailed
	own  bool // opened by Markdown; raw HTML can not close it

	field string // of a text: each reader has an own in its place, and the text is for the others
	shown *Shown // of an img, when readers get another address than the draft's
}

type attr struct{ name, value string }

func (n *node) get(name string) string {
	for _, a := range n.attr {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

func (n *node) set(name, value string) {
	for i := range n.attr {
		if n.attr[i].name == name {
			n.attr[i].value = value
			return
		}
	}
	n.attr = append(n.attr, attr{name, value})
}

// plain is the text below n: what a reader sees without any form.
func (n *node) plain() string {
	var b strings.Builder
	n.walk(func(c *node) bool {
		switch c.tag {
		case "":
			b.WriteString(c.text)
		case "br":
			b.WriteByte(' ')
		case "img":
			b.WriteString(c.get("alt"))
		case "note":
			return false
		}
		return true
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

// walk calls f for n and all below it in reading order; f returns false to pass
// over what is below.
func (n *node) walk(f func(*node) bool) {
	if !f(n) {
		return
	}
	for _, k := range n.kids {
		k.walk(f)
	}
}

// heading is the level of a heading, 0 for anything else.
func (n *node) heading() int {
	if len(n.tag) == 2 && n.tag[0] == 'h' && n.tag[1] >= '1' && n.tag[1] <= '6' {
		return int(n.tag[1] - '0')
	}
	return 0
}

// block tells the elements that begin a line of their own.
func (n *node) block() bool { return blockTags[n.tag] || n.tag == "#" && n.anyBlock() }

func (n *node) anyBlock() bool {
	for _, k := range n.kids {
		if k.block() {
			return true
		}
	}
	return false
}

var blockTags = set("p div blockquote ul ol li dl dt dd pre hr h1 h2 h3 h4 h5 h6 table caption thead tbody tfoot tr th td notes")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// tidy makes white space what HTML shows of it, so that two drafts that look the
// same are the same, and takes out what shows nothing.
func tidy(root *node) {
	spaces(root)
	root.kids = wrapLoose(root.kids, root)
	root.kids = marksOut(root.kids)
	tighten(root)
	lastBreaks(root)
	dropRules(root)
}

// marksOut takes a mark to jump to that begins a paragraph out of it, so that it
// stands the same whether or not an empty line followed it.
func marksOut(kids []*node) []*node {
	var out []*node
	for _, k := range kids {
		for k.tag == "p" && len(k.kids) > 1 && k.kids[0].tag == "a" && k.kids[0].get("href") == "" && len(k.kids[0].kids) == 0 {
			out = append(out, &node{tag: "#", kids: k.kids[:1], up: k.up, line: k.line})
			k.kids = k.kids[1:]
			if k.kids[0].tag == "" {
				k.kids[0].text = strings.TrimLeft(k.kids[0].text, " ")
			}
		}
		out = append(out, k)
	}
	return out
}

// lastBreaks takes out line breaks at the end of a paragraph: they show nothing.
func lastBreaks(root *node) {
	root.walk(func(n *node) bool {
		for n.tag == "p" && len(n.kids) > 1 && n.kids[len(n.kids)-1].tag == "br" {
			n.kids = n.kids[:len(n.kids)-1]
		}
		return true
	})
}

// tighten takes the paragraph off entries that are one paragraph each: whether
// empty lines stand between the entries of a list is chance, and mail often
// loses them.
func tighten(root *node) {
	root.walk(func(n *node) bool {
		if n.tag == "ul" || n.tag == "ol" {
			for _, li := range n.kids {
				if !oneParagraph(li) {
					return true
				}
			}
			for _, li := range n.kids {
				loosen(li)
			}
		}
		return true
	})
}

// oneParagraph tells whether li holds one paragraph at most and, behind it,
// nothing but lists.
func oneParagraph(li *node) bool {
	for i, k := range li.kids {
		if k.block() && k.tag != "ul" && k.tag != "ol" && (k.tag != "p" || i > 0) {
			return false
		}
	}
	return true
}

func loosen(li *node) {
	if len(li.kids) == 0 || li.kids[0].tag != "p" {
		return
	}
	p := li.kids[0]
	for _, k := range p.kids {
		k.up = li
	}
	li.kids = append(append([]*node{}, p.kids...), li.kids[1:]...)
}

// spaces collapses runs of white space outside pre, and drops it at the edges
// of blocks and line breaks.
func spaces(root *node) {
	var last *node // the text that a trailing space would stand in
	space := true  // nothing or a space stands before
	edge := func() {
		if last != nil {
			last.text = strings.TrimRight(last.text, " ")
		}
		last, space = nil, true
	}
	var visit func(n *node)
	visit = func(n *node) {
		if n.tag == "pre" {
			edge()
			return
		}
		if n.block() || n.tag == "br" {
			edge()
			defer edge()
		}
		if n.tag == "" {
			n.text = collapse(n.text, space)
			if n.text != "" {
				last, space = n, strings.HasSuffix(n.text, " ")
			}
		}
		if n.tag == "img" || n.tag == "note" {
			last, space = nil, false
		}
		for _, k := range n.kids {
			visit(k)
		}
	}
	visit(root)
	edge()
}

func collapse(s string, space bool) string {
	var b strings.Builder
	for _, r := range s {
		white := r == ' ' || r == '\t' || r == '\n'
		if white && space {
			continue
		}
		if white {
			r = ' '
		}
		space = white
		b.WriteRune(r)
	}
	return b.String()
}

// wrapLoose puts text that stands between blocks, from raw HTML, in paragraphs.
func wrapLoose(kids []*node, up *node) []*node {
	var out []*node
	var run *node
	for _, k := range kids {
		if k.block() {
			run = nil
			out = append(out, k)
			if k.tag == "div" || k.tag == "blockquote" {
				k.kids = wrapLoose(k.kids, k)
			}
			continue
		}
		if run == nil && k.tag == "" && strings.TrimSpace(k.text) == "" {
			continue
		}
		if run == nil {
			run = &node{tag: "p", up: up, line: k.line}
			out = append(out, run)
		}
		k.up = run
		run.kids = append(run.kids, k)
	}
	return dropEmpty(out)
}

// dropEmpty takes out paragraphs that show nothing: <p><br></p>. One that only
// holds a mark to jump to loses the paragraph, not the mark.
func dropEmpty(kids []*node) []*node {
	var out []*node
	for _, k := range kids {
		if k.tag != "p" || k.plain() != "" || has(k, "img") {
			out = append(out, k)
			continue
		}
		if has(k, "a") {
			k.tag = "#"
			out = append(out, k)
		}
	}
	return out
}

func has(n *node, tag string) bool {
	found := false
	n.walk(func(c *node) bool {
		found = found || c.tag == tag
		return !found
	})
	return found
}

// dropRules takes out a rule beside a heading, at either end, or after another:
// the heading draws its own, so that a rule is seen once whether or not the
// author wrote one.
func dropRules(root *node) {
	var out []*node
	for i, k := range root.kids {
		if k.tag == "hr" && (len(out) == 0 || out[len(out)-1].tag == "hr" || out[len(out)-1].heading() > 0 || nextShown(root.kids[i+1:])) {
			continue
		}
		out = append(out, k)
	}
	root.kids = out
}

// nextShown tells whether a heading or nothing comes next.
func nextShown(kids []*node) bool {
	for _, k := range kids {
		if k.tag == "#" || k.tag == "hr" {
			continue
		}
		return k.heading() > 0 || k.tag == "notes"
	}
	return true
}

// lineIndex finds the line of an offset.
type lineIndex []int

func newLineIndex(src []byte) lineIndex {
	at := lineIndex{0}
	for i, c := range src {
		if c == '\n' {
			at = append(at, i+1)
		}
	}
	return at
}

func (ix lineIndex) line(offset int) int {
	return sort.SearchInts(ix, offset+1)
}

// wide tells the characters of scripts written without spaces, which take two
// columns and may be cut anywhere. Hangul has spaces.
func wide(r rune) bool {
	return r >= 0x2e80 && r <= 0xa4cf && r != 0x303f || r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe4f || r >= 0xff00 && r <= 0xff60 || r >= 0x20000 && r <= 0x3fffd
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}
