package message

import (
	"strings"
	"unicode/utf8"
)

// qpWidth is the longest encoded line with its soft break (RFC 2045 section
// 6.7, rule 5).
const qpWidth = 76

// printable writes quoted-printable text (RFC 2045 section 6.7).
type printable struct {
	buf []byte
	col int
}

// soft breaks the encoded line; the text does not show it.
func (p *printable) soft() {
	p.buf = append(p.buf, '=', '\r', '\n')
	p.col = 0
}

// write encodes s, in which LF, CRLF and CR all end a line. NUL is left out
// and broken UTF-8 replaced: the charset says utf-8.
func (p *printable) write(s string) {
	s = lines(s)
	for i := 0; i < len(s); {
		if s[i] == '\n' {
			p.buf = append(p.buf, '\r', '\n')
			p.col = 0
			i++
			continue
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		p.rune(s[i:i+size], s[i+size:])
		i += size
	}
}

// rune encodes one character; rest is what follows it.
func (p *printable) rune(c, rest string) {
	width := 1
	if !asItself(c, rest) {
		width = 3 * len(c)
	}
	if p.col+width > qpWidth-1 {
		p.soft()
	}
	if width == 1 && p.col == 0 && risky(c, rest) {
		width = 3
	}
	p.col += width
	if width == 1 {
		p.buf = append(p.buf, c[0])
		return
	}
	for i := range len(c) {
		p.buf = append(p.buf, '=', upperHex[c[i]>>4], upperHex[c[i]&15])
	}
}

// asItself tells whether c needs no encoding. A blank at the end of a line
// would be lost on the way (rule 3).
func asItself(c, rest string) bool {
	switch c {
	case "=":
		return false
	case " ", "\t":
		return rest != "" && rest[0] != '\n'
	}
	return len(c) == 1 && c[0] > ' ' && c[0] <= '~'
}

// risky tells whether c at the beginning of a line is changed by servers: a
// dot that somebody forgot to double or to halve, and the From of mbox files.
// Either would break the signature.
func risky(c, rest string) bool {
	return c == "." || c == "F" && strings.HasPrefix(rest, "rom ")
}

// lines gives s LF line ends, valid UTF-8 and no NUL.
func lines(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if !strings.ContainsAny(s, "\r\x00") {
		return s
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(s)
}

// appendURL encodes a URL that begins at column 0 of quoted-printable text,
// with soft breaks where it is long.
func appendURL(dst []byte, url string) []byte {
	col := 0
	for i := range len(url) {
		width := 1
		if url[i] == '=' {
			width = 3
		}
		if col+width > qpWidth-1 {
			dst = append(dst, '=', '\r', '\n')
			col = 0
		}
		if url[i] == '=' {
			dst = append(dst, "=3D"...)
		} else {
			dst = append(dst, url[i])
		}
		col += width
	}
	return dst
}
