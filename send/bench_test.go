package send

import (
	"context"
	"fmt"
	"testing"
	"time"

	"galley/send/list"
	"galley/send/store"
)

// crowd puts n readers on the list in one transaction.
func (h *house) crowd(n int) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		for i := range n {
			a, err := list.ParseAddress(fmt.Sprintf("reader%06d@mail.example", i))
			if err != nil {
				return err
			}
			s, _, err := h.list.Add(ctx, tx, "harbour", a, "", tx.Now(), "a test")
			if err != nil {
				return err
			}
			h.ids[a.String()] = s.ID
		}
		return nil
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
				for !h.done() {
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
