package compose

import (
	"context"
	"strings"

	"galley/send"
	"galley/send/store"
)

// hold keeps back whatever has not left. Held words are read kindly: when it
// is not clear which issue is meant, all are held (conversation.md 2).
func (d *Desk) hold(ctx context.Context, tx *store.Tx, r *decisionRow, drop bool) (string, error) {
	issues, err := d.toHold(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if len(issues) == 0 {
		return r.tell(ctx, tx, d, "nothing-held", map[string]any{"Open": d.standing(ctx, tx, r)})
	}
	var results []string
	for _, i := range issues {
		result, err := d.holdOne(ctx, tx, r, i, drop)
		if err != nil {
			return "", err
		}
		results = append(results, result)
	}
	return strings.Join(results, "; "), nil
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

func (d *Desk) holdOne(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, drop bool) (string, error) {
	wasAt, was := i.SendAt, i.State
	to := Held
	if i.State == Sending || i.State == Stopped {
		to = Stopped
	}
	if i.State != to {
		if err := i.move(ctx, tx, to, r.who(), "hold"); err != nil {
			return "", err
		}
	}
	if was == Approved || was == Sending {
		if err := d.Press.Halt(ctx, tx, r.n.ID, i.Number, send.HaltHold); err != nil {
			return "", err
		}
	}
	if err := voidPapers(ctx, tx, i.ID); err != nil {
		return "", err
	}
	data, err := d.heldData(ctx, tx, r.n, i)
	if err != nil {
		return "", err
	}
	if was == Approved {
		data["Was"] = When(wasAt, tx.Now(), r.n.Zone)
	}
	return d.tellHeld(ctx, tx, r, i, data, drop)
}

// heldData are the figures of a hold: they add up to the whole list.
func (d *Desk) heldData(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) (map[string]any, error) {
	data := map[string]any{"Number": i.Number, "Revision": i.Revision, "Was": "", "Goes": "", "Have": 0, "Maybe": 0, "Rest": 0, "Total": 0}
	if at, _, err := d.ownTime(ctx, tx, n, i); err != nil {
		return nil, err
	} else if !at.IsZero() {
		data["Goes"] = When(at, tx.Now(), n.Zone)
	}
	if i.State != Stopped {
		return data, nil
	}
	run, err := d.Figures.Progress(ctx, tx, n.ID, i.Number)
	if err != nil {
		return nil, err
	}
	data["Have"], data["Maybe"], data["Rest"], data["Total"] = run.Counts[send.Sent], run.Counts[send.Ambiguous]+run.Counts[send.Claimed], rest(run), run.Total
	return data, nil
}

// rest counts the readers of a run who do not have the issue and may still
// get it.
func rest(run *send.Run) int {
	c := run.Counts
	return c[send.Prepared] + c[send.Pending] + c[send.Deferred] + c[send.Held]
}

func (d *Desk) tellHeld(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, data map[string]any, drop bool) (string, error) {
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
		return r.tell(ctx, tx, d, "kept", map[string]any{"Number": i.Number})
	}
	if i.State != Held && i.State != Stopped {
		return d.unclear(ctx, tx, r, i)
	}
	data, err := d.heldData(ctx, tx, r.n, i)
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
