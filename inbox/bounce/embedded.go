package bounce

import (
	"strings"

	"galley/inbox/mime"
)

// embedded reads a delivery status that a gateway wrapped in another message
// or pasted into its text. It tells whether there was one.
func (r *Result) embedded(m *mime.Message) bool {
	text := readAll(m)
	if !looksBounced(m, text) && !wrappedReport(m) {
		return false
	}
	for i := range m.Parts {
		if m.Parts[i].Type != "message/rfc822" {
			continue
		}
		inner, err := mime.Read(m.Parts[i].Data)
		if err == nil && hasRecipients(inner) {
			r.Returned, r.HasReturned = inner.Report.Returned, inner.Report.HasReturned
			r.status(inner)
			return true
		}
	}
	return r.pasted(m, text)
}

// wrappedReport tells whether the outer message still calls itself a report.
func wrappedReport(m *mime.Message) bool {
	return strings.Contains(strings.ToLower(strings.Join(m.Header.Raw("Content-Type"), " ")), "report-type=delivery-status")
}

// pasted reads the fields of RFC 3464 where they stand in plain text.
func (r *Result) pasted(m *mime.Message, text string) bool {
	words, _ := cutReturned(text)
	for _, block := range strings.Split(text[:min(len(text), maxReadText)], "\n\n") {
		if !strings.Contains(block, "inal-Recipient:") || len(r.Reports) >= maxReports {
			continue
		}
		h := mime.ParseHeader([]byte(fromFirstField(block)))
		if isRecipientBlock(h) {
			r.Reports = append(r.Reports, recipientReport(h, words))
		}
	}
	if len(r.Reports) == 0 {
		return false
	}
	r.Kind = KindBounce
	r.findReturned(m, text[headerAt(text):])
	r.borrowRecipients(m, words)
	return true
}

// fromFirstField drops what stands in a block before its recipient fields.
func fromFirstField(block string) string {
	at := len(block)
	for _, name := range []string{"Final-Recipient:", "Original-Recipient:"} {
		if i := strings.Index(block, name); i >= 0 && i < at {
			at = i
		}
	}
	return block[at:]
}
