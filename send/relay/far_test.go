package relay

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galley/send"
	"galley/send/sendtest"
)

// far carries octets between two connections, each way half of a round trip
// late, and as many at once as there are.
func far(wg *sync.WaitGroup, from, to net.Conn, late time.Duration) {
	type packet struct {
		at time.Time
		b  []byte
	}
	way := make(chan packet, 1<<14)
	wg.Go(func() {
		defer close(way)
		for {
			b := make([]byte, 64<<10)
			n, err := from.Read(b)
			if err != nil {
				return
			}
			way <- packet{time.Now().Add(late), b[:n]}
		}
	})
	wg.Go(func() {
		defer to.Close()
		for p := range way {
			time.Sleep(time.Until(p.at))
			if _, err := to.Write(p.b); err != nil {
				for range way {
				}
				return
			}
		}
	})
}

// Goal S5: at 20 ms a round trip one connection carries at least 3.5 times the
// messages with PIPELINING, and at least 50 times with chunks and a window, of
// what it carries one by one. The time is the bubble's: it does not depend on
// the machine.
func TestFarAway(t *testing.T) {
	took := map[string]time.Duration{}
	for name, r := range map[string]*Relay{"one by one": {NoPipelining: true}, "pipelined": {}, "window 16": {Window: 16}, "window 64": {Window: 64}} {
		synctest.Test(t, func(t *testing.T) { took[name] = each(t, r) })
	}
	for name, least := range map[string]float64{"pipelined": 3.5, "window 16": 50, "window 64": 150} {
		ratio := float64(took["one by one"]) / float64(took[name])
		if t.Logf("%s: %v a message, %.1f times", name, took[name], ratio); ratio < least {
			t.Errorf("%s: %.1f times, less than %.1f", name, ratio, least)
		}
	}
}

// each is the time of one message among many, over one line to a server far away.
func each(t *testing.T, r *Relay) time.Duration {
	const copies = 640
	var wg sync.WaitGroup
	defer wg.Wait()
	s := sendtest.New(sendtest.Options{Keep: sendtest.KeepCounts, Chunking: true})
	defer s.Close()
	ends := &pipeListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}
	wg.Go(func() { s.Serve(ends) })
	r.Addr, r.Security, r.MaxMessages = "localhost:25", Plain, 2*copies
	r.Dial = func(ctx context.Context) (net.Conn, error) {
		server, err := ends.dial(ctx)
		client, near := net.Pipe()
		far(&wg, near, server, 10*time.Millisecond)
		far(&wg, server, near, 10*time.Millisecond)
		return client, err
	}
	line, err := r.Line(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	l, e, m := line.(send.Wide), to("ann@example.org"), send.Whole(letter("x"))
	began := time.Now()
	if l.Window() == 1 {
		for range copies {
			must(t, carryOne(t.Context(), l, &e, m))
		}
		return time.Since(began) / copies
	}
	for i := range copies {
		if i >= l.Window() {
			must(t, l.Pull())
		}
		if o, ok := l.Push(t.Context(), e, m); !ok {
			t.Fatal(o)
		}
	}
	for range l.Window() {
		must(t, l.Pull())
	}
	return time.Since(began) / copies
}
