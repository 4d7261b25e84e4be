package relay

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"galley/send"
	"galley/send/sendtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink starts a sink on loopback and a relay that reaches it in the clear.
func sink(t testing.TB, opt sendtest.Options) (*sendtest.Sink, *Relay) {
	t.Helper()
	s, err := sendtest.Start("127.0.0.1:0", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, &Relay{Addr: s.Addr(), Security: Plain}
}

func open(t testing.TB, r *Relay) send.Line {
	t.Helper()
	l, err := r.Line(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func to(addr string) send.Envelope {
	return send.Envelope{From: "b-7k3f@press.example", To: addr}
}

// letter is a small message; words go into its body.
func letter(words string) []byte {
	return []byte("From: press@press.example\r\nMessage-ID: <1.2@press.example>\r\nSubject: News\r\n\r\n" + words + "\r\n")
}

// must fails the test unless o is an acceptance after the dot.
func must(t testing.TB, o send.Outcome) {
	t.Helper()
	if o.Verdict != send.Accepted || o.Stage != send.StageDot || o.Transport {
		t.Fatalf("outcome %+v, want an acceptance", o)
	}
}

func TestOneMessage(t *testing.T) {
	s, r := sink(t, sendtest.Options{})
	l := open(t, r)
	msg := letter(".a line with a dot\r\n..two\r\nend")
	o := send.Deliver(t.Context(), l, to("ann@example.org"), msg, nil)
	must(t, o)
	if o.Code != 250 || o.Enhanced != "2.0.0" || o.Transcript != "250 2.0.0 taken" {
		t.Errorf("outcome %+v", o)
	}
	got := s.Messages()
	if len(got) != 1 || string(got[0].Octets) != string(msg) {
		t.Fatalf("sink has %+v, want %q", got, msg)
	}
	if got[0].From != "b-7k3f@press.example" || got[0].To[0] != "ann@example.org" || got[0].MessageID != "<1.2@press.example>" {
		t.Errorf("accepted as %+v", got[0])
	}
}

// deliverAll sends one message to each address over one line, each envelope
// riding behind the message before it.
func deliverAll(t testing.TB, l send.Line, addrs []string) []send.Outcome {
	t.Helper()
	var all []send.Outcome
	for i, a := range addrs {
		var next *send.Envelope
		if i+1 < len(addrs) {
			e := to(addrs[i+1])
			next = &e
		}
		all = append(all, send.Deliver(t.Context(), l, to(a), letter("for "+a), next))
	}
	return all
}

// TestFates runs one line through every kind of answer, pipelined and one by
// one: the results are equal, and every acceptance is one message at the sink.
func TestFates(t *testing.T) {
	addrs := []string{"ann@example.org", "451+b@example.org", "550+c@example.org", "dan@example.org", "full+e@example.org",
		"dot452+f@example.org", "dot554+g@example.org", "hal@example.org", "policy+i@example.org", "joe@example.org",
		"552+k@example.org", "greylist+l@example.org", "greylist+l@example.org", "550+m@example.org"}
	want := []string{"accepted dot 250", "later rcpt 451", "never rcpt 550", "accepted dot 250", "later rcpt 452",
		"later dot 452", "never dot 554", "accepted dot 250", "never rcpt 550", "accepted dot 250",
		"later rcpt 552", "later rcpt 451", "accepted dot 250", "never rcpt 550"}
	for _, alone := range []bool{false, true} {
		s, r := sink(t, sendtest.Options{NoPipelining: alone})
		l := open(t, r)
		for i, o := range deliverAll(t, l, addrs) {
			if got := fmt.Sprintf("%s %s %d", o.Verdict, o.Stage, o.Code); got != want[i] || o.Transport {
				t.Errorf("no pipelining %v: %s: %s %+v, want %s", alone, addrs[i], got, o, want[i])
			}
		}
		if !l.Reusable() {
			t.Error("the line is not reusable")
		}
		if got := len(s.Messages()); got != 5 {
			t.Errorf("%d messages at the sink, want 5", got)
		}
		if st := s.Stats(); st.Connections != 1 || st.Cut != 0 || st.Empty != 0 {
			t.Errorf("stats %+v", st)
		}
	}
}

// TestLoneDot has a server that says 354 although it refused the recipient.
func TestLoneDot(t *testing.T) {
	s, r := sink(t, sendtest.Options{Fault: func(p sendtest.Step) sendtest.Fault {
		if p.Stage == sendtest.StageData {
			return sendtest.Fault{Reply: "354 go ahead"}
		}
		return sendtest.Fault{}
	}})
	l := open(t, r)
	all := deliverAll(t, l, []string{"550+a@example.org", "bob@example.org", "550+c@example.org", "dan@example.org"})
	for i, want := range []send.Verdict{send.Never, send.Accepted, send.Never, send.Accepted} {
		if all[i].Verdict != want {
			t.Errorf("message %d: %+v, want %s", i, all[i], want)
		}
	}
	if st := s.Stats(); st.Empty != 2 || st.Messages != 2 || st.Connections != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestMaxMessages(t *testing.T) {
	s, r := sink(t, sendtest.Options{})
	r.MaxMessages = 3
	var addrs []string
	for i := range 10 {
		addrs = append(addrs, fmt.Sprintf("r%d@example.org", i))
	}
	var l send.Line
	for i, a := range addrs {
		if l == nil || !l.Reusable() {
			l = open(t, r)
		}
		next := to(addrs[min(i+1, 9)])
		must(t, send.Deliver(t.Context(), l, to(a), letter("x"), &next))
	}
	if st := s.Stats(); st.Connections != 4 || st.Messages != 10 || st.Mail != 11 {
		t.Errorf("stats %+v, want 4 connections, 10 messages and 11 MAIL (one was announced and not used)", st)
	}
	send.Deliver(t.Context(), l, to("r9@example.org"), letter("x"), nil)
	send.Deliver(t.Context(), l, to("r9@example.org"), letter("x"), nil)
	if o := send.Deliver(t.Context(), l, to("r9@example.org"), letter("x"), nil); o.Verdict != send.Later || !o.Transport || l.Reusable() {
		t.Errorf("after the last message: %+v", o)
	}
}

func TestOtherEnvelopeThanAnnounced(t *testing.T) {
	s, r := sink(t, sendtest.Options{})
	l := open(t, r)
	next := to("bob@example.org")
	must(t, send.Deliver(t.Context(), l, to("ann@example.org"), letter("x"), &next))
	o := send.Deliver(t.Context(), l, to("eve@example.org"), letter("x"), nil)
	if o.Verdict != send.Later || !o.Transport || l.Reusable() {
		t.Errorf("outcome %+v, reusable %v", o, l.Reusable())
	}
	l.Close()
	s.Close()
	if got := s.Stats(); got.Messages != 1 || got.Cut != 1 {
		t.Errorf("stats %+v", got)
	}
}

// TestCloseBehindAnnouncement gives no message to the reader whose envelope is
// under way: not an octet leaves behind it, QUIT would be part of a message.
func TestCloseBehindAnnouncement(t *testing.T) {
	messages, late := 0, int64(0)
	ready := make(chan struct{}) // the second DATA was answered
	s := &script{}
	s.body = func(c net.Conn, r *bufio.Reader) bool {
		if messages++; messages == 1 {
			return anyBody(c, r)
		}
		close(ready)
		late, _ = io.Copy(io.Discard, r)
		return false
	}
	done := make(chan struct{})
	l := open(t, scripted(t, func(c net.Conn) { defer close(done); s.serve(c) }))
	next := to("bob@example.org")
	must(t, send.Deliver(t.Context(), l, to("ann@example.org"), letter("x"), &next))
	<-ready
	l.Close()
	<-done
	if messages != 2 || late != 0 {
		t.Errorf("%d octets behind the second DATA of %d", late, messages)
	}
}

func TestUTF8Recipient(t *testing.T) {
	for _, offered := range []bool{false, true} {
		s, r := sink(t, sendtest.Options{SMTPUTF8: offered})
		l := open(t, r)
		all := deliverAll(t, l, []string{"ann@example.org", "jürgen@example.org", "bob@example.org"})
		must(t, all[0])
		must(t, all[2])
		if offered {
			must(t, all[1])
		} else if o := all[1]; o.Verdict != send.Never || o.Stage != send.StageRcpt || o.Transport || !strings.HasPrefix(o.Transcript, "needs SMTPUTF8") {
			t.Errorf("outcome %+v", o)
		}
		if got := s.Stats().MailUTF8; offered != (got == 1) {
			t.Errorf("offered %v: %d MAIL with SMTPUTF8", offered, got)
		}
	}
}

func TestHostileEnvelope(t *testing.T) {
	s, r := sink(t, sendtest.Options{SMTPUTF8: true})
	l := open(t, r)
	bad := []string{"", "a@b\r\nRCPT TO:<x@y>", "a>b@c", "a<b@c", "a\x00@b", "a\x7f@b", "a\xff@b", strings.Repeat("a", 255)}
	for _, a := range bad {
		if o := send.Deliver(t.Context(), l, to(a), letter("x"), nil); o.Verdict != send.Never || o.Stage != send.StageRcpt || o.Transport {
			t.Errorf("recipient %q: %+v", a, o)
		}
		if a == "" {
			continue
		}
		o := send.Deliver(t.Context(), l, send.Envelope{From: a, To: "ann@example.org"}, letter("x"), nil)
		if o.Verdict != send.Never || o.Stage != send.StageMail || !o.Transport {
			t.Errorf("sender %q: %+v", a, o)
		}
	}
	if st := s.Stats(); st.Mail != 0 || !l.Reusable() {
		t.Errorf("stats %+v", st)
	}
}

func TestTooLarge(t *testing.T) {
	s, r := sink(t, sendtest.Options{MaxSize: 2000})
	l := open(t, r)
	big := letter(strings.Repeat("0123456789\r\n", 200))
	o := send.Deliver(t.Context(), l, to("ann@example.org"), big, nil)
	if o.Verdict != send.Never || !o.Transport || o.Stage != send.StageMail || s.Stats().Mail != 0 {
		t.Errorf("outcome %+v", o)
	}
	must(t, send.Deliver(t.Context(), l, to("ann@example.org"), letter("small"), nil))
}

// TestCancel ends a wait for a reply that does not come.
func TestCancel(t *testing.T) {
	for _, stage := range []sendtest.Stage{sendtest.StageMail, sendtest.StageDot} {
		_, r := sink(t, sendtest.Options{Fault: func(p sendtest.Step) sendtest.Fault {
			return sendtest.Fault{Stall: p.Stage == stage}
		}})
		l := open(t, r)
		ctx, cancel := context.WithCancel(t.Context())
		stop := time.AfterFunc(50*time.Millisecond, cancel)
		o := send.Deliver(ctx, l, to("ann@example.org"), letter("x"), nil)
		stop.Stop()
		want := send.Later
		if stage == sendtest.StageDot {
			want = send.Unknown
		}
		if o.Verdict != want || !o.Transport || !strings.Contains(o.Transcript, "canceled") || l.Reusable() {
			t.Errorf("stall at %s: %+v", stage, o)
		}
	}
}

// TestCancelOpening ends the opening of a line.
func TestCancelOpening(t *testing.T) {
	_, r := sink(t, sendtest.Options{Fault: func(sendtest.Step) sendtest.Fault { return sendtest.Fault{Stall: true} }})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := r.Line(ctx); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("error %v", err)
	}
}

// TestLineSurvivesItsContext: the context of Line is for the opening only.
func TestLineSurvivesItsContext(t *testing.T) {
	_, r := sink(t, sendtest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	l, err := r.Line(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	must(t, send.Deliver(t.Context(), l, to("ann@example.org"), letter("x"), nil))
	l.Close()
}

func TestPlainStaysHere(t *testing.T) {
	dialed := false
	dial := func(context.Context) (net.Conn, error) { dialed = true; return nil, net.ErrClosed }
	r := &Relay{Addr: "mail.example:25", Security: Plain, Dial: dial}
	if _, err := r.Line(t.Context()); err == nil || dialed || !strings.Contains(err.Error(), "starttls") {
		t.Errorf("error %v, dialed %v", err, dialed)
	}
	r.Security = InsecurePlain
	if _, err := r.Line(t.Context()); err == nil || !dialed {
		t.Errorf("error %v, dialed %v", err, dialed)
	}
}
