package sendtest

import "bytes"

var (
	dotLine = []byte(".\r\n")
	crlfDot = []byte("\r\n.")
)

// keepTail octets of a message that is too long are kept, to find its end.
const keepTail = 8

// readBody reads up to the final dot into t.body[:t.bodyEnd], with the dots of
// transparency taken off. What follows the dot stays in the reader. It is
// false when the client went away before the dot.
func (t *session) readBody() bool {
	if t.counting() {
		return t.countBody()
	}
	t.body, t.bodyEnd = t.body[:0], 0
	from, over := 0, 0
	for {
		if t.in.Buffered() == 0 {
			t.out.Flush()
		}
		if _, err := t.in.Peek(1); err != nil {
			return false
		}
		chunk, _ := t.in.Peek(t.in.Buffered())
		t.body = append(t.body, chunk...)
		end, ok := findEnd(t.body, from)
		if ok {
			t.in.Discard(len(chunk) - (len(t.body) - end))
			t.settleBody(end-len(dotLine), over)
			return true
		}
		t.in.Discard(len(chunk))
		from = end
		if len(t.body) > 2*t.sink.opt.MaxSize { // too long: keep counting, not keeping
			cut := from - keepTail // never 0 left: findEnd(b, 0) means the beginning
			over += cut
			t.body, from = append(t.body[:0], t.body[cut:]...), from-cut
		}
	}
}

// settleBody notes the message's length; over are octets that were let go.
func (t *session) settleBody(end, over int) {
	if over > 0 {
		t.bodyEnd = max(t.sink.opt.MaxSize+1, over)
		return
	}
	t.body = unstuff(t.body[:end])
	t.bodyEnd = len(t.body)
}

// findEnd looks for the end of data in b: CRLF "." CRLF and nothing else (RFC
// 5321 section 4.1.1.4), or "." CRLF at the very beginning, since the CRLF of
// the DATA command counts. It returns the index behind it, or where the next
// search is to begin when more has been read.
func findEnd(b []byte, from int) (int, bool) {
	if from == 0 {
		if bytes.HasPrefix(b, dotLine) {
			return len(dotLine), true
		}
		if bytes.HasPrefix(dotLine, b) {
			return 0, false
		}
	}
	for i := from; ; {
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			return len(b), false
		}
		n := i + j
		rest := b[n+1:]
		if n > 0 && b[n-1] == '\r' {
			if bytes.HasPrefix(rest, dotLine) {
				return n + 1 + len(dotLine), true
			}
			if bytes.HasPrefix(dotLine, rest) {
				return n, false
			}
		}
		i = n + 1
	}
}

// unstuff takes off the dot before each line that begins with one (RFC 5321
// section 4.5.2), in place.
func unstuff(b []byte) []byte {
	if len(b) > 0 && b[0] == '.' {
		b = b[1:]
	}
	i := bytes.Index(b, crlfDot)
	if i < 0 {
		return b
	}
	out := i + 2
	for in := i + 3; ; {
		j := bytes.Index(b[in:], crlfDot)
		if j < 0 {
			return b[:out+copy(b[out:], b[in:])]
		}
		out += copy(b[out:], b[in:in+j+2])
		in += j + 3
	}
}
