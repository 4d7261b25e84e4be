package compose

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"galley/send/store"
)

// asksNext is the question whether a text with the number of an issue that
// was sent is the next one.
const asksNext = "next"

// nextRevision is the number of an issue's next text. A text that came late
// has a number too, so it is not always one more than the current one's.
func nextRevision(ctx context.Context, tx *store.Tx, i *Issue) (n int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT coalesce(max(revision), 0) + 1 FROM draft WHERE issue = $1`, i.ID).Scan(&n)
	return max(n, i.Revision+1), err
}

// slowMail is how long before its arrival a text may say that it was written;
// a Date further back is a clock that stands wrong.
const slowMail = 7 * 24 * time.Hour

// writtenAt is when a text was written, as far as its Date may be believed:
// not after it came.
func (r *draftRow) writtenAt() time.Time {
	if r.Written.After(r.Received) || r.Written.Before(r.Received.Add(-slowMail)) {
		return r.Received
	}
	return r.Written
}

// keepOlder keeps a text that was written before the current one and comes
// after it (conversation.md section 2, "Two that cross"): it gets a number of
// its own and does not count.
func (d *Desk) keepOlder(ctx context.Context, tx *store.Tx, n *Newsletter, h *home, i *Issue, r *Rendered) (bool, error) {
	if i == nil || i.Revision == 0 || h.draft.Form == formChange {
		return false, nil
	}
	current, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil || current == nil || !h.draft.writtenAt().Before(current.writtenAt()) {
		return false, err
	}
	edition, err := json.Marshal(freeze(r))
	if err != nil {
		return false, err
	}
	number, err := nextRevision(ctx, tx, i)
	if err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE draft SET state = 'proofed', note = 'older', issue = $1, revision = $2, digest = $3, errors = $4, sendable = $5, markdown = $6, edition = $7 WHERE id = $8`,
		i.ID, number, r.Digest, r.Errors(), r.Sendable(), r.Markdown, edition, h.draft.ID)
	if err != nil {
		return false, err
	}
	return true, d.tell(ctx, tx, n, h.draft.Editor, h.draft.MessageID, "older", map[string]any{"Number": i.Number, "Version": number,
		"Current": i.Revision, "Written": n.date("weekday-hour", h.draft.writtenAt()), "Since": n.date("weekday-hour", current.writtenAt())})
}

// mostLacking is how many lines a proof names that its text lacks.
const mostLacking = 10

// lacking lists the lines that another editor brought into the text before,
// and that this one, written without them, has not (conversation.md section
// 2, "Two that cross"). The text counts all the same.
func (d *Desk) lacking(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, row *draftRow) (lines []string, whose string, err error) {
	if row.Form == formChange {
		return nil, "", nil // it was made of the text before
	}
	earlier, err := earlierTexts(ctx, tx, i.ID, row.Revision)
	if err != nil || len(earlier) == 0 || earlier[0].Editor == row.Editor {
		return nil, "", err
	}
	theirs, base := earlier[0], earlier[0]
	least := len(missingLines("", string(base.Markdown), string(row.Markdown)))
	for _, e := range earlier[1:] { // the one that was written on lacks least
		if n := len(missingLines("", string(e.Markdown), string(row.Markdown))); n < least {
			least, base = n, e
		}
	}
	missing := missingLines(string(base.Markdown), string(theirs.Markdown), string(row.Markdown))
	return missing[:min(len(missing), mostLacking)], n.addressOf(theirs.Editor).Name, nil
}

// earlierTexts are the texts of an issue before a revision, the newest first.
func earlierTexts(ctx context.Context, tx *store.Tx, issue int64, revision int) ([]*draftRow, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+draftColumns+` FROM draft WHERE issue = $1 AND revision < $2 AND revision > 0 AND note <> 'older' ORDER BY revision DESC LIMIT 20`, issue, revision)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*draftRow
	for rows.Next() {
		r, err := scanDraft(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// missingLines are those of theirs that neither base nor ours has.
func missingLines(base, theirs, ours string) []string {
	have := map[string]bool{"": true}
	for _, text := range []string{base, ours} {
		for _, l := range lines(text) {
			have[strings.TrimSpace(l)] = true
		}
	}
	var out []string
	for _, l := range lines(theirs) {
		if l = strings.TrimSpace(l); !have[l] {
			out = append(out, l)
		}
	}
	return out
}

// askNext asks about a text that bears the number of an issue that was sent.
func (d *Desk) askNext(ctx context.Context, tx *store.Tx, n *Newsletter, h *home, i *Issue, r *Rendered) error {
	next, err := nextNumber(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	text := strings.Replace(string(r.Markdown), fmt.Sprintf("#%d", i.Number), fmt.Sprintf("#%d", next), 1)
	_, err = tx.ExecContext(ctx, `UPDATE draft SET state = 'held', note = 'asked', source = $1 WHERE id = $2`, setIssue([]byte(text), next), h.draft.ID)
	if err != nil {
		return err
	}
	code, err := newCode()
	if err != nil {
		return err
	}
	subject, body, err := say(n.Frame.Looks, "next-asked", map[string]any{"Number": i.Number, "Next": next, "Begins": beginning(h.draft.Source), "Code": code})
	if err != nil {
		return err
	}
	return d.post(ctx, tx, n, &mail{paper: paper{Kind: paperQuestion, Draft: h.draft.ID, Asks: asksNext}, to: n.addressOf(h.draft.Editor),
		code: code, answers: h.draft.MessageID, subject: subject, text: body})
}
