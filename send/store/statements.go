package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	"modernc.org/sqlite"
)

// Limits of what one SQLite connection keeps compiled.
const (
	keptStatements = 256
	keptText       = 16 << 10 // octets of one statement
)

// openSQLite opens a handle whose connections keep their statements compiled,
// and begin their transactions with begin.
// Compiling costs more than most statements of the house do, and the driver
// does it anew for every call; pgx keeps its own.
func openSQLite(dsn, begin string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(keeper{Connector: c, begin: begin}), nil
}

// keeper is a connector of connections that keep their statements.
type keeper struct {
	driver.Connector
	begin string
}

// Connect opens one connection.
func (k keeper) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	whole, ok := c.(sqliteConn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("the driver's connection is a %T, which lacks what the books need; build with the version of modernc.org/sqlite in go.mod", c)
	}
	return &conn{sqliteConn: whole, begin: k.begin, kept: map[string]*kept{}}, nil
}

// sqliteConn is what database/sql uses of the driver's connection.
type sqliteConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// conn is a connection with its compiled statements. database/sql lets one
// goroutine at a time use it.
type conn struct {
	sqliteConn
	begin string
	kept  map[string]*kept
}

// kept is a compiled statement. While its rows are being read it is taken.
type kept struct {
	stmt  driver.Stmt
	taken bool
}

// PrepareContext compiles a statement that its caller keeps.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.sqliteConn.PrepareContext(ctx, unnamed(query))
}

// ExecContext runs a statement that it keeps.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	k, err := c.compiled(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return k.stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

// QueryContext runs a query that it keeps, unless the rows of the same query
// are being read just now.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	k, err := c.compiled(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := k.stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	k.taken = true
	return &keptRows{Rows: rows, of: k}, nil
}

// compiled gives the statement of a text, nil when it has to be compiled for
// this one time.
func (c *conn) compiled(ctx context.Context, query string) (*kept, error) {
	if k := c.kept[query]; k != nil {
		if k.taken {
			return nil, nil
		}
		return k, nil
	}
	if len(query) > keptText || strings.HasPrefix(query, "PRAGMA") { // many a PRAGMA acts when it is compiled, and then never again
		return nil, nil
	}
	if len(c.kept) >= keptStatements {
		c.drop()
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	_, executes := stmt.(driver.StmtExecContext)
	_, queries := stmt.(driver.StmtQueryContext)
	if !executes || !queries {
		return nil, stmt.Close()
	}
	k := &kept{stmt: stmt}
	c.kept[query] = k
	return k, nil
}

// drop lets go of all statements but those whose rows are being read: texts
// that were put together for one call must not crowd out the others for ever.
func (c *conn) drop() {
	for query, k := range c.kept {
		if !k.taken {
			k.stmt.Close()
			delete(c.kept, query)
		}
	}
}

// Close closes the statements and the connection.
func (c *conn) Close() error {
	for _, k := range c.kept {
		k.stmt.Close()
	}
	clear(c.kept)
	return c.sqliteConn.Close()
}

// keptRows gives its statement back when it is closed.
type keptRows struct {
	driver.Rows
	of *kept
}

// Close ends the reading.
func (r *keptRows) Close() error {
	err := r.Rows.Close()
	r.of.taken = false
	return err
}
