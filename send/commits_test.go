package send

import (
	"context"
	"crypto/sha256"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"galley/send/store"
	"galley/send/store/storetest"
)

// TestEveryCommit is bar 27: a run of fifty readers in which the n-th commit
// fails, or the process dies just before or just after it, for every n that
// there is. Nobody is lost, and a second copy can only come by a death, one a
// line.
func TestEveryCommit(t *testing.T) {
	storetest.WatchCommits()
	for _, how := range []commitFault{{fails: true}, {dies: true, fails: true}, {dies: true}} {
		t.Run(how.String(), func(t *testing.T) {
			commits, twice, step := 1, 0, 1
			if testing.Short() || raceDetector {
				step = 4
			}
			for n := 1; n <= commits; n += step {
				synctest.Test(t, func(t *testing.T) {
					seen, doubles := how.run(t, n)
					commits, twice = max(commits, seen), twice+doubles
				})
				if t.Failed() {
					t.Fatalf("it was commit %d of %d", n, commits)
				}
			}
			t.Logf("%d commits, each in a run of its own: 0 lost, %d twice", commits, twice)
			if commits < 15 || how.dies && twice == 0 {
				t.Errorf("%d commits and %d second copies: the faults did not happen", commits, twice)
			}
		})
	}
}

// commitFault is what happens at a commit.
type commitFault struct{ fails, dies bool }

func (f commitFault) String() string {
	switch {
	case !f.dies:
		return "fails"
	case f.fails:
		return "dies before"
	}
	return "dies after"
}

// run plays a run in which the n-th commit has the fault, and gives how many
// commits there were until all was over, and the second copies.
func (f commitFault) run(t *testing.T, n int) (commits, twice int) {
	const readers, lines = 50, 3
	path := filepath.Join(memoryDir(t), "galley.db")
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	h := houseOn(t, db, 0)
	h.crowd(readers)
	h.q.Connections, h.q.Tick = lines, time.Second
	h.publish(edition("The tide waits.", time.Now()))
	h.script.after = func(n int) { time.Sleep(time.Duration(10+n%7) * time.Millisecond) } // so that lines are in flight
	hard, die := context.WithCancel(t.Context())
	var over atomic.Bool
	mend := storetest.BreakCommits(path, func() bool {
		if over.Load() {
			return false
		}
		if commits++; commits != n {
			return false
		}
		if f.dies {
			die()
		}
		return f.fails
	})
	defer mend()
	for ended := false; !ended; { // a part that fails is started again, as the house does
		ended = f.live(h, hard)
		if h.again(); f.dies && hard.Err() != nil {
			hard = t.Context()
		}
	}
	over.Store(true)
	sums := map[string][32]byte{}
	for _, c := range h.script.copies {
		sum := sha256.Sum256(c.msg)
		if before, ok := sums[c.env.To]; ok && before != sum {
			t.Errorf("the second copy for %s has other octets", c.env.To)
		}
		sums[c.env.To] = sum
	}
	twice = len(h.script.copies) - len(sums)
	if r := h.progress(); len(sums) != readers || r.Counts[Sent] != readers {
		t.Errorf("%d readers have a copy; %v", len(sums), r.Counts)
	}
	if twice > lines || !f.dies && twice > 0 {
		t.Errorf("%d copies came twice", twice)
	}
	return commits, twice
}

// live is one life of the process, and tells whether the run has come to its end.
func (f commitFault) live(h *house, hard context.Context) bool {
	ctx, stop := context.WithCancel(h.t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- h.q.run(ctx, hard) }()
	for !h.done() {
		select {
		case <-ended:
			return false
		case <-time.After(time.Second):
		}
	}
	stop()
	<-ended
	return true
}
