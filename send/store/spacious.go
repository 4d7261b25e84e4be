package store

import (
	"context"
	"errors"
	"fmt"
)

// spacious is the page cache, in KiB, of the connection that writes much at
// once. SQLite's own 2 MiB do not hold the upper pages of a large index: each
// row would then cost the reading and the writing of some.
const spacious = 64 << 10

// Spacious runs fn while the connection that writes has a large page cache, and
// then gives the memory back. It is for work that writes much of the books, such
// as an import; PostgreSQL has its own memory. The transactions are fn's.
func (db *DB) Spacious(ctx context.Context, fn func() error) (err error) {
	if db.dialect == PostgreSQL {
		return fn()
	}
	var before int
	if err := db.write.QueryRowContext(ctx, "PRAGMA cache_size").Scan(&before); err != nil {
		return fmt.Errorf("the page cache: %w", err)
	}
	defer func() {
		back := context.WithoutCancel(ctx)
		_, e1 := db.write.ExecContext(back, fmt.Sprintf("PRAGMA cache_size(%d)", before))
		_, e2 := db.write.ExecContext(back, "PRAGMA shrink_memory")
		err = errors.Join(err, e1, e2)
	}()
	if _, err := db.write.ExecContext(ctx, fmt.Sprintf("PRAGMA cache_size(%d)", -spacious)); err != nil {
		return fmt.Errorf("the page cache: %w", err)
	}
	return fn()
}
