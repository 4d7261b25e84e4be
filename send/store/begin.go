package store

import (
	"context"
	"database/sql/driver"
)

// BeginTx begins a transaction with a statement that the connection keeps: the
// driver compiles its BEGIN and its COMMIT anew for each, which is a third of
// what the house's usual look at the books costs.
func (c *conn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	t := &transaction{c: c}
	if err := c.say(ctx, c.begin); err != nil {
		t.Rollback() // the driver tells that ctx has ended also when the transaction did begin
		return nil, err
	}
	return t, nil
}

// say runs a statement without values and without rows.
func (c *conn) say(ctx context.Context, text string) error {
	k, err := c.compiled(ctx, text)
	if err != nil {
		return err
	}
	if k == nil {
		_, err = c.sqliteConn.ExecContext(ctx, text, nil)
		return err
	}
	_, err = k.stmt.(driver.StmtExecContext).ExecContext(ctx, nil)
	return err
}

// transaction is one between its BEGIN and its end.
type transaction struct{ c *conn }

// Commit commits. After a commit that failed SQLite may still be in the
// transaction (https://www.sqlite.org/lang_transaction.html, "Response to
// errors within a transaction"), and the connection goes back to others, so it
// is rolled back; where nothing is left to roll back that fails, which is well.
func (t *transaction) Commit() error {
	err := t.c.say(context.Background(), "COMMIT")
	if err != nil {
		t.Rollback()
	}
	return err
}

// Rollback takes all of it back.
func (t *transaction) Rollback() error { return t.c.say(context.Background(), "ROLLBACK") }
