package compose

import (
	"context"
	"errors"

	"galley/send/store"
)

// asksMachine is the question whether readers may be mailed from this machine.
const asksMachine = "machine"

// askMachine asks every editor, once a start, whether the machine on which the
// desk finds itself is the right one.
func (d *Desk) askMachine(ctx context.Context) error {
	var todo []string
	err := d.DB.View(ctx, func(tx *store.Tx) error {
		since, err := d.Figures.Away(ctx, tx)
		if err != nil || since.IsZero() {
			return err
		}
		for id := range d.Newsletters {
			var asked int
			err = errors.Join(err, tx.QueryRowContext(ctx, `SELECT count(*) FROM proof WHERE newsletter = $1 AND asks = $2 AND made >= $3`,
				id, asksMachine, store.Micros(since)).Scan(&asked))
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
	open, err := issuesIn(ctx, tx, n.ID, Approved, Sending, Stopped)
	if err != nil {
		return err
	}
	var going []string
	for _, i := range open {
		run, err := d.Figures.Progress(ctx, tx, n.ID, i.Number)
		if err != nil {
			return err
		}
		line := i.standing(tx.Now(), n)
		if run != nil && i.State != Approved {
			line += " " + n.phrase("have-it", map[string]any{"Have": run.Total - run.Waiting(), "Total": run.Total})
		}
		going = append(going, line)
	}
	for _, e := range n.Editors {
		r := &decisionRow{n: n, Editor: e.Addr}
		if _, err := r.mail(ctx, tx, d, "machine-asked", map[string]any{"Going": going}, &mail{paper: paper{Kind: paperQuestion, Asks: asksMachine}}); err != nil {
			return err
		}
	}
	return nil
}

// answerMachine is the editor's word about the machine.
func (d *Desk) answerMachine(ctx context.Context, tx *store.Tx, r *decisionRow, yes bool) (string, error) {
	if !yes {
		return r.tell(ctx, tx, d, "machine-no", map[string]any{})
	}
	if err := d.Press.MoveIn(ctx, tx); err != nil {
		return "", err
	}
	m := mail{paper: paper{Kind: paperAnswer}}
	if err := r.mailOthers(ctx, tx, d, "machine-yes", map[string]any{"By": r.n.nameOf(r.who())}, m); err != nil {
		return "", err
	}
	return r.mail(ctx, tx, d, "machine-yes", map[string]any{"By": ""}, &m)
}
