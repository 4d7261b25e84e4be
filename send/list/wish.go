package list

import (
	"context"
	"fmt"
	"time"

	"galley/send/store"
)

// What else happened between a person and the list.
const (
	Moved   = "moved"   // another address took the place of the one before
	Changed = "changed" // how they want it: paused, text only, quiet
)

// Forever is until when somebody pauses who names no day.
var Forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Gets tells whether a person gets an issue at an instant.
func (s Subscriber) Gets(now time.Time) bool { return s.State == Active && !s.Paused.After(now) }

// Pause keeps everything from a person until an instant; the zero instant
// ends it. Who is not on the list stays as they are.
func (l *List) Pause(ctx context.Context, tx *store.Tx, newsletter string, id int64, until time.Time, evidence string) error {
	return l.prefer(ctx, tx, newsletter, id, evidence, "paused", store.Micros(until))
}

// WantPlain has a person get issues without their HTML part, or with it again.
func (l *List) WantPlain(ctx context.Context, tx *store.Tx, newsletter string, id int64, plain bool, evidence string) error {
	return l.prefer(ctx, tx, newsletter, id, evidence, "plain", plain)
}

// WantQuiet ends the mails of thanks to a person, or begins them again.
func (l *List) WantQuiet(ctx context.Context, tx *store.Tx, newsletter string, id int64, quiet bool, evidence string) error {
	return l.prefer(ctx, tx, newsletter, id, evidence, "quiet", quiet)
}

// prefer sets one column of how a person wants the newsletter.
func (l *List) prefer(ctx context.Context, tx *store.Tx, newsletter string, id int64, evidence, column string, value any) error {
	err := tx.QueryRowContext(ctx, `UPDATE subscriber SET `+column+` = $1 WHERE newsletter = $2 AND id = $3 AND state = 'active' RETURNING id`,
		value, newsletter, id).Scan(&id)
	if store.NotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list: %s: %w", column, err)
	}
	return consent(ctx, tx, newsletter, id, Changed, evidence)
}

// Move gives a person another address, and keeps the old one as one that has
// left, so that no import brings it back. The person keeps their row, so
// nobody gets an issue under both addresses. Where the new address is on the
// books already it comes onto the list and the old one leaves. moved is false,
// and nothing happens, when the person is not on the list, or the new address
// is suppressed.
func (l *List) Move(ctx context.Context, tx *store.Tx, newsletter string, id int64, to Address, evidence string) (s Subscriber, moved bool, err error) {
	old, err := l.ByID(ctx, tx, newsletter, id)
	if store.NotFound(err) || err == nil && old.State != Active {
		return Subscriber{}, false, nil
	}
	if err != nil {
		return Subscriber{}, false, err
	}
	if shut, err := l.IsSuppressed(ctx, tx, newsletter, to); err != nil || shut {
		return Subscriber{}, false, err
	}
	other, err := l.Find(ctx, tx, newsletter, to)
	if err != nil && !store.NotFound(err) {
		return Subscriber{}, false, err
	}
	if err == nil && other.ID != id {
		if s, _, err = l.Add(ctx, tx, newsletter, to, "", tx.Now(), evidence); err != nil {
			return Subscriber{}, false, err
		}
		_, err = l.Leave(ctx, tx, newsletter, id, evidence)
		return s, true, err
	}
	return l.rename(ctx, tx, newsletter, old, to, evidence)
}

func (l *List) rename(ctx context.Context, tx *store.Tx, newsletter string, old Subscriber, to Address, evidence string) (s Subscriber, moved bool, err error) {
	s, err = scan(tx.QueryRowContext(ctx, `UPDATE subscriber SET key = $1, address = $2, changed = $3 WHERE newsletter = $4 AND id = $5 RETURNING `+columns,
		to.Key(), to.String(), store.Micros(tx.Now()), newsletter, old.ID))
	if err != nil {
		return s, false, fmt.Errorf("list: moving: %w", err)
	}
	if err := consent(ctx, tx, newsletter, old.ID, Moved, evidence); err != nil || to.Key() == old.Address.Key() {
		return s, true, err
	}
	var id int64
	err = tx.QueryRowContext(ctx, `INSERT INTO subscriber (newsletter, key, address, name, state, joined, changed)
		VALUES ($1, $2, $3, $4, 'left', $5, $6) RETURNING id`,
		newsletter, old.Address.Key(), old.Address.String(), old.Name, store.Micros(old.Joined), store.Micros(tx.Now())).Scan(&id)
	if err != nil {
		return s, false, fmt.Errorf("list: moving: %w", err)
	}
	return s, true, consent(ctx, tx, newsletter, id, WentAway, evidence)
}

// eraseNamed looks only where any address stands at all, for which there is an
// index: the words are free, so the address may be anywhere in them.
const eraseNamed = `UPDATE consent SET evidence = 'erased with the address that it named'
	WHERE newsletter = $1 AND evidence LIKE '%@%' AND lower(evidence) LIKE $2 ESCAPE '!'`

// Erase removes all that the list keeps of an address but the hash that
// keeps it off. It may be called twice, and for somebody unknown.
func (l *List) Erase(ctx context.Context, tx *store.Tx, newsletter string, a Address) error {
	if _, err := l.Suppress(ctx, tx, newsletter, a, Forgotten); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM consent WHERE subscriber IN (SELECT id FROM subscriber WHERE newsletter = $1 AND key = $2)`,
		newsletter, a.Key())
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM subscriber WHERE newsletter = $1 AND key = $2`, newsletter, a.Key())
	}
	if err == nil { // what other people's evidence says of it: an address that moved here, or a friend who asked
		_, err = tx.ExecContext(ctx, eraseNamed, newsletter, store.Containing(a.Key()))
	}
	if err != nil {
		return fmt.Errorf("list: erasing: %w", err)
	}
	return nil
}

// Forgotten is the reason of a suppression that its owner asked for.
const Forgotten = "asked to be forgotten"

// Suppression gives the reason and the time of an address's suppression; ok
// is false when there is none.
func (l *List) Suppression(ctx context.Context, tx *store.Tx, newsletter string, a Address) (s SuppressedError, ok bool, err error) {
	err = l.refuse(ctx, tx, newsletter, a)
	if shut, yes := err.(*SuppressedError); yes {
		return *shut, true, nil
	}
	return s, false, err
}
