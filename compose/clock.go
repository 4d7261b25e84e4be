package compose

import (
	"context"
	"time"

	"galley/send"
	"galley/send/store"
)

const (
	// seenEvery is how often the calendar writes down that time goes on.
	seenEvery = 10 * time.Minute
	// mostBehind is how far the clock may lie behind what the books have seen
	// before nothing is let out by it (trust.md 3.4: clock jump).
	mostBehind = time.Hour
)

// stale tells that the newest instant in the books is not that of now.
func (s schedule) stale(now time.Time) bool {
	return now.Sub(s.seen) >= seenEvery || s.seen.Sub(now) > mostBehind
}

// keepClock writes down that the calendar has seen now, and begins it for a
// newsletter that it did not know. A clock that has gone back by more than an
// hour cannot be told from a wrong one: every approved issue is held, the
// editors are told once, and the clock is taken as it is from then on.
func (d *Desk) keepClock(ctx context.Context, tx *store.Tx, n *Newsletter) (schedule, error) {
	s, known, err := scheduleOf(ctx, tx, n.ID)
	if err != nil || known && !s.stale(tx.Now()) {
		return s, err
	}
	if behind := s.seen.Sub(tx.Now()); known && behind > mostBehind {
		if err := d.clockBehind(ctx, tx, n, s.seen); err != nil {
			return s, err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO schedule (newsletter, began, seen) VALUES ($1, $2, $3)
		ON CONFLICT (newsletter) DO UPDATE SET seen = excluded.seen`, n.ID, store.Micros(s.began), store.Micros(tx.Now()))
	return s, err
}

func (d *Desk) clockBehind(ctx context.Context, tx *store.Tx, n *Newsletter, seen time.Time) error {
	approved, err := issuesIn(ctx, tx, n.ID, Approved)
	if err != nil {
		return err
	}
	var held []int
	for _, i := range approved {
		if err := i.move(ctx, tx, Held, "schedule", "the clock went back"); err != nil {
			return err
		}
		if err := d.Press.Halt(ctx, tx, n.ID, i.Number, send.HaltHold); err != nil {
			return err
		}
		held = append(held, i.Number)
	}
	data := map[string]any{"Clock": n.date("clock", tx.Now()), "Seen": n.date("clock", seen), "Place": Place(n.Zone), "Held": held}
	for _, e := range n.Editors {
		if err := d.tell(ctx, tx, n, e.Addr, "", "clock-behind", data); err != nil {
			return err
		}
	}
	return nil
}
