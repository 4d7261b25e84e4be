package compose

import (
	"context"

	"galley/send"
	"galley/send/store"
	"time"
)

// A list that has changed by a tenth since an editor last read its figure is
// asked about (conversation.md section 3): an import may have gone wrong, or
// half of the list. Two readers more or less are asked about on no list.
const (
	tenth     = 10
	fewChange = 3
)

// leastLook is how long before its time an approved issue's list is looked
// at, where the grace time does not give longer.
const leastLook = 2 * time.Minute

func muchChanged(was, is int) bool {
	by := max(was-is, is-was)
	return was > 0 && by >= fewChange && by*tenth >= was
}

// listChanged tells whether the list has changed much since the paper that
// an approval answers.
func (d *Desk) listChanged(ctx context.Context, tx *store.Tx, r *decisionRow) (readers int, changed bool, err error) {
	readers, err = d.Figures.Audience(ctx, tx, r.n.ID)
	return readers, err == nil && r.paper != nil && muchChanged(r.paper.Readers, readers), err
}

// askList asks whether an issue is to go to the list as it is now. The
// question bears a code and the new figure, so that approving it is enough.
func (d *Desk) askList(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, row *draftRow, readers int) (string, error) {
	m := &mail{paper: paper{Kind: paperStopped, Issue: i.ID, Revision: i.Revision, Digest: row.Digest}, number: i.Number}
	return r.mail(ctx, tx, d, "list-changed", map[string]any{"Number": i.Number, "Revision": i.Revision,
		"Was": r.paper.Readers, "Readers": readers, "Held": false, "Goes": ""}, m)
}

// holdChanged holds an approved issue shortly before its time when the list
// has changed much since its approval, and asks every editor.
func (d *Desk) holdChanged(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) (bool, error) {
	readers, err := d.Figures.Audience(ctx, tx, n.ID)
	if err != nil || i.Copied || !muchChanged(i.Readers, readers) {
		return false, err
	}
	if err := i.move(ctx, tx, Held, "schedule", "the list has changed"); err != nil {
		return false, err
	}
	if err := d.Press.Halt(ctx, tx, n.ID, i.Number, send.HaltHold); err != nil {
		return false, err
	}
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil {
		return false, err
	}
	t, err := d.ownTime(ctx, tx, n, i)
	if err != nil {
		return false, err
	}
	data := map[string]any{"Number": i.Number, "Revision": i.Revision, "Was": i.Readers, "Readers": readers, "Held": true, "Goes": t.goes(tx.Now(), n)}
	for _, e := range n.Editors {
		r := &decisionRow{n: n, Editor: e.Addr}
		m := &mail{paper: paper{Kind: paperStopped, Issue: i.ID, Revision: i.Revision, Digest: row.Digest}, number: i.Number}
		if _, err := r.mail(ctx, tx, d, "list-changed", data, m); err != nil {
			return false, err
		}
	}
	return true, nil
}
