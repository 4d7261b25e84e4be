package send

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"galley/send/store"
)

// Pace is how fast copies may leave. Zero fields set no limit. Slips are
// counted but never wait: somebody waits for them.
type Pace struct {
	PerSecond float64 // of all mail
	ToDomain  float64 // a second, to one destination domain
	Quotas    []Quota // at most so many in a sliding window
	WarmUp    []int   // most copies on each of the first days of a new sender; no limit after them
}

// Quota is a limit of a provider: at most Most messages within any Window.
type Quota struct {
	Most   int
	Window time.Duration
}

const (
	day = 24 * time.Hour
	// horizon is how far ahead deliveries are claimed for when a limit holds
	// them back, and how long a line waits for its turn.
	horizon = 2 * time.Second
	// domainWait is how long a line waits for the turn of one domain, while
	// it could carry mail to others. It is a little more than a tick.
	domainWait = 600 * time.Millisecond
	// panes is into how many parts a window is cut; it slides by one.
	panes = 120
)

// pacer lets messages go one after the other as a Pace allows.
type pacer struct {
	whole   Pace // of all machines together
	pace    Pace // this machine's share of it
	portion portion

	mu      sync.Mutex
	next    time.Time         // when the next message may go
	domains map[string]*turns // and to a domain
	windows []*window
	since   time.Time // the first message ever, for the warm-up
}

// turns are when the next message to a domain may go, and when the next of
// those may come back that had to be put off: each has a time of its own.
type turns struct{ next, putOff time.Time }

// window counts the messages of a sliding window. It forgets a pane at a time
// and only when all of it is out, so it never allows too many.
type window struct {
	quota Quota
	count [panes + 1]int
	at    int64 // number of the newest pane
	sum   int
}

func (w *window) slide(now time.Time) {
	for at := now.UnixNano() / int64(w.quota.Window/panes); w.at < at; {
		if at-w.at > panes { // nothing of what it holds is left
			*w = window{quota: w.quota, at: at}
			return
		}
		w.at++
		i := w.at % (panes + 1)
		w.sum -= w.count[i]
		w.count[i] = 0
	}
}

func (w *window) add(now time.Time, n int) {
	w.slide(now)
	w.count[w.at%(panes+1)] += n
	w.sum += n
}

// free tells when there will be room for one more.
func (w *window) free(now time.Time) time.Duration {
	w.slide(now)
	if w.sum < w.quota.Most {
		return 0
	}
	pane := w.quota.Window / panes
	for i, left := int64(1), w.sum; i <= panes+1; i++ {
		left -= w.count[(w.at+i)%(panes+1)]
		if left < w.quota.Most {
			return time.Unix(0, (w.at+i)*int64(pane)).Sub(now)
		}
	}
	return w.quota.Window
}

func newPacer(p Pace) *pacer {
	c := &pacer{whole: p, domains: map[string]*turns{}}
	c.split(portion{of: 1})
	return c
}

// free tells that there are no limits at all.
func (p *Pace) free() bool {
	return p.PerSecond <= 0 && p.ToDomain <= 0 && len(p.Quotas) == 0 && len(p.WarmUp) == 0
}

// remember counts what left before, from whatever machine: a quota of a day
// does not begin anew with every start. More are about to leave.
func (p *pacer) remember(ctx context.Context, db *store.DB, more int) error {
	if len(p.windows) == 0 {
		return nil
	}
	longest := time.Duration(0)
	for _, w := range p.windows {
		longest = max(longest, w.quota.Window)
	}
	var first store.NullInt64
	var left []time.Time
	err := db.View(ctx, func(tx *store.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT min(at) FROM attempt`).Scan(&first); err != nil {
			return fmt.Errorf("what left before: %w", err)
		}
		rows, err := tx.QueryContext(ctx, `SELECT at FROM attempt WHERE at > $1 ORDER BY at`, store.Micros(tx.Now().Add(-longest)))
		left, err = collect(rows, err, func(row scanner) (time.Time, error) {
			var at int64
			err := row.Scan(&at)
			return store.Instant(at), err
		})
		return err
	})
	if err == nil {
		p.count(time.Now(), store.Instant(first.Int64), left, more)
	}
	return err
}

// count fills the windows anew.
func (p *pacer) count(now, since time.Time, left []time.Time, more int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = since
	for _, w := range p.windows {
		*w = window{quota: w.quota}
		for _, at := range left {
			if now.Sub(at) < w.quota.Window {
				w.add(at, 1)
			}
		}
		w.add(now, more)
	}
}

// warm brings the last window up to the day of the warm-up, and takes it away
// when that is over.
func (p *pacer) warm(now time.Time) {
	if len(p.windows) == len(p.whole.Quotas) {
		return
	}
	if p.since.IsZero() {
		p.since = now
	}
	d := int(now.Sub(p.since) / day)
	if d >= len(p.pace.WarmUp) {
		p.windows = p.windows[:len(p.whole.Quotas)]
		return
	}
	p.windows[len(p.windows)-1].quota.Most = p.pace.WarmUp[max(d, 0)]
}

// allowance is how many copies may be claimed now: what goes within the
// horizon, at most most.
func (p *pacer) allowance(now time.Time, most int) int {
	if p.whole.free() {
		return most
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warm(now)
	if p.pace.PerSecond > 0 {
		most = min(most, max(1, int(p.pace.PerSecond*horizon.Seconds())))
		if p.next.Sub(now) > horizon {
			return 0
		}
	}
	for _, w := range p.windows {
		w.slide(now)
		most = min(most, max(0, w.quota.Most-w.sum))
	}
	return most
}

// admit lets one message to an address go after the time that it returns. When
// that is too long, ok is false: nothing was counted, and the message is to
// come again after the time.
func (p *pacer) admit(now time.Time, to string, slip bool) (wait time.Duration, ok bool) {
	if p.whole.free() {
		return 0, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warm(now)
	_, domain, _ := strings.Cut(to, "@")
	if !slip {
		if wait = p.wait(now); wait > horizon {
			return wait, false
		}
		if again, put := p.putOff(now, domain); put {
			return again, false
		}
		wait = max(wait, p.turn(domain).next.Sub(now))
	}
	at := now.Add(wait)
	if p.pace.PerSecond > 0 {
		p.next = later(p.next, at).Add(time.Duration(float64(time.Second) / p.pace.PerSecond))
	}
	if p.pace.ToDomain > 0 {
		t := p.turn(domain)
		t.next = later(t.next, at).Add(time.Duration(float64(time.Second) / p.pace.ToDomain))
	}
	for _, w := range p.windows {
		w.add(now, 1)
	}
	return wait, true
}

// wait is how long the limits of all mail hold the next message back.
func (p *pacer) wait(now time.Time) time.Duration {
	wait := max(p.next.Sub(now), 0)
	for _, w := range p.windows {
		wait = max(wait, w.free(now))
	}
	return wait
}

// clear tells whether a message to an address could go at once.
func (p *pacer) clear(now time.Time, to string) bool {
	if p.whole.free() {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, domain, _ := strings.Cut(to, "@")
	return p.wait(now) == 0 && !p.turn(domain).next.After(now)
}

// putOff gives a message whose domain has no turn soon a time to come again.
func (p *pacer) putOff(now time.Time, domain string) (again time.Duration, put bool) {
	if p.pace.ToDomain <= 0 {
		return 0, false
	}
	t := p.turn(domain)
	if t.next.Sub(now) <= domainWait {
		return 0, false
	}
	at := later(t.putOff, t.next)
	t.putOff = at.Add(time.Duration(float64(time.Second) / p.pace.ToDomain))
	return at.Sub(now), true
}

// turn finds the turns of a domain. Those that nothing waits for are forgotten
// when there are many.
func (p *pacer) turn(domain string) *turns {
	t := p.domains[domain]
	if t == nil {
		if len(p.domains) >= 10_000 {
			now := time.Now()
			for d, t := range p.domains {
				if t.next.Before(now) && t.putOff.Before(now) {
					delete(p.domains, d)
				}
			}
		}
		t = &turns{}
		p.domains[domain] = t
	}
	return t
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
