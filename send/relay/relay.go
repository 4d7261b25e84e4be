package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"galley/send"
)

// Security is how the connection to the next hop is protected.
type Security string

const (
	// TLS from the first octet (RFC 8314); the empty Security means it too.
	TLS Security = "tls"
	// STARTTLS is demanded after EHLO (RFC 3207); a next hop without it gets
	// no mail.
	STARTTLS Security = "starttls"
	// Plain text, to this machine only.
	Plain Security = "plain"
	// Opportunistic is STARTTLS where it is offered and plain text where not
	// (RFC 7435); logging in needs TLS or this machine.
	Opportunistic Security = "opportunistic"
	// InsecurePlain is plain text over any network; logging in stays
	// impossible there.
	InsecurePlain Security = "insecure-plain"
)

// Limits are the longest waits. Zero fields have the values of RFC 5321
// section 4.5.3.2, or those given here where it names none.
type Limits struct {
	Connect     time.Duration // 30 s for the connection
	Handshake   time.Duration // 1 min for TLS
	Greeting    time.Duration // 5 min; also for the replies to EHLO, STARTTLS, AUTH and RSET
	Mail        time.Duration // 5 min
	Rcpt        time.Duration // 5 min
	Data        time.Duration // 2 min for the 354
	Block       time.Duration // 3 min for each 128 KiB of the body
	Final       time.Duration // 10 min for the reply to the final dot
	Quit        time.Duration // 2 s for the reply to QUIT, which decides nothing
	Transaction time.Duration // 20 min from MAIL until the final dot has left, and for opening a line
}

func (l Limits) filled() Limits {
	fill := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	fill(&l.Connect, 30*time.Second)
	fill(&l.Handshake, time.Minute)
	fill(&l.Greeting, 5*time.Minute)
	fill(&l.Mail, 5*time.Minute)
	fill(&l.Rcpt, 5*time.Minute)
	fill(&l.Data, 2*time.Minute)
	fill(&l.Block, 3*time.Minute)
	fill(&l.Final, 10*time.Minute)
	fill(&l.Quit, 2*time.Second)
	fill(&l.Transaction, 20*time.Minute)
	return l
}

// Relay is a next hop and how to reach it. It is safe for concurrent use and
// must not be changed once in use.
type Relay struct {
	Addr     string      // "host:port"
	Security Security    // TLS when empty
	TLS      *tls.Config // may be nil; ServerName is the host of Addr when empty
	Auth     *Auth       // nil: no login
	Hello    string      // our name in EHLO; the connection's own address when empty

	// Dial connects instead of TCP to Addr when it is not nil.
	Dial func(ctx context.Context) (net.Conn, error)

	Limits       Limits
	MaxMessages  int  // of one connection, 100 when 0
	Window       int  // messages on their way at once over one connection, where next hop offers CHUNKING; 1 when 0. A crash may double as many
	NoPipelining bool // does not pipeline even where it is offered
	LMTP         bool // speaks LMTP (RFC 2033), to a mailbox server nearby

	near atomic.Bool // has answered at once over some line
}

// Line connects, greets, secures and logs in. The error is a *send.Refusal
// when the next hop said no, otherwise the fault of the network or of the
// configuration. A cancelled ctx ends the attempt and means nothing for the
// line once it is open.
func (r *Relay) Line(ctx context.Context) (send.Line, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	limits := r.Limits.filled()
	conn, err := r.connect(ctx, limits.Connect)
	if err != nil {
		return nil, fmt.Errorf("next hop %s: connect: %w", r.Addr, err)
	}
	l := newLine(r, conn, limits)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	err = l.open(ctx, r)
	if !stop() {
		err = fmt.Errorf("next hop %s: %w", r.Addr, context.Cause(ctx))
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return l, nil
}

// check finds what is wrong before anything is sent.
func (r *Relay) check() error {
	switch r.Security {
	case "", TLS, STARTTLS, Opportunistic, InsecurePlain:
	case Plain:
		if !loopbackName(r.host()) {
			return fmt.Errorf("next hop %s: plain SMTP leaves this machine; use %q or %q, or spell it out as %q",
				r.Addr, TLS, STARTTLS, InsecurePlain)
		}
	default:
		return fmt.Errorf("next hop %s: security %q is not known; use %q, %q or %q", r.Addr, r.Security, TLS, STARTTLS, Plain)
	}
	if strings.ContainsFunc(r.Hello, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return fmt.Errorf("next hop %s: the EHLO name %q may hold no spaces and only ASCII", r.Addr, r.Hello)
	}
	return nil
}

func (r *Relay) host() string {
	host, _, err := net.SplitHostPort(r.Addr)
	if err != nil {
		return r.Addr
	}
	return host
}

func loopbackName(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func (r *Relay) connect(ctx context.Context, limit time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if r.Dial != nil {
		return r.Dial(ctx)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", r.Addr)
}

// local tells whether conn ends on this machine. A name is believed only when
// the connection itself cannot tell.
func (r *Relay) local(conn net.Conn) bool {
	switch a := conn.RemoteAddr().(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return loopbackName(r.host())
}

// open is the dialogue up to the first MAIL.
func (l *line) open(ctx context.Context, r *Relay) error {
	local := r.local(l.raw)
	if r.Security == Plain && !local {
		return fmt.Errorf("next hop %s: plain SMTP to %s leaves this machine; use %q", r.Addr, l.raw.RemoteAddr(), STARTTLS)
	}
	l.bound = time.Now().Add(l.limits.Transaction)
	if r.Security == TLS || r.Security == "" {
		if err := l.handshake(ctx, r); err != nil {
			return err
		}
	}
	if err := l.expect2(send.StageGreeting, nil); err != nil {
		return err
	}
	if err := l.hello(r); err != nil {
		return err
	}
	if r.Security == STARTTLS || r.Security == Opportunistic && l.ext.startTLS {
		if err := l.startTLS(ctx, r); err != nil {
			return err
		}
	}
	if r.Auth == nil {
		return nil
	}
	if !l.secure && !local {
		return fmt.Errorf("next hop %s: the password would leave this machine in the clear; use %q or %q", r.Addr, TLS, STARTTLS)
	}
	return l.login(ctx, r)
}

// startTLS upgrades the connection. What the next hop said in the clear is
// forgotten, and a single octet behind its 220 is an attack or a fault that
// ends the connection (RFC 3207 sections 4.2 and 6).
func (l *line) startTLS(ctx context.Context, r *Relay) error {
	if !l.ext.startTLS {
		return l.missing(send.StageTLS, "next hop does not offer STARTTLS, which is demanded")
	}
	if err := l.expect2(send.StageTLS, []byte("STARTTLS\r\n")); err != nil {
		return err
	}
	if l.in.Buffered() > 0 {
		return l.missing(send.StageTLS, "next hop sent plain text behind its reply to STARTTLS")
	}
	if err := l.handshake(ctx, r); err != nil {
		return err
	}
	return l.hello(r)
}

func (l *line) handshake(ctx context.Context, r *Relay) error {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.TLS != nil {
		config = r.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = r.host()
	}
	c := tls.Client(l.raw, config)
	l.raw.SetDeadline(l.deadline(l.limits.Handshake))
	if err := c.HandshakeContext(ctx); err != nil {
		return tlsFault{l.fault(send.StageTLS, err)}
	}
	l.raw.SetDeadline(time.Time{})
	l.secure = true
	l.use(c)
	return nil
}

// hello says EHLO, and HELO to those that do not know it (RFC 5321 section
// 3.2).
func (l *line) hello(r *Relay) error {
	name := r.Hello
	if name == "" {
		name = literal(l.raw.LocalAddr())
	}
	l.ext = extensions{}
	verb := "EHLO "
	if r.LMTP {
		verb = "LHLO " // RFC 2033 section 4.1: EHLO and HELO are not for LMTP
	}
	asked := time.Now()
	rep, err := l.command(l.limits.Greeting, []byte(verb+name+"\r\n"), l.ext.add)
	if time.Since(asked) < nearby {
		r.near.Store(true)
	}
	l.near = r.near.Load() // one that is busy just now is no further away for that
	if err == nil && !r.LMTP && (rep.code == 500 || rep.code == 502 || rep.code == 504) {
		l.ext = extensions{}
		rep, err = l.command(l.limits.Greeting, []byte("HELO "+name+"\r\n"), nil)
	}
	if err != nil {
		return l.fault(send.StageEHLO, err)
	}
	if rep.code/100 != 2 {
		return &send.Refusal{Outcome: rep.outcome(send.StageEHLO)}
	}
	return nil
}

// literal is the address literal of RFC 5321 section 4.1.3 for a host that
// knows no better name of its own.
func literal(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	switch {
	case !ok:
		return "localhost"
	case t.IP.To4() != nil:
		return "[" + t.IP.String() + "]"
	}
	return "[IPv6:" + t.IP.String() + "]"
}

// expect2 says cmd and returns a *send.Refusal for every reply but a 2yz.
func (l *line) expect2(stage send.Stage, cmd []byte) error {
	rep, err := l.command(l.limits.Greeting, cmd, nil)
	if err != nil {
		return l.fault(stage, err)
	}
	if rep.code/100 != 2 {
		return &send.Refusal{Outcome: rep.outcome(stage)}
	}
	return nil
}

// missing is the refusal of a next hop that lacks what we demand.
func (l *line) missing(stage send.Stage, words string) error {
	return &send.Refusal{Outcome: send.Outcome{Verdict: send.Never, Stage: stage, Transcript: words, Transport: true}}
}

// fault names the next hop and the stage of a fault of the network.
func (l *line) fault(stage send.Stage, err error) error {
	return fmt.Errorf("next hop %s: %s: %w", l.addr, stage, plainer(err))
}

// tlsFault is the error of a handshake that failed.
type tlsFault struct{ error }

// Unwrap gives the fault itself.
func (f tlsFault) Unwrap() error { return f.error }

var (
	errSilent = errors.New("no answer within the time limit")
	errGone   = errors.New("next hop closed the connection")
)

// plainer puts the two commonest faults into words for people.
func plainer(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSilent
	case isEOF(err):
		return errGone
	}
	return err
}
