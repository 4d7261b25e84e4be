package intent

import (
	"regexp"
	"strconv"
	"strings"
)

// parsed is own lines told apart.
type parsed struct {
	good []Command
	bad  []string
}

func (m Mail) clock() Clock { return Clock{Now: m.Now, Zone: m.Zone, Slot: m.Slot} }

// maxLines is how many lines a mail of commands may have; a longer one is
// something else.
const maxLines = 60

// parseLines reads each line as a command. A `change` or `delete` may go on
// over lines that the mail program broke.
func parseLines(m Mail, lines []string) parsed {
	var p parsed
	if len(lines) > maxLines {
		return parsed{bad: lines}
	}
	for i := 0; i < len(lines); i++ {
		if cmd, ok := readLine(lines[i], m.clock(), m.Paper, m.Words); ok {
			p.good = append(p.good, cmd)
			continue
		}
		if cmd, n := broken(m, lines[i:]); n > 0 {
			p.good = append(p.good, cmd)
			i += n - 1
			continue
		}
		p.bad = append(p.bad, lines[i])
	}
	return p
}

var textWord = regexp.MustCompile(`(?i)^[*_]*(change|delete)\b`)

// broken joins a text command with up to four lines below it.
func broken(m Mail, lines []string) (cmd Command, n int) {
	if !textWord.MatchString(lines[0]) {
		return cmd, 0
	}
	joined := lines[0]
	for n = 2; n <= 5 && n <= len(lines); n++ {
		joined += " " + lines[n-1]
		if cmd, ok := readLine(joined, m.clock(), m.Paper, m.Words); ok {
			return cmd, n
		}
	}
	return cmd, 0
}

// phrase is a line's plain words, for tables.
func phrase(_ Mail, l string) string { return polite(plainWords(l)) }

// isAssent is an "ok" in any of its forms, or praise.
func isAssent(w string) bool {
	switch w {
	case "great", "perfect", "nice", "good", "fine", "cool", "super", "wonderful", "thanks", "thank you", "read", "got it", "noted":
		return true
	}
	return assents[w] || w == "okay"
}

var (
	subjectRe  = regexp.MustCompile(`(?i)^\s*(re|aw|sv|antw|odp|ynt|vs|rif|ref|回复|回覆|答复)(\[\d+\])?\s*[:：]\s*`)
	subjectTok = regexp.MustCompile(`[\[(<]?\b[a-z2-7]{26}\b[\])>]?`)
	correctRe  = regexp.MustCompile(`(?i)^\s*(?:(?:re|aw|sv)\s*:\s*)*correction\s+(?:of\s+|to\s+|for\s+)?#?(\d{1,6})\s*[.!]?\s*$`)
)

// subjectLine is the Subject as a command line: only where it is the
// editor's, which one that begins with Re: is not. A code in it is left out.
func subjectLine(m Mail) string {
	s := strings.TrimSpace(m.Subject)
	if subjectRe.MatchString(s) || forwardSubj.MatchString(s) {
		return ""
	}
	return strings.TrimSpace(subjectTok.ReplaceAllString(s, ""))
}

// correction reads the Subject of a correction after sending.
func correction(subject string) int {
	g := correctRe.FindStringSubmatch(subject)
	if g == nil {
		return 0
	}
	n, _ := strconv.Atoi(g[1])
	return n
}

var (
	holdWord = regexp.MustCompile(`(?i)^[\s*_"'“‘(\[]*(st+o+p+|hold|wait|cancel|do ?n[o']?t (?:send|approve)|do not (?:send|approve)|not yet)([^\p{L}\p{N}-]|$)`)
	holdOnly = regexp.MustCompile(`(?i)^[\s*_"'“‘(\[]*(st+o+p+|hold|wait|cancel|do ?n[o']?t (?:send|approve)|do not (?:send|approve)|not yet)( it| on| off| that| this| please| everything| now| the press| sending)*[\s*_"'”’.!)\]]*$`)
)

// shortMail is how many own lines a mail may have whose first word holds.
const shortMail = 5

// holds is rule 3: words that hold, kindly read.
func holds(m Mail, s split, o own) (Command, bool) {
	count := len(o.lines) + len(o.between) + len(o.foot)
	if count == 0 {
		return holding(m, phraseSubject(m))
	}
	first := ""
	for i, l := range s.lines {
		l = strings.TrimSpace(l)
		if s.kinds[i] != ownLine || l == "" || isGreeting(m, l) {
			continue
		}
		first = l
		break
	}
	if first == "" || count > shortMail && !holdOnly.MatchString(straight(first)) {
		return Command{}, false
	}
	return holding(m, first)
}

// phraseSubject is the Subject of an empty mail; behind Re: it must be the
// word alone, since it may be an old one.
func phraseSubject(m Mail) string {
	if l := subjectLine(m); l != "" {
		return l
	}
	rest := subjectRe.ReplaceAllString(m.Subject, "")
	if holdOnly.MatchString(rest) {
		return rest
	}
	return ""
}

func straight(l string) string { return strings.ReplaceAll(l, "’", "'") }

// holding reads the first word of a line, behind a greeting on the same one.
func holding(m Mail, l string) (Command, bool) {
	t := straight(l)
	for range 3 {
		t = t[len(askFirst.FindString(asciiLower(t))):]
	}
	if g := holdWord.FindStringSubmatch(t); g != nil {
		return Command{Word: holdName(g[1]), Line: l}, true
	}
	for _, w := range []Word{WordStop, WordHold, WordCancel} {
		for _, own := range m.Words[string(w)] {
			rest, ok := strings.CutPrefix(plainWords(t), plainWords(own))
			if ok && plainWords(own) != "" && (rest == "" || strings.ContainsAny(rest[:1], " ,.!;:-")) {
				return Command{Word: w, Line: l}, true
			}
		}
	}
	return Command{}, false
}

func holdName(w string) Word {
	w = strings.ToLower(w)
	switch {
	case strings.HasPrefix(w, "st"):
		return WordStop
	case w == "cancel":
		return WordCancel
	}
	return WordHold
}

// anyApproval is the word itself, or praise that begins as an approval does.
var anyApproval = regexp.MustCompile(`\bapproved?\b|^looks good\b`)

// nearest finds the command that words look most like, to name it in the
// answer; it does nothing.
func nearest(m Mail, words string) string {
	line, _, _ := strings.Cut(words, "\n")
	w := strings.TrimRight(polite(plainWords(line)), "?")
	if w == "" {
		return ""
	}
	if anyApproval.MatchString(w) {
		if strings.Contains(w, "anyway") {
			return string(WordApproveAnyway)
		}
		return string(WordApprove)
	}
	for _, a := range agreeing {
		if w == a || strings.HasPrefix(w, a+" ") && strings.Contains(a, " ") {
			return string(WordApprove)
		}
	}
	first, _, _ := strings.Cut(w, " ")
	first = strings.Trim(first, ",.;:!?")
	if assents[w] || assents[first] && m.Paper != PaperNone {
		if strings.Contains(w, "title") {
			return string(WordTitle)
		}
		return string(WordApprove)
	}
	for _, t := range []Word{WordSubtitle, WordTitle, WordPreheader, WordChange, WordDelete} {
		if strings.Contains(" "+w+" ", " "+string(t)+" ") {
			return string(t)
		}
	}
	return closest(first)
}

// closest is the word at the smallest distance, if that is small.
func closest(w string) string {
	best, least := "", 3
	for p, word := range phrases {
		if d := distance(w, p); d < least && d*3 <= len(p) || d == least && best != "" && string(word) < best {
			best, least = string(word), d
		}
	}
	for _, word := range []Word{WordSend, WordChange, WordDelete, WordTitle, WordSubtitle, WordPreheader, WordUse, WordDecline, WordLater, WordAsk, WordCredit, WordAdd, WordRemove, WordForget} {
		if d := distance(w, string(word)); d < least && d*3 <= len(word) {
			best, least = string(word), d
		}
	}
	return best
}

// distance is Levenshtein's, for words of up to 30 octets.
func distance(a, b string) int {
	if len(a) > 30 || len(b) > 30 {
		return 30
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// asciiLower keeps the length of a text, which strings.ToLower may not.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
