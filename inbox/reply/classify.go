package reply

import (
	"slices"
	"strings"
)

// classify gives each line its kind. The order matters: what is quoted first,
// then where the answered mail begins unmarked, then the feet of what is left.
func classify(lines []Line) []Line {
	markQuotes(lines)
	markAttributions(lines)
	markCut(lines)
	markFooters(lines)
	markSignatures(lines)
	return lines
}

// markQuotes marks the lines behind quote marks.
func markQuotes(lines []Line) {
	markWrapped(lines)
	for i := range lines {
		if lines[i].Kind == Own && (lines[i].Depth > 0 || brokenLink(lines, i)) {
			lines[i].Kind = Quote
		}
	}
}

// markWrapped finds attributions that a mail program wrapped before the ">" of
// an address, so that their last line looks quoted.
func markWrapped(lines []Line) {
	for i := range lines {
		if lines[i].Depth > 0 || lines[i].blank() || len(lines[i].Text) > maxAttribution || !startsAttribution(lines[i].bare()) {
			continue
		}
		if end, ok := wrappedBehindMark(lines, i); ok {
			setKind(lines[end:end+1], Attribution)
			lines[end].Depth = 0
			lines[end].plain = "> " + lines[end].plain
		}
	}
}

// brokenLink tells whether line i is the rest of a link that was wrapped out
// of a quote: one word, right between quoted lines.
func brokenLink(lines []Line, i int) bool {
	if i == 0 || i+1 >= len(lines) || lines[i-1].Depth == 0 || lines[i+1].Depth == 0 {
		return false
	}
	above := strings.Fields(lines[i-1].Text)
	return len(above) > 0 && strings.Contains(above[len(above)-1], "://") && len(strings.Fields(lines[i].Text)) == 1
}

// bare is a line without quote marks, outer space and exotic white space.
func (l *Line) bare() string { return l.plain }

// squeeze folds white space, of which mail programs know many kinds.
func squeeze(s string) string {
	if squeezed(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x2069, r == 0xfeff:
			return -1 // no width, or the direction of writing
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ") // all spaces of Unicode
}

// squeezed knows most lines, of which nothing is to be folded.
func squeezed(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x80 || s[i] == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' ') {
			return false
		}
	}
	return true
}

func (l *Line) blank() bool { return l.plain == "" && l.Depth == 0 }

// nextText gives the index of the next line that is not blank, or len(lines).
func nextText(lines []Line, i int) int {
	for i < len(lines) && lines[i].blank() {
		i++
	}
	return i
}

// maxTried bounds the lines of one mail that are weighed as the end of an
// attribution; a real one has few.
const maxTried = 2000

// markAttributions finds the lines that introduce a quote. Where the quote
// itself is not marked, all that follows is one.
func markAttributions(lines []Line) {
	// What follows is asked up to maxTried times, so it is remembered: the next
	// marked quote, and how many lines from the top hold nothing of the person's.
	marked, above := -1, 0
	for i, tried := 0, 0; i < len(lines) && tried < maxTried; i++ {
		if lines[i].Kind != Own || lines[i].blank() {
			continue
		}
		start, end, strength := attributionAt(lines, i)
		if strength != none || mayEnd(lines[i].bare()) {
			tried++
		}
		if strength == none {
			continue
		}
		if marked <= end {
			marked = nextQuote(lines, end+1)
		}
		above += notOwn(lines[min(above, start):start])
		next := nextText(lines, end+1)
		quoted := next < len(lines) && lines[next].Kind == Quote
		switch {
		case quoted && (strength == strong || next-end <= 2):
			setKind(lines[start:end+1], Attribution)
		case strength == strong && above >= start:
			// Nothing stands above it, so the person wrote below it.
			setKind(lines[start:end+1], Attribution)
			if indented(lines[end+1:]) {
				setKind(lines[end+1:], Quote)
				return
			}
		case strength == strong && (marked == len(lines) || introduced(lines, marked)):
			// Marked quotes without an attribution of their own would say that
			// the person answers between them; otherwise all of it is quoted.
			setKind(lines[start:end+1], Attribution)
			setKind(lines[end+1:], Quote)
			return
		}
		i = max(i, end)
	}
}

// indented tells whether all lines stand four columns in, as Outlook on a
// Macintosh quotes.
func indented(lines []Line) bool {
	texts := 0
	for i := range lines {
		if lines[i].blank() {
			continue
		}
		if texts++; !strings.HasPrefix(lines[i].Text, "    ") && !strings.HasPrefix(lines[i].Text, "\t") {
			return false
		}
	}
	return texts > 0
}

// notOwn counts the lines before the first that the person wrote.
func notOwn(lines []Line) int {
	for i := range lines {
		if lines[i].Kind == Own && !lines[i].blank() {
			return i
		}
	}
	return len(lines)
}

func setKind(lines []Line, k Kind) {
	for i := range lines {
		lines[i].Kind = k
	}
}

// nextQuote gives the index of the next quoted line, or len(lines).
func nextQuote(lines []Line, i int) int {
	for i < len(lines) && lines[i].Kind != Quote {
		i++
	}
	return i
}

// introduced tells whether an attribution or header block stands right above
// the quote at i.
func introduced(lines []Line, i int) bool {
	if headerBlock(lines, i) > 0 {
		return true
	}
	for j := i - 1; j >= 0 && j >= i-3; j-- {
		if lines[j].blank() {
			continue
		}
		if _, _, s := attributionAt(lines, j); s != none {
			return true
		}
	}
	return false
}

// markCut finds where the answered or forwarded mail begins unmarked.
func markCut(lines []Line) {
	for i := 0; i < len(lines); i++ {
		if lines[i].blank() || lines[i].Kind == Attribution {
			continue
		}
		if lines[i].Kind == Quote {
			if n := forwardStart(lines, i); n > 0 {
				setKind(lines[i:], Forwarded)
				return
			}
			continue
		}
		kind, ok := cutAt(lines, i)
		if !ok {
			continue
		}
		if next, marked := markedBelow(lines, i); marked && kind == Quote {
			setKind(lines[i:next], Attribution)
			i = next
			continue
		}
		if n := headerBlock(lines, i); kind == Quote && n > 0 && notOwn(lines[:i]) == i && !addressed(lines[i:i+n]) {
			// A mail that was passed on says to whom it went; below a head that
			// does not, with nothing above it, the person wrote.
			setKind(lines[i:i+n], Attribution)
			i += n - 1
			continue
		}
		setKind(lines[i:], kind)
		if kind == Quote {
			markHead(lines, i)
			markBareTitle(lines, i)
		}
		return
	}
}

// markBareTitle takes "Original Message" for what it is although no dashes
// stand around it, right above the header lines at i.
func markBareTitle(lines []Line, i int) {
	for j := i - 1; j >= 0 && j >= i-2; j-- {
		if lines[j].blank() {
			continue
		}
		if slices.Contains(originalWords, strings.ToLower(strings.Trim(lines[j].bare(), " *:"))) {
			lines[j].Kind = Attribution
		}
		return
	}
}

// markedBelow tells whether a header block at i stands right above a quote
// with marks; then it is no more than an attribution.
func markedBelow(lines []Line, i int) (next int, marked bool) {
	titled := originalMark(lines[i].bare())
	if isSeparator(lines[i].bare()) {
		i = nextText(lines, i+1)
	}
	for titled && i < len(lines) && (lines[i].Kind == Attribution || lines[i].blank()) {
		i++ // Proton writes both a title and an attribution
	}
	if titled {
		if next = nextText(lines, plainHead(lines, i)); next < len(lines) && lines[next].Kind == Quote && lines[next].Depth > 0 {
			return next, true
		}
	}
	n := 0
	if i < len(lines) {
		n = headerBlock(lines, i)
	}
	next = nextText(lines, i+n)
	return next, n > 0 && next < len(lines) && lines[next].Kind == Quote && lines[next].Depth > 0
}

// addressed tells whether a header block says to whom.
func addressed(lines []Line) bool {
	return slices.ContainsFunc(lines, func(l Line) bool { r := headerRole(l.bare()); return r == "to" || r == "cc" })
}

// plainHead gives the end of a short paragraph at i that says from whom and of
// when a mail is, in fields that a program wrote without colons; i if none is.
func plainHead(lines []Line, i int) int {
	end := paragraphEnd(lines, i)
	if end == i || end-i > 8 {
		return i
	}
	if s := joined(lines, i, end-1); len(s) > maxAttribution || !address.MatchString(s) || !hasDayOrClock(s) {
		return i
	}
	return end
}

// markHead calls the separator and the header fields below it attribution.
func markHead(lines []Line, i int) {
	for n := 0; i < len(lines) && n < 25; i, n = i+1, n+1 {
		if !lines[i].blank() && !isSeparator(lines[i].bare()) && headerRole(lines[i].bare()) == "" && !replyAbove(lines[i].bare()) {
			return
		}
		lines[i].Kind = Attribution
	}
}

// cutAt tells whether the mail that is answered or passed on begins at i.
func cutAt(lines []Line, i int) (Kind, bool) {
	s := lines[i].bare()
	switch {
	case len(s) > 1000 || !strings.ContainsAny(s, ":：-_=*–—#~"):
		return "", false
	case replyAbove(s):
		return Quote, i > 0
	case forwardStart(lines, i) > 0:
		return Forwarded, true
	case originalMark(s):
		return Quote, true
	case isSeparator(s):
		next := nextText(lines, i+1)
		return Quote, next < len(lines) && (headerBlock(lines, next) > 0 || isRule(s) && fromLine(lines[next].bare()))
	}
	if headerBlock(lines, i) == 0 {
		return "", false
	}
	return Quote, true
}

// forwardStart gives the number of lines that introduce a forwarded mail at i,
// 0 when none begins there.
func forwardStart(lines []Line, i int) int {
	s := lines[i].bare()
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "")
	}
	title, dashed := dashedTitle(s)
	if dashed && isForwardTitle(title) {
		return 1
	}
	if !dashed && strings.HasSuffix(strings.TrimRight(s, " "), ":") && isForwardTitle(strings.TrimSuffix(s, ":")) {
		next := i + 1
		for next < len(lines) && lines[next].bare() == "" { // blank lines of a quote too
			next++
		}
		if next < len(lines) && (headerBlock(lines, next) > 0 || headerRole(lines[next].bare()) != "") {
			return 1
		}
	}
	return 0
}
