package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// sole is the number of the lock that the one daemon has which does everything;
// those of the sending machines' leases begin at 1.
const sole = 0

const (
	soleWait = 5 * time.Second        // how long the session of one that was just killed may last
	soleLook = 250 * time.Millisecond // between two tries
)

// TakenError says that another daemon does everything on these books.
type TakenError struct {
	Holder string // who it is, "" when the database does not tell
}

// Error names the other one, and what to do.
func (e *TakenError) Error() string {
	who := e.Holder
	if who == "" {
		who = "another process"
	}
	return "database: " + who + " does everything on these books; stop that one first, or start this one with --parts send, to send beside it (galley help machines)"
}

// Sole makes this process the only one that does everything on the books. who
// is how the next one is told of it, in ASCII. It fails with a TakenError when
// another one is there, after a few seconds: the session of one that was
// killed ends soon, but not at once. On SQLite the lock of the data folder does
// this, and Sole does nothing.
func (db *DB) Sole(ctx context.Context, who string) (*Hold, error) {
	h := &Hold{db: db, n: sole, who: who}
	for end := time.Now().Add(soleWait); ; {
		err := h.try(ctx)
		if taken := (*TakenError)(nil); !errors.As(err, &taken) || !time.Now().Before(end) {
			return h, err
		}
		select {
		case <-ctx.Done():
			return h, ctx.Err()
		case <-time.After(soleLook):
		}
	}
}

// KeepSole looks after the lock of Sole until ctx ends, and takes it again when
// the session was lost. It returns a TakenError when another daemon was
// quicker: this one must end then.
func (h *Hold) KeepSole(ctx context.Context) error {
	defer h.drop()
	for h.db.dialect == PostgreSQL {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
		if h.conn != nil && (h.conn.PingContext(ctx) == nil || ctx.Err() != nil) {
			continue
		}
		h.drop()
		taken := (*TakenError)(nil)
		if err := h.try(ctx); errors.As(err, &taken) && taken.Holder != h.who { // our own dead session may last a while
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// try takes the lock if nobody has it, in a session that bears the process's
// name.
func (h *Hold) try(ctx context.Context) error {
	if h.db.dialect != PostgreSQL {
		return nil
	}
	c, err := h.db.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("database: a session for the lock: %w", err)
	}
	h.conn = c
	got, holder := false, ""
	if _, err = c.ExecContext(ctx, `SELECT set_config('application_name', $1, false)`, h.who); err == nil {
		err = c.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(`+holdKey+`, $1::int)`, h.n).Scan(&got)
	}
	if err == nil && !got {
		err = c.QueryRowContext(ctx, `SELECT COALESCE(max(a.application_name), '') FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.objid = $1::oid AND l.classid = (`+holdKey+`)::oid
				AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`, h.n).Scan(&holder)
	}
	switch {
	case err != nil:
		err = fmt.Errorf("database: the lock: %w", err)
	case !got:
		err = &TakenError{Holder: holder}
	}
	if err != nil {
		h.drop()
	}
	return err
}
