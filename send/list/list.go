package list

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"galley/send/store"
)

// State is where a person stands with a newsletter.
type State string

// The states of a subscriber.
const (
	Active State = "active" // gets every issue
	Left   State = "left"   // asked to get none; comes back only by asking again
	// Suppressed is somebody who must not be mailed: the address bounced,
	// its owner complained, or an operator said so.
	Suppressed State = "suppressed"
)

// Subscriber is one person on the list of one newsletter.
type Subscriber struct {
	ID      int64     `json:"id"`
	Address Address   `json:"address"`
	Name    string    `json:"name,omitempty"`
	State   State     `json:"state"`
	Paused  time.Time `json:"paused,omitzero"` // gets nothing until then
	Plain   bool      `json:"plain,omitempty"` // wants issues without their HTML part
	Quiet   bool      `json:"quiet,omitempty"` // wants no mails of thanks
	Joined  time.Time `json:"joined"`          // when they consented
	Changed time.Time `json:"changed"`         // when State last changed
}

// List is the lists of all newsletters.
type List struct {
	Key []byte // of the hashes of suppressed addresses; the same for ever
}

const columns = `id, address, name, state, paused, plain, quiet, joined, changed`

// scanner is a row of one query, or one of many.
type scanner interface{ Scan(...any) error }

func scan(row scanner) (s Subscriber, err error) {
	var paused, joined, changed int64
	err = row.Scan(&s.ID, &s.Address, &s.Name, &s.State, &paused, &s.Plain, &s.Quiet, &joined, &changed)
	s.Paused, s.Joined, s.Changed = store.Instant(paused), store.Instant(joined), store.Instant(changed)
	return s, err
}

// Add puts a person on the list who asked for it, at the instant joined and
// with what shows it. Somebody who had left is on it again; somebody who is on
// it already stays as they are, and added is false. A suppressed address is
// refused with a *SuppressedError.
func (l *List) Add(ctx context.Context, tx *store.Tx, newsletter string, a Address, name string, joined time.Time, evidence string) (s Subscriber, added bool, err error) {
	if err := l.refuse(ctx, tx, newsletter, a); err != nil {
		return Subscriber{}, false, err
	}
	s, err = scan(tx.QueryRowContext(ctx, `
		INSERT INTO subscriber (newsletter, key, address, name, state, joined, changed)
		VALUES ($1, $2, $3, $4, 'active', $5, $6)
		ON CONFLICT (newsletter, key) DO UPDATE
		SET address = excluded.address, state = 'active', paused = 0, joined = excluded.joined, changed = excluded.changed,
			name = CASE WHEN excluded.name = '' THEN subscriber.name ELSE excluded.name END
		WHERE subscriber.state <> 'active'
		RETURNING `+columns,
		newsletter, a.Key(), a.String(), cleanName(name), store.Micros(joined), store.Micros(tx.Now())))
	if store.NotFound(err) {
		s, err = l.Find(ctx, tx, newsletter, a)
		return s, false, err
	}
	if err != nil {
		return Subscriber{}, false, fmt.Errorf("list: adding: %w", err)
	}
	return s, true, consent(ctx, tx, newsletter, s.ID, Joined, evidence)
}

// Leave takes a person off the list, at once. A second time, or for somebody
// who is not on the books, it changes nothing and left is false.
func (l *List) Leave(ctx context.Context, tx *store.Tx, newsletter string, id int64, evidence string) (left bool, err error) {
	err = tx.QueryRowContext(ctx, `
		UPDATE subscriber SET state = 'left', changed = $1
		WHERE newsletter = $2 AND id = $3 AND state <> 'left' RETURNING id`,
		store.Micros(tx.Now()), newsletter, id).Scan(&id)
	if store.NotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("list: leaving: %w", err)
	}
	return true, consent(ctx, tx, newsletter, id, WentAway, evidence)
}

// LeaveAddress is Leave for somebody who is known by their address.
func (l *List) LeaveAddress(ctx context.Context, tx *store.Tx, newsletter string, a Address, evidence string) (left bool, err error) {
	s, err := l.Find(ctx, tx, newsletter, a)
	if store.NotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return l.Leave(ctx, tx, newsletter, s.ID, evidence)
}

// Find gives the person with an address. store.NotFound tells of nobody.
func (l *List) Find(ctx context.Context, tx *store.Tx, newsletter string, a Address) (Subscriber, error) {
	return scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM subscriber WHERE newsletter = $1 AND key = $2`, newsletter, a.Key()))
}

// ByID gives the person with an id. store.NotFound tells of nobody.
func (l *List) ByID(ctx context.Context, tx *store.Tx, newsletter string, id int64) (Subscriber, error) {
	return scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM subscriber WHERE newsletter = $1 AND id = $2`, newsletter, id))
}

// askAtOnce is how many people one statement asks about.
const askAtOnce = 200

// active are those of askAtOnce people who get the next issue. Each is found by
// its id: SQLite would rather go by the index of states, which has all the ids
// too, but compares two texts at every step of the way to one.
var active = func() string {
	marks := make([]string, askAtOnce)
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+3)
	}
	return ` FROM subscriber WHERE newsletter || '' = $1 AND state = 'active' AND paused <= $2 AND id IN (` + strings.Join(marks, ", ") + `)`
}()

// Gone gives those of ids who get no issue any more, or were erased.
func (l *List) Gone(ctx context.Context, tx *store.Tx, newsletter string, ids []int64) ([]int64, error) {
	var out []int64
	for len(ids) > 0 {
		some := ids[:min(askAtOnce, len(ids))]
		ids = ids[len(some):]
		some, err := goneOf(ctx, tx, newsletter, some)
		if err != nil {
			return nil, fmt.Errorf("list: who is gone: %w", err)
		}
		out = append(out, some...)
	}
	return out, nil
}

// goneOf asks about up to askAtOnce people. The
// text of the query is always the same, so that it stays compiled: the last id
// fills what is left. Mostly all are there, and then to count them is enough.
func goneOf(ctx context.Context, tx *store.Tx, newsletter string, ids []int64) (out []int64, err error) {
	args := make([]any, 2, 2+askAtOnce)
	args[0], args[1] = newsletter, store.Micros(tx.Now())
	for i := range askAtOnce {
		args = append(args, ids[min(i, len(ids)-1)])
	}
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*)`+active, args...).Scan(&n); err != nil || n == len(ids) {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT id`+active, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	stay := make(map[int64]bool, len(ids))
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		stay[id] = true
	}
	for _, id := range ids {
		if !stay[id] {
			out = append(out, id)
		}
	}
	return out, rows.Err()
}

// Recipients gives up to n of those who get the next issue, in order of their
// ids, from the one behind after on. Fewer than n are the last.
func (l *List) Recipients(ctx context.Context, tx *store.Tx, newsletter string, after int64, n int) ([]Subscriber, error) {
	return page(tx.QueryContext(ctx, `
		SELECT `+columns+` FROM subscriber
		WHERE newsletter = $1 AND state = 'active' AND paused <= $2 AND id > $3 ORDER BY id LIMIT $4`,
		newsletter, store.Micros(tx.Now()), after, n))
}

// All gives up to n of everybody on the books, as Recipients does.
func (l *List) All(ctx context.Context, tx *store.Tx, newsletter string, after int64, n int) ([]Subscriber, error) {
	return page(tx.QueryContext(ctx, `
		SELECT `+columns+` FROM subscriber
		WHERE newsletter = $1 AND id > $2 ORDER BY id LIMIT $3`, newsletter, after, n))
}

func page(rows *store.Rows, err error) ([]Subscriber, error) {
	if err != nil {
		return nil, fmt.Errorf("list: reading: %w", err)
	}
	defer rows.Close()
	var out []Subscriber
	for rows.Next() {
		s, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list: reading: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// Counts is how many people stand where.
type Counts struct {
	Active     int `json:"active"` // would get an issue now
	Paused     int `json:"paused"` // on the list, and get nothing for a time
	Left       int `json:"left"`
	Suppressed int `json:"suppressed"`
}

// Count counts the people of a newsletter. It reads one index from end to
// end, so it is for reports and not for every message.
func (l *List) Count(ctx context.Context, tx *store.Tx, newsletter string) (c Counts, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT CASE WHEN state = 'active' AND paused > $1 THEN 'paused' ELSE state END AS stands, count(*)
		FROM subscriber WHERE newsletter = $2 GROUP BY stands`, store.Micros(tx.Now()), newsletter)
	if err != nil {
		return c, fmt.Errorf("list: counting: %w", err)
	}
	defer rows.Close()
	field := map[State]*int{Active: &c.Active, "paused": &c.Paused, Left: &c.Left, Suppressed: &c.Suppressed}
	for rows.Next() {
		var s State
		var n int
		if err := rows.Scan(&s, &n); err != nil {
			return c, fmt.Errorf("list: counting: %w", err)
		}
		*field[s] = n // the books know no other states
	}
	return c, rows.Err()
}

// cleanName makes a foreign name fit for a mail's To: one line, no control
// characters, 100 letters at most.
func cleanName(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\ufeff' || r == '\u200b'
	}), " ")
	if r := []rune(s); len(r) > 100 {
		s = strings.TrimSpace(string(r[:100]))
	}
	return s
}
