package compose

import (
	"cmp"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"galley/templates"
)

// mailView is what mail.html is given.
type mailView struct {
	Lang, Title, Heading, Edge string
	Blocks                     []templates.Block
	CID, Alt                   string // of the picture; "" for none
	Width, Height              int
}

// asking is the edge of a mail that waits for an answer.
const asking = "#9a6700"

// plain tells a mail that has no HTML part: one whose text is written into and
// sent back, for an HTML quote loses its lines, and a reader's letter.
func (m *mail) plain() bool {
	return m.Kind == paperStarter || m.Asks == asksShow || m.below != "" || m.Asks == "letter"
}

// dress gives a mail its HTML part, which says what its text says; a mail that
// has one already keeps it. Words that may be sent back to a mail with a code
// are buttons there.
func (m *mail) dress(n *Newsletter) (err error) {
	if m.html != nil || m.plain() {
		return nil
	}
	v := m.look
	v.Lang, v.Title, v.Blocks = cmp.Or(n.Frame.Lang, "en"), m.subject, templates.Blocks(m.text, m.code)
	if v.CID != "" {
		v.Blocks = pictured(v.Blocks)
	}
	if _, editor := n.editor(m.to.Addr); editor {
		v.Heading = m.subject
	}
	if m.code != "" {
		v.Edge = asking
		m.button(n, v.Blocks)
	}
	m.html, err = templates.HTML(n.Frame.Looks, "mail.html", v)
	return err
}

// button makes links of the words that can be sent back as they stand.
func (m *mail) button(n *Newsletter, blocks []templates.Block) {
	main := true
	for _, b := range blocks {
		for i := range b.Rows {
			row := &b.Rows[i]
			if b.Kind != "words" || strings.ContainsAny(row.Word, "\"…·@") {
				continue
			}
			row.URL, row.Label, row.Main = n.wordLink(m.code, m.subject, row.Word), n.phrase("button", row.Word), main
			main = false
		}
	}
}

// wordLink is the address of a button that sends one word back. Its Subject is
// that of an answer, and its address carries the code; without plus-addresses
// the Subject does.
func (n *Newsletter) wordLink(code, subject, word string) template.URL {
	to := n.Pattern.Address("approve", code)
	q := "subject=" + url.PathEscape("Re: "+subject) + "&body=" + url.PathEscape(word)
	if to == n.From.Addr {
		q = "subject=" + url.PathEscape(word+" "+code)
	}
	return template.URL("mailto:" + to + "?" + q)
}

// pictured puts the picture of a report below its table.
func pictured(blocks []templates.Block) []templates.Block {
	at := slices.IndexFunc(blocks, func(b templates.Block) bool { return b.Kind == "table" })
	return slices.Insert(blocks, at+1, templates.Block{Kind: "picture", Text: "picture"})
}
