package send

import (
	"context"

	"galley/send/store"
)

// LostSlip is a mail of the desk that did not arrive, and never will.
type LostSlip struct {
	Newsletter, Kind, Address, Reply string
}

// LostSlips lists the desk's mails of the last days that were refused for
// good: whom they were for cannot be told by mail.
func (q *Queue) LostSlips(ctx context.Context, tx *store.Tx) ([]LostSlip, error) {
	const days = 7 * 24 * 3600 * 1_000_000 // microseconds
	rows, err := tx.QueryContext(ctx, `SELECT newsletter, kind, address, reply FROM slip
		WHERE state IN ('failed', 'expired') AND changed > $1 ORDER BY id`, store.Micros(tx.Now())-days)
	return collect(rows, err, func(row scanner) (s LostSlip, err error) {
		err = row.Scan(&s.Newsletter, &s.Kind, &s.Address, &s.Reply)
		return s, err
	})
}
