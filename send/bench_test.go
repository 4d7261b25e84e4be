package send

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"galley/send/store"
)

// crowd puts n readers on the list.
func (h *house) crowd(n int) {
	h.t.Helper()
	var file strings.Builder
	file.WriteString("address\n")
	for i := range n {
		fmt.Fprintf(&file, "reader%06d@mail.example\n", i)
	}
	r, err := h.list.Import(h.t.Context(), h.q.DB, "harbour", "a test", strings.NewReader(file.String()), nil)
	if err != nil || r.Added != n {
		h.t.Fatal(r, err)
	}
	h.update(func(ctx context.Context, tx *store.Tx) error {
		all, err := h.list.All(ctx, tx, "harbour", 0, n)
		for _, s := range all {
			h.ids[s.Address.String()] = s.ID
		}
		return err
	})
}

// BenchmarkRun sends an issue over a next hop that costs nothing: what is
// measured is the books.
func BenchmarkRun(b *testing.B) {
	const readers = 10_000
	for _, lines := range []int{10, 50} {
		b.Run(fmt.Sprint(lines), func(b *testing.B) {
			var took time.Duration
			for b.Loop() {
				h := newHouse(b, 0)
				h.crowd(readers)
				h.q.Connections = lines
				h.script.forget = true
				h.publish(edition("The tide waits.", time.Now()))
				ctx, stop := context.WithCancel(b.Context())
				done := make(chan error, 1)
				go func() { done <- h.q.Run(ctx) }()
				for !h.over() {
					time.Sleep(20 * time.Millisecond)
				}
				r := h.progress()
				took += r.Ended.Sub(r.Started)
				stop()
				if err := <-done; err != nil || r.Counts[Sent] != readers {
					b.Fatal(err, r)
				}
			}
			b.ReportMetric(readers*float64(b.N)/took.Seconds(), "msg/s")
		})
	}
}

// over tells that the run has ended. It looks at one row: counting all of them
// would be a good part of what a benchmark measures.
func (h *house) over() (over bool) {
	h.t.Helper()
	err := h.q.DB.View(h.t.Context(), func(tx *store.Tx) error {
		return tx.QueryRowContext(h.t.Context(), `SELECT NOT EXISTS (SELECT 1 FROM edition WHERE state <> 'done')`).Scan(&over)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return over
}

// waitingRun is an engine on an issue whose audience is frozen.
func (h *house) waitingRun(readers int) *engine {
	h.t.Helper()
	h.crowd(readers)
	h.publish(edition("The tide waits.", time.Now()))
	e := h.q.engine(h.t.Context())
	if err := e.take(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	if err := e.forward(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	return e
}

// BenchmarkClaim takes a hundred deliveries a time, the commit included.
func BenchmarkClaim(b *testing.B) {
	h := newHouse(b, 0)
	e := h.waitingRun(100 * 200)
	n := 0
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		if n++; n == 200 {
			b.StopTimer()
			h.update(func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE delivery SET state = 'pending'`)
				return err
			})
			n = 0
			b.StartTimer()
		}
		tasks, err := e.claim(b.Context(), 0, 100)
		if err != nil || len(tasks) != 100 {
			b.Fatal(len(tasks), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/row")
}

// BenchmarkMark is goal P1: a result with its attempt, a hundred a commit,
// synchronous FULL. At most 16 µs each.
func BenchmarkMark(b *testing.B) {
	h := newHouse(b, 0)
	e := h.waitingRun(100)
	tasks, err := e.claim(b.Context(), 0, 100)
	if err != nil || len(tasks) != 100 {
		b.Fatal(len(tasks), err)
	}
	out := Outcome{Verdict: Accepted, Stage: StageDot, Code: 250, Enhanced: "2.0.0", Transcript: "250 2.0.0 taken"}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		var group []*result
		for _, t := range tasks {
			v := verdict{state: Sent, charged: true, first: 1, class: ClassNone, outcome: out}
			group = append(group, &result{t: t, v: v, at: store.Now(), done: make(chan error, 1)})
		}
		if err := e.commitGroup(group); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		h.update(func(ctx context.Context, tx *store.Tx) error {
			if _, err := tx.ExecContext(ctx, `DELETE FROM attempt`); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `UPDATE delivery SET state = 'claimed', attempts = 0`)
			return err
		})
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/row")
}

// Goal S8: a copy takes at most five allocations until it stands in the
// worker's hand, with its seal; the relay's share is tested there.
func TestWritingAllocations(t *testing.T) {
	h := newHouse(t, 0)
	e := h.waitingRun(10)
	tasks, err := e.claim(t.Context(), 0, 1)
	if err != nil || len(tasks) != 1 {
		t.Fatal(len(tasks), err)
	}
	w := &worker{e: e}
	p, err := e.press(tasks[0].edition)
	if err != nil {
		t.Fatal(err)
	}
	n := h.q.Newsletters["harbour"]
	if tasks[0].seal, err = p.rich.Seal(nil, p.slots(n, tasks[0]), n.Signers); err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(200, func() {
		l, err := w.write(tasks[0])
		if err != nil {
			t.Fatal(err)
		}
		w.spare = append(w.spare, l)
	})
	if got > 1 && !raceDetector { // four more are the relay's; the race detector empties pools at random
		t.Errorf("%.0f allocations", got)
	}
}
