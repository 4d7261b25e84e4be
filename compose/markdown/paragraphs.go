package markdown

import (
	"regexp"
	"strings"
	"unicode"
)

// longLine is the width beyond which a line is no line of a text that its author
// or a mail program wraps.
const longLine = 80

// bareBackslashes makes a line that holds nothing but a backslash empty. Editors
// that keep rich text write one for an empty line; Markdown shows it.
func (w *work) bareBackslashes() {
	code := fenced(w.ls)
	for i, l := range w.ls {
		if !code[i] && strings.TrimSpace(l.s) == `\` {
			w.ls[i].s = ""
			w.repaired(l.n, "backslash")
		}
	}
}

var (
	linkLine   = regexp.MustCompile(`^\**\[.*\]\([^()\s]+(?:\([^()\s]*\)[^()\s]*)*\)\**\s*$`)
	authorLine = regexp.MustCompile(`^- \p{Lu}[^\[\]]*$`)
)

// underLink tells an author below a line that holds nothing but a link.
func underLink(a, b string) bool {
	return strings.HasPrefix(b, "- ") && width(b) < longLine && authorLine.MatchString(b) && linkLine.MatchString(a)
}

// authors puts "- Author" behind the link on the line above. Alone in a list of
// its own, right below a line that holds nothing but a link, it is no entry.
func (w *work) authors() {
	var fixed []bool
	var out []line
	for i, l := range w.ls {
		if i == 0 || !underLink(out[len(out)-1].s, l.s) || i+1 < len(w.ls) && (markerLine.MatchString(w.ls[i+1].s) || strings.HasPrefix(w.ls[i+1].s, " ")) {
			out = append(out, l)
			continue
		}
		if fixed == nil {
			fixed = fixedLines(w.ls)
		}
		if fixed[i] || inList(out) {
			out = append(out, l)
			continue
		}
		last := &out[len(out)-1]
		last.s = strings.TrimRight(last.s, " ") + " " + l.s
		w.repaired(l.n, "author")
	}
	w.ls = out
}

var bareMarker = regexp.MustCompile(`^\s*(?:[*+-]|\d{1,9}[.)])\s*$`)

// bareMarkers joins a list's marker that stands alone with the text below it. A
// mail program cuts there when the entry begins with a long address; to Markdown
// the entry is empty and its text is none of the list's.
func (w *work) bareMarkers() {
	var fixed []bool
	var out []line
	for i, l := range w.ls {
		if i == 0 || !entersList(w.ls, i) {
			out = append(out, l)
			continue
		}
		if fixed == nil {
			fixed = fixedLines(w.ls)
		}
		if fixed[i] || fixed[i-1] {
			out = append(out, l)
			continue
		}
		last := &out[len(out)-1]
		last.s = strings.TrimRight(last.s, " ") + " " + l.s
		w.repaired(last.n, "list-mark")
	}
	w.ls = out
}

// entersList tells whether line i is the text of a marker that stands alone above
// it: in a list, or where a list can begin.
func entersList(ls []line, i int) bool {
	mark, s := ls[i-1].s, ls[i].s
	if len(mark) > 24 || !bareMarker.MatchString(mark) || strings.TrimSpace(s) == "" || s[0] == ' ' || !running(s) && !autoLine.MatchString(s) || markerLine.MatchString(s) || quoteLine1.MatchString(s) {
		return false
	}
	return i == 1 || ls[i-2].blank() || !running(ls[i-2].s) || inList(ls[:i-1])
}

// inList tells whether the last lines of ls, up to an empty one, belong to a list.
func inList(ls []line) bool {
	for i := len(ls) - 1; i >= 0 && !ls[i].blank(); i-- {
		if markerLine.MatchString(ls[i].s) {
			return true
		}
	}
	return false
}

var indentedName = regexp.MustCompile(`^(?: {4,}|\t\s*)(\p{Lu}[\pL.'’-]*(?: [\pL.'’-]+){0,3})\s*$`)

// signOff takes the indent off a name below a closing such as "All the best,":
// to Markdown the name is code.
func (w *work) signOff() {
	last := ""
	for i, l := range w.ls {
		if l.blank() {
			continue
		}
		m := indentedName.FindStringSubmatch(l.s)
		if m != nil && strings.HasSuffix(strings.TrimRight(last, " "), ",") && paragraph(last) && (i+1 == len(w.ls) || !strings.HasPrefix(w.ls[i+1].s, "    ")) {
			w.ls[i].s = m[1]
			w.repaired(l.n, "indented")
		}
		last = l.s
	}
}

// blanks puts empty lines back where a draft has lost them all: every line that
// does not belong to the one before it becomes a paragraph.
func (w *work) blanks() {
	gs := gaps(w.ls)
	if len(w.ls) < 8 || !lostBlanks(gs) || !longLined(w.ls) {
		return
	}
	code := fenced(w.ls)
	separators := w.separatorLengths(code)
	w.closeGaps(gs, func(g gap) int {
		a, b := w.ls[g.a].s, w.ls[g.b].s
		if code[g.a] && code[g.b] || strings.HasPrefix(b, "    ") || closeTo(a, b) || underline(a, b) && !separators[len(strings.TrimSpace(b))] {
			return g.blanks
		}
		return max(1, g.blanks)
	})
	w.repaired(w.ls[0].n, "empty-lines")
}

// closeTo tells lines between which no empty line was, as far as the lines alone
// can tell.
func closeTo(a, b string) bool {
	return belong(a, b) || goesOn(a, b)
}

// lostBlanks tells whether hardly a line has an empty one before it; lines of
// mere spaces often survive what takes the empty ones.
func lostBlanks(gs []gap) bool {
	kept := 0
	for _, g := range gs {
		if g.blanks > 0 {
			kept++
		}
	}
	return kept*12 <= len(gs)
}

// longLined tells a draft whose author writes a paragraph as one line from a
// poem, a list, and a text wrapped by hand.
func longLined(ls []line) bool {
	n, long := 0, 0
	for _, l := range ls {
		if l.blank() {
			continue
		}
		n++
		if seenWidth(l.s) > 120 {
			long++
		}
	}
	return n > 0 && long*12 >= n
}

// lineEnds ends a paragraph where its line ends, in a draft that has a paragraph
// a line: there a missing empty line is a slip, and most editors show none. A
// draft with several sentences under each other is left alone: to give each its
// line is a habit too.
func (w *work) lineEnds() {
	if !longLined(w.ls) {
		return
	}
	code := fenced(w.ls)
	bare := map[int]bool{} // lines that stand right under another paragraph
	alone, run := 0, 0
	for _, g := range gaps(w.ls) {
		a, b := w.ls[g.a].s, w.ls[g.b].s
		if g.blanks > 0 && seenWidth(b) > longLine {
			alone++
		}
		if g.blanks > 0 || code[g.b] || belong(a, b) || max(seenWidth(a), seenWidth(b)) <= longLine || !running(a) || !paragraph(b) {
			run = 0
			continue
		}
		if run++; run > 1 && !leadEntry.MatchString(b) {
			return
		}
		bare[g.b] = !goesOn(a, b) && endsParagraph(a, b) && !unfinished.MatchString(tail(strings.TrimRight(a, " ")))
	}
	if len(bare)*6 <= alone {
		w.part(bare)
	}
}

// part puts an empty line before the marked ones.
func (w *work) part(marked map[int]bool) {
	out := make([]line, 0, len(w.ls)+len(marked))
	for i, l := range w.ls {
		if marked[i] {
			out = append(out, line{n: l.n})
			w.repaired(l.n, "close-lines")
		}
		out = append(out, l)
	}
	w.ls = out
}

// endsParagraph tells whether a may be the end of a paragraph that b follows: a
// whole sentence, the head of an item, a line before the next item or picture.
func endsParagraph(a, b string) bool {
	return ends(a) || seenWidth(a) <= longLine || leadEntry.MatchString(a) || leadEntry.MatchString(b) || strings.HasPrefix(a, "![") || strings.HasPrefix(b, "![")
}

// running tells a line of text that a next line could belong to.
func running(s string) bool {
	return !headingLine.MatchString(s) && !ruleLine.MatchString(s) && !starRule.MatchString(s) &&
		!tableLine.MatchString(s) && !htmlLine.MatchString(s) && !definition.MatchString(s) && !strings.HasPrefix(s, "    ")
}

// paragraph tells a line that is neither indented nor begins anything but
// running text or a picture.
func paragraph(s string) bool {
	return running(s) && !strings.HasPrefix(s, " ") && !strings.HasPrefix(s, "\t") && !markerLine.MatchString(s) && !quoteLine1.MatchString(s)
}

// unfinished is the end of a line at which no paragraph ends: a dash behind a
// link that waits for its author, a joining word.
var unfinished = regexp.MustCompile(`(?:\)\s*[-–—]|[\s)][&/(]|[“‘„«]|[\pL\pN),] (?:and|or|the|a|an|of|to|in|for|with|by|from|that))$`)

// joining is a word at the end of a line that another must follow.
var joining = regexp.MustCompile(`[\pL\pN),] (?:and|or|the|a|an|of|to|in|for|with|by|from|that|at|on|is|are|into)$`)

// finished is the end of a line at which a sentence ends.
var finished = regexp.MustCompile("[.!?:…。！？：][)\\]\"”’*_`]*$|[\"”’]$")

// ends tells whether a sentence ends at the end of s.
func ends(s string) bool { return finished.MatchString(tail(strings.TrimRight(s, " "))) }

// tail is the last bytes of s: enough for what is looked for at its end, whatever
// its length.
func tail(s string) string { return s[max(0, len(s)-24):] }

// goesOn tells whether b continues the sentence of the paragraph above.
func goesOn(a, b string) bool {
	a = strings.TrimRight(a, " ")
	if !paragraph(a) || !paragraph(b) {
		return false
	}
	switch {
	case strings.HasPrefix(b, "[") || strings.HasPrefix(b, "http"):
		return joining.MatchString(tail(a))
	case insideLink(a, b):
		return true
	}
	return unfinished.MatchString(tail(a)) || unicode.IsLower(firstRune(strings.TrimLeft(b, "*_(‘“"))) && !ends(a)
}

// insideLink tells whether the words of a link began on a and end on b.
func insideLink(a, b string) bool {
	end := strings.Index(b, "](")
	return end >= 0 && strings.LastIndexByte(a, '[') > strings.LastIndexByte(a, ']') && !strings.Contains(b[:end], "[")
}

// underline tells whether b, a line of dashes, underlines a short title.
func underline(a, b string) bool {
	if !ruleLine.MatchString(b) || markerLine.MatchString(a) || quoteLine1.MatchString(a) || endsBroken(a) {
		return false
	}
	diff := width(strings.TrimSpace(a)) - len(strings.TrimSpace(b))
	return diff >= -3 && diff <= 3
}
