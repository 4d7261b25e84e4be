package send

import (
	"context"
	"fmt"
	"time"

	"galley/send/store"
)

// jumped is how far a lease may lie ahead of the clock before the clock must
// have gone back.
const jumped = leaseLife + time.Minute

// heedClock looks whether the clock has gone back since the lease was renewed,
// and then brings near what would be due too far ahead.
func (e *engine) heedClock(ctx context.Context, tx *store.Tx) error {
	var until int64
	err := tx.QueryRowContext(ctx, `SELECT until FROM lease WHERE name = $1`, e.lease()).Scan(&until)
	if store.NotFound(err) {
		return nil // renewing it tells
	}
	if err != nil || store.Instant(until).Sub(tx.Now()) <= jumped {
		return err
	}
	return capDue(ctx, tx)
}

// capDue lets nothing wait longer than the longest wait of the retry table,
// jitter and all: a due time further ahead was written by a clock that stood
// wrong (trust.md 3.4: clock jump).
func capDue(ctx context.Context, tx *store.Tx) error {
	longest := retries[len(retries)-1]
	most := store.Micros(tx.Now().Add(longest + longest/10))
	_, err := tx.ExecContext(ctx, `UPDATE delivery SET due = $1 WHERE edition IN (SELECT id FROM edition WHERE state IN ('sending', 'paused'))
		AND state IN ('pending', 'deferred', 'ambiguous') AND due >= 0 AND due > $2`, most, most)
	if err != nil {
		return fmt.Errorf("due times: %w", err)
	}
	_, err = tx.ExecContext(ctx, `UPDATE slip SET due = $1 WHERE state IN ('pending', 'deferred', 'ambiguous') AND due > $2`, most, most)
	if err != nil {
		return fmt.Errorf("due times: %w", err)
	}
	return nil
}
