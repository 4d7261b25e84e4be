package compose

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galley/compose/markdown"
	"galley/templates"
)

// TestPartials puts texts of the templates folder into an issue, and into its
// text part and page alike.
func TestPartials(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"sign-off.md": "## That’s it\n\nUntil next week.\n", "House-Rules.md": "Be *kind*.\n"} {
		if err := os.MkdirAll(filepath.Join(dir, "partials"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "partials", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f := Frame{Name: "The Letter", Looks: templates.Look(dir), Suggestions: "[Ropes](https://ropes.example/) - Ada, suggested by Bo"}
	text := "Hi.\n\n{{house-rules}}\n\n## Links\n\n{{suggestions}}\n\n{{nothing}}\n"
	r, err := Render(context.Background(), markdown.Source{Text: []byte(text), Subject: "One", Exact: true}, 1, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]byte{r.HTML, r.Text, r.Web} {
		for _, want := range []string{"Until next week.", "kind", "https://ropes.example/", "suggested by Bo", "{{nothing}}"} {
			if strings.Count(string(part), want) != 1 {
				t.Errorf("%q is there %d times in\n%s", want, strings.Count(string(part), want), part)
			}
		}
	}
	if len(r.Doc.Sections) != 2 || r.Doc.Sections[0].Items[0].Links[0].Author != "Ada, suggested by Bo" {
		t.Errorf("sections %+v", r.Doc.Sections)
	}
	if r.Errors() != 1 {
		t.Errorf("findings %+v, want an error for {{nothing}}", r.Findings)
	}
}

// TestContentsPerMedium checks that neither table of contents leads to a
// section that only the other edition has.
func TestContentsPerMedium(t *testing.T) {
	item := "\n\n[a](https://a.example/) - B\n\n"
	text := "## One" + item + "## Two" + item + "<div class=\"email-only\">\n\n## Jobs" + item + "</div>\n\n<div class=\"web-only\">\n\n## All jobs" + item + "</div>\n"
	r, err := Render(context.Background(), markdown.Source{Text: []byte(text), Exact: true}, 1, Frame{Name: "The Letter", Looks: templates.Look("")})
	if err != nil {
		t.Fatal(err)
	}
	mail, web := string(r.HTML), string(r.Web)
	if !strings.Contains(mail, `href="#jobs"`) || strings.Contains(mail, `href="#all-jobs"`) || strings.Contains(web, `href="#jobs"`) || !strings.Contains(web, `href="#all-jobs"`) {
		t.Errorf("mail:\n%s\nweb:\n%s", mail, web)
	}
	if strings.Contains(string(r.Text), "All jobs") {
		t.Errorf("text:\n%s", r.Text)
	}
}
