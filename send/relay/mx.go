package relay

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"galley/send"
)

// Resolver is what MX asks the DNS; *net.Resolver is one.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// MX carries mail straight to the servers of its readers' domains (RFC 5321
// section 5), with lines and patience for each destination of its own. It is a
// send.Courier. TLS is used where a server offers it, whatever its certificate:
// whoever asks for more asks a relay.
type MX struct {
	Hello       string // our name in EHLO, which the address we send from must have
	Resolver    Resolver
	Most        int // lines to one destination at once, 20 when 0
	MaxMessages int // of one connection, 100 when 0
	Limits      Limits
	// Dial connects instead of TCP to port 25 of addr when it is not nil.
	Dial func(ctx context.Context, addr netip.Addr) (net.Conn, error)

	mu    sync.Mutex
	known map[string]*destination
}

const (
	firstLines   = 5 // lines to a destination that has not answered yet
	mostTried    = 5 // addresses of one destination that are tried for one mail
	mostKnown    = 10_000
	waitForLine  = 2 * time.Second
	askAgainSoon = time.Second
)

// Line gives a line that leads to every destination: it connects when it knows
// the first recipient.
func (x *MX) Line(context.Context) (send.Line, error) { return &mxLine{mx: x}, nil }

// mxLine carries each message over a line to its destination. It keeps the last
// one for the next message.
type mxLine struct {
	mx   *MX
	to   *destination
	line *line
}

// Begin finds or opens a line to the recipient's destination; send.Line has its
// contract.
func (l *mxLine) Begin(ctx context.Context, e send.Envelope, m send.Octets) (send.Outcome, bool) {
	domain := e.To[strings.LastIndexByte(e.To, '@')+1:]
	if l.line != nil && (l.to.domain != domain || !l.line.Reusable()) {
		l.release()
	}
	if l.line == nil {
		d := l.mx.destination(domain)
		if o, ok := d.enter(ctx, l.mx.most()); !ok {
			return o, false
		}
		line, o := l.mx.open(ctx, d)
		if line == nil {
			d.leave()
			return o, false
		}
		l.to, l.line = d, line
	}
	o, ok := l.line.Begin(ctx, e, m)
	if !ok {
		o = l.judge(ctx, o)
	}
	return o, ok
}

// Lead is that of the line to the destination.
func (l *mxLine) Lead() {
	if l.line != nil {
		l.line.Lead()
	}
}

// End is that of the line; an envelope for elsewhere is not announced.
func (l *mxLine) End(next *send.Envelope) send.Outcome {
	if l.line == nil {
		return unsent(send.Later, send.StageData, "no message was begun on this line", true)
	}
	if next != nil && !strings.HasSuffix(next.To, "@"+l.to.domain) {
		next = nil
	}
	return l.judge(l.line.ctx, l.line.End(next))
}

// judge tells the destination what became of a message, and makes of a fault of
// its line a rest for this destination: the others go on.
func (l *mxLine) judge(ctx context.Context, o send.Outcome) send.Outcome {
	switch {
	case ctx != nil && ctx.Err() != nil, o.Verdict == send.Unknown, ownFault(o):
	case o.Transport && o.Verdict == send.Never: // their word about us, and nobody else's
		o.Transport = false
		l.to.fine(l.mx.most())
	case o.Transport && l.line.begun > 1: // servers limit the messages of a connection
		o.Again = time.Now().Add(askAgainSoon)
	case o.Transport:
		o.Again = l.to.fault()
	default:
		l.to.fine(l.mx.most())
	}
	return o
}

// ownFault tells that we would not send it: nobody has said anything.
func ownFault(o send.Outcome) bool {
	return o.Transport && o.Verdict == send.Never && o.Code == 0
}

// Reusable is always true: there is always a way to another destination.
func (l *mxLine) Reusable() bool { return true }

// Close closes the line to the last destination.
func (l *mxLine) Close() error {
	l.release()
	return nil
}

func (l *mxLine) release() {
	if l.line != nil {
		l.line.Close()
		l.to.leave()
		l.line, l.to = nil, nil
	}
}

func (x *MX) most() int {
	if x.Most > 0 {
		return x.Most
	}
	return 20
}

// destination gives what is known of a domain. Those that nobody uses and that
// have no fault are forgotten when there are many.
func (x *MX) destination(domain string) *destination {
	x.mu.Lock()
	defer x.mu.Unlock()
	if d := x.known[domain]; d != nil {
		return d
	}
	if len(x.known) >= mostKnown {
		for name, d := range x.known {
			if d.forgettable() {
				delete(x.known, name)
			}
		}
	}
	if x.known == nil {
		x.known = map[string]*destination{}
	}
	d := &destination{domain: domain, limit: firstLines, freed: make(chan struct{}, 1)}
	x.known[domain] = d
	return d
}

// open connects to the first server of a destination that answers. Without one
// the outcome says what that means for the recipient.
func (x *MX) open(ctx context.Context, d *destination) (*line, send.Outcome) {
	hosts, o := x.servers(ctx, d.domain)
	if len(hosts) == 0 {
		if o.Verdict == send.Later {
			d.fault()
		}
		return nil, o
	}
	var last error
	tried := 0
	for _, host := range hosts {
		addrs, err := x.addresses(ctx, host)
		if err != nil {
			last = err
			continue
		}
		for _, a := range addrs {
			if tried++; tried > mostTried {
				break
			}
			line, err := x.connect(ctx, host, a)
			if err == nil {
				return line, send.Outcome{}
			}
			last = err
		}
	}
	if ctx.Err() != nil {
		return nil, unsent(send.Later, send.StageConnect, "given up: "+context.Cause(ctx).Error(), true)
	}
	d.fault()
	return nil, refusedBy(d.domain, last)
}

// refusedBy is the outcome for a recipient whose servers cannot be had. It is
// tried again as after a 4yz (RFC 5321 section 4.5.4.1), also when a server
// greets with 5yz: another may stand there tomorrow.
func refusedBy(domain string, err error) send.Outcome {
	o := unsent(send.Later, send.StageConnect, oneLine([]byte(fmt.Sprintf("no server of %s takes mail: %v", domain, err))), false)
	var r *send.Refusal
	if errors.As(err, &r) {
		o.Stage, o.Code, o.Enhanced = r.Outcome.Stage, r.Outcome.Code, r.Outcome.Enhanced
		o.Transcript = r.Outcome.Transcript
	}
	return o
}

// servers are the hosts of a domain, the preferred first and equals in no order
// (RFC 5321 section 5.1): those of its MX records, or the domain itself.
func (x *MX) servers(ctx context.Context, domain string) ([]string, send.Outcome) {
	if literal, ok := strings.CutPrefix(domain, "["); ok {
		return []string{strings.TrimPrefix(strings.TrimSuffix(literal, "]"), "IPv6:")}, send.Outcome{}
	}
	records, err := x.Resolver.LookupMX(ctx, domain+".")
	var fault *net.DNSError
	switch {
	case err == nil && len(records) > 0:
	case err == nil, errors.As(err, &fault) && fault.IsNotFound: // no MX: its own address, if it has one
		if _, err := x.Resolver.LookupNetIP(ctx, "ip", domain+"."); errors.As(err, &fault) && fault.IsNotFound {
			return nil, noDomain(550, domain+" does not exist, or has no server for mail")
		}
		return []string{domain}, send.Outcome{}
	default:
		return nil, unsent(send.Later, send.StageConnect, oneLine([]byte("the DNS does not say where mail for "+domain+" goes: "+err.Error())), false)
	}
	if len(records) == 1 && strings.Trim(records[0].Host, ".") == "" { // RFC 7505 section 3
		return nil, noDomain(556, domain+" takes no mail (null MX)")
	}
	rand.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	slices.SortStableFunc(records, func(a, b *net.MX) int { return cmp.Compare(a.Pref, b.Pref) })
	var hosts []string
	for _, r := range records {
		if h := strings.TrimSuffix(r.Host, "."); h != "" {
			hosts = append(hosts, h)
		}
	}
	return hosts, send.Outcome{}
}

// noDomain is the outcome where no server is to be expected: it counts against
// the domain, not against this one mailbox.
func noDomain(code int, words string) send.Outcome {
	return send.Outcome{Verdict: send.Never, Stage: send.StageConnect, Code: code, Enhanced: "5.4.4", Transcript: fmt.Sprintf("%d 5.4.4 %s", code, words)}
}

func (x *MX) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return x.Resolver.LookupNetIP(ctx, "ip", host+".")
}

// connect opens a line to one address. A server whose TLS does not work is
// asked again without.
func (x *MX) connect(ctx context.Context, host string, a netip.Addr) (*line, error) {
	r := &Relay{Addr: net.JoinHostPort(host, "25"), Security: Opportunistic, Hello: x.Hello, Limits: x.Limits, MaxMessages: x.MaxMessages,
		TLS: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, // RFC 7435: a certificate that nobody checks is better than none
		Dial: func(ctx context.Context) (net.Conn, error) {
			if x.Dial != nil {
				return x.Dial(ctx, a)
			}
			var d net.Dialer
			return d.DialContext(ctx, "tcp", netip.AddrPortFrom(a, 25).String())
		}}
	l, err := r.Line(ctx)
	if errors.As(err, new(tlsFault)) && ctx.Err() == nil {
		r.Security = InsecurePlain
		l, err = r.Line(ctx)
	}
	if err != nil {
		return nil, err
	}
	return l.(*line), nil
}
