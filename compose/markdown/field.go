package markdown

import (
	"regexp"
	"slices"
	"strings"
)

// Fields are what a draft may say of each reader: {{name|friend}} in running
// text, with words for those whose name nobody knows, and {{address}}.
const (
	FieldName    = "name"
	FieldAddress = "address"
)

var fieldMark = regexp.MustCompile(`\{\{\s*([A-Za-z][A-Za-z0-9_-]*)\s*(?:\|([^{}|]*))?\}\}`)

// fields gives the fields in the texts below n nodes of their own. What looks
// like one and is none stays as it is, and stops the issue: a reader would see
// the braces.
func (b *builder) fields(n *node) {
	if n.tag == "code" || n.tag == "pre" {
		return
	}
	var kids []*node
	for i, k := range n.kids {
		if k.tag != "" || !strings.Contains(k.text, "{{") {
			b.fields(k)
			if kids != nil {
				kids = append(kids, k)
			}
			continue
		}
		if kids == nil {
			kids = append(make([]*node, 0, len(n.kids)+2), n.kids[:i]...)
		}
		kids = b.cutFields(kids, k)
	}
	if kids != nil {
		n.kids = kids
	}
}

// cutFields appends the pieces of a text.
func (b *builder) cutFields(to []*node, n *node) []*node {
	text := func(s string) {
		if s != "" {
			to = append(to, &node{text: s, up: n.up, line: n.line})
		}
	}
	rest, before := n.text, ""
	for {
		loc := fieldMark.FindStringSubmatchIndex(rest)
		if loc == nil {
			text(before + rest)
			return to
		}
		mark, name, fallback := rest[loc[0]:loc[1]], fold(rest[loc[2]:loc[3]]), ""
		if loc[4] >= 0 {
			fallback = strings.Join(strings.Fields(rest[loc[4]:loc[5]]), " ")
		}
		before += rest[:loc[0]]
		rest = rest[loc[1]:]
		if !b.knownField(mark, name, fallback, n.line) {
			before += mark
			continue
		}
		if name == FieldAddress {
			fallback = "reader@example.invalid"
		}
		text(before)
		before = ""
		to = append(to, &node{text: fallback, field: name, up: n.up, line: n.line})
	}
}

// knownField tells whether a field can be filled, and the editor if it cannot.
func (b *builder) knownField(mark, name, fallback string, at int) bool {
	code := ""
	switch {
	case name != FieldName && name != FieldAddress && !b.told("partial-unknown", at):
		code = "field-unknown"
	case name != FieldName && name != FieldAddress:
		return false
	case name == FieldName && fallback == "":
		code = "field-bare"
	default:
		return true
	}
	b.findings = append(b.findings, Finding{Level: Error, Code: code, Line: at, Words: mark, Gaps: []any{mark}})
	return false
}

// told tells that reading the draft has found the same already.
func (b *builder) told(code string, at int) bool {
	return slices.ContainsFunc(b.d.Findings, func(f Finding) bool { return f.Code == code && f.Line == at })
}

// misplaced tells of a field where none can be: in an address, a title.
func (b *builder) misplaced(s string, at int) {
	if mark := fieldMark.FindString(s); mark != "" {
		b.findings = append(b.findings, Finding{Level: Error, Code: "field-place", Line: at, Words: mark, Gaps: []any{mark}})
	}
}

// said is a text as readers of a medium get it: a field of the mail is a slot
// that each copy fills, everywhere else it is its fallback.
func (doc *Document) said(n *node, m Medium) string {
	if n.field == "" || m != Mail || doc.Slot == nil {
		return n.text
	}
	return doc.Slot(n.field, n.text)
}
