package markdown

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func goldenDraft(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "golden", "weekly.md"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// golden compares got with a file of testdata/golden.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from what was written:\n%s", name, got)
	}
}

func TestGolden(t *testing.T) {
	d, doc := render(t, Source{Text: goldenDraft(t), Exact: true})
	golden(t, "weekly.mail.html", doc.HTML(Mail))
	golden(t, "weekly.web.html", doc.HTML(Web))
	golden(t, "weekly.txt", doc.Text(Mail))
	golden(t, "weekly.canonical.md", d.Markdown())
	report, err := json.MarshalIndent(map[string]any{
		"front": d.Front, "repairs": d.Repairs, "findings": d.Findings, "sections": doc.Sections,
		"contents": titles(doc.Contents()), "words": doc.Words, "images": doc.Images,
	}, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "weekly.json", append(report, '\n'))
	for _, f := range bar9(doc) {
		t.Error(f)
	}
}

func titles(ss []Section) []string {
	var out []string
	for _, s := range ss {
		out = append(out, s.Title)
	}
	return out
}

// TestGoldenDamaged mails the golden draft through every damage: readers must
// get the same mail.
func TestGoldenDamaged(t *testing.T) {
	src := string(goldenDraft(t))
	_, clean := render(t, Source{Text: []byte(src)})
	for _, dm := range damages {
		kind := dm.name
		d, doc := render(t, Source{Text: []byte(dm.do(src))})
		if got, want := count(doc), count(clean); got != want {
			t.Errorf("%s: %+v, clean %+v\n%s", kind, got, want, d.Body)
		}
		if d.Front.Title != "#12 - 6 Mar 2026" || d.Front.Date != "2026-03-06" || !strings.HasSuffix(d.Front.Subtitle, "gulls") {
			t.Errorf("%s: front matter %+v", kind, d.Front)
		}
		if kind != "crlf" && len(d.Repairs) == 0 && kind != ">From" && kind != "nbsp twins" {
			t.Errorf("%s: nothing is said of the repair", kind)
		}
	}
}

func TestFixedPoint(t *testing.T) {
	files := map[string][]byte{"weekly": goldenDraft(t)}
	for _, dm := range damages {
		files[dm.name] = []byte(dm.do(string(goldenDraft(t))))
	}
	for name, src := range files {
		fixedPoint(t, name, Source{Text: src, Subject: "Re: the week", Date: time.Date(2026, 3, 7, 9, 0, 0, 0, time.UTC)})
	}
}

func fixedPoint(t *testing.T, name string, src Source) {
	t.Helper()
	once := Read(src)
	again := Read(Source{Text: once.Markdown(), Exact: src.Exact})
	if !bytes.Equal(once.Body, again.Body) {
		t.Errorf("%s: the body changes when it is read again\n%q\n%q", name, once.Body, again.Body)
	}
	if a, b := once.Front.yaml(), again.Front.yaml(); a != b {
		t.Errorf("%s: the front matter changes when it is read again\n%s\n%s", name, a, b)
	}
}
