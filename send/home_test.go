package send

import (
	"context"
	"slices"
	"testing"
	"time"

	"galley/send/store"
	"galley/send/store/storetest"
)

// arrived is a queue that stands on some machine, with books that others may
// share.
func arrived(t *testing.T, db *store.DB, machine string) *Queue {
	t.Helper()
	q := &Queue{DB: db}
	if err := q.Arrive(t.Context(), machine); err != nil {
		t.Fatal(err)
	}
	return q
}

func update(t *testing.T, db *store.DB, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// TestHome: the first machine is home, every other one is silent until an
// editor has said yes. Where the books are a file the old home is one no more;
// where machines share them both are.
func TestHome(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if q := arrived(t, db, "first"); q.Silent() {
			t.Error("the first machine is silent")
		}
		second := arrived(t, db, "second")
		if !second.Silent() || !arrived(t, db, "second").Silent() {
			t.Error("another machine sends unasked")
		}
		if arrived(t, db, "").Silent() {
			t.Error("a machine that cannot be told from others is silent")
		}
		if db.Dialect() == store.SQLite { // back at home, nobody asks any more
			arrived(t, db, "first")
			update(t, db, func(ctx context.Context, tx *store.Tx) error {
				a, err := second.Away(ctx, tx)
				if a.Guest {
					t.Error("a machine that was left still asks")
				}
				return err
			})
			second = arrived(t, db, "second")
		}
		update(t, db, second.MoveIn)
		if second.Silent() || arrived(t, db, "second").Silent() {
			t.Error("it is silent after a yes")
		}
		if silent := arrived(t, db, "first").Silent(); silent != (db.Dialect() == store.SQLite) {
			t.Errorf("the old machine is silent: %v", silent)
		}
	})
}

// TestTraces: mails that the books do not know silence the queue until an
// editor has said yes, on every machine and over restarts.
func TestTraces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		q, other := arrived(t, db, "first"), arrived(t, db, "first")
		at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
		found := []Trace{{Newsletter: "quiet", Kind: "report", Issue: 12, Subject: "Sent: #12", At: at}, {Newsletter: "quiet", Kind: "copy", Issue: 12, At: at.Add(-time.Hour)}}
		for range 2 { // found again at the next start
			update(t, db, func(ctx context.Context, tx *store.Tx) error { return q.Older(ctx, tx, found) })
		}
		update(t, db, other.lookHome)
		if !q.Silent() || !other.Silent() || !arrived(t, db, "first").Silent() {
			t.Error("readers are mailed by books that are older than the mailbox")
		}
		update(t, db, func(ctx context.Context, tx *store.Tx) error {
			a, err := q.Away(ctx, tx)
			if kinds := []string{"copy", "report"}; a.Guest || a.Since.IsZero() || len(a.Older) != 2 || !slices.Equal(kinds, []string{a.Older[0].Kind, a.Older[1].Kind}) || !a.Older[1].At.Equal(at) {
				t.Errorf("away: %+v", a)
			}
			return err
		})
		update(t, db, q.MoveIn)
		if q.Silent() || arrived(t, db, "first").Silent() {
			t.Error("it is silent after a yes")
		}
		update(t, db, func(ctx context.Context, tx *store.Tx) error {
			settled, err := q.Confirmed(ctx, tx)
			if settled.IsZero() {
				t.Error("nobody knows when that was said")
			}
			return err
		})
	})
}

// TestReturnOfTheUnknown: a copy that comes back with a token of ours, for a
// delivery that the books do not have, shows that they are older than it.
func TestReturnOfTheUnknown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		q := arrived(t, db, "first")
		update(t, db, func(ctx context.Context, tx *store.Tx) error {
			return q.Returned(ctx, tx, &Return{Newsletter: "quiet", Delivery: 7, Kind: "bounce", Class: ClassHard})
		})
		if !q.Silent() {
			t.Error("readers are mailed by books that do not know a copy which came back")
		}
	})
}
