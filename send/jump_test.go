package send

import (
	"path/filepath"
	"testing"
	"time"

	"galley/send/store"
)

// What a wrong clock put off for days is due within the longest wait of the
// retry table once the clock is right again; nearer times stay.
func TestDueTimesAreCapped(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "galley.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got := map[string]time.Duration{}
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		for id, wait := range map[string]time.Duration{"near": time.Hour, "far": 72 * time.Hour} {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO slip (newsletter, kind, message_id, address, raw, state, due, made, changed) VALUES ('n', 'k', $1, 'a@b.example', $2, 'deferred', $3, 0, 0)`,
				id, []byte{}, store.Micros(tx.Now().Add(wait)))
			if err != nil {
				return err
			}
		}
		if err := capDue(t.Context(), tx); err != nil {
			return err
		}
		for _, id := range []string{"near", "far"} {
			var due int64
			if err := tx.QueryRowContext(t.Context(), `SELECT due FROM slip WHERE message_id = $1`, id).Scan(&due); err != nil {
				return err
			}
			got[id] = store.Instant(due).Sub(tx.Now())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got["near"] != time.Hour || got["far"] > 9*time.Hour || got["far"] < 8*time.Hour {
		t.Errorf("the waits are %v", got)
	}
}
