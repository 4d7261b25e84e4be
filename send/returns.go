package send

import (
	"context"
	"fmt"
	"strings"
	"time"

	"galley/send/store"
)

// Return is a bounce or a complaint about a mail of ours.
type Return struct {
	ID         int64
	Newsletter string
	Delivery   int64  // from a valid token or Message-ID, 0 if none
	Slip       int64  // the same
	Message    int64  // the inbox's row
	Kind       string // bounce, complaint
	Class      Class
	Action     string // RFC 3464
	Status     string // RFC 3463
	Reason     string // the words of the report
	Recipient  string // whom the report names, "" if nobody
}

// Returned keeps a return; Run draws the consequences.
func (q *Queue) Returned(ctx context.Context, tx *store.Tx, r *Return) error {
	counted, err := countable(ctx, tx, r)
	if err == nil {
		err = q.unheardOf(ctx, tx, r)
	}
	if err != nil {
		return fmt.Errorf("return: %w", err)
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO return (newsletter, delivery, slip, message, kind, class, action, status, reason, counted, at, state)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'new') RETURNING id`,
		r.Newsletter, r.Delivery, r.Slip, r.Message, r.Kind, r.Class, r.Action, r.Status, r.Reason, counted, store.Micros(tx.Now())).Scan(&r.ID)
	q.ring(tx)
	return err
}

// unheardOf takes a copy that comes back for a trace when the books do not know
// it: its token is ours, so they are older than the copy.
func (q *Queue) unheardOf(ctx context.Context, tx *store.Tx, r *Return) error {
	if r.Delivery == 0 {
		return nil
	}
	var last int64
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(id), 0) FROM delivery`).Scan(&last); err != nil || r.Delivery <= last {
		return err
	}
	settled, err := q.Confirmed(ctx, tx)
	if err != nil || !settled.IsZero() { // an editor knows already: copies of that time come back for days
		return err
	}
	return q.Older(ctx, tx, []Trace{{Newsletter: r.Newsletter, Kind: "return", At: tx.Now()}})
}

// countable tells whether a return counts: it belongs to a delivery of this
// newsletter, names its reader or nobody, and says something final. What says
// nothing final, like a notice of delay, must not use up the one that counts.
// A complaint counts by its token alone: providers black the address out, or
// name the one that the mail was forwarded to, and whoever has the token of a
// copy could take its reader off by the copy's own link as well.
func countable(ctx context.Context, tx *store.Tx, r *Return) (bool, error) {
	if r.Delivery == 0 || r.Class == ClassNone || r.Class == "" || r.Action == "delayed" {
		return false, nil
	}
	var address string
	err := tx.QueryRowContext(ctx, `SELECT address FROM delivery WHERE id = $1 AND newsletter = $2`, r.Delivery, r.Newsletter).Scan(&address)
	if store.NotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return r.Recipient == "" || r.Class == ClassComplaint || strings.EqualFold(r.Recipient, address), nil
}

// newReturns tells whether something came back that is not settled.
func newReturns(ctx context.Context, tx *store.Tx) (some bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM return WHERE state = 'new')`).Scan(&some)
	return some, err
}

// settleReturns draws the consequences of what came back, a few at a time.
func (e *engine) settleReturns(ctx context.Context) error {
	return e.q.DB.Update(ctx, func(tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, newsletter, delivery, class, status, reason, counted, kind FROM return
			WHERE state = 'new' ORDER BY id LIMIT 100`)
		var counted bool
		news, err := collect(rows, err, func(row scanner) (r returned, err error) {
			err = row.Scan(&r.ID, &r.Newsletter, &r.Delivery, &r.Class, &r.Status, &r.Reason, &counted, &r.Kind)
			r.counted = counted
			return r, err
		})
		if err != nil {
			return err
		}
		for _, r := range news {
			if err := e.settleReturn(ctx, tx, &r); err != nil {
				return fmt.Errorf("return %d: %w", r.ID, err)
			}
		}
		return nil
	})
}

type returned struct {
	Return
	counted bool
}

// settleReturn suppresses whom a hard bounce or a complaint names. One
// delivery counts at most once, whatever number of reports arrives; a
// complaint always counts. A report that is faster than the commit of its own
// delivery waits.
func (e *engine) settleReturn(ctx context.Context, tx *store.Tx, r *returned) error {
	done := `UPDATE return SET state = 'done' WHERE id = $1`
	if !r.counted {
		_, err := tx.ExecContext(ctx, done, r.ID)
		return err
	}
	var subscriber, first int64
	var state State
	err := tx.QueryRowContext(ctx, `SELECT subscriber, state, first FROM delivery WHERE id = $1`, r.Delivery).Scan(&subscriber, &state, &first)
	if err != nil || state == Claimed {
		return err
	}
	if _, err := tx.ExecContext(ctx, done, r.ID); err != nil {
		return err
	}
	if r.Class == ClassComplaint {
		return e.suppress(ctx, tx, r.Newsletter, subscriber, "complaint")
	}
	if state.to(Failed) != nil {
		return nil // counted already, or no copy is out: the report stays in the books
	}
	_, err = tx.ExecContext(ctx, `UPDATE delivery SET state = 'failed', due = 0, class = $1, status = $2, reply = $3, changed = $4 WHERE id = $5`,
		r.Class, r.Status, r.Reason, store.Micros(tx.Now()), r.Delivery)
	if err != nil {
		return err
	}
	switch r.Class {
	case ClassSoft, ClassDomain:
		return e.tire(ctx, tx, r.Newsletter, subscriber, r.Reason)
	case ClassHard:
		return e.bounced(ctx, tx, r, subscriber, store.Instant(first))
	}
	return nil
}

// bounced suppresses a reader whose address does not exist, unless they joined
// anew after the copy went that comes back only now: they have shown since that
// it does.
func (e *engine) bounced(ctx context.Context, tx *store.Tx, r *returned, subscriber int64, sent time.Time) error {
	s, err := e.q.Readers.ByID(ctx, tx, r.Newsletter, subscriber)
	if store.NotFound(err) || err == nil && s.Joined.After(sent) {
		return nil
	}
	if err != nil {
		return err
	}
	return e.suppress(ctx, tx, r.Newsletter, subscriber, "hard bounce: "+r.Reason)
}

// suppress takes a reader off for good. Who was erased in the meantime is off.
func (e *engine) suppress(ctx context.Context, tx *store.Tx, newsletter string, subscriber int64, reason string) error {
	s, err := e.q.Readers.ByID(ctx, tx, newsletter, subscriber)
	if store.NotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = e.q.Readers.Suppress(ctx, tx, newsletter, s.Address, reason)
	return err
}
