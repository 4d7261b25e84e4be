package list

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"galley/send/store"
)

// What happened between a person and the list.
const (
	Joined   = "joined"
	WentAway = "left"
	ShutOut  = "suppressed"
	LetIn    = "released" // a suppression was taken back
)

// Consent is one line of a person's history, kept for ever as it was written.
type Consent struct {
	What     string    `json:"what"`
	Evidence string    `json:"evidence"` // how we know
	At       time.Time `json:"at"`       // when it was written down
}

// consent writes a line of history. There is no function that changes one.
func consent(ctx context.Context, tx *store.Tx, newsletter string, id int64, what, evidence string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO consent (newsletter, subscriber, what, evidence, at) VALUES ($1, $2, $3, $4, $5)`,
		newsletter, id, what, evidence, store.Micros(tx.Now()))
	if err != nil {
		return fmt.Errorf("list: writing consent: %w", err)
	}
	return nil
}

// History gives all that happened between a person and a newsletter, oldest
// first.
func (l *List) History(ctx context.Context, tx *store.Tx, newsletter string, id int64) ([]Consent, error) {
	rows, err := tx.QueryContext(ctx, `SELECT what, evidence, at FROM consent WHERE newsletter = $1 AND subscriber = $2 ORDER BY id`, newsletter, id)
	if err != nil {
		return nil, fmt.Errorf("list: reading consent: %w", err)
	}
	defer rows.Close()
	var out []Consent
	for rows.Next() {
		var c Consent
		var at int64
		if err := rows.Scan(&c.What, &c.Evidence, &at); err != nil {
			return nil, fmt.Errorf("list: reading consent: %w", err)
		}
		c.At = store.Instant(at)
		out = append(out, c)
	}
	return out, rows.Err()
}

// SuppressedError is the error of adding an address that must not be mailed.
type SuppressedError struct {
	Address Address
	Reason  string
	At      time.Time
}

// Error says since when and why, and how it is undone.
func (s *SuppressedError) Error() string {
	return fmt.Sprintf("%s is suppressed since %s (%s); only somebody who knows better may release it", s.Address, s.At.Format(time.DateOnly), s.Reason)
}

// refuse gives a *SuppressedError when the address must not be mailed.
func (l *List) refuse(ctx context.Context, tx *store.Tx, newsletter string, a Address) error {
	s := SuppressedError{Address: a}
	var at int64
	err := tx.QueryRowContext(ctx, `SELECT reason, at FROM suppression WHERE newsletter = $1 AND hash = $2`,
		newsletter, l.hash(newsletter, a)).Scan(&s.Reason, &at)
	switch {
	case store.NotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("list: reading suppressions: %w", err)
	}
	s.At = store.Instant(at)
	return &s
}

// IsSuppressed tells whether an address must not be mailed, also when its
// owner's data was erased.
func (l *List) IsSuppressed(ctx context.Context, tx *store.Tx, newsletter string, a Address) (bool, error) {
	err := l.refuse(ctx, tx, newsletter, a)
	if _, yes := err.(*SuppressedError); yes {
		return true, nil
	}
	return false, err
}

// Suppress keeps an address off the list for good, whether or not it is on
// it. A second time changes nothing, not even the reason, and done is false.
func (l *List) Suppress(ctx context.Context, tx *store.Tx, newsletter string, a Address, reason string) (done bool, err error) {
	now := store.Micros(tx.Now())
	var hash string
	err = tx.QueryRowContext(ctx, `INSERT INTO suppression (newsletter, hash, reason, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (newsletter, hash) DO NOTHING RETURNING hash`, newsletter, l.hash(newsletter, a), reason, now).Scan(&hash)
	if store.NotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("list: suppressing: %w", err)
	}
	var id int64
	err = tx.QueryRowContext(ctx, `UPDATE subscriber SET state = 'suppressed', changed = $1
		WHERE newsletter = $2 AND key = $3 RETURNING id`, now, newsletter, a.Key()).Scan(&id)
	if store.NotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("list: suppressing: %w", err)
	}
	return true, consent(ctx, tx, newsletter, id, ShutOut, reason)
}

// Release takes a suppression back. Whoever was on the list is on it again,
// and whoever had left has still left.
func (l *List) Release(ctx context.Context, tx *store.Tx, newsletter string, a Address, evidence string) (done bool, err error) {
	var hash string
	err = tx.QueryRowContext(ctx, `DELETE FROM suppression WHERE newsletter = $1 AND hash = $2 RETURNING hash`,
		newsletter, l.hash(newsletter, a)).Scan(&hash)
	if store.NotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("list: releasing: %w", err)
	}
	var id int64
	err = tx.QueryRowContext(ctx, `UPDATE subscriber SET changed = $1, state = CASE
			WHEN state <> 'suppressed' THEN state
			WHEN (SELECT what FROM consent WHERE consent.subscriber = subscriber.id AND what IN ('joined', 'left') ORDER BY id DESC LIMIT 1) = 'joined' THEN 'active'
			ELSE 'left' END
		WHERE newsletter = $2 AND key = $3 RETURNING id`, store.Micros(tx.Now()), newsletter, a.Key()).Scan(&id)
	if store.NotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("list: releasing: %w", err)
	}
	return true, consent(ctx, tx, newsletter, id, LetIn, evidence)
}

// hash is what is kept of a suppressed address: with the key it tells whether
// an address is the one, and without the key it tells nothing.
func (l *List) hash(newsletter string, a Address) string {
	mac := hmac.New(sha256.New, l.Key)
	fmt.Fprintf(mac, "suppression\x00%s\x00%s", newsletter, a.Key())
	return hex.EncodeToString(mac.Sum(nil))
}

// Moved counts who came to the list and who left it of their own will since
// an instant. Who did so twice is counted once.
func (l *List) Moved(ctx context.Context, tx *store.Tx, newsletter string, since time.Time) (joined, left int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT
		(SELECT count(DISTINCT subscriber) FROM consent WHERE newsletter = $1 AND at >= $2 AND what = 'joined'),
		(SELECT count(DISTINCT subscriber) FROM consent WHERE newsletter = $3 AND at >= $4 AND what = 'left')`,
		newsletter, store.Micros(since), newsletter, store.Micros(since)).Scan(&joined, &left)
	if err != nil {
		return 0, 0, fmt.Errorf("list: counting who came and went: %w", err)
	}
	return joined, left, nil
}
