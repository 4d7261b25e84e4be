package compose

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"galley/compose/corpora"
	"galley/compose/markdown"

	"golang.org/x/net/html"
)

// A draft's layout: chooses the look; what is unknown is told with the names.
func TestLayout(t *testing.T) {
	draft := func(layout string) []byte { return []byte("---\ntitle: x\nlayout: " + layout + "\n---\n\nText.\n") }
	usual, plain := mustRender(t, draft("email"), harbour()), mustRender(t, draft("plain"), harbour())
	if bytes.Equal(usual.HTML, plain.HTML) || bytes.Equal(usual.Web, plain.Web) || !bytes.Contains(plain.HTML, []byte("sheet-cell")) {
		t.Error("layout: plain changes nothing")
	}
	for layout, told := range map[string]bool{"email": false, "plain": false, "Standard": false, "wniter": true} {
		r := mustRender(t, draft(layout), harbour())
		at := slices.IndexFunc(r.Findings, func(f markdown.Finding) bool { return f.Code == "layout-unknown" })
		if (at >= 0) != told || told && !strings.Contains(r.Findings[at].Message, "plain, standard") {
			t.Errorf("layout %s: %+v", layout, r.Findings)
		}
	}
}

// The second look is as sound as the first: nothing is hard to read or lost in
// it, and #129 stays small.
func TestPlainLook(t *testing.T) {
	seed := bytes.Replace(readFile(t, corpora.Dir(t, "newsletters-rct", "files"), "0129.md"), []byte("layout: email"), []byte("layout: plain"), 1)
	f := harbour()
	f.Published, f.Sections = nil, nil
	r := mustRender(t, seed, f)
	root, err := html.Parse(bytes.NewReader(r.HTML))
	if err != nil {
		t.Fatal(err)
	}
	if _, faults := census(root); len(faults) > 0 {
		t.Error(faults)
	}
	for _, f := range r.Findings {
		if f.Code == "contrast" || f.Code == "not-shown" || f.Level == markdown.Error {
			t.Errorf("%+v", f)
		}
	}
	if r.Sizes.HTML > 45_000 || !bytes.Contains(r.HTML, []byte("prefers-color-scheme")) {
		t.Errorf("%+v", r.Sizes)
	}
}
