package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"
)

// Hold is a sign of life in the books: as long as the process lives, a session
// of its own has an advisory lock, which PostgreSQL takes off when the session
// ends, however the process died. SQLite has one process and no such locks;
// there a Hold holds nothing.
type Hold struct {
	db   *DB
	n    int64
	conn *sql.Conn
	who  string // of Sole
}

// holdKey tells the locks of one schema from those of others.
const holdKey = `hashtext(current_schema() || ' galley')`

// Hold takes the lock with number n. It waits while another session has it.
func (db *DB) Hold(ctx context.Context, n int64) (*Hold, error) {
	h := &Hold{db: db, n: n}
	return h, h.take(ctx)
}

func (h *Hold) take(ctx context.Context) error {
	if h.db.dialect != PostgreSQL {
		return nil
	}
	c, err := h.db.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("database: a session for the lock: %w", err)
	}
	if _, err := c.ExecContext(ctx, `SELECT pg_advisory_lock(`+holdKey+`, $1::int)`, h.n); err != nil {
		c.Close()
		return fmt.Errorf("database: the lock: %w", err)
	}
	h.conn = c
	return nil
}

// Keep looks after the session until ctx ends, and takes the lock again when
// the session was lost. It returns when the lock is given back.
func (h *Hold) Keep(ctx context.Context) {
	const look = time.Second
	if h.db.dialect != PostgreSQL {
		return
	}
	for {
		select {
		case <-ctx.Done():
			h.drop()
			return
		case <-time.After(look):
		}
		if h.conn == nil || h.conn.PingContext(ctx) != nil && ctx.Err() == nil {
			h.drop()
			if err := h.take(ctx); err != nil {
				continue // the database is away; so is everybody's lock
			}
		}
	}
}

// drop ends the session, and with it the lock.
func (h *Hold) drop() {
	if h.conn == nil {
		return
	}
	// A session must not go back to the pool with its lock.
	h.conn.Raw(func(any) error { return driver.ErrBadConn })
	h.conn.Close()
	h.conn = nil
}

// Held tells whether some session has the lock with number n.
func (tx *Tx) Held(ctx context.Context, n int64) (held bool, err error) {
	if tx.dialect != PostgreSQL {
		return true, nil
	}
	var free bool
	err = tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock(`+holdKey+`, $1::int)`, n).Scan(&free)
	return !free, err
}
