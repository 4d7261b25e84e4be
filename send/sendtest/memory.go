package sendtest

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Memory is a network of one listener in memory: connections with buffers and
// deadlines, and a delay when one is wished. Unlike net.Pipe it lets a client
// pipeline; unlike loopback it works in a testing/synctest bubble, where the
// delay costs nothing.
type Memory struct {
	delay time.Duration
	queue chan net.Conn
	once  sync.Once
	done  chan struct{}
}

// NewMemory makes a listener whose octets take delay in each direction, so
// that a round trip takes twice that.
func NewMemory(delay time.Duration) *Memory {
	return &Memory{delay: delay, queue: make(chan net.Conn), done: make(chan struct{})}
}

// Dial connects to the listener; it is what a client's Dial field takes.
func (m *Memory) Dial(ctx context.Context) (net.Conn, error) {
	there, back := newHalf(m.delay), newHalf(m.delay)
	client, server := &memoryConn{in: back, out: there}, &memoryConn{in: there, out: back}
	select {
	case m.queue <- server:
		return client, nil
	case <-m.done:
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: memoryAddr{}, Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for a Dial.
func (m *Memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.queue:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

// Close lets Accept and Dial fail from now on; connections live on.
func (m *Memory) Close() error {
	m.once.Do(func() { close(m.done) })
	return nil
}

// Addr is a name and no more.
func (m *Memory) Addr() net.Addr { return memoryAddr{} }

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "memory" }

// halfLimit is how many octets may be on their way in one direction before a
// writer waits, as with the buffers of TCP.
const halfLimit = 256 << 10

// half is one direction of a connection.
type half struct {
	delay time.Duration

	mu      sync.Mutex
	changed chan struct{} // closed and renewed at every change
	queue   []parcel
	size    int
	shut    bool      // the writer has closed: EOF after the queue
	gone    bool      // the reader has closed
	read    time.Time // deadlines
	write   time.Time
}

// parcel is what one Write sent, and when it arrives.
type parcel struct {
	octets []byte
	at     time.Time
}

func newHalf(delay time.Duration) *half {
	return &half{delay: delay, changed: make(chan struct{})}
}

// change runs f and wakes everybody who waits.
func (h *half) change(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	h.wake()
}

func (h *half) wake() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// wait lets go of h.mu until something changes or the instant comes; a zero
// instant never does.
func (h *half) wait(until time.Time) {
	changed := h.changed
	h.mu.Unlock()
	defer h.mu.Lock()
	if until.IsZero() {
		<-changed
		return
	}
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	}
}

func past(deadline time.Time) bool {
	return !deadline.IsZero() && !time.Now().Before(deadline)
}

func (h *half) Read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.gone:
			return 0, net.ErrClosed
		case past(h.read):
			return 0, os.ErrDeadlineExceeded
		case len(h.queue) > 0 && !time.Now().Before(h.queue[0].at):
			return h.next(b), nil
		case len(h.queue) == 0 && h.shut:
			return 0, io.EOF
		}
		h.wait(h.wakeReader())
	}
}

// wakeReader is the next instant at which Read has something to do.
func (h *half) wakeReader() time.Time {
	if len(h.queue) == 0 {
		return h.read
	}
	at := h.queue[0].at
	if !h.read.IsZero() && h.read.Before(at) {
		return h.read
	}
	return at
}

func (h *half) next(b []byte) int {
	n := copy(b, h.queue[0].octets)
	h.queue[0].octets = h.queue[0].octets[n:]
	if len(h.queue[0].octets) == 0 {
		h.queue = h.queue[1:]
	}
	h.size -= n
	h.wake()
	return n
}

func (h *half) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	done := 0
	for done < len(b) {
		switch {
		case h.shut:
			return done, net.ErrClosed
		case h.gone:
			return done, io.ErrClosedPipe
		case past(h.write):
			return done, os.ErrDeadlineExceeded
		}
		n := min(len(b)-done, halfLimit-h.size)
		if n == 0 {
			h.wait(h.write)
			continue
		}
		h.queue = append(h.queue, parcel{append([]byte(nil), b[done:done+n]...), time.Now().Add(h.delay)})
		h.size += n
		done += n
		h.wake()
	}
	return done, nil
}

// memoryConn is one end of a connection.
type memoryConn struct{ in, out *half }

func (c *memoryConn) Read(b []byte) (int, error)  { return c.in.Read(b) }
func (c *memoryConn) Write(b []byte) (int, error) { return c.out.Write(b) }

// Close loses what this end has not read, and nothing of what it wrote.
func (c *memoryConn) Close() error {
	c.in.change(func() { c.in.gone = true })
	c.out.change(func() { c.out.shut = true })
	return nil
}

func (c *memoryConn) LocalAddr() net.Addr  { return memoryAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr { return memoryAddr{} }

func (c *memoryConn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.in.change(func() { c.in.read = t })
	return nil
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	c.out.change(func() { c.out.write = t })
	return nil
}
