package inbox

import (
	"context"
	"time"

	"galley/inbox/mailbox"
	"galley/send/store"
)

// Ledger is what the books know of one folder (mailbox.Ledger). Truth lives in
// it; flags decide nothing (trust.md 2.2).
type Ledger struct {
	in     *Inbox
	folder string
	again  bool
}

// Ledger is that of the folder that mail comes into.
func (in *Inbox) Ledger() *Ledger { return &Ledger{in: in, folder: in.Folder} }

// AgainLedger is that of the folder whose mail is dealt with again.
func (in *Inbox) AgainLedger() *Ledger {
	return &Ledger{in: in, folder: in.Newsletter.Folders.Again, again: true}
}

// start notes when the folder was waited for first, before anybody knows what
// lies in it or whether it can be reached: mail that comes from then on counts.
func (g *Ledger) start(ctx context.Context) error {
	return g.in.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO mailbox (newsletter, name, uidvalidity, began) VALUES ($1, $2, 0, $3) ON CONFLICT (newsletter, name) DO NOTHING`,
			g.in.Newsletter.ID, g.folder, store.Micros(tx.Now()))
		return err
	})
}

// Since is when the folder was waited for first, as long as it was never
// opened; else it is zero.
func (g *Ledger) Since(ctx context.Context) (began time.Time, err error) {
	if g.again {
		return began, nil
	}
	err = g.in.DB.View(ctx, func(tx *store.Tx) error {
		var first uint32
		if began, first, err = g.beginning(ctx, tx); first != 0 {
			began = time.Time{}
		}
		return err
	})
	return began, err
}

// Begin notes, when a folder is opened for the first time ever, what lies
// there already: mail from before the first start is nobody's business. Up to
// floor all of it is, up to top that which the server received before then.
// What was moved into Galley/Again was moved there on purpose.
func (g *Ledger) Begin(ctx context.Context, uidvalidity, floor, top uint32) error {
	if g.again {
		floor, top = 0, 0
	}
	return g.in.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO mailbox (newsletter, name, uidvalidity, cursor, began, first, floor, top) VALUES ($1, $2, $3, $4, $5, $3, $4, $6)
			ON CONFLICT (newsletter, name) DO UPDATE SET uidvalidity = excluded.uidvalidity, cursor = excluded.cursor, first = excluded.first,
				floor = excluded.floor, top = excluded.top
			WHERE mailbox.first = 0`,
			g.in.Newsletter.ID, g.folder, int64(uidvalidity), int64(floor), store.Micros(tx.Now()), int64(top))
		return err
	})
}

// Cursor is the highest UID that was taken in under a UIDVALIDITY.
func (g *Ledger) Cursor(ctx context.Context, uidvalidity uint32) (uid uint32, err error) {
	err = g.in.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT cursor FROM mailbox WHERE newsletter = $1 AND name = $2 AND uidvalidity = $3`,
			g.in.Newsletter.ID, g.folder, int64(uidvalidity)).Scan(&uid)
	})
	if store.NotFound(err) {
		return 0, nil
	}
	return uid, err
}

// Unknown are those UIDs that are neither in the books nor from before the
// first start.
func (g *Ledger) Unknown(ctx context.Context, uidvalidity uint32, uids []uint32) ([]uint32, error) {
	if len(uids) == 0 {
		return nil, nil
	}
	known := map[uint32]bool{}
	var floor uint32
	err := g.in.DB.View(ctx, func(tx *store.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT floor FROM mailbox WHERE newsletter = $1 AND name = $2 AND first = $3`,
			g.in.Newsletter.ID, g.folder, int64(uidvalidity)).Scan(&floor)
		if err != nil && !store.NotFound(err) {
			return err
		}
		return g.arrived(ctx, tx, uidvalidity, uids, known)
	})
	var out []uint32
	for _, uid := range uids {
		if uid > floor && !known[uid] {
			out = append(out, uid)
		}
	}
	return out, err
}

// arrived marks those of uids, which are ascending, that are in the books.
func (g *Ledger) arrived(ctx context.Context, tx *store.Tx, uidvalidity uint32, uids []uint32, known map[uint32]bool) error {
	rows, err := tx.QueryContext(ctx, `SELECT uid FROM arrival WHERE newsletter = $1 AND mailbox = $2 AND uidvalidity = $3 AND uid BETWEEN $4 AND $5`,
		g.in.Newsletter.ID, g.folder, int64(uidvalidity), int64(uids[0]), int64(uids[len(uids)-1]))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var uid uint32
		if err := rows.Scan(&uid); err != nil {
			return err
		}
		known[uid] = true
	}
	return rows.Err()
}

// take writes a batch of messages into the books, all or none. A message that
// is known by its content gets another arrival and nothing else.
func (g *Ledger) take(ctx context.Context, batch []mailbox.Message) error {
	in := g.in
	return in.DB.Update(ctx, func(tx *store.Tx) error {
		old, err := g.older(ctx, tx)
		if err != nil {
			return err
		}
		for _, m := range batch {
			e := entry{Message: m, state: "new", digest: Digest(m.Raw)}
			switch {
			case m.TooBig:
				e.state, e.kind, e.reason = "quarantine", Huge, "larger than the limit; only its header was fetched"
			case old(m):
				e.leave()
			}
			if err := g.enter(ctx, tx, &e); err != nil {
				return err
			}
		}
		last := batch[len(batch)-1]
		_, err = tx.ExecContext(ctx, `INSERT INTO mailbox (newsletter, name, uidvalidity, cursor) VALUES ($1, $2, $3, $4)
			ON CONFLICT (newsletter, name) DO UPDATE SET
				cursor = CASE WHEN mailbox.uidvalidity = excluded.uidvalidity AND mailbox.cursor > excluded.cursor THEN mailbox.cursor ELSE excluded.cursor END,
				uidvalidity = excluded.uidvalidity`,
			in.Newsletter.ID, g.folder, int64(last.UIDValidity), int64(last.UID))
		tx.AfterCommit(in.bell.Ring)
		return err
	})
}

// entry is a message on its way into the books.
type entry struct {
	mailbox.Message
	digest string
	state  string
	kind   Kind
	reason string
	filed  bool // it stays where it lies
}

// leave lets a message from before the first start be, which a mailbox that
// was made anew shows under another number: it is known from now on, and its
// text, which is none of ours, is not kept.
func (e *entry) leave() {
	e.state, e.kind, e.reason, e.filed, e.Raw = "done", Before, "lay here before the first start", true, nil
}

// older tells the messages from before the first start: those that the folder
// held then, and in a folder that was made anew all that the server says it
// received before. A server tells seconds (RFC 9051 section 2.3.3).
func (g *Ledger) older(ctx context.Context, tx *store.Tx) (func(mailbox.Message) bool, error) {
	if g.again {
		return func(mailbox.Message) bool { return false }, nil
	}
	var top uint32
	err := tx.QueryRowContext(ctx, `SELECT top FROM mailbox WHERE newsletter = $1 AND name = $2`, g.in.Newsletter.ID, g.folder).Scan(&top)
	if err != nil && !store.NotFound(err) {
		return nil, err
	}
	began, first, err := g.beginning(ctx, tx)
	began = began.Truncate(time.Second)
	return func(m mailbox.Message) bool {
		return m.Received.Before(began) && (m.UIDValidity != first || m.UID <= top)
	}, err
}

// beginning is when the folder was waited for first, and under which
// UIDVALIDITY it was first opened: 0 while it was not.
func (g *Ledger) beginning(ctx context.Context, tx *store.Tx) (began time.Time, first uint32, err error) {
	var micros int64
	err = tx.QueryRowContext(ctx, `SELECT began, first FROM mailbox WHERE newsletter = $1 AND name = $2`, g.in.Newsletter.ID, g.folder).Scan(&micros, &first)
	if store.NotFound(err) {
		return began, 0, nil
	}
	return store.Instant(micros), first, err
}

// enter writes one message and its arrival. A message that people put back
// where it came from, after it was filed, is left alone; one that they moved
// into Galley/Again is new again, in the same row.
func (g *Ledger) enter(ctx context.Context, tx *store.Tx, e *entry) error {
	in, now := g.in, store.Micros(tx.Now())
	var id, put int64
	err := tx.QueryRowContext(ctx, `INSERT INTO message (newsletter, digest, received, state, kind, reason) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (newsletter, digest) DO NOTHING RETURNING id`, in.Newsletter.ID, e.digest, now, e.state, e.kind, e.reason).Scan(&id)
	switch {
	case store.NotFound(err):
		id, put, err = g.meet(ctx, tx, e)
	case err == nil:
		err = keep(ctx, tx, id, e.Raw)
	}
	if err != nil {
		return err
	}
	var filed int64
	if e.filed || put > 0 {
		filed = now
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO arrival (newsletter, mailbox, uidvalidity, uid, message, filed) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (newsletter, mailbox, uidvalidity, uid) DO NOTHING`,
		in.Newsletter.ID, g.folder, int64(e.UIDValidity), int64(e.UID), id, filed)
	return err
}

// meet finds the row of a message that the books know, and how often it was
// filed: 0 where it is to be dealt with again.
func (g *Ledger) meet(ctx context.Context, tx *store.Tx, e *entry) (id, put int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT id, (SELECT count(*) FROM arrival WHERE message = message.id AND filed > 0) FROM message WHERE newsletter = $1 AND digest = $2`,
		g.in.Newsletter.ID, e.digest).Scan(&id, &put)
	if err != nil || !g.again {
		return id, put, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE message SET state = $1, kind = $2, reason = $3, tries = 0, faults = 0, due = 0, told = 0, handled = handled + 1 WHERE id = $4`,
		e.state, e.kind, e.reason, id)
	if err == nil {
		err = keep(ctx, tx, id, e.Raw)
	}
	return id, 0, err
}
