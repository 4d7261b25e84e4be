package relay

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"galley/send"
	"galley/send/servertest"
)

// TestSmugglingThroughPostfix is bar 15 with Postfix 3.7, which by default
// still takes a bare newline for the end of a line: one message for every one
// that is sent, with its body as it was, by way of LMTP too.
func TestSmugglingThroughPostfix(t *testing.T) {
	servertest.Need(t, "dovecot", "postfix")
	d := servertest.StartDovecot(t, servertest.DovecotOptions{Users: []string{"ann"}})
	p := servertest.StartPostfix(t, servertest.PostfixOptions{Dovecot: d, Domains: []string{"example.org"}})
	smuggle(t, p.MX, func() [][]byte { return d.Messages("ann", "INBOX") })
}

// TestSmugglingThroughExim is bar 15 with Exim 4.96, which takes bare line
// ends in its own ways.
func TestSmugglingThroughExim(t *testing.T) {
	e := servertest.StartExim(t)
	smuggle(t, e.Port, e.Messages)
}

// smuggle sends through the server at a port what tries to be two mails, and
// looks at what came.
func smuggle(t *testing.T, port int, came func() [][]byte) {
	t.Helper()
	r := &Relay{Addr: fmt.Sprintf("127.0.0.1:%d", port), Security: Plain, Hello: "press.example"}
	l := open(t, r)
	tail := "MAIL FROM:<x@evil.example>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\nsecond\r\n"
	var want []string
	for _, words := range []string{"\r\n.\r\n", "\r\n..\r\n", ".", "..", "...", ".\r\n", "\r\n.\r\n.\r\n", "\r\n\r\n", ".hidden\r\n.\r\n..x", "\r\n.\r\n" + tail + ".\r\n"} {
		body := "first" + words + "last"
		must(t, send.Deliver(t.Context(), l, to("ann@example.org"), letter(body), nil))
		_, sent, _ := bytes.Cut(letter(body), []byte("\r\n\r\n"))
		want = append(want, string(sent))
	}
	for _, words := range []string{"\n.\n", "\r.\r", "\n.\r\n", "\r\n.\r", "\n.\n" + tail} {
		if o := send.Deliver(t.Context(), l, to("ann@example.org"), letter("first"+words+"last"), nil); !o.Transport {
			t.Errorf("%q: outcome %+v, want a refusal of our own", words, o)
		}
	}
	var got []string
	for end := time.Now().Add(time.Minute); len(got) < len(want) && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		got = got[:0]
		for _, raw := range came() {
			raw = bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
			_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
			got = append(got, string(body))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d messages came, want %d\n%q\n%q", len(got), len(want), got, want)
	}
}
