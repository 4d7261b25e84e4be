package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	"galley/send"
)

// Pool is several next hops as one. Lines are spread over those that work by
// their weights; one that cannot be reached, or refuses us, is left alone for a
// while, longer each time, and the others take its share. It is a send.Courier.
type Pool struct {
	Hops []Hop

	mu    sync.Mutex
	state []hopState
}

// Hop is a next hop of a Pool.
type Hop struct {
	Courier send.Courier
	Weight  int // its share of the lines; 1 when 0
}

// hopState is what the Pool has learnt of a hop.
type hopState struct {
	turn   float64 // lines so far over the weight: the smallest is next
	faults int     // in a row
	until  time.Time
}

// rests are how long a hop is left alone after each fault in a row.
var rests = []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute}

// Line opens a line to the hop whose turn it is, or to the next that works.
// When none does, the error is that of the last one that was tried; when all
// are left alone just now, the one that is due first is tried all the same.
func (p *Pool) Line(ctx context.Context) (send.Line, error) {
	var last error
	tried := map[int]bool{}
	for {
		i := p.choose(tried)
		if i < 0 {
			if last == nil {
				last = errors.New("there is no next hop")
			}
			return nil, last
		}
		tried[i] = true
		line, err := p.Hops[i].Courier.Line(ctx)
		if err == nil {
			return &poolLine{Line: line, pool: p, hop: i}, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		p.fault(i)
		last = err
	}
}

// choose takes the hop whose turn it is of those not tried yet, -1 without one.
func (p *Pool) choose(tried map[int]bool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == nil {
		p.state = make([]hopState, len(p.Hops))
	}
	best, soonest := -1, -1
	for i := range p.Hops {
		s := &p.state[i]
		switch {
		case tried[i]:
		case time.Now().Before(s.until):
			if soonest < 0 || s.until.Before(p.state[soonest].until) {
				soonest = i
			}
		case best < 0 || s.turn < p.state[best].turn:
			best = i
		}
	}
	if best < 0 && len(tried) == 0 {
		best = soonest
	}
	if best >= 0 {
		p.state[best].turn += 1 / float64(max(p.Hops[best].Weight, 1))
	}
	return best
}

// fault leaves a hop alone for a while.
func (p *Pool) fault(i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.state[i]
	s.faults++
	s.until = time.Now().Add(rests[min(s.faults, len(rests))-1])
}

// fine forgets the faults of a hop. What it missed meanwhile it does not catch
// up with: its turn is no earlier than that of the others.
func (p *Pool) fine(i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state[i].faults == 0 {
		return
	}
	p.state[i].faults, p.state[i].until = 0, time.Time{}
	for j := range p.state {
		if j != i && p.state[j].faults == 0 {
			p.state[i].turn = max(p.state[i].turn, p.state[j].turn)
		}
	}
}

// poolLine tells the pool what becomes of its messages.
type poolLine struct {
	send.Line
	pool *Pool
	hop  int
	some bool // a message got an answer
	ctx  context.Context
}

// Begin is that of the line. A hop that opens lines and then carries nothing
// over them is at fault too; a line that ends after some messages is not.
func (l *poolLine) Begin(ctx context.Context, e send.Envelope, m send.Octets) (send.Outcome, bool) {
	l.ctx = ctx
	o, ok := l.Line.Begin(ctx, e, m)
	if !ok {
		l.judge(o)
	}
	return o, ok
}

// End is that of the line.
func (l *poolLine) End(next *send.Envelope) send.Outcome {
	o := l.Line.End(next)
	l.judge(o)
	return o
}

// Window is that of the line.
func (l *poolLine) Window() int {
	if w, ok := l.Line.(send.Wide); ok {
		return w.Window()
	}
	return 1
}

// Push is that of the line.
func (l *poolLine) Push(ctx context.Context, e send.Envelope, m send.Octets) (send.Outcome, bool) {
	l.ctx = ctx
	o, ok := l.Line.(send.Wide).Push(ctx, e, m)
	if !ok {
		l.judge(o)
	}
	return o, ok
}

// Pull is that of the line.
func (l *poolLine) Pull() send.Outcome {
	o := l.Line.(send.Wide).Pull()
	l.judge(o)
	return o
}

func (l *poolLine) judge(o send.Outcome) {
	switch {
	case !o.Transport:
		if !l.some {
			l.pool.fine(l.hop)
		}
		l.some = true
	case !l.some && l.ctx.Err() == nil && o.Verdict != send.Unknown && (o.Code != 0 || o.Verdict != send.Never):
		l.pool.fault(l.hop)
	}
}
