package sendtest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Keep tells how much of an accepted message the sink remembers.
type Keep int

const (
	// KeepOctets remembers every octet. It is the zero value.
	KeepOctets Keep = iota
	// KeepDigests remembers envelope, size, Message-ID and SHA-256 only.
	KeepDigests
	// KeepCounts remembers nothing but the counters.
	KeepCounts
)

// Options shape a Sink. The zero value takes everything over plain SMTP.
type Options struct {
	Domain string // name in the greeting, "sink.example" when empty

	TLS      *tls.Config // offers STARTTLS; see SelfSigned
	Implicit bool        // TLS from the first octet instead (RFC 8314)

	Auth   func(user, password string) error   // offers AUTH PLAIN and LOGIN, and demands it before MAIL
	Submit func(user string, a Accepted) error // asked before a message is taken; its error refuses it

	OnAccept func(Accepted) // told of every message taken, before its reply; must not block long

	Keep    Keep
	MaxSize int // octets of one message, 0: 32 MiB

	NoPipelining bool // does not offer RFC 2920 (commands that are pipelined all the same are answered)
	Chunking     bool // offers RFC 3030
	SMTPUTF8     bool // offers RFC 6531
	LMTP         bool // speaks RFC 2033: LHLO, and a reply for each recipient behind the final dot

	MaxMessages int // of one connection; the MAIL after them is answered 421; 0: no limit

	Delay    time.Duration    // before every reply
	Slow     time.Duration    // before the last reply to a slow+ recipient, 0: 2 s
	Greylist time.Duration    // how long a greylist+ triple is refused, 0: the first time only
	Fault    func(Step) Fault // what goes wrong, asked before every reply
}

// Sink is a running SMTP server.
type Sink struct {
	opt   Options
	store store
	stats counters
	grey  greylist

	mu        sync.Mutex
	closed    bool
	listeners []net.Listener
	conns     map[net.Conn]struct{}
	wg        sync.WaitGroup
	done      chan struct{}
}

// New makes a sink that listens nowhere yet; give it listeners with Serve.
func New(opt Options) *Sink {
	if opt.Domain == "" {
		opt.Domain = "sink.example"
	}
	if opt.MaxSize == 0 {
		opt.MaxSize = 32 << 20
	}
	if opt.Slow == 0 {
		opt.Slow = 2 * time.Second
	}
	s := &Sink{opt: opt, conns: map[net.Conn]struct{}{}, done: make(chan struct{})}
	s.store.keep = opt.Keep
	if opt.OnAccept != nil {
		s.OnAccept(opt.OnAccept)
	}
	return s
}

// Start listens on addr, such as "127.0.0.1:0", and serves until Close. Its
// error is the listener's.
func Start(addr string, opt Options) (*Sink, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("SMTP sink: %w", err)
	}
	s := New(opt)
	s.listeners = append(s.listeners, l)
	s.wg.Go(func() { s.acceptAll(l) })
	return s, nil
}

// Serve takes connections from l until l or the sink is closed. A connection
// of net.Pipe has no buffer; the sink then writes its replies from a second
// goroutine, so that a client that pipelines cannot deadlock with it.
func (s *Sink) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.listeners = append(s.listeners, l)
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()
	return s.acceptAll(l)
}

// acceptAll returns nil when l was closed.
func (s *Sink) acceptAll(l net.Listener) error {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("SMTP sink: %w", err)
		}
		s.take(c)
	}
}

// take starts the dialogue on c, unless the sink was closed meanwhile.
func (s *Sink) take(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.wg.Go(func() {
		defer s.forget(c)
		newSession(s, c).serve()
	})
}

func (s *Sink) forget(c net.Conn) {
	c.Close()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// Addr is the address of the first listener as "host:port", "" when there is
// none.
func (s *Sink) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listeners) == 0 {
		return ""
	}
	return s.listeners[0].Addr().String()
}

// Close ends all listeners and connections and returns when their goroutines
// are gone. It may be called twice.
func (s *Sink) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	for _, l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}

// pause waits for d, or less when the sink is closed.
func (s *Sink) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.done:
	}
}
