package compose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"galley/compose/lint"
	"galley/compose/markdown"
	"galley/compose/probe"
	"galley/send/store"
	"galley/templates"
)

// Links that had not answered when a proof was made are asked for again: soon,
// so that even an issue that goes at once is looked at within its grace, and
// then now and then until all have answered or the issue is out.
const (
	lookAgainIn   = 5 * time.Minute
	lookAgainThen = 30 * time.Minute
)

// lateLink is a link that turned out to lead nowhere.
type lateLink struct{ URL, Why string }

// waitFor has the links of a revision asked for again. It is written down, so
// that a restart forgets none.
func waitFor(ctx context.Context, tx *store.Tx, draft int64, links []string, in time.Duration) error {
	at := int64(0)
	if len(links) > 0 {
		at = store.Micros(tx.Now().Add(in))
	}
	_, err := tx.ExecContext(ctx, `UPDATE draft SET recheck = $1 WHERE id = $2`, at, draft)
	return err
}

// askAround reads drafts and looks at links again: the work of the desk that
// waits for the web.
func (d *Desk) askAround(ctx context.Context) error {
	return errors.Join(d.readDrafts(ctx), d.lookAgain(ctx))
}

func (d *Desk) lookAgain(ctx context.Context) error {
	if d.Prober == nil {
		return nil
	}
	ids, err := d.ids(ctx, `SELECT id FROM draft WHERE recheck > 0 AND recheck <= $1 ORDER BY id`, store.Micros(store.Now()))
	for _, id := range ids {
		if e := d.lookAgainAt(ctx, id); e != nil {
			err = errors.Join(err, fmt.Errorf("links of draft %d: %w", id, e))
		}
	}
	return err
}

// lookAgainAt asks for the links of one revision, outside of any transaction,
// and writes down what came of it.
func (d *Desk) lookAgainAt(ctx context.Context, id int64) error {
	var f *frozen
	err := d.DB.View(ctx, func(tx *store.Tx) error {
		row, err := draftByID(ctx, tx, id)
		if err != nil || row == nil {
			return err
		}
		f, err = row.frozen()
		return err
	})
	if err != nil || f == nil {
		return err
	}
	var asks []probe.Ask
	for _, link := range f.Waiting {
		asks = append(asks, probe.Ask{URL: link})
	}
	asked, cancel := context.WithTimeout(ctx, reachFor)
	defer cancel()
	answers := d.Prober.Probe(asked, asks)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return d.DB.Update(ctx, func(tx *store.Tx) error { return d.heard(ctx, tx, id, answers) })
}

// heard tells the editors of links that lead nowhere, in one transaction with
// the note that they were told. An issue that is out, or has a newer text, is
// left alone.
func (d *Desk) heard(ctx context.Context, tx *store.Tx, id int64, answers map[string]probe.Answer) error {
	row, err := draftByID(ctx, tx, id)
	if err != nil {
		return err
	}
	i, err := issueByID(ctx, tx, row.Issue)
	if err != nil {
		return err
	}
	n := d.Newsletters[row.Newsletter]
	if n == nil || i == nil || i.Revision != row.Revision || !slices.Contains([]State{Proofed, Approved, Held}, i.State) {
		return waitFor(ctx, tx, id, nil, 0)
	}
	f, err := row.frozen()
	if err != nil {
		return err
	}
	gone, err := f.settle(n, answers)
	if err != nil {
		return err
	}
	if err := f.rewrite(ctx, tx, id, row.Errors+len(gone)); err != nil {
		return err
	}
	if err := waitFor(ctx, tx, id, f.Waiting, lookAgainThen); err != nil || len(gone) == 0 {
		return err
	}
	return d.tellGone(ctx, tx, n, i, gone)
}

// settle takes the links that answered off those that are waited for; what leads
// nowhere becomes an error of the proof, as if it had been known then.
func (f *frozen) settle(n *Newsletter, answers map[string]probe.Answer) (gone []lateLink, err error) {
	s, err := templates.Read(n.Frame.Looks)
	if err != nil {
		return nil, err
	}
	var still []string
	for _, link := range f.Waiting {
		a, asked := answers[link]
		switch {
		case !asked || a.State == probe.Waiting:
			still = append(still, link)
		case a.State == probe.Gone:
			why, _, err := s.Fill(lint.Why(a).Parts())
			if err != nil {
				return nil, err
			}
			dead := markdown.Finding{Level: markdown.Error, Code: "link-dead", Words: link, Gaps: []any{why}}
			if err := spoken(s, &dead); err != nil {
				return nil, err
			}
			gone, f.Findings = append(gone, lateLink{link, why}), append([]markdown.Finding{dead}, f.Findings...)
		}
	}
	f.Waiting = still
	f.Findings = slices.DeleteFunc(f.Findings, func(w markdown.Finding) bool { return w.Code == "link-waiting" && len(still) == 0 })
	return gone, nil
}

// rewrite keeps what is known now of a revision. Not a byte of what readers get
// changes, nor its digest.
func (f *frozen) rewrite(ctx context.Context, tx *store.Tx, id int64, errors int) error {
	edition, err := json.Marshal(f)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE draft SET edition = $1, errors = $2 WHERE id = $3`, edition, errors, id)
	return err
}

// tellGone mails every editor what was found.
func (d *Desk) tellGone(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, gone []lateLink) error {
	data := map[string]any{"Number": i.Number, "Revision": i.Revision, "Standing": i.standing(tx.Now(), n), "Links": gone, "Approved": i.State == Approved, "Held": i.State == Held}
	for _, e := range n.Editors {
		r := &decisionRow{n: n, Editor: e.Addr}
		m := &mail{paper: paper{Kind: paperAnswer, Issue: i.ID, Revision: i.Revision}, number: i.Number}
		if _, err := r.mail(ctx, tx, d, "link-gone", data, m); err != nil {
			return err
		}
	}
	return nil
}
