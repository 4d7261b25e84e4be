package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// spoken runs the program with words and gives what it said.
func spoken(t *testing.T, words ...string) (code int, out, err string) {
	t.Helper()
	var o, e strings.Builder
	code = run(context.Background(), words, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func TestHelp(t *testing.T) {
	code, list, _ := spoken(t, "help")
	if code != exitOK || !strings.Contains(list, "draft ") || !strings.Contains(list, "findings ") {
		t.Errorf("%d: %s", code, list)
	}
	_, draft, _ := spoken(t, "help", "draft")
	// The keys of a draft's head, each at the beginning of its line.
	for _, key := range []string{"title", "subtitle", "preheader", "date", "issue", "slug", "layout", "hero-img", "lang", "send", "credits"} {
		if !strings.Contains(draft, "\n  "+key+" ") {
			t.Errorf("help draft says nothing of %s", key)
		}
	}
	for _, key := range []string{"to", "reply-to", "tags", "canonical", "draft"} {
		if !strings.Contains(draft, key) {
			t.Errorf("help draft says nothing of %s", key)
		}
	}
	if code, _, err := spoken(t, "help", "knots"); code != exitFailed || !strings.Contains(err, "galley help lists them") {
		t.Errorf("%d: %s", code, err)
	}
	files, err := filepath.Glob("help/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no topics", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(text), "\n") {
			if len([]rune(line)) > 80 {
				t.Errorf("%s:%d is wider than a terminal", file, n+1)
			}
		}
	}
}

// Every look is shown light and dark, and they differ.
func TestLooks(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // pictures take seconds and show the same pages
	dir := t.TempDir()
	code, out, err := spoken(t, "looks", "-o", dir)
	if code != exitOK || !strings.Contains(out, "no pictures") {
		t.Fatalf("%d: %s%s", code, out, err)
	}
	seen := map[string]string{}
	for _, look := range []string{"plain", "standard"} {
		for _, page := range []string{"mail-light", "mail-dark", "web-light", "web-dark"} {
			name := look + "-" + page + ".html"
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if twin := seen[string(data)]; twin != "" || !strings.Contains(string(data), "Knots for Cold Hands") {
				t.Errorf("%s shows nothing of its own (%s)", name, twin)
			}
			seen[string(data)] = name
		}
	}
}

// The table is made of a copy of the data, and never of something else.
func TestSupport(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte(`{"data":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "features.tsv")
	if code, _, _ := spoken(t, "support", "--from", bad, "-o", out); code != exitFailed {
		t.Error("data without features is taken")
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a table was written")
	}
}
