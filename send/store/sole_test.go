package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"galley/send/servertest"
	"galley/send/store"
	"galley/send/store/storetest"
)

// One daemon does everything on a set of books. It outlives the loss of its
// session, and ends when another one was quicker.
func TestSole(t *testing.T) {
	t.Parallel() // it waits more than it works
	servertest.Need(t, "postgres")
	books := storetest.Schema(t, servertest.StartPostgres(t).URL)
	open := func() *store.DB {
		db, err := store.Open(t.Context(), books)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	one, two := open(), open()
	taken := func(err error, by string) bool {
		var e *store.TakenError
		return errors.As(err, &e) && e.Holder == by && strings.Contains(e.Error(), by+" does everything")
	}
	first, err := one.Sole(t.Context(), "the first")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := two.Sole(t.Context(), "the second"); !taken(err, "the first") {
		t.Fatalf("the second is told %v", err)
	}
	ctx, end := context.WithCancel(t.Context())
	kept := make(chan error, 1)
	go func() { kept <- first.KeepSole(ctx) }()
	lose(t, one, "the first")
	time.Sleep(2500 * time.Millisecond) // it looks every second
	if _, err := two.Sole(t.Context(), "the second"); !taken(err, "the first") {
		t.Fatalf("after the first has lost its session the second is told %v", err)
	}
	end()
	if err := <-kept; err != nil {
		t.Errorf("the first, when it is told to end: %v", err)
	}
	if _, err := two.Sole(t.Context(), "the second"); err != nil {
		t.Errorf("the second, when the first has ended: %v", err)
	}
	if err := first.KeepSole(t.Context()); !taken(err, "the second") {
		t.Errorf("the first, when the second was quicker: %v", err)
	}
}

// lose ends a session on the server's side.
func lose(t *testing.T, db *store.DB, name string) {
	t.Helper()
	ended := false
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1`, name).Scan(&ended)
	})
	if err != nil || !ended {
		t.Fatalf("the session ended: %v, %v", ended, err)
	}
}
