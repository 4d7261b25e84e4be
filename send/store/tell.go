package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// channelOf names what the machines of one set of books listen to.
const channelOf = `'galley_' || abs(hashtext(current_schema())::bigint)`

// Tell rings the bells of the other machines when the transaction is on disk:
// there f of their Listen is called. It may be called several times; SQLite
// has no other machines, and AfterCommit rings on this one.
func (tx *Tx) Tell() { tx.tells = true }

// tell sends what Tell asked for; PostgreSQL delivers it with the commit.
func (tx *Tx) tell(ctx context.Context) error {
	if !tx.tells || tx.dialect != PostgreSQL {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_notify(`+channelOf+`, '')`); err != nil {
		return fmt.Errorf("telling the other machines: %w", err)
	}
	return nil
}

// Listen calls f whenever a transaction that told the others was committed, by
// this machine or another, until ctx ends. A lost session is made anew, and f
// is called then too: what was told in between is not told again. It returns at
// once on SQLite.
func (db *DB) Listen(ctx context.Context, f func()) {
	const pause = time.Second
	for db.dialect == PostgreSQL && ctx.Err() == nil {
		if db.listen(ctx, f) == nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// listen is one session of Listen. It is closed with it, so that the pool gets
// none that still listens.
func (db *DB) listen(ctx context.Context, f func()) error {
	c, err := db.write.Conn(ctx)
	if err != nil {
		return err
	}
	h := &Hold{conn: c}
	defer h.drop()
	var channel string
	if err := c.QueryRowContext(ctx, `SELECT `+channelOf).Scan(&channel); err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, `LISTEN "`+channel+`"`); err != nil {
		return err
	}
	f()
	return c.Raw(func(driver any) error {
		conn := driver.(*stdlib.Conn).Conn()
		for {
			if _, err := conn.WaitForNotification(ctx); err != nil {
				return err
			}
			f()
		}
	})
}
