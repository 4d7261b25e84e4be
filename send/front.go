package send

import (
	"context"
	"time"

	"galley/send/store"
)

// PostgreSQL leaves the index entries of rows that were claimed where they were,
// until it cleans up once a minute at best. All of them stand before the first
// row that still waits, and whoever begins at the front of the index walks past
// them: behind 300,000 that took 11 ms, twice a claim. So a machine remembers how
// far it has come with an edition, and claims on from there.

// frontAge is how long a machine claims on without another look at the front:
// copies that came back unsent, or were another machine's, wait so long at most.
const frontAge = 10 * time.Second

// front is how far those who have never been tried were claimed.
type front struct {
	due, id int64     // of the last one
	seen    time.Time // when the front of the index was looked at
}

// atFront is before all rows.
var atFront = front{due: -1}

// front tells how far an edition was claimed, if there were more than could be
// taken and that is not long ago.
func (e *engine) front(edition int64) (f front, known bool) {
	f, known = e.fronts[edition]
	return f, known && time.Since(f.seen) < frontAge
}

// claimFrom takes what is due in a state: those who have never been tried from
// where the last claim ended, all others and what is missing then from the front.
func (e *engine) claimFrom(ctx context.Context, tx *store.Tx, ed *Edition, from State, n int) (all []*task, err error) {
	if from != Pending {
		return e.claimRows(ctx, tx, ed, from, atFront, n)
	}
	f, known := e.front(ed.ID)
	if known {
		if all, err = e.claimRows(ctx, tx, ed, from, f, n); err != nil {
			return nil, err
		}
	}
	if len(all) < n {
		some, err := e.claimRows(ctx, tx, ed, from, atFront, n-len(all))
		if err != nil {
			return nil, err
		}
		all, f = append(all, some...), front{due: -1, seen: time.Now()}
	}
	for _, t := range all {
		if t.due > f.due || t.due == f.due && t.id > f.id {
			f.due, f.id = t.due, t.id
		}
	}
	tx.AfterCommit(func() {
		if e.fronts[ed.ID] = f; len(all) < n {
			delete(e.fronts, ed.ID)
		}
	})
	return all, nil
}

// allSlips stands for the slips among the ids of editions.
const allSlips = 0

// earliest finds for each state in which a task waits when its first one is due,
// of the slips and of every edition that is on its way. The least of an index is
// at its front; asked whether there is any, PostgreSQL would rather read the
// table from its beginning, past all that are done. The states are those of
// waiting, in the same order; -1 says that nothing waits.
const (
	earliest = `SELECT 0,
			COALESCE((SELECT min(due) FROM slip WHERE state = 'deferred'), -1),
			COALESCE((SELECT min(due) FROM slip WHERE state = 'ambiguous'), -1),
			COALESCE((SELECT min(due) FROM slip WHERE state = 'pending'), -1)
		UNION ALL SELECT id,
			COALESCE((SELECT min(due) FROM delivery WHERE edition = edition.id AND state = 'deferred' AND due >= 0), -1),
			COALESCE((SELECT min(due) FROM delivery WHERE edition = edition.id AND state = 'ambiguous' AND due >= 0), -1),
			-1
		FROM edition WHERE state = 'sending'`
	earliestPending = `SELECT COALESCE(min(due), -1) FROM delivery WHERE edition = $1 AND state = 'pending' AND due >= 0`
)

// due looks without the write lock what there is to claim: the states in which
// something is due, by edition. Only they are asked for under the lock.
func (e *engine) due(ctx context.Context) (due map[int64][]State, err error) {
	err = e.q.DB.View(ctx, func(tx *store.Tx) error {
		due = map[int64][]State{}
		rows, err := tx.QueryContext(ctx, earliest)
		all, err := collect(rows, err, func(row scanner) (l look, err error) {
			return l, row.Scan(&l.edition, &l.first[0], &l.first[1], &l.first[2])
		})
		if err != nil {
			return err
		}
		for _, l := range all {
			if err := e.lookPending(ctx, tx, &l); err != nil {
				return err
			}
			if states := l.due(store.Micros(tx.Now())); len(states) > 0 {
				due[l.edition] = states
			}
		}
		return nil
	})
	return due, err
}

// look is what a look at an edition found: when the first of each state of
// waiting is due.
type look struct {
	edition int64
	first   [len(waiting)]int64
}

// due are the states in which something is due.
func (l look) due(now int64) (states []State) {
	for n, first := range l.first {
		if first >= 0 && first <= now {
			states = append(states, waiting[n])
		}
	}
	return states
}

// lookPending asks for the first copies, unless the last claim has left some.
func (e *engine) lookPending(ctx context.Context, tx *store.Tx, l *look) error {
	if l.edition == allSlips {
		return nil
	}
	if _, known := e.front(l.edition); known {
		l.first[len(waiting)-1] = 0
		return nil
	}
	return tx.QueryRowContext(ctx, earliestPending, l.edition).Scan(&l.first[len(waiting)-1])
}
