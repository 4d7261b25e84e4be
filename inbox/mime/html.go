package mime

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// HTMLText turns HTML into readable text: a line a block, blockquotes as "> ",
// links as their text with the address behind it when that says more.
func HTMLText(page string) string {
	return linesText(HTMLLines(page))
}

// HTMLLines does the same and keeps what the markup said of each line.
func HTMLLines(page string) []HTMLLine {
	return render(page, false)
}

const (
	maxElements = 512     // open elements that are remembered
	maxDepth    = 30      // blockquotes that are shown
	maxPage     = 4 << 20 // octets of text that are written
)

// renderer walks the tokens once and writes lines.
type renderer struct {
	typed   bool // the HTML is Markdown typed into a mail program
	bare    bool // typed: only what was typed, without marks for what HTML formats
	paras   bool // typed: paragraphs are parted by margins, not by empty ones
	lines   []HTMLLine
	texts   strings.Builder // of the lines, many at a time
	cur     []byte
	touched bool // the current line exists though it may be empty
	space   bool // white space is owed before the next word
	blank   bool // a blank line is owed before the next text
	line    HTMLLine
	written int
	stack   []element
	counts
}

// counts are totals over the open elements.
type counts struct {
	depth, hidden, pre int
	mark               Mark
}

// element is an open element and the counts that held outside it.
type element struct {
	name   string
	outer  counts
	href   string
	line   int // where its text began
	offset int
	item   int // of a list: the number of its last item, -1 when unordered
}

func render(page string, typed bool) []HTMLLine {
	r := &renderer{typed: typed}
	return r.read(page)
}

func (r *renderer) read(page string) []HTMLLine {
	if r.typed {
		r.paras = !hasEmptyParagraph(page)
	}
	t := &tokens{rest: page}
	for r.written < maxPage {
		switch kind := t.next(); kind {
		case html.ErrorToken:
			r.flush()
			return r.trimmed()
		case html.TextToken:
			r.text(t.text)
		case html.StartTagToken, html.SelfClosingTagToken:
			r.start(t.name, t.attr, kind == html.SelfClosingTagToken)
		case html.EndTagToken:
			r.end(t.name)
		}
	}
	r.flush()
	return r.trimmed()
}

func (r *renderer) trimmed() []HTMLLine {
	lines := r.lines
	for len(lines) > 0 && lines[len(lines)-1].Text == "" {
		lines = lines[:len(lines)-1]
	}
	for len(lines) > 0 && lines[0].Text == "" {
		lines = lines[1:]
	}
	return lines
}

// text writes words; white space is folded but inside pre.
func (r *renderer) text(s string) {
	if r.hidden > 0 {
		return
	}
	for len(s) > 0 {
		if n := plainWords(s); n > 0 {
			r.word(s[:n])
			s = s[n:]
			continue
		}
		c, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case c == '\n' && r.pre > 0:
			r.newline()
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			r.white(c)
		case c == '\u00a0':
			r.letter(' ')
		case c == '\u200b' || c == '\ufeff' || c == '\u00ad' || c < ' ':
		default:
			r.letter(c)
		}
	}
}

func (r *renderer) white(c rune) {
	if r.pre > 0 {
		r.letter(c)
		return
	}
	r.space = r.space || len(r.cur) > 0
}

func (r *renderer) letter(c rune) { r.word(string(c)) }

func (r *renderer) word(s string) {
	r.open()
	if r.space && len(r.cur) > 0 {
		r.cur = append(r.cur, ' ')
	}
	r.space = false
	r.cur = append(r.cur, s...)
}

// plainWords is how many octets of ASCII s begins with that are written as they
// stand: words with one space between them.
func plainWords(s string) int {
	n := 0
	for n < len(s) && s[n] < utf8.RuneSelf && (s[n] > ' ' || s[n] == ' ' && n > 0 && s[n-1] != ' ') {
		n++
	}
	if n > 0 && s[n-1] == ' ' {
		n-- // whether it is written depends on what follows
	}
	return n
}

// open begins a line, if none is open, with the depth and mark that hold now.
func (r *renderer) open() {
	if r.touched {
		return
	}
	if r.owed() {
		last := r.lines[len(r.lines)-1]
		r.lines = append(r.lines, HTMLLine{Depth: min(r.depth, last.Depth), Mark: r.mark})
	}
	r.blank, r.touched = false, true
	r.line = HTMLLine{Depth: min(r.depth, maxDepth), Mark: r.mark}
}

// nextLine is the number of the line that the next letter will stand in.
func (r *renderer) nextLine() int {
	if !r.touched && r.owed() {
		return len(r.lines) + 1
	}
	return len(r.lines)
}

// owed tells whether an empty line goes before the next text.
func (r *renderer) owed() bool {
	return r.blank && len(r.lines) > 0 && r.lines[len(r.lines)-1].Text != ""
}

// flush ends the current line if there is one.
func (r *renderer) flush() {
	r.space = false
	if !r.touched {
		return
	}
	r.line.Text = r.kept(bytes.TrimRight(r.cur, " \t"))
	r.written += len(r.line.Text) + 2*r.line.Depth + 1
	r.lines = append(r.lines, r.line)
	r.cur, r.touched = r.cur[:0], false
}

// keptTogether is how many octets of lines share one piece of memory.
const keptTogether = 8 << 10

// kept is the text of a line for good.
func (r *renderer) kept(line []byte) string {
	if r.texts.Len()+len(line) > r.texts.Cap() {
		r.texts = strings.Builder{}
		r.texts.Grow(max(len(line), keptTogether))
	}
	began := r.texts.Len()
	r.texts.Write(line)
	return r.texts.String()[began:]
}

// newline is <br>: it ends the line even when that is empty.
func (r *renderer) newline() {
	r.open()
	r.flush()
}

// paragraph ends the line and owes a blank one.
func (r *renderer) paragraph() {
	r.flush()
	r.blank = true
}

func (r *renderer) start(name string, attr attributes, closed bool) {
	switch name {
	case "br":
		if r.hidden == 0 {
			r.newline()
		}
		return
	case "hr":
		r.rule(attr)
		return
	case "img":
		r.image(attr)
		return
	}
	if isVoid(name) || closed && isForeign(name) {
		return
	}
	if name == "p" || name == "li" || name == "tr" || name == "td" {
		r.implied(name)
	}
	r.begin(name, attr)
	r.push(name, attr)
	if name == "li" {
		r.item()
	}
}

// begin does what an element does to the lines before it.
func (r *renderer) begin(name string, attr attributes) {
	switch {
	case name == "p" && r.tight(attr), r.inner(name, len(r.stack)):
		r.flush()
	case isParagraph(name):
		r.paragraph()
	case isBlock(name):
		r.flush()
	case name == "td" || name == "th":
		r.space = r.space || len(r.cur) > 0
	}
	if hasMark(attr) != MarkNone && name != "span" && name != "a" {
		r.flush()
	}
}

// tight tells whether a paragraph stands without margins.
func (r *renderer) tight(attr attributes) bool {
	style := attr.style()
	if strings.HasPrefix(attr.get("class"), "Mso") || strings.Contains(style, "margin:0") || strings.Contains(style, "margin-top:0") && strings.Contains(style, "margin-bottom:0") {
		return true
	}
	return r.typed && !r.paras
}

// push remembers an open element and changes the counts.
func (r *renderer) push(name string, attr attributes) {
	if len(r.stack) >= maxElements {
		return
	}
	e := element{name: name, outer: r.counts, line: r.nextLine(), offset: len(r.cur), item: -1}
	switch {
	case name == "blockquote":
		r.depth++
	case name == "pre" || name == "textarea":
		r.pre++
	case name == "a":
		e.href = strings.TrimSpace(attr.get("href"))
	case name == "ol":
		e.item = 0
	case name == "p" && r.tight(attr):
		e.item = tightParagraph
	}
	style := attr.style()
	if isHidden(name) || strings.Contains(style, "display:none") || strings.Contains(style, "mso-hide:all") {
		r.hidden++
	}
	if strings.Contains(style, "white-space:pre") && !strings.Contains(style, "white-space:pre-line") {
		r.pre++
	}
	if m := hasMark(attr); m != MarkNone && r.mark != MarkCut {
		r.mark = m
	}
	r.stack = append(r.stack, e)
}

// implied closes an element that another of its kind ends (<p>, <li>, …).
func (r *renderer) implied(name string) {
	for i := len(r.stack) - 1; i >= 0; i-- {
		switch r.stack[i].name {
		case name:
			r.end(name)
			return
		case "div", "blockquote", "table", "ul", "ol", "body", "tr":
			return
		}
	}
}

func (r *renderer) end(name string) {
	if name == "br" {
		r.newline() // </br> is a <br> to every browser
		return
	}
	if name == "p" && !r.isOpen("p") {
		r.paragraph()
		return
	}
	for i := len(r.stack) - 1; i >= 0; i-- {
		if r.stack[i].name == name {
			r.close(i)
			return
		}
		// A table's cell is not closed by a stray inline end tag inside it.
		if r.stack[i].name == "td" && !isBlock(name) {
			return
		}
	}
}

func (r *renderer) isOpen(name string) bool {
	for i := len(r.stack) - 1; i >= 0 && i >= len(r.stack)-50; i-- {
		if r.stack[i].name == name {
			return true
		}
	}
	return false
}

// close ends the elements from the i-th on.
func (r *renderer) close(i int) {
	e := r.stack[i]
	switch {
	case r.hidden > 0 || r.bare:
	case e.name == "a":
		r.link(e)
	case r.typed:
		r.form(e)
	}
	switch {
	case isParagraph(e.name) && !(e.name == "p" && r.wasTight(e)) && !r.inner(e.name, i):
		r.paragraph()
	case isBlock(e.name) || r.mark != e.outer.mark:
		r.flush()
	case e.name == "td" || e.name == "th":
		r.space = r.space || len(r.cur) > 0
	}
	cut := r.mark == MarkCut
	r.stack = r.stack[:i]
	r.counts = e.outer
	if cut { // it holds to the end of the mail
		r.mark = MarkCut
	}
}

// inner tells a list inside an entry of another, below the n-th element: in a
// typed draft it follows closely, as people type it.
func (r *renderer) inner(name string, n int) bool {
	if !r.typed || name != "ul" && name != "ol" {
		return false
	}
	for i := n - 1; i >= 0; i-- {
		if r.stack[i].name == "li" {
			return true
		}
	}
	return false
}

// wasTight: a tight paragraph carries its mark in item.
func (r *renderer) wasTight(e element) bool { return e.item == tightParagraph }

const tightParagraph = -2

// item begins a list item: a number in an ordered list, else a star.
func (r *renderer) item() {
	if r.hidden > 0 || r.bare {
		return
	}
	label, level := "* ", 0
	for i := len(r.stack) - 2; i >= 0; i-- {
		if n := r.stack[i].name; n == "ul" || n == "ol" {
			if level == 0 && n == "ol" {
				r.stack[i].item++
				label = itoa(r.stack[i].item) + ". "
			}
			level++
		}
	}
	r.open()
	r.cur = append(r.cur, strings.Repeat("  ", min(max(level-1, 0), 10))+label...)
	r.space = false
}

func (r *renderer) rule(attr attributes) {
	if r.hidden > 0 || r.bare {
		return
	}
	r.flush()
	if m := hasMark(attr); m == MarkCut {
		r.mark = MarkCut
	}
	r.open()
	if r.typed {
		r.cur = append(r.cur, "---"...)
	} else {
		r.cur = append(r.cur, "________________________________"...)
	}
	r.flush()
}

// image shows the words a picture stands for; those of spacers are empty.
func (r *renderer) image(attr attributes) {
	alt := strings.TrimSpace(attr.get("alt"))
	switch {
	case r.hidden > 0 || r.bare:
	case r.typed && attr.get("src") != "":
		r.text("![" + alt + "](" + attr.get("src") + ")")
	case alt != "":
		r.text(alt)
	}
}

// attributes are those of one tag; of two with one name the first counts.
type attributes []html.Attribute

func (a attributes) get(name string) string {
	for i := range a {
		if a[i].Key == name {
			return a[i].Val
		}
	}
	return ""
}

// style is the style in lower case and without spaces.
func (a attributes) style() string {
	if a.get("style") == "" { // of most
		return ""
	}
	return strings.ReplaceAll(strings.ToLower(a.get("style")), " ", "")
}
