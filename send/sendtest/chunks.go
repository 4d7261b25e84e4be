package sendtest

import (
	"bufio"
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// counting tells that nobody wants the octets of messages: they are counted as
// they come and kept nowhere, so that the sink costs little beside the sender
// that is measured against it.
func (t *session) counting() bool {
	return t.sink.opt.Keep == KeepCounts && t.sink.opt.Submit == nil
}

// countBody is readBody without keeping the octets: it looks for lines that
// begin with a dot, of which the end of the message is one, and takes the dots
// of the others off the count.
func (t *session) countBody() bool {
	t.bodyEnd = 0
	last := [2]byte{'\r', '\n'} // the CRLF of the DATA command counts (RFC 5321 section 4.1.1.4)
	for {
		if t.in.Buffered() == 0 {
			t.out.Flush()
		}
		if _, err := t.in.Peek(1); err != nil {
			return false
		}
		if last == [2]byte{'\r', '\n'} {
			done, ok := t.dotLine()
			if done || !ok {
				return ok
			}
		}
		chunk, _ := t.in.Peek(t.in.Buffered())
		n := lineEnd(chunk)
		if last[1] == '\r' && chunk[0] == '\n' { // the line end came in two pieces
			n = 1
		}
		if n == 1 {
			last = [2]byte{last[1], chunk[0]}
		} else {
			last = [2]byte(chunk[n-2 : n])
		}
		t.bodyEnd += n
		t.in.Discard(n)
	}
}

// lineEnd is how much of a chunk may be counted before a line that begins with
// a dot, or may begin with one.
func lineEnd(chunk []byte) int {
	for from := 0; ; { // bytes.Index would look twice at every CR
		n := bytes.IndexByte(chunk[from:], '\n')
		if n < 0 {
			return len(chunk)
		}
		from += n + 1
		if from < len(chunk) && chunk[from] == '.' && from > 1 && chunk[from-2] == '\r' {
			return from
		}
	}
}

// dotLine looks at the beginning of a line: done tells that it is the end of
// the message.
func (t *session) dotLine() (done, ok bool) {
	if b, _ := t.in.Peek(1); b[0] != '.' {
		return false, true
	}
	b, err := t.in.Peek(len(dotLine))
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return false, false
	}
	if bytes.Equal(b, dotLine) {
		t.in.Discard(len(dotLine))
		return true, true
	}
	t.in.Discard(1) // of transparency
	return false, true
}

// bdat answers BDAT (RFC 3030 section 2). The octets that it announces are
// taken in any case: what follows them is the next command.
func (t *session) bdat(arg string) bool {
	words := strings.Fields(strings.ToUpper(arg))
	last := len(words) == 2 && words[1] == "LAST"
	n := -1
	if len(words) == 1 || last {
		n, _ = strconv.Atoi(words[0])
	}
	if n < 0 || words[0][0] < '0' || words[0][0] > '9' || !t.sink.opt.Chunking { // how much would follow is not known
		t.say(StageData, 501, "5.5.4 BDAT octets [LAST]")
		return false
	}
	sound := len(t.to) > 0
	if !t.readChunk(n, sound) {
		t.sink.stats.cut.Add(1)
		return false
	}
	switch {
	case !sound:
		return t.ok(StageData, 503, "5.5.1 no recipient was accepted")
	case !last:
		t.chunks = true
		return t.ok(StageData, 250, "2.0.0 "+words[0]+" octets taken")
	}
	t.sink.stats.data.Add(1)
	on := t.finish()
	t.reset()
	return on
}

// readChunk reads n octets, into the body if keep is set.
func (t *session) readChunk(n int, keep bool) bool {
	for n > 0 {
		if t.in.Buffered() == 0 {
			t.out.Flush()
		}
		if _, err := t.in.Peek(1); err != nil {
			return false
		}
		some := min(n, t.in.Buffered())
		if keep {
			if !t.counting() && t.bodyEnd+some <= t.sink.opt.MaxSize {
				chunk, _ := t.in.Peek(some)
				t.body = append(t.body[:t.bodyEnd], chunk...)
			}
			t.bodyEnd += some
		}
		t.in.Discard(some)
		n -= some
	}
	return true
}
