package send

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"galley/send/store"
)

// Trace is a mail of ours that the books do not know: they are older than what
// was done, as books are that were put back from a backup.
type Trace struct {
	Newsletter string
	Kind       string // of the paper, or "return" for a copy that came back
	Issue      int    // 0: none, or not known
	Subject    string
	At         time.Time
}

// Away is why readers get nothing: another machine, or books that are older
// than the mailbox. The zero Away is a queue at home.
type Away struct {
	Since time.Time // of the start, or of the newest trace
	Guest bool      // on a machine that no editor has confirmed
	Older []Trace   // what the books do not know, oldest first
}

// Arrive tells the queue on which machine it is; "" is one that cannot be told
// from others. The first machine is home. On another one the books may be a
// copy whose original still sends: until MoveIn nothing goes to anybody but
// editors. Several machines may share the books of one PostgreSQL; each is to
// be confirmed once.
func (q *Queue) Arrive(ctx context.Context, machine string) error {
	return q.DB.Update(ctx, func(tx *store.Tx) error {
		q.machine = machine
		now := store.Micros(tx.Now())
		// What was found before is asked about once a start.
		if _, err := tx.ExecContext(ctx, `UPDATE trace SET since = $1 WHERE settled = 0`, now); err != nil {
			return fmt.Errorf("traces: %w", err)
		}
		if machine != "" {
			if err := q.settleIn(ctx, tx, now); err != nil {
				return fmt.Errorf("home: %w", err)
			}
		}
		return q.lookHome(ctx, tx)
	})
}

// settleIn writes the row of this machine. Where the books are a file their
// lock is one process's alone, so no other machine asks any more.
func (q *Queue) settleIn(ctx context.Context, tx *store.Tx, now int64) error {
	if q.DB.Dialect() == store.SQLite {
		if _, err := tx.ExecContext(ctx, `DELETE FROM home WHERE NOT confirmed AND machine <> $1`, q.machine); err != nil {
			return err
		}
	}
	var homes int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM home WHERE confirmed`).Scan(&homes); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO home (machine, confirmed, since) VALUES ($1, $2, $3)
		ON CONFLICT (machine) DO UPDATE SET since = excluded.since`, q.machine, homes == 0, now)
	return err
}

// lookHome has the rest of the queue know whether it is away.
func (q *Queue) lookHome(ctx context.Context, tx *store.Tx) error {
	var away bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM home WHERE machine = $1 AND NOT confirmed) OR EXISTS (SELECT 1 FROM trace WHERE settled = 0)`,
		q.machine).Scan(&away)
	if err == nil {
		tx.AfterCommit(func() { q.away.Store(away) })
	}
	return err
}

// Away tells why readers get nothing, if they do.
func (q *Queue) Away(ctx context.Context, tx *store.Tx) (a Away, err error) {
	var guests, since int64
	err = tx.QueryRowContext(ctx, `SELECT count(*), COALESCE(max(since), 0) FROM home WHERE NOT confirmed`).Scan(&guests, &since)
	if err != nil {
		return a, err
	}
	a.Guest, a.Since = guests > 0, store.Instant(since)
	rows, err := tx.QueryContext(ctx, `SELECT newsletter, kind, issue, subject, at, since FROM trace WHERE settled = 0 ORDER BY at, kind, issue`)
	if err != nil {
		return a, err
	}
	defer rows.Close()
	for rows.Next() {
		var t Trace
		var at, since int64
		if err := rows.Scan(&t.Newsletter, &t.Kind, &t.Issue, &t.Subject, &at, &since); err != nil {
			return a, err
		}
		t.At = store.Instant(at)
		a.Older = append(a.Older, t)
		if s := store.Instant(since); s.After(a.Since) {
			a.Since = s
		}
	}
	return a, rows.Err()
}

// Confirmed is when an editor last said that the books are the right ones:
// traces from before are known. It is the zero time when nobody ever had to.
func (q *Queue) Confirmed(ctx context.Context, tx *store.Tx) (at time.Time, err error) {
	var micros int64
	err = tx.QueryRowContext(ctx, `SELECT COALESCE(max(settled), 0) FROM trace`).Scan(&micros)
	return store.Instant(micros), err
}

// Older notes mails of ours that the books do not know. Readers get nothing
// from now on, before MoveIn.
func (q *Queue) Older(ctx context.Context, tx *store.Tx, found []Trace) error {
	for _, t := range found {
		_, err := tx.ExecContext(ctx, `INSERT INTO trace (newsletter, kind, issue, subject, at, since) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			t.Newsletter, t.Kind, t.Issue, t.Subject, store.Micros(t.At), store.Micros(tx.Now()))
		if err != nil {
			return fmt.Errorf("traces: %w", err)
		}
	}
	return q.lookHome(ctx, tx)
}

// Withhold keeps everything from readers until it is let go: whether the books
// are older than the mailbox is not known before the mailbox was looked at.
func (q *Queue) Withhold() { q.looking.Add(1) }

// LetGo takes one Withhold back.
func (q *Queue) LetGo() {
	q.looking.Add(-1)
	q.bell.Ring()
}

// Silent tells that readers get nothing now, whatever is approved.
func (q *Queue) Silent() bool { return q.away.Load() || q.looking.Load() > 0 }

// MoveIn makes the machines that have asked homes of the queue, and its books
// the right ones. Where the books are a file there is one home.
func (q *Queue) MoveIn(ctx context.Context, tx *store.Tx) error {
	texts := []string{`UPDATE home SET confirmed = TRUE WHERE NOT confirmed`}
	if q.DB.Dialect() == store.SQLite {
		texts = slices.Insert(texts, 0, `DELETE FROM home WHERE confirmed AND EXISTS (SELECT 1 FROM home WHERE NOT confirmed)`)
	}
	for _, text := range texts {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("home: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE trace SET settled = $1 WHERE settled = 0`, store.Micros(tx.Now())); err != nil {
		return fmt.Errorf("traces: %w", err)
	}
	q.ring(tx)
	return q.lookHome(ctx, tx)
}

// whileAway narrows the slips that may go to those for editors. The
// addresses come from the configuration and are counted from $n on.
func (q *Queue) whileAway(n int) (clause string, args []any) {
	if !q.Silent() {
		return "", nil
	}
	marks := []string{"''"} // an empty list is no SQL
	for _, id := range slices.Sorted(maps.Keys(q.Newsletters)) {
		for _, e := range q.Newsletters[id].Editors {
			args = append(args, e)
			marks = append(marks, fmt.Sprintf("$%d", n+len(args)-1))
		}
	}
	return " AND address IN (" + strings.Join(marks, ", ") + ")", args
}
