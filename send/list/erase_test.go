package list

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"galley/send/store"
	"galley/send/store/storetest"
)

// Whoever is erased goes out of other people's evidence too, and of a large list
// that was imported nothing is read for it.
func TestEraseOutOfOthersEvidence(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l, ctx := &List{Key: []byte("a key")}, t.Context()
		var file strings.Builder
		file.WriteString("email\n")
		for i := range 3000 {
			fmt.Fprintf(&file, "reader%d@example.org\n", i)
		}
		if _, err := l.Import(ctx, db, "rct", "people.csv", strings.NewReader(file.String()), nil); err != nil {
			t.Fatal(err)
		}
		for who, evidence := range map[string]string{"bob@example.org": "a friend, Ada_L@Example.ORG, asked", "cy@example.org": "by mail <1@mail.example>"} {
			join(t, l, db, who, evidence)
		}
		err := db.Update(ctx, func(tx *store.Tx) error {
			ada, err := ParseAddress("ada_l@example.org")
			if err != nil {
				return err
			}
			if err := l.Erase(ctx, tx, "rct", ada); err != nil {
				return err
			}
			const others = `SELECT evidence FROM consent WHERE what = 'joined' AND evidence NOT LIKE 'import%' ORDER BY subscriber`
			rows, err := tx.QueryContext(ctx, others)
			if err != nil {
				return err
			}
			defer rows.Close()
			left := map[string]bool{}
			for rows.Next() {
				var s string
				if err := rows.Scan(&s); err != nil {
					return err
				}
				left[s] = true
			}
			if len(left) != 2 || !left["erased with the address that it named"] || !left["by mail <1@mail.example>"] {
				t.Errorf("the others' evidence: %v", left)
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		if plan := planOf(t, db, eraseNamed, "rct", "%ada!_l@example.org%"); !strings.Contains(plan, "consent_names") {
			t.Errorf("erasing reads all evidence:\n%s", plan)
		}
	})
}

func join(t *testing.T, l *List, db *store.DB, who, evidence string) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		a, err := ParseAddress(who)
		if err == nil {
			_, _, err = l.Add(t.Context(), tx, "rct", a, "", tx.Now(), evidence)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// planOf is how a database would run a statement, in its own words.
func planOf(t *testing.T, db *store.DB, text string, args ...any) string {
	t.Helper()
	var plan strings.Builder
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		ask := "EXPLAIN QUERY PLAN "
		if db.Dialect() == store.PostgreSQL {
			ask = "EXPLAIN "
			if err := tx.Weigh(t.Context(), "consent"); err != nil {
				return err
			}
		}
		return lines(t.Context(), tx, &plan, ask+text, args...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

func lines(ctx context.Context, tx *store.Tx, to *strings.Builder, text string, args ...any) error {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	for rows.Next() && err == nil {
		cells := make([]any, len(names))
		for i := range cells {
			cells[i] = new(any)
		}
		if err = rows.Scan(cells...); err == nil {
			fmt.Fprintln(to, *cells[len(cells)-1].(*any))
		}
	}
	return errors.Join(err, rows.Err())
}
