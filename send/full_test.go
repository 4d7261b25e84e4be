package send

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"galley/send/servertest"
	"galley/send/store"
)

// pragma changes the one connection that writes.
func (h *house) pragma(text string) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, "PRAGMA "+text)
		return err
	})
}

// pages is how big the books are.
func (h *house) pages() (n int) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, "PRAGMA page_count").Scan(&n)
	})
	return n
}

// claimedFirst fails the test when a MAIL is said for a row that is not
// claimed in the books.
func (h *house) claimedFirst(e Envelope) {
	var state State
	err := h.q.DB.View(context.Background(), func(tx *store.Tx) error {
		return tx.QueryRowContext(context.Background(), `SELECT state FROM delivery WHERE address = $1`, e.To).Scan(&state)
	})
	if err != nil || state != Claimed {
		h.t.Errorf("MAIL for %s, which is %s in the books (%v)", e.To, state, err)
	}
}

// Bar 33: the books are full in mid-send. Nothing goes without a committed
// claim, sending stops, and goes on by itself when there is room.
func TestFullBooks(t *testing.T) {
	simulate(t, 900, func(h *house) {
		var shut instant
		h.q.Tick = 0
		h.script.fate = func(e Envelope, try int) Outcome {
			h.claimedFirst(e)
			return accepted()
		}
		h.script.after = func(n int) {
			time.Sleep(5 * time.Millisecond)
			if n == 100 {
				h.pragma(fmt.Sprintf("max_page_count(%d)", h.pages()+2))
				shut.Store(new(time.Now()))
			}
		}
		h.publish(edition("The tide waits.", time.Now()))
		h.fillAndFree(900, func() { time.Sleep(10 * time.Minute) }, &shut, func() { h.pragma("max_page_count(1000000)") })
	})
}

// instant is when something was done by another goroutine, nil before it.
type instant = atomic.Pointer[time.Time]

// fillAndFree runs while the books fill up, lets time pass, makes room, and
// holds what happened against bar 33.
func (h *house) fillAndFree(readers int, pass func(), shut *instant, free func()) {
	h.t.Helper()
	ctx, stop := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.q.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	}()
	pass()
	before, at := h.taken(), shut.Load()
	if len(before) == 0 || at == nil || before[len(before)-1].at.Sub(*at) > 2*time.Second || len(before) >= readers {
		h.t.Errorf("%d copies went; the books were shut at %v", len(before), at)
	}
	freed := time.Now()
	free()
	for len(h.taken()) == len(before) && time.Since(freed) < time.Minute {
		time.Sleep(50 * time.Millisecond)
	}
	if wait := time.Since(freed); wait > 30*time.Second {
		h.t.Errorf("sending went on %v after there was room", wait)
	}
	h.wait(time.Minute, "the run ends", h.done)
	if n := len(h.taken()); n > readers+h.q.Connections || len(h.script.perReader()) != readers {
		h.t.Errorf("%d copies for %d readers", n, len(h.script.perReader()))
	}
}

// taken is a snapshot of the copies.
func (h *house) taken() []copyOf {
	h.script.mu.Lock()
	defer h.script.mu.Unlock()
	return slices.Clone(h.script.copies)
}

// Bar 33 on a real disk of 4 MiB that somebody else fills: the log of the books
// fills it too, again and again.
func TestFullDisk(t *testing.T) {
	mayMount(t)
	dir := t.TempDir()
	mount(t, "mount -t tmpfs -o size=4m tmpfs "+dir)
	t.Cleanup(func() { run("umount " + dir) })
	db, err := store.Open(t.Context(), filepath.Join(dir, "galley.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	h := houseOn(t, db, 0)
	h.crowd(1000)
	if err := db.Scrub(t.Context()); err != nil { // as after any start: the readers are in the books, and the log is empty
		t.Fatal(err)
	}
	var shut instant
	filler := filepath.Join(dir, "filler")
	h.script.fate = func(e Envelope, try int) Outcome {
		h.claimedFirst(e)
		return accepted()
	}
	h.script.after = func(n int) {
		time.Sleep(time.Millisecond)
		if n == 200 {
			os.WriteFile(filler, make([]byte, 32<<20), 0o600) // until the disk is full
			shut.Store(new(time.Now()))
		}
	}
	h.publish(edition("The tide waits.", time.Now()))
	h.fillAndFree(1000, func() { time.Sleep(4 * time.Second) }, &shut, func() { os.Remove(filler) })
}

// Bar 33 where another process has the write lock of the books for a minute.
func TestLockedBooks(t *testing.T) {
	servertest.Need(t, "python3")
	t.Parallel() // it waits more than it works
	path := filepath.Join(t.TempDir(), "galley.db")
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	h := houseOn(t, db, 0)
	h.crowd(1000)
	other := exec.Command("python3", "-c", `import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
c.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()`, path)
	free, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { free.Close(); other.Wait() })
	var shut instant
	h.script.fate = func(e Envelope, try int) Outcome {
		h.claimedFirst(e)
		return accepted()
	}
	h.script.after = func(n int) {
		time.Sleep(time.Millisecond)
		if n == 200 {
			if err := other.Start(); err != nil {
				t.Error(err)
			}
			io.ReadFull(said, make([]byte, len("locked")))
			shut.Store(new(time.Now()))
		}
	}
	h.publish(edition("The tide waits.", time.Now()))
	h.fillAndFree(1000, func() { time.Sleep(time.Minute) }, &shut, func() { free.Close() })
}
