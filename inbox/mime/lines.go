package mime

import "strings"

// Mark says what the markup around a line of HTML tells of it.
type Mark int

// The marks that mail programs leave in their HTML.
const (
	MarkNone        Mark = iota
	MarkQuote            // inside a container of quoted mail
	MarkAttribution      // "On … wrote:"
	MarkSignature        // the writer's signature
	MarkCut              // everything from here on is the mail that was answered
	MarkForward          // inside a container of forwarded mail
)

// HTMLLine is one line of an HTML mail as text.
type HTMLLine struct {
	Text  string
	Depth int // blockquotes around it
	Mark  Mark

	quoted string // see Quoted; "" while it was not written
}

func linesText(lines []HTMLLine) string {
	size := 0
	for _, l := range lines {
		size += 2*l.Depth + len(l.Text) + 1
	}
	var b strings.Builder
	b.Grow(size)
	for i := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		began := b.Len()
		lines[i].write(&b)
		lines[i].quoted = b.String()[began:]
	}
	return b.String()
}

// Quoted gives the line behind the quote marks of its depth.
func (l *HTMLLine) Quoted() string {
	if l.Depth > 0 && l.quoted == "" {
		var b strings.Builder
		b.Grow(2*l.Depth + len(l.Text))
		l.write(&b)
		l.quoted = b.String()
	}
	if l.Depth > 0 {
		return l.quoted
	}
	return l.Text
}

// write writes the line with its marks; an empty one ends in its last mark.
func (l *HTMLLine) write(b *strings.Builder) {
	text := l.Text
	if l.Depth > 0 {
		text = strings.TrimRight(text, " ")
	}
	for n := range l.Depth {
		b.WriteByte('>')
		if n+1 < l.Depth || text != "" {
			b.WriteByte(' ')
		}
	}
	b.WriteString(text)
}
