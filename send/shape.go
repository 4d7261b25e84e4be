package send

import (
	"context"
	"slices"
	"strings"
	"time"

	"galley/send/store"
)

// ages are where the columns of a Destination end: what waits for up to that
// long is counted there, and what waits for longer in one column more.
var ages = [...]time.Duration{5 * time.Minute, 20 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour, day, 3 * day}

// Ages are the columns of a Destination, as they are headed.
var Ages = [...]string{"5m", "20m", "1h", "4h", "12h", "1d", "3d", "3d+"}

// Destination is what waits for one domain, by how long it has been waiting:
// since its first try, or else since its issue began.
type Destination struct {
	Domain string
	Total  int
	ByAge  [len(Ages)]int
	Due    time.Time // of what is tried next; zero when a line is all it needs
	Reply  string    // what the domain's server last said, "" when it was not asked
}

func (d *Destination) add(age time.Duration, due time.Time, reply string, now time.Time) {
	column := 0
	for column < len(ages) && age > ages[column] {
		column++
	}
	d.ByAge[column]++
	d.Total++
	if due.After(now) && (d.Due.IsZero() || due.Before(d.Due)) {
		d.Due = due
	}
	if reply != "" {
		d.Reply = reply
	}
}

// Shape tells for whom mail waits that could have gone by now, the domain with
// the most of it first. What waits for its slot, or by hand, is not in it.
func (q *Queue) Shape(ctx context.Context, tx *store.Tx) ([]*Destination, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT address, CASE first WHEN 0 THEN frozen ELSE first END, due, reply FROM delivery JOIN edition ON edition.id = delivery.edition
		WHERE edition.state IN ('sending', 'paused') AND delivery.state IN ('pending', 'claimed', 'deferred', 'ambiguous') AND delivery.due >= 0
		UNION ALL
		SELECT address, CASE first WHEN 0 THEN made ELSE first END, due, reply FROM slip
		WHERE state IN ('pending', 'claimed', 'deferred', 'ambiguous')`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	of := map[string]*Destination{}
	for rows.Next() {
		var address, reply string
		var since, due int64
		if err := rows.Scan(&address, &since, &due, &reply); err != nil {
			return nil, err
		}
		domain := strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
		if of[domain] == nil {
			of[domain] = &Destination{Domain: domain}
		}
		of[domain].add(tx.Now().Sub(store.Instant(since)), store.Instant(due), reply, tx.Now())
	}
	var all []*Destination
	for _, d := range of {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *Destination) int {
		if a.Total != b.Total {
			return b.Total - a.Total
		}
		return strings.Compare(a.Domain, b.Domain)
	})
	return all, rows.Err()
}

// pulseTime is over how long the speed of a run is measured.
const pulseTime = time.Minute

// Pulse is how fast an issue goes now: copies taken a second, over the last
// minute or since it began or went on, and how long the first pass takes at that speed;
// 0 when it stands, or is over.
func (q *Queue) Pulse(ctx context.Context, tx *store.Tx, r *Run) (perSecond float64, left time.Duration, err error) {
	if r.State != Sending || r.Started.IsZero() {
		return 0, 0, nil
	}
	var changed, n int64
	err = tx.QueryRowContext(ctx, `SELECT max(changed) FROM edition WHERE newsletter = $1 AND issue = $2 AND state = 'sending'`,
		r.Newsletter, r.Issue).Scan(&changed)
	if err != nil {
		return 0, 0, err
	}
	span := min(pulseTime, max(tx.Now().Sub(store.Instant(changed)), time.Second))
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM delivery
		WHERE edition IN (SELECT id FROM edition WHERE newsletter = $1 AND issue = $2) AND state = 'sent' AND changed > $3`,
		r.Newsletter, r.Issue, store.Micros(tx.Now().Add(-span))).Scan(&n)
	if err != nil || n == 0 {
		return 0, 0, err
	}
	perSecond = float64(n) / span.Seconds()
	waiting := r.Counts[Pending] + r.Counts[Claimed]
	return perSecond, time.Duration(float64(waiting) / perSecond * float64(time.Second)).Round(time.Second), nil
}
