package mime

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/emersion/go-message"
)

// Field is one header field. Value is raw: unfolded, trimmed, not decoded, and
// holds any octets the sender chose.
type Field struct {
	Name, Value string
	Spaced      bool // white space stood before the colon
}

// Header is a header block in its own order. The zero value is an empty one.
type Header struct{ block message.Header }

// Fields gives all fields in the order of the message.
func (h Header) Fields() []Field {
	var all []Field
	for f := h.block.Fields(); f.Next(); {
		name, spaced := fieldName(f)
		all = append(all, Field{string(name), f.Value(), spaced})
	}
	return all
}

// fieldName gives a name as it is written.
func fieldName(f message.HeaderFields) (name []byte, spaced bool) {
	raw, _ := f.Raw() // all fields were added raw, so none has to be formatted
	written, _, _ := bytes.Cut(raw, []byte(":"))
	name = bytes.TrimRight(written, " \t")
	return name, len(name) < len(written)
}

// Has tells whether the field occurs at all.
func (h Header) Has(name string) bool { return h.block.Has(name) }

// Raw gives the unfolded values of every field of that name, undecoded.
func (h Header) Raw(name string) []string { return h.block.Values(name) }

// Get gives the first field of that name as readable text: encoded words
// undone (RFC 2047), valid UTF-8, "" when absent.
func (h Header) Get(name string) string {
	return DecodeWords(h.first(name))
}

// first prefers a field written as RFC 5322 wants it over one with white space
// before the colon, which other programs do not see as that field.
func (h Header) first(name string) string {
	for f := h.block.FieldsByKey(name); f.Next(); {
		if _, spaced := fieldName(f); !spaced {
			return f.Value()
		}
	}
	return h.block.Get(name)
}

// Len is the number of fields.
func (h Header) Len() int { return h.block.Len() }

// ParseHeader reads a block of fields leniently, as the header of a returned
// mail or of a delivery report is read. It never fails; junk is left out.
func ParseHeader(block []byte) (h Header) {
	fields := newScanner(block).fields
	for i := len(fields) - 1; i >= 0; i-- {
		h.block.AddRaw(fields[i])
	}
	return h
}

// takeOwn takes off h what the mender put on top.
func takeOwn(h *message.Header) (media, encoding string) {
	media, encoding = h.Get("Content-Type"), h.Get("Content-Transfer-Encoding")
	for f, n := h.Fields(), 0; n < ownFields && f.Next(); n++ {
		f.Del()
	}
	return media, encoding
}

// takeHeader takes the header off raw.
func (m *Message) takeHeader(raw []byte) (*scanner, error) {
	raw = m.skipToHeader(raw)
	s := newScanner(raw)
	switch {
	case len(raw)-len(s.rest) > MaxHeader:
		return nil, &Refusal{"its header is larger than 256 KiB"}
	case len(s.fields) > MaxFields:
		return nil, &Refusal{"its header has more than 1,000 fields"}
	case len(s.fields) == 0:
		return nil, &Refusal{"it has no header, so it is no mail"}
	}
	if s.junk > 0 {
		m.note("broken header lines were left out")
	}
	return s, nil
}

// skipToHeader drops what mailboxes and careless programs put before the
// first field: a byte order mark, blank lines, the mbox "From " line.
func (m *Message) skipToHeader(raw []byte) []byte {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	for len(raw) > 0 {
		line, rest := cutLine(raw)
		mbox := (bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))) && !bytes.HasPrefix(line, []byte("From :"))
		if !mbox && lineName(line) != nil {
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

// scanner takes the fields off the front of rest, each as its lines stand,
// with their LF. In the end rest is the body.
type scanner struct {
	rest   []byte
	fields [][]byte
	junk   int
}

// newScanner takes a whole header off, or a little more than the budgets.
func newScanner(block []byte) *scanner {
	s := &scanner{rest: block}
	for len(s.fields) <= MaxFields && len(block)-len(s.rest) <= MaxHeader && s.next() {
	}
	return s
}

// value gives the first field of that name, unfolded.
func (s *scanner) value(name string) string {
	for _, f := range s.fields {
		if bytes.EqualFold(lineName(f), []byte(name)) {
			var h message.Header
			h.AddRaw(f)
			return h.Get(name)
		}
	}
	return ""
}

// next reads one line of the header; false at its end, when rest is the body.
func (s *scanner) next() bool {
	if len(s.rest) == 0 {
		return false
	}
	line, rest := cutLine(s.rest)
	blank := len(bytes.TrimSpace(line)) == 0
	if len(line) == 0 || blank && !continued(rest) && !s.addressBelow(rest) {
		s.rest = rest
		return false
	}
	folded := line[0] == ' ' || line[0] == '\t'
	field := lineName(line) != nil
	if !folded && !field && s.mediaBelow(line) {
		s.rest = rest
		return true
	}
	if !folded && !field && !knownFollows(rest) {
		return false // the blank line is missing: this is the body
	}
	end := len(s.rest) - len(rest)
	line, s.rest = s.rest[:end:end], rest
	switch last := len(s.fields) - 1; {
	case folded && last >= 0: // RFC 5322 section 2.2.3
		s.fields[last] = append(s.fields[last], line...)
	case folded || !field:
		s.junk++
	default:
		s.fields = append(s.fields, line)
	}
	return true
}

// mediaBelow takes a line such as "text/html; charset=utf-8" for the value of an
// empty Content-Type right above it: some writers put a CR before the value,
// which ends the line, but no white space behind it.
func (s *scanner) mediaBelow(line []byte) bool {
	last := len(s.fields) - 1
	if !mediaLine.Match(line) || s.emptyField() != "content-type" {
		return false
	}
	s.fields[last] = append(append(append(s.fields[last], ' '), line...), '\n')
	return true
}

// emptyField names the last field, in lower case, if it has no value yet.
func (s *scanner) emptyField() string {
	if len(s.fields) == 0 {
		return ""
	}
	name, value, _ := bytes.Cut(s.fields[len(s.fields)-1], []byte(":"))
	if len(bytes.TrimSpace(value)) > 0 {
		return ""
	}
	return string(bytes.ToLower(bytes.TrimSpace(name)))
}

// addressBelow tells whether a field of addresses that has none so far has one
// in a folded line below lines of white space (RFC 5322 section 4.2).
func (s *scanner) addressBelow(rest []byte) bool {
	if len(s.fields) == 0 {
		return false
	}
	name, value, _ := bytes.Cut(s.fields[len(s.fields)-1], []byte(":"))
	switch string(bytes.ToLower(bytes.TrimSpace(name))) {
	case "from", "to", "cc", "reply-to", "sender":
	default:
		return false
	}
	if bytes.IndexByte(value, '@') >= 0 {
		return false
	}
	for n := 0; n < 10 && len(rest) > 0; n++ {
		var line []byte
		line, rest = cutLine(rest)
		if len(line) == 0 || line[0] != ' ' && line[0] != '\t' {
			return false
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return bytes.IndexByte(line, '@') > 0
		}
	}
	return false
}

var mediaLine = regexp.MustCompile(`(?i)^(text|multipart|message|application|image|audio|video)/[a-z0-9.+_-]+[ \t]*(;|$)`)

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
	return wellKnown(lineName(line))
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
		if wellKnown(lineName(line)) {
			return true
		}
	}
	return false
}

// wellKnown names the fields by which a header is recognised.
func wellKnown(name []byte) bool {
	switch string(bytes.ToLower(name)) {
	case "from", "to", "cc", "subject", "date", "message-id", "received", "mime-version", "content-type",
		"content-transfer-encoding", "content-disposition", "content-id", "reply-to", "return-path",
		"references", "in-reply-to", "sender", "delivered-to", "x-mailer", "dkim-signature":
		return true
	}
	return false
}

// lineName gives the name before a line's colon, nil when it is no field.
// White space before the colon is an old form (RFC 5322 section 4.5) that is
// read here and judged by inbox/trust.
func lineName(line []byte) []byte {
	i := bytes.IndexByte(line, ':')
	if i <= 0 {
		return nil
	}
	name := bytes.TrimRight(line[:i], " \t")
	if len(name) == 0 || len(name) > 200 || bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 127 }) {
		return nil
	}
	return name
}

// cutLine splits off the first line, without its LF.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return line, rest
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
	for {
		i := bytes.IndexByte(raw, '\r')
		if i < 0 {
			return append(out, raw...)
		}
		out = append(out, raw[:i]...)
		alone := 0 // CRs that no LF has followed yet
		for raw = raw[i:]; len(raw) > 0 && raw[0] == '\r'; raw = raw[1:] {
			alone++
		}
		if len(raw) == 0 || raw[0] != '\n' {
			out = append(out, bytes.Repeat([]byte("\n"), alone)...)
		}
	}
}

func unixLines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return string(crlfToLF([]byte(s)))
}
