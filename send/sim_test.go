package send

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"galley/send/store"
)

// simulate runs f in a bubble in which hours pass in no time.
func simulate(t *testing.T, readers int, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "galley.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		h := houseOn(t, db, readers)
		h.q.Tick = 20 * time.Second
		f(h)
	})
}

func accepted() Outcome { return Outcome{Verdict: Accepted, Stage: StageDot, Code: 250} }

// Bar 30: the next hop is away for 24 hours in mid-send.
func TestOutageOfADay(t *testing.T) {
	simulate(t, 100, func(h *house) {
		start := time.Now()
		away := func() bool { return len(h.script.copies) >= 30 && time.Since(start) < 24*time.Hour }
		h.script.begin = func() error {
			if away() {
				return fmt.Errorf("connection refused")
			}
			return nil
		}
		h.script.fate = func(e Envelope, try int) Outcome {
			if away() {
				return Outcome{Verdict: Later, Stage: StageMail, Transport: true, Transcript: "EOF"}
			}
			return accepted()
		}
		h.q.Tick = time.Minute
		h.publish(edition("The tide waits.", start))
		h.until(30*time.Hour, "the run ends", h.done)
		h.expectOneEach(100)
		if h.script.lines > 150 {
			t.Errorf("%d lines were tried", h.script.lines)
		}
		last := h.script.copies[len(h.script.copies)-1].at.Sub(start)
		if last > 25*time.Hour {
			t.Errorf("the last copy went %v after the start", last)
		}
		h.update(func(ctx context.Context, tx *store.Tx) error {
			var attempts, most int
			err := tx.QueryRowContext(ctx, `SELECT count(*), max(attempts) FROM delivery WHERE attempts <> 1`).Scan(&attempts, new(store.NullInt64))
			if attempts != 0 {
				t.Errorf("%d readers were charged more than one attempt, up to %d", attempts, most)
			}
			return err
		})
		t.Logf("%d lines, last copy after %v", h.script.lines, last)
	})
}

// Bar 31: 451 for ever.
func TestRefusedForEver(t *testing.T) {
	simulate(t, 3, func(h *house) {
		start := time.Now()
		tries := map[string][]time.Time{}
		h.script.fate = func(e Envelope, try int) Outcome {
			tries[e.To] = append(tries[e.To], time.Now())
			return Outcome{Verdict: Later, Stage: StageRcpt, Code: 451, Enhanced: "4.3.0", Transcript: "451 4.3.0 later"}
		}
		h.q.Tick = 5 * time.Minute
		h.publish(edition("The tide waits.", start))
		h.until(7*24*time.Hour, "the run ends", h.done)
		took := h.progress().Ended.Sub(start)
		if r := h.progress(); r.Counts[Expired] != 3 || took < 118*time.Hour || took > 122*time.Hour {
			t.Errorf("after %v: %+v", took, r)
		}
		for a, list := range tries {
			if len(list) > 30 || len(list) < 10 {
				t.Errorf("%s was tried %d times", a, len(list))
			}
			for i := 1; i < len(list); i++ {
				if gap := list[i].Sub(list[i-1]); gap < 5*time.Minute {
					t.Errorf("%s was tried again after %v", a, gap)
				}
			}
		}
		t.Logf("expired after %v, %d tries", took, len(tries["reader000@mail.example"]))
	})
}

// Bar 32: greylisting for 300 s.
func TestGreylist(t *testing.T) {
	simulate(t, 50, func(h *house) {
		first, second := map[string]time.Time{}, []time.Duration{}
		h.script.fate = func(e Envelope, try int) Outcome {
			now := time.Now()
			if first[e.To].IsZero() {
				first[e.To] = now
			}
			if try > 1 {
				second = append(second, now.Sub(first[e.To]))
			}
			if now.Sub(first[e.To]) < 300*time.Second {
				return Outcome{Verdict: Later, Stage: StageRcpt, Code: 451, Enhanced: "4.7.1", Transcript: "451 4.7.1 greylisted"}
			}
			return accepted()
		}
		h.publish(edition("The tide waits.", time.Now()))
		h.until(2*time.Hour, "the run ends", h.done)
		h.expectOneEach(50)
		if len(second) != 50 || slices.Min(second) < 300*time.Second || slices.Max(second) > 1800*time.Second {
			t.Errorf("second attempts: %v", second)
		}
	})
}

// Bar 29 in small: a line that breaks after the final dot makes the row
// ambiguous, and the same octets go again after ten minutes or more.
func TestLostReplies(t *testing.T) {
	simulate(t, 100, func(h *house) {
		lost := 0
		h.script.fate = func(e Envelope, try int) Outcome {
			if try == 1 && (e.To == "reader017@mail.example" || e.To == "reader071@mail.example") {
				lost++
				return Outcome{Verdict: Unknown, Stage: StageDot, Transport: true, Transcript: "EOF"}
			}
			return accepted()
		}
		h.publish(edition("The tide waits.", time.Now()))
		h.until(time.Hour, "only the ambiguous are left", func() bool { r := h.progress(); return r.Out && r.Counts[Ambiguous] == 2 })
		h.again()
		h.until(2*time.Hour, "the run ends", h.done)
		copies := map[string][]copyOf{}
		for _, c := range h.script.copies {
			copies[c.env.To] = append(copies[c.env.To], c)
		}
		for a, list := range copies {
			if len(list) > 2 || len(list) == 2 && (string(list[0].msg) != string(list[1].msg) || list[1].at.Sub(list[0].at) < 10*time.Minute) {
				t.Errorf("%s: %d copies", a, len(list))
			}
		}
		if len(h.script.copies) != 100+lost || lost != 2 {
			t.Errorf("%d copies, %d lost replies", len(h.script.copies), lost)
		}
	})
}
