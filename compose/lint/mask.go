package lint

import "strings"

// mask hides code, tags and the targets of links behind as many spaces. The
// brackets of a link stay, so that its text is seen as linked. It reads each
// byte about once: a regular expression over each line would be among the
// dearest parts of all checks.
func mask(raw string) string {
	var out []byte
	for at := 0; at < len(raw); {
		n := hidden(raw[at:])
		if n == 0 {
			at++
			continue
		}
		if out == nil {
			out = []byte(raw)
		}
		blank(out[at : at+n])
		at += n
	}
	if out == nil {
		return raw
	}
	return string(out)
}

// hidden is how many bytes at the head of s are code, a tag, the target of a
// link or a bare address; 0 for prose.
func hidden(s string) int {
	switch s[0] {
	case '`':
		return codeSpan(s)
	case '<':
		return strings.IndexByte(s, '>') + 1
	case ']':
		return linkEnd(s)
	case 'h':
		return bareAddress(s)
	}
	return 0
}

// codeSpan goes up to the next run of backticks, however long: lines are
// looked at one by one, and a draft's author may have slipped.
func codeSpan(s string) int {
	run := len(s) - len(strings.TrimLeft(s, "`"))
	inside := strings.IndexByte(s[run:], '`')
	if inside < 0 {
		if run > 1 {
			return run
		}
		return 0
	}
	rest := s[run+inside:]
	return run + inside + len(rest) - len(strings.TrimLeft(rest, "`"))
}

// linkEnd measures "](target)". The target may hold pairs of brackets without
// spaces in them, and a title behind it.
func linkEnd(s string) int {
	if !strings.HasPrefix(s, "](") {
		return 0
	}
	at := 2 + unbroken(s[2:])
	for at < len(s) && s[at] == '(' {
		end := at + 1 + unbroken(s[at+1:])
		if end == len(s) || s[end] != ')' {
			return 0
		}
		at = end + 1 + unbroken(s[end+1:])
	}
	if title := strings.IndexAny(s[at:], "()"); title >= 0 && s[at+title] == ')' {
		return at + title + 1
	}
	return 0
}

// unbroken is the length of what has neither brackets nor white space.
func unbroken(s string) int {
	if n := strings.IndexAny(s, "() \t\n\f\r"); n >= 0 {
		return n
	}
	return len(s)
}

func bareAddress(s string) int {
	rest, ok := strings.CutPrefix(s, "http")
	rest = strings.TrimPrefix(rest, "s")
	if rest, found := strings.CutPrefix(rest, "://"); ok && found && rest != "" {
		n := strings.IndexAny(rest, " \t\n\f\r")
		switch {
		case n < 0:
			return len(s)
		case n > 0:
			return len(s) - len(rest) + n
		}
	}
	return 0
}

func blank(b []byte) {
	if strings.HasPrefix(string(b), "](") {
		b = b[2 : len(b)-1]
	}
	for i := range b {
		b[i] = ' '
	}
}
