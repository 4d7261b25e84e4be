package store

import (
	"context"
	"fmt"
)

// Numbers gives n ids, in ascending order, for new rows of a table that counts
// its rows by itself. Whoever inserts many rows with the rows that hang on them
// so knows their ids beforehand, and need not have each read back. The rows must
// be inserted in this transaction, before any others of the table; an id that
// is not used is left out for ever.
func (tx *Tx) Numbers(ctx context.Context, table string, n int) ([]int64, error) {
	ids := make([]int64, 0, n)
	if tx.dialect == PostgreSQL {
		// The name of the sequence is looked up once, and not for each id.
		rows, err := tx.QueryContext(ctx, `SELECT nextval((SELECT CAST(pg_get_serial_sequence($1, 'id') AS regclass))) FROM generate_series(1, $2::bigint) ORDER BY 1`, table, n)
		if err != nil {
			return nil, fmt.Errorf("the next ids of %s: %w", table, err)
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return nil, fmt.Errorf("the next ids of %s: %w", table, err)
			}
			ids = append(ids, id)
		}
		return ids, rows.Err()
	}
	// The one writer has the lock, and AUTOINCREMENT goes on behind the largest id.
	var last int64
	err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = $1`, table).Scan(&last)
	if err != nil {
		return nil, fmt.Errorf("the next ids of %s: %w", table, err)
	}
	for i := range int64(n) {
		ids = append(ids, last+1+i)
	}
	return ids, nil
}
