package message

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Mail is one single outgoing mail: a proof, a confirmation, a report.
type Mail struct {
	From          Address
	To            []Address
	ReplyTo       *Address
	Subject       string
	Date          time.Time
	MessageID     string // with its angle brackets
	InReplyTo     string // left out when it is not a sound identifier: it was a stranger's
	References    []string
	AutoSubmitted string // RFC 3834 section 5: auto-replied, auto-generated
	Fields        []Field
	Text, HTML    []byte       // UTF-8; at least one
	Inline        []Attachment // what HTML refers to as cid:
	Attachments   []Attachment
}

// Field is a header field besides the fixed ones. Its value is printable
// ASCII.
type Field struct {
	Name, Value string
}

// Attachment is a file in a mail. ContentID is without angle brackets, as
// cid: refers to it; it matters only for Mail.Inline.
type Attachment struct {
	Name, Type, ContentID string
	Data                  []byte
}

// mostReferences bounds a References field; RFC 5322 section 3.6.4 knows no
// bound, but a thread of years would make one that servers refuse.
const mostReferences = 20

// Bytes returns the mail with CRLF line ends, 7-bit, without a signature and
// not dot-stuffed. The same mail gives the same octets.
func (m *Mail) Bytes() ([]byte, error) {
	body, err := m.body()
	if err != nil {
		return nil, fmt.Errorf("mail %.60q: %w", m.Subject, err)
	}
	h := header{}
	h.addresses("From", m.From)
	if m.ReplyTo != nil {
		h.addresses("Reply-To", *m.ReplyTo)
	}
	h.addresses("To", m.To...)
	h.text("Subject", m.Subject)
	h.date("Date", m.Date)
	h.ids("Message-ID", m.MessageID)
	if isMessageID(m.InReplyTo) {
		h.ids("In-Reply-To", m.InReplyTo)
	}
	if refs := soundReferences(m.References); len(refs) > 0 {
		h.ids("References", refs...)
	}
	h.optional("Auto-Submitted", m.AutoSubmitted)
	for _, f := range m.Fields {
		h.extra(f)
	}
	h.structured("MIME-Version", "1.0")
	if h.err != nil {
		return nil, fmt.Errorf("mail %.60q: %w", m.Subject, h.err)
	}
	return slices.Concat(h.buf, body.head, []byte("\r\n"), body.body), nil
}

// body builds mixed(related(alternative(text, html), inline…), files…), with
// only the levels that are needed. Plain first, richest last (RFC 2046 section
// 5.1.4).
func (m *Mail) body() (part, error) {
	whole, err := alternative(m.Text, m.HTML, 0, 0, nil)
	if err != nil {
		return part{}, err
	}
	if whole, err = enclose("related", whole, m.Inline); err != nil {
		return part{}, err
	}
	return enclose("mixed", whole, m.Attachments)
}

// alternative encodes the two forms of one text.
func alternative(text, html []byte, inText, inHTML byte, fs *fields) (part, error) {
	switch {
	case len(text) == 0 && len(html) == 0:
		return part{}, fmt.Errorf("there is no text; give one")
	case len(html) == 0:
		return textPart("plain", text, inText, fs), nil
	case len(text) == 0:
		return textPart("html", html, inHTML, fs), nil
	}
	return multi("alternative", textPart("plain", text, inText, fs), textPart("html", html, inHTML, fs)), nil
}

func enclose(subtype string, first part, files []Attachment) (part, error) {
	if len(files) == 0 {
		return first, nil
	}
	parts := []part{first}
	for _, f := range files {
		p, err := filePart(f)
		if err != nil {
			return part{}, fmt.Errorf("attachment %.60q: %w", f.Name, err)
		}
		parts = append(parts, p)
	}
	return multi(subtype, parts...), nil
}

// soundReferences keeps what may be repeated: the first, which names the
// thread, and the last ones.
func soundReferences(ids []string) []string {
	var sound []string
	for _, id := range ids {
		if isMessageID(id) {
			sound = append(sound, id)
		}
	}
	if len(sound) > mostReferences {
		sound = append(sound[:1:1], sound[len(sound)-mostReferences+1:]...)
	}
	return sound
}

// extra writes a free field. Those that the writer or the way write
// themselves are refused: a second one would break the message or its
// signature.
func (h *header) extra(f Field) {
	if f.Name == "" || len(f.Name) > 60 || strings.ContainsFunc(f.Name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) {
		h.fail(fmt.Sprintf("%.60q", f.Name), "this is not the name of a field")
		return
	}
	for _, own := range fixedFields {
		if strings.EqualFold(own, f.Name) {
			h.fail(f.Name, "it is written from the mail's own values")
			return
		}
	}
	h.structured(f.Name, f.Value)
}

// fixedFields are those that Fields may not name.
var fixedFields = []string{
	"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID",
	"In-Reply-To", "References", "Auto-Submitted", "MIME-Version", "Content-Type",
	"Content-Transfer-Encoding", "Content-Disposition", "Content-ID", "DKIM-Signature",
	"Received", "Return-Path", "Authentication-Results", "ARC-Seal", "ARC-Message-Signature",
	"ARC-Authentication-Results",
}
