package door

import (
	"context"
	"time"

	"galley/send/list"
	"galley/send/store"
)

// Wish is what a reader wants of their own subscription.
type Wish string

// The wishes that are done at once: each can be taken back.
const (
	Pause    Wish = "pause"
	Resume   Wish = "resume"
	TextOnly Wish = "text only"
	WithHTML Wish = "with html"
	Quiet    Wish = "quiet"
)

// Obey does what a reader on the list wishes, and tells them in one mail. It
// goes to the address on the list, whoever asked.
func (d *Door) Obey(ctx context.Context, tx *store.Tx, newsletter string, id int64, w Wish, until time.Time, messageID, evidence string) error {
	n, err := d.newsletter(newsletter)
	if err != nil {
		return err
	}
	s, err := d.List.ByID(ctx, tx, newsletter, id)
	if store.NotFound(err) || err == nil && s.State != list.Active {
		return nil
	}
	if err != nil {
		return err
	}
	v := view{}
	switch w {
	case Pause:
		if until.IsZero() {
			until = list.Forever
		} else {
			if v.Until, err = n.say("day-and-year", until.In(n.zone())); err != nil {
				return err
			}
		}
		err = d.List.Pause(ctx, tx, newsletter, id, until, evidence)
	case Resume:
		err = d.List.Pause(ctx, tx, newsletter, id, time.Time{}, evidence)
	case TextOnly, WithHTML:
		err = d.List.WantPlain(ctx, tx, newsletter, id, w == TextOnly, evidence)
	case Quiet:
		err = d.List.WantQuiet(ctx, tx, newsletter, id, true, evidence)
	}
	if err != nil {
		return err
	}
	v.Wish = string(w)
	if often, err := d.often(ctx, tx, n.ID, s.Address); err != nil || often {
		return err
	}
	return d.post(ctx, tx, n, mail{name: "wish", to: s.Address, person: s.Name, answers: messageID, view: v})
}

// wishesADay is how many wishes of one reader are answered in a row: whoever
// writes in a reader's name cannot fill the reader's mailbox.
const wishesADay = 5

// often counts a wish and tells whether too many came without a day's pause.
func (d *Door) often(ctx context.Context, tx *store.Tx, newsletter string, a list.Address) (bool, error) {
	var times int
	err := tx.QueryRowContext(ctx, `INSERT INTO knock (newsletter, hash, times, last) VALUES ($1, $2, 1, $3)
		ON CONFLICT (newsletter, hash) DO UPDATE SET last = excluded.last, times = CASE WHEN knock.last < $4 THEN 1 ELSE knock.times + 1 END
		RETURNING times`, newsletter, d.hash(newsletter, "wish", a), store.Micros(tx.Now()), store.Micros(tx.Now().Add(-askAgain))).Scan(&times)
	return times > wishesADay, err
}

// How is the way in which somebody leaves.
type How int

// The ways. Only the first has a farewell: the others are a machine's, or
// say that no mail is wanted.
const (
	InWords  How = iota // in words, or by the page behind the footer's link
	ByButton            // by the mail program: one-click, or the address of the header
)

// Depart takes a reader off the list, at once. Who left by hand gets one
// farewell with the way back, for the footer's link travels with a forwarded
// copy. A second time it changes nothing, and left is false.
func (d *Door) Depart(ctx context.Context, tx *store.Tx, newsletter string, id int64, how How, messageID, evidence string) (left bool, err error) {
	n, err := d.newsletter(newsletter)
	if err != nil {
		return false, err
	}
	s, err := d.List.ByID(ctx, tx, newsletter, id)
	if store.NotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	was := s.State
	left, err = d.List.Leave(ctx, tx, newsletter, id, evidence)
	if err != nil || !left || how != InWords || was != list.Active {
		return left, err
	}
	return left, d.farewell(ctx, tx, n, "farewell", s, messageID)
}
