package compose

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"galley/send/store"
)

// askHeld asks the editor about each draft that nothing proves.
func (d *Desk) askHeld(ctx context.Context) error {
	ids, err := d.ids(ctx, `SELECT id FROM draft WHERE state = 'held' AND note = '' ORDER BY id`)
	for _, id := range ids {
		waits, e := d.helloFirst(ctx, id)
		if e == nil && !waits {
			e = d.DB.Update(ctx, func(tx *store.Tx) error { return d.askDraft(ctx, tx, id) })
		}
		err = errors.Join(err, e)
	}
	return err
}

// askedADay is how many drafts an editor is asked about in a day: a forger
// must not be able to flood the editor.
const askedADay = 3

func (d *Desk) askDraft(ctx context.Context, tx *store.Tx, id int64) error {
	row, err := draftByID(ctx, tx, id)
	if err != nil {
		return err
	}
	n := d.Newsletters[row.Newsletter]
	if n == nil {
		return fmt.Errorf("draft %d: no newsletter %q in the configuration", id, row.Newsletter)
	}
	var asked int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM proof WHERE newsletter = $1 AND editor = $2 AND kind = 'question' AND draft IS NOT NULL AND made > $3`,
		n.ID, row.Editor, store.Micros(tx.Now().Add(-24*time.Hour))).Scan(&asked)
	if err != nil || asked >= askedADay {
		return err
	}
	if err := closeDraft(ctx, tx, id, "held", "asked"); err != nil {
		return err
	}
	code, err := newCode()
	if err != nil {
		return err
	}
	again, err := askedBefore(ctx, tx, id)
	if err != nil {
		return err
	}
	data := map[string]any{"Subject": row.Subject, "Begins": beginning(row.Source), "Code": code, "Again": again, "From": row.Sender}
	subject, text, err := say(n.Frame.Looks, "was-this-you", data)
	if err != nil {
		return err
	}
	return d.post(ctx, tx, n, &mail{paper: paper{Kind: paperQuestion, Draft: id, Asks: asksDraft}, to: n.addressOf(row.Editor),
		code: code, answers: row.MessageID, subject: subject, text: text})
}

// askedBefore tells that the editor was asked about a draft already: the code
// of that question came back from somebody else.
func askedBefore(ctx context.Context, tx *store.Tx, id int64) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM proof WHERE draft = $1 AND kind = 'question'`, id).Scan(&n)
	return n > 0, err
}

// beginning is the first words of a text, on one line.
func beginning(text []byte) string {
	const most = 60
	s := ""
	for _, word := range strings.Fields(string(text[:min(len(text), 400)])) {
		if len(s)+len(word) > most {
			return s + " …"
		}
		if len(word) < 3 || strings.Trim(word, "-") != "" { // fences say nothing
			s = strings.TrimSpace(s + " " + strings.ToValidUTF8(word, ""))
		}
	}
	return s
}
