package relay

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"galley/send"
)

// hop is a next hop of a test: it counts its lines and fails when it is told to.
type hop struct {
	lines int
	fail  error
	out   send.Outcome
}

func (h *hop) Line(context.Context) (send.Line, error) {
	h.lines++
	if h.fail != nil {
		return nil, h.fail
	}
	return hopLine{h}, nil
}

type hopLine struct{ h *hop }

func (l hopLine) Begin(context.Context, send.Envelope, send.Octets) (send.Outcome, bool) {
	return send.Outcome{}, true
}
func (l hopLine) Lead()                           {}
func (l hopLine) End(*send.Envelope) send.Outcome { return l.h.out }
func (l hopLine) Reusable() bool                  { return true }
func (l hopLine) Close() error                    { return nil }

var taken = send.Outcome{Verdict: send.Accepted, Stage: send.StageDot, Code: 250}

// carry opens n lines and sends a message over each; it returns the errors.
func carry(t *testing.T, p *Pool, n int) (failed int) {
	t.Helper()
	for range n {
		l, err := p.Line(t.Context())
		if err != nil {
			failed++
			continue
		}
		send.Deliver(t.Context(), l, send.Envelope{}, nil, nil)
		l.Close()
	}
	return failed
}

func TestPoolSpreadsByWeight(t *testing.T) {
	a, b, c := &hop{out: taken}, &hop{out: taken}, &hop{out: taken}
	p := &Pool{Hops: []Hop{{a, 5}, {b, 3}, {c, 0}}}
	if n := carry(t, p, 90); n != 0 || a.lines != 50 || b.lines != 30 || c.lines != 10 {
		t.Errorf("%d failed; lines %d, %d, %d", n, a.lines, b.lines, c.lines)
	}
}

// A hop that fails is left alone, its share goes to the others, and when it
// works again it gets its share and not all that it missed.
func TestPoolFailsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &hop{out: taken}, &hop{out: taken}
		p := &Pool{Hops: []Hop{{a, 1}, {b, 1}}}
		carry(t, p, 10)
		a.fail = errors.New("connection refused")
		if n := carry(t, p, 20); n != 0 || a.lines != 6 || b.lines != 25 {
			t.Errorf("%d failed; lines %d, %d", n, a.lines, b.lines)
		}
		time.Sleep(31 * time.Second)
		carry(t, p, 10)
		if a.lines != 7 {
			t.Errorf("it was tried %d times", a.lines)
		}
		time.Sleep(61 * time.Second)
		a.fail, b.lines, a.lines = nil, 0, 0
		if n := carry(t, p, 20); n != 0 || a.lines < 9 || a.lines > 12 {
			t.Errorf("%d failed; lines %d, %d", n, a.lines, b.lines)
		}
	})
}

// A hop that opens lines and refuses at MAIL is at fault; one that refuses a
// recipient is not.
func TestPoolKnowsARefusalOfUs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuses := &hop{out: send.Outcome{Verdict: send.Never, Stage: send.StageMail, Code: 550, Transport: true}}
		strict := &hop{out: send.Outcome{Verdict: send.Never, Stage: send.StageRcpt, Code: 550}}
		p := &Pool{Hops: []Hop{{refuses, 1}, {strict, 1}}}
		carry(t, p, 20)
		if refuses.lines != 1 || strict.lines != 19 {
			t.Errorf("lines %d, %d", refuses.lines, strict.lines)
		}
	})
}

// When all are left alone one of them is tried all the same: the gate of the
// queue does the waiting.
func TestPoolWithoutAHop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("connection refused")
		a, b := &hop{fail: away}, &hop{fail: away}
		p := &Pool{Hops: []Hop{{a, 1}, {b, 1}}}
		if _, err := p.Line(t.Context()); !errors.Is(err, away) || a.lines != 1 || b.lines != 1 {
			t.Errorf("%v; lines %d, %d", err, a.lines, b.lines)
		}
		if _, err := p.Line(t.Context()); !errors.Is(err, away) || a.lines+b.lines != 3 {
			t.Errorf("%v; lines %d, %d", err, a.lines, b.lines)
		}
		if _, err := (&Pool{}).Line(t.Context()); err == nil {
			t.Error("a pool without hops has a line")
		}
	})
}
