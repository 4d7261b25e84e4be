package compose

import (
	"context"
	"strings"
	"time"

	"galley/send"
	"galley/send/store"
)

// hold keeps back whatever has not left. Held words are read kindly: when it
// is not clear which issue is meant, all are held (conversation.md 2).
func (d *Desk) hold(ctx context.Context, tx *store.Tx, r *decisionRow, drop bool) (string, error) {
	number, err := d.haltCorrection(ctx, tx, r)
	if err != nil {
		return "", err
	}
	issues, err := d.toHold(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if number > 0 && (len(issues) == 0 || r.Number != 0 || r.paper != nil && r.paper.Issue != 0) {
		return d.tellCorrectionHalted(ctx, tx, r, number)
	}
	if len(issues) == 0 {
		return r.tell(ctx, tx, d, "nothing-held", map[string]any{"Open": d.standing(ctx, tx, r)})
	}
	flying := false
	stops := make([]held, len(issues))
	for n, i := range issues {
		stops[n] = held{issue: i, was: i.State}
		if err := d.halt(ctx, tx, r, i); err != nil {
			return "", err
		}
		if stops[n].run, err = d.Figures.Progress(ctx, tx, r.n.ID, i.Number); err != nil {
			return "", err
		}
		flying = flying || i.State == Stopped && stops[n].run.Counts[send.Claimed] > 0
	}
	if flying && tx.Now().Sub(r.received) < settleTime {
		return later, nil
	}
	var results []string
	if number > 0 {
		result, err := d.tellCorrectionHalted(ctx, tx, r, number)
		if err != nil || result == later {
			return result, err
		}
		results = append(results, result)
	}
	for _, h := range stops {
		result, err := d.tellHeld(ctx, tx, r, h, drop)
		if err != nil {
			return "", err
		}
		results = append(results, result)
	}
	return strings.Join(results, "; "), nil
}

// settleTime is how long the answer to a stop waits for copies that were on
// their way, so that it can count who has the issue.
const settleTime = 20 * time.Second

// later is the result of a decision that is not carried out to its end yet.
const later = "later"

// held is an issue that is being held back.
type held struct {
	issue *Issue
	was   State
	run   *send.Run // nil when it was never approved
}

// toHold lists the issues that a holding word reaches: the one that the mail
// is about if it can be held, else all that are on their way or scheduled.
func (d *Desk) toHold(ctx context.Context, tx *store.Tx, r *decisionRow) ([]*Issue, error) {
	if r.Number != 0 || r.paper != nil && r.paper.Issue != 0 {
		i, err := d.meant(ctx, tx, r)
		if err != nil {
			return nil, err
		}
		if i != nil && i.State != Sent && i.State != Cancelled {
			return []*Issue{i}, nil
		}
	}
	moving, err := issuesIn(ctx, tx, r.n.ID, Approved, Sending)
	if err != nil || len(moving) > 0 {
		return moving, err
	}
	return issuesIn(ctx, tx, r.n.ID, Held, Stopped)
}

// halt keeps an issue back at once.
func (d *Desk) halt(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue) error {
	was, to := i.State, Held
	if was == Sending || was == Stopped {
		to = Stopped
	}
	if was != to {
		if err := i.move(ctx, tx, to, r.who(), "hold"); err != nil {
			return err
		}
	}
	if was == Approved || was == Sending {
		if err := d.Press.Halt(ctx, tx, r.n.ID, i.Number, send.HaltHold); err != nil {
			return err
		}
	}
	return voidPapers(ctx, tx, i.ID)
}

// heldData are the figures of a hold: they add up to the whole list.
func (d *Desk) heldData(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, run *send.Run) (map[string]any, error) {
	data := map[string]any{"Number": i.Number, "Revision": i.Revision, "Was": "", "Goes": "", "Have": 0, "Maybe": 0, "Rest": 0, "Total": 0,
		"Stopped": i.State == Stopped}
	t, err := d.ownTime(ctx, tx, n, i)
	if err != nil {
		return nil, err
	}
	data["Goes"] = t.goes(tx.Now(), n)
	if i.State == Stopped {
		data["Have"], data["Maybe"], data["Rest"], data["Total"] = run.Counts[send.Sent], run.Counts[send.Ambiguous]+run.Counts[send.Claimed], rest(run), run.Total
	}
	return data, nil
}

// rest counts the readers of a run who do not have the issue and may still
// get it.
func rest(run *send.Run) int {
	c := run.Counts
	return c[send.Prepared] + c[send.Pending] + c[send.Deferred] + c[send.Held]
}

// tellHeld says what was held, and asks whether to drop it for good.
func (d *Desk) tellHeld(ctx context.Context, tx *store.Tx, r *decisionRow, h held, drop bool) (string, error) {
	i := h.issue
	data, err := d.heldData(ctx, tx, r.n, i, h.run)
	if err != nil {
		return "", err
	}
	if len(r.n.Editors) > 1 {
		data["By"] = r.n.nameOf(r.who())
	}
	if h.was == Approved {
		data["Was"] = r.n.when(i.SendAt, tx.Now())
	}
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil {
		return "", err
	}
	m := mail{paper: paper{Kind: paperStopped, Issue: i.ID, Revision: i.Revision}, number: i.Number}
	if row != nil {
		m.Digest = row.Digest
	}
	name := map[State]string{Held: "held", Stopped: "stopped"}[i.State]
	if !drop {
		return r.mailAll(ctx, tx, d, name, data, m)
	}
	if err := r.mailOthers(ctx, tx, d, name, data, m); err != nil {
		return "", err
	}
	m.Kind, m.Asks = paperQuestion, "drop"
	return r.mail(ctx, tx, d, "cancel-asked", data, &m)
}

// answerDrop is the answer to "shall I drop it for good?".
func (d *Desk) answerDrop(ctx context.Context, tx *store.Tx, r *decisionRow, yes bool) (string, error) {
	i, err := issueByID(ctx, tx, r.paper.Issue)
	if err != nil {
		return "", err
	}
	if !yes {
		return r.tell(ctx, tx, d, "kept", map[string]any{"Number": i.Number, "Stopped": i.State == Stopped})
	}
	if i.State != Held && i.State != Stopped {
		return d.unclear(ctx, tx, r, i)
	}
	run, err := d.Figures.Progress(ctx, tx, r.n.ID, i.Number)
	if err != nil {
		return "", err
	}
	data, err := d.heldData(ctx, tx, r.n, i, run)
	if err != nil {
		return "", err
	}
	to, how := Cancelled, send.HaltCancel
	if i.State == Stopped {
		to = Sent // those who have it have it; nobody else gets it
	}
	if err := i.move(ctx, tx, to, r.who(), "cancel"); err != nil {
		return "", err
	}
	if err := d.Press.Halt(ctx, tx, r.n.ID, i.Number, how); err != nil {
		return "", err
	}
	if to == Cancelled {
		if err := i.forget(ctx, tx); err != nil {
			return "", err
		}
	}
	return r.mailAll(ctx, tx, d, "dropped", data, mail{paper: paper{Kind: paperAnswer}})
}
