package store

import (
	"context"
	"fmt"
)

// Identity tells a database from every copy of it that was made by dump and
// restore: by the number of its cluster, where the server tells it, and by its
// own number in there. It is "" for SQLite, whose file is the books wherever it
// lies.
func (db *DB) Identity(ctx context.Context) (id string, err error) {
	if db.dialect != PostgreSQL {
		return "", nil
	}
	const own = `(SELECT oid FROM pg_database WHERE datname = current_database())::text || ' ' || current_schema()`
	err = db.read.QueryRowContext(ctx, `SELECT (SELECT system_identifier FROM pg_control_system())::text || ' ' || `+own).Scan(&id)
	if err != nil { // a server may keep the number of its cluster from its users
		err = db.read.QueryRowContext(ctx, `SELECT `+own).Scan(&id)
	}
	if err != nil {
		return "", fmt.Errorf("database: which one it is: %w", err)
	}
	return id, nil
}
