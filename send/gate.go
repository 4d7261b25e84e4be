package send

import (
	"sync"
	"time"
)

// gate stands before the next hop. It is closed until a first line has
// worked: one worker tries, and its success opens it for all. A fault of the
// line closes it for a while, longer each time. It charges no recipient.
type gate struct {
	mu      sync.Mutex
	open    bool      // the next hop answers
	probing bool      // one worker is trying
	faults  int       // in a row, those that happened together counted once
	refused int       // in a row, permanent refusals of us
	lost    int       // in a row, lines that broke after the final dot
	until   time.Time // nobody tries before
	told    Verdict   // the sort of fault that the log has, while told of one
	since   time.Time // when the first fault was told; zero: all is well
}

// manyLost lines in a row that broke after the final dot are a fault: each is
// a copy that may come twice.
const manyLost = 3

// enter lets a worker open a line, or says no.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open {
		return true
	}
	if g.probing || time.Now().Before(g.until) {
		return false
	}
	g.probing = true
	return true
}

// width is how many tasks are worth claiming: none while nobody may try, one
// while somebody has to, else most.
func (g *gate) width(most int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.open:
		return most
	case g.probing || time.Now().Before(g.until):
		return 0
	}
	return min(1, most)
}

// fine opens the gate: a message got an answer of its own, on a line that was
// opened at an instant. When that ends what the log was told of, it returns how
// long it was; a line from before says nothing about it.
func (g *gate) fine(opened time.Time) (after time.Duration, again bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.probing = true, false
	g.faults, g.refused, g.lost = 0, 0, 0
	if g.since.IsZero() || !opened.After(g.since) {
		return 0, false
	}
	after, g.since = time.Since(g.since), time.Time{}
	return after, true
}

// news tells whether a fault is one that the log does not have yet: an hour
// without a server is one line, and not one a try. A server that refuses us
// after one that was not there is another matter.
func (g *gate) news(v Verdict) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.since.IsZero() && g.told == v {
		return false
	}
	if g.since.IsZero() {
		g.since = time.Now()
	}
	g.told = v
	return true
}

// fault closes the gate and tells how often in a row the next hop has refused
// us for good.
func (g *gate) fault(permanent bool) (refused int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if permanent {
		g.refused++
	} else {
		g.refused = 0
	}
	g.shut()
	return g.refused
}

// unknown counts a line that broke after the final dot.
func (g *gate) unknown() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lost++; g.lost >= manyLost || !g.open {
		g.shut()
	}
}

func (g *gate) shut() {
	if now := time.Now(); !now.Before(g.until) {
		g.faults++
		g.until = now.Add(jitter(step(backoffs, g.faults), 0, g.faults))
	}
	g.open, g.probing = false, false
}

// leave gives back the right to try, unused.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.probing = false
}
