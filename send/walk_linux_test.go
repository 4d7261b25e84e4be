package send

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"galley/send/servertest"
	"galley/send/store"
	"galley/send/store/storetest"
)

var (
	walked = flag.Int("readers", 100_000, "how many readers BenchmarkWalk walks")
	paged  = flag.Int("page", 1000, "how many readers BenchmarkWalk claims at a time")
)

// BenchmarkWalk is goal P2: everybody who waits is claimed, a thousand at a
// time. The last pages cost at most twice as much as the first, and memory grows
// by at most 16 MiB. With -page 100, which is what ten lines claim, ms-p99 is the
// claim of bar 40, and s-restart what a process needs that starts on such books.
//
//	GALLEY_SERVERS=1 go test -run '^$' -bench '^BenchmarkWalk$' -benchtime 1x ./send -readers 1000000
func BenchmarkWalk(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { walk(b, func() *store.DB { return storetest.Open(b) }) })
	b.Run("postgres", func(b *testing.B) {
		server := servertest.StartPostgres(b).URL
		walk(b, func() *store.DB {
			db, err := store.Open(b.Context(), storetest.Schema(b, server))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { db.Close() })
			return db
		})
	})
}

func walk(b *testing.B, open func() *store.DB) {
	for b.Loop() {
		h := houseOn(b, open(), 0)
		h.importCrowd(*walked)
		h.publish(edition("The tide waits.", time.Now()))
		e := h.q.engine(b.Context())
		if err := e.take(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := e.forward(b.Context()); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if e = h.q.engine(b.Context()); e.take(b.Context()) != nil || e.forward(b.Context()) != nil {
			b.Fatal("no second start")
		}
		b.ReportMetric(time.Since(began).Seconds(), "s-restart")
		debug.FreeOSMemory()
		before, most, n := resident(b), 0, 0
		var pages []time.Duration
		for {
			start := time.Now()
			tasks, err := e.claim(b.Context(), 0, *paged)
			if err != nil {
				b.Fatal(err)
			}
			if len(tasks) == 0 {
				break
			}
			n += len(tasks)
			pages, most = append(pages, time.Since(start)), max(most, resident(b))
		}
		if n != *walked {
			b.Fatalf("%d of %d were claimed", n, *walked)
		}
		tenth := max(len(pages)/10, 1)
		first, last := middle(pages[:tenth]), middle(pages[len(pages)-tenth:])
		b.ReportMetric(float64(last)/float64(first), "x-first-page")
		b.ReportMetric(float64(ninetyNine(pages).Microseconds())/1000, "ms-p99")
		b.ReportMetric(float64(most-before)/1024, "MiB-more")
		b.ReportMetric(float64(n)/sum(pages).Seconds(), "rows/s")
	}
}

// importCrowd puts n readers on the list.
func (h *house) importCrowd(n int) {
	h.t.Helper()
	in, out := io.Pipe()
	go func() {
		var line bytes.Buffer
		line.WriteString("address\n")
		for i := range n {
			fmt.Fprintf(&line, "reader%07d@mail.example\n", i)
			if _, err := line.WriteTo(out); err != nil {
				return
			}
		}
		out.Close()
	}()
	defer in.Close()
	r, err := h.list.Import(h.t.Context(), h.q.DB, "harbour", "a test", in, nil)
	if err != nil || r.Added != n {
		h.t.Fatal(r, err)
	}
}

// resident is the memory of this process, in KiB.
func resident(b *testing.B) (kib int) {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := bytes.Cut(text, []byte("VmRSS:"))
	if _, err := fmt.Fscan(bytes.NewReader(rest), &kib); err != nil {
		b.Fatal(err)
	}
	return kib
}

func middle(all []time.Duration) time.Duration {
	all = slices.Clone(all)
	slices.Sort(all)
	return all[len(all)/2]
}

// ninetyNine is the time that 99 of a hundred did not exceed.
func ninetyNine(all []time.Duration) time.Duration {
	all = slices.Clone(all)
	slices.Sort(all)
	return all[len(all)*99/100]
}

func sum(all []time.Duration) (total time.Duration) {
	for _, d := range all {
		total += d
	}
	return total
}
