package templates

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// The layouts of mails, issues and pages hold no words: a second language is
// the catalogue's file alone. What stands between the tags, or in an attribute
// that people read, comes out of the catalogue or from the newsletter.
func TestLayoutsHoldNoWords(t *testing.T) {
	action := regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	style := regexp.MustCompile(`(?s)<style.*?</style>|<!--.*?-->`)
	read := regexp.MustCompile(`\b(?:alt|title|aria-label|placeholder|summary|value)="([^"]*)"`)
	tag := regexp.MustCompile(`(?s)<[^>]*>`)
	word := regexp.MustCompile(`\pL{2,}`)
	files := 0
	err := fs.WalkDir(embedded, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == Catalogue || !strings.HasSuffix(name, ".html") && !strings.HasSuffix(name, ".txt") {
			return err
		}
		files++
		text, err := fs.ReadFile(embedded, name)
		if err != nil {
			return err
		}
		bare := style.ReplaceAllString(action.ReplaceAllString(string(text), ""), "")
		if strings.HasSuffix(name, ".html") {
			for _, m := range read.FindAllStringSubmatch(bare, -1) {
				if word.MatchString(m[1]) && !sent[m[1]] {
					t.Errorf("%s: an attribute says %q", name, m[1])
				}
			}
			bare = regexp.MustCompile(`&\w+;`).ReplaceAllString(tag.ReplaceAllString(bare, "\n"), "")
		}
		for line := range strings.Lines(bare) {
			if word.MatchString(line) {
				t.Errorf("%s says %q; its place is %s", name, strings.TrimSpace(line), Catalogue)
			}
		}
		return nil
	})
	if err != nil || files < 7 {
		t.Errorf("%d files, %v", files, err)
	}
}

// sent are the values that the choices of a form send and nobody reads.
var sent = map[string]bool{"leave": true, "data": true, "forget": true}
