package servertest

import (
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// IMAP is a line to Dovecot's IMAP server that speaks what a test tells it to:
// another mail program in the mailbox.
type IMAP struct {
	t   testing.TB
	c   *textproto.Conn
	tag int
}

// Login opens a line in a user's name; it is closed with the test.
func (d *Dovecot) Login(user string) *IMAP {
	d.t.Helper()
	conn, err := net.DialTimeout("tcp", local(d.IMAP), patience)
	if err != nil {
		d.t.Fatal(err)
	}
	i := &IMAP{t: d.t, c: textproto.NewConn(conn)}
	d.t.Cleanup(func() { i.c.Close() })
	if _, err := i.c.ReadLine(); err != nil {
		d.t.Fatal(err)
	}
	i.Do("LOGIN %s %s", user, Password)
	return i
}

// Do gives a command and returns the untagged answers, without the "* ". A
// command that is refused fails the test, unless it is one that Try gives.
func (i *IMAP) Do(format string, args ...any) []string {
	i.t.Helper()
	out, ok := i.Try(format, args...)
	if !ok {
		i.t.Fatalf("IMAP: %s: %q", fmt.Sprintf(format, args...), out)
	}
	return out
}

// Try is Do for a command that may be refused: ok says whether it was done.
func (i *IMAP) Try(format string, args ...any) (answers []string, ok bool) {
	i.t.Helper()
	i.tag++
	tag := fmt.Sprintf("t%d", i.tag)
	if err := i.c.PrintfLine("%s %s", tag, fmt.Sprintf(format, args...)); err != nil {
		i.t.Fatal(err)
	}
	return i.answers(tag)
}

func (i *IMAP) answers(tag string) (out []string, ok bool) {
	i.t.Helper()
	for {
		line, err := i.c.ReadLine()
		if err != nil {
			i.t.Fatal(err)
		}
		if rest, done := strings.CutPrefix(line, tag+" "); done {
			return append(out, rest), strings.HasPrefix(rest, "OK")
		}
		out = append(out, strings.TrimPrefix(line, "* "))
	}
}

// Append puts a message into a mailbox, as programs do that move mail from
// another account.
func (i *IMAP) Append(mailbox string, raw []byte) {
	i.t.Helper()
	i.tag++
	tag := fmt.Sprintf("t%d", i.tag)
	if err := i.c.PrintfLine("%s APPEND %q {%d}", tag, mailbox, len(raw)); err != nil {
		i.t.Fatal(err)
	}
	if line, err := i.c.ReadLine(); err != nil || !strings.HasPrefix(line, "+") {
		i.t.Fatalf("IMAP: APPEND: %q, %v", line, err)
	}
	if err := i.c.PrintfLine("%s", raw); err != nil {
		i.t.Fatal(err)
	}
	if out, ok := i.answers(tag); !ok {
		i.t.Fatalf("IMAP: APPEND: %q", out)
	}
}

// Listen idles in a mailbox (RFC 2177) until the test ends, and tells when the
// server has announced mail, each time. The line is for nothing else then.
func (i *IMAP) Listen(mailbox string) <-chan time.Time {
	i.t.Helper()
	i.Do("SELECT %s", mailbox)
	if err := i.c.PrintfLine("l IDLE"); err != nil {
		i.t.Fatal(err)
	}
	if line, err := i.c.ReadLine(); err != nil || !strings.HasPrefix(line, "+") {
		i.t.Fatalf("IMAP: IDLE: %q, %v", line, err)
	}
	heard := make(chan time.Time, 1000)
	go func() {
		for {
			line, err := i.c.ReadLine()
			if err != nil {
				return // the test has ended
			}
			if strings.HasSuffix(line, " EXISTS") {
				heard <- time.Now()
			}
		}
	}()
	return heard
}
