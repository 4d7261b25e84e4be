package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// handle is what runs inside a transaction.
type handle interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// work is a transaction under way. Its Rollback after the end does nothing.
type work interface {
	handle
	Commit() error
	Rollback() error
}

// begin begins a transaction. database/sql has a goroutine wait for the end of
// each of its transactions, and another one for each query in it; to wake them
// is a good part of what a small transaction costs. PostgreSQL needs them, since
// it may be away for ever. A transaction on a file is one connection's, and what
// runs on that has the caller's context and no other.
func (db *DB) begin(ctx context.Context, h *sql.DB, opt *sql.TxOptions) (work, error) {
	if db.dialect == PostgreSQL {
		return h.BeginTx(ctx, opt)
	}
	c, err := h.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &fileWork{Conn: c, ctx: ctx}
	err = c.Raw(func(raw any) (err error) {
		w.tx, err = raw.(driver.ConnBeginTx).BeginTx(ctx, driver.TxOptions{})
		return err
	})
	if err != nil {
		c.Close()
		return nil, err
	}
	return w, nil
}

// fileWork is a transaction on an SQLite file. It has its connection until its
// end, for which all rows of its queries must have been closed.
type fileWork struct {
	*sql.Conn
	ctx context.Context
	tx  driver.Tx
}

// Commit commits, unless the context has ended.
func (w *fileWork) Commit() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	return w.end(driver.Tx.Commit)
}

// Rollback takes back what was not committed.
func (w *fileWork) Rollback() error {
	if w.tx == nil {
		return nil
	}
	return w.end(driver.Tx.Rollback)
}

// end ends the transaction and gives the connection back.
func (w *fileWork) end(how func(driver.Tx) error) error {
	tx := w.tx
	w.tx = nil
	defer w.Conn.Close()
	return w.Conn.Raw(func(any) error { return how(tx) })
}
