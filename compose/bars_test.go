package compose

import (
	"bytes"
	"regexp"
	"testing"

	"galley/compose/markdown"
	"galley/templates"
)

var forOutlook = regexp.MustCompile(`(?s)<!--\[if[^\]]*\]>.*?<!\[endif\]-->`)

// TestLooksAreShownEverywhere is bar 11 of trust.md: no bundled look uses what
// fewer than 60 % of the common mail programs show, its colours can be read, and
// what is for Outlook alone passes the inliner byte for byte.
func TestLooksAreShownEverywhere(t *testing.T) {
	text := []byte("---\ntitle: \"#12 - Berths\"\n---\n\n## One\n\n[A](https://a.example/) - Ann\n\n> Quoted.\n\n`code`\n\n| a | b |\n|---|---|\n| c | d |\n\n![A quay](https://a.example/q.png)\n\n## Two\n\nEnd.[^1]\n\n[^1]: Note.\n")
	for _, name := range templates.Names(templates.Look("")) {
		f := harbour()
		f.Looks, _ = templates.Choose(templates.Look(""), name)
		r := mustRender(t, text, f)
		for _, found := range r.Findings {
			if found.Code == "not-shown" || found.Code == "contrast" {
				t.Errorf("%s: %+v", name, found)
			}
		}
		filled, err := r.page(f)
		if err != nil {
			t.Fatal(err)
		}
		page, err := fill(f.Looks, "issue.html", filled, r.Doc.HTML(markdown.Mail))
		if err != nil {
			t.Fatal(err)
		}
		all := forOutlook.FindAll(page, -1)
		if len(all) == 0 {
			t.Errorf("%s has nothing for Outlook", name)
		}
		for _, words := range all {
			if !bytes.Contains(r.HTML, words) {
				t.Errorf("%s: lost or changed: %s", name, words)
			}
		}
	}
}
