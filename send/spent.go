package send

import (
	"sync/atomic"
	"time"
)

// Spent adds up where the time of all lines went, for who measures a Queue.
// Its counters may be read at any time.
type Spent struct {
	Making  Stopwatch // writing copies: slots, signatures, octets
	Wire    Stopwatch // opening lines and talking with the next hop
	Books   Stopwatch // waiting until a result was on disk
	Waiting Stopwatch // waiting for something to carry
	Results atomic.Int64
	Commits atomic.Int64 // that wrote the results: several share one
}

// Stopwatch is a sum of durations.
type Stopwatch struct{ ns atomic.Int64 }

// Total is the sum so far.
func (s *Stopwatch) Total() time.Duration { return time.Duration(s.ns.Load()) }

// lap adds the time since start, if anybody counts, and returns the instant.
func (q *Queue) lap(which func(*Spent) *Stopwatch, start time.Time) time.Time {
	if q.Spent == nil {
		return time.Time{}
	}
	now := time.Now()
	which(q.Spent).ns.Add(int64(now.Sub(start)))
	return now
}

func making(s *Spent) *Stopwatch   { return &s.Making }
func wire(s *Spent) *Stopwatch     { return &s.Wire }
func books(s *Spent) *Stopwatch    { return &s.Books }
func unfilled(s *Spent) *Stopwatch { return &s.Waiting }

// clock is the instant at which a lap begins.
func (q *Queue) clock() time.Time {
	if q.Spent == nil {
		return time.Time{}
	}
	return time.Now()
}
