package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// line is one connection, logged in.
type line struct {
	*guard
	c         *imapclient.Client
	caps      imap.CapSet
	mechanism string               // how it logged in
	since     time.Time            // when
	wake      chan struct{}        // the server announced mail
	tray      atomic.Pointer[tray] // where FETCH answers go that the library cannot place
	space     *space               // how this server writes folder names, nil: not asked yet
}

// dialTime is how long each step of a connection may take: TCP, TLS and the
// greeting. Together with the longest pause it must stay under a minute.
const dialTime = 15 * time.Second

// open connects and logs in.
func (m *Mailbox) open(ctx context.Context) (*line, error) {
	conn, err := m.dial(ctx)
	if err != nil {
		return nil, err
	}
	l, err := m.greet(ctx, conn)
	if err != nil {
		return nil, err
	}
	if err := m.login(ctx, l); err != nil {
		l.Close()
		return nil, err
	}
	if l.caps, err = l.capabilities(ctx); err != nil {
		l.Close()
		return nil, err
	}
	l.since = time.Now()
	return l, nil
}

// dial opens the raw connection and refuses one that would be in the clear
// on a network.
func (m *Mailbox) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	dial := m.Dial
	if dial == nil {
		dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", m.Addr)
		}
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", m.Addr, err)
	}
	if m.Security == Plain && !local(conn.RemoteAddr()) {
		conn.Close()
		return nil, fmt.Errorf("connect to %s: security is plain, but %s is not this machine: use tls or starttls",
			m.Addr, conn.RemoteAddr())
	}
	return conn, nil
}

// local reports that nobody on a network can listen to a connection to addr.
func local(addr net.Addr) bool {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return addr.Network() == "pipe" // net.Pipe
}

// greet puts TLS and the guard on conn and waits for the server's greeting,
// which must be read before anything else or a BYE in it is lost.
func (m *Mailbox) greet(ctx context.Context, conn net.Conn) (*line, error) {
	l := &line{guard: &guard{Conn: conn, raw: conn}, wake: make(chan struct{}, 1)}
	options := &imapclient.Options{
		TLSConfig: m.tlsConfig(),
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: l.announced, Fetch: l.stray,
		},
	}
	var err error
	switch m.Security {
	case Plain:
		l.c = imapclient.New(l.guard, options)
	case StartTLS:
		err = l.do(ctx, "STARTTLS", dialTime, func() (err error) {
			l.c, err = imapclient.NewStartTLS(l.guard, options)
			return err
		})
	case TLS, "":
		if err = l.handshake(ctx, options.TLSConfig); err == nil {
			l.c = imapclient.New(l.guard, options)
		}
	default:
		err = fmt.Errorf("security %q: it is one of tls, starttls, plain", m.Security)
	}
	if err == nil {
		err = l.do(ctx, "greeting", dialTime, l.c.WaitGreeting)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (m *Mailbox) tlsConfig() *tls.Config {
	config := &tls.Config{}
	if m.TLS != nil {
		config = m.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(m.Addr) // a bad Addr does not dial
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12) // RFC 8997
	return config
}

func (l *line) handshake(ctx context.Context, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn := tls.Client(l.raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	l.Conn = conn
	return nil
}

// announced hears EXISTS. The count is not believed: it only wakes.
func (l *line) announced(data *imapclient.UnilateralDataMailbox) {
	if data.NumMessages == nil {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default: // it is awake already
	}
}

// capabilities asks what the server can do. The library's own list may be
// from before the login.
func (l *line) capabilities(ctx context.Context) (imap.CapSet, error) {
	var caps imap.CapSet
	err := l.do(ctx, "CAPABILITY", commandTime, func() (err error) {
		caps, err = l.c.Capability().Wait()
		return err
	})
	return caps, err
}

// dead reports that err, or something before it, has ended the line.
func (l *line) dead(err error) bool {
	return l.closed() || err != nil && !refused(err)
}

func (l *line) closed() bool {
	select {
	case <-l.c.Closed():
		return true
	default:
		return l.cut.Load()
	}
}

// errClosed is the end of a connection without a command under way.
var errClosed = errors.New("the connection was closed")

// farewell is how long a polite end may take.
const farewell = 2 * time.Second

// logout ends the line politely, and in any case.
func (l *line) logout() {
	l.do(context.Background(), "LOGOUT", farewell, func() error { return l.c.Logout().Wait() })
	l.Close()
}
