package reply

import "strings"

// Kind says what a line is.
type Kind string

// The kinds of lines.
const (
	Own         Kind = "own"         // written by the sender of this mail; blank lines too
	Quote       Kind = "quote"       // of the mail that is answered
	Attribution Kind = "attribution" // who wrote the quote and when
	Signature   Kind = "signature"
	Footer      Kind = "footer" // of a mailing list or a lawyer
	Forwarded   Kind = "forwarded"
)

// Line is one line of the text as it was given.
type Line struct {
	Text  string // as it stands, quote marks included, without its line end
	Kind  Kind
	N     int // number in the text, from 1; two lines may share one that was cut in two
	Depth int // quote marks before it

	plain string // see bare
}

// Parts is a mail taken apart.
type Parts struct {
	Lines     []Line
	Own       string // what the person wrote: no quotes, attributions, signature, footer
	Signature string
	Forward   string // the forwarded mail with the lines that introduce it
}

const maxText = 4 << 20 // octets that are looked at; the rest is left out

// Split takes text apart, as it comes from a text/plain part.
func Split(text string) Parts {
	return assemble(classify(textLines(text)))
}

// textLines numbers the lines and counts their quote marks.
func textLines(text string) []Line {
	text = strings.TrimPrefix(text[:min(len(text), maxText)], "\ufeff")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	raw := strings.Split(text, "\n")
	lines := make([]Line, 0, len(raw))
	for i, s := range raw {
		head, tail, cut := sharedLine(s)
		if cut {
			lines = append(lines, newLine(head, i+1))
			s = tail
		}
		lines = append(lines, newLine(s, i+1))
	}
	return lines
}

func newLine(s string, n int) Line {
	plain, depth := unquote(s)
	return Line{Text: s, Kind: Own, N: n, Depth: depth, plain: squeeze(plain)}
}

// unquote takes all quote marks off a line.
func unquote(s string) (bare string, depth int) {
	i := initials(s)
	if i > 0 {
		depth, i = 1, i+1
	}
	for i < len(s) {
		switch {
		case s[i] == '>':
			depth++
			i++
		case s[i] == ' ' && strings.HasPrefix(strings.TrimLeft(s[i:], " "), ">") && (depth > 0 || i < 2):
			i++
		default:
			if depth == 0 {
				return s, 0
			}
			return strings.TrimPrefix(s[i:], " "), depth
		}
	}
	return "", depth
}

// initials gives the place of the mark in "AB> words", the quoting of some old
// programs, 0 when s has none.
func initials(s string) int {
	i := 0
	if strings.HasPrefix(s, " ") {
		i = 1
	}
	start := i
	for i < len(s) && 'A' <= s[i] && s[i] <= 'Z' {
		i++
	}
	if i == start || i-start > 3 || i >= len(s) || s[i] != '>' || i+1 < len(s) && s[i+1] != ' ' {
		return 0
	}
	return i
}

// unquoteOnce takes one level off.
func unquoteOnce(s string) string {
	if i := initials(s); i > 0 {
		return strings.TrimPrefix(s[i+1:], " ")
	}
	t, ok := strings.CutPrefix(strings.TrimLeft(s, " "), ">")
	if !ok {
		return s
	}
	return strings.TrimPrefix(t, " ")
}

// assemble gathers the lines of each kind.
func assemble(lines []Line) Parts {
	p := Parts{Lines: lines}
	var own, signature, forward []string
	for i := range lines {
		l := &lines[i]
		switch l.Kind {
		case Own:
			if i > 0 && lines[i-1].Kind != Own {
				own = append(own, "") // something stood between
			}
			own = append(own, l.Text)
		case Signature:
			signature = append(signature, l.Text)
		case Forwarded:
			forward = append(forward, l.Text)
		}
	}
	p.Own, p.Signature = tidy(own), tidy(signature)
	p.Forward = tidy(forward)
	return p
}

// Quote gives the quoted text with one level of marks taken off.
func (p Parts) Quote() string {
	var quote []string
	for _, l := range p.Lines {
		if l.Kind == Quote {
			quote = append(quote, unquoteOnce(l.Text))
		}
	}
	return tidy(quote)
}

// tidy joins lines, with at most one blank line in a row and none outside.
func tidy(lines []string) string {
	size := 0
	for _, l := range lines {
		size += len(l) + 2
	}
	var b strings.Builder
	b.Grow(size)
	blank := false
	for _, l := range lines {
		l = strings.TrimRight(l, " \t\u00a0")
		if l == "" {
			blank = b.Len() > 0
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if blank {
			b.WriteByte('\n')
		}
		blank = false
		b.WriteString(l)
	}
	return b.String()
}
