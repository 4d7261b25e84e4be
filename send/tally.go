package send

import (
	"context"

	"galley/send/store"
)

// Tally is how the copies of one issue fared.
type Tally struct {
	Issue int
	Total int // readers whom it was to reach
	Taken int // copies that the readers' servers have
	Lost  int // copies that failed, expired or came back
}

// Tallies tells how the newest issues fared, at most so many, the oldest
// first. An issue that was only put into the archive has no copies and is
// left out.
func (q *Queue) Tallies(ctx context.Context, tx *store.Tx, newsletter string, most int) ([]Tally, error) {
	rows, err := tx.QueryContext(ctx, `SELECT issue, state, count(*) FROM delivery
		WHERE newsletter = $1 AND issue IN (SELECT DISTINCT issue FROM edition WHERE newsletter = $2 AND issue > 0 AND frozen > 0
			AND EXISTS (SELECT 1 FROM delivery WHERE delivery.newsletter = edition.newsletter AND delivery.issue = edition.issue)
			ORDER BY issue DESC LIMIT $3)
		GROUP BY issue, state ORDER BY issue`, newsletter, newsletter, most)
	type line struct {
		issue, count int
		state        State
	}
	lines, err := collect(rows, err, func(row scanner) (l line, err error) {
		err = row.Scan(&l.issue, &l.state, &l.count)
		return l, err
	})
	var out []Tally
	for _, l := range lines {
		if len(out) == 0 || out[len(out)-1].Issue != l.issue {
			out = append(out, Tally{Issue: l.issue})
		}
		out[len(out)-1].add(l.state, l.count)
	}
	return out, err
}

func (t *Tally) add(s State, n int) {
	t.Total += n
	switch s {
	case Sent:
		t.Taken += n
	case Failed, Expired:
		t.Lost += n
	}
}

// Came tells of how many copies of an issue a return came that counts: those
// that a server took and then gave back, and those whose reader complained.
func (q *Queue) Came(ctx context.Context, tx *store.Tx, newsletter string, issue int) (bounces, complaints int, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT return.class = 'complaint', count(DISTINCT return.delivery) FROM return
		JOIN delivery ON delivery.id = return.delivery
		WHERE delivery.newsletter = $1 AND delivery.issue = $2 AND return.counted AND return.state = 'done' GROUP BY 1`, newsletter, issue)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var complaint bool
		var n int
		err := row.Scan(&complaint, &n)
		if complaint {
			complaints = n
		} else {
			bounces = n
		}
		return struct{}{}, err
	})
	return bounces, complaints, err
}
