package mime

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// formOf are the marks of Markdown for what an editor's buttons make.
var formOf = map[string]string{
	"h1": "# ", "h2": "## ", "h3": "### ", "h4": "#### ", "h5": "##### ", "h6": "###### ",
	"b": "**", "strong": "**", "i": "*", "em": "*",
}

// form gives headings, bold and italics in a typed draft their marks, when they
// begin and end in one line.
func (r *renderer) form(e element) {
	mark := formOf[e.name]
	if mark == "" || e.line != len(r.lines) || len(r.cur) <= e.offset {
		return
	}
	text := string(r.cur[e.offset:])
	words := strings.TrimSpace(text)
	if words == "" || strings.HasPrefix(words, "#") || strings.HasPrefix(words, "*") {
		return
	}
	at := strings.Index(text, words)
	if strings.HasSuffix(mark, " ") {
		r.cur = append(r.cur[:e.offset], mark+words...)
		return
	}
	r.cur = append(r.cur[:e.offset], text[:at]+mark+words+mark+text[at+len(words):]...)
}

// unword gives what Word made of typed Markdown its elements back: its lists
// are paragraphs with a bullet in them, its rules the border of a paragraph.
func unword(page string) string {
	if !strings.Contains(page, "mso-list:") && !strings.Contains(page, "para-border-div") {
		return page
	}
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return page
	}
	var entries, borders []*html.Node
	for n := range root.Descendants() {
		style := styleOf(n)
		switch {
		case n.DataAtom == atom.P && listLevel.MatchString(style):
			entries = append(entries, n)
		case strings.Contains(style, "para-border-div") && strings.Contains(style, "border-bottom:"):
			borders = append(borders, n)
		}
	}
	for _, n := range borders {
		n.Parent.InsertBefore(element0(atom.Hr), n.NextSibling)
	}
	for _, n := range entries {
		listEntry(n)
	}
	var b strings.Builder
	if html.Render(&b, root) != nil {
		return page
	}
	return b.String()
}

var (
	listLevel = regexp.MustCompile(`mso-list:\s*\w+ level([1-9])`)
	ordinal   = regexp.MustCompile(`^\(?\w{1,4}[.)]`)
)

func styleOf(n *html.Node) string {
	for _, a := range n.Attr {
		if a.Key == "style" {
			return a.Val
		}
	}
	return ""
}

func element0(a atom.Atom) *html.Node {
	return &html.Node{Type: html.ElementNode, DataAtom: a, Data: a.String()}
}

// listEntry turns a paragraph of Word into an entry of the list before it, or
// of a new one, at its level.
func listEntry(p *html.Node) {
	level := int(listLevel.FindStringSubmatch(styleOf(p))[1][0] - '0')
	kind := atom.Ul
	if mark := bullet(p); ordinal.MatchString(mark) && mark != "o" {
		kind = atom.Ol
	}
	list := listBefore(p)
	if list == nil {
		list = element0(kind)
		p.Parent.InsertBefore(list, p)
	}
	for ; level > 1; level-- {
		last := list.LastChild
		if last == nil {
			break
		}
		inner := last.LastChild
		if inner == nil || inner.DataAtom != atom.Ul && inner.DataAtom != atom.Ol {
			inner = element0(kind)
			last.AppendChild(inner)
		}
		list = inner
	}
	li := element0(atom.Li)
	for c := p.FirstChild; c != nil; c = p.FirstChild {
		p.RemoveChild(c)
		li.AppendChild(c)
	}
	list.AppendChild(li)
	p.Parent.RemoveChild(p)
}

// listBefore is the list that ends right before p.
func listBefore(p *html.Node) *html.Node {
	for n := p.PrevSibling; n != nil; n = n.PrevSibling {
		switch {
		case n.DataAtom == atom.Ul || n.DataAtom == atom.Ol:
			return n
		case n.Type == html.TextNode && strings.TrimSpace(n.Data) == "", n.Type == html.CommentNode:
		default:
			return nil
		}
	}
	return nil
}

// bullet takes the bullet or number out of a paragraph and returns it.
func bullet(p *html.Node) string {
	for n := range p.Descendants() {
		if !strings.Contains(strings.ReplaceAll(styleOf(n), " ", ""), "mso-list:Ignore") {
			continue
		}
		mark := ""
		for c := range n.Descendants() {
			if c.Type == html.TextNode {
				mark += c.Data
			}
		}
		n.Parent.RemoveChild(n)
		return strings.TrimSpace(strings.ReplaceAll(mark, "\u00a0", " "))
	}
	return ""
}
