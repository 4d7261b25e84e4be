package send

import (
	"context"
	"fmt"
	"strings"

	"galley/send/list"
	"galley/send/store"
)

// Correct puts a corrected text of an issue that went out into the archive
// and the feed, in the place of the one before. Nobody is mailed.
func (q *Queue) Correct(ctx context.Context, tx *store.Tx, e *Edition) error {
	if err := q.Archive(ctx, tx, e); err != nil {
		return err
	}
	// Archive dates an issue by its slot; a correction is as old as it is.
	_, err := tx.ExecContext(ctx, `UPDATE edition SET prepared = $1, frozen = $2, ended = $3 WHERE id = $4`,
		store.Micros(tx.Now()), store.Micros(tx.Now()), store.Micros(tx.Now()), e.ID)
	return err
}

// Correction is the number under which the correction of an issue is mailed:
// the issue's own, below zero. The key (newsletter, issue, subscriber) then
// gives each reader one correction at most, and no correction is ever taken
// for the issue itself.
func Correction(issue int) int { return -issue }

// Corrects is the issue that an edition corrects, 0 if none.
func (e *Edition) Corrects() int { return max(-e.Issue, 0) }

// number is how people know an edition: by its issue.
func (e *Edition) number() int { return max(e.Issue, -e.Issue) }

// sort is what an edition is, for the Feedback-ID.
func (e *Edition) sort() string {
	if e.Corrects() > 0 {
		return "correction"
	}
	return "issue"
}

// concerned keeps of some readers those whom an edition is for: everybody, or
// for a correction those who have the issue.
func concerned(ctx context.Context, tx *store.Tx, e *Edition, readers []list.Subscriber) ([]list.Subscriber, error) {
	if e.Corrects() == 0 || len(readers) == 0 {
		return readers, nil
	}
	var marks []string
	args := []any{e.Newsletter, e.Corrects()}
	for _, r := range readers {
		args = append(args, r.ID)
		marks = append(marks, fmt.Sprintf("$%d", len(args)))
	}
	rows, err := tx.QueryContext(ctx, `SELECT subscriber FROM delivery WHERE newsletter = $1 AND issue = $2 AND state IN ('sent', 'ambiguous')
		AND subscriber IN (`+strings.Join(marks, ", ")+`)`, args...)
	ids, err := collect(rows, err, func(row scanner) (id int64, err error) { return id, row.Scan(&id) })
	if err != nil {
		return nil, err
	}
	have := map[int64]bool{}
	for _, id := range ids {
		have[id] = true
	}
	var out []list.Subscriber
	for _, r := range readers {
		if have[r.ID] {
			out = append(out, r)
		}
	}
	return out, nil
}
