package compose

import (
	"context"
	"strings"

	"galley/send"
	"galley/send/store"
)

// unfit tells every editor that an approved issue is held because the records
// of its domain would have it refused, and how to mend each. The mail is also
// laid into the mailbox: the editor's own server may refuse it for the same
// records.
func (d *Desk) unfit(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, run *send.Run) error {
	if err := i.move(ctx, tx, Held, "schedule", run.Reason); err != nil {
		return err
	}
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil {
		return err
	}
	t, err := d.ownTime(ctx, tx, n, i)
	if err != nil {
		return err
	}
	readers, err := d.Figures.Audience(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	_, domain, _ := strings.Cut(n.From.Addr, "@")
	data := map[string]any{"Number": i.Number, "Revision": i.Revision, "Was": n.when(i.SendAt, tx.Now()), "Readers": readers,
		"Domain": domain, "Faults": strings.Split(strings.TrimPrefix(run.Reason, send.Unfit), " | "), "Goes": t.goes(tx.Now(), n)}
	for _, e := range n.Editors {
		r := &decisionRow{n: n, Editor: e.Addr}
		m := &mail{paper: paper{Kind: paperStopped, Issue: i.ID, Revision: i.Revision, Digest: row.Digest}, number: i.Number, urgent: true}
		if _, err := r.mail(ctx, tx, d, "unfit", data, m); err != nil {
			return err
		}
	}
	return nil
}
