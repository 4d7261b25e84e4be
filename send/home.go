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

// Arrive tells the queue on which machine it is. The first machine is home.
// On another one the books may be a copy whose original still sends, or older
// than what readers have: until MoveIn nothing goes to anybody but editors.
func (q *Queue) Arrive(ctx context.Context, machine string) error {
	return q.DB.Update(ctx, func(tx *store.Tx) error {
		now := store.Micros(tx.Now())
		_, err := tx.ExecContext(ctx, `INSERT INTO home (name, machine, guest, since) VALUES ('home', $1, '', $2) ON CONFLICT (name) DO NOTHING`, machine, now)
		if err != nil {
			return fmt.Errorf("home: %w", err)
		}
		_, err = tx.ExecContext(ctx, `UPDATE home SET guest = CASE WHEN machine = $1 THEN '' ELSE $2 END, since = $3 WHERE machine = $4 AND guest <> '' OR machine <> $5`,
			machine, machine, now, machine, machine)
		if err != nil {
			return fmt.Errorf("home: %w", err)
		}
		since, err := q.Away(ctx, tx)
		tx.AfterCommit(func() { q.away.Store(!since.IsZero()) })
		return err
	})
}

// Away tells since when the queue has been on a machine that no editor has
// confirmed; the zero time when it is at home.
func (q *Queue) Away(ctx context.Context, tx *store.Tx) (since time.Time, err error) {
	var at int64
	err = tx.QueryRowContext(ctx, `SELECT since FROM home WHERE guest <> ''`).Scan(&at)
	if store.NotFound(err) {
		return time.Time{}, nil
	}
	return store.Instant(at), err
}

// MoveIn makes the machine on which the queue is its home.
func (q *Queue) MoveIn(ctx context.Context, tx *store.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE home SET machine = guest, guest = '', since = $1 WHERE guest <> ''`, store.Micros(tx.Now()))
	tx.AfterCommit(func() { q.away.Store(false) })
	q.ring(tx)
	return err
}

// whileAway narrows the slips that may go to those for editors. The
// addresses come from the configuration and are counted from $n on.
func (q *Queue) whileAway(n int) (clause string, args []any) {
	if !q.away.Load() {
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
