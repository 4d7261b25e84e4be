package compose

import (
	"context"
	"errors"
	"time"

	"galley/send"
	"galley/send/store"
)

// Where the run of a mailed correction stands, in the column corrected of
// issue. An issue of which no correction was mailed has 0.
const (
	correctionGoes    = 1 // nobody was told of its end
	correctionTold    = 2 // its figures are with the editors, or the answer to the stop that ended it
	correctionResumed = 3 // told and resumed: told again when nobody waits any more
)

func (i *Issue) setCorrected(ctx context.Context, tx *store.Tx, stand int) error {
	_, err := tx.ExecContext(ctx, `UPDATE issue SET corrected = $1 WHERE id = $2`, stand, i.ID)
	return err
}

// followCorrection reports the run of a mailed correction when every reader
// had a first answer, or when servers refuse us. A run that an editor stopped
// is told of by the answer to the stop.
func (d *Desk) followCorrection(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) error {
	if i.Corrected != correctionGoes && i.Corrected != correctionResumed {
		return nil
	}
	run, err := d.Figures.Progress(ctx, tx, n.ID, send.Correction(i.Number))
	if err != nil || run == nil || run.State == send.Cancelled {
		return err
	}
	over := run.Out && (i.Corrected == correctionGoes || run.Waiting() == 0)
	if !over && !run.Final() && run.State != send.Paused {
		return nil
	}
	return d.reportCorrection(ctx, tx, n, i, run)
}

// reportCorrection mails the figures of a correction's run to every editor.
// While servers refuse us it carries a code, so that resume can answer it.
func (d *Desk) reportCorrection(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, run *send.Run) error {
	failures, err := d.Figures.Failures(ctx, tx, n.ID, run.Issue)
	if err != nil {
		return err
	}
	t := n.outcomes(run)
	t.explain(failures, n.Zone)
	end := run.Ended
	if end.IsZero() {
		end = tx.Now()
	}
	clock := func(at time.Time) string { return at.In(n.Zone).Format("15:04") }
	var replies []string
	waiting := 0
	if run.State == send.Paused {
		_, replies = refusals(run.Reason)
		waiting, t.Trying = t.Trying, 0
	}
	for _, by := range run.Refusals {
		_, said := refusals(by.Reason)
		replies = append(replies, said...)
	}
	data := map[string]any{"Number": i.Number, "From": clock(run.Started), "To": clock(end), "Replies": replies, "Waiting": waiting, "Total": t.Total, "Taken": t.Taken,
		"Trying": t.Trying, "Next": t.Next, "Parked": t.Parked, "Refuses": t.Refuses, "Maybe": t.Maybe, "Failed": t.Failed, "Reasons": t.Reasons,
		"Left": t.Left, "Dropped": t.Dropped}
	m := mail{paper: paper{Kind: paperReport, Issue: i.ID, Revision: i.Revision}, number: i.Number}
	if len(replies) > 0 {
		m.Kind, m.Digest, m.Asks, m.urgent = paperStopped, run.Digest, asksCorrection, true
	}
	for _, e := range n.Editors {
		r, each := &decisionRow{n: n, Editor: e.Addr}, m
		if _, err := r.mail(ctx, tx, d, "correction-report", data, &each); err != nil {
			return err
		}
	}
	return i.setCorrected(ctx, tx, correctionTold)
}

// correctionMeant is the issue whose correction a resume may be about: that of
// the mail which it answers, or the one that the operator names at the command
// line. An issue that itself waits comes before its correction.
func correctionMeant(ctx context.Context, tx *store.Tx, r *decisionRow) (*Issue, error) {
	switch {
	case r.paper != nil && r.paper.Kind == paperStopped && r.paper.Asks == asksCorrection:
		return issueByID(ctx, tx, r.paper.Issue)
	case r.paper == nil && r.Editor == "" && r.Number != 0:
		i, err := issueByNumber(ctx, tx, r.n.ID, r.Number)
		if err != nil || i == nil || i.State != Sent || i.Refused != "" || i.Corrected == 0 {
			return nil, err
		}
		return i, nil
	}
	return nil, nil
}

// resumeCorrection tries those again who wait for a correction because
// servers refused us. ok is false when the word means something else.
func (d *Desk) resumeCorrection(ctx context.Context, tx *store.Tx, r *decisionRow) (result string, ok bool, err error) {
	i, err := correctionMeant(ctx, tx, r)
	if err != nil || i == nil {
		return "", err != nil, err
	}
	run, err := d.Figures.Progress(ctx, tx, r.n.ID, send.Correction(i.Number))
	if err != nil || run == nil || run.State != send.Paused && run.Parked == 0 {
		return "", false, err
	}
	if used, err := r.spend(ctx, tx); err != nil || !used {
		result, err := d.orAgain(ctx, tx, r, err)
		return result, true, err
	}
	waited := run.Parked
	if run.State == send.Paused {
		waited = rest(run)
	}
	err = errors.Join(d.Press.Halt(ctx, tx, r.n.ID, run.Issue, send.HaltResume), i.setCorrected(ctx, tx, correctionResumed))
	if err != nil {
		return "", true, err
	}
	result, err = r.mailAll(ctx, tx, d, "correction-resumed", map[string]any{"Number": i.Number, "Rest": waited}, mail{paper: paper{Kind: paperAnswer}})
	return result, true, err
}

// haltCorrection keeps back what has not left of a correction, when a word
// that holds is about an issue that was sent, or about none; number is 0 when
// no correction is on its way. It finds the correction that it has halted
// until the answer is told.
func (d *Desk) haltCorrection(ctx context.Context, tx *store.Tx, r *decisionRow) (number int, err error) {
	sent, err := issuesIn(ctx, tx, r.n.ID, Sent)
	if err != nil {
		return 0, err
	}
	var meant *Issue // a bare word means whatever is on its way
	if r.Number != 0 || r.paper != nil && r.paper.Issue != 0 {
		if meant, err = d.meant(ctx, tx, r); err != nil || meant != nil && meant.State != Sent {
			return 0, err
		}
	}
	for _, i := range sent {
		if i.Corrected == 0 || meant != nil && meant.ID != i.ID {
			continue
		}
		run, err := d.Figures.Progress(ctx, tx, r.n.ID, send.Correction(i.Number))
		if err != nil {
			return 0, err
		}
		if run != nil && (run.State == send.Cancelled && i.Corrected != correctionTold || !run.Final() && run.Waiting() > 0) {
			return i.Number, d.Press.Halt(ctx, tx, r.n.ID, run.Issue, send.HaltCancel)
		}
	}
	return 0, nil
}

// tellCorrectionHalted says who has a correction that was stopped, as soon as
// the copies that were on their way have arrived.
func (d *Desk) tellCorrectionHalted(ctx context.Context, tx *store.Tx, r *decisionRow, number int) (string, error) {
	run, err := d.Figures.Progress(ctx, tx, r.n.ID, send.Correction(number))
	if err != nil || run == nil {
		return "", err
	}
	if run.Counts[send.Claimed] > 0 && tx.Now().Sub(r.received) < settleTime {
		return later, nil
	}
	i, err := issueByNumber(ctx, tx, r.n.ID, number)
	if err != nil {
		return "", err
	}
	if err := i.setCorrected(ctx, tx, correctionTold); err != nil {
		return "", err
	}
	have := run.Counts[send.Sent] + run.Counts[send.Ambiguous] + run.Counts[send.Held] + run.Counts[send.Claimed]
	data := map[string]any{"Number": number, "Have": have, "Rest": run.Counts[send.Dropped]}
	return r.mailAll(ctx, tx, d, "correction-halted", data, mail{paper: paper{Kind: paperAnswer}})
}
