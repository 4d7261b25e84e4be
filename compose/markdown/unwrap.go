package markdown

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// unwrap joins the lines that a mail program cut. The evidence is the way such
// programs cut: a line ends where the next word would not have fitted, and no
// line that could have been cut is longer. In a file (exact) that alone may be
// the author's own habit, and changes nothing that a reader sees; there a line
// must also have been cut where the cut changes the meaning.
func (w *work) unwrap() {
	fixed := fixedLines(w.ls)
	limit := wrapWidth(w.ls, fixed)
	if limit == 0 {
		return
	}
	j := joiner{ls: w.ls, fixed: fixed, limit: limit, hyphens: cutsAtHyphens(w.ls, fixed, limit), spaces: keepsSpaces(w.ls, fixed, limit)}
	out := j.run()
	if len(j.heads) == 0 || w.exact && j.turned == 0 {
		return
	}
	for _, n := range j.heads {
		w.repaired(n, "cut-lines", limit)
	}
	w.ls = out
}

// fixedLines marks the lines whose ends mean something: code, rules, comments.
func fixedLines(ls []line) []bool {
	fixed := fenced(ls)
	comment := false
	for i, l := range ls {
		if comment = comment || strings.HasPrefix(l.s, "<!--"); comment {
			fixed[i] = true
			comment = !strings.Contains(l.s, "-->")
		}
		indented := strings.HasPrefix(l.s, "    ") && !markerLine.MatchString(l.s) && (i == 0 || ls[i-1].blank() || fixed[i-1])
		if indented || mayRule(l.s) && (ruleLine.MatchString(l.s) || starRule.MatchString(l.s)) {
			fixed[i] = true
		}
	}
	return fixed
}

// mayRule spares most lines the regular expressions: a rule ends in one of its
// own characters.
func mayRule(s string) bool {
	s = strings.TrimSpace(s)
	return s != "" && strings.IndexByte("-*_", s[len(s)-1]) >= 0
}

// wrapWidth finds the width at which the text was cut, 0 when it was not.
func wrapWidth(ls []line, fixed []bool) int {
	var over, full, open [141]int // by width, summed up below
	pairs := 0
	for i, l := range ls {
		if fixed[i] || l.blank() {
			continue
		}
		n := width(strings.TrimRight(l.s, " "))
		// A line with a space before column k could have been cut at k: every
		// width from there to its length is contradicted.
		for k := min(firstCut(l.s), 141); k < min(n, 141); k++ {
			over[k]++
		}
		if i+1 == len(ls) || fixed[i+1] || ls[i+1].blank() || endsBroken(l.s) || markerLine.MatchString(ls[i+1].s) || headingLine.MatchString(ls[i+1].s) || quoteLine1.MatchString(ls[i+1].s) {
			continue
		}
		if htmlLine.MatchString(ls[i+1].s) && !autoLine.MatchString(ls[i+1].s) || wide(firstRune(ls[i+1].s)) && firstWord(ls[i+1].s) == ls[i+1].s {
			continue // tags stand on lines of their own; a line of Chinese is one word
		}
		pairs++
		next := n + gapAfter(l.s) + width(firstWord(ls[i+1].s))
		for k := 0; k < 141; k++ {
			if k < next {
				full[k]++
			} else {
				open[k]++
			}
		}
	}
	best, at := 0, 0
	for k := 40; k < 141; k++ {
		score := full[k] - 3*open[k] - 6*over[k]
		if over[k]*40 <= pairs && score >= best && score >= 3 {
			best, at = score, k
		}
	}
	return at
}

// firstCut is the width of the shortest line that cutting s would leave.
func firstCut(s string) int {
	body := strings.TrimLeft(s, " ")
	i := strings.IndexByte(strings.TrimRight(body, " "), ' ')
	if i < 0 {
		return 1 << 20
	}
	return width(s[:len(s)-len(body)+i])
}

// gapAfter is the number of spaces that may have stood behind a line before it
// was cut: up to three follow the end of a sentence.
func gapAfter(a string) int {
	switch lastRune(strings.TrimRight(a, " *_")) {
	case '.', '!', '?', ':', ')', '"', '”', '…', '-', '–', '—':
		return 3
	}
	return 1
}

func firstWord(s string) string {
	s = strings.TrimLeft(s, " ")
	if i := strings.IndexByte(s, ' '); i >= 0 {
		return s[:i]
	}
	return s
}

// joiner puts cut lines together.
type joiner struct {
	ls      []line
	fixed   []bool
	limit   int
	hyphens bool  // the program cut words behind their hyphens too
	spaces  bool  // every cut left its space at the end of the line
	turned  int   // joins without which the text would mean something else
	heads   []int // the first line of every paragraph that was joined
}

func (j *joiner) run() []line {
	var out []line
	for i, l := range j.ls {
		if i == 0 || !j.cut(out[len(out)-1].s, i) {
			out = append(out, l)
			continue
		}
		last := &out[len(out)-1]
		if n := len(j.heads); n == 0 || j.heads[n-1] != last.n {
			j.heads = append(j.heads, last.n)
		}
		if markerLine.MatchString(l.s) || bareMarker.MatchString(last.s) || quoteLine1.MatchString(l.s) || headingLine.MatchString(last.s) || htmlLine.MatchString(l.s) || inTarget(last.s) || strings.HasSuffix(last.s, "  ") {
			j.turned++
		}
		last.s = glue(last.s, strings.TrimLeft(l.s, " "), j.hyphens)
	}
	return out
}

// cut tells whether line i was cut off the line before it; whole is what has
// been joined so far.
func (j *joiner) cut(whole string, i int) bool {
	a, b := strings.TrimRight(j.ls[i-1].s, " "), j.ls[i].s
	if a == "" || strings.TrimSpace(b) == "" || j.fixed[i-1] || j.fixed[i] {
		return false
	}
	if endsBroken(a) || definition.MatchString(b) || headingLine.MatchString(b) || ownLine(whole, b) {
		return false
	}
	if j.spaces {
		return strings.HasSuffix(j.ls[i-1].s, " ") && width(j.ls[i-1].s)+width(firstWord(b))+2 > j.limit
	}
	if tableLine.MatchString(whole) && !strings.HasSuffix(strings.TrimRight(whole, " "), "|") {
		return true // a row ends with a bar, however much of its padding was lost
	}
	if width(a)+j.gap(a, b)+width(firstWord(b)) <= j.limit {
		return false
	}
	switch {
	case markerLine.MatchString(b):
		gap := 1
		if strings.HasSuffix(a, ")") {
			gap = 2 // a slip of the thumb before the dash of an item
		}
		return width(a)+gap+width(firstWord(b)) > j.limit && j.cutBeforeMarker(whole, i)
	case quoteLine1.MatchString(b):
		return aboveSign.MatchString(b) && !quoteLine1.MatchString(whole) && !j.at(i+1, quoteLine1) && !strings.HasSuffix(a, ":")
	case tableLine.MatchString(b):
		return tableLine.MatchString(whole) && !strings.HasSuffix(a, "|")
	case htmlLine.MatchString(b):
		return !htmlLine.MatchString(whole)
	}
	return true
}

var (
	leadHead = regexp.MustCompile(`^\**\[.*\]\([^()\s]+(?:\([^()\s]*\)[^()\s]*)*\)\**`)
	// aboveSign is "x > y" behind the cut: a quote begins with a capital or an
	// asterisk, and its mark often stands close to it.
	aboveSign = regexp.MustCompile(`^> [^\p{Lu}*_"“\[]|^>{1,2}=?\d`)
	leadEntry = regexp.MustCompile(`^ ?\**\[[^\]]`)
)

// gap is the number of spaces that may have stood between a and b. Inside a
// sentence there is one, or two by a slip of the thumb.
func (j *joiner) gap(a, b string) int {
	if unicode.IsLower(firstRune(b)) && !ends(a) {
		return max(2, gapAfter(a))
	}
	return gapAfter(a)
}

// ownLine tells what an author puts on a line of its own, however full the one
// above is: a link without words behind a sentence, an address below a heading,
// the next of several stacked links.
func ownLine(whole, b string) bool {
	switch {
	case strings.HasPrefix(b, "[]("):
		return strings.ContainsRune(".!?", lastRune(strings.TrimRight(whole, " ")))
	case headingLine.MatchString(whole):
		return strings.HasPrefix(b, "http") || htmlLine.MatchString(b)
	}
	if !strings.HasPrefix(whole, "[](") && !leadEntry.MatchString(b) || len(whole) > 2000 {
		return false // no need to look into it, or no head of an item
	}
	head := leadHead.FindString(whole)
	if head == "" || strings.Contains(head[1:], "[") {
		return false
	}
	rest := strings.TrimSpace(whole[len(head):])
	if strings.HasPrefix(head, "[]") {
		return rest == "" && unicode.IsUpper(firstRune(b))
	}
	dash := authorDash.FindString(rest)
	return dash != "" && unicode.IsUpper(firstRune(rest[len(dash):])) && !strings.ContainsAny(rest, ".:;[") && leadEntry.MatchString(b)
}

func (j *joiner) at(i int, re *regexp.Regexp) bool {
	return i < len(j.ls) && re.MatchString(j.ls[i].s)
}

// leadOnly is an entry that holds a link and nothing behind it.
var leadOnly = regexp.MustCompile(`^\s*[-*+]\s+\**\[.*\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)\**(?: \(.*\))?[.;]?$`)

// cutBeforeMarker decides whether "- Author" at the start of a line is the rest
// of an item or an entry of a list. The line before it is known to be full.
func (j *joiner) cutBeforeMarker(whole string, i int) bool {
	m := markerLine.FindStringSubmatch(j.ls[i].s)
	rest := m[4]
	if m[1] != "" || strings.HasSuffix(whole, ":") {
		return false
	}
	if n, err := strconv.Atoi(m[2][:len(m[2])-1]); err == nil {
		return n > 1 && !j.counted(i, n-1)
	}
	if rest == "" {
		return !j.entryBelow(i + 1)
	}
	list := markerLine.FindStringSubmatch(whole)
	switch {
	case list == nil && m[2] == "-":
		return true
	case list == nil:
		return !j.listed(i, m[2])
	case list[2] != m[2] && len(list[2]) == 1:
		return m[2] == "-"
	case m[2] != "-" || strings.HasPrefix(rest, "http") || firstWord(rest) == firstWord(list[4]):
		return false
	case leadOnly.MatchString(whole):
		return rest[0] != '[' && !strings.Contains(rest, "](")
	}
	// Entries of one list are alike: a small letter goes on with the sentence of
	// an entry that began with a capital, and where the other entries have a dash
	// in them this one has too.
	return unicode.IsLower(firstRune(rest)) && unicode.IsUpper(firstRune(list[4])) || j.dashed(list[4], rest, i)
}

// entryBelow tells whether line i holds what an entry begins with, so that the
// marker alone above it is one that a long address pushed off its line.
func (j *joiner) entryBelow(i int) bool {
	if i >= len(j.ls) {
		return false
	}
	s := j.ls[i].s
	return strings.HasPrefix(s, "[") || strings.HasPrefix(s, "**[") || strings.HasPrefix(s, "http") || width(firstWord(s)) > j.limit/2
}

// listed tells whether entries with the marker stand near line i. "2 * 3" may be
// cut before its asterisk, but hardly in a text that has lists of asterisks.
func (j *joiner) listed(i int, marker string) bool {
	for k := max(0, i-40); k < min(len(j.ls), i+40); k++ {
		if k != i && j.marked(k, marker) {
			return true
		}
	}
	return false
}

// marked tells whether line i begins with the marker.
func (j *joiner) marked(i int, marker string) bool {
	return i < len(j.ls) && strings.HasPrefix(strings.TrimLeft(j.ls[i].s, " "), marker+" ")
}

// dashed tells whether the other entries of the list around line i have a dash
// inside, and neither head nor rest has one.
func (j *joiner) dashed(head, rest string, i int) bool {
	if strings.Contains(head, " - ") || strings.Contains(rest, " - ") {
		return false
	}
	with, without := 0, 0
	for _, step := range []int{-1, 1} {
		for k := i + step; k >= 0 && k < len(j.ls) && !j.ls[k].blank(); k += step {
			if !j.marked(k, "-") || strings.Contains("- "+head, j.ls[k].s) || strings.HasPrefix("- "+head, j.ls[k].s) {
				continue
			}
			if strings.Contains(j.ls[k].s[2:], " - ") {
				with++
			} else {
				without++
			}
		}
	}
	return with > 1 && without == 0
}

// counted tells whether an entry numbered n stands not far above line i.
func (j *joiner) counted(i, n int) bool {
	for k := i - 1; k >= 0 && k > i-60; k-- {
		m := markerLine.FindStringSubmatch(j.ls[k].s)
		if m == nil {
			continue
		}
		if was, err := strconv.Atoi(m[2][:len(m[2])-1]); err == nil && was == n {
			return true
		}
	}
	return false
}

// glue joins the two halves of a cut line. A program that cuts behind hyphens
// leaves no space, so a word or an address that ends in one gets none.
func glue(a, b string, hyphens bool) string {
	a = strings.TrimRight(a, " ")
	if inTarget(a) && !strings.HasPrefix(b, "(") || hyphens && hyphenEnd.MatchString(tail(a)) && !suspended[firstWord(b)] && unicode.IsLetter(firstRune(b)) {
		return a + b
	}
	return a + " " + b
}

var (
	// openTarget is the address of a link up to a character behind which programs
	// cut long words.
	openTarget = regexp.MustCompile(`\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*[-/?&=_]$`)
	hyphenEnd  = regexp.MustCompile(`[\pL\pN]-$`)
	hyphenWord = regexp.MustCompile(`^[^\s\[(<]*[\pL]-[\pL]`)
)

func inTarget(s string) bool {
	return s != "" && strings.IndexByte("-/?&=_", s[len(s)-1]) >= 0 && openTarget.MatchString(s[max(0, len(s)-2000):])
}

// cutsAtHyphens tells whether the program that cut the text at limit cuts words
// behind their hyphens: no line may stand against it that had room for a half.
func cutsAtHyphens(ls []line, fixed []bool, limit int) bool {
	halves, whole := 0, 0
	for i := 1; i < len(ls); i++ {
		a, b := strings.TrimRight(ls[i-1].s, " "), ls[i].s
		if fixed[i-1] || fixed[i] || strings.TrimSpace(a) == "" || ls[i].blank() {
			continue
		}
		if hyphenEnd.MatchString(tail(a)) && unicode.IsLower(firstRune(b)) && !suspended[firstWord(b)] {
			halves++
		}
		if m := hyphenWord.FindString(b); m != "" && !endsBroken(a) && width(a)+gapAfter(a)+width(m)-1 <= limit && width(a)+1+width(firstWord(b)) > limit {
			whole++
		}
	}
	return halves > whole
}

// keepsSpaces tells whether the cuts left their spaces behind, as format=flowed
// does where nobody undid it: then a line that ends without one was not cut.
func keepsSpaces(ls []line, fixed []bool, limit int) bool {
	with, without := 0, 0
	for i := 1; i < len(ls); i++ {
		a, b := ls[i-1].s, ls[i].s
		if fixed[i-1] || fixed[i] || ls[i-1].blank() || ls[i].blank() || endsBroken(a) || width(strings.TrimRight(a, " "))+1+width(firstWord(b)) <= limit {
			continue
		}
		if strings.HasSuffix(a, " ") {
			with++
		} else {
			without++
		}
	}
	return with > 4 && with > 12*without
}

// suspended holds the words that follow a hyphen with a space: "pre- and post-".
var suspended = map[string]bool{"and": true, "or": true, "to": true, "und": true, "oder": true, "et": true, "y": true}
