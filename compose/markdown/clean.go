package markdown

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

const nbsp = "\u00a0"

// split cuts a text into numbered lines. CR LF, CR, LF and the two Unicode
// separators all end a line, and so does CR CR LF, which programs write that
// take a text's ends of lines for bare ones; invalid UTF-8 becomes U+FFFD.
func split(text []byte) []line {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	s := strings.ToValidUTF8(string(text), "\ufffd")
	s = lineEnds.Replace(s)
	var ls []line
	for i, p := range strings.Split(s, "\n") {
		ls = append(ls, line{s: p, n: i + 1})
	}
	return ls
}

var lineEnds = strings.NewReplacer("\r\r\n", "\n", "\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n")

// clean removes what no reader can see and no Markdown means: controls, byte
// order marks, zero width spaces; and gives no-break spaces their old form.
func (w *work) clean() {
	for i := range w.ls {
		w.ls[i].s = strings.Map(visible, w.ls[i].s)
	}
	w.noBreakSpaces()
}

func visible(r rune) rune {
	switch {
	case r == '\t':
		return r
	case r == '\ufeff' || r == '\u200b' || r == '\u2060':
		return -1
	case unicode.IsControl(r):
		return -1
	}
	return r
}

// noBreakSpaces turns the no-break spaces that mail programs make of ordinary
// ones back: at the start of a line, beside another space, and all of them when
// they are too many to be meant. A single one between words is the author's.
func (w *work) noBreakSpaces() {
	var spaces, hard int
	for _, l := range w.ls {
		spaces += strings.Count(l.s, " ")
		hard += strings.Count(l.s, nbsp)
	}
	if hard == 0 {
		return
	}
	all := hard*5 > spaces && hard > 10
	for i, l := range w.ls {
		if s := softSpaces(l.s, all); s != l.s {
			w.repaired(l.n, "no-break")
			w.ls[i].s = s
		}
	}
}

func softSpaces(s string, all bool) string {
	if !strings.Contains(s, nbsp) {
		return s
	}
	if all {
		return strings.ReplaceAll(s, nbsp, " ")
	}
	rs := []rune(s)
	lead := true
	for i, r := range rs {
		if r == 0xa0 && (lead || beside(rs, i)) {
			rs[i] = ' '
		}
		lead = lead && (rs[i] == ' ' || rs[i] == '\t')
	}
	return string(rs)
}

// beside tells whether a space stands next to rs[i], or nothing at all.
func beside(rs []rune, i int) bool {
	space := func(r rune) bool { return r == ' ' || r == 0xa0 || r == '\t' }
	return i+1 == len(rs) || space(rs[i+1]) || i > 0 && space(rs[i-1])
}

// unquote takes one level of quote marks off a draft that is quoted from end to
// end. A draft with any plain line outside is left alone: its quotes are meant.
func (w *work) unquote() {
	ls := trimBlank(w.ls)
	if len(ls) < 3 || len(plainLines(ls)) > 0 {
		return
	}
	for i, l := range ls {
		s := strings.TrimPrefix(strings.TrimLeft(l.s, " "), ">")
		ls[i].s = strings.TrimPrefix(s, " ")
	}
	w.ls = ls
	w.repaired(ls[0].n, "quoted")
}

// plainLines returns the lines that are neither empty nor quoted.
func plainLines(ls []line) []line {
	var out []line
	for _, l := range ls {
		if !l.blank() && !strings.HasPrefix(strings.TrimLeft(l.s, " "), ">") {
			out = append(out, l)
		}
	}
	return out
}

// unstuff takes one leading space off when every line has one, which is what
// space-stuffing (RFC 3676 section 4.4) leaves when nobody undid it.
func (w *work) unstuff() {
	n := 0
	for _, l := range w.ls {
		if l.blank() {
			continue
		}
		if !strings.HasPrefix(l.s, " ") {
			return
		}
		n++
	}
	if n < 3 {
		return
	}
	for i := range w.ls {
		w.ls[i].s = strings.TrimPrefix(w.ls[i].s, " ")
	}
	w.repaired(w.ls[0].n, "space")
}

func width(s string) int { return utf8.RuneCountInString(s) }

// seenWidth is the width of s as it is seen: the scripts of East Asia take two
// columns a character.
func seenWidth(s string) int {
	n := width(s)
	if n == len(s) {
		return n
	}
	for _, r := range s {
		if wide(r) {
			n++
		}
	}
	return n
}
