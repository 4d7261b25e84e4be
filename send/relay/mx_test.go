package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galley/send"
	"galley/send/sendtest"
)

// fixture is a small world of domains: their MX records, the addresses of hosts,
// and which sink answers at an address.
type fixture struct {
	mx    map[string][]*net.MX
	hosts map[string][]string
	sinks map[string]*sendtest.Sink
	fail  map[string]error // of the DNS

	mu     sync.Mutex
	dialed []string
}

func (f *fixture) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	name = strings.TrimSuffix(name, ".")
	if err := f.fail[name]; err != nil {
		return nil, err
	}
	if r := f.mx[name]; r != nil {
		return append([]*net.MX(nil), r...), nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (f *fixture) LookupNetIP(_ context.Context, _, host string) (all []netip.Addr, err error) {
	for _, a := range f.hosts[strings.TrimSuffix(host, ".")] {
		all = append(all, netip.MustParseAddr(a))
	}
	if len(all) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return all, nil
}

func (f *fixture) dial(_ context.Context, a netip.Addr) (net.Conn, error) {
	f.mu.Lock()
	f.dialed = append(f.dialed, a.String())
	f.mu.Unlock()
	s := f.sinks[a.String()]
	if s == nil {
		return nil, errors.New("connection refused")
	}
	return net.Dial("tcp", s.Addr())
}

// world has domains of every kind.
func world(t *testing.T, opts map[string]sendtest.Options) (*fixture, *MX) {
	f := &fixture{sinks: map[string]*sendtest.Sink{}, fail: map[string]error{"broken.example": errors.New("SERVFAIL")},
		mx: map[string][]*net.MX{
			"two.example":   {{Host: "mx2.two.example.", Pref: 20}, {Host: "mx1.two.example.", Pref: 10}},
			"null.example":  {{Host: ".", Pref: 0}},
			"down.example":  {{Host: "mx.down.example.", Pref: 10}},
			"six.example":   {{Host: "mx.six.example.", Pref: 10}},
			"lost.example":  {{Host: "nowhere.lost.example.", Pref: 10}},
			"rude.example":  {{Host: "mx.rude.example.", Pref: 10}},
			"plain.example": {{Host: "mx.plain.example.", Pref: 10}},
		},
		hosts: map[string][]string{
			"mx1.two.example": {"192.0.2.1"}, "mx2.two.example": {"192.0.2.2"}, "only-a.example": {"192.0.2.3"},
			"mx.down.example": {"192.0.2.4", "192.0.2.5"}, "mx.six.example": {"2001:db8::6", "192.0.2.6"}, "mx.rude.example": {"192.0.2.7"}, "mx.plain.example": {"192.0.2.8"},
		}}
	for addr, opt := range opts {
		s, err := sendtest.Start("127.0.0.1:0", opt)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		f.sinks[addr] = s
	}
	return f, &MX{Hello: "press.example", Resolver: f, Dial: f.dial}
}

func carryTo(t *testing.T, l send.Line, addr string) send.Outcome {
	t.Helper()
	return send.Deliver(t.Context(), l, to(addr), letter("x"), nil)
}

// Each domain's mail goes where its records say, in their order, over IPv6 and
// IPv4; what the DNS denies is the domain's fault and not the reader's.
func TestMX(t *testing.T) {
	server, _, err := sendtest.SelfSigned("mx")
	if err != nil {
		t.Fatal(err)
	}
	rude := func(s sendtest.Step) sendtest.Fault {
		if s.Stage == sendtest.StageGreeting {
			return sendtest.Fault{Reply: "554 5.7.1 go away"}
		}
		return sendtest.Fault{}
	}
	f, x := world(t, map[string]sendtest.Options{"192.0.2.1": {TLS: server}, "192.0.2.2": {}, "192.0.2.3": {}, "192.0.2.6": {}, "2001:db8::6": {TLS: server}, "192.0.2.7": {Fault: rude}})
	line, err := x.Line(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	for _, c := range []struct {
		to, dialed string
		verdict    send.Verdict
		code       int
		words      string
	}{
		{"ann@two.example", "192.0.2.1", send.Accepted, 250, ""},
		{"bo@two.example", "", send.Accepted, 250, ""}, // over the same line
		{"cy@only-a.example", "192.0.2.3", send.Accepted, 250, ""},
		{"dee@six.example", "2001:db8::6", send.Accepted, 250, ""},
		{"eve@null.example", "", send.Never, 556, "takes no mail (null MX)"},
		{"fay@nothing.example", "", send.Never, 550, "does not exist"},
		{"gus@down.example", "192.0.2.4 192.0.2.5", send.Later, 0, "no server of down.example takes mail"},
		{"hal@lost.example", "", send.Later, 0, "no server of lost.example"},
		{"ida@broken.example", "", send.Later, 0, "the DNS does not say"},
		{"jon@rude.example", "192.0.2.7", send.Later, 554, "go away"},
		{"550+kim@two.example", "192.0.2.1", send.Never, 550, "5.1.1"},
	} {
		f.dialed = nil
		o := carryTo(t, line, c.to)
		if o.Verdict != c.verdict || o.Code != c.code || o.Transport || !o.Again.IsZero() || !strings.Contains(o.Transcript, c.words) {
			t.Errorf("%s: %+v", c.to, o)
		}
		if got := strings.Join(f.dialed, " "); got != c.dialed {
			t.Errorf("%s: dialed %q, want %q", c.to, got, c.dialed)
		}
		if c.verdict == send.Never && c.code != 550 && send.Classify(o.Code, o.Enhanced, o.Transcript) != send.ClassDomain {
			t.Errorf("%s: class %s", c.to, send.Classify(o.Code, o.Enhanced, o.Transcript))
		}
	}
	if m := f.sinks["192.0.2.1"].Messages(); len(m) != 2 || !m[0].TLS {
		t.Errorf("the first server has %d messages", len(m))
	}
}

// The second server takes what the first does not, and a server whose TLS is
// broken gets its mail without.
func TestMXFallsBack(t *testing.T) {
	broken, _, err := sendtest.SelfSigned("mx")
	if err != nil {
		t.Fatal(err)
	}
	broken.MaxVersion = 0x0301 // a version that nobody speaks any more
	f, x := world(t, map[string]sendtest.Options{"192.0.2.2": {}, "192.0.2.8": {TLS: broken}})
	line, _ := x.Line(t.Context())
	defer line.Close()
	must(t, carryTo(t, line, "ann@two.example"))
	must(t, carryTo(t, line, "bo@plain.example"))
	if m := f.sinks["192.0.2.8"].Messages(); len(m) != 1 || m[0].TLS {
		t.Errorf("%d messages", len(m))
	}
	if got := strings.Join(f.dialed, " "); got != "192.0.2.1 192.0.2.2 192.0.2.8 192.0.2.8" {
		t.Errorf("dialed %s", got)
	}
}

// Lines to one destination grow with its answers and shrink with its faults; a
// cohort that fails leaves it alone for a while, longer each time, and an
// answer forgets that.
func TestDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &destination{domain: "x.example", limit: firstLines, freed: make(chan struct{}, 1)}
		for i := range firstLines {
			if o, ok := d.enter(t.Context(), 20); !ok {
				t.Fatalf("place %d: %+v", i, o)
			}
		}
		began := time.Now()
		if o, ok := d.enter(t.Context(), 20); ok || !o.Transport || o.Again.Sub(began) != waitForLine+askAgainSoon {
			t.Errorf("a place too many: %+v", o)
		}
		go func() { time.Sleep(time.Second); d.leave() }()
		if _, ok := d.enter(t.Context(), 20); !ok {
			t.Error("the place that was given back was not taken")
		}
		for range 1000 {
			d.fine(20)
		}
		if d.limit != 20 {
			t.Errorf("limit %v after many answers", d.limit)
		}
		d.limit = firstLines
		tries := 0
		for d.until.IsZero() {
			d.fault()
			tries++
		}
		if tries != firstLines && tries != firstLines-1 { // it shrinks while it fails
			t.Errorf("dead after %d faults", tries)
		}
		for i, want := range deadFor {
			o, ok := d.enter(t.Context(), 20)
			if ok || time.Until(o.Again) != want {
				t.Errorf("rest %d: %v, want %v", i, time.Until(o.Again), want)
			}
			time.Sleep(want)
			for n := 0; !time.Now().Before(d.until); n++ {
				d.fault()
			}
		}
		d.fine(20)
		if !d.forgettable() && d.open == 0 {
			t.Error("an answer does not forget the faults")
		}
	})
}

// A whole run straight to the servers of four domains: those that are there get
// their copies, a dead one rests and delays nobody, and one that is not there
// fails.
func TestRunStraight(t *testing.T) {
	f, x := world(t, map[string]sendtest.Options{"192.0.2.1": {}, "192.0.2.3": {}})
	q := runQueue(t, x, func(i int) string {
		return fmt.Sprintf("reader%03d@%s", i, [...]string{"two.example", "only-a.example", "down.example", "null.example"}[i%4])
	}, 200)
	counts := runUntil(t, q, func(c map[send.State]int) bool {
		return c[send.Sent] == 100 && c[send.Failed] == 50 && c[send.Claimed] == 0
	})
	if counts[send.Sent] != 100 || counts[send.Failed] != 50 || counts[send.Deferred]+counts[send.Pending] != 50 {
		t.Errorf("%v", counts)
	}
	down := 0
	for _, a := range f.dialed {
		if a == "192.0.2.4" {
			down++
		}
	}
	if down < 1 || down > 2*firstLines {
		t.Errorf("the dead destination was called %d times", down)
	}
	if n := len(f.sinks["192.0.2.1"].Messages()) + len(f.sinks["192.0.2.3"].Messages()); n != 100 {
		t.Errorf("%d messages", n)
	}
}
