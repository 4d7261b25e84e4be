package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// guard stands between the IMAP library and the connection, because the
// library waits for ever: it has no context and re-reads after a plain
// timeout. On silence the guard closes the socket and answers net.ErrClosed,
// which the library takes for the end.
type guard struct {
	net.Conn          // TLS when there is any
	raw      net.Conn // closed in its place: closing TLS may wait 5 s to say goodbye

	cut atomic.Bool // Close was called; the library may not know yet

	mu     sync.Mutex
	limit  time.Duration // silence allowed while reading, 0: for ever
	silent time.Duration // the silence that closed it, 0 if none did
	tail   []byte        // the beginning of the line that was read last
	ended  bool          // that line is complete
}

// Read reads with the deadline that holds now.
func (g *guard) Read(p []byte) (int, error) {
	g.allow(-1)
	n, err := g.Conn.Read(p)
	g.hear(p[:n])
	if errors.Is(err, os.ErrDeadlineExceeded) {
		g.expire()
		return n, net.ErrClosed
	}
	return n, err
}

// allow sets how long the server may be silent, also for a Read that waits
// already; 0 is for ever, a negative time keeps what holds.
func (g *guard) allow(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if d >= 0 {
		g.limit = d
	}
	at := time.Time{}
	if g.limit > 0 {
		at = time.Now().Add(g.limit)
	}
	g.Conn.SetReadDeadline(at) // fails only on a closed connection, which Read then tells
}

func (g *guard) expire() {
	g.mu.Lock()
	g.silent = g.limit
	g.mu.Unlock()
	g.Close()
}

// SetReadDeadline does nothing: the library's own deadlines are re-read.
func (g *guard) SetReadDeadline(time.Time) error { return nil }

// SetDeadline sets the deadline for writing only.
func (g *guard) SetDeadline(t time.Time) error { return g.Conn.SetWriteDeadline(t) }

// Close closes the socket at once.
func (g *guard) Close() error {
	g.cut.Store(true)
	return g.raw.Close()
}

// tailSize is enough for what a server says when it hangs up.
const tailSize = 300

// hear keeps the beginning of the last line, for a BYE that the library
// passes over.
func (g *guard) hear(p []byte) {
	if len(p) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := bytes.LastIndexByte(p[:len(p)-1], '\n'); i >= 0 || g.ended {
		g.tail, p = g.tail[:0], p[i+1:]
	}
	g.ended = p[len(p)-1] == '\n'
	g.tail = append(g.tail, p[:min(len(p), tailSize-len(g.tail))]...)
}

// lastWords says why the connection ended, as far as the guard knows.
func (g *guard) lastWords() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.silent > 0 {
		return fmt.Errorf("the server was silent for %v", g.silent)
	}
	if bye, ok := strings.CutPrefix(oneLine(string(g.tail)), "* BYE"); ok {
		return fmt.Errorf("the server hung up: BYE%s", bye)
	}
	return nil
}

const (
	// silence is how long a server may take between two octets of an answer.
	silence = time.Minute
	// commandTime is how long it may take for a small answer in all.
	commandTime = 2 * time.Minute
	// grace is how long the library may take to notice a closed connection.
	// It sometimes never does: when a server sends a challenge and its refusal
	// in one go, an AUTHENTICATE waits for the next challenge for good.
	grace = 5 * time.Second
)

// do runs f, which talks to the server, and closes the connection when ctx
// ends, when the whole takes longer than limit, or when the server is silent.
// The error says what was being done. After an error nothing that f was to
// fill in may be read: f is left alone when even the closing does not end it.
func (g *guard) do(ctx context.Context, what string, limit time.Duration, f func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	whole, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if limit > silence {
		g.allow(silence)
	}
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		g.allow(0)
		return g.fault(what, err)
	case <-whole.Done():
	}
	g.Close()
	select { // f may still be writing what the caller reads
	case <-done:
	case <-time.After(grace):
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%s: the server did not finish in %v", what, limit)
}

// fault puts an error of the library into our words.
func (g *guard) fault(what string, err error) error {
	if err == nil {
		return nil
	}
	if r := refusal(what, err); r != nil {
		return r
	}
	if words := g.lastWords(); words != nil {
		return fmt.Errorf("%s: %w", what, words)
	}
	return fmt.Errorf("%s: %w", what, err)
}
