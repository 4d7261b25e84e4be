package compose

import (
	"context"
	"fmt"
	"slices"
	"time"

	"galley/send"
	"galley/send/store"
)

// approve lets the newest revision of an issue out, at the time that the
// line names or at the slot. Whatever speaks against it is said and nothing
// is done.
func (d *Desk) approve(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	i, err := d.meant(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if i == nil || i.State == Sending || i.State == Sent || i.State == Cancelled {
		return d.unclear(ctx, tx, r, i)
	}
	if !r.mayRelease() {
		return d.again(ctx, tx, r, "codeless")
	}
	if i.State == Stopped && !i.forRest() {
		return d.resume(ctx, tx, r, c)
	}
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil || row == nil {
		return "", fmt.Errorf("revision %d of #%d: %v", i.Revision, i.Number, err)
	}
	if r.paper != nil && (r.paper.Revision != i.Revision || r.paper.Digest != "" && r.paper.Digest != row.Digest) {
		return d.again(ctx, tx, r, "stale-code")
	}
	if row.Errors > 0 && (c.Word != wordAnyway || !row.Sendable) {
		return d.notApproved(ctx, tx, r, i, row)
	}
	readers, changed, err := d.listChanged(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if changed {
		return d.askList(ctx, tx, r, i, row, readers)
	}
	t, why, err := d.timeFor(ctx, tx, r, i, c)
	if err != nil {
		return "", err
	}
	if t.At.IsZero() && i.State != Stopped {
		return d.askWhen(ctx, tx, r, i, c, why)
	}
	if ok, err := r.spend(ctx, tx); err != nil || !ok {
		return d.orAgain(ctx, tx, r, err)
	}
	if result, short, err := d.agree(ctx, tx, r, i, &t); err != nil || short {
		return result, err
	}
	if i.State == Stopped {
		return d.letRest(ctx, tx, r, i, row, readers)
	}
	return d.release(ctx, tx, r, i, row, c, t, readers)
}

// release approves the newest revision for its turn.
func (d *Desk) release(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, row *draftRow, c Command, t turn, readers int) (string, error) {
	holder, err := d.heldBy(ctx, tx, r, i)
	if err != nil {
		return "", err
	}
	if err := i.move(ctx, tx, Approved, r.who(), c.Word); err != nil {
		return "", err
	}
	if err := i.schedule(ctx, tx, t, readers); err != nil {
		return "", err
	}
	return d.letOut(ctx, tx, r, i, row, c, holder)
}

// mayRelease tells whether a decision stands on a paper that lets mail out.
// An editor's word without one, or in answer to a question about something
// else, releases nothing; the operator needs none.
func (r *decisionRow) mayRelease() bool {
	if r.Editor == "" {
		return true
	}
	return r.paper != nil && (r.paper.Kind == paperProof || r.paper.Kind == paperReminder || r.paper.Kind == paperStopped)
}

// spend uses up the code that came back. ok is false when a later text or
// another answer has been faster.
func (r *decisionRow) spend(ctx context.Context, tx *store.Tx) (ok bool, err error) {
	if r.paper == nil {
		return true, nil
	}
	return r.paper.use(ctx, tx)
}

// orAgain passes on a fault, or posts the proof again with a new code.
func (d *Desk) orAgain(ctx context.Context, tx *store.Tx, r *decisionRow, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return d.again(ctx, tx, r, "stale-code")
}

// timeFor is when an approval lets the issue go: the time it names, now, or
// its own. It is zero when the time must be asked, and why says the reason
// where the line itself does not.
func (d *Desk) timeFor(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, c Command) (t turn, why string, err error) {
	switch {
	case c.Past || len(c.Readings) > 1:
		return t, "", nil
	case c.At.IsZero():
		if why, err = d.timeOver(ctx, tx, r, i); err != nil || why != "" {
			return t, why, err
		}
		t, err = d.ownTime(ctx, tx, r.n, i)
		return t, "", err
	}
	t = turn{At: c.At, Chosen: true}
	if !c.At.After(r.received.Add(time.Minute)) { // "now", as understood when the mail came
		t.At = tx.Now().Add(r.n.Grace)
	}
	t.Slot, err = d.slotOf(ctx, tx, r.n, t.At)
	return t, "", err
}

// letOut publishes the approved bytes for the time that is written.
func (d *Desk) letOut(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, row *draftRow, c Command, holder string) (string, error) {
	if err := d.publish(ctx, tx, i, row, i.SendAt); err != nil {
		return "", err
	}
	if err := voidPapers(ctx, tx, i.ID); err != nil {
		return "", err
	}
	moved, err := d.makeRoom(ctx, tx, r.n, i)
	if err != nil {
		return "", err
	}
	return d.confirmApproval(ctx, tx, r, i, c, moved, holder)
}

func (d *Desk) publish(ctx context.Context, tx *store.Tx, i *Issue, row *draftRow, at time.Time) error {
	e, err := row.toEdition(ctx, tx, i, at)
	if err != nil {
		return err
	}
	return d.Press.Publish(ctx, tx, e)
}

// who names the author of a decision in the audit.
func (r *decisionRow) who() string {
	if r.Editor == "" {
		return "operator"
	}
	return r.Editor
}

// moved is another issue that a lower number moves to a later slot.
type moved struct {
	Number int
	Goes   string
}

// makeRoom moves the approved issues of higher numbers to later slots.
func (d *Desk) makeRoom(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) ([]moved, error) {
	if i.Chosen {
		return nil, nil
	}
	turns, err := d.assign(ctx, tx, n, i.Number)
	if err != nil {
		return nil, err
	}
	approved, err := issuesIn(ctx, tx, n.ID, Approved)
	if err != nil {
		return nil, err
	}
	var out []moved
	for _, o := range approved {
		t, waits := turns[o.Number]
		if !waits || o.Number == i.Number || o.SendAt.Equal(t.At) {
			continue
		}
		row, err := revisionOf(ctx, tx, o.ID, o.Revision)
		if err != nil {
			return nil, err
		}
		if err := o.schedule(ctx, tx, t, o.Readers); err != nil {
			return nil, err
		}
		if err := d.publish(ctx, tx, o, row, t.At); err != nil {
			return nil, err
		}
		out = append(out, moved{o.Number, n.when(t.At, tx.Now())})
	}
	return out, nil
}

// confirmApproval tells every editor when the issue goes.
func (d *Desk) confirmApproval(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, c Command, others []moved, holder string) (string, error) {
	readers, err := d.Figures.Audience(ctx, tx, r.n.ID)
	if err != nil {
		return "", err
	}
	grace := ""
	if r.n.Grace > 0 {
		grace = r.n.span(r.n.Grace)
	}
	data := map[string]any{"Number": i.Number, "Revision": i.Revision, "Readers": readers,
		"Short": r.n.date("hour", i.SendAt), "Anyway": c.Word == wordAnyway, "Moved": others, "Grace": grace, "By": "", "HeldBy": holder}
	if len(r.n.Editors) > 1 {
		data["By"] = r.n.nameOf(r.who())
	}
	name := "approved"
	if i.SendAt.Sub(tx.Now()) <= r.n.Grace {
		name = "now"
	}
	result := ""
	for _, e := range r.n.Editors {
		if data["Goes"] = r.n.when(i.SendAt, tx.Now()); e.Addr == r.Editor {
			data["Goes"] = r.when(i.SendAt, tx.Now())
		}
		subject, text, err := say(r.n.Frame.Looks, name, data)
		if err != nil {
			return "", err
		}
		m := &mail{paper: paper{Kind: paperAnswer, Issue: i.ID, Revision: i.Revision}, to: e, number: i.Number, subject: subject, text: text}
		result = subject
		if e.Addr == r.Editor {
			m.answers = r.MessageID
			if r.batch != nil && r.batch.keep(name, subject, text, m) {
				continue
			}
		}
		if err := d.post(ctx, tx, r.n, m); err != nil {
			return "", err
		}
	}
	return result, nil
}

// notApproved answers an approval of a proof with errors.
func (d *Desk) notApproved(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, row *draftRow) (string, error) {
	f, err := row.frozen()
	if err != nil {
		return "", err
	}
	var lines []string
	for _, e := range f.Findings {
		if e.Level == "error" {
			lines = append(lines, e.Message+" "+e.Remedy)
		}
	}
	data := map[string]any{"Number": i.Number, "Revision": i.Revision, "Errors": row.Errors, "Lines": lines, "Sendable": row.Sendable}
	return r.tell(ctx, tx, d, "not-approved", data)
}

// askWhen asks for a time that the line did not give, gave twice, or gave
// too late. The question carries a code, so that its answer is enough.
func (d *Desk) askWhen(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, c Command, why string) (string, error) {
	next, err := d.nextTime(ctx, tx, r.n)
	if err != nil {
		return "", err
	}
	times := []time.Time{next}
	ahead := slices.DeleteFunc(slices.Clone(c.Readings), func(t time.Time) bool { return !t.After(tx.Now()) })
	switch {
	case why != "":
	case len(ahead) > 1:
		why, times = "two-ways", ahead
	case len(ahead) == 1:
		why, times = "today-over", ahead
	case c.Past || len(c.Readings) > 0:
		why = "over"
	case r.n.Slot != nil:
		why = "paused"
	default:
		why = "no-slot"
	}
	reason := map[string]any{"Why": why, "Line": c.Line}
	if why == "long-over" {
		reason["Was"] = r.when(r.n.Slot.Last(tx.Now()), tx.Now())
	}
	type line struct{ Say, Means string }
	var lines []line
	for _, t := range times {
		lines = append(lines, line{"approve " + t.In(r.n.Zone).Format("2006-01-02 15:04"), r.when(t, tx.Now())})
	}
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil {
		return "", err
	}
	m := &mail{paper: paper{Kind: paperStopped, Issue: i.ID, Revision: i.Revision, Digest: row.Digest}, number: i.Number}
	return r.mail(ctx, tx, d, "when", map[string]any{"Number": i.Number, "Revision": i.Revision, "Why": r.n.phrase("when-why", reason), "Times": lines}, m)
}

// nextTime is a time to propose: the next slot, or nine o'clock tomorrow.
func (d *Desk) nextTime(ctx context.Context, tx *store.Tx, n *Newsletter) (time.Time, error) {
	at, err := d.freeSlot(ctx, tx, n, tx.Now())
	if err != nil || !at.IsZero() {
		return at, err
	}
	local := tx.Now().In(n.Zone)
	return wallClock(local.Year(), local.Month(), local.Day()+1, 9, 0, n.Zone), nil
}

// resume lets the rest of a stopped issue go.
func (d *Desk) resume(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	if result, ok, err := d.resumeCorrection(ctx, tx, r); ok || err != nil {
		return result, err
	}
	schedules, both, err := d.meansSchedule(ctx, tx, r)
	switch {
	case err != nil:
		return "", err
	case both:
		return d.askWhichResume(ctx, tx, r)
	case schedules:
		return d.resumeSchedule(ctx, tx, r)
	}
	i, err := d.meant(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if i != nil && i.State == Held {
		return d.approve(ctx, tx, r, Command{Word: "approve", At: c.At, Line: c.Line})
	}
	if i == nil || i.State != Stopped && i.Refused == "" {
		return d.unclear(ctx, tx, r, i)
	}
	if i.forRest() && r.paper != nil && r.paper.Revision == i.Revision {
		return d.approve(ctx, tx, r, Command{Word: "approve", Line: c.Line})
	}
	if !r.mayRelease() {
		return d.again(ctx, tx, r, "codeless")
	}
	if ok, err := r.spend(ctx, tx); err != nil || !ok {
		return d.orAgain(ctx, tx, r, err)
	}
	run, err := d.Figures.Progress(ctx, tx, r.n.ID, i.Number)
	if err != nil {
		return "", err
	}
	waited, err := d.goesOn(ctx, tx, r, i, run)
	if err != nil {
		return "", err
	}
	if err := d.Press.Halt(ctx, tx, r.n.ID, i.Number, send.HaltResume); err != nil {
		return "", err
	}
	return r.mailAll(ctx, tx, d, "resumed", map[string]any{"Number": i.Number, "Rest": waited}, mail{paper: paper{Kind: paperAnswer}})
}
