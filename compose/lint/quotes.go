package lint

import (
	"strings"

	"galley/compose/markdown"
)

// quotes finds curly double quotes that do not pair within a paragraph. A quote
// of several paragraphs, each opened and only the last closed, is right.
func quotes(i *issue) []markdown.Finding {
	var found []markdown.Finding
	paragraphs := paragraphs(i.lines)
	for n, p := range paragraphs {
		next := ""
		if n+1 < len(paragraphs) {
			next = paragraphs[n+1][0].prose
		}
		if f, bad := unpaired(p, next); bad {
			found = append(found, f)
		}
	}
	return found
}

// paragraphs groups lines that stand together. Each item of a list is its own.
func paragraphs(lines []line) [][]line {
	var all [][]line
	open := false
	for _, l := range lines {
		text := strings.TrimSpace(l.prose)
		if text == "" {
			open = false
			continue
		}
		if !open || strings.HasPrefix(text, "- ") || strings.HasPrefix(text, "* ") {
			all = append(all, nil)
		}
		open = true
		all[len(all)-1] = append(all[len(all)-1], l)
	}
	return all
}

func unpaired(p []line, next string) (markdown.Finding, bool) {
	var opened *mark
	for _, m := range marks(p) {
		switch {
		case m.opening && opened != nil, !m.opening && opened == nil:
			return m.finding(), true
		case m.opening:
			opened = &m
		default:
			opened = nil
		}
	}
	if opened == nil || opensQuote(next) {
		return markdown.Finding{}, false
	}
	return opened.finding(), true
}

func opensQuote(s string) bool {
	return strings.HasPrefix(strings.TrimLeft(s, "> \t*_"), "“")
}

// mark is one curly quote at a place in a line.
type mark struct {
	line    line
	at      int
	opening bool
}

// marks lists the quotes of a paragraph. „German“ quotes use “ to close and are
// left alone altogether.
func marks(p []line) []mark {
	var all []mark
	for _, l := range p {
		if strings.Contains(l.prose, "„") {
			return nil
		}
		for at, r := range l.prose {
			if r == '“' || r == '”' {
				all = append(all, mark{l, at, r == '“'})
			}
		}
	}
	return all
}

func (m mark) finding() markdown.Finding {
	before := []rune(m.line.raw[:m.at])
	after := []rune(m.line.raw[m.at:])
	words := string(before[max(0, len(before)-24):]) + string(after[:min(20, len(after))])
	return markdown.Finding{
		Level: markdown.Warning, Code: "unbalanced-quotes", Line: m.line.number, Words: short(words),
	}
}
