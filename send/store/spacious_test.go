package store

import (
	"errors"
	"path/filepath"
	"testing"
)

// A large page cache is there for the one piece of work, each time anew, and no
// longer, also when the work fails.
func TestSpacious(t *testing.T) {
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "galley.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	size := func() (n int) {
		if err := db.write.QueryRowContext(t.Context(), "PRAGMA cache_size").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before, fault := size(), errors.New("no paper")
	for _, want := range []error{nil, fault, nil} {
		err := db.Spacious(t.Context(), func() error {
			if n := size(); n != -spacious {
				t.Errorf("while working: %d", n)
			}
			return want
		})
		if !errors.Is(err, want) || size() != before {
			t.Errorf("%v, then %d in place of %d", err, size(), before)
		}
	}
}
