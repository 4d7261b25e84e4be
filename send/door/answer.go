package door

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"galley/send"
	"galley/send/list"
	"galley/send/store"
)

// Paper is one of the door's mails that somebody answers.
type Paper struct {
	Kind    Kind
	Request int64
}

// ReadToken reads a token that was made for one kind of answer.
func ReadToken(k send.Keys, kind Kind, token string) (Paper, bool) {
	if !slices.Contains(Answerable, kind) {
		return Paper{}, false
	}
	id, ok := k.Read(string(kind), token)
	return Paper{kind, id}, ok
}

// InText reads a token that stands somewhere in a Subject.
func InText(k send.Keys, s string) (Paper, bool) {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '2' || r > '7') })
	for _, word := range words {
		for _, kind := range Answerable {
			if p, ok := ReadToken(k, kind, word); ok && len(word) >= shortestToken {
				return p, true
			}
		}
	}
	return Paper{}, false
}

// shortestToken is the length of a token for the first request of all.
const shortestToken = 28

// InMessageID reads the token of one of the door's own Message-IDs, as
// In-Reply-To brings it back.
func InMessageID(k send.Keys, id string) (Paper, bool) {
	kind, rest, _ := strings.Cut(strings.Trim(id, "<> "), ".")
	token, _, _ := strings.Cut(rest, "@")
	return ReadToken(k, Kind(strings.ToLower(kind)), token)
}

// Answer is what somebody says to one of the door's mails.
type Answer struct {
	Newsletter string
	Paper      Paper
	Yes        bool
	Name       string // the name in the answer's From; kept for who comes onto the list
	MessageID  string // of the answer, "" from a page
	Evidence   string // how we know
}

// ErrGone says that the request is not on the books any more: nobody
// answered it in time.
var ErrGone = errors.New("nobody answered in time")

// Done is what became of an answer.
type Done struct {
	Kind       Kind
	Address    list.Address
	Subscriber int64
	New        bool // it changed something; a second answer does not
}

// Answer does what the answer says, once: a second one changes nothing. It
// gives ErrGone for a request that is gone.
func (d *Door) Answer(ctx context.Context, tx *store.Tx, a Answer) (Done, error) {
	n, err := d.newsletter(a.Newsletter)
	if err != nil {
		return Done{}, err
	}
	r, err := scanRow(tx.QueryRowContext(ctx, `SELECT `+rowColumns+` FROM request WHERE newsletter = $1 AND id = $2 AND kind = $3`,
		a.Newsletter, a.Paper.Request, string(a.Paper.Kind)))
	if store.NotFound(err) {
		return Done{}, ErrGone
	}
	if err != nil {
		return Done{}, err
	}
	done := Done{Kind: r.Kind, Address: r.Address, Subscriber: r.Subscriber}
	if r.State != "asked" {
		return done, nil
	}
	done.New = true
	if !a.Yes {
		return done, d.decline(ctx, tx, r)
	}
	switch r.Kind {
	case Join:
		err = d.join(ctx, tx, n, r, a)
	case Move:
		err = d.move(ctx, tx, n, r, a)
	case Back:
		err = d.back(ctx, tx, n, r, a)
	case Forget:
		return done, errors.Join(d.shut(ctx, tx, r.Newsletter, r.Address), setState(ctx, tx, r.ID, "granted"))
	}
	return done, errors.Join(err, setState(ctx, tx, r.ID, "done"))
}

// decline ends a request. Who declines to come onto the list is not asked
// again.
func (d *Door) decline(ctx context.Context, tx *store.Tx, r *row) error {
	err := setState(ctx, tx, r.ID, "declined")
	if err != nil || r.Kind != Join && r.Kind != Move {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE knock SET declined = TRUE WHERE newsletter = $1 AND hash = $2`, r.Newsletter, r.hash)
	return err
}

// evidence is what is kept of a consent: how it was asked for and how it was
// confirmed.
func evidence(r *row, a Answer) string {
	return fmt.Sprintf("asked: %s, %s; confirmed: %s", r.Evidence, r.At.Format("2006-01-02 15:04 UTC"), a.Evidence)
}

// join puts who confirmed on the list, and welcomes them once.
func (d *Door) join(ctx context.Context, tx *store.Tx, n *Newsletter, r *row, a Answer) error {
	s, _, err := d.List.Add(ctx, tx, n.ID, r.Address, a.Name, tx.Now(), evidence(r, a))
	if shut := (*list.SuppressedError)(nil); errors.As(err, &shut) {
		return nil // it was suppressed since it was asked
	}
	if err != nil {
		return err
	}
	return errors.Join(d.open(ctx, tx, r), d.welcome(ctx, tx, n, "welcome", s, a.MessageID))
}

// open forgets how often an address was asked: it has said yes.
func (d *Door) open(ctx context.Context, tx *store.Tx, r *row) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM knock WHERE newsletter = $1 AND hash = $2`, r.Newsletter, r.hash)
	return err
}

// move gives the reader the address that has confirmed; the old one gets a
// farewell with the way back, for the wish may have been somebody else's.
func (d *Door) move(ctx context.Context, tx *store.Tx, n *Newsletter, r *row, a Answer) error {
	old, err := d.List.ByID(ctx, tx, n.ID, r.Subscriber)
	if store.NotFound(err) {
		return nil // erased since
	}
	if err != nil {
		return err
	}
	s, moved, err := d.List.Move(ctx, tx, n.ID, r.Subscriber, r.Address, evidence(r, a))
	if err != nil || !moved {
		return err
	}
	if err := errors.Join(d.open(ctx, tx, r), d.welcome(ctx, tx, n, "moved-here", s, a.MessageID)); err != nil {
		return err
	}
	left, err := d.List.Find(ctx, tx, n.ID, old.Address)
	if err != nil || left.ID == s.ID {
		return err // the same mailbox, written in another way
	}
	return d.farewell(ctx, tx, n, "moved-away", left, "")
}

// back puts somebody on the list again who changed their mind.
func (d *Door) back(ctx context.Context, tx *store.Tx, n *Newsletter, r *row, a Answer) error {
	s, err := d.List.ByID(ctx, tx, n.ID, r.Subscriber)
	if err != nil && !store.NotFound(err) {
		return err
	}
	if err != nil || s.State != list.Left {
		return nil
	}
	s, _, err = d.List.Add(ctx, tx, n.ID, s.Address, a.Name, tx.Now(), evidence(r, a))
	if shut := (*list.SuppressedError)(nil); errors.As(err, &shut) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.welcome(ctx, tx, n, "welcome-back", s, a.MessageID)
}
