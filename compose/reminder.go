package compose

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"galley/send/store"
)

// keepCalendar reminds the editors of a slot that nothing is approved for,
// and tells them when it has passed without an issue. The slot's row keeps
// what was said, so that a restart says nothing twice.
func (d *Desk) keepCalendar(ctx context.Context) error {
	var err error
	for _, n := range d.Newsletters {
		if n.Slot == nil {
			continue
		}
		if e := d.DB.Update(ctx, func(tx *store.Tx) error { return d.keepSlots(ctx, tx, n) }); e != nil {
			err = errors.Join(err, fmt.Errorf("calendar of %s: %w", n.ID, e))
		}
	}
	return err
}

func (d *Desk) keepSlots(ctx context.Context, tx *store.Tx, n *Newsletter) error {
	if err := d.passSlot(ctx, tx, n); err != nil {
		return err
	}
	next := n.Slot.Next(tx.Now())
	due := 0 // how many reminders are due for the next slot
	for _, before := range n.Slot.Remind {
		if !tx.Now().Before(next.Add(-before)) {
			due++
		}
	}
	if due == 0 {
		return nil
	}
	said, known, err := slotRow(ctx, tx, n, next)
	if err != nil || known != "" && known != "open" || said >= due {
		return err
	}
	if err := openSlot(ctx, tx, n, next, due); err != nil {
		return err
	}
	taken, err := slotTaken(ctx, tx, n, next)
	if err != nil || taken {
		return err
	}
	return d.remind(ctx, tx, n, next)
}

// passSlot closes the slot that lies behind now. The first time that Galley
// sees a newsletter it says nothing: nobody was waiting for it then.
func (d *Desk) passSlot(ctx context.Context, tx *store.Tx, n *Newsletter) error {
	last := n.Slot.Next(tx.Now().AddDate(0, 0, -8))
	for next := n.Slot.Next(last); !next.After(tx.Now()); next = n.Slot.Next(last) {
		last = next
	}
	if last.After(tx.Now()) {
		return nil
	}
	_, state, err := slotRow(ctx, tx, n, last)
	if err != nil || state == "used" || state == "missed" {
		return err
	}
	var slots int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM slot WHERE newsletter = $1`, n.ID).Scan(&slots); err != nil {
		return err
	}
	taken, err := slotTaken(ctx, tx, n, last)
	if err != nil || taken {
		return err // its run begins or has begun, and uses the slot up
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO slot (newsletter, day, state, at) VALUES ($1, $2, 'missed', $3)
		ON CONFLICT (newsletter, day) DO UPDATE SET state = 'missed', at = excluded.at`, n.ID, n.Slot.Day(last), store.Micros(tx.Now()))
	if err != nil || slots == 0 {
		return err
	}
	return d.tellMissed(ctx, tx, n, last)
}

func (d *Desk) tellMissed(ctx context.Context, tx *store.Tx, n *Newsletter, at time.Time) error {
	data := map[string]any{"Goes": When(at, tx.Now(), n.Zone), "Short": at.In(n.Zone).Format("Monday 2 January"),
		"Next": When(n.Slot.Next(tx.Now()), tx.Now(), n.Zone)}
	for _, e := range n.Editors {
		data["Open"] = d.standing(ctx, tx, &decisionRow{n: n})
		if err := d.tell(ctx, tx, n, e.Addr, "", "missed", data); err != nil {
			return err
		}
	}
	return nil
}

// slotRow is what the books say of a slot: how many reminders were due when
// it was last looked at, and its state; "" when there is no row.
func slotRow(ctx context.Context, tx *store.Tx, n *Newsletter, at time.Time) (said int, state string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT reminded, state FROM slot WHERE newsletter = $1 AND day = $2`, n.ID, n.Slot.Day(at)).Scan(&said, &state)
	if store.NotFound(err) {
		err = nil
	}
	return said, state, err
}

func openSlot(ctx context.Context, tx *store.Tx, n *Newsletter, at time.Time, said int) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO slot (newsletter, day, state, reminded, at) VALUES ($1, $2, 'open', $3, $4)
		ON CONFLICT (newsletter, day) DO UPDATE SET reminded = excluded.reminded`, n.ID, n.Slot.Day(at), said, store.Micros(tx.Now()))
	return err
}

// slotTaken tells whether an issue goes, or went, at this slot.
func slotTaken(ctx context.Context, tx *store.Tx, n *Newsletter, at time.Time) (bool, error) {
	issues, err := issuesIn(ctx, tx, n.ID, Approved, Sending, Stopped, Sent)
	for _, i := range issues {
		if i.SendAt.Equal(at) {
			return true, err
		}
	}
	return false, err
}

// remind tells every editor what is missing for the slot at: a text, an
// approval, or one that a later text made void.
func (d *Desk) remind(ctx context.Context, tx *store.Tx, n *Newsletter, at time.Time) error {
	open, err := issuesIn(ctx, tx, n.ID, Proofed, Held)
	if err != nil {
		return err
	}
	data := map[string]any{"Goes": When(at, tx.Now(), n.Zone), "Day": dayName(at, tx.Now(), n.Zone), "Hours": "",
		"Later": strings.ToLower(at.AddDate(0, 0, 1).In(n.Zone).Format("Monday 15:04"))}
	if left := at.Sub(tx.Now()); left < 12*time.Hour {
		data["Hours"] = spelled(left)
	}
	m := &mail{paper: paper{Kind: paperReminder}}
	if len(open) == 0 {
		number, err := nextNumber(ctx, tx, n.ID)
		if err != nil {
			return err
		}
		data["Missing"], data["Number"] = "text", number
		m.Kind, m.number = paperAnswer, number // there is nothing to let out, so no code
		return d.remindAll(ctx, tx, n, m, data)
	}
	if err := d.remindOf(ctx, tx, n, open[0], data); err != nil {
		return err
	}
	row, err := revisionOf(ctx, tx, open[0].ID, open[0].Revision)
	if err != nil || row == nil {
		return fmt.Errorf("revision %d of #%d: %v", open[0].Revision, open[0].Number, err)
	}
	m.Issue, m.Revision, m.Digest, m.number = open[0].ID, open[0].Revision, row.Digest, open[0].Number
	return d.remindAll(ctx, tx, n, m, data)
}

func (d *Desk) remindOf(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, data map[string]any) error {
	readers, err := d.Figures.Audience(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	var changed, came int64
	err = tx.QueryRowContext(ctx, `SELECT changed FROM issue WHERE id = $1`, i.ID).Scan(&changed)
	err2 := tx.QueryRowContext(ctx, `SELECT received FROM draft WHERE issue = $1 AND revision = $2`, i.ID, i.Revision).Scan(&came)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	clock := func(us int64) string { return store.Instant(us).In(n.Zone).Format("Monday, 15:04") }
	data["Number"], data["Revision"], data["Was"], data["Readers"] = i.Number, i.Revision, i.Approved, readers
	data["Came"], data["Since"] = clock(came), clock(changed)
	data["Missing"] = "approval"
	switch {
	case i.State == Held:
		data["Missing"] = "held"
	case i.Approved != 0:
		data["Missing"] = "void"
	}
	return nil
}

func (d *Desk) remindAll(ctx context.Context, tx *store.Tx, n *Newsletter, m *mail, data map[string]any) error {
	for _, e := range n.Editors {
		r, to := &decisionRow{n: n, Editor: e.Addr}, *m
		if _, err := r.mail(ctx, tx, d, "reminder", data, &to); err != nil {
			return err
		}
	}
	return nil
}

// dayName is "today", "tomorrow" or the weekday, with the hour.
func dayName(at, now time.Time, zone *time.Location) string {
	at, now = at.In(zone), now.In(zone)
	switch at.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return "today " + at.Format("15:04")
	case now.AddDate(0, 0, 1).Format(time.DateOnly):
		return "tomorrow " + at.Format("15:04")
	}
	return at.Format("Monday 15:04")
}

// spelled writes a short time as a person says it: "two hours".
func spelled(d time.Duration) string {
	switch h := d.Round(time.Hour); {
	case h == time.Hour:
		return "an hour"
	case h > time.Hour:
		return span(h)
	}
	return span(d)
}
