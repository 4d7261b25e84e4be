package compose

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"

	"galley/send"
	"galley/send/store"
)

// asksMachine is the question whether readers may be mailed from this machine
// and by these books.
const asksMachine = "machine"

// askMachine asks every editor, once a start, whether the machine on which the
// desk finds itself is the right one, and whether its books are.
func (d *Desk) askMachine(ctx context.Context) error {
	var todo []string
	var away send.Away
	err := d.DB.View(ctx, func(tx *store.Tx) (err error) {
		away, err = d.Figures.Away(ctx, tx)
		if err != nil || away.Since.IsZero() {
			return err
		}
		for id := range d.Newsletters {
			var asked int
			err = errors.Join(err, tx.QueryRowContext(ctx, `SELECT count(*) FROM proof WHERE newsletter = $1 AND asks = $2 AND made >= $3`,
				id, asksMachine, store.Micros(away.Since)).Scan(&asked))
			if asked == 0 {
				todo = append(todo, id)
			}
		}
		return err
	})
	for _, id := range todo {
		err = errors.Join(err, d.DB.Update(ctx, func(tx *store.Tx) error { return d.askMachineOf(ctx, tx, d.Newsletters[id]) }))
	}
	return err
}

func (d *Desk) askMachineOf(ctx context.Context, tx *store.Tx, n *Newsletter) error {
	away, err := d.Figures.Away(ctx, tx)
	if err != nil {
		return err
	}
	going, err := d.going(ctx, tx, n)
	if err != nil {
		return err
	}
	var traces []string
	for _, t := range away.Older {
		if t.Newsletter == n.ID && t.Subject != "" {
			traces = append(traces, n.date("hour", t.At)+"  "+t.Subject)
		}
	}
	for _, e := range n.Editors {
		r := &decisionRow{n: n, Editor: e.Addr}
		data := map[string]any{"Going": going, "Guest": away.Guest, "Older": len(away.Older) > 0, "Traces": traces, "Fates": fates(n, away)}
		if _, err := r.mail(ctx, tx, d, "machine-asked", data, &mail{paper: paper{Kind: paperQuestion, Asks: asksMachine}}); err != nil {
			return err
		}
	}
	return nil
}

// going is what the books know to be on its way.
func (d *Desk) going(ctx context.Context, tx *store.Tx, n *Newsletter) (lines []string, err error) {
	open, err := issuesIn(ctx, tx, n.ID, Approved, Sending, Stopped)
	if err != nil {
		return nil, err
	}
	for _, i := range open {
		run, err := d.Figures.Progress(ctx, tx, n.ID, i.Number)
		if err != nil {
			return nil, err
		}
		line := i.standing(tx.Now(), n)
		if run != nil && i.State != Approved {
			line += " " + n.phrase("have-it", map[string]any{"Have": run.Total - run.Waiting(), "Total": run.Total})
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// fate is what traces show of an issue.
type fate struct {
	Number int
	Out    bool // its report was written: the run had ended
}

// fates are the issues of which readers may have a copy that the books do not
// know of. The editors' first copy is the sign that an issue was about to go,
// a report that it has gone.
func fates(n *Newsletter, a send.Away) (out []fate) {
	for _, t := range a.Older {
		if t.Newsletter != n.ID || t.Kind != paperCopy && t.Kind != paperReport || t.Issue == 0 {
			continue
		}
		at := slices.IndexFunc(out, func(f fate) bool { return f.Number == t.Issue })
		if at < 0 {
			at, out = len(out), append(out, fate{Number: t.Issue})
		}
		out[at].Out = out[at].Out || t.Kind == paperReport
	}
	slices.SortFunc(out, func(a, b fate) int { return a.Number - b.Number })
	return out
}

// answerMachine is the editor's word about machine and books.
func (d *Desk) answerMachine(ctx context.Context, tx *store.Tx, r *decisionRow, yes bool) (string, error) {
	if !yes {
		return r.tell(ctx, tx, d, "machine-no", map[string]any{})
	}
	away, err := d.Figures.Away(ctx, tx)
	if err != nil {
		return "", err
	}
	for _, n := range d.Newsletters { // the yes is about the books, which are those of all
		if err := d.keepIn(ctx, tx, n, fates(n, away)); err != nil {
			return "", err
		}
	}
	if err := d.Press.MoveIn(ctx, tx); err != nil {
		return "", err
	}
	m := mail{paper: paper{Kind: paperAnswer}}
	data := map[string]any{"By": r.n.nameOf(r.who()), "Fates": fates(r.n, away), "Older": len(away.Older) > 0}
	if err := r.mailOthers(ctx, tx, d, "machine-yes", data, m); err != nil {
		return "", err
	}
	data["By"] = ""
	return r.mail(ctx, tx, d, "machine-yes", data, &m)
}

// keepIn keeps back what went out already by the mailbox's word: by books that
// do not know who has it everybody would get another. What was reported is
// over, and what only began is on hold.
func (d *Desk) keepIn(ctx context.Context, tx *store.Tx, n *Newsletter, out []fate) error {
	for _, f := range out {
		i, err := issueByNumber(ctx, tx, n.ID, f.Number)
		if err == nil && i == nil && f.Out {
			_, err = newIssue(ctx, tx, n.ID, f.Number, Sent) // its number is taken
		}
		if err == nil && i != nil && i.State != Sent && i.State != Cancelled {
			err = d.keepOne(ctx, tx, n, i, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) keepOne(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, f fate) error {
	on := i.State == Approved || i.State == Sending || i.State == Stopped
	switch {
	case !f.Out && on && i.State != Stopped:
		return d.halt(ctx, tx, &decisionRow{n: n}, i)
	case !f.Out:
		return nil // nothing of it goes by itself
	}
	if err := i.move(ctx, tx, Sent, "schedule", "sent, as the mailbox shows"); err != nil {
		return err
	}
	if on {
		if err := d.Press.Halt(ctx, tx, n.ID, i.Number, send.HaltCancel); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE issue SET reported = 2 WHERE id = $1`, i.ID)
	if err == nil && i.Slot != "" {
		err = useSlot(ctx, tx, n, i)
	}
	return errors.Join(err, voidPapers(ctx, tx, i.ID))
}

// paperForm is the Message-ID of a mail of the desk.
var paperForm = regexp.MustCompile(`^<(proof|starter|reminder|stopped|question|report|copy|answer)\.(\d+)\.\d+\.[a-z2-7]{26}@`)

// Unheard tells whether a Message-ID is one of the desk's that the books do not
// know, and of which kind and issue the mail was.
func (d *Desk) Unheard(ctx context.Context, tx *store.Tx, newsletter, messageID string) (kind string, issue int, unheard bool, err error) {
	hit := paperForm.FindStringSubmatch(messageID)
	if hit == nil {
		return "", 0, false, nil
	}
	var known int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM proof WHERE newsletter = $1 AND message_id = $2`, newsletter, messageID).Scan(&known)
	issue, _ = strconv.Atoi(hit[2])
	return hit[1], issue, known == 0 && err == nil, err
}
