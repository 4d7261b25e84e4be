package mime

import (
	"bytes"
	"strings"
)

// Field is one header field. Value is raw: unfolded, trimmed, not decoded, and
// holds any octets the sender chose.
type Field struct {
	Name, Value string
	Spaced      bool // white space stood before the colon
}

// Header is a header block in its own order. The zero value is an empty one.
type Header struct{ fields []Field }

// Fields gives all fields in the order of the message.
func (h Header) Fields() []Field { return h.fields }

// Has tells whether the field occurs at all.
func (h Header) Has(name string) bool {
	for _, f := range h.fields {
		if strings.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

// Raw gives the unfolded values of every field of that name, undecoded.
func (h Header) Raw(name string) []string {
	var all []string
	for _, f := range h.fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Value)
		}
	}
	return all
}

// Get gives the first field of that name as readable text: encoded words
// undone (RFC 2047), valid UTF-8, "" when absent.
func (h Header) Get(name string) string {
	return DecodeWords(h.first(name))
}

// first prefers a field written as RFC 5322 wants it over one with white space
// before the colon, which other programs do not see as that field.
func (h Header) first(name string) string {
	value, found := "", false
	for _, f := range h.fields {
		if !strings.EqualFold(f.Name, name) {
			continue
		}
		if !f.Spaced {
			return f.Value
		}
		if !found {
			value, found = f.Value, true
		}
	}
	return value
}

// Len is the number of fields.
func (h Header) Len() int { return len(h.fields) }

// ParseHeader reads a block of fields leniently, as the header of a returned
// mail or of a delivery report is read. It never fails; junk is left out.
func ParseHeader(block []byte) Header {
	var s scanner
	s.rest = block
	for s.next() && len(s.fields) < MaxFields {
	}
	return Header{s.fields}
}

// readHeader takes the header off raw and gives the body that follows.
func (m *Message) readHeader(raw []byte) (Header, []byte, error) {
	s := scanner{rest: m.skipToHeader(raw)}
	start := len(s.rest)
	for s.next() {
		if start-len(s.rest) > MaxHeader {
			return Header{}, nil, &Refusal{"its header is larger than 256 KiB"}
		}
		if len(s.fields) > MaxFields {
			return Header{}, nil, &Refusal{"its header has more than 1,000 fields"}
		}
	}
	if len(s.fields) == 0 {
		return Header{}, nil, &Refusal{"it has no header, so it is no mail"}
	}
	if s.junk > 0 {
		m.note("broken header lines were left out")
	}
	return Header{s.fields}, s.rest, nil
}

// skipToHeader drops what mailboxes and careless programs put before the
// first field: a byte order mark, blank lines, the mbox "From " line.
func (m *Message) skipToHeader(raw []byte) []byte {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	for len(raw) > 0 {
		line, rest := cutLine(raw)
		mbox := bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
		if name, _ := splitField(line); name != "" && !(mbox && name == "From" && !bytes.HasPrefix(line, []byte("From :"))) {
			return raw
		}
		if mbox {
			m.note("mbox From line was left out")
		} else if len(bytes.TrimSpace(line)) > 0 {
			return raw
		}
		raw = rest
	}
	return raw
}

// scanner takes fields off the front of rest.
type scanner struct {
	rest   []byte
	fields []Field
	junk   int
}

// next reads one line of the header; false at its end, when rest is the body.
func (s *scanner) next() bool {
	if len(s.rest) == 0 {
		return false
	}
	line, rest := cutLine(s.rest)
	if len(line) == 0 || (len(bytes.TrimSpace(line)) == 0 && !continued(rest)) {
		s.rest = rest
		return false
	}
	if line[0] == ' ' || line[0] == '\t' {
		s.rest = rest
		return s.fold(line)
	}
	name, value := splitField(line)
	if name == "" && !knownFollows(rest) {
		return false // the blank line is missing: this is the body
	}
	s.rest = rest
	if name == "" {
		s.junk++
		return true
	}
	colon := bytes.IndexByte(line, ':')
	s.fields = append(s.fields, Field{name, value, line[colon-1] == ' ' || line[colon-1] == '\t'})
	return true
}

// fold joins a continuation line to the field above it (RFC 5322 section
// 2.2.3). One before any field is junk.
func (s *scanner) fold(line []byte) bool {
	if len(s.fields) == 0 {
		s.junk++
		return true
	}
	var parts []string
	f := &s.fields[len(s.fields)-1]
	parts = append(parts, f.Value)
	if text := strings.Trim(string(line), " \t\x00"); text != "" {
		parts = append(parts, text)
	}
	for len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\t') && len(parts) < MaxHeader/2 {
		next, rest := cutLine(s.rest)
		if len(bytes.TrimSpace(next)) == 0 && !continued(rest) {
			break
		}
		parts = append(parts, strings.Trim(string(next), " \t\x00"))
		s.rest = rest
	}
	f.Value = strings.TrimSpace(strings.Join(parts, " "))
	return true
}

// continued tells whether the header goes on behind a line of white space: by
// a field that every mail has, or by a folded line with such a field below.
func continued(rest []byte) bool {
	line, tail := cutLine(rest)
	if len(line) == 0 {
		return false
	}
	if line[0] == ' ' || line[0] == '\t' {
		return len(bytes.TrimSpace(line)) > 0 && knownFollows(tail)
	}
	name, _ := splitField(line)
	return wellKnown(name)
}

// knownFollows tells whether a field that every mail has still follows before
// the next blank line; then a line that is no field may be dropped.
func knownFollows(rest []byte) bool {
	for i := 0; i < 60 && len(rest) > 0; i++ {
		var line []byte
		line, rest = cutLine(rest)
		if len(line) == 0 {
			return false
		}
		if name, _ := splitField(line); wellKnown(name) {
			return true
		}
	}
	return false
}

// wellKnown names the fields by which a header is recognised.
func wellKnown(name string) bool {
	switch strings.ToLower(name) {
	case "from", "to", "cc", "subject", "date", "message-id", "received", "mime-version", "content-type",
		"content-transfer-encoding", "content-disposition", "content-id", "reply-to", "return-path",
		"references", "in-reply-to", "sender", "delivered-to", "x-mailer", "dkim-signature":
		return true
	}
	return false
}

// splitField cuts a line at its colon; name is "" when it is no field. White
// space before the colon is an old form (RFC 5322 section 4.5) that is read
// here and judged by inbox/trust.
func splitField(line []byte) (name, value string) {
	i := bytes.IndexByte(line, ':')
	if i <= 0 {
		return "", ""
	}
	n := bytes.TrimRight(line[:i], " \t")
	if len(n) == 0 || len(n) > 200 {
		return "", ""
	}
	for _, c := range n {
		if c <= ' ' || c >= 127 {
			return "", ""
		}
	}
	return string(n), strings.Trim(string(line[i+1:]), " \t\x00")
}

// cutLine splits off the first line, without its LF.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil
	}
	return b[:i], b[i+1:]
}

// unixBytes gives raw with LF line ends. CR alone ends a line too when no LF
// is near: old Macintosh files and mails glued from several programs.
func (m *Message) unixBytes(raw []byte) []byte {
	if bytes.IndexByte(raw, '\r') < 0 {
		return raw
	}
	if bytes.IndexByte(raw, '\n') < 0 {
		m.note("lines ended in CR only")
	}
	return crlfToLF(raw)
}

// crlfToLF turns CRLF, CR CR LF and CR alone into LF.
func crlfToLF(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\r' {
			out = append(out, c)
			continue
		}
		j := i
		for j < len(raw) && raw[j] == '\r' {
			j++
		}
		if j < len(raw) && raw[j] == '\n' {
			i = j
			out = append(out, '\n')
			continue
		}
		out = append(out, '\n')
	}
	return out
}

func unixLines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return string(crlfToLF([]byte(s)))
}
