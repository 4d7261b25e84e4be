package markdown

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var (
	ruleLine    = regexp.MustCompile(`^ {0,3}-{3,}\s*$`)
	starRule    = regexp.MustCompile(`^ {0,3}(?:(?:\*\s*){3,}|(?:_\s*){3,}|(?:-\s+){2,}-?\s*)$`)
	headingLine = regexp.MustCompile(`^ {0,3}#{1,6}(?:\s|$)`)
	markerLine  = regexp.MustCompile(`^(\s*)([-*+]|\d{1,9}[.)])(\s+(.*)|)$`)
	quoteLine1  = regexp.MustCompile(`^ {0,3}>`)
	tableLine   = regexp.MustCompile(`^ {0,3}\|`)
	htmlLine    = regexp.MustCompile(`^ {0,3}<[!/?A-Za-z]`)
	autoLine    = regexp.MustCompile(`^ {0,3}<https?://`)
	definition  = regexp.MustCompile(`^ {0,3}\[[^\]]+\]:`)
	codeFence   = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})")
)

// body undoes what mail did to the text below the front matter. Each step looks
// for its own evidence and leaves alone what shows none; the steps run until
// nothing changes, so that reading a repaired draft repairs nothing.
func (w *work) body() {
	w.ls = trimBlank(w.ls)
	for range 4 {
		before := slices.Clone(w.ls)
		w.programFoot()
		w.signature()
		w.mboxFrom()
		w.breaks()
		w.angles()
		w.bareBackslashes()
		w.signOff()
		w.apart()
		w.dashes()
		w.unwrap()
		w.bareMarkers()
		w.authors()
		w.blanks()
		w.lineEnds()
		w.rules()
		w.definitions()
		w.ls = trimBlank(w.ls)
		if slices.Equal(before, w.ls) {
			return
		}
	}
}

// signature cuts what stands below a "-- " line, in the tail only: such a line
// in the middle of an issue belongs to a quoted mail.
func (w *work) signature() {
	for i := len(w.ls) - 1; i > 0 && i >= len(w.ls)-12; i-- {
		s := w.ls[i].s
		mark := s == "-- " || s == "--" && w.ls[i-1].blank() || w.smart && s == "— "
		if mark && signatureLike(w.ls[i+1:]) {
			w.repaired(w.ls[i].n, "signature")
			w.ls = trimBlank(w.ls[:i])
			return
		}
		if headingLine.MatchString(s) || ruleLine.MatchString(s) {
			return
		}
	}
}

func signatureLike(ls []line) bool {
	n := 0
	for _, l := range ls {
		if !l.blank() {
			n++
		}
		if width(l.s) > 120 || markerLine.MatchString(l.s) || quoteLine1.MatchString(l.s) {
			return false
		}
	}
	return n <= 8
}

var fromLine = regexp.MustCompile(`^>(>*From )`)

// mboxFrom undoes the quoting of "From " that mailbox files need. A line with
// other quoted lines beside it is a quote, unless their marks have a space behind
// them: whoever writes them so writes no mark without one.
func (w *work) mboxFrom() {
	quoted := func(i int) bool {
		if i < 0 || i >= len(w.ls) || fromLine.MatchString(w.ls[i].s) {
			return false
		}
		mark := strings.TrimLeft(w.ls[i].s, ">")
		return len(mark) < len(w.ls[i].s) && mark != "" && mark[0] != ' '
	}
	for i, l := range w.ls {
		if fromLine.MatchString(l.s) && !quoted(i-1) && !quoted(i+1) {
			w.ls[i].s = l.s[1:]
			w.repaired(l.n, "from")
		}
	}
}

// endsBroken tells whether s ends with a line break the author wrote: <br>, <br/>
// or a backslash.
func endsBroken(s string) bool {
	s = strings.TrimRight(s, " ")
	if strings.HasSuffix(s, `\`) {
		return true
	}
	open := strings.LastIndexByte(s, '<')
	if open < 0 || !strings.HasSuffix(s, ">") {
		return false
	}
	name := strings.TrimRight(s[open+1:len(s)-1], "/ ")
	return strings.EqualFold(name, "br")
}

var openBreak = regexp.MustCompile(`(?i)<br\s*/?\s*(?:[.,;]\s*/?>\s*)?$`)

// breaks mends a <br, <br/ or <br/.> at the end of a line, which readers would
// see.
func (w *work) breaks() {
	code := fenced(w.ls)
	for i, l := range w.ls {
		if !code[i] && strings.Contains(l.s, "<") && openBreak.MatchString(l.s) {
			w.ls[i].s = openBreak.ReplaceAllString(l.s, "<br/>")
			w.repaired(l.n, "break")
		}
	}
}

var (
	openAngle  = regexp.MustCompile(`<https?://[^\s<>]+$`)
	closeAngle = regexp.MustCompile(`^[^\s<>]+>`)
)

// angles joins an address in angle brackets that was cut: whoever puts it there
// says that line ends do not belong to it (RFC 3986 appendix C).
func (w *work) angles() {
	code := fenced(w.ls)
	var out []line
	for i, l := range w.ls {
		if n := len(out); n > 0 && !code[i] && strings.Contains(l.s, ">") && closeAngle.MatchString(l.s) && openAngle.MatchString(out[n-1].s) {
			out[n-1].s += l.s
			w.repaired(out[n-1].n, "cut-address")
			continue
		}
		out = append(out, l)
	}
	w.ls = out
}

// fenced tells for each line whether it belongs to a fenced block of code.
func fenced(ls []line) []bool {
	in := make([]bool, len(ls))
	open := ""
	for i, l := range ls {
		if open == "" && !mayFence(l.s) {
			continue
		}
		m := codeFence.FindStringSubmatch(l.s)
		switch {
		case open == "" && m != nil:
			open, in[i] = m[1], true
		case open != "":
			in[i] = true
			if m != nil && strings.HasPrefix(m[1], open) && strings.Trim(l.s, " "+open[:1]) == "" {
				open = ""
			}
		}
	}
	if open == "" {
		return in
	}
	return make([]bool, len(ls)) // a fence that is never closed is no evidence
}

// mayFence spares most lines the regular expression: this is asked of every line
// several times.
func mayFence(s string) bool { return strings.Contains(s, "```") || strings.Contains(s, "~~~") }

// gap is a run of empty lines between two lines that are not.
type gap struct{ a, b, blanks int }

// gaps returns the places between the non-empty lines of ls.
func gaps(ls []line) []gap {
	var out []gap
	last := -1
	for i, l := range ls {
		if l.blank() {
			continue
		}
		if last >= 0 {
			out = append(out, gap{last, i, i - last - 1})
		}
		last = i
	}
	return out
}

// apart undoes "every line its own paragraph": an empty line between every two
// lines. Lines that are only sensible next to each other come together again.
func (w *work) apart() {
	gs := gaps(w.ls)
	tight, wide, kin, broken := 0, 0, 0, 0
	odd := true
	for _, g := range gs {
		odd = odd && g.blanks%2 == 1
		if g.blanks == 0 {
			tight++
		} else if g.blanks > 1 {
			wide++
		}
	}
	if len(gs) < 7 || tight*50 > len(gs) {
		return
	}
	for _, g := range gs {
		a, b := w.ls[g.a].s, w.ls[g.b].s
		switch {
		case g.blanks != 1:
		case belong(a, b) || underline(a, b):
			kin++
		case running(a) && running(b) && unicode.IsLower(firstRune(strings.TrimLeft(b, " "))) && !ends(a):
			broken++ // in the middle of a sentence
		}
	}
	single := len(gs) - wide - tight
	if kin+broken == 0 && (!odd || wide <= single || wide < 8) {
		return
	}
	// Where the empty lines of the draft are there too, as wider gaps, the single
	// ones were put in by the mail program.
	// A line end made two leaves odd numbers of them everywhere.
	doubled := wide > single && kin*2 > single || odd && (wide*2 > single || wide > 2 && (kin+broken)*6 > single)
	w.closeGaps(gs, func(g gap) int {
		switch {
		case doubled && g.blanks == 1:
			return 0
		case doubled && g.blanks > 1:
			return 1
		case g.blanks > 0 && closeTo(w.ls[g.a].s, w.ls[g.b].s):
			return 0
		}
		return g.blanks
	})
	w.repaired(w.ls[0].n, "paragraphs")
}

// closeGaps gives every gap the number of empty lines that want asks for.
func (w *work) closeGaps(gs []gap, want func(gap) int) {
	var out []line
	if len(w.ls) > 0 {
		out = append(out, w.ls[0])
	}
	for _, g := range gs {
		for range want(g) {
			out = append(out, line{n: w.ls[g.b].n})
		}
		out = append(out, w.ls[g.b])
	}
	w.ls = out
}

// belong tells lines that stand directly under each other in what people write.
func belong(a, b string) bool {
	list := func(s string) bool { return markerLine.MatchString(s) && !starRule.MatchString(s) }
	switch {
	case list(a) && list(b), endsBroken(a) && !breaksOff(a, b):
		return true
	case underLink(a, b):
		return true
	case quoteLine1.MatchString(a) && quoteLine1.MatchString(b), tableLine.MatchString(a) && tableLine.MatchString(b):
		return true
	}
	return htmlLine.MatchString(a) && htmlLine.MatchString(b)
}

// breaksOff tells a line break that a paragraph follows, not another short line
// or stacked link: its author wanted a distance there, as an empty line is.
func breaksOff(a, b string) bool {
	return paragraph(b) && max(width(a), width(b)) > longLine && !strings.HasPrefix(strings.TrimLeft(b, "*_"), "[")
}
