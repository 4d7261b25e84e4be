package compose

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"galley/compose/markdown"
)

// TestDamagedDraft composes a draft as mail left it: readers must get the very
// bytes that they get of the file, and the editor is told of every repair.
func TestDamagedDraft(t *testing.T) {
	drafts := map[string][]byte{"harbour.md": readFile(t, "testdata", "render", "harbour.md")}
	root := os.Getenv("GALLEY_CORPORA")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "corpora")
	}
	if seed, err := os.ReadFile(filepath.Join(root, "newsletters-rct", "files", "0129.md")); err == nil {
		drafts["0129.md"] = seed
	} else if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	lines := func(f func(string) string) func(string) string {
		return func(s string) string {
			ls := strings.Split(strings.TrimRight(s, "\n"), "\n")
			for i := range ls {
				ls[i] = f(ls[i])
			}
			return strings.Join(ls, "\n") + "\n"
		}
	}
	for name, damage := range map[string]func(string) string{
		"quoted":     lines(func(l string) string { return "> " + l }),
		"dashes":     func(s string) string { return regexp.MustCompile(`(?m)^-{4,}$`).ReplaceAllString(s, "—————") },
		"cut":        lines(cutLine),
		"every line": func(s string) string { return strings.ReplaceAll(s, "\n", "\n\n") },
		"CRLF":       func(s string) string { return "\ufeff" + strings.ReplaceAll(s, "\n", "\r\n") },
	} {
		for draft, text := range drafts {
			clean := mustRender(t, text, harbour())
			got, err := Render(context.Background(), markdown.Source{Text: []byte(damage(string(text)))}, 0, harbour())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.HTML, clean.HTML) || !bytes.Equal(got.Text, clean.Text) || !bytes.Equal(got.Web, clean.Web) {
				t.Errorf("%s, %s: not the same mail\n%s", draft, name, got.Markdown)
			}
			if len(got.Draft.Repairs) == 0 && name != "CRLF" && (name != "cut" || draft == "0129.md") {
				t.Errorf("%s, %s: nothing is said of the repair", draft, name)
			}
		}
	}
}

// cutLine cuts a line at 72 columns, as mail programs do; its indent stays.
func cutLine(l string) string {
	indent := l[:len(l)-len(strings.TrimLeft(l, " "))]
	return indent + strings.TrimSpace(wrap(l, 72))
}
