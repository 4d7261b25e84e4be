package mailbox

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Where the library waits for good, even on a closed connection, we do not.
func TestDoAbandons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		g := &guard{Conn: here, raw: here}
		block := make(chan struct{})
		defer close(block)
		start := time.Now()
		err := g.do(t.Context(), "X", 10*time.Second, func() error { <-block; return nil })
		if err == nil || !strings.Contains(err.Error(), "X: the server did not finish in 10s") ||
			time.Since(start) != 10*time.Second+grace {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(net.ErrClosed)
		if err := g.do(ctx, "X", time.Second, func() error { t.Error("run"); return nil }); !errors.Is(err, net.ErrClosed) {
			t.Errorf("over before it began: %v", err)
		}
	})
}

// Only silence while something is expected ends the line.
func TestSilenceOnlyWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		g := &guard{Conn: here, raw: here}
		ended := make(chan time.Time, 1)
		go func() {
			_, err := g.Read(make([]byte, 10))
			if err != net.ErrClosed {
				t.Errorf("Read: %v", err)
			}
			ended <- time.Now()
		}()
		time.Sleep(24 * time.Hour)
		g.SetReadDeadline(time.Now().Add(time.Second)) // the library's, which is not obeyed
		time.Sleep(time.Hour)
		start := time.Now()
		g.allow(time.Minute)
		if d := (<-ended).Sub(start); d != time.Minute {
			t.Errorf("ended after %v", d)
		}
		if _, err := there.Write([]byte("x")); err == nil {
			t.Error("the socket is open")
		}
		if err := g.lastWords(); err == nil || err.Error() != "the server was silent for 1m0s" {
			t.Errorf("last words: %v", err)
		}
	})
}

func FuzzLastLine(f *testing.F) {
	f.Add([]byte("* OK hello\r\n* BYE good night\r\n"), 3)
	f.Add([]byte("\n\n\n* BYE x"), 1)
	f.Fuzz(func(t *testing.T, text []byte, step int) {
		if step < 1 || len(text) == 0 {
			return
		}
		g := &guard{}
		for part := text; len(part) > 0; {
			n := min(step, len(part))
			g.hear(part[:n])
			part = part[n:]
		}
		last := text[bytes.LastIndexByte(text[:len(text)-1], '\n')+1:]
		if want := last[:min(len(last), tailSize)]; !bytes.Equal(g.tail, want) {
			t.Fatalf("%q in steps of %d: %q, want %q", text, step, g.tail, want)
		}
		if words := g.lastWords(); words != nil && strings.ContainsAny(words.Error(), "\r\n\x00\x1b") {
			t.Fatalf("%q", words)
		}
	})
}
