package compose

import (
	"context"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galley/send"
	"galley/send/message"
	"galley/send/store"
	"galley/templates"
)

// postbox is a press that keeps what is posted.
type postbox struct {
	Press
	mails []*message.Mail
}

func (p *postbox) Post(_ context.Context, _ *store.Tx, s *send.Slip) error {
	p.mails = append(p.mails, s.Mail)
	return nil
}

// An answer that can never be carried out does not hold up the one behind it,
// and ends: the editor is told after an hour and a half.
func TestAnswerThatAlwaysFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "galley.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		box := &postbox{}
		ines := message.Address{Name: "Ines", Addr: "ines@ines.example"}
		d := &Desk{DB: db, Press: box, Log: slog.New(slog.DiscardHandler), Newsletters: map[string]*Newsletter{"quiet": {ID: "quiet",
			From: message.Address{Addr: "letter@quiet.example"}, Editors: []message.Address{ines}, Zone: time.UTC, Frame: Frame{Looks: fs.FS(templates.Look(""))}}}}
		err = db.Update(t.Context(), func(tx *store.Tx) error {
			for _, ruling := range []Ruling{"nonsense", Notice} {
				if _, err := d.Decide(t.Context(), tx, &Decision{Newsletter: "quiet", Editor: ines.Addr, Ruling: ruling}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		tries, began := 0, time.Now()
		for time.Since(began) < 3*time.Hour {
			if err := d.carryOut(t.Context()); err != nil {
				tries++
			}
			if len(box.mails) == 0 || box.mails[0].Subject != "A mail in your name" {
				t.Fatal("the second answer waits for the first")
			}
			time.Sleep(2 * time.Second)
		}
		if tries != maxFaults || len(box.mails) != 2 || box.mails[1].Subject != "Not done: your last mail" ||
			!strings.Contains(string(box.mails[1].Text), `unknown ruling "nonsense"`) {
			t.Errorf("%d tries, %d mails", tries, len(box.mails))
		}
		t.Logf("%s", box.mails[len(box.mails)-1].Text)
	})
}
