package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Dialect names the database behind a DB.
type Dialect string

// The two databases.
const (
	SQLite     Dialect = "sqlite"
	PostgreSQL Dialect = "postgres"
)

// DB is an open set of books. It may be used by many goroutines.
type DB struct {
	write   *sql.DB
	read    *sql.DB
	dialect Dialect
	full    atomic.Bool // the disk had no room for the last transaction
}

// Open opens the database at url and brings its schema up to date. A url
// that begins with postgres:// or postgresql:// is PostgreSQL; anything else
// is the path of an SQLite file, with or without a leading "sqlite:".
func Open(ctx context.Context, url string) (*DB, error) {
	db, err := connect(url)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func connect(url string) (*DB, error) {
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return connectPostgres(url)
	}
	return connectSQLite(strings.TrimPrefix(url, "sqlite:"))
}

// careful is said to PostgreSQL at the start of each session. A machine whose
// network is gone in the midst of a transaction leaves its row locks behind:
// nobody else could go on until TCP gives up, which takes hours, so the server
// ends such a transaction well before the machine's lease runs out, and the
// session of a machine that is gone after a minute. The first is no limit for
// work: it counts the time in which the client says nothing.
const careful = `SET idle_in_transaction_session_timeout = '15s';
	SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3`

func connectPostgres(dsn string) (*DB, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.PgConn().Exec(ctx, careful).ReadAll()
		return err
	}))
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	return &DB{write: db, read: db, dialect: PostgreSQL}, nil
}

// readers is how many goroutines read an SQLite file at once.
const readers = 4

// connectSQLite opens two handles: SQLite has one write lock, so the writers
// queue in Go, in order and without busy waiting, and readers never wait.
func connectSQLite(path string) (*DB, error) {
	if path == "" {
		return nil, errors.New("database: no path given; name a file, for example galley.db")
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("database: the folder of %s: %w", path, err)
	}
	write, err := openSQLite(sqliteDSN(path), "BEGIN IMMEDIATE")
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	// Readers look at few pages; the system keeps the file in its own memory.
	read, err := openSQLite(sqliteDSN(path)+"&_pragma=query_only(1)&_pragma=cache_size(-512)", "BEGIN")
	if err != nil {
		write.Close()
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers) // a connection reads the whole schema before its first query
	return &DB{write: write, read: read, dialect: SQLite}, nil
}

func sqliteDSN(path string) string {
	q := url.Values{"_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"secure_delete(1)", // what somebody asked to have erased must not lie in free pages
	}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// Dialect tells which database this is; only migrations and row locks differ.
func (db *DB) Dialect() Dialect { return db.dialect }

// Ping asks the database for a sign of life.
func (db *DB) Ping(ctx context.Context) error { return db.write.PingContext(ctx) }

// Close closes the database. Transactions under way fail.
func (db *DB) Close() error {
	err := db.write.Close()
	if db.read != db.write {
		err = errors.Join(err, db.read.Close())
	}
	return err
}

// Containing is the pattern of LIKE … ESCAPE '!' for texts that hold s.
func Containing(s string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) + "%"
}

// Scrub takes what was erased out of the files beside the database too: the
// write-ahead log of SQLite holds former pages, and PostgreSQL former rows.
// It waits for those who read and fails when they read for too long.
func (db *DB) Scrub(ctx context.Context) error {
	if db.dialect == PostgreSQL {
		_, err := db.write.ExecContext(ctx, "VACUUM")
		return err
	}
	var busy, inLog, moved int
	err := db.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &moved)
	if err == nil && busy != 0 {
		err = errors.New("scrubbing: the database is being read; the next time will do it")
	}
	return err
}

// Update runs fn in one transaction and commits it; when fn or the commit
// fails nothing has happened. On PostgreSQL fn may be called again after a
// serialization failure, so it must have no effect outside the transaction
// except through AfterCommit.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	const tries = 5
	for try := 1; ; try++ {
		db.makeRoom(ctx)
		err := db.run(ctx, db.write, nil, fn)
		if Full(err) {
			db.full.Store(true)
		}
		if err == nil || try == tries || !again(err) {
			return err
		}
	}
}

// View runs fn in one transaction that reads and changes nothing.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return db.run(ctx, db.read, &sql.TxOptions{ReadOnly: db.dialect == PostgreSQL}, fn)
}

func (db *DB) run(ctx context.Context, h *sql.DB, opt *sql.TxOptions, fn func(*Tx) error) error {
	raw, err := db.begin(ctx, h, opt)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{handle: raw, now: Now(), dialect: db.dialect}
	defer raw.Rollback() // a no-op after the commit; a panic in fn must not keep the write lock
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.tell(ctx); err != nil {
		return err
	}
	err = raw.Commit()
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		err = ctx.Err() // database/sql took it back when the context ended, and says no more than that
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for _, f := range tx.after {
		f()
	}
	return nil
}

// Tx is one transaction. It knows its instant: all rows that it writes carry
// the same time.
type Tx struct {
	handle
	now     time.Time
	dialect Dialect
	after   []func()
	tells   bool
}

// Now is the wall-clock instant at which the transaction began, in UTC and
// whole microseconds.
func (tx *Tx) Now() time.Time { return tx.now }

// AfterCommit has f called when the transaction is on disk, in the order of
// the calls; after a rollback f is never called. It is how a part rings the
// bell of the next one.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// Those is the condition with which an UPDATE or DELETE of a table takes the rows
// that a SELECT of the same table finds, given from its WHERE on. What another
// machine is taking is passed over; SQLite has one writer and needs none of that.
// PostgreSQL goes to each row by the place where it has just found it: by their
// ids it would rather read all of a small table than find a page of them.
func (tx *Tx) Those(table, where string) string {
	if tx.dialect == PostgreSQL {
		return "ctid = ANY (ARRAY(SELECT ctid FROM " + table + " WHERE " + where + " FOR UPDATE SKIP LOCKED))"
	}
	return "id IN (SELECT id FROM " + table + " WHERE " + where + ")"
}

// Weigh has PostgreSQL look at what is in a table, after many rows have come at
// once: until it has, it plans for a table of other rows, and a page of them can
// cost a second. By itself it looks once a minute. SQLite's plans do not depend
// on it.
func (tx *Tx) Weigh(ctx context.Context, table string) error {
	if tx.dialect != PostgreSQL {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "ANALYZE "+table); err != nil {
		return fmt.Errorf("weighing %s: %w", table, err)
	}
	return nil
}

// Now reads the wall clock, in UTC and whole microseconds. It is the one
// place that does.
func Now() time.Time { return time.Now().Add(skew()).UTC().Truncate(time.Microsecond) }

// Micros turns an instant into the number that is stored; the zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Instant turns a stored number into an instant in UTC; 0 is the zero time.
func Instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
