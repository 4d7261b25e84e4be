package markdown

import (
	"strconv"
	"strings"
	"unicode"
)

// ids gives headings their ids, each once.
type ids map[string]int

// give makes the id that kramdown's GitHub dialect, which Jekyll sites use,
// makes of the Markdown of a heading, so that links into an archive keep
// working. A heading with hardly a Latin letter, for which that would be empty,
// gets its own words instead.
func (s ids) give(raw, plain string) string {
	id := slug(strings.TrimSpace(raw), asciiLetter)
	if strings.Trim(id, "-") == "" || mostlyForeign(plain) {
		id = slug(plain, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) })
	}
	if strings.Trim(id, "-") == "" {
		id = "section"
	}
	n := s[id]
	s[id]++
	for n > 0 {
		next := id + "-" + strconv.Itoa(n)
		if s[next] == 0 {
			s[next]++
			return next
		}
		n++
	}
	return id
}

func asciiLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func slug(s string, letter func(rune) bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case letter(r):
			b.WriteRune(unicode.ToLower(r))
		case r == ' ' || r == '-' || r == '_' || r == '\t':
			b.WriteByte('-')
		}
	}
	return b.String()
}

// mostlyForeign tells whether more letters of s are lost in ASCII than kept.
func mostlyForeign(s string) bool {
	kept, lost := 0, 0
	for _, r := range s {
		switch {
		case asciiLetter(r):
			kept++
		case unicode.IsLetter(r):
			lost++
		}
	}
	return lost > kept
}
