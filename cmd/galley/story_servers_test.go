package main

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"

	"galley/send"
)

// serverVerbs tell of servers that are away for a while.
var serverVerbs = []verb{
	given(`a look at the DNS before a send to many`, func(s *story, _ []string) { s.plan.looks = true }),
	on(`the (mailbox's|sending) server is (lost|back)`, (*story).serverIs),
	on(`strict.example is (busy|free again)`, func(s *story, w []string) { s.busy.Store(w[0] == "busy") }),
	on(`the servers refuse us`, func(s *story, _ []string) { s.refuse.Store(true) }),
	on(`(\w+)'s mailbox is closed for good`, func(s *story, w []string) { s.gone.Store(&s.person(w[0]).addr.Addr) }),
	on(`the DNS says: (\S+ \S+): (.+?)\. (.+)`, func(s *story, w []string) { s.dnsIs.say(send.Fault{Item: w[0], What: w[1], Remedy: w[2]}) }),
	on(`the DNS says nothing wrong`, func(s *story, _ []string) { s.dnsIs.right() }),
	on(`no DNS server answers`, func(s *story, _ []string) { s.dnsIs.hush() }),
	on(`the DNS was asked (\d+) times?`, (*story).wasAsked),
	on(`the log says (\d+) times?: (.+)`, (*story).logSays),
}

// dialHop opens a line to the next hop, as long as that is there.
func (w *world) dialHop(ctx context.Context) (net.Conn, error) {
	if w.lost.Load() {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	return w.wire.Dial(ctx)
}

func (s *story) serverIs(w []string) {
	switch lost := w[1] == "lost"; {
	case w[0] == "sending":
		s.lost.Store(lost)
	case lost:
		s.imap.Down()
	default:
		s.imap.Heal()
	}
}

// logSays counts the lines of the log with some words, of this life of the
// house and those before it.
func (s *story) logSays(w []string) {
	s.t.Helper()
	n := 0
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, w[1]) {
			n++
		}
	}
	if n != number(w[0]) {
		s.t.Errorf("the log says %q %d times:\n%s", w[1], n, strings.Join(regexp.MustCompile(`(?m)^.*level=WARN.*$`).FindAllString(s.log.String(), -1), "\n"))
	}
}

// dnsOfWorld is what the DNS says of the newsletter's domain. An answer takes
// three seconds, and silence thirty.
type dnsOfWorld struct {
	mu     sync.Mutex
	faults []send.Fault
	silent bool
	asked  int
}

func (d *dnsOfWorld) say(f send.Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = append(d.faults, f)
}

func (d *dnsOfWorld) right() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults, d.silent = nil, false
}

func (d *dnsOfWorld) hush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.silent = true
}

func (d *dnsOfWorld) fit(ctx context.Context, _ string) ([]send.Fault, error) {
	d.mu.Lock()
	faults, silent := d.faults, d.silent
	d.asked++
	d.mu.Unlock()
	wait := 3 * time.Second
	if silent {
		wait = 30 * time.Second
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(wait):
	}
	if silent {
		return nil, errors.New("no DNS server answers")
	}
	return faults, nil
}

func (s *story) wasAsked(w []string) {
	s.t.Helper()
	s.dnsIs.mu.Lock()
	defer s.dnsIs.mu.Unlock()
	if s.dnsIs.asked != number(w[0]) {
		s.t.Errorf("the DNS was asked %d times, want %s", s.dnsIs.asked, w[0])
	}
}
