package mime

import (
	"slices"
	"strings"
)

// gatherTexts fills Plain, HTML and Text from the tree.
func (m *Message) gatherTexts(root *node) {
	var plain, html []string
	leaves := m.textLeaves()
	for _, i := range leaves {
		if p := &m.Parts[i]; p.Type == "text/html" {
			m.decoded, m.decodedPart = p.Text(), i
			html = append(html, m.decoded)
		} else {
			plain = append(plain, m.plainText(p))
		}
	}
	m.Plain = joinTexts(plain)
	m.HTML = strings.Join(html, "\n")
	m.Text = joinTexts(m.best(root, leaves))
}

// textLeaves lists the parts that are text of the message itself. A named
// text counts only when there is nothing else.
func (m *Message) textLeaves() []int {
	var own, named []int
	for i := range m.Parts {
		p := &m.Parts[i]
		switch {
		case !readable(p) || p.Disposition == "attachment":
		case p.Name != "" && !p.choice:
			named = append(named, i)
		default:
			own = append(own, i)
		}
	}
	if len(own) == 0 && len(named) > 0 {
		return named[:1]
	}
	return own
}

// readable names the text types that people write.
func readable(p *Part) bool {
	switch p.Type {
	case "text/plain", "text/html", "text/markdown", "text/x-markdown", "text/enriched", "text/richtext":
		return true
	}
	return false
}

// plainText decodes one part of plain text, format=flowed undone.
func (m *Message) plainText(p *Part) string {
	text := p.Text()
	if strings.EqualFold(p.Params["format"], "flowed") {
		m.Flowed = true
		return unflow(text, strings.EqualFold(p.Params["delsp"], "yes"))
	}
	return text
}

// best walks the tree in order: of alternatives one, of others all. leaves are
// those that count as text.
func (m *Message) best(n *node, leaves []int) []string {
	if n.media == "" {
		return m.bestLeaf(n.part, leaves)
	}
	if n.alternative() {
		return m.bestOf(n.children, leaves)
	}
	var all []string
	for _, c := range n.children {
		all = append(all, m.best(c, leaves)...)
	}
	return all
}

// bestOf prefers plain text, if it holds any word, over the richer forms.
func (m *Message) bestOf(children []*node, leaves []int) []string {
	var rich []string
	for _, c := range children {
		texts := m.best(c, leaves)
		switch {
		case blank(texts):
		case c.media == "" && m.Parts[c.part].Type != "text/html":
			return texts
		case rich == nil:
			rich = texts
		}
	}
	return rich
}

func (m *Message) bestLeaf(part int, leaves []int) []string {
	p := &m.Parts[part]
	switch {
	case !slices.Contains(leaves, part):
		return nil
	case p.Type == "text/html":
		if m.page = m.decoded; m.decodedPart != part { // most messages have one
			m.page = p.Text()
		}
		m.lines = HTMLLines(m.page)
		return []string{linesText(m.lines)}
	}
	return []string{m.plainText(p)}
}

// TakeLines gives the lines of the message's HTML. Most messages have one page
// of it, which was read for Text already; the message lets go of them, for they
// are larger than the page, so that a second call reads it again.
func (m *Message) TakeLines() []HTMLLine {
	lines := m.lines
	if m.lines = nil; lines != nil && m.page == m.HTML {
		return lines
	}
	return HTMLLines(m.HTML)
}

func blank(texts []string) bool {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return false
		}
	}
	return true
}

// joinTexts puts texts under one another.
func joinTexts(texts []string) string {
	if len(texts) == 1 {
		return texts[0]
	}
	var b strings.Builder
	for _, t := range texts {
		if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
			b.WriteByte('\n')
		}
		b.WriteString(t)
	}
	return b.String()
}
