package message

import (
	"encoding/base64"
	"unicode/utf8"
)

const (
	// maxWord is the longest encoded-word (RFC 2047 section 2).
	maxWord = 75
	// wordFrame is what surrounds its text: =?utf-8?q? and ?=.
	wordFrame = 12
	// leastRoom is the space below which a word is begun on a new line: one
	// rune of four octets in Q takes 12.
	leastRoom = wordFrame + 16

	upperHex = "0123456789ABCDEF"
)

// encoded writes s as encoded-words. Blanks between two of them are not shown
// (RFC 2047 section 6.2), so the blanks of s are inside. No character is cut.
func (h *header) encoded(s string) {
	base := qLength(s) > base64.StdEncoding.EncodedLen(len(s))
	for len(s) > 0 {
		room := min(lineWidth-h.col-1, maxWord)
		if room < leastRoom {
			h.fold()
			room = min(lineWidth-h.col, maxWord)
		} else {
			h.buf = append(h.buf, ' ')
			h.col, h.bare = h.col+1, false
		}
		n := fitting(s, room-wordFrame, base)
		before := len(h.buf)
		h.buf = appendWord(h.buf, s[:n], base)
		h.col += len(h.buf) - before
		s = s[n:]
	}
}

// fitting returns how many octets of s, cut between characters, take at most
// room octets when encoded.
func fitting(s string, room int, base bool) int {
	n, used := 0, 0
	for n < len(s) {
		_, size := utf8.DecodeRuneInString(s[n:])
		if base {
			used = base64.StdEncoding.EncodedLen(n + size)
		} else {
			used += qLength(s[n : n+size])
		}
		if used > room {
			break
		}
		n += size
	}
	return n
}

func appendWord(dst []byte, s string, base bool) []byte {
	if base {
		dst = append(dst, "=?utf-8?b?"...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(s))
		return append(dst, "?="...)
	}
	dst = append(dst, "=?utf-8?q?"...)
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			dst = append(dst, '_')
		case isQ(c):
			dst = append(dst, c)
		default:
			dst = append(dst, '=', upperHex[c>>4], upperHex[c&15])
		}
	}
	return append(dst, "?="...)
}

// isQ is the set that stands for itself even in a phrase (RFC 2047 section 5,
// rule 3).
func isQ(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '!' || c == '*' || c == '+' || c == '-' || c == '/'
}

// qLength returns the length of s in the Q encoding.
func qLength(s string) int {
	n := 0
	for i := range len(s) {
		if n++; !isQ(s[i]) && s[i] != ' ' {
			n += 2
		}
	}
	return n
}
