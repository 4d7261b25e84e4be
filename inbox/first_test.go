package inbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"galley/inbox/inboxtest"
	"galley/inbox/mailbox"
)

// What lay in the mailbox before the first start is left alone, also when the
// mailbox is made anew and shows it under other numbers.
func TestBeforeTheFirstStart(t *testing.T) {
	bubble(t, inboxtest.Options{UIDValidity: 7}, func(r *rig) {
		r.deliver(letterOf("old"))
		time.Sleep(time.Hour)
		r.start()
		r.deliver(letterOf("new"))
		time.Sleep(5 * time.Minute)
		r.holds("INBOX", "old")
		r.holds("Galley/Letters", "new")
		if !slices.Equal(r.passed(), []string{"new"}) || r.rows("1 = 1") != 1 {
			t.Errorf("passed on: %q, %d rows", r.passed(), r.rows("1 = 1"))
		}
		r.end()
		r.deliver(letterOf("while down"))
		r.start()
		time.Sleep(5 * time.Minute)
		if !slices.Equal(r.passed(), []string{"new", "while down"}) {
			t.Errorf("passed on: %q", r.passed())
		}
	})
}

// What comes after the first start counts, also while nobody has seen the
// mailbox yet: its server is away at first.
func TestSinceTheFirstStart(t *testing.T) {
	bubble(t, inboxtest.Options{UIDValidity: 7}, func(r *rig) {
		r.deliver(letterOf("old"))
		time.Sleep(time.Hour)
		r.imap.Down()
		r.start()
		time.Sleep(time.Minute)
		r.deliver(letterOf("new"))
		time.Sleep(50 * time.Hour)
		r.deliver(letterOf("newer"))
		time.Sleep(time.Hour)
		r.imap.Heal()
		time.Sleep(5 * time.Minute)
		r.holds("INBOX", "old")
		if want := []string{"new", "newer"}; !slices.Equal(r.passed(), want) || r.rows("1 = 1") != len(want) {
			t.Errorf("passed on %q, want %q, of %d", r.passed(), want, r.rows("1 = 1"))
		}
	})
}

// Among what lies in the mailbox at the first opening the dates decide, since
// people move old mail about; behind it everything is new.
func TestOldMailAmongNew(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.imap.Down()
		r.start()
		ctx, began := context.Background(), time.Now()
		g := r.in.Ledger()
		if err := g.Begin(ctx, 7, 1, 4); err != nil {
			t.Fatal(err)
		}
		var batch []mailbox.Message
		for uid, after := range map[uint32]time.Duration{2: time.Second, 3: -time.Hour, 4: 0, 5: -time.Hour} {
			raw := []byte(strings.ReplaceAll(letterOf(fmt.Sprint("letter ", uid)), "\n", "\r\n"))
			batch = append(batch, mailbox.Message{UIDValidity: 7, UID: uid, Received: began.Add(after).Truncate(time.Second), Raw: raw})
		}
		if left, err := g.Unknown(ctx, 7, []uint32{1, 2, 3, 4, 5}); err != nil || !slices.Equal(left, []uint32{2, 3, 4, 5}) {
			t.Errorf("unknown are %d, %v", left, err)
		}
		slices.SortFunc(batch, func(a, b mailbox.Message) int { return int(a.UID) - int(b.UID) })
		if err := g.take(ctx, batch); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if want := []string{"letter 2", "letter 4", "letter 5"}; !slices.Equal(r.passed(), want) {
			t.Errorf("passed on %q, want %q", r.passed(), want)
		}
	})
}
