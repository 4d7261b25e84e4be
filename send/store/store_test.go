package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galley/send/store"
	"galley/send/store/storetest"
)

func put(ctx context.Context, tx *store.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO seen (newsletter, kind, value, at) VALUES ($1, $2, $3, $4)`,
		"rct", "test", id, store.Micros(tx.Now()))
	return err
}

func count(t *testing.T, db *store.DB) (n int) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT count(*) FROM seen`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		boom := errors.New("boom")
		rang := 0
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			tx.AfterCommit(func() { rang++ })
			if err := put(t.Context(), tx, "a"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) || count(t, db) != 0 || rang != 0 {
			t.Fatalf("after a failure: err %v, %d rows, bell rang %d times", err, count(t, db), rang)
		}
		err = db.Update(t.Context(), func(tx *store.Tx) error {
			tx.AfterCommit(func() { rang++ })
			return put(t.Context(), tx, "a")
		})
		if err != nil || count(t, db) != 1 || rang != 1 {
			t.Fatalf("after a success: err %v, %d rows, bell rang %d times", err, count(t, db), rang)
		}
	})
}

func TestPanicFreesTheWriteLock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		func() {
			defer func() { recover() }()
			db.Update(t.Context(), func(tx *store.Tx) error { panic("in the middle") })
		}()
		if err := db.Update(t.Context(), func(tx *store.Tx) error { return put(t.Context(), tx, "b") }); err != nil {
			t.Fatal(err)
		}
	})
}

// What was written when the context ends is taken back, and the next one finds
// the connection free.
func TestEndedContext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, end := context.WithCancel(t.Context())
		err := db.Update(ctx, func(tx *store.Tx) error {
			defer end()
			return put(ctx, tx, "a")
		})
		if !errors.Is(err, context.Canceled) || count(t, db) != 0 {
			t.Errorf("%v, %d rows", err, count(t, db))
		}
		if err := db.Update(ctx, func(*store.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Error("begun after the end:", err)
		}
		if err := db.Update(t.Context(), func(tx *store.Tx) error { return put(t.Context(), tx, "b") }); err != nil || count(t, db) != 1 {
			t.Errorf("afterwards: %v, %d rows", err, count(t, db))
		}
	})
}

func TestErrorKinds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		twice := db.Update(t.Context(), func(tx *store.Tx) error {
			if err := put(t.Context(), tx, "a"); err != nil {
				return err
			}
			return put(t.Context(), tx, "a")
		})
		if !store.Conflict(twice) || store.NotFound(twice) || store.Full(twice) {
			t.Errorf("a second row under one key: %v", twice)
		}
		none := db.View(t.Context(), func(tx *store.Tx) error {
			var s string
			return tx.QueryRowContext(t.Context(), `SELECT value FROM seen WHERE kind = $1`, "none").Scan(&s)
		})
		if !store.NotFound(none) || store.Conflict(none) {
			t.Errorf("no row: %v", none)
		}
	})
}

func TestViewChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		err := db.View(t.Context(), func(tx *store.Tx) error { return put(t.Context(), tx, "a") })
		if err == nil {
			t.Error("a View wrote a row")
		}
	})
}

func TestOpenTwiceKeepsRowsAndRefusesANewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "galley.db")
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx *store.Tx) error { return put(t.Context(), tx, "kept") }); err != nil {
		t.Fatal(err)
	}
	db.Close()
	db, err = store.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if count(t, db) != 1 {
		t.Error("the row is gone")
	}
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, $2)`, 999, true)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err = store.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "newer Galley") {
		t.Errorf("a schema of version 999: %v", err)
	}
}

func TestOpenNamesTheFolderThatIsMissing(t *testing.T) {
	_, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "no", "galley.db"))
	if err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("got %v", err)
	}
}

// The clock of a transaction is the bubble's: a week passes in no time.
func TestTransactionsKnowTheirInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "galley.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var before, after time.Time
		db.View(t.Context(), func(tx *store.Tx) error { before = tx.Now(); return nil })
		time.Sleep(7 * 24 * time.Hour)
		db.View(t.Context(), func(tx *store.Tx) error { after = tx.Now(); return nil })
		if after.Sub(before) != 7*24*time.Hour || store.Instant(store.Micros(after)) != after {
			t.Errorf("a week was %v", after.Sub(before))
		}
	})
}
