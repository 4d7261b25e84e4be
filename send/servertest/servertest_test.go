package servertest

import (
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"
)

// Each server starts, does what it is for, and starts again.
func TestDovecot(t *testing.T) {
	d := StartDovecot(t, DovecotOptions{Users: []string{"letter"}})
	if err := d.Deliver("", "letter+unsub-x@quiet.example", []byte("Subject: one\r\n\r\n.dot\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := d.Deliver("a@b.example", "nobody@quiet.example", []byte("\r\n")); err == nil || !strings.Contains(err.Error(), "5.1.1") {
		t.Errorf("an unknown user: %v", err)
	}
	d.Stop()
	d.Start()
	got := d.Messages("letter", "INBOX")
	if len(got) != 1 || !strings.Contains(string(got[0]), "Delivered-To: letter+unsub-x@quiet.example\n") || !strings.HasSuffix(string(got[0]), "\n\n.dot\n") {
		t.Errorf("the mailbox holds %q", got)
	}
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", d.IMAP))
	if err != nil {
		t.Fatal(err)
	}
	c := textproto.NewConn(conn)
	defer c.Close()
	fmt.Fprintf(conn, "a LOGIN letter %s\r\n", Password)
	for {
		line, err := c.ReadLine()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "a ") {
			for _, want := range []string{"a OK", "IDLE", "MOVE", "UIDPLUS"} {
				if !strings.Contains(line, want) {
					t.Errorf("the login says %q, without %s", line, want)
				}
			}
			return
		}
	}
}

func TestPostgres(t *testing.T) {
	pg := StartPostgres(t)
	pg.Kill()
	if pg.ready() {
		t.Error("it answers after its death")
	}
	pg.Start()
	if !pg.ready() {
		t.Error("it does not answer after its second start")
	}
	pg.Stop()
	pg.Start()
}
