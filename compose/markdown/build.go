package markdown

import (
	"html"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	ext "github.com/yuin/goldmark/extension/ast"
)

func newStruck() ast.Node { return ext.NewStrikethrough() }

// builder turns goldmark's tree into ours. Raw HTML is woven in as it comes:
// an element it opens ends at its closing tag or, at the latest, with the
// Markdown element around it, so the tree is always whole.
type builder struct {
	src      []byte
	d        *Draft
	ix       lineIndex
	root     *node
	cur      *node
	skip     string          // the element whose content is being dropped
	partner  map[string]bool // names that are closed somewhere in the draft
	ids      ids
	findings []Finding
}

func newBuilder(d *Draft, tree ast.Node) *builder {
	root := &node{tag: "#", own: true}
	b := &builder{src: d.Body, d: d, ix: newLineIndex(d.Body), root: root, cur: root, ids: ids{}}
	b.partner = closed(tree, d.Body)
	return b
}

func (b *builder) kids(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		b.node(c)
	}
}

// element builds n as an element with the children of n in it.
func (b *builder) element(n ast.Node, tag string, attrs ...attr) {
	e := b.open(tag, b.at(n), attrs...)
	e.own = true
	b.kids(n)
	b.shut(e)
}

// open adds an element and goes into it. A block ends what raw HTML left open
// that can not hold one.
func (b *builder) open(tag string, at int, attrs ...attr) *node {
	if blockTags[tag] {
		for !b.cur.own && (!blockTags[b.cur.tag] || b.cur.tag == "p") {
			b.cur = b.cur.up
		}
	}
	e := &node{tag: tag, attr: attrs, line: at, up: b.cur}
	b.cur.kids = append(b.cur.kids, e)
	b.cur = e
	return e
}

// shut leaves e and everything raw HTML left open in it.
func (b *builder) shut(e *node) {
	b.cur = e.up
	if b.skip != "" && !blockTags[b.skip] && e.tag != "a" && !b.partner[b.skip] {
		b.skip = ""
	}
}

func (b *builder) leaf(tag string, at int, attrs ...attr) {
	if b.skip == "" {
		b.open(tag, at, attrs...)
		b.cur = b.cur.up
	}
}

func (b *builder) write(s string, at int) {
	if s == "" || b.skip != "" {
		return
	}
	// Long texts stay in pieces: adding to one string would take quadratic time.
	if n := len(b.cur.kids); n > 0 && b.cur.kids[n-1].tag == "" && len(b.cur.kids[n-1].text) < 1<<11 {
		b.cur.kids[n-1].text += s
		return
	}
	b.cur.kids = append(b.cur.kids, &node{text: s, up: b.cur, line: at})
}

// at is the line of n in the source as mailed: that of its own position or of
// the first thing in it that has one.
func (b *builder) at(n ast.Node) int {
	for c := n; c != nil; c = c.FirstChild() {
		if t, ok := c.(*ast.Text); ok {
			return b.d.Source(b.ix.line(t.Segment.Start))
		}
		if p := c.Pos(); p >= 0 && c.Kind() != ast.KindDocument {
			return b.d.Source(b.ix.line(p))
		}
	}
	return b.cur.line
}

func (b *builder) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		b.heading(n)
	case *ast.Paragraph:
		b.element(n, "p")
	case *ast.TextBlock:
		b.kids(n)
	case *ast.Blockquote:
		b.element(n, "blockquote")
	case *ast.List:
		b.list(n)
	case *ast.ListItem:
		b.element(n, "li")
	case *ast.ThematicBreak:
		b.leaf("hr", b.at(n))
	case *ast.CodeBlock:
		b.code(n)
	case *ast.FencedCodeBlock:
		b.code(n)
	case *ast.HTMLBlock:
		b.htmlBlock(n)
	case *ast.LinkReferenceDefinition:
	default:
		b.inline(n)
	}
}

func (b *builder) inline(n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		b.words(n)
	case *ast.String:
		b.write(string(n.Value), b.cur.line)
	case *ast.CodeSpan:
		b.codeSpan(n)
	case *ast.Emphasis:
		b.element(n, [3]string{"em", "em", "strong"}[min(n.Level, 2)])
	case *ast.Link:
		b.link(n, unescape(n.Destination), oneLine(unescape(n.Title)))
	case *ast.Image:
		b.image(n)
	case *ast.AutoLink:
		b.autoLink(n)
	case *ast.RawHTML:
		b.rawInline(n)
	default:
		b.extension(n)
	}
}

func (b *builder) extension(n ast.Node) {
	switch n := n.(type) {
	case *ext.Strikethrough:
		b.element(n, "del")
	case *ext.Table:
		b.table(n)
	case *ext.TaskCheckBox:
		mark := "\u2610 "
		if n.IsChecked {
			mark = "\u2611 "
		}
		b.write(mark, b.at(n))
	case *ext.FootnoteLink:
		b.leaf("note", b.cur.line, attr{"n", strconv.Itoa(n.Index)}, attr{"ref", strconv.Itoa(n.RefIndex)})
	case *ext.FootnoteList:
		b.element(n, "notes")
	case *ext.Footnote:
		b.element(n, "li", attr{"n", strconv.Itoa(n.Index)})
	case *ext.FootnoteBacklink:
	default:
		b.kids(n)
	}
}

func (b *builder) heading(n *ast.Heading) {
	raw := ""
	if ls := n.Lines(); ls != nil && ls.Len() > 0 {
		at := ls.At(ls.Len() - 1)
		raw = string(at.Value(b.src))
	}
	e := b.open("h"+strconv.Itoa(n.Level), b.at(n))
	e.own = true
	b.kids(n)
	b.shut(e)
	if e.plain() != "" {
		e.set("id", b.ids.give(raw, e.plain()))
	}
}

func (b *builder) list(n *ast.List) {
	if !n.IsOrdered() {
		b.element(n, "ul")
		return
	}
	if n.Start != 1 {
		b.element(n, "ol", attr{"start", strconv.Itoa(n.Start)})
		return
	}
	b.element(n, "ol")
}

func (b *builder) code(n ast.Node) {
	var s strings.Builder
	for i := range n.Lines().Len() {
		at := n.Lines().At(i)
		s.Write(at.Value(b.src))
	}
	e := b.open("pre", b.at(n))
	e.own = true
	b.open("code", e.line)
	b.write(s.String(), e.line)
	b.shut(e)
}

func (b *builder) codeSpan(n *ast.CodeSpan) {
	var s strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			s.WriteString(strings.ReplaceAll(string(t.Segment.Value(b.src)), "\n", " "))
		}
	}
	e := b.open("code", b.at(n))
	e.own = true
	b.write(s.String(), e.line)
	b.shut(e)
}

// words writes running text. A soft line break is a space, but not between two
// characters of a script that has none.
func (b *builder) words(n *ast.Text) {
	at := b.d.Source(b.ix.line(n.Segment.Start))
	s := string(n.Segment.Value(b.src))
	if !n.IsRaw() {
		s = unescape([]byte(s))
	}
	b.write(s, at)
	switch {
	case n.HardLineBreak():
		b.leaf("br", at)
	case n.SoftLineBreak():
		next, _ := n.NextSibling().(*ast.Text)
		if next == nil || !wide(lastRune(s)) || !wide(firstRune(string(next.Segment.Value(b.src)))) {
			b.write(" ", at)
		}
	}
}

func (b *builder) link(n ast.Node, url, title string) {
	b.misplaced(url+" "+title, b.at(n))
	safe, ok := linkTarget(url)
	switch {
	case !ok:
		b.refuse(b.at(n), url)
	case safe == "":
		b.findings = append(b.findings, Finding{Level: Warning, Code: "link-empty", Line: b.at(n), Words: b.plain(n)})
	}
	if !ok || safe == "" || b.within("a") {
		b.kids(n)
		return
	}
	attrs := []attr{{"href", safe}}
	if title != "" {
		attrs = append(attrs, attr{"title", title})
	}
	b.element(n, "a", attrs...)
}

// plain is the text inside an inline node, without its marks.
func (b *builder) plain(n ast.Node) string {
	var s strings.Builder
	for k := n.FirstChild(); k != nil; k = k.NextSibling() {
		if t, ok := k.(*ast.Text); ok {
			s.Write(t.Segment.Value(b.src))
			continue
		}
		s.WriteString(b.plain(k))
	}
	return s.String()
}

func (b *builder) refuse(at int, url string) {
	b.findings = append(b.findings, Finding{Level: Warning, Code: "link-refused", Line: at, Words: url, Gaps: []any{url}})
}

func (b *builder) within(tag string) bool {
	for n := b.cur; n != nil; n = n.up {
		if n.tag == tag {
			return true
		}
	}
	return false
}

func (b *builder) image(n *ast.Image) {
	at := b.at(n)
	b.misplaced(string(n.Destination)+" "+string(n.Title)+" "+b.plain(n), at)
	url, ok := imageTarget(unescape(n.Destination))
	if !ok {
		b.refuse(at, string(n.Destination))
		b.kids(n)
		return
	}
	hold := &node{tag: "#", own: true}
	was := b.cur
	b.cur = hold
	b.kids(n)
	b.cur = was
	attrs := []attr{{"src", url}, {"alt", hold.plain()}}
	if len(n.Title) > 0 {
		attrs = append(attrs, attr{"title", oneLine(unescape(n.Title))})
	}
	b.leaf("img", at, attrs...)
}

func (b *builder) autoLink(n *ast.AutoLink) {
	url := string(n.URL(b.src))
	label := string(n.Label(b.src))
	at := b.at(n)
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(url), "mailto:") {
		url = "mailto:" + url
	}
	safe, ok := linkTarget(url)
	if !ok || b.within("a") {
		b.write(label, at)
		return
	}
	e := b.open("a", at, attr{"href", safe})
	e.own = true
	b.write(label, at)
	b.shut(e)
}

func (b *builder) table(n *ext.Table) {
	t := b.open("table", b.at(n))
	t.own = true
	body := false
	for r := n.FirstChild(); r != nil; r = r.NextSibling() {
		cell, part := "td", "tbody"
		if r.Kind() == ext.KindTableHeader {
			cell, part = "th", "thead"
		}
		if part == "thead" || !body {
			b.cur = t
			b.open(part, t.line).own = true
			body = part == "tbody"
		}
		b.row(r, cell)
	}
	b.shut(t)
}

func (b *builder) row(r ast.Node, cell string) {
	tr := b.open("tr", b.at(r))
	tr.own = true
	for c := r.FirstChild(); c != nil; c = c.NextSibling() {
		var attrs []attr
		if tc, ok := c.(*ext.TableCell); ok && tc.Alignment != ext.AlignNone {
			attrs = append(attrs, attr{"align", tc.Alignment.String()})
		}
		b.element(c, cell, attrs...)
	}
	b.shut(tr)
}

// unescape resolves backslash escapes and character references in one pass, so
// that \&amp; stays &amp;.
func unescape(v []byte) string {
	s := string(v)
	if !strings.ContainsAny(s, `\&`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", s[i+1]) >= 0:
			b.WriteByte(s[i+1])
			i += 2
		case c == '&':
			r, n := reference(s[i:])
			b.WriteString(r)
			i += n
		default:
			b.WriteByte(c)
			i++
		}
	}
	return strings.Map(visible, strings.ReplaceAll(b.String(), "\n", " "))
}

// reference decodes the character reference at the start of s, or gives back
// the ampersand alone.
func reference(s string) (string, int) {
	end := strings.IndexByte(s[:min(len(s), 40)], ';')
	if end < 2 {
		return "&", 1
	}
	if r := html.UnescapeString(s[:end+1]); r != s[:end+1] && !strings.HasSuffix(r, ";") {
		return r, end + 1
	}
	return "&", 1
}
