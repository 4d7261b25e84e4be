package send

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"galley/send/store"
)

// Rule M2: no final dot leaves before the result of the copy before it on the
// line is on disk; the body may go ahead of it.
func TestNoDotBeforeTheResult(t *testing.T) {
	h := newHouse(t, 200)
	h.q.Connections = 3
	var led, early atomic.Int64
	h.script.led = func(Envelope) { led.Add(1) }
	h.script.ending = func(last string) {
		if last == "" {
			return
		}
		var state State
		err := h.q.DB.View(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRowContext(t.Context(), `SELECT state FROM delivery WHERE address = $1`, last).Scan(&state)
		})
		if err != nil || state == Claimed {
			early.Add(1)
		}
	}
	h.publish(edition("The tide waits.", time.Now()))
	h.until(time.Minute, "the end of the run", h.done)
	if early.Load() > 0 {
		t.Errorf("%d final dots left before the result before them", early.Load())
	}
	if led.Load() == 0 {
		t.Error("no body went ahead of its dot")
	}
}

// Who is halted or has left while a body waits for its dot gets no dot.
func TestHaltedBeforeTheDot(t *testing.T) {
	h := newHouse(t, 40)
	h.q.Connections = 1
	var once atomic.Bool
	var begun string
	h.script.led = func(e Envelope) {
		if once.CompareAndSwap(false, true) {
			begun = e.To
			h.halt(HaltCancel)
		}
	}
	h.publish(edition("The tide waits.", time.Now()))
	h.until(time.Minute, "the cancel", func() bool { r := h.progress(); return r != nil && r.State == Cancelled && r.Counts[Claimed] == 0 })
	if n := h.script.perReader()[begun]; n != 0 || begun == "" {
		t.Errorf("%q got %d copies", begun, n)
	}
}

// A body that has waited longer for its dot than servers do is left behind
// without one, and its mail waits for another line.
func TestBodyLeftBehind(t *testing.T) {
	for wait, want := range map[time.Duration][]string{patience - time.Second: {"lead", "end"}, patience + time.Second: {"lead", "close"}} {
		synctest.Test(t, func(t *testing.T) {
			var order []string
			e := newHouse(t, 0).q.engine(t.Context())
			go func() { // a committer whose disk is slow
				for r := range e.results {
					time.Sleep(wait)
					r.done <- nil
				}
			}()
			defer close(e.results)
			w := &worker{e: e}
			first, second := w.letter(&task{slip: true, id: 1}), w.letter(&task{slip: true, id: 2})
			if err := w.hand(first, verdict{state: Sent}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.deliver(t.Context(), &patientLine{order: &order}, second, false); err != nil {
				t.Fatal(err)
			}
			if err := w.settled(); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(order, want) {
				t.Errorf("after %v: %v", wait, order)
			}
		})
	}
}

type patientLine struct{ order *[]string }

func (l *patientLine) Begin(context.Context, Envelope, Octets) (Outcome, bool) {
	return Outcome{}, true
}
func (l *patientLine) Lead() { *l.order = append(*l.order, "lead") }
func (l *patientLine) End(*Envelope) Outcome {
	*l.order = append(*l.order, "end")
	return Outcome{Verdict: Accepted}
}
func (l *patientLine) Reusable() bool { return true }
func (l *patientLine) Close() error   { *l.order = append(*l.order, "close"); return nil }
