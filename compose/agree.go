package compose

import (
	"context"
	"time"

	"galley/send/store"
)

// agree counts an approval where the configuration asks for more than one
// person's. It is short while another one is missing: then every editor is
// told who has approved, and the codes of the others stay good. The time that
// the first one named counts for a second one that names none.
func (d *Desk) agree(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, t *turn) (result string, short bool, err error) {
	if r.n.Approvals < 2 {
		return "", false, nil
	}
	named := int64(0)
	if t.Chosen {
		named = store.Micros(t.At)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO approval (issue, revision, who, send_at, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (issue, revision, who) DO UPDATE SET send_at = excluded.send_at, at = excluded.at`,
		i.ID, i.Revision, r.who(), named, store.Micros(tx.Now()))
	if err != nil {
		return "", false, err
	}
	var people int
	var earlier int64
	err = tx.QueryRowContext(ctx, `SELECT count(*), coalesce(max(CASE WHEN who <> $1 THEN send_at ELSE 0 END), 0) FROM approval WHERE issue = $2 AND revision = $3`,
		r.who(), i.ID, i.Revision).Scan(&people, &earlier)
	if err != nil {
		return "", false, err
	}
	if people < r.n.Approvals {
		result, err = d.tellHalfApproved(ctx, tx, r, i, t, r.n.Approvals-people)
		return result, true, err
	}
	if at := store.Instant(earlier); !t.Chosen && at.After(tx.Now()) {
		t.At, t.Chosen, t.Late = at, true, time.Time{}
		t.Slot, err = d.slotOf(ctx, tx, r.n, at)
	}
	return "", false, err
}

func (d *Desk) tellHalfApproved(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, t *turn, missing int) (string, error) {
	return r.mailAll(ctx, tx, d, "half-approved", map[string]any{"Number": i.Number, "Revision": i.Revision, "By": r.n.nameOf(r.who()),
		"Missing": missing, "Goes": t.goes(tx.Now(), r.n)}, mail{paper: paper{Kind: paperAnswer}})
}

// forgetApprovals makes every approval of an issue void.
func forgetApprovals(ctx context.Context, tx *store.Tx, i *Issue) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM approval WHERE issue = $1`, i.ID)
	return err
}

// nameOf is what an editor is called in a mail; the operator at the command
// line has no name.
func (n *Newsletter) nameOf(who string) string {
	if e, ok := n.editor(who); ok {
		if e.Name != "" {
			return e.Name
		}
		return e.Addr
	}
	return n.phrase("operator", nil)
}

// heldBy is who holds an issue back, when that is another person than this
// one; "" otherwise. Approving it again is told to all, so that it happens in
// that one's sight.
func (d *Desk) heldBy(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue) (string, error) {
	if i.State != Held {
		return "", nil
	}
	var who string
	err := tx.QueryRowContext(ctx, `SELECT who FROM audit WHERE issue = $1 AND became = 'held' ORDER BY id DESC LIMIT 1`, i.ID).Scan(&who)
	if store.NotFound(err) || who == r.who() {
		return "", nil
	}
	if _, ok := r.n.editor(who); !ok {
		return "", err
	}
	return r.n.nameOf(who), err
}
