package compose

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"galley/send/store"
)

// useVersion makes an older text of an issue the current one: a new revision,
// which brings a proof.
func (d *Desk) useVersion(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	i, err := d.meant(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if i == nil || i.State.Closed() {
		return d.unclear(ctx, tx, r, i)
	}
	version, _ := strconv.Atoi(arg(c, 0)) // none has the number 0
	return d.restore(ctx, tx, r, i, version)
}

func (d *Desk) restore(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, version int) (string, error) {
	row, err := revisionOf(ctx, tx, i.ID, version)
	if err != nil {
		return "", err
	}
	if row == nil || version == i.Revision {
		why := r.n.phrase("fit-why", map[string]any{"Why": "no-version", "Number": i.Number})
		if row != nil {
			why = r.n.phrase("fit-why", map[string]any{"Why": "this-version"})
		}
		return r.tell(ctx, tx, d, "no-fit", map[string]any{"What": "use version", "Why": why, "Words": fmt.Sprint(version), "Open": d.standing(ctx, tx, r)})
	}
	return fmt.Sprintf("version %d taken", version), d.resubmit(ctx, tx, r, i, row.Markdown)
}

// deed is what an editor's mail did last: a text, or words; neither when that
// was an undo.
type deed struct {
	draft    *draftRow
	decision int64
	words    Words
	issue    int64
}

// undo takes back what the editor's last mail did, as far as mail can: what
// has left cannot be called back, and what was held is let out only by an
// approval.
func (d *Desk) undo(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	last, err := d.lastDeed(ctx, tx, r)
	if err != nil {
		return "", err
	}
	switch {
	case last == nil, last.draft == nil && len(last.words.Commands) == 0:
		return d.cannotUndo(ctx, tx, r, r.n.phrase("undo-why", map[string]any{"Why": "nothing"}))
	case last.draft != nil:
		return d.undoText(ctx, tx, r, last.draft)
	}
	return d.undoWord(ctx, tx, r, last)
}

// undone are the words whose doing can be taken back.
var undone = map[string]bool{"approve": true, wordAnyway: true, "send": true, "resume": true, "hold": true, "stop": true, "wait": true, "cancel": true,
	"skip": true, "pause": true, "use": true, "decline": true, "later": true}

// lastDeed finds the newest text or words of this editor that did something.
func (d *Desk) lastDeed(ctx context.Context, tx *store.Tx, r *decisionRow) (*deed, error) {
	row, err := scanDraft(tx.QueryRowContext(ctx, `SELECT `+draftColumns+` FROM draft WHERE newsletter = $1 AND editor = $2 AND state = 'proofed' AND received <= $3 ORDER BY id DESC LIMIT 1`,
		r.n.ID, r.Editor, store.Micros(r.received)))
	if err != nil {
		return nil, err
	}
	since := int64(0)
	if row != nil {
		since = store.Micros(row.Received)
	}
	found, err := d.lastWords(ctx, tx, r, since)
	switch {
	case err != nil || found != nil:
		return found, err
	case row != nil:
		return &deed{draft: row}, nil
	}
	return nil, nil
}

// lastWords finds the newest words that did something, none older than since.
func (d *Desk) lastWords(ctx context.Context, tx *store.Tx, r *decisionRow, since int64) (*deed, error) {
	rows, err := tx.QueryContext(ctx, `SELECT decision.id, decision.words, coalesce(proof.issue, 0) FROM decision LEFT JOIN proof ON proof.id = decision.proof
		WHERE decision.newsletter = $1 AND decision.editor = $2 AND decision.state = 'done' AND decision.ruling = 'execute' AND decision.id < $3 AND decision.received > $4
		ORDER BY decision.id DESC LIMIT 20`, r.n.ID, r.Editor, r.ID, since)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var found deed
		var words string
		if err := rows.Scan(&found.decision, &words, &found.issue); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(words), &found.words); err != nil {
			return nil, err
		}
		if len(found.words.Commands) > 0 && undone[found.words.Commands[0].Word] {
			return &found, rows.Err()
		}
		if len(found.words.Commands) > 0 && found.words.Commands[0].Word == "undo" {
			return &deed{}, rows.Err() // one step back; the one before it is another wish
		}
	}
	return nil, rows.Err()
}

// undoText brings the text back that stood before the editor's.
func (d *Desk) undoText(ctx context.Context, tx *store.Tx, r *decisionRow, row *draftRow) (string, error) {
	i, err := issueByID(ctx, tx, row.Issue)
	if err != nil {
		return "", err
	}
	if i.State.Closed() || i.State == Cancelled || row.Revision != i.Revision {
		return d.cannotUndo(ctx, tx, r, r.n.phrase("undo-why", map[string]any{"Why": "moved-on", "Number": i.Number}))
	}
	before := 0
	err = tx.QueryRowContext(ctx, `SELECT coalesce(max(revision), 0) FROM draft WHERE issue = $1 AND revision < $2 AND note <> 'older'`, i.ID, i.Revision).Scan(&before)
	if err != nil {
		return "", err
	}
	if before == 0 {
		return d.cannotUndo(ctx, tx, r, r.n.phrase("undo-why", map[string]any{"Why": "first-text", "Number": i.Number}))
	}
	_, err = tx.ExecContext(ctx, `UPDATE suggestion SET state = 'waiting', issue = 0 WHERE newsletter = $1 AND issue = $2 AND state = 'used' AND changed >= $3`,
		r.n.ID, i.Number, store.Micros(row.Received))
	if err != nil {
		return "", err
	}
	r.Number = i.Number
	return d.restore(ctx, tx, r, i, before)
}

// undoWord takes back what a word did. A case is one call.
func (d *Desk) undoWord(ctx context.Context, tx *store.Tx, r *decisionRow, last *deed) (string, error) {
	c := last.words.Commands[0]
	switch c.Word {
	case "approve", wordAnyway, "send", "resume":
		if last.issue == 0 {
			return d.pause(ctx, tx, r, Command{Word: "pause"}) // it was the schedule's resume
		}
		return d.undoRelease(ctx, tx, r, last.issue)
	case "skip", "pause":
		return d.resumeSchedule(ctx, tx, r)
	case "decline", "later":
		return d.putBack(ctx, tx, r, c)
	}
	return d.cannotUndo(ctx, tx, r, r.n.phrase("undo-why", map[string]any{"Why": "held"}))
}

// undoRelease holds what an approval let out, as far as it has not left.
func (d *Desk) undoRelease(ctx context.Context, tx *store.Tx, r *decisionRow, issue int64) (string, error) {
	i, err := issueByID(ctx, tx, issue)
	if err != nil {
		return "", err
	}
	if i.State != Approved && i.State != Sending {
		return d.cannotUndo(ctx, tx, r, i.standing(tx.Now(), r.n))
	}
	r.Number = i.Number
	return d.hold(ctx, tx, r, false)
}

// putBack lets links wait again that were put away.
func (d *Desk) putBack(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	links, _, err := d.named(ctx, tx, r.n, c.Args)
	if err != nil {
		return "", err
	}
	for _, l := range links {
		if err := setSuggestion(ctx, tx, l.ID, "waiting", 0); err != nil {
			return "", err
		}
	}
	return r.tell(ctx, tx, d, "put-back-links", map[string]any{"Links": linkLines(links), "Open": d.standing(ctx, tx, r)})
}

func (d *Desk) cannotUndo(ctx context.Context, tx *store.Tx, r *decisionRow, why string) (string, error) {
	return r.tell(ctx, tx, d, "no-undo", map[string]any{"Why": why, "Open": d.standing(ctx, tx, r)})
}
