package compose

import (
	"context"

	"galley/send"
	"galley/send/store"
)

// A run that is stopped half-way may go on with another text: a change or a
// new draft brings a proof "for the rest", and approving it sends those who
// have nothing yet the new text. Nobody gets the issue twice: the press gives
// the new edition only the deliveries of which no copy can have arrived.

// Closed tells that no new text can count any more: readers are getting the
// issue, or have it.
func (s State) Closed() bool { return s == Sending || s == Sent }

// forRest tells that the newest text of a stopped issue waits for an approval
// of its own.
func (i *Issue) forRest() bool { return i.State == Stopped && i.Revision != i.Approved }

// fillRest tells in a proof who has the issue and who is to get this text.
func (d *Desk) fillRest(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, v *proofView) error {
	if !i.forRest() {
		return nil
	}
	run, err := d.Figures.Progress(ctx, tx, n.ID, i.Number)
	if err != nil || run == nil {
		return err
	}
	v.State, v.Was, v.Goes = "rest", i.Approved, turn{}.soon(n)
	v.Have, v.Maybe, v.Rest = run.Counts[send.Sent], run.Counts[send.Ambiguous]+run.Counts[send.Claimed], rest(run)
	return nil
}

// letRest sends the approved new text to those who wait, after the grace
// time; the editors' copies go first.
func (d *Desk) letRest(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, row *draftRow, readers int) (string, error) {
	run, err := d.Figures.Progress(ctx, tx, r.n.ID, i.Number)
	if err != nil {
		return "", err
	}
	at := i.SendAt
	if err := i.move(ctx, tx, Sending, r.who(), "approve for the rest"); err != nil {
		return "", err
	}
	if err := i.schedule(ctx, tx, turn{At: at, Slot: i.Slot, Chosen: i.Chosen}, readers); err != nil {
		return "", err
	}
	if err := d.publish(ctx, tx, i, row, tx.Now().Add(r.n.Grace)); err != nil {
		return "", err
	}
	f, err := row.frozen()
	if err != nil {
		return "", err
	}
	if err := fileLinks(ctx, tx, r.n.ID, i.Number, f.Links); err != nil {
		return "", err
	}
	if err := voidPapers(ctx, tx, i.ID); err != nil {
		return "", err
	}
	return r.mailAll(ctx, tx, d, "rest-goes", map[string]any{"Number": i.Number, "Revision": i.Revision, "Rest": rest(run),
		"Have": run.Counts[send.Sent], "In": r.n.in(), "Grace": r.n.Grace > 0}, mail{paper: paper{Kind: paperAnswer}})
}
