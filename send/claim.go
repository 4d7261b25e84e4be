package send

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"galley/send/message"
	"galley/send/store"
)

// task is a delivery or a slip that this process has claimed.
type task struct {
	slip       bool
	id         int64
	newsletter string
	from       State // what it goes back to when it is not begun
	due        int64
	attempts   int
	first      int64 // instant of the first attempt, 0 before it
	to         message.Address

	edition, subscriber int64 // of a delivery
	issue               int
	plain               bool   // without its HTML part
	raw                 []byte // of a slip
	seal                []byte // of a delivery that was signed ahead
	gone                atomic.Bool
}

// waiting are the states from which a task is claimed, the urgent first.
var waiting = [...]State{Deferred, Ambiguous, Pending}

// claim takes what is due, up to that many slips and up to n in all: slips
// first, since somebody waits for them, then deliveries of the editions that
// are on their way.
func (e *engine) claim(ctx context.Context, slips, n int) ([]*task, error) {
	if slips == 0 && n == 0 {
		return nil, nil
	}
	due, err := e.due(ctx)
	if slips == 0 {
		delete(due, allSlips)
	}
	if err != nil || len(due) == 0 {
		return nil, err
	}
	ctx = e.uncut(ctx)
	var tasks []*task
	err = e.q.DB.Update(ctx, func(tx *store.Tx) error {
		tasks = tasks[:0]
		some, err := e.claimSlips(ctx, tx, due[allSlips], slips)
		if err != nil {
			return fmt.Errorf("claiming slips: %w", err)
		}
		tasks = append(tasks, some...)
		if e.q.Silent() {
			return nil
		}
		live, err := liveEditions(ctx, tx)
		if err != nil {
			return err
		}
		for _, ed := range live {
			if ed.State != Sending || e.q.Newsletters[ed.Newsletter] == nil || len(due[ed.ID]) == 0 || len(tasks) >= n {
				continue
			}
			if !e.q.open(ed.ID) {
				continue // it would go straight back; glance rings when it has seen the edition go on
			}
			if err := e.heed(ctx, tx, ed.ID); err != nil {
				return err
			}
			some, err := e.claimDeliveries(ctx, tx, ed, due[ed.ID], n-len(tasks))
			if err != nil {
				return fmt.Errorf("claiming issue %d of %s: %w", ed.Issue, ed.Newsletter, err)
			}
			tasks = append(tasks, some...)
		}
		return nil
	})
	return tasks, err
}

func (e *engine) claimSlips(ctx context.Context, tx *store.Tx, states []State, n int) ([]*task, error) {
	var all []*task
	now := store.Micros(tx.Now())
	only, editors := e.q.whileAway(6)
	for _, from := range states {
		args := append([]any{e.epoch, now, from, now, n - len(all)}, editors...)
		rows, err := tx.QueryContext(ctx, `UPDATE slip SET state = 'claimed', epoch = $1, changed = $2
			WHERE `+tx.Those("slip", `state = $3 AND due <= $4`+only+` ORDER BY due, id LIMIT $5`)+`
			RETURNING id, newsletter, address, attempts, first, due, raw`, args...)
		some, err := collect(rows, err, func(row scanner) (*task, error) {
			t := &task{slip: true, from: from}
			return t, row.Scan(&t.id, &t.newsletter, &t.to.Addr, &t.attempts, &t.first, &t.due, &t.raw)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func (e *engine) claimDeliveries(ctx context.Context, tx *store.Tx, ed *Edition, states []State, n int) ([]*task, error) {
	var all []*task
	for _, from := range states {
		if len(all) >= n {
			break
		}
		some, err := e.claimFrom(ctx, tx, ed, from, n-len(all))
		if err != nil {
			return nil, err
		}
		if err := e.notice(ctx, tx, some); err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// claimText takes up to $8 of those who wait, with their seals where there are
// any.
func claimText(tx *store.Tx, sealed bool) string {
	text := `UPDATE delivery SET state = 'claimed', epoch = $1, changed = $2
		WHERE ` + tx.Those("delivery", `edition = $3 AND state = $4 AND due >= 0 AND (due, id) > ($5, $6) AND due <= $7 ORDER BY due, id LIMIT $8`) + `
		RETURNING id, subscriber, address, name, attempts, first, due, plain, `
	if !sealed {
		return text + `NULL`
	}
	return text + `(SELECT octets FROM seal WHERE seal.edition = delivery.edition AND seal.delivery = delivery.id)`
}

// claimRows takes up to n of those who wait in a state, the earliest behind f.
func (e *engine) claimRows(ctx context.Context, tx *store.Tx, ed *Edition, from State, f front, n int) ([]*task, error) {
	now := store.Micros(tx.Now())
	rows, err := tx.QueryContext(ctx, claimText(tx, ed.sealed != ""), e.epoch, now, ed.ID, from, f.due, f.id, now, n)
	return collect(rows, err, func(row scanner) (*task, error) {
		t := &task{edition: ed.ID, newsletter: ed.Newsletter, issue: ed.Issue, from: from}
		return t, row.Scan(&t.id, &t.subscriber, &t.to.Addr, &t.to.Name, &t.attempts, &t.first, &t.due, &t.plain, &t.seal)
	})
}

// notice marks the tasks whose readers are no longer on the list.
func (e *engine) notice(ctx context.Context, tx *store.Tx, tasks []*task) error {
	of := map[string][]int64{}
	for _, t := range tasks {
		of[t.newsletter] = append(of[t.newsletter], t.subscriber)
	}
	for newsletter, ids := range of {
		gone, err := e.q.Readers.Gone(ctx, tx, newsletter, ids)
		if err != nil {
			return err
		}
		for _, t := range tasks {
			if len(gone) > 0 && t.newsletter == newsletter && slices.Contains(gone, t.subscriber) {
				t.gone.Store(true)
			}
		}
	}
	return nil
}
