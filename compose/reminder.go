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
		due := false
		e := d.DB.View(ctx, func(tx *store.Tx) (err error) {
			due, err = d.calendarDue(ctx, tx, n)
			return err
		})
		if e == nil && due { // an idle week takes no write lock
			e = d.DB.Update(ctx, func(tx *store.Tx) error { return d.keepSlots(ctx, tx, n) })
		}
		if e != nil {
			err = errors.Join(err, fmt.Errorf("calendar of %s: %w", n.ID, e))
		}
	}
	return err
}

// calendarDue tells whether keepSlots would write anything.
func (d *Desk) calendarDue(ctx context.Context, tx *store.Tx, n *Newsletter) (bool, error) {
	s, known, err := scheduleOf(ctx, tx, n.ID)
	if err != nil || !known || s.stale(tx.Now()) || n.Slot == nil {
		return true, err
	}
	if last := n.Slot.Last(tx.Now()); !last.Before(s.began) {
		_, state, err := slotRow(ctx, tx, n, last)
		if err != nil || state == "" || state == "open" {
			return true, err
		}
	}
	next := n.Slot.Next(tx.Now())
	said, state, err := slotRow(ctx, tx, n, next)
	if n.Slot.Starter > 0 && s.paused.IsZero() && !tx.Now().Before(next.Add(-n.Slot.Starter)) && state != "skipped" {
		if known, e := started(ctx, tx, n, next); e != nil || !known {
			return true, errors.Join(err, e)
		}
	}
	return state != "skipped" && n.Slot.due(next, tx.Now()) > said, err
}

func (d *Desk) keepSlots(ctx context.Context, tx *store.Tx, n *Newsletter) error {
	s, err := d.keepClock(ctx, tx, n)
	if err != nil || n.Slot == nil {
		return err
	}
	if err := d.passSlot(ctx, tx, n, s); err != nil || !s.paused.IsZero() {
		return err
	}
	next := n.Slot.Next(tx.Now())
	said, known, err := slotRow(ctx, tx, n, next)
	if err != nil || known != "" && known != "open" {
		return err
	}
	if err := d.startSlot(ctx, tx, n, s, next); err != nil {
		return err
	}
	due := n.Slot.due(next, tx.Now())
	if due <= said {
		return nil
	}
	if err := openSlot(ctx, tx, n, next, due); err != nil {
		return err
	}
	if due <= n.Slot.due(next, s.began) {
		return nil // its hour had come before the house began
	}
	taken, err := slotTaken(ctx, tx, n, next)
	if err != nil || taken {
		return err
	}
	return d.remind(ctx, tx, n, next)
}

// due is how many reminders of the slot at are due by t.
func (s *Slot) due(at, t time.Time) int {
	n := 0
	for _, before := range s.Remind {
		if !t.Before(at.Add(-before)) {
			n++
		}
	}
	return n
}

// passSlot closes the newest slot that lies behind now. Of several that were
// missed only this one is told about. One that passed before the house knew
// the newsletter is nobody's.
func (d *Desk) passSlot(ctx context.Context, tx *store.Tx, n *Newsletter, s schedule) error {
	last := n.Slot.Last(tx.Now())
	if last.Before(s.began) {
		return nil
	}
	_, state, err := slotRow(ctx, tx, n, last)
	if err != nil || state != "" && state != "open" {
		return err
	}
	taken, err := slotTaken(ctx, tx, n, last)
	if err != nil || taken {
		return err // its run begins or has begun, and uses the slot up
	}
	if !s.paused.IsZero() {
		return setSlot(ctx, tx, n, n.Slot.Day(last), "skipped")
	}
	asked, soon, err := askedLate(ctx, tx, n)
	if err != nil || soon {
		return err
	}
	if err := setSlot(ctx, tx, n, n.Slot.Day(last), "missed"); err != nil {
		return err
	}
	if asked {
		return nil // one question is enough
	}
	return d.tellMissed(ctx, tx, n, s, last)
}

// askedLate tells that the editors were asked in the last day about an
// approved issue whose time had passed, or that they are about to be.
func askedLate(ctx context.Context, tx *store.Tx, n *Newsletter) (asked, soon bool, err error) {
	approved, err := issuesIn(ctx, tx, n.ID, Approved)
	for _, i := range approved {
		soon = soon || tx.Now().Sub(i.SendAt) > mostLate
	}
	if err != nil {
		return false, false, err
	}
	var papers int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM proof WHERE newsletter = $1 AND asks = $2 AND made > $3`,
		n.ID, asksLate, store.Micros(tx.Now().Add(-betweenRuns))).Scan(&papers)
	return papers > 0, soon, err
}

func setSlot(ctx context.Context, tx *store.Tx, n *Newsletter, day, state string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO slot (newsletter, day, state, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (newsletter, day) DO UPDATE SET state = excluded.state, at = excluded.at`, n.ID, day, state, store.Micros(tx.Now()))
	return err
}

// tellMissed tells that a slot has passed without an issue. Where a text
// waits the mail bears a code: an approval within twelve hours still lets it
// go, later the time is asked.
func (d *Desk) tellMissed(ctx context.Context, tx *store.Tx, n *Newsletter, s schedule, at time.Time) error {
	open, err := issuesIn(ctx, tx, n.ID, Proofed, Held)
	if err != nil || len(open) == 0 && at.Sub(s.began) < betweenRuns {
		return err // a house that has just begun, and nobody has written yet
	}
	next, err := d.nextTime(ctx, tx, n)
	if err != nil {
		return err
	}
	late := n.lateTurn(tx.Now(), at, n.Slot.Day(at))
	data := map[string]any{"Goes": n.when(at, tx.Now()), "Short": n.date("day", at),
		"Next": n.when(next, tx.Now()), "Send": "approve " + next.In(n.Zone).Format("2006-01-02 15:04"), "Open": "", "Soon": "", "Number": 0}
	m := &mail{paper: paper{Kind: paperReminder, Asks: asksMissed + n.Slot.Day(at)}}
	if tx.Now().Sub(at) <= mostLate {
		data["Soon"], data["In"], data["Until"] = late.soon(n), n.in(), late.until(n)
	}
	if len(open) == 0 {
		m.Kind = paperAnswer
		return d.remindAll(ctx, tx, n, m, "missed", data)
	}
	i := open[0]
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil || row == nil {
		return fmt.Errorf("revision %d of #%d: %v", i.Revision, i.Number, err)
	}
	m.Issue, m.Revision, m.Digest, m.number = i.ID, i.Revision, row.Digest, i.Number
	data["Open"], data["Number"], data["Revision"] = i.standing(tx.Now(), n), i.Number, i.Revision
	return d.remindAll(ctx, tx, n, m, "missed", data)
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
		if i.Slot == n.Slot.Day(at) {
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
	later := at.In(n.Zone).AddDate(0, 0, 1) // Later is English as all words to send back are, LaterDate is understood in any language
	data := map[string]any{"Goes": n.when(at, tx.Now()), "Day": n.nearDay(at, tx.Now(), false), "Hours": "",
		"Later": strings.ToLower(later.Format("Monday 15:04")), "LaterDate": later.Format("2006-01-02 15:04")}
	if left := at.Sub(tx.Now()); left < 12*time.Hour {
		data["Hours"] = n.spelled(left)
	}
	m := &mail{paper: paper{Kind: paperReminder}}
	if len(open) == 0 {
		number, err := nextNumber(ctx, tx, n.ID)
		if err != nil {
			return err
		}
		data["Missing"], data["Number"] = "text", number
		m.Kind, m.number = paperAnswer, number // there is nothing to let out, so no code
		return d.remindAll(ctx, tx, n, m, "reminder", data)
	}
	if err := d.remindOf(ctx, tx, n, open[0], data); err != nil {
		return err
	}
	row, err := revisionOf(ctx, tx, open[0].ID, open[0].Revision)
	if err != nil || row == nil {
		return fmt.Errorf("revision %d of #%d: %v", open[0].Revision, open[0].Number, err)
	}
	m.Issue, m.Revision, m.Digest, m.number = open[0].ID, open[0].Revision, row.Digest, open[0].Number
	return d.remindAll(ctx, tx, n, m, "reminder", data)
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
	data["Number"], data["Revision"], data["Was"], data["Readers"] = i.Number, i.Revision, i.Approved, readers
	data["Came"], data["Since"] = n.date("weekday-hour", store.Instant(came)), n.date("weekday-hour", store.Instant(changed))
	data["Missing"] = "approval"
	switch {
	case i.State == Held:
		data["Missing"] = "held"
	case i.Approved != 0:
		data["Missing"] = "void"
	}
	return nil
}

func (d *Desk) remindAll(ctx context.Context, tx *store.Tx, n *Newsletter, m *mail, name string, data map[string]any) error {
	for _, e := range n.Editors {
		r, to := &decisionRow{n: n, Editor: e.Addr}, *m
		if _, err := r.mail(ctx, tx, d, name, data, &to); err != nil {
			return err
		}
	}
	return nil
}

// nearDay is "today", "tomorrow" or the weekday, with the hour.
func (n *Newsletter) nearDay(at, now time.Time, comma bool) string {
	at, now = at.In(n.Zone), now.In(n.Zone)
	day := ""
	switch at.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		day = "today"
	case now.AddDate(0, 0, 1).Format(time.DateOnly):
		day = "tomorrow"
	}
	return n.phrase("near-day", map[string]any{"Day": day, "At": at, "Comma": comma})
}

// spelled writes a short time as a person says it: "two hours".
func (n *Newsletter) spelled(d time.Duration) string {
	switch h := d.Round(time.Hour); {
	case h == time.Hour:
		return n.phrase("an-hour", nil)
	case h > time.Hour:
		return n.span(h)
	}
	return n.span(d)
}
