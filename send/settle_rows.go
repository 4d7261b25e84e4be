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
	var rows, tried []*result
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
		if rows = append(rows, r); r.v.charged {
			tried = append(tried, r)
		}
	}
	if err := e.inGroups(rows, func(some []*result) error { return e.markRows(ctx, tx, some) }); err != nil {
		return err
	}
	if err := e.inGroups(tried, func(some []*result) error { return attemptRows(ctx, tx, some) }); err != nil {
		return err
	}
	for _, r := range rows {
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

// stored is the due time for the books: what was sent leaves the index of what
// is still to do.
func (v *verdict) stored() int64 {
	if v.state == Sent {
		return -1
	}
	return store.Micros(v.due)
}

// markRows writes the new states of deliveries that this process has claimed.
func (e *engine) markRows(ctx context.Context, tx *store.Tx, some []*result) error {
	const columns = 9
	args := make([]any, 0, 2+columns*len(some))
	args = append(args, store.Micros(tx.Now()))
	for _, r := range some {
		o := &r.v.outcome
		args = append(args, r.t.id, string(r.v.state), r.attempts(), r.v.stored(), r.v.first, o.Code, o.Enhanced, string(r.v.class), o.Transcript)
	}
	table, args := tx.Table(args, 1, columns)
	args = append(args, e.epoch)
	done, err := tx.ExecContext(ctx, `UPDATE delivery SET changed = $1, state = v.column2, attempts = v.column3, due = v.column4, first = v.column5,
		code = v.column6, status = v.column7, class = v.column8, reply = v.column9
		FROM (`+table+`) AS v WHERE delivery.id = v.column1 AND delivery.state = 'claimed' AND delivery.epoch = $`+
		fmt.Sprint(len(args)), args...)
	if err != nil {
		return fmt.Errorf("delivery %d and %d more: %w", some[0].t.id, len(some)-1, err)
	}
	if n, err := done.RowsAffected(); err != nil || n != int64(len(some)) {
		return ErrFenced
	}
	return nil
}

// attemptRows writes down that recipients were tried, and what was said.
func attemptRows(ctx context.Context, tx *store.Tx, some []*result) error {
	const columns = 9
	args := make([]any, 0, columns*len(some))
	for _, r := range some {
		o := &r.v.outcome
		args = append(args, r.t.id, r.t.edition, r.attempts(), store.Micros(r.at), string(o.Verdict), string(o.Stage), o.Code, o.Enhanced, o.Transcript)
	}
	table, args := tx.Table(args, 0, columns)
	_, err := tx.ExecContext(ctx, `INSERT INTO attempt (delivery, edition, number, at, verdict, stage, code, status, reply) `+table, args...)
	if err != nil {
		return fmt.Errorf("delivery %d and %d more: attempt: %w", some[0].t.id, len(some)-1, err)
	}
	return nil
}
