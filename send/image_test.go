package send

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"galley/send/store"
	"galley/send/store/storetest"
)

// image is what a power cut leaves: the database and its log as they were on
// the disk when a commit was being written, and the log's end after the commit
// before, which has been synced. What follows may be there in part.
type image struct {
	db, wal []byte
	synced  int
	taken   map[string]bool // readers whose copy a server had taken before
	left    map[string]bool // readers who had been told that they are off the list
}

// TestCrashImages is bar 28: the books open from what a power cut leaves,
// whole, with every row; nobody is in them as sent who has no copy, and who
// left has left. A thousand cuts with GALLEY_SERVERS, two a commit without.
func TestCrashImages(t *testing.T) {
	const readers = 60
	storetest.WatchCommits()
	var images []image
	synctest.Test(t, func(t *testing.T) { images = photographed(t, readers) })
	cuts := 2
	if os.Getenv("GALLEY_SERVERS") != "" && !raceDetector {
		cuts = 1000/len(images) + 1
	}
	dice := rand.New(rand.NewPCG(28, 28))
	path := filepath.Join(memoryDir(t), "galley.db")
	looked := 0
	for n, img := range images {
		for range cuts {
			cut := img.synced + dice.IntN(len(img.wal)-img.synced+1)
			for file, octets := range map[string][]byte{path: img.db, path + "-wal": img.wal[:cut], path + "-shm": nil} {
				os.Remove(file)
				if octets != nil && os.WriteFile(file, octets, 0o600) != nil {
					t.Fatal("an image cannot be written")
				}
			}
			looked++
			if img.examine(t, path, readers); t.Failed() {
				t.Fatalf("image %d of %d, its log cut at %d of %d octets", n, len(images), cut, len(img.wal))
			}
		}
	}
	t.Logf("%d images of %d commits", looked, len(images))
	if len(images) < 20 {
		t.Errorf("only %d commits", len(images))
	}
}

// photographed runs an issue, of which some readers leave in the middle, and
// keeps an image of every commit.
func photographed(t *testing.T, readers int) (images []image) {
	path := filepath.Join(memoryDir(t), "galley.db")
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	h := houseOn(t, db, 0)
	h.crowd(readers)
	h.q.Connections, h.q.Tick = 2, time.Second
	left, told, synced := map[string]bool{}, map[string]bool{}, len(read(t, path+"-wal"))
	mend := storetest.BreakCommits(path, func() bool { // the commit before this one is on disk
		img := image{db: read(t, path), wal: read(t, path+"-wal"), synced: synced, taken: map[string]bool{}, left: told}
		for _, c := range h.taken() {
			img.taken[c.env.To] = true
		}
		images, synced, told = append(images, img), len(img.wal), maps.Clone(left)
		return false
	})
	defer mend()
	h.script.after = func(n int) {
		time.Sleep(time.Duration(10+n%7) * time.Millisecond)
		if n%10 == 0 {
			addr := fmt.Sprintf("reader%06d@mail.example", readers-n/10)
			h.leave(addr)
			h.update(func(context.Context, *store.Tx) error { left[addr] = true; return nil }) // in the order of the commits
		}
	}
	h.publish(edition("The tide waits.", time.Now()))
	h.until(10*time.Minute, "the run ends", h.done)
	return images
}

func read(t *testing.T, path string) []byte {
	octets, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return octets
}

// examine opens an image as the next process does.
func (img image) examine(t *testing.T, path string, readers int) {
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	err = db.View(t.Context(), func(tx *store.Tx) error {
		var whole string
		if err := tx.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&whole); err != nil || whole != "ok" {
			t.Errorf("integrity_check: %q, %v", whole, err)
		}
		var rows int
		if err := tx.QueryRowContext(t.Context(), `SELECT count(*) FROM delivery`).Scan(&rows); err != nil {
			return err
		}
		if len(img.taken) > 0 && rows != readers {
			t.Errorf("%d rows of %d, and %d copies were out", rows, readers, len(img.taken))
		}
		sent, err := addresses(t.Context(), tx, `SELECT address FROM delivery WHERE state = 'sent'`)
		for a := range sent {
			if !img.taken[a] {
				t.Errorf("%s is in the books as sent and has no copy: lost", a)
			}
		}
		if err != nil {
			return err
		}
		active, err := addresses(t.Context(), tx, `SELECT address FROM subscriber WHERE state = 'active'`)
		for a := range img.left {
			if active[a] {
				t.Errorf("%s left and is back on the list", a)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func addresses(ctx context.Context, tx *store.Tx, query string) (map[string]bool, error) {
	rows, err := tx.QueryContext(ctx, query)
	all, err := collect(rows, err, func(row scanner) (a string, err error) { return a, row.Scan(&a) })
	found := map[string]bool{}
	for _, a := range all {
		found[a] = true
	}
	return found, err
}
