package send

import (
	"context"
	"fmt"

	"galley/send/store"
)

// How many rows one statement of SQLite writes. Each number of rows is a text that
// stays compiled, so there are few large ones; the small ones are those of a commit.
const (
	fewRows  = 16
	manyRows = 32
)

// writeAll writes the verdicts of a group whose claims are still ours. Many
// rows go into one statement: to SQLite each costs as much as its row, and to
// PostgreSQL a round trip.
func (e *engine) writeAll(ctx context.Context, tx *store.Tx, group []*result) error {
	var sent, unsent, tried []*result
	for _, r := range group {
		if err := Claimed.to(r.v.state); err != nil {
			return err
		}
		if r.t.slip {
			if err := e.writeSlip(ctx, tx, r); err != nil {
				return err
			}
			continue
		}
		if err := e.fit(ctx, tx, r); err != nil {
			return err
		}
		if r.v.state == Sent {
			sent = append(sent, r)
		} else {
			unsent = append(unsent, r)
		}
		if r.v.charged {
			tried = append(tried, r)
		}
	}
	if err := e.inGroups(sent, func(some []*result) error { return e.sentRows(ctx, tx, some) }); err != nil {
		return err
	}
	if err := e.inGroups(unsent, func(some []*result) error { return e.markRows(ctx, tx, some) }); err != nil {
		return err
	}
	for len(tried) > 0 {
		var alike []*result
		alike, tried = sameAnswer(tried)
		if err := e.inGroups(alike, func(some []*result) error { return attemptRows(ctx, tx, some) }); err != nil {
			return err
		}
	}
	for _, r := range append(sent, unsent...) {
		if err := e.consequences(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// inGroups has f take results, as many at once as one statement writes; one of
// PostgreSQL has the same text for any number.
func (e *engine) inGroups(all []*result, f func([]*result) error) error {
	if e.q.DB.Dialect() == store.PostgreSQL && len(all) > 0 {
		return f(all)
	}
	for len(all) > 0 {
		n := min(len(all), fewRows)
		if len(all) >= manyRows {
			n = manyRows
		}
		if err := f(all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// attempts is how often the recipient of a result has been tried.
func (r *result) attempts() int {
	if r.v.charged {
		return r.t.attempts + 1
	}
	return r.t.attempts
}

// sentRows writes that readers have their copies. All rows get the same values,
// so that each costs its id; what the next hop said of each stands with the
// attempt, and nothing is left in the row of what was said before. With a due
// time below zero it leaves the index of what is still to do.
func (e *engine) sentRows(ctx context.Context, tx *store.Tx, some []*result) error {
	ids := make([]int64, 0, len(some))
	for _, r := range some {
		ids = append(ids, r.t.id)
	}
	now := store.Micros(tx.Now())
	those, args := tx.Among("id", []any{now, now, e.epoch}, ids)
	done, err := tx.ExecContext(ctx, `UPDATE delivery SET changed = $1, state = 'sent', attempts = attempts + 1, due = -1,
		first = CASE first WHEN 0 THEN $2 ELSE first END, code = 0, status = '', class = 'none', reply = ''
		WHERE state = 'claimed' AND epoch = $3 AND `+those, args...)
	return allOf(some, done, err)
}

// allOf tells of a statement that has not written the rows of all results: some
// are no longer this process's.
func allOf(some []*result, done interface{ RowsAffected() (int64, error) }, err error) error {
	if err != nil {
		return fmt.Errorf("delivery %d and %d more: %w", some[0].t.id, len(some)-1, err)
	}
	if n, err := done.RowsAffected(); err != nil || n != int64(len(some)) {
		return ErrFenced
	}
	return nil
}

// markRows writes the new states of deliveries that this process has claimed.
func (e *engine) markRows(ctx context.Context, tx *store.Tx, some []*result) error {
	const columns = 9
	args := make([]any, 0, 2+columns*len(some))
	args = append(args, store.Micros(tx.Now()))
	for _, r := range some {
		o := &r.v.outcome
		args = append(args, r.t.id, string(r.v.state), r.attempts(), store.Micros(r.v.due), r.v.first, o.Code, o.Enhanced, string(r.v.class), o.Transcript)
	}
	table, args := tx.Table(args, 1, columns)
	args = append(args, e.epoch)
	done, err := tx.ExecContext(ctx, `UPDATE delivery SET changed = $1, state = v.column2, attempts = v.column3, due = v.column4, first = v.column5,
		code = v.column6, status = v.column7, class = v.column8, reply = v.column9
		FROM (`+table+`) AS v WHERE delivery.id = v.column1 AND delivery.state = 'claimed' AND delivery.epoch = $`+
		fmt.Sprint(len(args)), args...)
	return allOf(some, done, err)
}

// answered is what attempts that were answered alike have in common.
type answered struct {
	edition  int64
	number   int
	verdict  Verdict
	stage    Stage
	code     int
	enhanced string
}

func (r *result) answered() answered {
	o := &r.v.outcome
	return answered{r.t.edition, r.attempts(), o.Verdict, o.Stage, o.Code, o.Enhanced}
}

// sameAnswer takes the results that were answered as the first one was.
func sameAnswer(all []*result) (alike, others []*result) {
	same := all[0].answered()
	for _, r := range all {
		if r.answered() == same {
			alike = append(alike, r)
		} else {
			others = append(others, r)
		}
	}
	return alike, others
}

// attemptRows writes down that recipients were tried, and what was said; all of
// them were answered alike, but for the words.
func attemptRows(ctx context.Context, tx *store.Tx, some []*result) error {
	const columns = 3
	a := some[0].answered()
	args := make([]any, 0, 6+columns*len(some))
	args = append(args, a.edition, a.number, string(a.verdict), string(a.stage), a.code, a.enhanced)
	for _, r := range some {
		args = append(args, r.t.id, store.Micros(r.at), r.v.outcome.Transcript)
	}
	table, args := tx.Table(args, 6, columns)
	_, err := tx.ExecContext(ctx, `INSERT INTO attempt (edition, number, verdict, stage, code, status, delivery, at, reply)
		SELECT $1, $2, $3, $4, $5, $6, v.column1, v.column2, v.column3 FROM (`+table+`) AS v`, args...)
	if err != nil {
		return fmt.Errorf("delivery %d and %d more: attempt: %w", some[0].t.id, len(some)-1, err)
	}
	return nil
}
