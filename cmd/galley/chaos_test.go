//go:build chaos

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"galley/send"
	"galley/send/sendtest"
	"galley/send/servertest"
	"galley/send/store"
	"galley/send/store/storetest"
)

// TestChaos lets an issue out of the real program, to the sink, and does to it
// what happens to machines: it is killed and frozen, its disk is full, somebody
// else has the lock of its books, PostgreSQL is killed, its clock jumps. Odd
// seeds run on SQLite with an embedded mailbox, even ones on PostgreSQL and
// Dovecot. GALLEY_CHAOS_SEEDS, GALLEY_CHAOS_FIRST and GALLEY_CHAOS_READERS make
// it long; the faults of a seed come in the same order.
func TestChaos(t *testing.T) {
	first := number0("GALLEY_CHAOS_FIRST", 1)
	for seed := first; seed < first+number0("GALLEY_CHAOS_SEEDS", 2); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { chaos(t, uint64(seed), number0("GALLEY_CHAOS_READERS", 500)) })
	}
}

// storm is a daemon in trouble.
type storm struct {
	*rig
	pg    *servertest.Postgres // nil: the books are SQLite's
	clock string               // the file that says how wrong the clock is
	small bool                 // the books are on a disk that can be filled
	did   map[string]int
}

func chaos(t *testing.T, seed uint64, readers int) {
	s := &storm{did: map[string]int{}, clock: filepath.Join(t.TempDir(), "clock")}
	on := footing{falls: true}
	if seed%2 == 0 {
		servertest.Need(t, "dovecot", "postgres")
		s.pg = servertest.StartPostgres(t)
		on.books, on.dovecot = storetest.Schema(t, s.pg.URL), true
	}
	s.rig = newRig(t, on, crashConfig{connections: 6})
	s.rand = rand.New(rand.NewPCG(seed, 1))
	s.env = append(s.env, "GALLEY_CLOCK="+s.clock)
	s.think(4 * time.Millisecond)
	if s.pg == nil {
		s.shrink()
	}
	s.readers(readers, noFate)
	s.start()
	s.letOut()
	for n := range 8 {
		s.reach(min(readers-1, max(s.sent()+10, (n+1)*readers/10)))
		s.strike()
	}
	s.jump("0s")
	s.until("the end of the run", func() bool { return s.run().Final() })
	if run := s.run(); run.Counts[send.Sent] != readers || run.Total != readers {
		t.Errorf("the final states are %v of %d", run.Counts, run.Total)
	}
	t.Logf("seed %d: %v", seed, s.did)
	s.complete(readers, func(a sendtest.Accepted) [32]byte { return a.Digest })
}

// shrink puts the books on a disk of 48 MiB, where that can be done.
func (s *storm) shrink() {
	files := map[string]string{}
	for _, name := range []string{"galley.toml", "dkim.pem"} {
		files[name] = string(readFile(s.t, filepath.Join(s.dir, name)))
	}
	if exec.Command("mount", "-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs", s.dir).Run() != nil {
		return // who is not root has no disk of his own
	}
	s.small = true
	s.t.Cleanup(func() { exec.Command("umount", "-l", s.dir).Run() })
	for name, text := range files {
		put(s.t, filepath.Join(s.dir, name), text, 0o600)
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "looks"), 0o700); err != nil {
		s.t.Fatal(err)
	}
}

// strike does one of the things that happen.
func (s *storm) strike() {
	what := []string{"kill", "freeze", "clock", "lock", "disk"}[s.rand.IntN(5)]
	if s.pg != nil && (what == "lock" || what == "disk") {
		what = "database"
	}
	if what == "disk" && !s.small {
		what = "kill"
	}
	s.did[what]++
	pause := time.Duration(200+s.rand.IntN(800)) * time.Millisecond
	switch what {
	case "kill":
		s.kill()
		s.start()
	case "freeze":
		s.d.cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(pause)
		s.d.cmd.Process.Signal(syscall.SIGCONT)
	case "clock":
		s.jump([]string{"-2h", "1h", "-1m", "0s"}[s.rand.IntN(4)])
	case "lock":
		s.look(func(context.Context, *store.Tx) error { return nil })
		err := s.h.db.Update(s.t.Context(), func(*store.Tx) error { time.Sleep(pause); return nil })
		if err != nil {
			s.t.Error(err)
		}
	case "disk":
		s.fill(pause)
	case "database":
		s.shut()
		s.pg.Kill()
		s.kills++ // a result that could not be written is a copy in doubt
		time.Sleep(pause)
		s.pg.Start()
	}
}

// jump sets the daemon's clock wrong.
func (s *storm) jump(by string) {
	put(s.t, s.clock, by, 0o600)
}

// fill leaves no room on the disk for a while.
func (s *storm) fill(d time.Duration) {
	filler := filepath.Join(s.dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 64<<20), 0o600); err == nil {
		s.t.Error("the disk is not small")
	}
	time.Sleep(d)
	if err := os.Remove(filler); err != nil {
		s.t.Error(err)
	}
}
