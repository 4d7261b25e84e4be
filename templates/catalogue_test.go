package templates

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	blocks = regexp.MustCompile(`\{\{-?\s*define "([^"]+)"`)
	inside = regexp.MustCompile(`\{\{-?\s*template "([^"]+)"`)
	// spoken are the calls whose name is a block's.
	spoken = regexp.MustCompile(`\b(?:tell|tellAuthor|tellOnce|mail|mailAll|mailOthers|say|phrase|Say|Phrase)\([^"\n]*?, "([a-z][a-z-]*[a-z])"`)
	quoted = regexp.MustCompile(`"([a-z][a-z-]+)"`)
)

// program is the Go text of the rooms that speak.
func program(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, room := range []string{"../compose", "../compose/lint", "../compose/markdown", "../compose/picture", "../compose/probe", "../send/door", "../send/list", "../send/site", "../cmd/galley"} {
		files, err := filepath.Glob(room + "/*.go")
		files = append(files, "say.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", room, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(text)
		}
	}
	return b.String()
}

// Every block is said somewhere, and whatever is said is a block.
func TestBlocks(t *testing.T) {
	text, code := read(t, embedded, Catalogue), program(t)
	defined, used := map[string]bool{}, map[string]bool{}
	for _, m := range blocks.FindAllStringSubmatch(text, -1) {
		if defined[m[1]] {
			t.Errorf("the catalogue has %q twice", m[1])
		}
		defined[m[1]] = true
	}
	for _, m := range inside.FindAllStringSubmatch(text, -1) {
		used[m[1]] = true
		if !defined[m[1]] {
			t.Errorf("the catalogue has no %q, which it names", m[1])
		}
	}
	for _, file := range []string{"issue.html", "issue.txt", "web.html", "panel.html", "page.html"} {
		code += read(t, embedded, file)
	}
	for _, m := range quoted.FindAllStringSubmatch(code, -1) {
		used[m[1]] = true
		for _, before := range []string{"reader-", "apart-", "finding-", "repair-", "picture-", "probe-", "list-", "draft-", "issue-"} {
			used[before+m[1]] = true
		}
		// what stands behind the dash is put together
	}
	for name := range defined {
		if !used[name] {
			t.Errorf("nobody says %q", name)
		}
	}
	for _, m := range spoken.FindAllStringSubmatch(code, -1) {
		if !defined[m[1]] {
			t.Errorf("the catalogue has no %q, which the program says", m[1])
		}
	}
}

// A second language is a file: all its blocks are there, or it is refused at
// the start with the names of those that are not.
func TestSpeaking(t *testing.T) {
	dir := t.TempDir()
	english := read(t, embedded, Catalogue)
	german := strings.Replace(english, "The words I know", "Die Wörter, die ich kenne", 1)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("desk.de.txt", german)
	data := map[string]any{"Readers": 1, "Waiting": 0, "Letters": 0}
	for lang, want := range map[string]string{"": "The words I know", "en": "The words I know", "fr": "The words I know",
		"de": "Die Wörter, die ich kenne", "de-AT": "Die Wörter, die ich kenne"} {
		looks := Speaking(Look(dir), lang)
		if err := CheckWords(looks); err != nil {
			t.Fatal(err)
		}
		if subject, _, err := Say(looks, "help", data); err != nil || subject != want {
			t.Errorf("%q says %q, %v", lang, subject, err)
		}
		if _, err := fs.ReadFile(looks, "issue.html"); err != nil {
			t.Error(err)
		}
	}
	write("desk.de.txt", strings.Replace(german, `{{define "held"}}`, `{{define "gehalten"}}`, 1))
	if err := CheckWords(Speaking(Look(dir), "de")); err == nil || !strings.Contains(err.Error(), "desk.de.txt has no block held;") {
		t.Errorf("a catalogue without a mail is taken: %v", err)
	}
}
