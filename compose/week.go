package compose

import (
	"context"
	"slices"
	"strings"
	"time"

	"galley/send/store"
)

// schedule is what the books keep of a newsletter's week beside its slots.
type schedule struct {
	began  time.Time // when the house first knew the newsletter
	seen   time.Time // the newest instant that the calendar has seen
	paused time.Time // an editor ended the schedule, until resume; zero: it goes on
}

// scheduleOf reads a newsletter's schedule; a newsletter that the calendar
// has not seen yet begins now.
func scheduleOf(ctx context.Context, tx *store.Tx, newsletter string) (s schedule, known bool, err error) {
	var began, seen, paused int64
	err = tx.QueryRowContext(ctx, `SELECT began, seen, paused FROM schedule WHERE newsletter = $1`, newsletter).Scan(&began, &seen, &paused)
	if store.NotFound(err) {
		return schedule{began: tx.Now(), seen: tx.Now()}, false, nil
	}
	return schedule{store.Instant(began), store.Instant(seen), store.Instant(paused)}, true, err
}

// turn is when an issue goes, and which slot it uses up.
type turn struct {
	At     time.Time // zero: the time must be asked
	Slot   string    // the slot's day; "" when it uses none
	Chosen bool      // an editor named the time
	Late   time.Time // the slot that has passed; zero unless the issue goes late by grace
}

// goes says when an issue goes once it is approved: "" when the time is asked.
func (t turn) goes(now time.Time, n *Newsletter) string {
	switch {
	case t.At.IsZero():
		return ""
	case !t.Late.IsZero():
		return t.soon(n)
	}
	return n.when(t.At, now)
}

// soon is how long after an approval an issue goes whose time has passed.
func (t turn) soon(n *Newsletter) string {
	return n.phrase("goes-soon", graceOf(n))
}

// in is how soon an issue goes that goes at once.
func (n *Newsletter) in() string {
	return n.phrase("goes-in", graceOf(n))
}

// until is the hour to which an approval still lets a late issue go.
func (t turn) until(n *Newsletter) string {
	return t.Late.Add(mostLate).In(n.Zone).Format("15:04")
}

// lateTurn is the turn of an issue whose slot has passed less than twelve
// hours ago.
func (n *Newsletter) lateTurn(now, passed time.Time, slot string) turn {
	return turn{At: now.Add(n.Grace), Slot: slot, Late: passed}
}

// ownTime is when an issue goes if it is approved without a word about the
// time: when an editor said before, as long as that lies ahead, else at the
// slot. A new text or a hold in between does not make the time forgotten.
func (d *Desk) ownTime(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) (turn, error) {
	if i.Chosen && i.SendAt.After(tx.Now()) {
		return turn{At: i.SendAt, Slot: i.Slot, Chosen: true}, nil
	}
	turns, err := d.assign(ctx, tx, n, i.Number)
	return turns[i.Number], err
}

// assign gives turns to the issues that wait for a slot, number with them, in
// the order of their numbers: the lowest takes the slot that has just passed
// if that is still to be had, the others the coming ones. Without a schedule
// the answer is empty.
func (d *Desk) assign(ctx context.Context, tx *store.Tx, n *Newsletter, number int) (map[int]turn, error) {
	if n.Slot == nil {
		return nil, nil
	}
	waiting, err := d.inLine(ctx, tx, n, number)
	if err != nil {
		return nil, err
	}
	out := map[int]turn{}
	if waiting[0] == number {
		late, err := d.lateSlot(ctx, tx, n)
		if err != nil {
			return nil, err
		}
		if !late.IsZero() {
			out[number], waiting = n.lateTurn(tx.Now(), late, n.Slot.Day(late)), waiting[1:]
		}
	}
	at := tx.Now()
	for _, w := range waiting {
		if at, err = d.freeSlot(ctx, tx, n, at); err != nil || at.IsZero() {
			return out, err
		}
		out[w] = turn{At: at, Slot: n.Slot.Day(at)}
	}
	return out, nil
}

// inLine lists the numbers that wait for a coming slot, number with them. An
// issue that goes late has its slot already.
func (d *Desk) inLine(ctx context.Context, tx *store.Tx, n *Newsletter, number int) ([]int, error) {
	approved, err := issuesIn(ctx, tx, n.ID, Approved)
	waiting := []int{number}
	for _, i := range approved {
		if !i.Chosen && i.Number != number && n.Slot.Instant(i.Slot).After(tx.Now()) {
			waiting = append(waiting, i.Number)
		}
	}
	slices.Sort(waiting)
	return waiting, err
}

// freeSlot is the first slot after t that no issue has used and nobody has
// skipped; the zero time while the schedule is paused.
func (d *Desk) freeSlot(ctx context.Context, tx *store.Tx, n *Newsletter, t time.Time) (time.Time, error) {
	if n.Slot == nil {
		return time.Time{}, nil
	}
	s, _, err := scheduleOf(ctx, tx, n.ID)
	if err != nil || !s.paused.IsZero() {
		return time.Time{}, err
	}
	for {
		t = n.Slot.Next(t)
		_, state, err := slotRow(ctx, tx, n, t)
		if err != nil || state != "used" && state != "skipped" {
			return t, err
		}
	}
}

// betweenRuns is the least time between an issue and one that goes late by
// itself.
const betweenRuns = 24 * time.Hour

// lateSlot is the newest slot if it has passed without an issue and an
// approval may still let one go: less than twelve hours ago, and no other
// issue went in the last day. It is the zero time otherwise.
func (d *Desk) lateSlot(ctx context.Context, tx *store.Tx, n *Newsletter) (time.Time, error) {
	last := n.Slot.Last(tx.Now())
	s, _, err := scheduleOf(ctx, tx, n.ID)
	if err != nil || !s.paused.IsZero() || last.Before(s.began) || tx.Now().Sub(last) > mostLate {
		return time.Time{}, err
	}
	_, state, err := slotRow(ctx, tx, n, last)
	if err != nil || state == "used" || state == "skipped" {
		return time.Time{}, err
	}
	out, err := issuesIn(ctx, tx, n.ID, Approved, Sending, Stopped, Sent)
	for _, i := range out {
		if i.Slot == n.Slot.Day(last) || i.State != Approved && tx.Now().Sub(i.SendAt) < betweenRuns {
			return time.Time{}, err
		}
	}
	return last, err
}

// slotOf is the slot that an issue uses up which goes at a time that an
// editor named: one that passed less than a day before and nobody used, else
// that of its calendar week; "" when there is none to be used.
func (d *Desk) slotOf(ctx context.Context, tx *store.Tx, n *Newsletter, at time.Time) (string, error) {
	if n.Slot == nil {
		return "", nil
	}
	last := n.Slot.Last(at)
	for _, s := range []time.Time{last, n.Slot.Of(at)} {
		if s.IsZero() || s.Equal(last) && at.Sub(s) > betweenRuns && !s.Equal(n.Slot.Of(at)) {
			continue
		}
		_, state, err := slotRow(ctx, tx, n, s)
		if err != nil {
			return "", err
		}
		if state != "used" && state != "skipped" {
			return n.Slot.Day(s), nil
		}
	}
	return "", nil
}

// timeOver tells that the time a paper promised has passed too long ago for its
// approval to mean anything now: the editor is asked for another. why names the
// reason, as the catalogue's when-why does.
func (d *Desk) timeOver(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue) (why string, err error) {
	now, p := tx.Now(), r.paper
	switch {
	case p != nil && p.Asks == asksLate:
		return "passed", nil
	case i.Chosen && i.SendAt.After(now) || p == nil || r.n.Slot == nil:
		return "", nil
	}
	last := r.n.Slot.Last(now)
	if now.Sub(last) <= mostLate || !p.Made.Before(last.Add(mostLate)) {
		return "", nil
	}
	_, state, err := slotRow(ctx, tx, r.n, last)
	if err != nil || state == "used" || state == "skipped" {
		return "", err
	}
	return "long-over", nil
}

// asksLate marks a paper that asks for a time, and asksMissed, with a day
// behind it, one that says that a slot has passed.
const (
	asksLate   = "late"
	asksMissed = "missed "
)

// missedDay is the slot that a paper says was missed; "" for any other paper.
func (p *paper) missedDay() string {
	if p == nil {
		return ""
	}
	_, day, _ := strings.Cut(p.Asks, asksMissed)
	return day
}
