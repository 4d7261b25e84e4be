package sendtest

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, opt Options) *Sink {
	t.Helper()
	s, err := Start("127.0.0.1:0", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// dial connects go-smtp's client, which was not written with this sink in
// mind.
func dial(t *testing.T, s *Sink) *smtp.Client {
	t.Helper()
	c, err := smtp.Dial(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

const note = "From: a@example.org\r\nMessage-ID:\r\n <1@example.org>\r\n\r\n.hidden\r\nend\r\n"

// mail sends note and returns the code of the first refusal, 250 without one,
// 0 when the line broke.
func mail(c *smtp.Client, to ...string) int {
	err := c.SendMail("a@example.org", to, strings.NewReader(note))
	var refused *smtp.SMTPError
	switch {
	case err == nil:
		return 250
	case errors.As(err, &refused):
		c.Reset()
		return refused.Code
	}
	return 0
}

func TestFates(t *testing.T) {
	s := start(t, Options{Slow: time.Millisecond})
	tests := []struct {
		to   string
		code []int // of the first, second, … try
	}{
		{"ann@example.org", []int{250, 250}},
		{"ann+tag@example.org", []int{250}},
		{"451+ann@example.org", []int{451, 451}},
		{"550+ann@example.org", []int{550, 550}},
		{"555+ann@example.org", []int{555}},
		{"600+ann@example.org", []int{250}},
		{"full+ann@example.org", []int{452}},
		{"policy+ann@example.org", []int{550}},
		{"greylist+ann@example.org", []int{451, 250, 250}},
		{"GREYLIST+bob@example.org", []int{451, 250}},
		{"dot451+ann@example.org", []int{451, 451}},
		{"slow+ann@example.org", []int{250}},
		{"bounce+ann@example.org", []int{250}},
		{"drop+ann@example.org", []int{0, 250}},
	}
	var taken int64
	for _, test := range tests {
		for i, want := range test.code {
			c := dial(t, s)
			if got := mail(c, test.to); got != want {
				t.Errorf("%s, try %d: %d, want %d", test.to, i+1, got, want)
			}
			c.Close()
			if want == 250 || want == 0 {
				taken++
			}
		}
	}
	if st := s.Stats(); st.Messages != taken || st.Dropped != 1 || int(st.Messages) != len(s.Messages()) {
		t.Errorf("stats %+v, want %d messages", st, taken)
	}
	for i, a := range s.Messages() {
		if a.ID != int64(i+1) || string(a.Octets) != note || a.MessageID != "<1@example.org>" || a.Digest != sha256.Sum256([]byte(note)) {
			t.Errorf("message %d: %+v", i, a)
		}
	}
}

func TestGreylistWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(0)
		s := New(Options{Greylist: 300 * time.Second})
		go s.Serve(m)
		for _, want := range []int{451, 451, 250} {
			conn, err := m.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c := smtp.NewClient(conn)
			if got := mail(c, "greylist+ann@example.org"); got != want {
				t.Errorf("%d, want %d", got, want)
			}
			c.Close()
			time.Sleep(150 * time.Second)
		}
		s.Close()
	})
}

func TestKeep(t *testing.T) {
	for _, keep := range []Keep{KeepOctets, KeepDigests, KeepCounts} {
		var told []Accepted
		s := start(t, Options{Keep: keep, OnAccept: func(a Accepted) { told = append(told, a) }})
		mail(dial(t, s), "ann@example.org", "550+bob@example.org")
		mail(dial(t, s), "ann@example.org", "bob@example.org")
		got := s.Messages()
		if want := map[Keep]int{KeepOctets: 1, KeepDigests: 1}[keep]; len(got) != want || len(told) != 1 || told[0].Size != len(note) {
			t.Errorf("keep %d: %+v, told %+v", keep, got, told)
		}
		if len(told[0].To) != 2 || (told[0].Octets != nil) != (keep == KeepOctets) || (told[0].MessageID != "") != (keep != KeepCounts) {
			t.Errorf("keep %d: told %+v", keep, told[0])
		}
	}
}

func TestSubmit(t *testing.T) {
	server, client, err := SelfSigned("localhost")
	if err != nil {
		t.Fatal(err)
	}
	client.ServerName = "localhost"
	s := start(t, Options{TLS: server,
		Auth: func(user, password string) error {
			if password != "secret" {
				return errors.New("no")
			}
			return nil
		},
		Submit: func(user string, a Accepted) error {
			if !strings.HasPrefix(a.From, user+"@") {
				return errors.New("you are not\r\nthat sender")
			}
			return nil
		}})
	c, err := smtp.DialStartTLS(s.Addr(), client)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := mail(c, "b@example.org"); got != 530 {
		t.Errorf("without login: %d", got)
	}
	if err := c.Auth(sasl.NewPlainClient("", "a", "wrong")); err == nil {
		t.Error("a wrong password was taken")
	}
	if err := c.Auth(sasl.NewPlainClient("", "a", "secret")); err != nil {
		t.Error(err)
	}
	if got := mail(c, "b@example.org"); got != 250 {
		t.Errorf("after login: %d", got)
	}
	err = c.SendMail("other@example.org", []string{"b@example.org"}, strings.NewReader(note))
	if err == nil || !strings.Contains(err.Error(), "you are not that sender") {
		t.Errorf("as another: %v", err)
	}
	if m := s.Messages(); len(m) != 1 || m[0].User != "a" || !m[0].TLS {
		t.Errorf("messages %+v", m)
	}
}

// talk says each line and returns what came back until the sink closed or
// nothing was left to say.
func talk(t *testing.T, s *Sink, lines string) string {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte(strings.ReplaceAll(lines, "\n", "\r\n")))
	c.(*net.TCPConn).CloseWrite()
	var b bytes.Buffer
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := b.ReadFrom(c); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for line := range strings.Lines(b.String()) {
		if line[3] == ' ' {
			codes = append(codes, line[:3])
		}
	}
	return strings.Join(codes, " ")
}

func TestDialogue(t *testing.T) {
	tests := []struct{ name, say, want string }{
		{"all at once", "EHLO x\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nhello\n.\nQUIT\n", "220 250 250 250 354 250 221"},
		{"out of order", "MAIL FROM:<a@b>\nEHLO x\nRCPT TO:<a@b>\nDATA\nQUIT\n", "220 503 250 503 503 221"},
		{"nested MAIL", "EHLO x\nMAIL FROM:<a@b>\nMAIL FROM:<a@b>\nRSET\nMAIL FROM:<>\nQUIT\n", "220 250 250 503 250 250 221"},
		{"parameters", "EHLO x\nMAIL FROM:<a@b> SIZE=10 BODY=8BITMIME\nRSET\nMAIL FROM:<a@b> SIZE=99999999999\nMAIL FROM:<a@b> SMTPUTF8\nQUIT\n", "220 250 250 250 552 555 221"},
		{"bad paths", "EHLO x\nMAIL FROM:a@b\nMAIL <a@b>\nMAIL FROM:<a@b>\nRCPT TO:<>\nRCPT TO:<\"a>b\"@c>\nQUIT\n", "220 250 501 501 250 501 250 221"},
		{"cut message", "EHLO x\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nhello\n..\n", "220 250 250 250 354"},
		{"the rest", "HELO x\nNOOP\nVRFY a\nEHLO\nTURN\nAUTH PLAIN x\nSTARTTLS\nQUIT\n", "220 250 250 252 501 500 502 502 221"},
	}
	for _, test := range tests {
		s := start(t, Options{})
		if got := talk(t, s, test.say); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestSTARTTLSInjection: commands in the clear behind STARTTLS are not run.
func TestSTARTTLSInjection(t *testing.T) {
	server, _, err := SelfSigned("localhost")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{TLS: server})
	if got := talk(t, s, "EHLO x\nSTARTTLS\nMAIL FROM:<a@b>\n"); got != "220 250 220" {
		t.Errorf("replies %s", got)
	}
	if st := s.Stats(); st.Mail != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestTooLarge(t *testing.T) {
	s := start(t, Options{MaxSize: 1000})
	long := strings.Repeat(strings.Repeat("x", 70)+"\n", 4000)
	got := talk(t, s, "EHLO x\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\n"+long+".\nMAIL FROM:<a@b>\nQUIT\n")
	if got != "220 250 250 250 354 552 250 221" {
		t.Errorf("replies %s", got)
	}
}

func TestFaults(t *testing.T) {
	for _, stage := range []Stage{StageConnect, StageGreeting, StageEHLO, StageMail, StageRcpt, StageData, StageDot} {
		s := start(t, Options{Fault: func(p Step) Fault {
			if p.Stage == stage {
				return Fault{Close: true, Take: true}
			}
			return Fault{}
		}})
		want := map[Stage]string{StageConnect: "", StageGreeting: "", StageEHLO: "220", StageMail: "220 250", StageRcpt: "220 250 250",
			StageData: "220 250 250 250", StageDot: "220 250 250 250 354"}[stage]
		c, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		got := lockstep(c, "EHLO x\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx\r\n.\n")
		c.Close()
		if got != want {
			t.Errorf("%s: %q, want %q", stage, got, want)
		}
		s.Close()
		if taken := len(s.Messages()); taken != map[bool]int{true: 1}[stage == StageDot] {
			t.Errorf("%s: %d messages", stage, taken)
		}
	}
}

// lockstep waits for a reply before each line, so that no unread octets turn
// the sink's close into a reset.
func lockstep(c net.Conn, lines string) string {
	c.SetDeadline(time.Now().Add(5 * time.Second))
	var codes []string
	buf := make([]byte, 4096)
	for _, line := range append([]string{""}, strings.Split(strings.TrimSuffix(lines, "\n"), "\n")...) {
		if line != "" {
			c.Write([]byte(line + "\r\n"))
		}
		if strings.HasSuffix(line, "\r") { // a line of the message: no reply
			continue
		}
		n, err := c.Read(buf)
		if err != nil || n < 3 {
			break
		}
		codes = append(codes, string(buf[:3]))
	}
	return strings.Join(codes, " ")
}

func TestSelfSignedIsNotTrustedElsewhere(t *testing.T) {
	server, client, err := SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{TLS: server, Implicit: true})
	for _, test := range []struct {
		config *tls.Config
		ok     bool
	}{{client, true}, {&tls.Config{}, false}} {
		c, err := tls.Dial("tcp", s.Addr(), test.config)
		if (err == nil) != test.ok {
			t.Errorf("trusted %v: %v", test.ok, err)
		}
		if c != nil {
			c.Close()
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs:\n%s", path, got)
	}
}

func TestDSN(t *testing.T) {
	at := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	a := Accepted{From: "b-7k3f@press.example", To: []string{"bounce+ann@reader.example"}, Time: at,
		Digest: sha256.Sum256([]byte(note)), Octets: []byte(note)}
	golden(t, "failed.eml", DSN(a, a.To[0], Failure{}))
	golden(t, "delayed.eml", DSN(a, a.To[0], Failure{Action: "delayed", Status: "4.2.2", At: at.Add(4 * time.Hour),
		Diagnostic: "452 4.2.2 mailbox is full", MTA: "mx.reader.example", Full: true}))
	a.From = ""
	if got := DSN(a, a.To[0], Failure{}); got != nil {
		t.Errorf("the null path was answered: %s", got)
	}
}

// FuzzBody: however a body is cut into pieces, the end is found where the
// plain reading of RFC 5321 has it, and nothing behind it is eaten.
func FuzzBody(f *testing.F) {
	for _, s := range []string{"a\r\n.\r\nb", ".\r\n", "..\r\n.\r\n", "a\n.\r\n\r\n.\r\n", "a\r\n.\r", "\r\n.\r\n", ".\r.\r\n"} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		framed := append([]byte("\r\n"), in...)
		want := bytes.Index(framed, []byte("\r\n.\r\n"))
		from, end, ok := 0, 0, false
		for n := 0; n < len(in) && !ok; {
			n = min(len(in), n+int(step%7)+1)
			end, ok = findEnd(in[:n], from)
			from = end
		}
		if ok != (want >= 0) || ok && end != want+3 {
			t.Fatalf("%q in steps of %d: end %d %v, want %d", in, step%7+1, end, ok, want+3)
		}
		if !ok {
			return
		}
		plain := bytes.ReplaceAll(framed[:want+2], []byte("\r\n."), []byte("\r\n"))[2:]
		if got := unstuff(bytes.Clone(in[:end-3])); !bytes.Equal(got, plain) {
			t.Fatalf("%q: unstuffed %q, want %q", in, got, plain)
		}
	})
}

func ExampleFateOf() {
	for _, a := range []string{"ann@example.org", "550+ann@example.org", "slow+ann@example.org"} {
		fate, code := FateOf(a)
		fmt.Printf("%q %d\n", fate, code)
	}
	// Output:
	// "" 0
	// "refuse" 550
	// "slow" 0
}
