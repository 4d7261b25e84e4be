package main

import (
	"testing"
	"time"

	"galley/send"
	"galley/send/sendtest"
	"galley/send/servertest"
	"galley/send/store/storetest"
)

// TestPostgresKilledInMidRun is the last half of bar 41: PostgreSQL itself is
// killed in the middle of a run, the postmaster by SIGKILL, and comes back
// while the daemon lives on. Nobody is left out; a second copy is one whose
// result could not be written down.
func TestPostgresKilledInMidRun(t *testing.T) {
	servertest.Need(t, "postgres")
	readers, falls := 10_000, 20
	if raceDetector {
		readers, falls = 2000, 5
	}
	pg := servertest.StartPostgres(t)
	r := newRig(t, footing{books: storetest.Schema(t, pg.URL), falls: true}, crashConfig{connections: 8})
	r.readers(readers, noFate)
	r.start()
	r.letOut()
	for range falls {
		r.reach(min(readers-1, r.sent()+20+r.rand.IntN(readers/falls/2)))
		r.shut()
		pg.Kill()
		r.kills++
		time.Sleep(time.Duration(r.rand.IntN(300)) * time.Millisecond)
		pg.Start()
		before := r.sent()
		r.until("copies after PostgreSQL is back", func() bool { return r.sent() > before || before >= readers })
	}
	r.until("the end of the run", func() bool { return r.run().Final() })
	if run := r.run(); run.Counts[send.Sent] != readers || run.Total != readers {
		t.Errorf("the final states are %v of %d", run.Counts, run.Total)
	}
	r.complete(readers, func(a sendtest.Accepted) [32]byte { return a.Digest })
}
