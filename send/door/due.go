package door

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
)

// Granted is a request about all that the house keeps of a person. Every
// room keeps something, so the house itself carries it out.
type Granted struct {
	ID         int64
	Newsletter string
	Kind       Kind // Data or Forget
	Subscriber int64
	Address    list.Address
}

// Kept is what one room keeps of a person: What names it in the catalogue
// (subscription, requests, issues, links, letters, mails), and Lines are its
// entries as the books have them.
type Kept struct {
	What  string
	Lines []string
}

// Due lists what was granted and is not carried out yet.
func (d *Door) Due(ctx context.Context) (due []Granted, err error) {
	err = d.DB.View(ctx, func(tx *store.Tx) error {
		due = nil
		rows, err := tx.QueryContext(ctx, `SELECT `+rowColumns+` FROM request WHERE state = 'granted' ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := scanRow(rows)
			if err != nil {
				return err
			}
			due = append(due, Granted{r.ID, r.Newsletter, r.Kind, r.Subscriber, r.Address})
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("door: reading what is due: %w", err)
	}
	return due, nil
}

// Grant has everything of an address erased, on an editor's word.
func (d *Door) Grant(ctx context.Context, tx *store.Tx, newsletter string, a list.Address, subscriber int64, evidence string) error {
	_, err := d.insert(ctx, tx, Request{Newsletter: newsletter, Kind: Forget, Address: a, Subscriber: subscriber, Source: ByEditor, Evidence: evidence}, "granted")
	return errors.Join(err, d.shut(ctx, tx, newsletter, a))
}

// shut takes who is to be forgotten off the list at once. The erasing waits for
// a mail that is on its way, and while an issue goes there is one for everybody
// in the queue's hand: without this they would get the copy first.
func (d *Door) shut(ctx context.Context, tx *store.Tx, newsletter string, a list.Address) error {
	_, err := d.List.Suppress(ctx, tx, newsletter, a, list.Forgotten)
	return err
}

// Kept tells what the door keeps of an address.
func (d *Door) Kept(ctx context.Context, tx *store.Tx, newsletter string, a list.Address) (lines []string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+rowColumns+` FROM request WHERE newsletter = $1 AND lower(address) = $2 ORDER BY id`, newsletter, a.Key())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("%s  %s, %s: %s", r.At.Format("2006-01-02 15:04"), r.Kind, r.State, r.Evidence))
	}
	return lines, rows.Err()
}

// Erase removes what the door keeps of an address but the hashes that say how
// often it was asked.
func (d *Door) Erase(ctx context.Context, tx *store.Tx, newsletter string, a list.Address) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM request WHERE newsletter = $1 AND (lower(address) = $2 OR lower(evidence) LIKE $3 ESCAPE '!')`,
		newsletter, a.Key(), store.Containing(a.Key()))
	return err
}

// SendData sends a person all that is kept, in one file, to the address
// itself and nobody else, and settles the request.
func (d *Door) SendData(ctx context.Context, tx *store.Tx, g Granted, kept []Kept) error {
	n, err := d.newsletter(g.Newsletter)
	if err != nil {
		return err
	}
	var file strings.Builder
	for _, part := range kept {
		title, err := n.say("reader-kept", part.What)
		if err != nil {
			return err
		}
		fmt.Fprintf(&file, "%s\n\n", strings.ToUpper(title))
		for _, line := range part.Lines {
			fmt.Fprintf(&file, "  %s\n", strings.ReplaceAll(line, "\n", "\n    "))
		}
		file.WriteString("\n")
	}
	m := mail{name: "data", to: g.Address, view: view{Kept: kept},
		file: &message.Attachment{Name: "my-data.txt", Type: "text/plain; charset=utf-8", Data: []byte(file.String())}}
	if err := d.post(ctx, tx, n, m); err != nil {
		return err
	}
	return setState(ctx, tx, g.ID, "done")
}
