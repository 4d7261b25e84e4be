package mime

import (
	"bytes"
	"strings"
)

// gatherReport fills Report from a multipart/report (RFC 6522), or from the
// parts of one whose outer type was lost on the way.
func (m *Message) gatherReport(media string, params map[string]string) {
	r := &Report{Type: strings.ToLower(params["report-type"])}
	found := media == "multipart/report"
	var words []*Part
	for i := range m.Parts {
		p := &m.Parts[i]
		switch p.Type {
		case "message/delivery-status", "message/global-delivery-status", "message/feedback-report",
			"message/disposition-notification", "message/global-disposition-notification":
			found = true
			r.Status = append(r.Status, statusBlocks(p.Data)...)
			if r.Type == "" {
				r.Type = strings.TrimPrefix(strings.TrimPrefix(p.Type, "message/"), "global-")
			}
		case "message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "message/global-headers", "text/rfc822":
			if !r.HasReturned {
				r.Returned = ParseHeader(bytes.TrimLeft(p.Data, "\n"))
				r.HasReturned = r.Returned.Len() > 0
			}
		case "text/plain", "text/html":
			if !r.HasReturned && !p.Attached() {
				words = append(words, p)
			}
		}
	}
	if found {
		r.Words = readableText(words)
		m.Report = r
	}
}

func readableText(parts []*Part) string {
	var all []string
	for _, p := range parts {
		text := p.Text()
		if p.Type == "text/html" {
			text = HTMLText(text)
		}
		all = append(all, text)
	}
	return joinTexts(all)
}

// statusBlocks splits the groups of fields that blank lines part (RFC 3464
// section 2.1).
func statusBlocks(data []byte) []Header {
	var all []Header
	for block := range bytes.SplitSeq(crlfToLF(data), []byte("\n\n")) {
		if h := ParseHeader(bytes.Trim(block, "\n")); h.Len() > 0 {
			all = append(all, h)
		}
		if len(all) == MaxFields {
			break
		}
	}
	return all
}
