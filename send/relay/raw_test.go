package relay

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"galley/send"
	"galley/send/sendtest"
)

// commands are what a scripted server heard, by their first words.
func commands(s *script) string {
	var words []string
	for _, line := range s.lines {
		words = append(words, strings.Fields(line + " ")[0])
	}
	return strings.Join(words, " ")
}

// talked delivers one message for each outcome in want over one line and
// returns what the server heard.
func talked(t *testing.T, s *script, want ...string) string {
	t.Helper()
	if s.body == nil {
		s.body = anyBody
	}
	done := make(chan struct{})
	l := open(t, scripted(t, func(c net.Conn) { defer close(done); s.serve(c) }))
	for i, w := range want {
		o := send.Deliver(t.Context(), l, to("ann@example.org"), letter("x"), nil)
		if got := string(o.Verdict) + " " + string(o.Stage); got != w {
			t.Errorf("message %d: %+v, want %s", i, o, w)
		}
	}
	l.Close()
	<-done
	return commands(s)
}

func TestResetAfterRefusals(t *testing.T) {
	tests := []struct {
		name string
		s    script
		want []string
		said string
	}{
		{"RCPT and DATA refused", script{replies: map[string]string{"RCPT": "550 no", "DATA": "503 no"}},
			[]string{"never rcpt", "never rcpt"}, "EHLO MAIL RCPT DATA RSET MAIL RCPT DATA QUIT"},
		{"DATA refused", script{replies: map[string]string{"DATA": "554 no"}},
			[]string{"never data", "never data"}, "EHLO MAIL RCPT DATA RSET MAIL RCPT DATA QUIT"},
		{"all refused: nothing is open", script{replies: map[string]string{"MAIL": "550 no", "RCPT": "503 no", "DATA": "503 no"}},
			[]string{"never mail", "never mail"}, "EHLO MAIL RCPT DATA MAIL RCPT DATA QUIT"},
		{"RCPT refused, one by one", script{replies: map[string]string{"EHLO": "250 raw", "RCPT": "550 no"}},
			[]string{"never rcpt", "never rcpt"}, "EHLO MAIL RCPT RSET MAIL RCPT QUIT"},
		{"MAIL refused, one by one", script{replies: map[string]string{"EHLO": "250 raw", "MAIL": "450 no"}},
			[]string{"later mail", "later mail"}, "EHLO MAIL MAIL QUIT"},
		{"no EHLO", script{replies: map[string]string{"EHLO": "502 what"}},
			[]string{"accepted dot"}, "EHLO HELO MAIL RCPT DATA QUIT"},
		{"RSET refused", script{replies: map[string]string{"EHLO": "250 raw", "RSET": "500 what", "RCPT": "550 no"}},
			[]string{"never rcpt", "never mail", "later connect"}, "EHLO MAIL RCPT RSET"},
	}
	for _, test := range tests {
		if got := talked(t, &test.s, test.want...); got != test.said {
			t.Errorf("%s: the client said %s, want %s", test.name, got, test.said)
		}
	}
}

// TestOutOfTurn: a reply that nobody asked for would be taken for the reply to
// the final dot; the body does not leave.
func TestOutOfTurn(t *testing.T) {
	bodies := 0
	s := &script{replies: map[string]string{"DATA": "354 go\r\n250 2.0.0 taken already"}, body: func(c net.Conn, r *bufio.Reader) bool {
		n, _ := io.Copy(io.Discard, r)
		bodies += int(n)
		return false
	}}
	talked(t, s, "later data")
	if bodies != 0 {
		t.Errorf("%d octets of a body left", bodies)
	}
}

// TestEarlyRefusal: a server that closes in the middle of a body behind its
// reason is quoted, and the message is not called in doubt.
func TestEarlyRefusal(t *testing.T) {
	for reply, want := range map[string]send.Verdict{"552 5.3.4 too large": send.Never, "452 4.3.1 no room": send.Later} {
		m := sendtest.NewMemory(0)
		go func() {
			c, err := m.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			s := &script{body: func(c net.Conn, r *bufio.Reader) bool {
				io.CopyN(io.Discard, r, 1000)
				c.Write([]byte(reply + "\r\n"))
				return false
			}}
			s.serve(c)
		}()
		l := open(t, &Relay{Addr: "localhost:25", Security: Plain, Dial: m.Dial})
		msg := letter(strings.Repeat(strings.Repeat("x", 62)+"\r\n", 4<<20/64))
		o := send.Deliver(t.Context(), l, to("ann@example.org"), msg, nil)
		if o.Verdict != want || o.Stage != send.StageData || o.Transcript != reply || l.Reusable() {
			t.Errorf("%s: %+v", reply, o)
		}
		m.Close()
	}
}

// TestGoingAway: a server that hung up while the line was idle is no fault of
// the recipient, and its words are kept.
func TestGoingAway(t *testing.T) {
	gone := make(chan struct{})
	r := scripted(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		c.Write([]byte("220 raw\r\n"))
		in.ReadString('\n')
		c.Write([]byte("250-raw\r\n250 PIPELINING\r\n"))
		c.Write([]byte("421 4.4.2 idle too long\r\n"))
		c.(*net.TCPConn).CloseWrite()
		close(gone)
		io.Copy(io.Discard, in)
	})
	l := open(t, r)
	<-gone
	o := send.Deliver(t.Context(), l, to("ann@example.org"), letter("x"), nil)
	want := send.Outcome{Verdict: send.Later, Stage: send.StageMail, Code: 421, Enhanced: "4.4.2", Transcript: "421 4.4.2 idle too long", Transport: true}
	if o != want || l.Reusable() {
		t.Errorf("outcome %+v", o)
	}
}

// TestUnavailable: nobody listens.
func TestUnavailable(t *testing.T) {
	s, err := sendtest.Start("127.0.0.1:0", sendtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	_, err = (&Relay{Addr: s.Addr(), Security: Plain}).Line(t.Context())
	var refusal *send.Refusal
	var network *net.OpError
	if errors.As(err, &refusal) || !errors.As(err, &network) || !strings.Contains(err.Error(), s.Addr()) {
		t.Errorf("error %v", err)
	}
}

// TestCutAnywhere: what the sink took and what the client calls sent agree even
// when the line is cut at every octet of a pipelined dialogue.
func TestCutAnywhere(t *testing.T) {
	for n := 1; n < 420; n++ {
		synctest.Test(t, func(t *testing.T) {
			m := sendtest.NewMemory(0)
			s := sendtest.New(sendtest.Options{})
			go s.Serve(m)
			c, err := m.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			outcomes := deliverCut(t, &scissors{Conn: c, left: n})
			c.Close()
			synctest.Wait() // the sink reads what there is
			checkCut(t, n, s.Messages(), outcomes)
			s.Close()
		})
	}
}

// deliverCut sends two messages over c as far as it goes.
func deliverCut(t *testing.T, c net.Conn) []send.Outcome {
	r := &Relay{Addr: "localhost:25", Hello: "press.example"}
	l := newLine(r, c, Limits{}.filled())
	defer l.Close()
	if l.expect2(send.StageGreeting, nil) != nil || l.hello(r) != nil {
		return nil
	}
	next := to("b@example.org")
	first := send.Deliver(t.Context(), l, to("a@example.org"), letter("x"), &next)
	return []send.Outcome{first, send.Deliver(t.Context(), l, next, letter("x"), nil)}
}

// checkCut: later means not taken, accepted means taken, and unknown is said
// only of what has left whole.
func checkCut(t *testing.T, n int, taken []sendtest.Accepted, outcomes []send.Outcome) {
	t.Helper()
	has := map[string]bool{}
	for _, a := range taken {
		has[a.To[0]] = true
	}
	for i, o := range outcomes {
		who := []string{"a@example.org", "b@example.org"}[i]
		if has[who] == (o.Verdict == send.Later) || o.Verdict == send.Never {
			t.Errorf("cut behind %d octets: %s taken %v, outcome %+v", n, who, has[who], o)
		}
	}
}

// scissors cuts a connection behind so many octets written.
type scissors struct {
	net.Conn
	left int
}

func (c *scissors) Write(b []byte) (int, error) {
	if c.left >= len(b) {
		c.left -= len(b)
		return c.Conn.Write(b)
	}
	n, _ := c.Conn.Write(b[:c.left])
	c.left = 0
	c.Conn.Close()
	return n, io.ErrClosedPipe
}
