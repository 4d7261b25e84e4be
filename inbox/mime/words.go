package mime

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
)

// encodedWord is RFC 2047 section 2, read as loosely as mail is written:
// spaces inside the text, a language after the charset (RFC 2231 section 5).
var encodedWord = regexp.MustCompile(`=\?([A-Za-z0-9_.:()+'"-]*?)(?:\*[A-Za-z0-9-]*)?\?([BbQq])\?((?:[^?]|\?[^=])*?)\?=`)

// DecodeWords gives an unstructured header value as readable text.
func DecodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return cleanLine(decodeRaw(s))
	}
	var b strings.Builder
	var run wordRun
	last := 0
	for _, at := range encodedWord.FindAllStringSubmatchIndex(s, -1) {
		between := s[last:at[0]]
		charset, enc, text := s[at[2]:at[3]], s[at[4]:at[5]], s[at[6]:at[7]]
		// RFC 2047 section 6.2: white space between two words is not shown.
		if last == 0 || strings.TrimSpace(between) != "" {
			run.flush(&b)
			b.WriteString(decodeRaw(between))
		}
		run.add(&b, charset, enc, text)
		last = at[1]
	}
	run.flush(&b)
	b.WriteString(decodeRaw(s[last:]))
	return cleanLine(b.String())
}

// wordRun gathers the octets of neighbouring words of one charset, since many
// writers cut a character in two (against RFC 2047 section 5).
type wordRun struct {
	charset string
	octets  []byte
	used    bool
}

func (r *wordRun) add(b *strings.Builder, charset, enc, text string) {
	charset = strings.ToLower(charset)
	if r.used && r.charset != charset {
		r.flush(b)
	}
	// A stateful charset begins each word anew (RFC 2047 section 5 and RFC 1468).
	if r.used && (strings.HasPrefix(charset, "iso-2022") || strings.Contains(charset, "utf-7")) {
		r.flush(b)
	}
	r.charset, r.used = charset, true
	if enc == "B" || enc == "b" {
		r.octets = append(r.octets, lenientBase64([]byte(text))...)
		return
	}
	// RFC 2047 section 4.2: "_" is a space.
	r.octets = append(r.octets, octetsQP([]byte(strings.ReplaceAll(text, "_", " ")))...)
}

func (r *wordRun) flush(b *strings.Builder) {
	if r.used {
		b.WriteString(decodeCharset(r.octets, r.charset))
	}
	*r = wordRun{}
}

// decodeRaw reads octets that stand in a header undeclared: UTF-8 (RFC 6532),
// else what old programs meant.
func decodeRaw(s string) string { return decodeCharset([]byte(s), "") }

// cleanLine makes one line of a header value: no controls but tab, no line
// breaks smuggled in by an encoded word.
func cleanLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r < ' ' || r == 0x7f:
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// lenientBase64 leaves out what is not of the alphabet and decodes what is
// there: padding in the middle begins a new block, a torn end gives what it
// holds (RFC 2045 section 6.8 says to ignore other characters).
func lenientBase64(in []byte) (out []byte) {
	code := make([]byte, 0, len(in))
	for _, c := range in {
		switch {
		case inBase64(c) || c == '=':
			code = append(code, c)
		case c == '-': // the alphabet for addresses of the web
			code = append(code, '+')
		case c == '_':
			code = append(code, '/')
		}
	}
	for block := range bytes.SplitSeq(code, []byte("=")) {
		out, _ = base64.RawStdEncoding.AppendDecode(out, block)
	}
	return out
}

func inBase64(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}
