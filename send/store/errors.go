package store

import (
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// NullInt64 and NullString are columns that may hold nothing.
type (
	NullInt64  = sql.NullInt64
	NullString = sql.NullString
)

// Rows is the answer of a query with many rows.
type Rows = sql.Rows

// NotFound tells that a query for one row found none.
func NotFound(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// Conflict tells that a row exists already, by its primary or a unique key.
func Conflict(err error) bool {
	const primaryKey, unique = 1555, 2067 // SQLite's extended result codes
	if code, ok := sqliteCode(err); ok {
		return code == primaryKey || code == unique
	}
	return postgresCode(err) == "23505"
}

// Full tells that the disk or its quota is full, or the medium read-only:
// work stops until an operator makes room, and nothing is lost.
func Full(err error) bool {
	const readonly, ioerr, full = 8, 10, 13
	if code, ok := sqliteCode(err); ok {
		return code&0xff == full || code&0xff == readonly || code&0xff == ioerr
	}
	return postgresCode(err) == "53100"
}

// again tells that the same transaction may succeed when it is run anew:
// a serialization failure or a deadlock that PostgreSQL broke up.
func again(err error) bool {
	code := postgresCode(err)
	return code == "40001" || code == "40P01"
}

func sqliteCode(err error) (int, bool) {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code(), true
	}
	return 0, false
}

func postgresCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
