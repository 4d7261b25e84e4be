package reply

import (
	"regexp"
	"slices"
	"strings"
)

var dashes = regexp.MustCompile(`^[-_=*–—]{2,}\s*(\S[^<>@]{1,80}?)\s*[-_=*–—]{2,}(\s|$)`)

// headerRole gives what a line of the form "Key: value" is in the header block
// of a quoted mail: "from", "date", "to", "cc", "subject", "reply", or "".
func headerRole(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return r == ':' || r == '：' })
	if i < 1 || i > 60 || len(s) > 1000 {
		return ""
	}
	return roleOf[strings.ToLower(strings.Trim(s[:i], " *_"))]
}

// headerBlock counts the lines of a header block at i, 0 when there is none.
// It takes three different fields, or two of which one holds an address or a
// date, and always who wrote or what about.
func headerBlock(lines []Line, i int) int {
	roles := make([]string, 0, 8) // each once
	has := func(role string) bool { return slices.Contains(roles, role) }
	evidence, gap, last := false, 0, -1
	for j := i; j < len(lines) && j < i+30 && gap <= 2; j++ {
		s := lines[j].bare()
		if s == "" {
			gap++
			continue
		}
		role := headerRole(s)
		if role == "" && len(roles) == 0 {
			return anyHeader(lines, i)
		}
		if role == "" || has(role) {
			gap += 1 // a value may be wrapped
			continue
		}
		gap, last = 0, j
		roles = append(roles, role)
		evidence = evidence || address.MatchString(s) || hasDayOrClock(s)
	}
	foreign := anyHeader(lines, i)
	if foreign > last-i+1 {
		return foreign
	}
	known := has("from") && len(roles) >= 2 || has("date") && has("to") && evidence && last-i == len(roles)-1 || has("subject") && has("date") && has("to")
	if !known || !evidence || len(roles) < 3 && !has("date") {
		return foreign
	}
	return last - i + 1
}

// anyHeader counts the lines of a header block whose language is not known: at
// least four lines in a row of the form "Key: value", the first with an
// address, the second with a date and an hour.
func anyHeader(lines []Line, i int) int {
	if !keyed(lines[i].bare()) || !address.MatchString(lines[i].bare()) {
		return 0
	}
	n := 0
	for n < 9 && i+n < len(lines) && keyed(lines[i+n].bare()) {
		n++
	}
	if n < 4 || n > 8 {
		return 0
	}
	when := lines[i+1].bare()
	if !day.MatchString(when) || !clock.MatchString(when) {
		return 0
	}
	return n
}

// keyed tells whether a line is a key of up to three words and its value.
func keyed(s string) bool {
	key, value, ok := strings.Cut(strings.ReplaceAll(s[:min(len(s), 1000)], "：", ":"), ":")
	return ok && strings.TrimSpace(key) != "" && len(key) <= 60 && len(strings.Fields(key)) <= 3 &&
		strings.TrimSpace(strings.Trim(value, "*_ ")) != "" && !strings.ContainsAny(key, "/<>@.")
}

// fromLine tells whether a line is "From:" with an address.
func fromLine(s string) bool {
	return headerRole(s) == "from" && address.MatchString(s)
}

// dashedTitle reads "----- Original Message -----".
func dashedTitle(s string) (title string, ok bool) {
	if !strings.ContainsAny(s[:min(len(s), 3)], "-_=*–—") || isRule(s) {
		return "", false
	}
	m := dashes.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	return strings.ToLower(m[1]), true
}

// isRule knows a line that is drawn with five dashes or more.
func isRule(s string) bool {
	return len(s) >= 5 && strings.IndexFunc(s, func(r rune) bool { return !isDash(r) }) < 0
}

func isDash(r rune) bool {
	switch r {
	case '_', '=', '*', '~', '-', '–', '—':
		return true
	}
	return false
}

func isSeparator(s string) bool {
	_, dashed := dashedTitle(s)
	return dashed || isRule(s)
}

// originalMark knows "-----Original Message-----" in many languages.
func originalMark(s string) bool {
	title, ok := dashedTitle(s)
	return ok && containsAny(title, originalWords)
}

// isForwardTitle knows "Forwarded message" and "Begin forwarded message".
func isForwardTitle(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	return len(s) < 100 && containsAny(s, forwardWords)
}

// replyAbove knows the line under which help desks forbid to write.
func replyAbove(s string) bool {
	if len(s) > 200 || !strings.Contains(s, "--") && !strings.Contains(s, "##") && !strings.Contains(s, "==") {
		return false
	}
	return containsAny(strings.ToLower(s), aboveWords)
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
