package store_test

import (
	"context"
	"sync/atomic"
	"testing"

	"galley/send/store"
	"galley/send/store/storetest"
)

// A commit that is refused leaves SQLite inside its transaction. The next one
// must find the connection free, and nothing of the first.
func TestRefusedCommit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		exec := func(query string) error {
			return db.Update(t.Context(), func(tx *store.Tx) error {
				_, err := tx.ExecContext(t.Context(), query)
				return err
			})
		}
		if err := exec(`CREATE TABLE pebble (n BIGINT PRIMARY KEY, lies_on BIGINT REFERENCES pebble (n) DEFERRABLE INITIALLY DEFERRED)`); err != nil {
			t.Fatal(err)
		}
		if err := exec(`INSERT INTO pebble VALUES (1, 2)`); err == nil {
			t.Fatal("a pebble lies on none")
		}
		if err := exec(`INSERT INTO pebble VALUES (3, 3)`); err != nil {
			t.Fatal("after the commit that failed:", err)
		}
		var n int
		if err := db.View(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRowContext(t.Context(), `SELECT sum(n) FROM pebble`).Scan(&n)
		}); err != nil || n != 3 {
			t.Errorf("the pebbles add up to %d, %v", n, err)
		}
	})
}

// hasty is a context that ends while its first statement runs.
type hasty struct {
	context.Context
	asked *atomic.Int32
	over  chan struct{}
}

func (h hasty) Done() <-chan struct{} {
	if h.asked.Add(1) > 2 { // database/sql and the driver have found it alive
		return h.over
	}
	return h.Context.Done()
}

func (h hasty) Err() error {
	if h.asked.Load() > 2 {
		return context.Canceled
	}
	return nil
}

// Whoever is told that a transaction has not begun leaves none behind: the
// connection goes to the next one.
func TestCutOffWhileItBegins(t *testing.T) {
	db := storetest.Open(t)
	over := make(chan struct{})
	close(over)
	for range 1500 {
		ctx, cancel := context.WithCancel(t.Context())
		h := hasty{ctx, new(atomic.Int32), over}
		db.View(h, func(*store.Tx) error { return nil })
		db.Update(h, func(*store.Tx) error { return nil })
		cancel()
		for _, f := range []func(context.Context, func(*store.Tx) error) error{db.View, db.Update} {
			if err := f(t.Context(), func(*store.Tx) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
}
