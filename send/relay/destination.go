package relay

import (
	"context"
	"sync"
	"time"

	"galley/send"
)

// destination is what is known of one domain, and how many lines may lead to
// it: a few at first, one more for each as many successes as there are lines,
// fewer after faults; none for a while when as many in a row have failed as
// might be open, a cohort (Postfix's scheduler does the same).
type destination struct {
	domain string

	mu     sync.Mutex
	limit  float64 // lines that may be open
	open   int
	failed float64   // cohorts that failed in a row
	faults int       // rests in a row
	until  time.Time // nobody tries before
	freed  chan struct{}
}

// deadFor are the waits of a destination that is dead; the last repeats.
var deadFor = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute}

// enter takes a place for a line, waiting a little for one. Without a place the
// outcome says when to ask again; nobody is charged for it.
func (d *destination) enter(ctx context.Context, most int) (send.Outcome, bool) {
	late := time.NewTimer(waitForLine)
	defer late.Stop()
	for {
		again, ok := d.take(most)
		if ok {
			return send.Outcome{}, true
		}
		if !again.IsZero() {
			return d.resting(again), false
		}
		select {
		case <-d.freed:
		case <-late.C:
			return d.resting(time.Now().Add(askAgainSoon)), false
		case <-ctx.Done():
			return unsent(send.Later, send.StageConnect, "given up: "+context.Cause(ctx).Error(), true), false
		}
	}
}

func (d *destination) resting(until time.Time) send.Outcome {
	o := unsent(send.Later, send.StageConnect, "waits for its turn at "+d.domain, true)
	o.Again = until
	return o
}

// take takes a place, or tells until when there is none; the zero time says
// that all are in use.
func (d *destination) take(most int) (again time.Time, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case time.Now().Before(d.until):
		return d.until, false
	case d.open >= min(int(d.limit), most):
		return time.Time{}, false
	}
	d.open++
	return time.Time{}, true
}

// leave gives a place back.
func (d *destination) leave() {
	d.mu.Lock()
	d.open--
	d.mu.Unlock()
	select {
	case d.freed <- struct{}{}:
	default:
	}
}

// fine counts an answer that a message got.
func (d *destination) fine(most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed, d.faults = 0, 0
	d.limit = min(d.limit+1/d.limit, float64(most))
}

// fault counts a line that could not be had or carried nothing, and tells when
// its mail may come again.
func (d *destination) fault() (again time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if now.Before(d.until) { // others of the cohort have said so already
		return d.until
	}
	d.failed += 1 / d.limit
	d.limit = max(d.limit-1/d.limit, 1)
	if d.failed < 1 {
		return now.Add(deadFor[0])
	}
	d.until = now.Add(deadFor[min(d.faults, len(deadFor)-1)])
	d.faults++
	d.failed, d.limit = 0, firstLines
	return d.until
}

// forgettable tells that a new destination would know as much.
func (d *destination) forgettable() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open == 0 && d.faults == 0 && d.failed == 0
}
