package mailbox

import (
	"context"
	"crypto/tls"
	"slices"

	"github.com/emersion/go-imap/v2"
)

// Report is what Check found.
type Report struct {
	Protection string   // "TLS 1.3", or "none"
	Mechanism  string   // how the login went: plain, login, xoauth2, oauthbearer, preauth
	Caps       []string // what the server can do, sorted

	Folder      string
	Messages    uint32
	UIDValidity uint32

	Idle     bool // new mail is told at once; else it is found by polling
	Move     bool // messages are filed with MOVE
	UIDPlus  bool // messages can be filed by copying where MOVE is missing
	Keywords bool // messages can be marked where they cannot be filed
}

// Check logs in on a connection of its own, selects the folder, and says what
// the server can do. The error names the step that failed; a *Refusal in it
// holds the server's words.
func (m *Mailbox) Check(ctx context.Context) (Report, error) {
	l, err := m.open(ctx)
	if err != nil {
		return Report{}, err
	}
	defer l.logout()
	r := Report{Protection: "none", Mechanism: l.mechanism, Folder: m.folder(),
		Idle: l.caps.Has(imap.CapIdle), Move: l.caps.Has(imap.CapMove), UIDPlus: l.caps.Has(imap.CapUIDPlus)}
	for c := range l.caps {
		r.Caps = append(r.Caps, string(c))
	}
	slices.Sort(r.Caps)
	if conn, ok := l.Conn.(*tls.Conn); ok {
		r.Protection = tls.VersionName(conn.ConnectionState().Version)
	} else if m.Security == StartTLS {
		r.Protection = "TLS by STARTTLS"
	}
	var data *imap.SelectData
	// Not EXAMINE: it hides which flags are kept.
	err = l.do(ctx, "SELECT "+m.folder(), commandTime, func() (err error) {
		data, err = l.c.Select(m.folder(), nil).Wait()
		return err
	})
	if err != nil {
		return r, err
	}
	r.Messages, r.UIDValidity = data.NumMessages, data.UIDValidity
	r.Keywords = takes(data.PermanentFlags, Processed)
	return r, nil
}
