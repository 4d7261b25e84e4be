package reply

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// strength says how sure an attribution is.
type strength int

const (
	none   strength = iota
	weak            // counts only right above a marked quote
	strong          // counts by itself
)

const (
	maxAttribution = 500 // octets
	maxWrapped     = 4   // lines
)

var (
	address   = regexp.MustCompile(`[^\s<>"'(),;:@]+@[^\s<>"'(),;:@]+`)
	clock     = regexp.MustCompile(`(^|[^\d])\d{1,2}\s?[:.h]\s?\d{2}([^\d]|$)|\d{1,2}\s?(am|pm|Uhr)\b|(上午|下午|오전|오후)\s?\d`)
	day       = regexp.MustCompile(`\b(19|20)\d\d\b|\b\d{1,4}[/.-]\s?\d{1,2}[/.-]\s?\d{1,4}\b|\d{4}\s?年|\d{1,2}\s?月`)
	openAngle = regexp.MustCompile(`<[^>]*$`)
)

// attributionAt looks whether an attribution ends at line i, and where it
// begins: it may be wrapped over several lines.
func attributionAt(lines []Line, i int) (start, end int, found strength) {
	s := undash(lines[i].bare())
	if len(s) > maxAttribution || s == "" {
		return i, i, none
	}
	if s != lines[i].bare() && strings.HasSuffix(lines[i].bare(), "--") && hasVerb(s) && hasDayOrClock(s) {
		return i, i, strong // Zoho sets all of it between dashes
	}
	if !mayEnd(s) {
		if end, ok := wrappedEnd(lines, i); ok {
			return i, end, strong
		}
		return i, i, none
	}
	start, found = attributionUp(lines, i)
	return start, i, found
}

// mayEnd tells whether an attribution can end so.
func mayEnd(s string) bool { return endsOpen(s) || verbLast(s) }

// endsOpen tells whether a text ends in a colon, emphasis aside.
func endsOpen(s string) bool {
	s = strings.TrimRight(strings.TrimRight(s[max(0, len(s)-12):], "*_"), " ")
	return strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：")
}

// wrappedEnd tells whether markWrapped found that an attribution begins at i.
func wrappedEnd(lines []Line, i int) (end int, ok bool) {
	for j := i + 1; j < len(lines) && j <= i+6; j++ {
		if lines[j].Kind == Attribution && strings.HasPrefix(lines[j].plain, "> ") {
			return j, startsAttribution(lines[i].bare())
		}
	}
	return i, false
}

// wrappedBehindMark gives the last line of an attribution that begins at i
// and has an address in brackets broken over several lines.
func wrappedBehindMark(lines []Line, i int) (end int, ok bool) {
	open := openAngle.MatchString(lines[i].Text)
	for j := i + 1; j < len(lines) && j <= i+6; j++ {
		if lines[j].Depth > 0 {
			rest := lines[j].bare()
			whole := joined(lines, i, j)
			return j, open && lines[j].Depth == 1 && len(rest) < 60 && len(whole) < maxAttribution && endsOpen(rest) &&
				(rest == ":" || hasVerb(rest)) && hasDayOrClock(whole)
		}
		open = open || openAngle.MatchString(lines[j].Text)
		if !open && !lines[j].blank() {
			break
		}
	}
	return i, false
}

// attributionUp goes up from the last line to the first.
func attributionUp(lines []Line, last int) (start int, found strength) {
	start, s := last, undash(lines[last].bare())
	found = judge(s)
	for n := 1; n < maxWrapped; n++ {
		if found == strong && startsAttribution(s) || start == 0 {
			break
		}
		up := &lines[start-1]
		if up.blank() || up.Kind != lines[last].Kind || len(s)+len(up.Text) > maxAttribution {
			break
		}
		s = up.bare() + " " + s
		if j := judge(s); j > found && (startsAttribution(s) || n < maxWrapped-1) {
			found = j
		}
		start--
	}
	return firstLine(lines, start, last, found)
}

// firstLine drops lines from the top again that are not needed: the person's
// own last line may stand right above.
func firstLine(lines []Line, start, last int, found strength) (int, strength) {
	best := last
	for i := last; i >= start; i-- {
		s := joined(lines, i, last)
		if judge(s) < found {
			continue
		}
		if startsAttribution(s) {
			best = i
			break
		}
		if judge(joined(lines, best, last)) < found {
			best = i
		}
	}
	if found != none && (!upperStart(lines[best].bare()) && fragment(lines, best-1) || cutName(lines, best)) {
		best--
	}
	return best, found
}

// upperStart tells whether an attribution begins with a word like "On" or
// "Monday", which begins it for certain; an hour may be its second line.
func upperStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(r) && startsAttribution(s)
}

// fragment tells whether line i, alone in its paragraph, can be the beginning
// of the attribution below it: a date without its hour, or a name with its
// address.
func fragment(lines []Line, i int) bool {
	if i < 0 || lines[i].Kind != Own || lines[i].blank() || len(lines[i].Text) > 120 {
		return false
	}
	if i > 0 && lines[i-1].Kind == Own && !lines[i-1].blank() {
		return false
	}
	s := lines[i].bare()
	return startsAttribution(s) && strings.ContainsAny(s, "0123456789") || startsAttribution(s) && len(strings.Fields(s)) <= 3 || address.MatchString(s)
}

// cutName tells whether line i begins with an address in brackets and the line
// above holds a number: the name that belongs to the address and the date stand
// there, whatever the language. No sentence begins so.
func cutName(lines []Line, i int) bool {
	if i == 0 || !strings.HasPrefix(lines[i].bare(), "<") {
		return false
	}
	up := &lines[i-1]
	return up.Kind == Own && !up.blank() && len(up.Text) <= 160 && strings.IndexFunc(up.bare(), unicode.IsDigit) >= 0
}

func joined(lines []Line, from, to int) string {
	var all []string
	for i := from; i <= to; i++ {
		all = append(all, lines[i].bare())
	}
	return strings.Join(all, " ")
}

// undash takes off the dashes in which some programs set an attribution.
func undash(s string) string {
	if strings.HasPrefix(s, "--") || strings.HasSuffix(s, "--") {
		return strings.Trim(s, "-– ")
	}
	return s
}

// judge weighs a joined attribution: a verb of writing, a date, an address.
func judge(s string) strength {
	verb, colon := hasVerb(s), endsOpen(s)
	if !colon && !verb || ofOneself(s) {
		return none
	}
	date, addr := hasDayOrClock(s), strings.Contains(s, "@") && address.MatchString(s)
	switch {
	case verb && (date || addr):
		return strong
	case date && addr && colon:
		return strong
	case verb && len(strings.Fields(s)) <= 10, namesAuthor(s):
		return weak
	}
	return none
}

// namesAuthor knows "Quoting Ada <ada@example.org>:" in any language: a few
// words, and the address in brackets with the colon last.
func namesAuthor(s string) bool {
	return strings.HasSuffix(s, ">:") && len(strings.Fields(s)) <= 8 && address.MatchString(s[strings.LastIndexByte(s, '<')+1:])
}

// ofOneself tells a sentence that begins with the word for oneself: the person
// speaks, and no mail program.
// So does one that begins with a word of likeness, or says "I wrote".
func ofOneself(s string) bool {
	word, _, _ := strings.Cut(s[:min(len(s), 20)], " ")
	word = strings.ToLower(word)
	return oneselfWords[word] || likenessWords[word] || oneselfWrote.MatchString(s)
}

var oneselfWrote = regexp.MustCompile(`(?i)(^|[ ,])(I( have|'ve| had| just)? (wrote|written|said|sent|write)|(schrieb|schreibe) ich|j'(ai |avais )?écri\p{L}+|(schreef|schrijf) ik|skrev jag|skrev jeg|я (на)?писала?)([ :,]|$)`)

func hasDayOrClock(s string) bool {
	s = plainDigits(s)
	if !strings.ContainsAny(s, "0123456789") {
		return false
	}
	return clock.MatchString(s) || day.MatchString(s) && !onlyYear.MatchString(s)
}

// onlyYear knows a text with a year and no other number: no program writes so.
var onlyYear = regexp.MustCompile(`^\D*(19|20)\d\d\D*$`)

// plainDigits writes the digits of Arabic and Persian as ours.
func plainDigits(s string) string {
	if !strings.ContainsAny(s, "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹") {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '٠' && r <= '٩':
			return r - '٠' + '0'
		case r >= '۰' && r <= '۹':
			return r - '۰' + '0'
		}
		return r
	}, s)
}

// sharedLine cuts a line in two where a mail program put its attribution
// behind the person's last words.
func sharedLine(s string) (own, attribution string, cut bool) {
	i := strings.Index(s, "--- On ")
	if i <= 0 || len(s) > maxAttribution {
		return s, "", false
	}
	tail := strings.TrimLeft(s[i:], "- ")
	if judge(squeeze(tail)) != strong {
		return s, "", false
	}
	return strings.TrimRight(s[:i], "- "), tail, true
}
