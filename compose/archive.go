package compose

import (
	"context"
	"errors"
	"fmt"
	"time"

	"galley/compose/markdown"
	"galley/send"
	"galley/send/store"
)

// Archive is send, as the importer of past issues sees it.
type Archive interface {
	Archive(ctx context.Context, tx *store.Tx, e *send.Edition) error
}

// ErrKnown says that an issue of that number is in the books already.
var ErrKnown = errors.New("an issue of that number is known already")

// Import takes one past issue into the archive and the table of links, as
// sent on its own date. Nobody is mailed. The issue's number is its issue key
// or the #129 of its title.
func (d *Desk) Import(ctx context.Context, newsletter string, text []byte, a Archive) (number int, err error) {
	n, ok := d.Newsletters[newsletter]
	if !ok {
		return 0, fmt.Errorf("no newsletter %q in the configuration", newsletter)
	}
	src := markdown.Source{Text: text, Exact: true, Closed: true}
	number = NumberOf(markdown.Read(src).Front)
	if number == 0 {
		return 0, errors.New(`no number: write it into the title ("#129 - 9 Jul 2022") or as the key issue: 129`)
	}
	r, err := Render(ctx, src, number, n.Frame)
	if err != nil {
		return number, err
	}
	at := n.dateOf(r)
	return number, d.DB.Update(ctx, func(tx *store.Tx) error { return d.file(ctx, tx, n, r, number, at, a) })
}

// dateOf is the instant at which a past issue counts as sent: the slot's
// hour on its date, or noon.
func (n *Newsletter) dateOf(r *Rendered) time.Time {
	day, err := time.Parse(time.DateOnly, r.Date)
	if err != nil {
		return time.Time{}
	}
	if n.Slot != nil {
		return n.Slot.On(day)
	}
	return wallClock(day.Year(), day.Month(), day.Day(), 12, 0, n.Zone)
}

func (d *Desk) file(ctx context.Context, tx *store.Tx, n *Newsletter, r *Rendered, number int, at time.Time, a Archive) error {
	if i, err := issueByNumber(ctx, tx, n.ID, number); err != nil || i != nil {
		return errors.Join(err, known(i))
	}
	i, err := newIssue(ctx, tx, n.ID, number, Sent)
	if err != nil {
		return err
	}
	row := &draftRow{Newsletter: n.ID}
	err = tx.QueryRowContext(ctx, `INSERT INTO draft (newsletter, editor, form, source, received, state) VALUES ($1, '', 'import', $2, $3, 'proofed') RETURNING id`,
		n.ID, r.Markdown, store.Micros(tx.Now())).Scan(&row.ID)
	if err != nil {
		return err
	}
	if err := d.writeRevision(ctx, tx, row, i, r); err != nil {
		return err
	}
	if err := i.schedule(ctx, tx, turn{At: at, Chosen: true}, 0); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE issue SET reported = 2 WHERE id = $1`, i.ID); err != nil {
		return err
	}
	e, err := row.toEdition(ctx, tx, i, at)
	if err != nil {
		return err
	}
	return errors.Join(a.Archive(ctx, tx, e), fileLinks(ctx, tx, n.ID, number, freeze(r).Links))
}

func known(i *Issue) error {
	if i == nil {
		return nil
	}
	return ErrKnown
}
