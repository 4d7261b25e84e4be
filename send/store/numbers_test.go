package store_test

import (
	"errors"
	"slices"
	"testing"

	"galley/send/store"
	"galley/send/store/storetest"
)

// The ids that are given beforehand are those that the table would have given,
// and it goes on behind them, also when the rows were taken back.
func TestNumbers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		insert := `INSERT INTO subscriber (newsletter, state, key, address, joined, changed) VALUES ('n', 'active', $1, $2, 0, 0) RETURNING id`
		given := `INSERT INTO subscriber (newsletter, state, key, address, joined, changed, id) VALUES ('n', 'active', $1, $2, 0, 0, $3) RETURNING id`
		add := func(tx *store.Tx, text, who string, more ...any) (id int64) {
			t.Helper()
			if err := tx.QueryRowContext(t.Context(), text, append([]any{who, who}, more...)...).Scan(&id); err != nil {
				t.Fatal(err)
			}
			return id
		}
		var last int64
		for _, broken := range []error{nil, errors.New("no paper"), nil} {
			err := db.Update(t.Context(), func(tx *store.Tx) error {
				ids, err := tx.Numbers(t.Context(), "subscriber", 3)
				if err != nil || len(ids) != 3 || !slices.IsSorted(ids) || ids[0] <= last {
					t.Fatalf("behind %d: %v, %v", last, ids, err)
				}
				name := "a" + string(rune('a'+last%20))
				for i, id := range ids[:2] {
					add(tx, given, name+string(rune('0'+i)), id)
				}
				if next := add(tx, insert, name+"x"); next <= ids[1] {
					t.Errorf("%d behind %v", next, ids)
				} else if broken == nil {
					last = next
				}
				return broken
			})
			if !errors.Is(err, broken) {
				t.Fatal(err)
			}
		}
	})
}
