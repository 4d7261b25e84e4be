package corpora

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir is the folder of all corpora, or of one of them or a place in it when
// parts name it. The test is skipped, or fails in CI, when it is not there.
func Dir(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("GALLEY_CORPORA")
	if root == "" {
		root = filepath.Join(module(t), "..", "shared", "corpora")
	}
	dir := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the corpora are missing in CI, set GALLEY_CORPORA: %v", err)
		}
		t.Skipf("no corpora here, set GALLEY_CORPORA: %v", err)
	}
	return dir
}

// module is the folder that go.mod lies in: tests run in their package's.
func module(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for up := dir; ; up = filepath.Dir(up) {
		if _, err := os.Stat(filepath.Join(up, "go.mod")); err == nil {
			return up
		}
		if up == filepath.Dir(up) {
			t.Fatalf("no go.mod above %s", dir)
		}
	}
}
