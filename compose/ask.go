package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"galley/send/store"
)

// What a question asks, beside "drop"; the signature's names the
// decision that waits for its answer.
const (
	asksDraft     = "draft"
	asksChange    = "change"
	asksSignature = "signature "
)

// askChange makes of the words that an editor changed inside the quote of a
// proof a new text, and asks whether it is meant. What does not fit exactly
// one place is quoted back to be said as a line.
func (d *Desk) askChange(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	i, err := d.meant(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if i == nil || i.State.Closed() || i.State == Cancelled {
		return d.unclear(ctx, tx, r, i)
	}
	text, err := d.newestText(ctx, tx, i)
	if err != nil {
		return "", err
	}
	var fit, loose []string
	for _, c := range r.Words.Commands {
		changed, why := applyChange(text, c)
		if why != nil {
			loose = append(loose, c.Line)
			continue
		}
		text, fit = changed, append(fit, c.Line)
	}
	if len(fit) == 0 {
		return r.tell(ctx, tx, d, "note", map[string]any{"Open": d.standing(ctx, tx, r), "Note": strings.Join(loose, "\n"),
			"Nearest": "change", "Beside": "", "Foot": nil})
	}
	draft, err := d.keepAsked(ctx, tx, r, i, text)
	if err != nil {
		return "", err
	}
	m := mail{paper: paper{Kind: paperQuestion, Issue: i.ID, Revision: i.Revision, Draft: draft, Asks: asksChange}, number: i.Number}
	return r.mail(ctx, tx, d, "change-asked", map[string]any{"Number": i.Number, "Open": d.standing(ctx, tx, r), "Lines": fit, "Loose": loose,
		"Lets": r.Words.Withheld != nil}, &m)
}

// keepAsked keeps a text that counts only when its question is answered yes.
func (d *Desk) keepAsked(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, text []byte) (id int64, err error) {
	in := &Draft{Newsletter: r.n.ID, MessageID: r.MessageID, Editor: r.Editor, Form: formChange, Source: text, Written: r.received, Held: true}
	if err := d.keepDraft(ctx, tx, in, i); err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `SELECT max(id) FROM draft WHERE newsletter = $1 AND issue = $2`, r.n.ID, i.ID).Scan(&id)
	if err != nil {
		return 0, err
	}
	return id, closeDraft(ctx, tx, id, "held", "asked")
}

// answerChange takes the text that was asked about, or drops it.
func (d *Desk) answerChange(ctx context.Context, tx *store.Tx, r *decisionRow, yes bool) (string, error) {
	if yes {
		tx.AfterCommit(d.drafts.Ring)
		return "changed", closeDraft(ctx, tx, r.paper.Draft, "new", "confirmed")
	}
	i, err := issueByID(ctx, tx, r.paper.Issue)
	if err != nil {
		return "", err
	}
	if err := closeDraft(ctx, tx, r.paper.Draft, "dropped", "the editor did not mean it"); err != nil {
		return "", err
	}
	return r.tell(ctx, tx, d, "unchanged", map[string]any{"Number": i.Number, "Open": d.standing(ctx, tx, r)})
}

// askSignature asks about a foot that nobody knows. The words above it wait
// for the answer.
func (d *Desk) askSignature(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	var lines []string
	for _, c := range r.Words.Withheld {
		lines = append(lines, c.Line)
	}
	released := slices.ContainsFunc(r.Words.Withheld, func(c Command) bool { return lets[c.Word] })
	m := mail{paper: paper{Kind: paperQuestion, Asks: asksSignature + strconv.FormatInt(r.ID, 10)}}
	return r.mail(ctx, tx, d, "signature-asked", map[string]any{"Open": d.standing(ctx, tx, r), "Foot": r.Words.Foot,
		"Lines": strings.Join(lines, "; "), "Lets": released}, &m)
}

// answerSignature learns a foot and does what waited above it. Everything is
// looked at anew: the proof, its code and the time may be over by now.
func (d *Desk) answerSignature(ctx context.Context, tx *store.Tx, r *decisionRow, yes bool) (string, error) {
	first, err := d.waitingAnswer(ctx, tx, r.paper)
	if err != nil {
		return "", err
	}
	if !yes {
		return r.tell(ctx, tx, d, "note", map[string]any{"Open": d.standing(ctx, tx, r), "Note": strings.Join(first.Words.Foot, "\n"),
			"Nearest": "", "Beside": "", "Foot": nil})
	}
	if err := d.Learn(ctx, tx, r.n.ID, r.Editor, first.Words.Foot); err != nil {
		return "", err
	}
	first.MessageID, first.received = r.MessageID, r.received
	first.Words.Commands, first.Words.Beside, first.Words.Foot, first.Words.Note = first.Words.Withheld, "", nil, ""
	first.Words.Withheld = nil
	for n, c := range first.Words.Commands {
		if !c.At.IsZero() && !c.At.After(r.received) && c.Word != "pause" && c.Word != "skip" {
			first.Words.Commands[n].Past = true // the time that was named went by while the question waited
		}
	}
	return d.execute(ctx, tx, first)
}

// waitingAnswer is the editor's mail whose foot a paper asks about.
func (d *Desk) waitingAnswer(ctx context.Context, tx *store.Tx, p *paper) (*decisionRow, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(p.Asks, asksSignature), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("question %d asks %q", p.ID, p.Asks)
	}
	return d.decisionByID(ctx, tx, id)
}

// askedFoot are the lines that a paper asks about: they stand under its
// answer as well.
func (d *Desk) askedFoot(ctx context.Context, tx *store.Tx, p *paper) ([]string, error) {
	first, err := d.waitingAnswer(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	return first.Words.Foot, nil
}

// Learn keeps the lines of an editor's signature, which are not read from
// then on (conversation.md section 2). They come from mail that proved itself.
func (d *Desk) Learn(ctx context.Context, tx *store.Tx, newsletter, editor string, lines []string) (err error) {
	for _, l := range lines {
		_, e := tx.ExecContext(ctx, `INSERT INTO signature (newsletter, editor, line, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			newsletter, editor, l, store.Micros(tx.Now()))
		err = errors.Join(err, e)
	}
	return err
}

// signatures are the lines of an editor's foot that are known.
// With edge they are the blocks that servers put above and below the mail.
func signatures(ctx context.Context, tx *store.Tx, newsletter, editor string, edge bool) (out []string, err error) {
	if editor == "" {
		return nil, nil
	}
	rows, err := tx.QueryContext(ctx, `SELECT line FROM signature WHERE newsletter = $1 AND editor = $2 AND edge = $3 ORDER BY at, line`, newsletter, editor, edge)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l string
		if err := rows.Scan(&l); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, rows.Err()
}
