package corpora

import (
	"path/filepath"
	"testing"
)

// A test learns that the corpora are not there: by a skip at home, by a
// failure in CI, and never by reading nothing.
func TestDir(t *testing.T) {
	home := t.TempDir()
	t.Setenv("GALLEY_CORPORA", home)
	t.Setenv("CI", "")
	if got := Dir(t); got != home {
		t.Errorf("%s, want %s", got, home)
	}
	for ci, want := range map[string]string{"": "skipped", "true": "failed"} {
		t.Setenv("CI", ci)
		if got := outcome(func(tb testing.TB) { Dir(tb, "nowhere") }); got != want {
			t.Errorf("CI=%q: a missing corpus is %q, want %q", ci, got, want)
		}
	}
	t.Setenv("GALLEY_CORPORA", "")
	if m := module(t); filepath.Base(filepath.Dir(filepath.Dir(mustAbs(t)))) != filepath.Base(m) {
		t.Errorf("the module is at %s", m)
	}
}

func mustAbs(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// witness notes how a test ends instead of ending it.
type witness struct {
	testing.TB
	how string
}

func (w *witness) Helper()               {}
func (w *witness) Skipf(string, ...any)  { w.how = "skipped"; panic(w) }
func (w *witness) Fatalf(string, ...any) { w.how = "failed"; panic(w) }

func outcome(f func(testing.TB)) string {
	w := &witness{}
	func() {
		defer func() { _ = recover() }()
		f(w)
	}()
	return w.how
}
