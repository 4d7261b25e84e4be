package compose

import (
	"context"
	"galley/templates"
	"slices"
	"strconv"
	"time"

	"galley/send"
	"galley/send/store"
)

// Event is something that happened to an issue.
type Event struct {
	At   time.Time
	Who  string // an address, or the part of the house that did it
	What string // one of the words below, or how the audit has it
	Note string // a revision, a Subject, a reason
}

// Timeline lists what happened to an issue, the oldest first: its drafts, its
// proofs and other papers, who approved, held and dropped it, the first copy,
// the run and the reports.
func (d *Desk) Timeline(ctx context.Context, tx *store.Tx, newsletter string, number int) ([]Event, error) {
	i, err := issueByNumber(ctx, tx, newsletter, number)
	if err != nil || i == nil {
		return nil, err
	}
	var all []Event
	for _, q := range timelineOf {
		some, err := events(ctx, tx, q, i.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	run, err := d.Figures.Progress(ctx, tx, newsletter, number)
	if err != nil {
		return nil, err
	}
	all = append(all, runEvents(run)...)
	slices.SortStableFunc(all, func(a, b Event) int { return a.At.Compare(b.At) })
	return all, nil
}

// timelineOf are the rows that tell of an issue: an instant, who, what, and a
// note or a revision.
var timelineOf = []string{
	`SELECT received, editor, 'draft', subject, revision FROM draft WHERE issue = $1 AND revision > 0`,
	`SELECT at, who, what, CASE was WHEN became THEN '' ELSE became END, revision FROM audit WHERE issue = $1 AND what <> 'draft'`,
	`SELECT made, editor, kind, '', revision FROM proof WHERE issue = $1 AND kind IN ('proof', 'reminder', 'stopped', 'question', 'report', 'copy')`,
	`SELECT at, who, 'approval', '', revision FROM approval WHERE issue = $1`,
}

func events(ctx context.Context, tx *store.Tx, query string, issue int64) (all []Event, err error) {
	rows, err := tx.QueryContext(ctx, query+` ORDER BY 1`, issue)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e Event
		var at int64
		var revision int
		if err := rows.Scan(&at, &e.Who, &e.What, &e.Note, &revision); err != nil {
			return nil, err
		}
		e.At = store.Instant(at)
		if e.What == "proof" || e.What == "draft" {
			e.What += " " + strconv.Itoa(revision)
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// runEvents are the ends of a run.
func runEvents(run *send.Run) (all []Event) {
	if run == nil {
		return nil
	}
	if !run.Started.IsZero() {
		all = append(all, Event{At: run.Started, Who: "press", What: "run begins", Note: templates.Count(run.Total, "reader", "readers")})
	}
	if !run.Ended.IsZero() {
		all = append(all, Event{At: run.Ended, Who: "press", What: "run ends", Note: string(run.State)})
	}
	return all
}
