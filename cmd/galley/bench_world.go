package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"galley/send"
	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
)

const (
	benchID   = "bench"
	benchFrom = "letter@bench.example"
)

// benchKey makes tokens that only a bench believes.
var benchKey = []byte("the key of benches, known to all")

// readers puts the list into the books, as an import does.
func (b *bench) readers() error {
	m := b.meter("readers", b.Recipients)
	defer m.end()
	in, out := io.Pipe()
	go func() {
		fmt.Fprintln(out, "email,name")
		for i := range b.Recipients {
			if _, err := fmt.Fprintf(out, "reader%07d@bench.example,Reader %d\n", i, i); err != nil {
				return
			}
		}
		out.Close()
	}()
	r, err := (&list.List{Key: benchKey}).Import(b.ctx, b.db, benchID, "bench", in, m.at)
	in.Close()
	if err == nil && r.Added != b.Recipients {
		err = fmt.Errorf("bench: %d of %d readers are on the list", r.Added, b.Recipients)
	}
	return err
}

// issue publishes one, and has it signed ahead when that is wished.
func (b *bench) issue() error {
	if err := b.makeKeys(); err != nil {
		return err
	}
	n, err := benchNewsletter(b.keyFile())
	if err != nil {
		return err
	}
	ahead := len(n.Signers) > 0 && !b.Inline
	at := store.Now().Truncate(time.Second)
	if ahead {
		took, err := signingTime(n.Signers, b.Recipients)
		if err != nil {
			return err
		}
		at = at.Add(took.Round(time.Second) + 3*time.Second)
	}
	ed := benchEdition(b.Size, at)
	q := &send.Queue{DB: b.db, Readers: &list.List{Key: benchKey}, Newsletters: map[string]*send.Newsletter{n.ID: n}, Log: slog.New(slog.DiscardHandler)}
	if err := b.db.Update(b.ctx, func(tx *store.Tx) error { return q.Publish(b.ctx, tx, ed) }); err != nil || !ahead {
		return err
	}
	m := b.meter("signatures", b.Recipients)
	defer m.end()
	return q.SignAhead(b.ctx, benchID, 1, m.at)
}

// signingTime is how long it takes, about, to sign that many copies: the date is
// signed too, so the time of sending has to be known before.
func signingTime(signers []*message.Signer, copies int) (time.Duration, error) {
	const tries = 20
	began := time.Now()
	for range tries {
		for _, s := range signers {
			if _, err := s.Sign([]byte("From: "+benchFrom+"\r\n\r\n"), began); err != nil {
				return 0, err
			}
		}
	}
	each := time.Since(began)/tries/time.Duration(runtime.GOMAXPROCS(0))*3/2 + 60*time.Microsecond
	return each * time.Duration(copies), nil
}

// benchEdition has about that many KB when it is on the wire: quoted-printable
// of a text part and an HTML part, with tags, links and some letters beyond ASCII.
func benchEdition(kb int, at time.Time) *send.Edition {
	const words = "The tide waits for nobody – but a newsletter waits for its slot, and <a href=\"https://quay.example/moorings?week=%d\">so do its readers</a>."
	var html, text strings.Builder
	for i := 0; html.Len()+text.Len() < kb*1000*9/10; i++ {
		fmt.Fprintf(&html, "<p style=\"margin:0 0 16px\">"+words+"</p>\n", i)
		if i%3 == 0 {
			fmt.Fprintf(&text, "The tide waits for nobody – but a newsletter waits for its slot (%d).\n", i)
		}
	}
	leave := "\n<p><a href=\"" + message.SlotUnsubscribe + "\">Leave</a></p>\n"
	sum := sha256.Sum256([]byte(html.String()))
	return &send.Edition{Newsletter: benchID, Issue: 1, Revision: 1, Digest: hex.EncodeToString(sum[:]), Slug: "1-bench", Title: "Bench",
		Subject: "#1 Bench", HTML: []byte(html.String() + leave), Text: []byte(text.String() + "\nLeave: " + message.SlotUnsubscribe + "\n"),
		Web: []byte("bench"), SendAt: at}
}

func (b *bench) keyFile() string { return filepath.Join(b.dir, "keys.pem") }

// makeKeys writes the keys that sign, one after the other, into one file: all
// senders of a bench have the same.
func (b *bench) makeKeys() error {
	var pems []byte
	rsa, ed, err := message.GenerateKeys()
	if err != nil {
		return err
	}
	if b.Sign == "rsa" || b.Sign == "both" {
		pem, err := message.FormatKey(rsa)
		if err != nil {
			return err
		}
		pems = append(pems, pem...)
	}
	if b.Sign == "ed25519" || b.Sign == "both" {
		pem, err := message.FormatKey(ed)
		if err != nil {
			return err
		}
		pems = append(pems, pem...)
	}
	return os.WriteFile(b.keyFile(), pems, 0o600)
}

// benchNewsletter reads the keys and names the newsletter that they sign for.
func benchNewsletter(keys string) (*send.Newsletter, error) {
	text, err := os.ReadFile(keys)
	if err != nil {
		return nil, err
	}
	n := &send.Newsletter{ID: benchID, Name: "The Bench", From: message.Address{Name: "The Bench", Addr: benchFrom},
		Pattern: send.Pattern{Mailbox: benchFrom}, Keys: send.Keys{Secret: benchKey}, Host: "https://bench.example", ArchivePath: "/issues"}
	const end = "-----END PRIVATE KEY-----\n"
	for i, pem := range strings.SplitAfter(string(text), end) {
		if strings.TrimSpace(pem) == "" {
			continue
		}
		key, err := message.ParseKey([]byte(pem))
		if err != nil {
			return nil, errors.Join(errors.New("bench: its keys"), err)
		}
		n.Signers = append(n.Signers, &message.Signer{Domain: "bench.example", Selector: fmt.Sprintf("s%d", i), Key: key})
	}
	return n, nil
}
