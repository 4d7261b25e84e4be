package compose

import (
	"context"
	"slices"
	"time"

	"galley/send/store"
)

// mostSkipped bounds how far ahead slots can be left out: a day of next year is more
// often one that is over.
const mostSkipped = 183 * 24 * time.Hour

// skip leaves out this slot, or all before a day: nothing goes in them, and
// nobody is reminded. An issue approved for one of them is held. Of two
// readings of a day the earlier counts, and the answer names the dates.
func (d *Desk) skip(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	if r.n.Slot == nil {
		return r.tell(ctx, tx, d, "no-schedule", map[string]any{"Open": d.standing(ctx, tx, r)})
	}
	until, ok := c.until(tx.Now())
	if !ok {
		return r.tell(ctx, tx, d, "no-fit", map[string]any{"What": c.Word, "Why": r.n.phrase("fit-why", map[string]any{"Why": "too-far"}), "Words": c.Line, "Open": d.standing(ctx, tx, r)})
	}
	slots, err := d.toSkip(ctx, tx, r, until)
	if err != nil {
		return "", err
	}
	var days []string
	for _, at := range slots {
		days = append(days, r.n.Slot.Day(at))
		if err := setSlot(ctx, tx, r.n, r.n.Slot.Day(at), "skipped"); err != nil {
			return "", err
		}
	}
	held, err := d.holdFor(ctx, tx, r, func(i *Issue) bool { return slices.Contains(days, i.Slot) })
	if err != nil {
		return "", err
	}
	return d.tellSkipped(ctx, tx, r, slots, held)
}

// until is the day before which slots are left out; the zero time means one
// slot. ok is false when the day cannot be meant.
func (c Command) until(now time.Time) (day time.Time, ok bool) {
	day = c.At
	if len(c.Readings) > 0 {
		ahead := slices.DeleteFunc(slices.Clone(c.Readings), func(t time.Time) bool { return !t.After(now) })
		if len(ahead) == 0 {
			return day, false
		}
		day = slices.MinFunc(ahead, time.Time.Compare)
	}
	if day.IsZero() {
		return day, !c.Past
	}
	return day, day.After(now) && day.Sub(now) < mostSkipped
}

// toSkip lists the slots that a skip leaves out: the one that the answered
// paper says was missed, else the next, or all before a day.
func (d *Desk) toSkip(ctx context.Context, tx *store.Tx, r *decisionRow, until time.Time) ([]time.Time, error) {
	if day := r.paper.missedDay(); day != "" && until.IsZero() {
		_, state, err := slotRow(ctx, tx, r.n, r.n.Slot.Instant(day))
		if err != nil || state == "missed" {
			return []time.Time{r.n.Slot.Instant(day)}, err
		}
	}
	var out []time.Time
	at := tx.Now()
	for {
		at = r.n.Slot.Next(at)
		if !until.IsZero() && r.n.Slot.Day(at) >= r.n.Slot.Day(until) {
			return out, nil
		}
		_, state, err := slotRow(ctx, tx, r.n, at)
		if err != nil {
			return nil, err
		}
		if state == "used" || state == "skipped" && until.IsZero() {
			continue
		}
		out = append(out, at)
		if until.IsZero() {
			return out, nil
		}
	}
}

// holdFor holds the approved issues that a change of the schedule concerns.
func (d *Desk) holdFor(ctx context.Context, tx *store.Tx, r *decisionRow, concerned func(*Issue) bool) ([]*Issue, error) {
	approved, err := issuesIn(ctx, tx, r.n.ID, Approved)
	if err != nil {
		return nil, err
	}
	var held []*Issue
	for _, i := range approved {
		if !concerned(i) {
			continue
		}
		if err := d.halt(ctx, tx, r, i); err != nil {
			return nil, err
		}
		held = append(held, i)
	}
	return held, nil
}

// tellSkipped tells every editor which dates are left out, which issue is
// held by it, and when the next one goes.
func (d *Desk) tellSkipped(ctx context.Context, tx *store.Tx, r *decisionRow, slots []time.Time, held []*Issue) (string, error) {
	next, err := d.freeSlot(ctx, tx, r.n, tx.Now())
	if err != nil {
		return "", err
	}
	data := map[string]any{"Dates": dates(slots, tx.Now(), r.n), "Held": numbersOf(held), "Next": "", "Revision": 0}
	if !next.IsZero() {
		data["Next"] = r.n.when(next, tx.Now())
	}
	m, err := d.heldPaper(ctx, tx, held, data)
	if err != nil {
		return "", err
	}
	return r.mailAll(ctx, tx, d, "skipped", data, m)
}

// heldPaper is the paper of an answer that says what was held: when that is
// one issue the answer may be answered with approve.
func (d *Desk) heldPaper(ctx context.Context, tx *store.Tx, held []*Issue, data map[string]any) (mail, error) {
	if len(held) != 1 {
		return mail{paper: paper{Kind: paperAnswer}}, nil
	}
	i := held[0]
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil || row == nil {
		return mail{}, err
	}
	data["Revision"] = i.Revision
	return mail{paper: paper{Kind: paperStopped, Issue: i.ID, Revision: i.Revision, Digest: row.Digest}, number: i.Number}, nil
}

func dates(slots []time.Time, now time.Time, n *Newsletter) []string {
	var out []string
	for _, at := range slots {
		out = append(out, n.when(at, now))
	}
	return out
}

func numbersOf(issues []*Issue) []int {
	var out []int
	for _, i := range issues {
		out = append(out, i.Number)
	}
	return out
}

// asksSchedule marks the answer to pause: resume in answer to it is meant for
// the schedule.
const asksSchedule = "schedule"

// pause ends the schedule until resume, or leaves out the slots before a day.
// While an issue is on its way it also stops that: the word holds back, and
// is read kindly.
func (d *Desk) pause(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	if !c.At.IsZero() || len(c.Readings) > 0 || c.Past {
		return d.skip(ctx, tx, r, c)
	}
	if sending, err := issuesIn(ctx, tx, r.n.ID, Sending); err != nil || len(sending) > 0 {
		if err != nil {
			return "", err
		}
		return d.hold(ctx, tx, r, false)
	}
	if _, err := d.keepClock(ctx, tx, r.n); err != nil {
		return "", err
	}
	_, err := tx.ExecContext(ctx, `UPDATE schedule SET paused = $1 WHERE newsletter = $2`, store.Micros(tx.Now()), r.n.ID)
	if err != nil {
		return "", err
	}
	held, err := d.holdFor(ctx, tx, r, func(*Issue) bool { return true })
	if err != nil {
		return "", err
	}
	data := map[string]any{"Held": numbersOf(held), "Slot": "", "Revision": 0}
	if r.n.Slot != nil {
		data["Slot"] = r.n.when(r.n.Slot.Next(tx.Now()), tx.Now())
	}
	return r.mailAll(ctx, tx, d, "paused", data, mail{paper: paper{Kind: paperStopped, Asks: asksSchedule}})
}

// meansSchedule tells that a resume is about the schedule and not about an
// issue: it answers the mail that said so, or nothing of which an issue is
// stopped or held.
func (d *Desk) meansSchedule(ctx context.Context, tx *store.Tx, r *decisionRow) (schedules, both bool, err error) {
	s, _, err := scheduleOf(ctx, tx, r.n.ID)
	if err != nil {
		return false, false, err
	}
	if r.paper != nil && r.paper.Asks == asksSchedule {
		return true, false, nil
	}
	if r.paper != nil && r.paper.Issue != 0 || r.Number != 0 {
		return false, false, nil
	}
	var skipped int
	if r.n.Slot != nil {
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM slot WHERE newsletter = $1 AND state = 'skipped' AND day > $2`, r.n.ID, r.n.Slot.Day(tx.Now())).Scan(&skipped)
		if err != nil {
			return false, false, err
		}
	}
	stopped, err := issuesIn(ctx, tx, r.n.ID, Stopped)
	off := !s.paused.IsZero() || skipped > 0
	return off && len(stopped) == 0, !s.paused.IsZero() && len(stopped) > 0, err
}

// resumeSchedule takes back a pause, and the slots ahead that were skipped.
// It lets nothing out: what was held waits for its approval.
func (d *Desk) resumeSchedule(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	if _, err := tx.ExecContext(ctx, `UPDATE schedule SET paused = 0 WHERE newsletter = $1`, r.n.ID); err != nil {
		return "", err
	}
	if r.n.Slot == nil {
		return r.mailAll(ctx, tx, d, "schedule-resumed", map[string]any{"Next": "", "Held": []int(nil)}, mail{paper: paper{Kind: paperAnswer}})
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM slot WHERE newsletter = $1 AND state = 'skipped' AND day >= $2`, r.n.ID, r.n.Slot.Day(r.n.Slot.Next(tx.Now())))
	if err != nil {
		return "", err
	}
	next, err := d.freeSlot(ctx, tx, r.n, tx.Now())
	if err != nil {
		return "", err
	}
	held, err := issuesIn(ctx, tx, r.n.ID, Held)
	if err != nil {
		return "", err
	}
	data := map[string]any{"Next": r.n.when(next, tx.Now()), "Held": numbersOf(held), "Revision": 0}
	m, err := d.heldPaper(ctx, tx, held, data)
	if err != nil {
		return "", err
	}
	return r.mailAll(ctx, tx, d, "schedule-resumed", data, m)
}

// askWhichResume asks whether the schedule or a stopped issue is meant.
func (d *Desk) askWhichResume(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	stopped, err := issuesIn(ctx, tx, r.n.ID, Stopped)
	if err != nil || len(stopped) == 0 {
		return "", err
	}
	return r.mail(ctx, tx, d, "which-resume", map[string]any{"Number": stopped[0].Number},
		&mail{paper: paper{Kind: paperStopped, Asks: asksSchedule}})
}
