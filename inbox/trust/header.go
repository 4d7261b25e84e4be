package trust

import (
	"bytes"
	"strings"
)

// field is one header field as it stands in the mail.
type field struct {
	name string // as written, before the colon
	raw  []byte // the whole field with its folds, ending in CRLF
}

// header is the head of a mail on raw octets.
type header struct {
	fields []field
	body   []byte
	fault  string // what makes different parsers see different heads; "" is none
}

// crlf gives every line feed its carriage return. IMAP delivers CRLF; files
// and some servers do not, and signatures are made over CRLF (RFC 6376
// section 2.8).
func crlf(raw []byte) []byte {
	lone := bytes.Count(raw, []byte("\n")) - bytes.Count(raw, []byte("\r\n"))
	if lone == 0 {
		return raw
	}
	out := make([]byte, 0, len(raw)+lone)
	for i, c := range raw {
		if c == '\n' && (i == 0 || raw[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

// readHeader splits a mail with CRLF lines into its fields and its body. It
// never fails; what is not a field is named as a fault and left out.
func readHeader(raw []byte) header {
	var h header
	rest := raw
	for len(rest) > 0 {
		line, after := cutLine(rest)
		rest = after
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
		h.add(line)
	}
	h.body = rest
	return h
}

// cutLine takes the first line with its line end.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.Index(b, []byte("\r\n"))
	if i < 0 {
		return b, nil
	}
	return b[:i+2], b[i+2:]
}

// add takes up one line of the head: a fold of the last field or a new one.
func (h *header) add(line []byte) {
	if i := bytes.IndexAny(bytes.TrimSuffix(line, []byte("\r\n")), "\r\x00"); i >= 0 {
		h.fault = "a CR or NUL within a line of the head" // a line end to some readers
	}
	if line[0] == ' ' || line[0] == '\t' {
		if len(h.fields) == 0 {
			h.fault = "the head begins with a folded line"
			return
		}
		if len(bytes.TrimSpace(line)) == 0 {
			h.fault = "a line of white space in the head" // its end to some readers, a fold to RFC 5322 section 4.2
		}
		last := &h.fields[len(h.fields)-1]
		last.raw = append(last.raw[:len(last.raw):len(last.raw)], line...)
		return
	}
	name, _, found := bytes.Cut(line, []byte(":"))
	if !found {
		h.fault = "a line of the head is no field"
		return
	}
	h.fields = append(h.fields, field{name: string(name), raw: line})
}

// badName names the first field whose name is not printable ASCII without
// spaces (RFC 5322 section 2.2). "From :" and "From\x00:" are From to one
// parser and nothing to the next, so a mail with any such field has no From
// that all readers agree on.
func (h *header) badName() string {
	for _, f := range h.fields {
		for i := 0; i < len(f.name); i++ {
			if f.name[i] <= ' ' || f.name[i] > '~' {
				return f.name
			}
		}
		if f.name == "" {
			return ":"
		}
	}
	return ""
}

// all gives the fields of a name, top down, whatever white space stands
// around the name.
func (h *header) all(name string) []field {
	var out []field
	for _, f := range h.fields {
		if strings.EqualFold(strings.TrimSpace(f.name), name) {
			out = append(out, f)
		}
	}
	return out
}

// count says how often a field occurs.
func (h *header) count(name string) int { return len(h.all(name)) }

// value gives a field's value with the folds undone and outer space cut.
func (f field) value() string {
	_, v, _ := strings.Cut(string(f.raw), ":")
	v = strings.TrimSuffix(v, "\r\n")
	v = strings.ReplaceAll(v, "\r\n", "")
	return strings.Trim(v, " \t")
}
