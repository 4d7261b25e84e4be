package compose

import (
	"context"
	"strings"

	"galley/send"
	"galley/send/store"
)

// unheard is the first provider that refuses a run and of which the editors
// were not told; nil when there is none.
func (i *Issue) unheard(run *send.Run) *send.Refusing {
	for n, r := range run.Refusals {
		if !strings.Contains(" "+i.Refused, " "+r.Provider+" ") {
			return &run.Refusals[n]
		}
	}
	return nil
}

// refusing names the providers that refuse a run.
func (n *Newsletter) refusing(run *send.Run) string {
	var names []string
	for _, r := range run.Refusals {
		names = append(names, r.Provider)
	}
	return n.phrase("providers", names)
}

// refused tells every editor that one provider refuses us, and with which
// words. The others get their copies.
func (d *Desk) refused(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, by send.Refusing) error {
	_, err := tx.ExecContext(ctx, `UPDATE issue SET refused = refused || $1 WHERE id = $2`, by.Provider+" ", i.ID)
	if err != nil {
		return err
	}
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil {
		return err
	}
	share, replies := refusals(by.Reason)
	data := map[string]any{"Number": i.Number, "Provider": by.Provider, "Share": share, "Replies": replies}
	for _, e := range n.Editors {
		r := &decisionRow{n: n, Editor: e.Addr}
		m := &mail{paper: paper{Kind: paperStopped, Issue: i.ID, Revision: i.Revision, Digest: row.Digest}, number: i.Number, urgent: true}
		if _, err := r.mail(ctx, tx, d, "alert-some", data, m); err != nil {
			return err
		}
	}
	return nil
}

// goesOn notes that an issue is resumed and returns how many readers waited
// for it: those of a stopped one, or of the providers that refused us.
func (d *Desk) goesOn(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, run *send.Run) (waited int, err error) {
	if i.Refused != "" {
		if _, err := tx.ExecContext(ctx, `UPDATE issue SET refused = '' WHERE id = $1`, i.ID); err != nil {
			return 0, err
		}
	}
	if i.State != Stopped {
		if run.State == send.Paused {
			return rest(run), nil
		}
		return run.Parked, nil
	}
	return rest(run), i.move(ctx, tx, Sending, r.who(), "resume")
}
