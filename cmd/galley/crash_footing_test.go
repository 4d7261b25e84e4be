package main

import (
	"strconv"
	"testing"

	"galley/inbox/inboxtest"
	"galley/send/servertest"
	"galley/send/store/storetest"
)

// footing is what a daemon that is going to be killed stands on.
type footing struct {
	books   string // URL of the database; "" is SQLite
	dovecot bool   // the mailbox is in a real server
	falls   bool   // the database falls too, and the daemon may say so
}

// postOffice holds the newsletter's mailbox.
type postOffice interface {
	Deliver(user string, raw []byte) error
	Folders(user string) ([]string, error)
	Messages(user, folder string) ([]inboxtest.Message, error)
}

// onEach runs a test on embedded parts, and on Dovecot and PostgreSQL.
func onEach(t *testing.T, test func(*testing.T, footing)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, footing{}) })
	t.Run("servers", func(t *testing.T) {
		servertest.Need(t, "dovecot", "postgres")
		test(t, footing{books: storetest.Schema(t, servertest.StartPostgres(t).URL), dovecot: true})
	})
}

// open starts the mailbox's server.
func (r *rig) open() {
	r.t.Helper()
	if r.on.dovecot {
		d := servertest.StartDovecot(r.t, servertest.DovecotOptions{Users: []string{"letter"}})
		r.imap, r.conf.imapPort = dovecot{d}, strconv.Itoa(d.IMAP)
		return
	}
	imap := inboxtest.New(inboxtest.Options{Users: map[string]string{"letter": servertest.Password}})
	r.t.Cleanup(func() { imap.Close() })
	addr, err := imap.Listen("127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.imap, r.conf.imapPort = imap, port(addr)
}

// dovecot is a postOffice: mail is laid into the folders as a server on the
// same machine does.
type dovecot struct{ *servertest.Dovecot }

func (d dovecot) Deliver(user string, raw []byte) error { return d.Lay(user, "INBOX", raw) }

func (d dovecot) Folders(user string) ([]string, error) { return d.Dovecot.Folders(user), nil }

func (d dovecot) Messages(user, folder string) ([]inboxtest.Message, error) {
	var out []inboxtest.Message
	for _, raw := range d.Dovecot.Messages(user, folder) {
		out = append(out, inboxtest.Message{Raw: raw})
	}
	return out, nil
}
