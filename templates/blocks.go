package templates

import (
	"html/template"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Block is a piece of a mail's text, as mail.html lays it out.
type Block struct {
	// Kind is text, label (a line over words), head (a line in capitals), words,
	// figures, table, lines, code, link or picture.
	Kind string
	Text string
	Rows []Row
}

// Row is a line of a Block: a word to send back and what it does, a figure and
// what it counts, or a line that stands as it is.
type Row struct {
	Word, Text string
	Deep       bool         // a line that belongs to the one above it
	URL        template.URL // of a line that is an address, or of a word's button
	Label      string       // of the button
	Main       bool         // the button that most people want
	Cells      []string     // of a line that is one of a table
}

var (
	// figure is a number that ends in the 7th or the 12th column (figures in
	// the catalogue), with what it counts.
	figure = regexp.MustCompile(`^( *-?[\d.,  ]*\d)  (\S.*)$`)
	// wordLine is a word to send back: it stands two or four columns in.
	wordLine = regexp.MustCompile(`^(?:  |    )(\S.*?)(?: {2,}(\S.*))?$`)
	// tableLine is an issue's number with its figures below each other.
	tableLine = regexp.MustCompile(`^ +#\d+(?: {2,}[\d.,]+){2,}$`)
	bareURL   = regexp.MustCompile(`^https?://\S+$`)
)

// widest is how many columns a line of a mail has; a longer one was broken.
const widest = 72

// Blocks takes the text of a mail apart, as the catalogue writes it: paragraphs,
// headings in capitals, indented words, figures. code is the mail's own, which
// stands on a line alone; "" for none.
func Blocks(text, code string) []Block {
	var out []Block
	for para := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n\n") {
		lines := strings.Split(strings.Trim(para, "\n"), "\n")
		for len(lines) > 0 {
			b, n := nextBlock(lines, code)
			if n < len(lines) && b.Kind == "text" && kindOf(lines[n]) == "words" {
				b.Kind = "label"
			}
			if b.Text != "" || len(b.Rows) > 0 {
				out = append(out, b)
			}
			lines = lines[n:]
		}
	}
	return out
}

// kindOf tells what a line is by how far it is indented.
func kindOf(l string) string {
	m := figure.FindStringSubmatchIndex(l)
	switch {
	case !strings.HasPrefix(l, " "):
		return "text"
	case tableLine.MatchString(l):
		return "table"
	case m != nil && (m[3] == 7 || m[3] == 12 || utf8.RuneCountInString(l[:m[3]]) == 7):
		return "figures"
	case strings.HasPrefix(l, "   ") && !strings.HasPrefix(l, "    "), !strings.HasPrefix(l, "  "):
		return "lines"
	case wordLine.MatchString(l) && !strings.HasPrefix(l, "     "):
		return "words"
	}
	return "lines"
}

// nextBlock reads the block that the lines begin with, and how many it takes.
func nextBlock(lines []string, code string) (Block, int) {
	if isHead(lines[0]) {
		return Block{Kind: "head", Text: lines[0]}, 1
	}
	if code != "" && len(lines) > 1 && strings.TrimSpace(lines[1]) == code {
		return Block{Kind: "code", Text: lines[0], Rows: []Row{{Text: code}}}, 2
	}
	if bareURL.MatchString(lines[0]) {
		return Block{Kind: "link", Text: lines[0]}, 1
	}
	kind := kindOf(lines[0])
	n := 1
	for n < len(lines) && !bareURL.MatchString(lines[n]) && (kindOf(lines[n]) == kind || kind == "words" && strings.HasPrefix(lines[n], "     ")) &&
		(code == "" || n+1 >= len(lines) || strings.TrimSpace(lines[n+1]) != code) {
		n++
	}
	b := Block{Kind: kind}
	switch kind {
	case "text":
		b.Text = joined(lines[:n])
	case "words":
		b.Rows = rows(kind, lines[:n])
		if isTitles(b.Rows) {
			b.Kind, b.Rows = "lines", rows("lines", lines[:n])
		}
	default:
		b.Rows = rows(kind, lines[:n])
	}
	return b, n
}

// isTitles tells rows that are titles or addresses and no words to send back:
// nothing says what they do, and they are longer than such words.
func isTitles(rows []Row) bool {
	for _, r := range rows {
		if r.Text != "" || len(strings.Fields(r.Word)) <= 4 && !bareURL.MatchString(r.Word) {
			return false
		}
	}
	return true
}

// isHead tells a line that is a heading: capitals alone, as CHANGED.
func isHead(l string) bool {
	letters := 0
	for _, r := range l {
		if unicode.IsLower(r) {
			return false
		}
		if unicode.IsUpper(r) {
			letters++
		}
	}
	return letters > 3 && l[0] != ' ' && !strings.HasPrefix(l, "#")
}

// joined undoes the wrapping of a paragraph; a line that ended early did so on
// purpose.
func joined(lines []string) string {
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteString(between(lines[i-1], l))
		}
		b.WriteString(strings.TrimSpace(l))
	}
	return b.String()
}

// between is what stands between two lines: a blank where the second one's first
// word had no room in the first.
func between(above, below string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(below), " ")
	if utf8.RuneCountInString(above)+1+utf8.RuneCountInString(first) > widest {
		return " "
	}
	return "\n"
}

// rows takes the indented lines apart.
func rows(kind string, lines []string) []Row {
	var out []Row
	for i, l := range lines {
		switch {
		case kind == "table":
			out = append(out, Row{Cells: strings.Fields(l)})
		case kind == "figures":
			m := figure.FindStringSubmatch(l)
			out = append(out, Row{Word: strings.TrimSpace(m[1]), Text: m[2], Deep: len(m[1]) > 7})
		case kind == "words" && strings.HasPrefix(l, "     ") && len(out) > 0: // what the word does goes on
			last := &out[len(out)-1]
			last.Text = strings.TrimSpace(last.Text + " " + strings.TrimSpace(l))
		case kind == "words":
			m := wordLine.FindStringSubmatch(l)
			out = append(out, Row{Word: m[1], Text: m[2]})
		case i > 0 && between(lines[i-1], l) == " " && indent(l) >= indent(lines[i-1]): // wrapped
			out[len(out)-1].Text += " " + strings.TrimSpace(l)
		default:
			r := Row{Text: strings.TrimSpace(l), Deep: i > 0 && indent(l) > indent(lines[0])}
			if bareURL.MatchString(r.Text) {
				r.URL = template.URL(r.Text)
			}
			out = append(out, r)
		}
	}
	return out
}

func indent(l string) int { return len(l) - len(strings.TrimLeft(l, " ")) }
