package relay

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"galley/send"
	"galley/send/sendtest"
)

// issue is a message of the size of a real issue: 55 KB of quoted-printable.
func issue() []byte {
	return letter(strings.Repeat(strings.Repeat("=E2=80=94 some words ", 3)+"and more.\r\n", 55<<10/73))
}

// BenchmarkWire is the work on the octets alone.
func BenchmarkWire(b *testing.B) {
	msg := issue()
	out := make([]byte, 0, 2*len(msg))
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := appendMessage(out, msg); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDeliver compares our client with go-smtp's (goal S4), both on one
// connection to the same kind of sink. cpu-µs/op is the CPU time of the client
// alone: its goroutine has a thread of its own.
func BenchmarkDeliver(b *testing.B) {
	b.Run("relay", func(b *testing.B) { benchRelay(b, false) })
	b.Run("one-by-one", func(b *testing.B) { benchRelay(b, true) })
	b.Run("go-smtp", benchGoSMTP)
}

// shared is a message in stretches like those of an issue: what is a copy's own
// at the beginning, and in the middle.
func shared(msg []byte) send.Octets {
	head := bytes.Index(msg, []byte("\r\n")) + 2
	middle := len(msg)/2 + bytes.Index(msg[len(msg)/2:], []byte("\r\n")) + 2
	end := middle + bytes.Index(msg[middle:], []byte("\r\n")) + 2
	return send.Octets{{Own: msg[:head]}, {Shared: &send.Shared{Octets: msg[head:middle]}}, {Own: msg[middle:end]}, {Shared: &send.Shared{Octets: msg[end:]}}}
}

// carryOne carries one message and announces the same envelope behind it.
func carryOne(ctx context.Context, l send.Line, e *send.Envelope, m send.Octets) send.Outcome {
	if o, ok := l.Begin(ctx, *e, m); !ok {
		return o
	}
	return l.End(e)
}

func benchRelay(b *testing.B, alone bool) {
	_, r := sink(b, sendtest.Options{Keep: sendtest.KeepCounts})
	r.MaxMessages, r.NoPipelining = 1<<40, alone
	l, msg := open(b, r), shared(issue())
	e := to("ann@example.org")
	b.SetBytes(int64(msg.Len()))
	b.ReportAllocs()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := cpu(b)
	for b.Loop() {
		if o := carryOne(b.Context(), l, &e, msg); o.Verdict != send.Accepted {
			b.Fatal(o)
		}
	}
	b.ReportMetric(float64(cpu(b)-start)/float64(b.N)/1e3, "cpu-µs/op")
}

func benchGoSMTP(b *testing.B) {
	s, _ := sink(b, sendtest.Options{Keep: sendtest.KeepCounts})
	c, err := smtp.Dial(s.Addr())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	msg := issue()
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := cpu(b)
	for b.Loop() {
		if err := sendtest.Yard(c, msg); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu(b)-start)/float64(b.N)/1e3, "cpu-µs/op")
}

// TestAllocations is goal S8 on the side of the relay: five a recipient for
// the whole path, of which these are the share of delivering.
func TestAllocations(t *testing.T) {
	answer := []byte("250 2.0.0 Ok: queued as 4XYZ\r\n")
	envelope := []byte("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n")
	c := &canned{}
	r := &Relay{Addr: "localhost:25", Security: Plain, MaxMessages: 1 << 40}
	l := newLine(r, c, Limits{}.filled())
	l.ext.pipelining = true
	msg, e := shared(issue()), to("ann@example.org")
	c.say(envelope)
	n := testing.AllocsPerRun(200, func() {
		c.say(answer)
		if o := carryOne(t.Context(), l, &e, msg); o.Verdict != send.Accepted {
			t.Fatalf("%+v", o)
		}
		c.say(envelope)
	})
	if n > 1 { // the server's words
		t.Errorf("%.0f allocations a message", n)
	}
	t.Logf("%.0f allocations a message", n)
}

// canned is a connection whose answers were put there before.
type canned struct {
	elsewhere
	in bytes.Buffer
	// held is what must not be read before the body was written.
	held []byte
}

func (c *canned) say(b []byte) {
	if c.in.Len() == 0 {
		c.in.Write(b)
		return
	}
	c.held = append(c.held[:0], b...)
}

func (c *canned) Read(b []byte) (int, error) { return c.in.Read(b) }

func (c *canned) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("\r\n.\r\n")) {
		c.in.Write(c.held)
		c.held = c.held[:0]
	}
	return len(b), nil
}

func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }
func (c *canned) Close() error                     { return nil }
