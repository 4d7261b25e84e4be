package send

import (
	"context"
	"errors"
	"fmt"
	"time"

	"galley/send/list"
	"galley/send/store"
)

const (
	// mostLate is how late an approved issue goes by itself; later it is held
	// and the editor is asked.
	mostLate = 12 * time.Hour
	// page is how many readers are taken at a time.
	page = 1000
)

// forward looks at the books, draws the consequences of returns and brings the
// editions forward.
func (e *engine) forward(ctx context.Context) error {
	var returned bool
	var live []*Edition
	err := e.q.DB.View(ctx, func(tx *store.Tx) (err error) {
		if returned, err = newReturns(ctx, tx); err == nil {
			live, err = liveEditions(ctx, tx)
		}
		return err
	})
	if err == nil && returned {
		err = e.settleReturns(ctx)
	}
	return errors.Join(err, e.advance(ctx, live))
}

// advance brings editions forward: deliveries are prepared once they are
// approved, the audience is frozen at its time, a run without rows to do ends.
func (e *engine) advance(ctx context.Context, live []*Edition) error {
	if e.q.Silent() {
		return nil // what is too late when an editor has said yes is held as ever
	}
	for _, ed := range live {
		if err := e.advanceOne(ctx, ed); err != nil {
			return fmt.Errorf("issue %d of %s: %w", ed.Issue, ed.Newsletter, err)
		}
	}
	return nil
}

func (e *engine) advanceOne(ctx context.Context, ed *Edition) error {
	if e.q.Newsletters[ed.Newsletter] == nil {
		return nil // it was taken out of the configuration: nothing goes
	}
	switch now := store.Now(); {
	case ed.State == Sending:
		return e.finish(ctx, ed)
	case !now.Before(ed.SendAt) && !e.isFit(ed):
		e.unsure.Ring()
	case !now.Before(ed.SendAt):
		return e.freeze(ctx, ed.ID)
	case ed.Prepared.IsZero():
		return e.prepare(ctx, ed)
	}
	return nil
}

// prepare makes the rows of an approved edition ahead of its time, a page a
// transaction. Who is on it already is left alone.
func (e *engine) prepare(ctx context.Context, ed *Edition) error {
	for after := int64(0); ; {
		full := false
		err := e.q.DB.Update(ctx, func(tx *store.Tx) error {
			readers, err := e.q.Readers.Recipients(ctx, tx, ed.Newsletter, after, page)
			if err != nil {
				return err
			}
			if err := insertDeliveries(ctx, tx, ed, readers, Prepared); err != nil {
				return err
			}
			if full = len(readers) == page; full {
				after = readers[page-1].ID
				return nil
			}
			_, err = tx.ExecContext(ctx, `UPDATE edition SET prepared = $1 WHERE id = $2`, store.Micros(tx.Now()), ed.ID)
			return err
		})
		if err != nil || !full {
			return err
		}
	}
}

// freeze fixes the audience, in one transaction: who joined since is added,
// who left is suppressed, the rest may go. What is too late is held instead.
func (e *engine) freeze(ctx context.Context, id int64) error {
	defer e.q.look.Ring()
	return e.q.DB.Update(ctx, func(tx *store.Tx) error {
		ed, err := editionByID(ctx, tx, id)
		if err != nil || ed.State != Approved || tx.Now().Before(ed.SendAt) {
			return err // it was halted or put off in the meantime
		}
		if late := tx.Now().Sub(ed.SendAt); late > mostLate {
			return setEdition(ctx, tx, id, OnHold, fmt.Sprintf("its time passed %d hours ago, while nothing could be sent", int(late.Hours())))
		}
		if err := adopt(ctx, tx, ed, Prepared); err != nil {
			return err
		}
		if err := e.audience(ctx, tx, ed); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE delivery SET state = 'suppressed', changed = $1 WHERE edition = $2 AND state = 'prepared' AND due >= 0`,
			store.Micros(tx.Now()), id)
		if err != nil {
			return err
		}
		if err := setEdition(ctx, tx, id, Sending, ""); err != nil {
			return err
		}
		if _, err = tx.ExecContext(ctx, `UPDATE edition SET frozen = $1 WHERE id = $2`, store.Micros(tx.Now()), id); err != nil {
			return err
		}
		return tx.Weigh(ctx, "delivery")
	})
}

func (e *engine) audience(ctx context.Context, tx *store.Tx, ed *Edition) error {
	for after := int64(0); ; {
		readers, err := e.q.Readers.Recipients(ctx, tx, ed.Newsletter, after, page)
		if err != nil {
			return err
		}
		if err := insertDeliveries(ctx, tx, ed, readers, Pending); err != nil {
			return err
		}
		if len(readers) < page {
			return nil
		}
		after = readers[page-1].ID
	}
}

// insertDeliveries makes rows, or brings prepared ones of this edition up to
// date. The key (newsletter, issue, subscriber) keeps a second copy out.
func insertDeliveries(ctx context.Context, tx *store.Tx, ed *Edition, readers []list.Subscriber, state State) error {
	readers, err := concerned(ctx, tx, ed, readers)
	if err != nil {
		return err
	}
	now := store.Micros(tx.Now())
	for len(readers) > 0 {
		some := readers[:min(tx.Chunk(), len(readers))]
		readers = readers[len(some):]
		args := make([]any, 0, 9*len(some))
		for _, r := range some {
			args = append(args, ed.Newsletter, ed.Issue, ed.ID, r.ID, r.Address.String(), r.Name, r.Plain, string(state), now)
		}
		table, args := tx.Table(args, 0, 9)
		_, err := tx.ExecContext(ctx, `INSERT INTO delivery (newsletter, issue, edition, subscriber, address, name, plain, state, changed) `+
			table+` ON CONFLICT (newsletter, issue, subscriber) DO UPDATE
			SET state = excluded.state, address = excluded.address, name = excluded.name, plain = excluded.plain, changed = excluded.changed
			WHERE delivery.edition = excluded.edition AND delivery.state = 'prepared'`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// unsettled tells of each edition of an issue whether rows of it wait, and
// whether others are not settled. Why it asks for the least: see earliest.
const unsettled = `SELECT id,
		COALESCE((SELECT min(due) FROM delivery WHERE edition = edition.id AND state = 'deferred' AND due >= 0),
			(SELECT min(due) FROM delivery WHERE edition = edition.id AND state = 'ambiguous' AND due >= 0),
			(SELECT min(due) FROM delivery WHERE edition = edition.id AND state = 'pending' AND due >= 0), -1) >= 0,
		COALESCE((SELECT min(due) FROM delivery WHERE edition = edition.id AND state = 'claimed' AND due >= 0),
			(SELECT min(due) FROM delivery WHERE edition = edition.id AND state = 'prepared' AND due >= 0), -1) >= 0
	FROM edition WHERE newsletter = $1 AND issue = $2 AND id <> $3`

// finish ends a run of which every row is settled. Rows that were in flight
// when this edition took the place of another are taken up first.
func (e *engine) finish(ctx context.Context, ed *Edition) error {
	_, claimed := e.inHand()
	_, open := claimed[ed.ID]
	known := int64(0) // no need to ask about an edition of which we hold rows ourselves
	if open {
		known = ed.ID
	}
	strays := false
	err := e.q.DB.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, unsettled, ed.Newsletter, ed.Issue, known)
		_, err = collect(rows, err, func(row scanner) (id int64, err error) {
			var waits, more bool
			err = row.Scan(&id, &waits, &more)
			open = open || waits || more
			strays = strays || waits && id != ed.ID
			return id, err
		})
		return err
	})
	if err != nil || open && !strays {
		return err
	}
	return e.q.DB.Update(ctx, func(tx *store.Tx) error {
		if strays {
			return takeUp(ctx, tx, ed)
		}
		now, err := editionByID(ctx, tx, ed.ID)
		if err != nil || now.State != Sending {
			return err
		}
		return setEdition(ctx, tx, ed.ID, Done, "")
	})
}

// takeUp gives ed the rows that came back to an edition it has replaced.
func takeUp(ctx context.Context, tx *store.Tx, ed *Edition) error {
	_, err := tx.ExecContext(ctx, `UPDATE delivery SET state = 'held', changed = $1
		WHERE newsletter = $2 AND issue = $3 AND edition <> $4 AND state = 'ambiguous'`,
		store.Micros(tx.Now()), ed.Newsletter, ed.Issue, ed.ID)
	if err != nil {
		return err
	}
	return adopt(ctx, tx, ed, Pending)
}
