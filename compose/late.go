package compose

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"galley/send"
	"galley/send/store"
)

// late tells every editor, in one mail, of all approved issues that were held
// because their time passed while nothing ran. Only the newest is offered, so
// that never two go in a row (trust.md 3.4); the others wait for their turn.
func (d *Desk) late(ctx context.Context, tx *store.Tx, n *Newsletter) error {
	issues, err := d.allLate(ctx, tx, n)
	if err != nil || len(issues) == 0 {
		return err
	}
	newest := issues[0]
	for _, i := range issues {
		if i.SendAt.After(newest.SendAt) {
			newest = i
		}
	}
	var others []map[string]any
	for _, i := range issues {
		if i != newest {
			others = append(others, map[string]any{"Number": i.Number, "Revision": i.Revision, "Was": n.when(i.SendAt, tx.Now())})
		}
	}
	row, err := revisionOf(ctx, tx, newest.ID, newest.Revision)
	if err != nil || row == nil {
		return fmt.Errorf("revision %d of #%d: %v", newest.Revision, newest.Number, err)
	}
	next, err := d.nextTime(ctx, tx, n)
	if err != nil {
		return err
	}
	data := map[string]any{"Number": newest.Number, "Revision": newest.Revision, "Was": n.when(newest.SendAt, tx.Now()), "Others": others,
		"Next": "approve " + next.In(n.Zone).Format("2006-01-02 15:04"), "Means": n.when(next, tx.Now()), "Slot": n.Slot != nil}
	for _, e := range n.Editors {
		r := &decisionRow{n: n, Editor: e.Addr}
		m := &mail{paper: paper{Kind: paperStopped, Issue: newest.ID, Revision: newest.Revision, Digest: row.Digest, Asks: asksLate}, number: newest.Number}
		if _, err := r.mail(ctx, tx, d, "late", data, m); err != nil {
			return err
		}
	}
	return nil
}

// allLate holds the issues whose time passed too long ago, and lists them. It
// lists none, and leaves all as they are, until send has seen each of them.
func (d *Desk) allLate(ctx context.Context, tx *store.Tx, n *Newsletter) (issues []*Issue, err error) {
	approved, err := issuesIn(ctx, tx, n.ID, Approved)
	if err != nil {
		return nil, err
	}
	var reasons []string
	for _, i := range approved {
		run, err := d.Figures.Progress(ctx, tx, n.ID, i.Number)
		switch {
		case err != nil:
			return nil, err
		case run == nil || strings.HasPrefix(run.Reason, send.Unfit):
		case run.State == send.OnHold && run.Reason != "":
			issues, reasons = append(issues, i), append(reasons, run.Reason)
		case run.State == send.Approved && tx.Now().Sub(i.SendAt) > mostLate:
			return nil, nil
		}
	}
	for k, i := range issues {
		err = errors.Join(err, i.move(ctx, tx, Held, "schedule", reasons[k]))
	}
	return issues, err
}
