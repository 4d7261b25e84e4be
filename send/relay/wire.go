package relay

import (
	"bytes"
	"errors"
	"fmt"
)

// maxLine is the longest line of a message without its CRLF (RFC 5321 section
// 4.5.3.1.6). Servers cut longer ones, which breaks signatures.
const maxLine = 998

var errEmpty = errors.New("the message is empty")

// appendMessage appends msg to dst as it goes over the wire, with dots stuffed
// (RFC 5321 section 4.5.2) and the final dot behind it. It refuses bare CR,
// bare LF and NUL (RFC 5321 section 2.3.8): a peer that takes one of them for
// a line end could be made to see two messages where we sent one. The work is
// done a line at a time, never octet by octet.
func appendMessage(dst, msg []byte) ([]byte, error) {
	if len(msg) == 0 {
		return dst, errEmpty
	}
	if i := bytes.IndexByte(msg, 0); i >= 0 {
		return dst, fmt.Errorf("NUL at octet %d", i)
	}
	lines, kept := 0, 0 // msg[:kept] is in dst
	for start := 0; start < len(msg); lines++ {
		end := bytes.IndexByte(msg[start:], '\n')
		if end < 0 {
			return dst, endsOpen(msg, start)
		}
		if end == 0 || msg[start+end-1] != '\r' {
			return dst, fmt.Errorf("bare LF at octet %d", start+end)
		}
		if end-1 > maxLine {
			return dst, fmt.Errorf("line %d has %d octets, more than %d", lines+1, end-1, maxLine)
		}
		if msg[start] == '.' {
			dst = append(append(dst, msg[kept:start]...), '.')
			kept = start
		}
		start += end + 1
	}
	// Each line ended in one CR; any other CR stands alone.
	if bytes.Count(msg, crOnly) != lines {
		return dst, fmt.Errorf("bare CR at octet %d", bareCR(msg))
	}
	dst = append(dst, msg[kept:]...)
	return append(dst, ".\r\n"...), nil
}

var crOnly = []byte{'\r'}

// endsOpen names the fault of a last line without LF.
func endsOpen(msg []byte, start int) error {
	if i := bareCR(msg[start:]); i >= 0 {
		return fmt.Errorf("bare CR at octet %d", start+i)
	}
	return errors.New("the last line has no CRLF")
}

// bareCR is the index of the first CR that no LF follows, -1 without one.
func bareCR(b []byte) int {
	for i := 0; ; i++ {
		j := bytes.IndexByte(b[i:], '\r')
		if j < 0 {
			return -1
		}
		i += j
		if i+1 == len(b) || b[i+1] != '\n' {
			return i
		}
	}
}
