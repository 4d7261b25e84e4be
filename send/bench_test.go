package send

import (
	"context"
	"fmt"
	"testing"
	"time"

	"galley/send/list"
	"galley/send/store"
)

// BenchmarkRun sends an issue to 2,000 readers over a next hop that costs
// nothing: what is measured is the books.
func BenchmarkRun(b *testing.B) {
	for _, lines := range []int{10, 50} {
		b.Run(fmt.Sprint(lines), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				h := newHouse(b, 0)
				h.update(func(ctx context.Context, tx *store.Tx) error {
					for i := range 2000 {
						a, err := list.ParseAddress(fmt.Sprintf("reader%04d@mail.example", i))
						if err != nil {
							return err
						}
						if _, _, err := h.list.Add(ctx, tx, "harbour", a, "", tx.Now(), "a test"); err != nil {
							return err
						}
					}
					return nil
				})
				h.q.Connections = lines
				h.publish(edition("The tide waits.", time.Now()))
				b.StartTimer()
				h.until(time.Minute, "the run ends", h.done)
			}
			b.ReportMetric(2000*float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}
