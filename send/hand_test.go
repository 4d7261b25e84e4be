package send

import (
	"context"
	"strings"
	"testing"
	"time"

	"galley/send/store"
)

// byHand does something by hand and gives what became of it.
func (h *house) byHand(hand Hand, c Choice) (done Handled) {
	h.t.Helper()
	c.Newsletter = "harbour"
	h.update(func(ctx context.Context, tx *store.Tx) (err error) {
		done, err = h.q.ByHand(ctx, tx, c, hand)
		return err
	})
	return done
}

// An operator holds one reader's copy, drops another's and hurries the rest.
// What may have arrived goes again by hand only when that is said.
func TestQueueByHand(t *testing.T) {
	simulate(t, 10, func(h *house) {
		start := time.Now()
		h.script.fate = func(e Envelope, try int) Outcome {
			switch {
			case strings.HasPrefix(e.To, "reader009") && try == 1:
				return Outcome{Verdict: Unknown, Stage: StageDot, Transport: true, Transcript: "EOF"}
			case time.Since(start) < 10*time.Second:
				return Outcome{Verdict: Later, Stage: StageRcpt, Code: 451, Enhanced: "4.3.0", Transcript: "451 4.3.0 later"}
			}
			return accepted()
		}
		h.q.Unsure, h.q.Tick = Hold, time.Second
		h.publish(edition("The tide waits.", start))
		h.until(time.Minute, "all are put off", func() bool { return h.progress().Counts[Deferred] == 9 })
		h.shape(9)
		if got := h.byHand(HandHold, Choice{Who: "reader000@mail.example"}); got.Copies != 1 {
			t.Errorf("hold: %+v", got)
		}
		if got := h.byHand(HandDrop, Choice{Issue: 12, Who: "Reader001@mail.example"}); got.Copies != 1 {
			t.Errorf("drop: %+v", got)
		}
		if got := h.byHand(HandRetry, Choice{Who: "elsewhere.example"}); got != (Handled{}) {
			t.Errorf("another domain: %+v", got)
		}
		for _, i := range []int{2, 3} {
			time.Sleep(10 * time.Second)
			if got := h.byHand(HandRetry, Choice{Who: "reader00" + string(rune('0'+i)) + "@mail.example"}); got.Copies != 1 {
				t.Errorf("retry: %+v", got)
			}
			h.q.Tick = time.Second
			h.until(time.Minute, "the hurried copy is there", func() bool { return h.progress().Counts[Sent] == i-1 })
		}
		h.q.Tick = 20 * time.Second
		h.until(24*time.Hour, "the run ends", h.done)
		if r := h.progress(); r.Counts[Sent] != 7 || r.Counts[Held] != 2 || r.Counts[Dropped] != 1 {
			t.Errorf("at the end: %v", r.Counts)
		}
		if got := h.byHand(HandRetry, Choice{}); got.Copies != 1 || got.Unsure != 1 {
			t.Errorf("retry of all: %+v", got)
		}
		h.until(time.Hour, "the held copy is there", h.done)
		if got := h.byHand(HandRetry, Choice{Twice: true}); got.Copies != 1 {
			t.Errorf("retry of the unsure: %+v", got)
		}
		h.until(time.Hour, "the unsure copy is there", h.done)
		if r := h.progress(); r.Counts[Sent] != 9 || r.Counts[Dropped] != 1 {
			t.Errorf("after all: %v", r.Counts)
		}
		per := h.script.perReader()
		if per["reader009@mail.example"] != 2 || per["reader001@mail.example"] != 0 || per["reader000@mail.example"] != 1 {
			t.Errorf("copies: %v", per)
		}
	})
}

// shape expects so many mails to wait for the one domain, asked not long ago.
func (h *house) shape(n int) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		all, err := h.q.Shape(ctx, tx)
		if len(all) != 1 || all[0].Domain != "mail.example" || all[0].ByAge[0] != n || all[0].Total != n || all[0].Reply == "" || all[0].Due.IsZero() {
			h.t.Errorf("shape: %+v, want %d", all, n)
		}
		return err
	})
}

// What is older stands in a column further to the right.
func TestShapeByAge(t *testing.T) {
	d, now := &Destination{}, time.Now()
	for _, age := range []time.Duration{0, 5 * time.Minute, 6 * time.Minute, 61 * time.Minute, 71 * time.Hour, 100 * time.Hour} {
		d.add(age, time.Time{}, "", now)
	}
	if want := [...]int{2, 1, 0, 1, 0, 0, 1, 1}; d.ByAge != want || d.Total != 6 {
		t.Errorf("%v of %d, want %v", d.ByAge, d.Total, want)
	}
}

// While an issue goes, its speed and the time that remains are known.
func TestPulse(t *testing.T) {
	simulate(t, 100, func(h *house) {
		h.q.Pace, h.q.Tick = Pace{PerSecond: 1}, time.Second
		h.publish(edition("The tide waits.", time.Now()))
		h.until(2*time.Minute, "half of it went", func() bool { return h.progress().Counts[Sent] >= 50 })
		h.update(func(ctx context.Context, tx *store.Tx) error {
			rate, left, err := h.q.Pulse(ctx, tx, h.progress())
			if rate < 0.9 || rate > 1.1 || left < 40*time.Second || left > 60*time.Second {
				t.Errorf("%.2f a second, %v left", rate, left)
			}
			return err
		})
	})
}
