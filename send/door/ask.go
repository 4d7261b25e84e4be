package door

import (
	"context"
	"errors"
	"fmt"
	"time"

	"galley/send/list"
	"galley/send/store"
)

// The caps of trust.md 2.5 (bar 60; those in all are bar 58's).
const (
	askAgain    = 24 * time.Hour     // an address is asked at most once in this time
	askEver     = 3                  // and as often until it has confirmed
	perSource   = 20                 // addresses an hour that one web address may have asked
	perHour     = 100                // confirmations an hour of one newsletter; the rest waits its turn
	keepAsked   = 7 * 24 * time.Hour // how long a request waits for its answer
	keepBack    = 30 * 24 * time.Hour
	requestPage = 100 // requests that one look takes up
)

// ByMail is the source of what was asked by mail.
const ByMail = "mail"

// Request is something that somebody asks for. Nothing of it but Address
// comes into the mail that it causes.
type Request struct {
	Newsletter string
	Kind       Kind
	Address    list.Address // who is asked to confirm
	Subscriber int64        // whom it concerns, where that is known
	Source     string       // the web address it came from, or ByMail
	Evidence   string       // how we know: the words, the Message-ID or the web address
}

// Ask keeps a request; Run decides what to do with it. It writes the same
// row for every address, so that nothing tells a known one from others.
func (d *Door) Ask(ctx context.Context, tx *store.Tx, r Request) error {
	if _, err := d.newsletter(r.Newsletter); err != nil {
		return err
	}
	_, err := d.insert(ctx, tx, r, "new")
	tx.AfterCommit(d.bell.Ring)
	return err
}

func (d *Door) insert(ctx context.Context, tx *store.Tx, r Request, state string) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO request (newsletter, kind, hash, address, subscriber, source, evidence, state, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		r.Newsletter, string(r.Kind), d.hash(r.Newsletter, r.Kind, r.Address), r.Address.String(), r.Subscriber, r.Source, r.Evidence, state,
		store.Micros(tx.Now())).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("door: keeping a request: %w", err)
	}
	return id, nil
}

// row is a request on the books.
type row struct {
	Request
	ID    int64
	State string
	At    time.Time
	hash  string
}

const rowColumns = `id, newsletter, kind, hash, address, subscriber, source, evidence, state, at`

func scanRow(s interface{ Scan(...any) error }) (*row, error) {
	r := &row{}
	var at int64
	err := s.Scan(&r.ID, &r.Newsletter, &r.Kind, &r.hash, &r.Address, &r.Subscriber, &r.Source, &r.Evidence, &r.State, &at)
	r.At = store.Instant(at)
	return r, err
}

// work takes up what was asked of a newsletter, oldest first, as far as the
// hour allows.
func (d *Door) work(ctx context.Context, n *Newsletter) error {
	for {
		var ids []int64
		err := d.DB.View(ctx, func(tx *store.Tx) (err error) {
			room, err := d.room(ctx, tx, n)
			if err == nil {
				ids, err = newIDs(ctx, tx, n.ID, room)
			}
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			err := d.DB.Update(ctx, func(tx *store.Tx) error { return d.take(ctx, tx, n, id) })
			if err != nil {
				return fmt.Errorf("request %d: %w", id, err)
			}
		}
	}
}

func newIDs(ctx context.Context, tx *store.Tx, newsletter string, room int) (ids []int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id FROM request WHERE newsletter = $1 AND state = 'new' ORDER BY id LIMIT $2`, newsletter, room)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// room is how many more may be asked in this hour.
func (d *Door) room(ctx context.Context, tx *store.Tx, n *Newsletter) (int, error) {
	var asked int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM request WHERE newsletter = $1 AND asked > $2`,
		n.ID, store.Micros(tx.Now().Add(-time.Hour))).Scan(&asked)
	return max(0, min(requestPage, perHour-asked)), err
}

// take decides about one request and asks whom it concerns. Whatever stands
// in the way, the request is dropped in silence: its asker learns nothing.
func (d *Door) take(ctx context.Context, tx *store.Tx, n *Newsletter, id int64) error {
	r, err := scanRow(tx.QueryRowContext(ctx, `SELECT `+rowColumns+` FROM request WHERE id = $1`, id))
	if err != nil || r.State != "new" {
		return err
	}
	why, err := d.refusal(ctx, tx, r)
	if err == nil && r.Kind == Move && why != AskedToday && why != manyMoves {
		err = d.moving(ctx, tx, n, r)
	}
	if err != nil {
		return err
	}
	if why != "" {
		d.Log.Info("door: not asked", "newsletter", n.ID, "request", r.ID, "kind", string(r.Kind), "why", why)
		return setState(ctx, tx, r.ID, "dropped")
	}
	if _, err := tx.ExecContext(ctx, `UPDATE request SET subscriber = $1 WHERE id = $2`, r.Subscriber, r.ID); err != nil {
		return err
	}
	if r.Kind == Data { // it goes to nobody but the address itself, and changes nothing
		return errors.Join(setState(ctx, tx, r.ID, "granted"), asked(ctx, tx, r.ID), d.knock(ctx, tx, r))
	}
	if err := d.confirmation(ctx, tx, n, r); err != nil {
		return err
	}
	return errors.Join(setState(ctx, tx, r.ID, "asked"), asked(ctx, tx, r.ID), d.knock(ctx, tx, r))
}

// refusal says why nobody is asked, "" when somebody is.
func (d *Door) refusal(ctx context.Context, tx *store.Tx, r *row) (string, error) {
	why, err := d.closed(ctx, tx, r)
	if err != nil || why != "" {
		return why, err
	}
	switch r.Kind {
	case Data, Forget, Leave: // they concern people on the books
		s, err := d.List.Find(ctx, tx, r.Newsletter, r.Address)
		if store.NotFound(err) || err == nil && r.Kind == Leave && s.State != list.Active {
			return "not on the books", nil
		}
		if err != nil {
			return "", err
		}
		r.Subscriber = s.ID
	}
	var n int
	if r.Kind == Move {
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM request WHERE newsletter = $1 AND kind = 'move' AND subscriber = $2 AND state <> 'new' AND at > $3`,
			r.Newsletter, r.Subscriber, store.Micros(tx.Now().Add(-askAgain))).Scan(&n)
		if err != nil || n >= movesADay {
			return manyMoves, err
		}
	}
	if r.Source == ByMail || r.Source == ByEditor {
		return "", nil
	}
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM request WHERE newsletter = $1 AND source = $2 AND asked > $3`,
		r.Newsletter, r.Source, store.Micros(tx.Now().Add(-time.Hour))).Scan(&n)
	if n >= perSource {
		return "too many from one web address", err
	}
	return "", err
}

// closed says why an address is asked nothing, "" when it may be asked.
func (d *Door) closed(ctx context.Context, tx *store.Tx, r *row) (string, error) {
	if shut, err := d.List.IsSuppressed(ctx, tx, r.Newsletter, r.Address); err != nil || shut {
		return "suppressed", err
	}
	k, err := d.knocks(ctx, tx, r.Newsletter, r.Kind, r.Address)
	switch {
	case err != nil:
		return "", err
	case k.declined:
		return "said no before", nil
	case k.times >= askEver:
		return "asked three times", nil
	case tx.Now().Sub(k.last) < askAgain:
		return AskedToday, nil
	}
	return "", nil
}

// AskedToday is why an address is not asked whose last question is fresh.
const AskedToday = "asked within a day"

// Closed says why an address would not be asked, "" when it would. It is for
// mail alone: a page must not know.
func (d *Door) Closed(ctx context.Context, tx *store.Tx, newsletter string, kind Kind, a list.Address) (string, error) {
	return d.closed(ctx, tx, &row{Request: Request{Newsletter: newsletter, Kind: kind, Address: a}})
}

// manyMoves is why a new address is not asked: its reader, or somebody in
// the reader's name, has named several today.
const (
	manyMoves = "too many new addresses in a day"
	movesADay = 3
)

// ByEditor is the source of what an editor asked.
const ByEditor = "editor"

// knocks is how often an address was asked.
type knocks struct {
	times    int
	last     time.Time
	declined bool
}

func (d *Door) knocks(ctx context.Context, tx *store.Tx, newsletter string, kind Kind, a list.Address) (k knocks, err error) {
	var last int64
	err = tx.QueryRowContext(ctx, `SELECT times, last, declined FROM knock WHERE newsletter = $1 AND hash = $2`,
		newsletter, d.hash(newsletter, kind, a)).Scan(&k.times, &last, &k.declined)
	if store.NotFound(err) {
		return knocks{}, nil
	}
	k.last = store.Instant(last)
	return k, err
}

// knock remembers that an address was asked. Only what puts somebody on the
// list is counted for ever: the other mails go to readers who are on it.
func (d *Door) knock(ctx context.Context, tx *store.Tx, r *row) error {
	times := 0
	if r.Kind == Join || r.Kind == Move {
		times = 1
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO knock (newsletter, hash, times, last) VALUES ($1, $2, $3, $4)
		ON CONFLICT (newsletter, hash) DO UPDATE SET times = knock.times + excluded.times, last = excluded.last`,
		r.Newsletter, r.hash, times, store.Micros(tx.Now()))
	return err
}

func setState(ctx context.Context, tx *store.Tx, id int64, state string) error {
	_, err := tx.ExecContext(ctx, `UPDATE request SET state = $1 WHERE id = $2`, state, id)
	return err
}

func asked(ctx context.Context, tx *store.Tx, id int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE request SET asked = $1 WHERE id = $2`, store.Micros(tx.Now()), id)
	return err
}

// clear removes what nobody has confirmed in its time, and what is settled.
// Only the hash with the count of an address stays, for the caps.
func (d *Door) clear(ctx context.Context) error {
	var some bool
	err := d.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM request WHERE `+outOfDate+`)`, tooOld(tx)...).Scan(&some)
	})
	if err != nil || !some {
		return err
	}
	return d.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM request WHERE `+outOfDate, tooOld(tx)...)
		return err
	})
}

const outOfDate = `at < $1 AND (kind <> 'back' OR at < $2) AND state <> 'granted'`

func tooOld(tx *store.Tx) []any {
	return []any{store.Micros(tx.Now().Add(-keepAsked)), store.Micros(tx.Now().Add(-keepBack))}
}
