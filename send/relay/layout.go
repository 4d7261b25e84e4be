package relay

import (
	"bytes"

	"galley/send"
)

// clean is what must be known of octets to put them on the wire between others
// as they are: they hold nothing that appendMessage refuses or changes, but
// for what only their neighbours decide.
type clean struct {
	ok    bool
	dot   bool // the first octet is a dot: it is stuffed at the beginning of a line
	lines bool // there is a line end; without one only first counts
	first int  // octets up to the first line end
	last  int  // and behind the last
}

// look finds out whether octets are clean.
func look(b []byte) (c clean) {
	if len(b) == 0 {
		return clean{ok: true}
	}
	if b[0] == '\n' || b[len(b)-1] == '\r' || bytes.IndexByte(b, 0) >= 0 || bytes.Contains(b, stuffed) {
		return c
	}
	c.dot = b[0] == '.'
	n, start := 0, 0
	for ; start < len(b); n++ {
		end := bytes.IndexByte(b[start:], '\n')
		if end < 0 {
			break
		}
		if end == 0 || b[start+end-1] != '\r' || end-1 > maxLine {
			return c
		}
		if n == 0 {
			c.first, c.lines = end-1, true
		}
		start += end + 1
	}
	c.last = len(b) - start
	if !c.lines {
		c.first = len(b)
	}
	c.ok = bytes.Count(b, crOnly) == n // each line ended in one CR; any other stands alone
	return c
}

var stuffed = []byte("\n.")

// lookOnce is look for octets that many messages share.
func lookOnce(s *send.Shared) clean {
	if c, ok := s.Note.Load().(clean); ok {
		return c
	}
	c := look(s.Octets)
	s.Note.Store(c)
	return c
}

// layOut makes l.parts what goes over the wire before the final dot. Stretches
// that are clean and fit together go as they are; any others are put together
// and looked through as one.
func (l *line) layOut(m send.Octets) error {
	l.parts = l.parts[:0]
	col, size := 0, 0
	for _, s := range m {
		b := s.Bytes()
		var c clean
		if s.Shared != nil {
			c = lookOnce(s.Shared)
		} else {
			c = look(b)
		}
		if !c.ok || c.dot && col == 0 && !l.chunked || col+c.first > maxLine {
			return l.putTogether(m)
		}
		if col += c.first; c.lines {
			col = c.last
		}
		if size += len(b); len(b) > 0 {
			l.parts = append(l.parts, b)
		}
	}
	if size == 0 || col > 0 {
		return l.putTogether(m)
	}
	l.size = size
	return nil
}

// putTogether is layOut for a message that has dots to stuff, or a fault.
func (l *line) putTogether(m send.Octets) error {
	var whole []byte
	if len(m) == 1 {
		whole = m[0].Bytes()
	} else {
		for _, s := range m {
			whole = append(whole, s.Bytes()...)
		}
	}
	var err error
	if l.out, err = appendMessage(l.out[:0], whole); err != nil {
		return err
	}
	stuffed := l.out[:len(l.out)-len(cmdDot)]
	if l.chunked {
		stuffed = append(l.out[:0], whole...)
	}
	l.parts, l.size = append(l.parts[:0], stuffed), len(whole)
	return nil
}
