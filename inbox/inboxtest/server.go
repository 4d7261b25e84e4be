package inboxtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// Options say what kind of server it is. The zero value has one user, named
// galley with the password secret, and MOVE, UIDPLUS, IDLE and NAMESPACE.
type Options struct {
	Users   map[string]string // login names and passwords
	Folders []string          // beside INBOX, for every user

	NoMove    bool // without MOVE (RFC 6851)
	NoUIDPlus bool // without UIDPLUS (RFC 4315)
	NoIdle    bool // without IDLE (RFC 2177); not together with StartTLS
	NoPlain   bool // LOGIN only

	// Token is what XOAUTH2 and OAUTHBEARER accept, from any user; "" is
	// neither of them.
	Token string

	TLS      *tls.Config // nil: no TLS
	StartTLS bool        // TLS begins with STARTTLS and not at once

	UIDValidity uint32 // of the INBOX, at most 10,000; 0 is 1
}

// Server is a running server. All methods may be called from any goroutine.
type Server struct {
	options Options
	imap    *imapserver.Server // what clients talk to
	direct  *imapserver.Server // the same mail without faults, for Messages
	pipes   *pipes
	inside  *pipes
	copying sync.Mutex // the memory server locks two folders in either order
	serving sync.WaitGroup

	mu    sync.Mutex
	users map[string]*imapmemserver.User
	rooms map[*session]bool // logged in
	wires map[*wire]bool
	fault faults
	said  []Command
	ports []net.Listener
}

// New starts a server without a port. Close ends it.
func New(options Options) *Server {
	if len(options.Users) == 0 {
		options.Users = map[string]string{"galley": "secret"}
	}
	s := &Server{
		options: options, pipes: newPipes(), inside: newPipes(),
		users: map[string]*imapmemserver.User{}, rooms: map[*session]bool{}, wires: map[*wire]bool{},
		fault: newFaults(),
	}
	for name := range options.Users {
		s.users[name] = s.newUser(name, max(options.UIDValidity, 1))
	}
	s.imap = imapserver.New(s.serverOptions(options))
	s.direct = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{s: s, direct: true}, nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}}, InsecureAuth: true, Logger: silent{},
	})
	s.serve(s.imap, &listener{Listener: s.pipes, s: s})
	s.serve(s.direct, s.inside)
	return s
}

// serve accepts from ln until Close.
func (s *Server) serve(server *imapserver.Server, ln net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ports = append(s.ports, ln)
	s.serving.Go(func() { server.Serve(ln) })
}

func (s *Server) serverOptions(o Options) *imapserver.Options {
	caps := imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapNamespace: {}, imap.CapESearch: {}, imap.CapChildren: {}}
	if !o.NoMove {
		caps[imap.CapMove] = struct{}{}
	}
	if !o.NoUIDPlus {
		caps[imap.CapUIDPlus] = struct{}{}
	}
	options := &imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{s: s, changed: make(chan struct{}, 1)}, nil, nil
		},
		Caps: caps, InsecureAuth: !o.StartTLS, Logger: silent{},
	}
	if o.StartTLS {
		options.TLSConfig = o.TLS
	}
	return options
}

// silent drops what the memory server logs: it is about the faults that were
// asked for.
type silent struct{}

// Printf does nothing.
func (silent) Printf(string, ...any) {}

// newUser makes a user whose INBOX has this UIDVALIDITY. The memory server
// only counts, so it is made to count.
func (s *Server) newUser(name string, validity uint32) *imapmemserver.User {
	u := imapmemserver.NewUser(name, s.options.Users[name])
	for range min(validity, 10_000) - 1 {
		u.Create("INBOX", nil) // fails only where it exists
		u.Delete("INBOX")
	}
	u.Create("INBOX", nil)
	for _, folder := range s.options.Folders {
		u.Create(folder, nil)
	}
	return u
}

func (s *Server) user(name string) *imapmemserver.User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[name]
}

// Deliver puts a message into the user's INBOX, as a mail server does, and
// wakes those who idle. Bare LF line ends become CRLF.
func (s *Server) Deliver(user string, raw []byte) error {
	return s.Put(user, "INBOX", raw)
}

// Put is Deliver into any folder that exists.
func (s *Server) Put(user, folder string, raw []byte, flags ...string) error {
	u := s.user(user)
	if u == nil {
		return fmt.Errorf("deliver to %s: there is no such user", user)
	}
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	options := &imap.AppendOptions{Time: time.Now()}
	for _, f := range flags {
		options.Flags = append(options.Flags, imap.Flag(f))
	}
	if _, err := u.Append(folder, sized{bytes.NewReader(raw)}, options); err != nil {
		return fmt.Errorf("deliver to %s of %s: %w", folder, user, err)
	}
	s.ring()
	return nil
}

type sized struct{ *bytes.Reader }

// ring tells every session that something changed. The memory server's own
// bell is lost when it rings between two commands.
func (s *Server) ring() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for room := range s.rooms {
		select {
		case room.changed <- struct{}{}:
		default: // it knows already
		}
	}
}

// Dial connects over net.Pipe.
func (s *Server) Dial(ctx context.Context) (net.Conn, error) {
	if s.down() {
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNREFUSED}
	}
	return s.pipes.dial(ctx)
}

// Listen also serves on a TCP address, which must be of this machine, and
// returns it with the port that was chosen for port 0.
func (s *Server) Listen(addr string) (string, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	if at, ok := ln.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		ln.Close()
		return "", fmt.Errorf("listen on %s: only 127.0.0.1 and ::1: passwords here are known to everybody", addr)
	}
	s.serve(s.imap, &listener{Listener: ln, s: s})
	return ln.Addr().String(), nil
}

// Close ends all connections and forgets all mail. It may be called twice.
// The memory server's own Close is not used: it races with the start.
func (s *Server) Close() error {
	s.mu.Lock()
	ports := s.ports
	s.ports = nil
	s.mu.Unlock()
	var err error
	for _, ln := range ports {
		err = errors.Join(err, ln.Close())
	}
	s.serving.Wait()
	s.Reset()
	return err
}

// listener puts a wire around what comes in.
type listener struct {
	net.Listener
	s *Server
}

// Accept takes the next connection.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !l.s.down() {
			return l.s.newWire(conn), nil
		}
		conn.Close()
	}
}

// pipes is a listener without a port.
type pipes struct {
	in   chan net.Conn
	once sync.Once
	done chan struct{}
}

func newPipes() *pipes {
	return &pipes{in: make(chan net.Conn), done: make(chan struct{})}
}

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.in <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Accept takes the next connection.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.in:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and dial.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

type pipeAddr struct{}

// Network and String make a net.Addr.
func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// Addr says that there is no port.
func (p *pipes) Addr() net.Addr { return pipeAddr{} }
