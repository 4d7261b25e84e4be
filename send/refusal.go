package send

import (
	"context"
	"fmt"
	"time"

	"galley/send/store"
)

// Refusing is a provider that refuses us. Its readers' copies wait until the
// issue is resumed.
type Refusing struct {
	Provider string
	Reason   string // how many replies, and the servers' own words
	At       time.Time
}

// parkedFor is how long a copy for a provider that refuses us waits before it
// is looked at again, and put off again unless the issue was resumed. It is no
// longer than capDue lets a row wait.
const parkedFor = 8 * time.Hour

// parked is the verdict on a task whose provider refuses us: nothing was sent
// and nobody is charged.
func parked(t *task, why string, now time.Time) verdict {
	return verdict{state: Deferred, due: now.Add(parkedFor), first: t.first, class: ClassOurs, parked: true, outcome: Outcome{Verdict: Later, Transcript: why}}
}

// refusals lists the providers that refuse an edition.
func refusals(ctx context.Context, tx *store.Tx, edition int64) ([]Refusing, error) {
	rows, err := tx.QueryContext(ctx, `SELECT provider, reason, at FROM refusal WHERE edition = $1 ORDER BY at, provider`, edition)
	return collect(rows, err, func(row scanner) (r Refusing, err error) {
		var at int64
		err = row.Scan(&r.Provider, &r.Reason, &at)
		r.At = store.Instant(at)
		return r, err
	})
}

// park sets which providers refuse an edition and how many readers wait for that.
func (r *Run) park(ctx context.Context, tx *store.Tx, edition int64) (err error) {
	if r.Refusals, err = refusals(ctx, tx, edition); err != nil || len(r.Refusals) == 0 {
		return err
	}
	return tx.QueryRowContext(ctx, `SELECT count(*) FROM delivery WHERE edition = $1 AND state = 'deferred' AND due >= 0 AND class = 'ours'`, edition).Scan(&r.Parked)
}

// heed brings what is in memory of an edition's refusals up to date.
func (e *engine) heed(ctx context.Context, tx *store.Tx, edition int64) error {
	b := e.breaker(edition)
	version := b.version()
	all, err := refusals(ctx, tx, edition)
	if err != nil {
		return fmt.Errorf("edition %d: refusals: %w", edition, err)
	}
	shut := map[string]string{}
	for _, r := range all {
		shut[r.Provider] = r.Reason
	}
	tx.AfterCommit(func() { b.learn(shut, version) })
	return nil
}

// leaveAlone writes down that the copies for a provider wait.
func (e *engine) leaveAlone(ctx context.Context, tx *store.Tx, edition int64, t trip) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO refusal (edition, provider, reason, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (edition, provider) DO NOTHING`, edition, t.provider, t.reason, store.Micros(tx.Now()))
	tx.AfterCommit(e.q.look.Ring)
	return err
}

// unblame tries again those who were refused because of us, as if for the
// first time: the days that they waited for a resume are not theirs.
func unblame(ctx context.Context, tx *store.Tx, e *Edition) error {
	_, err := tx.ExecContext(ctx, `UPDATE delivery SET state = 'pending', due = 0, first = 0, changed = $1
		WHERE newsletter = $2 AND issue = $3 AND state = 'deferred' AND class = 'ours'`,
		store.Micros(tx.Now()), e.Newsletter, e.Issue)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM refusal WHERE edition = $1`, e.ID)
	return err
}
