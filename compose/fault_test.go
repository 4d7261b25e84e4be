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
	mails   []*message.Mail
	stumble string // the kind of mail at which it panics
}

func (p *postbox) Post(_ context.Context, _ *store.Tx, s *send.Slip) error {
	if p.stumble != "" && strings.Contains(string(s.Mail.Text), p.stumble) {
		panic("index out of range")
	}
	p.mails = append(p.mails, s.Mail)
	return nil
}

// A draft or an answer that makes the program stumble ends like one that fails.
func TestStumbleIsAFault(t *testing.T) {
	err := unharmed(func() error { panic("index out of range") })
	if err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("the panic became %v", err)
	}
}

// An answer whose carrying out panics keeps none from the others, and ends.
func TestAnswerThatPanics(t *testing.T) {
	alwaysFails(t, &postbox{stumble: "binder"}, &Decision{Ruling: Notice, Subject: "my binder"}, "index out of range")
}

// An answer that can never be carried out does not hold up the one behind it,
// and ends: the editor is told after an hour and a half.
func TestAnswerThatAlwaysFails(t *testing.T) {
	alwaysFails(t, &postbox{}, &Decision{Ruling: "nonsense"}, `unknown ruling "nonsense"`)
}

// alwaysFails carries out a bad answer and a good one, until the bad one is
// given up for a reason.
func alwaysFails(t *testing.T, box *postbox, bad *Decision, why string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "galley.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		ines := message.Address{Name: "Ines", Addr: "ines@ines.example"}
		d := &Desk{DB: db, Press: box, Log: slog.New(slog.DiscardHandler), Newsletters: map[string]*Newsletter{"quiet": {ID: "quiet",
			From: message.Address{Addr: "letter@quiet.example"}, Editors: []message.Address{ines}, Zone: time.UTC, Frame: Frame{Looks: fs.FS(templates.Look(""))}}}}
		err = db.Update(t.Context(), func(tx *store.Tx) error {
			for _, one := range []*Decision{bad, {Ruling: Notice}} {
				one.Newsletter, one.Editor = "quiet", ines.Addr
				if _, err := d.Decide(t.Context(), tx, one); err != nil {
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
			!strings.Contains(strings.Join(strings.Fields(string(box.mails[1].Text)), " "), why) {
			t.Errorf("%d tries, %d mails", tries, len(box.mails))
		}
		t.Logf("%s", box.mails[len(box.mails)-1].Text)
	})
}
