package intent

import (
	"regexp"
	"strings"
)

// What stands over a quote is known by words in many languages (split.go), and
// in all others by what it must hold: the desk's name or address, and a date.

var (
	dayOrHour  = regexp.MustCompile(`\d{1,2}[:.h時时]\s?\d{2}|\b(19|20)\d\d\b`)
	anyField   = regexp.MustCompile(`^[\s*>]*\**[^\s:：*][^:：]{0,24}[:：]\**\s*\S`)
	anyDivider = regexp.MustCompile(`^\s*([-_=*]{3,}.{0,60}[-_=*]{3,}|[-_=]{8,})\s*$`)
	bareWords  = regexp.MustCompile(`(?i)^[\s*]*(original message|message d'origine|originalnachricht|ursprüngliche nachricht|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|исходное сообщение|原始邮件)[\s*]*$`)
)

// over marks what stands over each quote and was not known by its words.
func (s *split) over(m Mail) {
	if len(m.Desk) == 0 || !m.Reply {
		return
	}
	before := ownLine
	for i, k := range s.kinds {
		if s.lines[i] == "" {
			continue
		}
		if k == quoteLine && before == ownLine {
			s.within(m, i)
			s.overAt(m, i)
		}
		if k == headLine && before == ownLine {
			for i > 0 && s.kinds[i-1] == ownLine && headerField.MatchString(s.lines[i-1]) && headerField.MatchString(s.lines[i]) {
				i--
				s.kinds[i] = headLine
			}
			s.dividedAt(i)
		}
		before = k
	}
}

// overAt looks at the lines above line i, where a quote begins.
func (s *split) overAt(m Mail, i int) {
	end := i
	for end > 0 && i-end < 4 && s.lines[end-1] == "" {
		end--
	}
	if n := s.attributed(m, end); n > 0 {
		s.heads(end-n, end)
		return
	}
	if n := s.fielded(m, end); n > 0 {
		s.heads(end-n, end)
		s.dividedAt(end - n)
	}
}

func (s *split) heads(from, to int) {
	for ; from < to; from++ {
		s.kinds[from] = headLine
	}
}

// attributed counts the lines before end that name the desk and a moment and
// end in a colon: "…, Quiet Machines desk <letter@…> wrote:" in any language.
func (s *split) attributed(m Mail, end int) int {
	joined := ""
	for n := 1; n <= 4 && end-n >= 0; n++ {
		l := s.lines[end-n]
		if l == "" || s.kinds[end-n] != ownLine {
			return 0
		}
		joined = l + " " + joined
		t := strings.TrimRight(joined, " *")
		if len(t) < 500 && (strings.HasSuffix(t, ":") || strings.HasSuffix(t, "：")) && m.fromDesk(t) && dayOrHour.MatchString(t) {
			return n
		}
	}
	return 0
}

// fielded counts the header lines before end, of which one names the desk.
func (s *split) fielded(m Mail, end int) int {
	named, fields, top := false, 0, end
	for i := end - 1; i >= 0 && end-i <= 10; i-- {
		l := s.lines[i]
		if s.kinds[i] != ownLine || !anyField.MatchString(l) || named && !headerField.MatchString(l) {
			break
		}
		named = named || m.fromDesk(l)
		fields, top = fields+1, i
	}
	if !named || fields < 3 {
		return 0
	}
	return end - top
}

// dividedAt marks the line that programs draw over the header lines at i.
func (s *split) dividedAt(i int) {
	for j := i - 1; j >= 0 && j >= i-2; j-- {
		if l := s.lines[j]; l != "" {
			if s.kinds[j] == ownLine && (anyDivider.MatchString(l) || bareWords.MatchString(l)) {
				s.kinds[j] = headLine
			}
			return
		}
	}
}

// within marks an attribution that the program put inside the quote, as Apple
// Mail does.
func (s *split) within(m Mail, i int) {
	joined := ""
	for n := 0; n < 4 && i+n < len(s.lines) && quoteMark.MatchString(s.lines[i+n]); n++ {
		l := strings.TrimSpace(unmark(s.lines[i+n]))
		if l == "" {
			return
		}
		joined += " " + l
		t := strings.TrimSpace(joined)
		if (strings.HasSuffix(t, ":") || strings.HasSuffix(t, "：")) && dayOrHour.MatchString(t) && (m.fromDesk(t) || attribution.MatchString(t)) {
			s.heads(i, i+n+1)
			return
		}
	}
}

// fromDesk tells whether a line names the desk.
func (m Mail) fromDesk(l string) bool {
	l = strings.ToLower(l)
	for _, d := range m.Desk {
		if d != "" && strings.Contains(l, strings.ToLower(d)) {
			return true
		}
	}
	return false
}
