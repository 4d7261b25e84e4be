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
		"Current": i.Revision, "Written": clockTime(h.draft.writtenAt(), n.Zone), "Since": clockTime(current.writtenAt(), n.Zone)})
}

// clockTime is a moment of these days, as people say it.
func clockTime(t time.Time, zone *time.Location) string { return t.In(zone).Format("Monday, 15:04") }

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
