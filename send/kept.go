package send

import (
	"context"

	"galley/send/store"
)

// KindAlert is the kind of a slip whose mail servers may refuse for the same
// reason that it tells of: a copy of it is also laid into the mailbox.
const KindAlert = "alert"

// Outgoing is a slip that the mailbox has no copy of yet.
type Outgoing struct {
	ID      int64
	Kind    string
	Address string
	Raw     []byte
}

// Uncopied are the oldest slips of a newsletter that the mailbox is to get a
// copy of: those that were sent, and alerts at once.
func (q *Queue) Uncopied(ctx context.Context, tx *store.Tx, newsletter string, most int) (out []Outgoing, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, kind, address, raw FROM slip WHERE newsletter = $1 AND copied = 0 AND (state = 'sent' OR kind = $2) ORDER BY id LIMIT $3`,
		newsletter, KindAlert, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o Outgoing
		if err := rows.Scan(&o.ID, &o.Kind, &o.Address, &o.Raw); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// Copied notes that nothing is left to do for a slip's copy.
func (q *Queue) Copied(ctx context.Context, tx *store.Tx, slip int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE slip SET copied = $1 WHERE id = $2`, store.Micros(tx.Now()), slip)
	return err
}
