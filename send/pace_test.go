package send

import (
	"context"
	"fmt"
	"testing"
	"time"

	"galley/send/store"
)

// instants of the copies, in order.
func (h *house) instants() []time.Time {
	var all []time.Time
	for _, c := range h.script.copies {
		all = append(all, c.at)
	}
	return all
}

// most counts how many of the instants lie in any window that long.
func most(at []time.Time, window time.Duration) (n int) {
	for i, j := 0, 0; j < len(at); j++ {
		for at[j].Sub(at[i]) >= window {
			i++
		}
		n = max(n, j-i+1)
	}
	return n
}

// Bar 22: 50 a second for a minute.
func TestPerSecond(t *testing.T) {
	simulate(t, 0, func(h *house) {
		copies := 1000 // of twenty seconds
		if testing.Short() {
			copies = 200
		}
		h.crowd(copies)
		h.q.Connections, h.q.Tick, h.q.Pace.PerSecond = 10, time.Second, 50
		h.publish(edition("The tide waits.", time.Now()))
		h.until(5*time.Minute, "the run ends", h.done)
		h.expectTotal(copies)
		at := h.instants()
		took := at[len(at)-1].Sub(at[0])
		if n := most(at, time.Second); n > 52 {
			t.Errorf("%d copies in a second", n)
		}
		if took < time.Duration(copies)*time.Second/53 || took > time.Duration(copies)*time.Second/43 {
			t.Errorf("%d copies at 50 a second took %v", copies, took)
		}
	})
}

// A domain's limit holds its own copies back and nobody else's.
func TestPerDomain(t *testing.T) {
	simulate(t, 40, func(h *house) {
		for i := range 40 {
			h.join(fmt.Sprintf("other%02d@else.example", i))
		}
		h.q.Tick, h.q.Pace.ToDomain = 500*time.Millisecond, 2
		h.publish(edition("The tide waits.", time.Now()))
		h.until(5*time.Minute, "the run ends", h.done)
		h.expectTotal(80)
		at := h.instants()
		if took := at[len(at)-1].Sub(at[0]); took < 19*time.Second || took > 30*time.Second {
			t.Errorf("40 copies to each of two domains at 2 a second took %v", took)
		}
		if n := most(at, time.Second); n > 4 {
			t.Errorf("%d copies in a second", n)
		}
		h.uncharged()
	})
}

// uncharged tells that nobody was charged more than the one attempt.
func (h *house) uncharged() {
	h.t.Helper()
	var n int
	h.update(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM delivery WHERE attempts <> 1`).Scan(&n)
	})
	if n != 0 {
		h.t.Errorf("%d readers were charged for a limit of ours", n)
	}
}

// A quota slides: it counts what left in the last hour, whatever the clock
// shows, also before the process began.
func TestQuotaSlides(t *testing.T) {
	simulate(t, 250, func(h *house) {
		h.q.Pace.Quotas = []Quota{{Most: 100, Window: time.Hour}}
		h.publish(edition("The tide waits.", time.Now()))
		h.until(20*time.Minute, "a hundred have gone", func() bool { return len(h.taken()) == 100 })
		pace := h.q.Pace
		h.again()
		h.q.Pace = pace
		h.until(4*time.Hour, "the run ends", h.done)
		h.expectOneEach(250)
		at := h.instants()
		if n := most(at, time.Hour); n > 100 {
			t.Errorf("%d copies in an hour", n)
		}
		if took := at[len(at)-1].Sub(at[0]); took > 2*time.Hour+5*time.Minute {
			t.Errorf("250 copies at 100 an hour took %v", took)
		}
		h.uncharged()
	})
}

// A new sender begins with few copies a day, and has no limit after the curve.
func TestWarmUp(t *testing.T) {
	if testing.Short() {
		t.Skip("days of ticks are long")
	}
	simulate(t, 200, func(h *house) {
		h.q.Tick = 5 * time.Minute
		h.q.Pace.WarmUp = []int{20, 50}
		h.publish(edition("The tide waits.", time.Now()))
		h.until(4*day, "the run ends", h.done)
		h.expectOneEach(200)
		at := h.instants()
		byDay := map[int]int{}
		for _, a := range at {
			byDay[int(a.Sub(at[0])/day)]++
		}
		if byDay[0] != 20 || byDay[1] != 50 || byDay[2] != 130 {
			t.Errorf("copies by day: %v", byDay)
		}
	})
}

// Bar 29, the other policy: what may have arrived is not sent again, and is
// listed by name.
func TestHoldWhatMayHaveArrived(t *testing.T) {
	simulate(t, 100, func(h *house) {
		lost := map[string]bool{"reader017@mail.example": true, "reader071@mail.example": true}
		h.q.Unsure = Hold
		h.script.fate = func(e Envelope, try int) Outcome {
			if lost[e.To] {
				return Outcome{Verdict: Unknown, Stage: StageDot, Transport: true, Transcript: "EOF"}
			}
			return accepted()
		}
		h.publish(edition("The tide waits.", time.Now()))
		h.until(time.Hour, "the run ends", h.done)
		h.expectOneEach(100)
		var named []Failure
		h.update(func(ctx context.Context, tx *store.Tx) (err error) {
			named, err = h.q.Failures(ctx, tx, "harbour", 12)
			return err
		})
		if len(named) != 2 || !lost[named[0].Address] || !lost[named[1].Address] || named[0].State != Held {
			t.Errorf("listed: %+v", named)
		}
	})
}
