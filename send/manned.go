package send

import (
	"context"
	"fmt"

	"galley/send/store"
)

// Manned tells whether a process is there that sends: it has renewed its lease
// lately. For half a minute after one has died it may still look so.
func (q *Queue) Manned(ctx context.Context, tx *store.Tx) (yes bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM lease WHERE name LIKE 'send-%' AND until >= $1)`,
		store.Micros(tx.Now())).Scan(&yes)
	if err != nil {
		return false, fmt.Errorf("who sends: %w", err)
	}
	return yes, nil
}
