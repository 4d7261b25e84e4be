package relay

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"galley/send"
	"galley/send/sendtest"
)

// In whatever stretches a message comes, shared or not: what goes over the wire
// is what the message in one piece would give, and what is refused is refused
// with the same words.
func FuzzLayOut(f *testing.F) {
	for _, s := range []string{"", "x\r\n", ".\r\n", "a\r\n.\r\n", "a\r\n.b\r\n", "a\n", "a\rb\r\n", "a\r\n\x00\r\n", "a", "\r\n", "a\r\n\r\n.\r\n\r\nb\r\n",
		strings.Repeat("x", 998) + "\r\n", strings.Repeat("x", 999) + "\r\n"} {
		f.Add([]byte(s), uint64(7))
	}
	f.Fuzz(func(t *testing.T, msg []byte, seed uint64) {
		want, wantErr := appendMessage(nil, msg)
		rnd := rand.New(rand.NewPCG(seed, 1))
		for range 4 {
			l := &line{}
			err := l.layOut(inStretches(rnd, msg))
			if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Fatalf("%q: %v, in one piece %v", msg, err, wantErr)
			}
			if err != nil {
				continue
			}
			if got := append(bytes.Join(l.parts, nil), ".\r\n"...); !bytes.Equal(got, want) || l.size != len(msg) {
				t.Fatalf("%q became %q, in one piece %q; size %d of %d", msg, got, want, l.size, len(msg))
			}
		}
	})
}

func inStretches(rnd *rand.Rand, msg []byte) (all send.Octets) {
	for len(msg) > 0 {
		n := 1 + rnd.IntN(len(msg))
		s := send.Stretch{Own: msg[:n]}
		if rnd.IntN(2) == 0 {
			s = send.Stretch{Shared: &send.Shared{Octets: msg[:n]}}
		}
		all = append(all, s, send.Stretch{})
		msg = msg[n:]
	}
	return all
}

// A message of several blocks, in stretches of all sizes, arrives whole over
// TCP, TLS and pipes, whether its body goes ahead of its dot or with it.
func TestBlocks(t *testing.T) {
	body := []byte("Subject: much\r\n\r\n" + strings.Repeat("All the tides of a year, and a dot.\r\n", 12_000))
	rnd := rand.New(rand.NewPCG(1, 2))
	config, pool, err := sendtest.SelfSigned("localhost")
	if err != nil {
		t.Fatal(err)
	}
	for name, opt := range map[string]sendtest.Options{"TCP": {}, "TLS": {TLS: config}} {
		t.Run(name, func(t *testing.T) {
			s, r := sink(t, opt)
			if opt.TLS != nil {
				_, port, _ := net.SplitHostPort(r.Addr)
				r.Addr, r.Security, r.TLS = net.JoinHostPort("localhost", port), STARTTLS, pool
			}
			l := open(t, r).(*line)
			for i := range 6 {
				l.near = i == 4
				if o, ok := l.Begin(t.Context(), to("ann@example.org"), inStretches(rnd, body)); !ok {
					t.Fatal(o)
				}
				if i%2 == 0 {
					l.Lead()
				}
				if led := i%2 == 0 && !(l.near && name == "TCP"); l.led != led {
					t.Errorf("message %d: its body went ahead: %t, want %t", i, l.led, led)
				}
				must(t, l.End(nil))
			}
			for _, m := range s.Messages() {
				if !bytes.Equal(m.Octets, body) {
					t.Fatalf("%d octets arrived of %d", len(m.Octets), len(body))
				}
			}
			if n := len(s.Messages()); n != 6 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// Who answers EHLO at once is near, and who takes a while is not.
func TestNear(t *testing.T) {
	for delay, want := range map[time.Duration]bool{0: true, 3 * nearby: false} {
		_, r := sink(t, sendtest.Options{Delay: delay})
		near := false
		for range 20 { // a busy machine may take its time once
			near = near || open(t, r).(*line).near
		}
		if near != want {
			t.Errorf("a next hop that answers after %v is near: %t", delay, near)
		}
		slow, _ := sink(t, sendtest.Options{Delay: 3 * nearby})
		r.Dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", slow.Addr())
		}
		if busy := open(t, r).(*line).near; busy != want {
			t.Errorf("when it has become busy: %t, want %t", busy, want)
		}
	}
}

// A body without its dot is nobody's mail, whether the line is closed or lost.
func TestLedAndLeft(t *testing.T) {
	s, r := sink(t, sendtest.Options{})
	l := open(t, r).(*line)
	l.near = false // on loopback it is not
	next := to("bo@example.org")
	must(t, send.Deliver(t.Context(), l, to("ann@example.org"), letter("one"), &next))
	if o, ok := l.Begin(t.Context(), next, send.Whole(letter("two"))); !ok {
		t.Fatal(o)
	}
	l.Lead()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if o := l.End(nil); o.Verdict != send.Later || !o.Transport || l.Reusable() {
		t.Errorf("the end of a closed line: %+v", o)
	}
	s.Close() // and its sessions are over
	if st := s.Stats(); st.Messages != 1 || st.Cut != 1 {
		t.Errorf("%+v", st)
	}
}
