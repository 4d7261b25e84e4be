package store_test

import (
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
