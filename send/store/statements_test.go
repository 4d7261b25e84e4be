package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"galley/send/store"
	"galley/send/store/storetest"
)

// A query may be asked again while its own rows are being read. That is SQLite's
// alone: pgx refuses a second query on a busy connection.
func TestTheSameQueryInsideItself(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "galley.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const numbers = `WITH RECURSIVE n (i) AS (SELECT $1 + 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n`
	sum := 0
	err = db.View(t.Context(), func(tx *store.Tx) error {
		outer, err := tx.QueryContext(t.Context(), numbers, 1)
		if err != nil {
			return err
		}
		defer outer.Close()
		for outer.Next() {
			var from int
			if err := outer.Scan(&from); err != nil {
				return err
			}
			inner, err := tx.QueryContext(t.Context(), numbers, from)
			if err != nil {
				return err
			}
			for inner.Next() {
				var i int
				if err := inner.Scan(&i); err != nil {
					return err
				}
				sum += i
			}
			if err := inner.Close(); err != nil {
				return err
			}
		}
		return outer.Err()
	})
	if err != nil || sum != 55 {
		t.Errorf("sum %d, %v", sum, err)
	}
}

// A statement outlives changes of the tables it is about, failures, and any
// number of other statements.
func TestStatementsAreKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		exec := func(query string, args ...any) error {
			return db.Update(t.Context(), func(tx *store.Tx) error {
				_, err := tx.ExecContext(t.Context(), query, args...)
				return err
			})
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		const insert, all = `INSERT INTO pebble (n) VALUES ($1)`, `SELECT count(*) FROM pebble`
		must(exec(`CREATE TABLE pebble (n BIGINT UNIQUE)`))
		must(exec(insert, 1))
		if err := exec(insert, 1); !store.Conflict(err) {
			t.Fatalf("a second 1: %v", err)
		}
		must(exec(`ALTER TABLE pebble ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'`))
		for i := 2; i <= 600; i++ { // more texts than are kept
			must(exec(insert, i))
			if i%2 == 0 {
				must(exec(fmt.Sprintf(`UPDATE pebble SET colour = 'red' WHERE n = %d`, i)))
			}
		}
		var n, red int
		must(db.View(t.Context(), func(tx *store.Tx) error {
			if err := tx.QueryRowContext(t.Context(), all).Scan(&n); err != nil {
				return err
			}
			return tx.QueryRowContext(t.Context(), all+` WHERE colour = 'red'`).Scan(&red)
		}))
		if n != 600 || red != 300 {
			t.Errorf("%d pebbles, %d red", n, red)
		}
	})
}
