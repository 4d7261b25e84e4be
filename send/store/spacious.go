package store

import (
	"context"
	"errors"
	"fmt"
)

// spacious is what the connection that writes much at once gets, for the time
// being. SQLite's own page cache of 2 MiB is less than one large transaction
// changes: each page would be written to the log several times; what is read is
// in the system's memory, so that more than this is no faster. And SQLite copies
// its log into the database at every 4 MiB, which is at every commit of so much,
// and each time waits for the disk; at 64 MiB a page that many commits have
// changed is copied once.
var spacious = []struct {
	pragma string
	value  int
}{
	{"cache_size", -16 << 10},      // KiB, which SQLite wants below zero
	{"wal_autocheckpoint", 16_000}, // pages of 4 KiB
}

// Spacious runs fn while the connection that writes has a large page cache and
// a long log, and then gives the memory back. It is for work that writes much of
// the books, such as an import; PostgreSQL has its own memory. The transactions
// are fn's.
func (db *DB) Spacious(ctx context.Context, fn func() error) (err error) {
	if db.dialect == PostgreSQL {
		return fn()
	}
	for _, s := range spacious {
		var before int
		if err := db.write.QueryRowContext(ctx, "PRAGMA "+s.pragma).Scan(&before); err != nil {
			return fmt.Errorf("%s: %w", s.pragma, err)
		}
		defer func() { err = errors.Join(err, db.tidy(ctx, fmt.Sprintf("PRAGMA %s(%d)", s.pragma, before))) }()
		if _, err := db.write.ExecContext(ctx, fmt.Sprintf("PRAGMA %s(%d)", s.pragma, s.value)); err != nil {
			return fmt.Errorf("%s: %w", s.pragma, err)
		}
	}
	err = fn()
	// Whoever commits next shall not have to copy the whole log. Readers may keep
	// some of it from being copied, which is no fault.
	return errors.Join(err, db.tidy(ctx, "PRAGMA wal_checkpoint(PASSIVE)"), db.tidy(ctx, "PRAGMA shrink_memory"))
}

// tidy runs a statement also when ctx has ended.
func (db *DB) tidy(ctx context.Context, text string) error {
	_, err := db.write.ExecContext(context.WithoutCancel(ctx), text)
	return err
}
