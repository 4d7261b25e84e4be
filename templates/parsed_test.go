package templates

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whoever changes a look while the daemon runs sees it in the next proof; until
// then a file is parsed once.
func TestPageIsReadAnewWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "issue.html")
	looks := Look(dir)
	at := time.Now()
	for _, words := range []string{"the tide", "the ebb"} {
		if err := os.WriteFile(file, []byte(words), 0o600); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Second)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
		page, err := Page(looks, "issue.html")
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := page.Execute(&b, nil); err != nil || b.String() != words {
			t.Errorf("%q, %v", b.String(), err)
		}
		if again, err := Page(looks, "issue.html"); err != nil || again != page {
			t.Errorf("a file that stays is parsed again: %v", err)
		}
	}
	if err := os.WriteFile(file, []byte("{{if}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, at.Add(time.Second), at.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := Page(looks, "issue.html"); err == nil {
		t.Error("a broken file is taken")
	}
}
