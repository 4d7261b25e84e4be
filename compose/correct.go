package compose

import (
	"context"
	"errors"
	"fmt"

	"galley/compose/markdown"
	"galley/send"
	"galley/send/message"
	"galley/send/store"
)

// asksCorrection is the question whether a correction is mailed as well.
const asksCorrection = "correction"

// corrects tells that a change is meant for an issue that went out: it answers
// the report of it, or names it in the Subject. A change in answer to an old
// proof is not: whoever wrote it may not know that the issue is out.
func (r *decisionRow) corrects(i *Issue) bool {
	if i.State != Sent {
		return false
	}
	if r.paper == nil || r.Number != 0 {
		return r.Number == i.Number
	}
	return r.paper.Kind == paperReport || r.paper.Kind == paperQuestion && r.paper.Asks == asksCorrection
}

// correct puts a corrected text into the archive and the feed, and asks
// whether those who have the issue are mailed. It never changes where the
// issue is found.
func (d *Desk) correct(ctx context.Context, tx *store.Tx, n *Newsletter, h *home, i *Issue, r *Rendered) error {
	if !r.Sendable() || r.Errors() > 0 {
		return d.notCorrected(ctx, tx, n, h, i, r)
	}
	before, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil || before == nil {
		return fmt.Errorf("revision %d of #%d: %v", i.Revision, i.Number, err)
	}
	old, err := before.frozen()
	if err != nil {
		return err
	}
	r.Slug = old.Slug
	if err := d.writeRevision(ctx, tx, h.draft, i, r); err != nil {
		return err
	}
	e, err := h.draft.toEdition(ctx, tx, i, i.SendAt)
	if err != nil {
		return err
	}
	err = errors.Join(d.Press.Correct(ctx, tx, e), fileLinks(ctx, tx, n.ID, i.Number, freeze(r).Links), i.note(ctx, tx, h.draft.Editor, "correction"))
	if err != nil {
		return err
	}
	return d.tellCorrected(ctx, tx, n, h.draft, before, i, e)
}

// note leaves a line in the audit about an issue that stays where it is.
func (i *Issue) note(ctx context.Context, tx *store.Tx, who, what string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO audit (newsletter, issue, at, who, what, revision, was, became) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		i.Newsletter, i.ID, store.Micros(tx.Now()), who, what, i.Revision, i.State, i.State)
	return err
}

// notCorrected says why a text would do more harm than the one that is out.
func (d *Desk) notCorrected(ctx context.Context, tx *store.Tx, n *Newsletter, h *home, i *Issue, r *Rendered) error {
	if err := closeDraft(ctx, tx, h.draft.ID, "refused", "the correction has errors"); err != nil {
		return err
	}
	var faults []string
	for _, f := range r.Findings {
		if f.Level == markdown.Error {
			faults = append(faults, f.Message)
		}
	}
	return d.tell(ctx, tx, n, h.draft.Editor, h.draft.MessageID, "not-corrected", map[string]any{"Number": i.Number, "Errors": faults})
}

// tellCorrected answers the editor whose correction it was with the question,
// and tells the others.
func (d *Desk) tellCorrected(ctx context.Context, tx *store.Tx, n *Newsletter, row, before *draftRow, i *Issue, e *send.Edition) error {
	readers, mailed, err := d.mayBeMailed(ctx, tx, n, i)
	if err != nil {
		return err
	}
	const shown = 10
	changes := diff(string(before.Markdown), string(row.Markdown))
	more := max(len(changes)-shown, 0)
	data := map[string]any{"Number": i.Number, "Revision": i.Revision, "Readers": readers, "Mailed": mailed, "Subject": n.correctionSubject(e.Subject),
		"Changes": changes[:len(changes)-more], "More": more, "Grace": graceOf(n), "Page": "", "By": n.nameOf(row.Editor)}
	if n.Frame.Host != "" {
		data["Page"] = fmt.Sprintf("%s%s/%s", n.Frame.Host, n.Frame.ArchivePath, e.Slug)
	}
	r := &decisionRow{n: n, Editor: row.Editor, MessageID: row.MessageID}
	m := mail{paper: paper{Kind: paperAnswer, Issue: i.ID, Revision: i.Revision}, number: i.Number}
	if err := r.mailOthers(ctx, tx, d, "corrected-others", data, m); err != nil {
		return err
	}
	if readers > 0 {
		m.paper = paper{Kind: paperQuestion, Issue: i.ID, Revision: i.Revision, Digest: row.Digest, Asks: asksCorrection}
	}
	_, err = r.mail(ctx, tx, d, "corrected", data, &m)
	return err
}

// mayBeMailed counts the readers who have an issue, none when a correction of
// it was mailed before.
func (d *Desk) mayBeMailed(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) (readers int, mailed bool, err error) {
	before, err := d.Figures.Progress(ctx, tx, n.ID, send.Correction(i.Number))
	if err != nil || before != nil {
		return 0, before != nil, err
	}
	run, err := d.Figures.Progress(ctx, tx, n.ID, i.Number)
	if err != nil || run == nil {
		return 0, false, err
	}
	return run.Counts[send.Sent] + run.Counts[send.Ambiguous], false, nil
}

func (n *Newsletter) correctionSubject(subject string) string {
	return n.phrase("correction-subject", subject)
}

// graceOf is the grace time as words, "" for none.
func graceOf(n *Newsletter) string {
	if n.Grace == 0 {
		return ""
	}
	return n.span(n.Grace)
}

// answerCorrection mails the correction that the question was about, to those
// who have the issue, or leaves it in the archive alone.
func (d *Desk) answerCorrection(ctx context.Context, tx *store.Tx, r *decisionRow, yes bool) (string, error) {
	i, err := issueByID(ctx, tx, r.paper.Issue)
	if err != nil {
		return "", err
	}
	if !yes {
		return r.tell(ctx, tx, d, "correction-kept", map[string]any{"Number": i.Number})
	}
	readers, mailed, err := d.mayBeMailed(ctx, tx, r.n, i)
	if err != nil || mailed {
		return "mailed before", err
	}
	row, err := revisionOf(ctx, tx, i.ID, r.paper.Revision)
	if err != nil || row == nil || row.Digest != r.paper.Digest {
		return "", fmt.Errorf("revision %d of #%d: %v", r.paper.Revision, i.Number, err)
	}
	e, err := row.toEdition(ctx, tx, i, tx.Now().Add(r.n.Grace))
	if err != nil {
		return "", err
	}
	e.Issue, e.Subject = send.Correction(i.Number), r.n.correctionSubject(e.Subject)
	if err := errors.Join(d.Press.Publish(ctx, tx, e), i.setCorrected(ctx, tx, correctionGoes), i.note(ctx, tx, r.who(), "correction mailed")); err != nil {
		return "", err
	}
	for _, to := range r.n.Editors {
		if err := d.copyCorrection(ctx, tx, r.n, i, row, e, to); err != nil {
			return "", err
		}
	}
	data := map[string]any{"Number": i.Number, "Readers": readers, "Subject": e.Subject, "Grace": graceOf(r.n)}
	return r.mailAll(ctx, tx, d, "correction-goes", data, mail{paper: paper{Kind: paperAnswer, Issue: i.ID, Revision: i.Revision}, number: i.Number})
}

// copyCorrection posts an editor's own copy, which goes before all others.
func (d *Desk) copyCorrection(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, row *draftRow, e *send.Edition, to message.Address) error {
	if n.Grace == 0 {
		return nil
	}
	m := &mail{paper: paper{Kind: paperCopy, Issue: i.ID, Revision: row.Revision, Asks: "first"}, to: to, number: i.Number,
		subject: e.Subject, text: string(dead(e.Text, false)), html: dead(e.HTML, true), inline: e.Inline}
	return d.post(ctx, tx, n, m)
}
