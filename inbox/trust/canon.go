package trust

import (
	"bytes"
	"strings"
)

// canonBody gives the body as RFC 6376 section 3.4 hashes it. The body has
// CRLF line ends.
func canonBody(body []byte, relaxed bool) []byte {
	if relaxed {
		body = relaxLines(body)
	}
	for bytes.HasSuffix(body, []byte("\r\n\r\n")) {
		body = body[:len(body)-2]
	}
	switch {
	case relaxed && (len(body) == 0 || string(body) == "\r\n"):
		return nil // RFC 6376 section 3.4.4: an empty body stays empty
	case len(body) == 0 || !bytes.HasSuffix(body, []byte("\r\n")):
		return append(body[:len(body):len(body)], '\r', '\n') // section 3.4.3
	}
	return body
}

// relaxLines makes one space of each run of white space and drops it at the
// ends of lines.
func relaxLines(body []byte) []byte {
	out := make([]byte, 0, len(body))
	space := false
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c == ' ' || c == '\t' {
			space = true
			continue
		}
		if space && !(c == '\r' && i+1 < len(body) && body[i+1] == '\n') {
			out = append(out, ' ')
		}
		space = false
		out = append(out, c)
	}
	return out
}

// canonField gives one header field as RFC 6376 section 3.4 hashes it, with
// its CRLF. raw is the field with its folds.
func canonField(raw []byte, relaxed bool) []byte {
	if !relaxed {
		return raw
	}
	name, value, _ := strings.Cut(string(raw), ":")
	value = strings.ReplaceAll(value, "\r\n", "")
	words := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' })
	return []byte(strings.ToLower(strings.TrimRight(name, " \t")) + ":" + strings.Join(words, " ") + "\r\n")
}

// withoutSignature gives the DKIM-Signature field with the value of its b=
// tag taken out and without the last CRLF (RFC 6376 section 3.7).
func withoutSignature(raw []byte) []byte {
	s := strings.TrimSuffix(string(raw), "\r\n")
	colon := strings.IndexByte(s, ':')
	for from := colon + 1; from <= len(s); {
		end := strings.IndexByte(s[from:], ';')
		if end < 0 {
			end = len(s)
		} else {
			end += from
		}
		tag, _, found := strings.Cut(s[from:end], "=")
		if found && strings.Trim(tag, " \t\r\n") == "b" {
			return []byte(s[:from+len(tag)+1] + s[end:])
		}
		from = end + 1
	}
	return []byte(s)
}
