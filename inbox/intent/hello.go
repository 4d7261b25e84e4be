package intent

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// PaperHello is the mail by which the desk begins (conversation.md section 8).
const PaperHello Paper = "hello"

// Greeted is what an answer to the hello shows of the ways of its writer: all
// that stands beside the one word that was asked for.
type Greeted struct {
	Signature []string // lines under the word
	Banner    string   // what a server on the way puts above every mail
	Foot      string   // what one puts below, under the quote
	Rest      []string // lines that are not learnt: a question, or another word
}

// How much of what stands beside a hello is taken for a signature, a banner or
// a foot: a longer text is none of these.
const (
	maxSignature = 12
	maxEdge      = 2000
)

// readHello reads the answer to a hello. Any greeting counts, and so does a
// yes: the word lets nothing out.
func readHello(m Mail, s split) (Reading, bool) {
	var o own
	above, below := s.places(&o)
	var g Greeted
	at := helloLine(m, above)
	switch {
	case at >= 0:
		g.Banner = g.edge(m, above[:at])
		g.sign(m, above[at+1:])
		g.Foot = g.edge(m, below)
	default:
		if at = helloLine(m, below); at < 0 {
			return Reading{}, false
		}
		g.Banner = g.edge(m, above)
		g.sign(m, below[at+1:])
	}
	r := Reading{Kind: KindCommands, Commands: []Command{{Word: WordHello, Line: string(WordHello)}}, Greeted: &g}
	return r, true
}

// helloLine finds the line that says hello.
func helloLine(m Mail, lines []string) int {
	return slices.IndexFunc(lines, func(l string) bool {
		l = strings.TrimSpace(l)
		w := polite(plainWords(l))
		return w == string(WordHello) || w == string(WordYes) || assents[w] || isGreeting(m, l)
	})
}

// sign takes the lines under the word for a signature, but for what is read
// wherever it stands.
func (g *Greeted) sign(m Mail, lines []string) {
	var said []string
	for _, l := range trimmedLines(lines) {
		if !sigDelim.MatchString(l) && !isSentFrom(l) && !isName(m, l) && !codeLine.MatchString(l) && !isThanks(m, l) {
			said = append(said, l)
		}
	}
	for _, l := range said {
		if _, command := readLine(l, m.clock(), PaperProof, m.Words); command || strings.HasSuffix(l, "?") {
			g.Rest = append(g.Rest, l)
		}
	}
	if lines := learnt(m, said); len(lines) <= maxSignature {
		g.Signature = lines
	}
}

// edge is a block of lines as it was written, which is how the editor is shown
// it; at the edge of later mails only its words are looked for, since programs
// break lines anew. A line that would be a command or hold by itself is the
// writer's and makes the block none.
func (g *Greeted) edge(m Mail, lines []string) string {
	for _, l := range trimmedLines(lines) {
		_, command := readLine(l, m.clock(), PaperProof, m.Words)
		if _, hold := holding(m, l); command || hold {
			g.Rest = append(g.Rest, l)
			return ""
		}
	}
	block := strings.Join(trimmedLines(lines), "\n")
	if len(edgeWords(block)) == 0 || utf8.RuneCountInString(block) > maxEdge {
		return ""
	}
	return block
}

func edgeWords(text string) (out []string) {
	for _, w := range strings.Fields(text) {
		if w = strings.ToLower(strings.Trim(w, wordMarks)); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// Bare takes off a text what servers put above and below every mail: the
// blocks of edges, as Greeted gave them or as their words.
func Bare(text string, edges []string) string {
	if len(edges) == 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for _, e := range edges {
		want := edgeWords(e)
		if len(want) == 0 {
			continue
		}
		lines = lines[atHead(lines, want):]
		lines = lines[:len(lines)-atEnd(lines, want)]
	}
	return strings.Join(lines, "\n")
}

// atHead counts the first lines that hold exactly these words, 0 when none do.
func atHead(lines, want []string) int {
	var got []string
	for i, l := range lines {
		switch got = append(got, edgeWords(l)...); {
		case len(got) > len(want):
			return 0
		case len(got) > 0 && slices.Equal(got, want):
			return i + 1
		}
	}
	return 0
}

// atEnd does the same from the other end.
func atEnd(lines, want []string) int {
	var got []string
	for i, l := range slices.Backward(lines) {
		switch got = append(edgeWords(l), got...); {
		case len(got) > len(want):
			return 0
		case len(got) > 0 && slices.Equal(got, want):
			return len(lines) - i
		}
	}
	return 0
}
