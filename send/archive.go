package send

import (
	"context"
	"fmt"

	"galley/send/store"
)

// Archive takes an issue that went out before Galley did, or elsewhere, into
// the archive. Nobody is mailed: it has no deliveries, and its edition is done
// from the first moment.
func (q *Queue) Archive(ctx context.Context, tx *store.Tx, e *Edition) error {
	n, err := q.newsletter(e.Newsletter)
	if err != nil {
		return err
	}
	if e.head, err = n.freeze(e); err != nil {
		return fmt.Errorf("issue %d: %w", e.Issue, err)
	}
	if err := insertEdition(ctx, tx, e); err != nil {
		return fmt.Errorf("issue %d: %w", e.Issue, err)
	}
	at := store.Micros(e.SendAt)
	if at == 0 {
		at = store.Micros(tx.Now())
	}
	e.State = Done
	_, err = tx.ExecContext(ctx, `UPDATE edition SET state = 'done', prepared = $1, frozen = $1, ended = $1 WHERE id = $2`, at, e.ID)
	return err
}
