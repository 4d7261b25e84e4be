package relay

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"galley/send"
	"galley/send/sendtest"
)

// peers are three servers that were not written by one hand: each gives what
// it took for a message.
func peers(t *testing.T) map[string]func() (*Relay, func() [][]byte) {
	return map[string]func() (*Relay, func() [][]byte){
		"sink":    func() (*Relay, func() [][]byte) { return sinkPeer(t) },
		"go-smtp": func() (*Relay, func() [][]byte) { return smtpPeer(t) },
		"lenient": func() (*Relay, func() [][]byte) {
			var b box
			s := &script{body: lenient(b.put)}
			return scripted(t, s.serve), b.all
		},
	}
}

func sinkPeer(t *testing.T) (*Relay, func() [][]byte) {
	s, r := sink(t, sendtest.Options{})
	return r, func() (all [][]byte) {
		for _, a := range s.Messages() {
			all = append(all, a.Octets)
		}
		return all
	}
}

// box collects messages.
type box struct {
	mu   sync.Mutex
	msgs [][]byte
}

func (b *box) put(msg []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.msgs = append(b.msgs, bytes.Clone(msg))
}

func (b *box) all() [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.msgs
}

// smtpPeer is go-smtp's server: a second opinion on what we send.
func smtpPeer(t testing.TB) (*Relay, func() [][]byte) {
	var b box
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &peerSession{box: &b}, nil }))
	srv.Domain = "peer.example"
	srv.ErrorLog = log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	t.Cleanup(func() { srv.Close(); <-done })
	return &Relay{Addr: l.Addr().String(), Security: Plain}, b.all
}

type peerSession struct{ box *box }

func (s *peerSession) Mail(string, *smtp.MailOptions) error { return nil }
func (s *peerSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "550+") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody"}
	}
	return nil
}
func (s *peerSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.box.put(b)
	return err
}
func (s *peerSession) Reset()        {}
func (s *peerSession) Logout() error { return nil }

// TestSmuggling is bar 15: exactly one message for every one that is sent,
// with the body as it was, and nothing at all for what holds a bare CR, a bare
// LF or a NUL.
func TestSmuggling(t *testing.T) {
	tail := "MAIL FROM:<x@evil.example>\r\nRCPT TO:<y@evil.example>\r\nDATA\r\nsecond\r\n"
	clean := []string{"\r\n.\r\n", "\r\n..\r\n", ".", "..", "...", ".\r\n", "\r\n.\r\n.\r\n", "\r\n\r\n", ".hidden\r\n.\r\n..x", "\r\n.\r\n" + tail + ".\r\n"}
	dirty := []string{"\n.\n", "\r.\r", "\n.\r\n", "\r\n.\r", "\r\n.\n", "\r.\r\n", "\n.\n" + tail, "\r\n\x00.\r\n", "\x00", "\r", "\n",
		"\r\r\n.\r\n", "\n\r\n", "\n\r.\r\n"}
	for name, peer := range peers(t) {
		r, got := peer()
		l := open(t, r)
		var want [][]byte
		for _, words := range clean {
			msg := letter("first" + words + "last")
			o := send.Deliver(t.Context(), l, to("ann@example.org"), msg, nil)
			must(t, o)
			want = append(want, msg)
		}
		for _, words := range dirty {
			for _, msg := range [][]byte{letter("first" + words + "last"), append([]byte("X"+words+": y\r\n"), letter("z")...), append(letter("z"), words...)} {
				o := send.Deliver(t.Context(), l, to("ann@example.org"), msg, nil)
				if o.Verdict != send.Never || !o.Transport || o.Stage != send.StageData || o.Code != 0 {
					t.Errorf("%s: %q: outcome %+v, want a refusal of our own", name, words, o)
				}
			}
		}
		if all := got(); !equalAll(all, want) {
			t.Errorf("%s: %d messages arrived as %q, want %q", name, len(all), all, want)
		}
		if !l.Reusable() {
			t.Errorf("%s: the line is not reusable", name)
		}
	}
}

func equalAll(a, b [][]byte) bool { return fmt.Sprintf("%q", a) == fmt.Sprintf("%q", b) }

// TestDirtyMessageBehindAnnouncement: a message that may not leave, whose
// envelope has left already, ends the line.
func TestDirtyMessageBehindAnnouncement(t *testing.T) {
	s, r := sink(t, sendtest.Options{})
	l := open(t, r)
	next := to("bob@example.org")
	must(t, send.Deliver(t.Context(), l, to("ann@example.org"), letter("x"), &next))
	o := send.Deliver(t.Context(), l, next, letter("bare\nLF"), nil)
	if o.Verdict != send.Never || !o.Transport || l.Reusable() {
		t.Errorf("outcome %+v, reusable %v", o, l.Reusable())
	}
	s.Close()
	if st := s.Stats(); st.Messages != 1 || st.Cut != 1 {
		t.Errorf("stats %+v", st)
	}
}

// TestPipelinedAgainstGoSMTP runs announcements, refusals and stuffing against
// a server that is not ours.
func TestPipelinedAgainstGoSMTP(t *testing.T) {
	r, got := smtpPeer(t)
	l := open(t, r)
	all := deliverAll(t, l, []string{"ann@example.org", "550+b@example.org", "550+c@example.org", "dan@example.org", "eve@example.org"})
	for i, want := range []send.Verdict{send.Accepted, send.Never, send.Never, send.Accepted, send.Accepted} {
		if all[i].Verdict != want {
			t.Errorf("message %d: %+v, want %s", i, all[i], want)
		}
	}
	want := [][]byte{letter("for ann@example.org"), letter("for dan@example.org"), letter("for eve@example.org")}
	if !equalAll(got(), want) {
		t.Errorf("messages %q", got())
	}
}

func TestAppendMessage(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	tests := []struct{ in, out, fault string }{
		{"a\r\n", "a\r\n.\r\n", ""},
		{".\r\n", "..\r\n.\r\n", ""},
		{".a\r\n..b\r\nc.\r\n", "..a\r\n...b\r\nc.\r\n.\r\n", ""},
		{"\r\n", "\r\n.\r\n", ""},
		{long + "\r\n", long + "\r\n.\r\n", ""},
		{long + "x\r\n", "", "line 1 has 999 octets, more than 998"},
		{"a\r\n" + long + "x\r\n", "", "line 2 has 999 octets, more than 998"},
		{"", "", "the message is empty"},
		{"a", "", "the last line has no CRLF"},
		{"a\r\nb", "", "the last line has no CRLF"},
		{"a\r", "", "bare CR at octet 1"},
		{"a\rb\r\n", "", "bare CR at octet 1"},
		{"a\r\r\n", "", "bare CR at octet 1"},
		{"\ra\r\n", "", "bare CR at octet 0"},
		{"\n", "", "bare LF at octet 0"},
		{"a\r\nb\n", "", "bare LF at octet 4"},
		{"a\x00\r\n", "", "NUL at octet 1"},
	}
	for _, test := range tests {
		out, err := appendMessage([]byte("<"), []byte(test.in))
		if test.fault != "" {
			if err == nil || err.Error() != test.fault {
				t.Errorf("%q: error %v, want %s", test.in, err, test.fault)
			}
			continue
		}
		if err != nil || string(out) != "<"+test.out {
			t.Errorf("%q: %q, %v, want %q", test.in, out, err, test.out)
		}
	}
}

// FuzzAppendMessage holds appendMessage against the plainest reading of the
// rules, an octet at a time.
func FuzzAppendMessage(f *testing.F) {
	for _, s := range []string{"a\r\n", ".\r\n", "a\r\n.b\r\n", "\r", "\n", "a\r\r\n", "\x00\r\n", "a"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		out, err := appendMessage(nil, msg)
		want, ok := plainStuff(msg)
		if ok != (err == nil) || ok && !bytes.Equal(out, want) {
			t.Errorf("%q: %q, %v; want %q, %v", msg, out, err, want, ok)
		}
	})
}

func plainStuff(msg []byte) (out []byte, ok bool) {
	width := 0
	for i, b := range msg {
		first := i == 0 || msg[i-1] == '\n'
		switch {
		case b == 0,
			b == '\n' && (i == 0 || msg[i-1] != '\r'),
			b == '\r' && (i+1 == len(msg) || msg[i+1] != '\n'):
			return nil, false
		case first && b == '.':
			out = append(out, '.')
		}
		if width++; b == '\n' {
			width = 0
		} else if b != '\r' && width > maxLine {
			return nil, false
		}
		out = append(out, b)
	}
	return append(out, ".\r\n"...), len(msg) > 0 && msg[len(msg)-1] == '\n'
}
