package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A large page cache and a long log are there for the one piece of work, each
// time anew, and no longer, also when the work fails.
func TestSpacious(t *testing.T) {
	path := filepath.Join(t.TempDir(), "galley.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sizes := func() (n []int) {
		for _, s := range spacious {
			n = append(n, 0)
			if err := db.write.QueryRowContext(t.Context(), "PRAGMA "+s.pragma).Scan(&n[len(n)-1]); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	before, fault := sizes(), errors.New("no paper")
	for _, want := range []error{nil, fault, nil} {
		err := db.Spacious(t.Context(), func() error {
			for i, n := range sizes() {
				if n != spacious[i].value || n == before[i] {
					t.Errorf("while working: %s is %d", spacious[i].pragma, n)
				}
			}
			return want
		})
		if !errors.Is(err, want) || !slices.Equal(sizes(), before) {
			t.Errorf("%v, then %v in place of %v", err, sizes(), before)
		}
	}
}

// What the work wrote is in the database when it ends, and not only in the log
// that the next one to commit would have to copy.
func TestSpaciousLeavesNoLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "galley.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const size = 20 << 20
	err = db.Spacious(t.Context(), func() error {
		return db.Update(t.Context(), func(tx *Tx) error {
			_, err := tx.ExecContext(t.Context(), "CREATE TABLE big (x BLOB)")
			if err == nil {
				_, err = tx.ExecContext(t.Context(), "INSERT INTO big VALUES (zeroblob($1))", size)
			}
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := os.Stat(path); err != nil || s.Size() < size {
		t.Errorf("the database has %d octets, %v", s.Size(), err)
	}
}
