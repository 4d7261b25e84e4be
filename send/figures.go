package send

import (
	"context"
	"strconv"
	"strings"
	"time"

	"galley/send/store"
)

// Audience counts those who would get an issue now.
func (q *Queue) Audience(ctx context.Context, tx *store.Tx, newsletter string) (int, error) {
	c, err := q.Readers.Count(ctx, tx, newsletter)
	return c.Active, err
}

// Progress tells how far an issue has come; nil when it was never published.
func (q *Queue) Progress(ctx context.Context, tx *store.Tx, newsletter string, issue int) (*Run, error) {
	e, err := newest(ctx, tx, newsletter, issue)
	if err != nil || e == nil {
		return nil, err
	}
	r := &Run{Newsletter: newsletter, Issue: issue, Revision: e.Revision, Digest: e.Digest, State: e.State,
		Reason: e.Reason, SendAt: e.SendAt, Ended: e.Ended}
	if r.Counts, err = counts(ctx, tx, newsletter, issue); err != nil {
		return nil, err
	}
	for _, n := range r.Counts {
		r.Total += n
	}
	r.Out = e.State == Sending && r.Waiting() == r.Counts[Deferred]+r.Counts[Ambiguous]
	if err := r.park(ctx, tx, e.ID); err != nil {
		return nil, err
	}
	var started store.NullInt64
	err = tx.QueryRowContext(ctx, `SELECT min(frozen) FROM edition WHERE newsletter = $1 AND issue = $2 AND frozen > 0`,
		newsletter, issue).Scan(&started)
	r.Started = store.Instant(started.Int64)
	return r, err
}

// counts is how many readers of an issue stand where, whatever edition.
func counts(ctx context.Context, tx *store.Tx, newsletter string, issue int) (map[State]int, error) {
	rows, err := tx.QueryContext(ctx, `SELECT state, count(*) FROM delivery
		WHERE edition IN (SELECT id FROM edition WHERE newsletter = $1 AND issue = $2) GROUP BY state`,
		newsletter, issue)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[State]int{}
	for rows.Next() {
		var s State
		var n int
		if err := rows.Scan(&s, &n); err != nil {
			return nil, err
		}
		all[s] = n
	}
	return all, rows.Err()
}

// Failures lists the readers of an issue who did not get their copy, or not
// yet, with the servers' own words; the settled first.
func (q *Queue) Failures(ctx context.Context, tx *store.Tx, newsletter string, issue int) ([]Failure, error) {
	rows, err := tx.QueryContext(ctx, `SELECT subscriber, address, state, class, code, status, reply, attempts, changed, due
		FROM delivery WHERE newsletter = $1 AND issue = $2 AND state IN ('failed', 'expired', 'held', 'deferred', 'ambiguous')
		ORDER BY state DESC, id`, newsletter, issue)
	return collect(rows, err, func(row scanner) (f Failure, err error) {
		var at, due int64
		err = row.Scan(&f.Subscriber, &f.Address, &f.State, &f.Class, &f.Code, &f.Status, &f.Reply, &f.Attempts, &at, &due)
		f.At = store.Instant(at)
		if f.State == Deferred || f.State == Ambiguous {
			f.Due = store.Instant(due)
		}
		return f, err
	})
}

// Issued is a mail of ours that a Message-ID names. Kind is "delivery" or the
// kind of the slip.
type Issued struct {
	Kind           string
	Delivery, Slip int64 // one of them is not 0
	Issue          int   // of a delivery
	Subscriber     int64 // of a delivery
	Address        string
}

// Issued tells whether a Message-ID is one of ours, and which.
func (q *Queue) Issued(ctx context.Context, tx *store.Tx, newsletter, messageID string) (Issued, bool, error) {
	i := Issued{}
	err := tx.QueryRowContext(ctx, `SELECT id, kind, address FROM slip WHERE newsletter = $1 AND message_id = $2`,
		newsletter, messageID).Scan(&i.Slip, &i.Kind, &i.Address)
	if err == nil || !store.NotFound(err) {
		return i, err == nil, err
	}
	n := q.Newsletters[newsletter]
	parts := strings.Split(strings.TrimPrefix(messageID, "<"), ".")
	if n == nil || len(parts) < 3 {
		return Issued{}, false, nil
	}
	id, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Issued{}, false, nil
	}
	var edition int64
	err = tx.QueryRowContext(ctx, `SELECT id, edition, issue, subscriber, address FROM delivery WHERE id = $1 AND newsletter = $2`,
		id, newsletter).Scan(&i.Delivery, &edition, &i.Issue, &i.Subscriber, &i.Address)
	if err != nil {
		if store.NotFound(err) {
			err = nil
		}
		return Issued{}, false, err
	}
	// The domain is not compared: it may have changed since.
	mark, _, _ := strings.Cut(parts[2], "@")
	if parts[0] != strconv.Itoa(i.Issue) || mark != n.Keys.mark(edition, id) {
		return Issued{}, false, nil
	}
	i.Kind, i.Issue = "delivery", max(i.Issue, -i.Issue) // an answer to a correction is about the issue
	return i, true, nil
}

// Waiting is how many rows of one issue, or slips of one newsletter where
// Issue is 0, wait in one state.
type Waiting struct {
	Newsletter string
	Issue      int
	State      State
	Count      int
	Due        time.Time // of the earliest
	Reply      string    // one of the servers' answers
}

// Waiting lists what is still to go, of all newsletters, and what is kept back
// until an operator lets it go.
func (q *Queue) Waiting(ctx context.Context, tx *store.Tx) ([]Waiting, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT newsletter, issue, state, count(*), min(due), max(reply) FROM delivery
		WHERE edition IN (SELECT id FROM edition WHERE state IN ('approved', 'held', 'sending', 'paused'))
			AND state IN ('prepared', 'pending', 'claimed', 'deferred', 'ambiguous') AND due >= 0 GROUP BY newsletter, issue, state
		UNION ALL
		SELECT newsletter, issue, state, count(*), 0, max(reply) FROM delivery
		WHERE edition IN (SELECT id FROM edition WHERE state IN ('sending', 'paused', 'done')) AND state = 'held' AND due >= 0
		GROUP BY newsletter, issue, state
		UNION ALL
		SELECT newsletter, 0, state, count(*), min(due), max(reply) FROM slip
		WHERE state IN ('pending', 'claimed', 'deferred', 'ambiguous') GROUP BY newsletter, state
		ORDER BY 1, 2, 3`)
	return collect(rows, err, func(row scanner) (w Waiting, err error) {
		var due int64
		err = row.Scan(&w.Newsletter, &w.Issue, &w.State, &w.Count, &due, &w.Reply)
		w.Due = store.Instant(due)
		return w, err
	})
}

// published is the newest edition of each issue that went out, at least to
// some.
const published = ` FROM edition WHERE newsletter = $1 AND issue > 0 AND frozen > 0 AND state <> 'withdrawn'
	AND NOT EXISTS (SELECT 1 FROM edition later WHERE later.newsletter = edition.newsletter
		AND later.issue = edition.issue AND later.id > edition.id AND later.frozen > 0 AND later.state <> 'withdrawn')`

// Published lists what the archive shows, the newest issue first, without the
// bodies.
func (q *Queue) Published(ctx context.Context, tx *store.Tx, newsletter string) ([]*Edition, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, issue, revision, slug, title, subtitle, date, subject, state, send_at, frozen`+
		published+` ORDER BY issue DESC`, newsletter)
	return collect(rows, err, func(row scanner) (*Edition, error) {
		e := &Edition{Newsletter: newsletter}
		var sendAt, frozen int64
		err := row.Scan(&e.ID, &e.Issue, &e.Revision, &e.Slug, &e.Title, &e.Subtitle, &e.Date, &e.Subject, &e.State, &sendAt, &frozen)
		e.SendAt, e.Frozen = store.Instant(sendAt), store.Instant(frozen)
		return e, err
	})
}

// Page returns the whole edition with a slug; store.NotFound tells of none.
func (q *Queue) Page(ctx context.Context, tx *store.Tx, newsletter, slug string) (*Edition, error) {
	return scanEdition(tx.QueryRowContext(ctx, `SELECT `+editionColumns+published+` AND slug = $2 ORDER BY issue DESC LIMIT 1`, newsletter, slug))
}
