package send

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"galley/send/store"
)

// verdict is what is written about a task: its new state and why.
type verdict struct {
	state   State
	due     time.Time
	charged bool // an attempt of the recipient
	first   int64
	class   Class
	parked  bool // not tried: its provider refuses the edition
	outcome Outcome
	trip    trip // the edition is paused, or its copies for a provider wait
}

// result is a verdict on its way to the books.
type result struct {
	t    *task
	v    verdict
	at   time.Time
	done chan error
}

// back returns a task that was not begun to where it was, or suppresses it
// when its reader is gone.
func back(t *task) verdict {
	if t.gone.Load() {
		return verdict{state: Suppressed, first: t.first, outcome: Outcome{Transcript: "left before the copy went"}}
	}
	return verdict{state: t.from, due: store.Instant(t.due), first: t.first}
}

// unwritable settles a task whose octets cannot be made: no server and no
// reader could take them.
func unwritable(t *task, err error) verdict {
	return verdict{state: Failed, first: t.first, class: ClassOurs, outcome: Outcome{Verdict: Never, Transcript: "cannot be written: " + err.Error()}}
}

// judge turns an outcome into a verdict by the tables of retry.go.
func (e *engine) judge(t *task, o Outcome, now time.Time) verdict {
	if o.Transport && o.Verdict != Unknown {
		return e.unheard(t, o, now)
	}
	v := verdict{outcome: o, charged: true, first: t.first, class: ClassNone}
	if v.first == 0 {
		v.first = store.Micros(now)
	}
	switch o.Verdict {
	case Accepted:
		v.state = Sent
	case Unknown:
		if e.q.Unsure == Hold && !t.slip {
			v.state = Held
			break
		}
		v.state, v.due = again(now, store.Instant(v.first), t.attempts+1, t.id)
		if v.state == Deferred {
			v.state = Ambiguous
		}
		if least := now.Add(ambiguousDelay); v.state == Ambiguous && v.due.Before(least) {
			v.due = least
		}
	default:
		v.class = Classify(o.Code, o.Enhanced, o.Transcript)
		if v.state = Failed; o.Verdict == Later || v.class == ClassOurs || o.Code == 552 {
			v.state, v.due = again(now, store.Instant(v.first), t.attempts+1, t.id)
		}
	}
	if !t.slip && o.Verdict != Unknown {
		v.trip = e.breaker(t.edition).reply(t.id, provider(t.to.Addr), o, v.class == ClassOurs, e.total(t.edition))
	}
	return v
}

// unheard is the verdict when no recipient was asked. A reader is charged with
// nothing. A slip that gets an answer steps back, so that one which the next
// hop will never take (it may be too big) does not stand before all others.
func (e *engine) unheard(t *task, o Outcome, now time.Time) verdict {
	switch v := back(t); {
	case ownFault(o) && t.slip:
		return unwritable(t, errors.New(o.Transcript))
	case ownFault(o):
		v.trip.reason = "its copies cannot be sent: " + o.Transcript
		return v
	case !o.Again.IsZero():
		return rested(t, o, now)
	case t.slip && o.Code != 0:
		v = verdict{outcome: o, charged: true, first: t.first, class: ClassOurs}
		if v.first == 0 {
			v.first = store.Micros(now)
		}
		v.state, v.due = again(now, store.Instant(v.first), t.attempts+1, t.id)
		return v
	default:
		return v
	}
}

// rested is the verdict when one destination has to be left alone. Nobody is
// charged, and nobody waits longer than the lifetime all the same.
func rested(t *task, o Outcome, now time.Time) verdict {
	v := verdict{state: t.from, due: o.Again, first: t.first, class: ClassNone, outcome: o}
	if v.first == 0 {
		v.first = store.Micros(now)
	}
	if t.gone.Load() {
		return back(t)
	}
	if !now.Before(store.Instant(v.first).Add(lifetime)) {
		v.state, v.due = Expired, time.Time{}
	}
	return v
}

// ownFault tells that the courier would not send the octets or the envelope:
// the next hop has said nothing.
func ownFault(o Outcome) bool { return o.Transport && o.Verdict == Never && o.Code == 0 }

// again says when a recipient who was refused n times is tried once more. The
// last try is at the end of the lifetime; after it the row has expired.
func again(now, first time.Time, n int, id int64) (State, time.Time) {
	end := first.Add(lifetime)
	if !now.Before(end) {
		return Expired, time.Time{}
	}
	due := now.Add(retryAfter(n, id))
	if due.After(end) {
		due = end
		if least := now.Add(retries[0]); due.Before(least) {
			due = least
		}
	}
	return Deferred, due
}

// settle hands a verdict to the committer and waits until it is on disk. An
// error says that it is not and that nothing more may be sent.
func (e *engine) settle(t *task, v verdict) error {
	r := &result{t: t, v: v, at: store.Now(), done: make(chan error, 1)}
	if err := e.hand(r); err != nil {
		return err
	}
	return e.written(r)
}

// hand gives the committer a result.
func (e *engine) hand(r *result) error {
	select {
	case e.results <- r:
		return nil
	case <-e.hard.Done():
		return context.Cause(e.hard)
	}
}

// written waits until a result is on disk.
func (e *engine) written(r *result) error {
	select {
	case err := <-r.done:
		e.forget(r.t)
		return err
	case <-e.hard.Done():
		return context.Cause(e.hard)
	}
}

// commit is the one committer: it takes all results that wait and writes them
// in one transaction, without lingering (natural group commit). While the
// books cannot be written it tries again, and every line waits.
func (e *engine) commit() error {
	for {
		var group []*result
		select {
		case r := <-e.results:
			group = append(group, r)
		case <-e.hard.Done():
			return nil
		case <-e.drained:
			return nil
		}
		// Lines that can run already have the processor first: their results
		// would otherwise wait for the commit behind this one. Where none can,
		// this takes no time.
		runtime.Gosched()
		if err := e.commitGroup(e.gather(group)); err != nil {
			return err
		}
	}
}

// gather adds the results that wait to a group, up to mostResults.
func (e *engine) gather(group []*result) []*result {
	for len(group) < mostResults {
		select {
		case r := <-e.results:
			group = append(group, r)
		default:
			return group
		}
	}
	return group
}

// mostResults is how many results one transaction writes.
const mostResults = 500

func (e *engine) commitGroup(group []*result) error {
	ctx := e.uncut(e.hard)
	for {
		err := e.q.DB.Update(ctx, func(tx *store.Tx) error {
			group = e.gather(group) // a claim may have had the books for a while
			return e.writeAll(ctx, tx, group)
		})
		if err == nil {
			if s := e.q.Spent; s != nil {
				s.Results.Add(int64(len(group)))
				s.Commits.Add(1)
			}
			for _, r := range group {
				r.done <- nil
			}
			return nil
		}
		if isFenced(err) || e.hard.Err() != nil {
			return err
		}
		e.q.Log.Error("send: results cannot be written; sending waits", "results", len(group), "error", err)
		if !sleep(e.hard, time.Second) {
			return context.Cause(e.hard)
		}
	}
}

// uncut is a context for short writes. SQLite's driver starts a goroutine for
// every statement that could be cut off, which costs more than many of them; and
// none of them waits long. PostgreSQL may be away for ever.
func (e *engine) uncut(ctx context.Context) context.Context {
	if e.q.DB.Dialect() == store.SQLite {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// consequences are the reader's suppression and the edition's pause.
func (e *engine) consequences(ctx context.Context, tx *store.Tx, r *result) error {
	if r.v.state == Failed && r.v.class == ClassHard {
		if err := e.suppress(ctx, tx, r.t.newsletter, r.t.subscriber, r.v.outcome.Transcript); err != nil {
			return err
		}
	}
	if (r.v.state == Failed || r.v.state == Expired) && (r.v.class == ClassSoft || r.v.class == ClassDomain) {
		if err := e.tire(ctx, tx, r.t.newsletter, r.t.subscriber, r.v.outcome.Transcript); err != nil {
			return err
		}
	}
	switch trip := r.v.trip; {
	case trip.provider != "":
		return e.leaveAlone(ctx, tx, r.t.edition, trip)
	case trip.reason != "":
		return e.pause(ctx, tx, r.t.edition, trip.reason)
	}
	return nil
}

// fit bends a verdict to an edition that was cancelled or replaced while the
// letter was on its way: such a row must not wait under it for ever.
func (e *engine) fit(ctx context.Context, tx *store.Tx, r *result) error {
	if r.v.state != Pending && r.v.state != Deferred && r.v.state != Ambiguous {
		return nil
	}
	if err := e.unpark(ctx, tx, r); err != nil {
		return err
	}
	var state EditionState
	if err := tx.QueryRowContext(ctx, `SELECT state FROM edition WHERE id = $1`, r.t.edition).Scan(&state); err != nil {
		return fmt.Errorf("edition %d: %w", r.t.edition, err)
	}
	switch {
	case r.v.state == Ambiguous && (state == Cancelled || state == Withdrawn):
		r.v.state = Held
	case state == Cancelled:
		r.v.state = Dropped
	}
	return nil
}

// unpark bends the verdict on a copy that was put off because of its provider,
// when the issue was resumed while the verdict was on its way: the resume has
// taken up all others that waited, and nobody would come for this one.
func (e *engine) unpark(ctx context.Context, tx *store.Tx, r *result) error {
	if !r.v.parked {
		return nil
	}
	var refused bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM refusal WHERE edition = $1 AND provider = $2)`,
		r.t.edition, provider(r.t.to.Addr)).Scan(&refused)
	if err == nil && !refused {
		r.v = back(r.t)
	}
	return err
}

// pause stops an edition because of what servers say about us.
func (e *engine) pause(ctx context.Context, tx *store.Tx, edition int64, reason string) error {
	_, err := tx.ExecContext(ctx, `UPDATE edition SET state = 'paused', reason = $1, changed = $2 WHERE id = $3 AND state = 'sending'`,
		reason, store.Micros(tx.Now()), edition)
	e.q.close(edition)
	tx.AfterCommit(e.q.look.Ring)
	return err
}

func (e *engine) writeSlip(ctx context.Context, tx *store.Tx, r *result) error {
	attempts := r.t.attempts
	if r.v.charged {
		attempts++
	}
	done, err := tx.ExecContext(ctx, `UPDATE slip SET state = $1, attempts = $2, due = $3, first = $4, reply = $5, changed = $6
		WHERE id = $7 AND state = 'claimed' AND epoch = $8`,
		r.v.state, attempts, store.Micros(r.v.due), r.v.first, r.v.outcome.Transcript, store.Micros(tx.Now()), r.t.id, e.epoch)
	if err != nil {
		return fmt.Errorf("slip %d: %w", r.t.id, err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return ErrFenced
	}
	return nil
}
