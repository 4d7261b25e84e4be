package sendtest

import (
	"net"
	"sync"
)

// unblocked is a connection whose Write never waits for the reader: a second
// goroutine does. It is for net.Pipe, which has no buffer.
type unblocked struct {
	net.Conn
	mu      sync.Mutex
	more    *sync.Cond
	waiting []byte
	closed  bool
	done    chan struct{}
}

func newUnblocked(c net.Conn) *unblocked {
	u := &unblocked{Conn: c, done: make(chan struct{})}
	u.more = sync.NewCond(&u.mu)
	go u.drain()
	return u
}

func (u *unblocked) Write(b []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return 0, net.ErrClosed
	}
	u.waiting = append(u.waiting, b...)
	u.more.Signal()
	return len(b), nil
}

// drain writes what waits, and what still waits when Close is called.
func (u *unblocked) drain() {
	defer close(u.done)
	for {
		u.mu.Lock()
		for len(u.waiting) == 0 && !u.closed {
			u.more.Wait()
		}
		b := u.waiting
		u.waiting = nil
		u.mu.Unlock()
		if len(b) == 0 {
			return
		}
		if _, err := u.Conn.Write(b); err != nil {
			u.fail()
			return
		}
	}
}

func (u *unblocked) fail() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
}

// Close waits until the last reply was read or the other end has gone; Sink
// closes the connection below to hurry it.
func (u *unblocked) Close() error {
	u.fail()
	u.more.Signal()
	<-u.done
	return u.Conn.Close()
}
