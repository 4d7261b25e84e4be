package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galley/compose/corpora"

	"golang.org/x/net/html"
)

// command runs the program as a person does, with a configuration that does
// not exist unless the words name one.
func command(t testing.TB, words ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if !strings.Contains(strings.Join(words, " "), "--config") {
		words = append([]string{"--config", filepath.Join(t.TempDir(), "none.toml")}, words...)
	}
	code = run(context.Background(), words, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func previewOf(t testing.TB, draft string) (dir string, code int) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "out")
	code, _, stderr := command(t, "preview", draft, "-o", dir)
	if code == exitFailed {
		t.Fatalf("preview %s: %s", draft, stderr)
	}
	return dir, code
}

func file(t testing.TB, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// count counts elements below the one with id="issue", and the links that
// are the document's own.
func count(t *testing.T, page []byte) map[string]int {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "id" && a.Val == "issue" {
				out["issue"]++
				for d := range n.Descendants() {
					if d.Type == html.ElementNode && (d.Data != "a" || hrefOf(d) != "") {
						out[d.Data]++
					}
				}
			}
		}
	}
	return out
}

func hrefOf(n *html.Node) string {
	for _, a := range n.Attr {
		if a.Key == "href" {
			return a.Val
		}
	}
	return ""
}

// Issue #129 of the worked example has the counts of its clean source.
func TestPreviewOfTheWorkedExample(t *testing.T) {
	draft := filepath.Join(corpora.Dir(t), "newsletters-rct/files/0129.md")
	dir, code := previewOf(t, draft)
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for _, name := range []string{"issue.html", "web.html"} {
		got := count(t, file(t, dir, name))
		for element, want := range map[string]int{"issue": 1, "ul": 7, "li": 24, "blockquote": 1, "img": 1, "h2": 9, "h3": 1, "a": 40} {
			if got[element] != want {
				t.Errorf("%s: %d %s, want %d", name, got[element], element, want)
			}
		}
	}
	for _, name := range []string{"issue.html", "web.html", "issue.txt", "issue.eml"} {
		if bytes.Contains(file(t, dir, name), []byte("markdownlint-disable")) {
			t.Errorf("%s holds the linter's comments", name)
		}
	}
	var r report
	if err := json.Unmarshal(file(t, dir, "report.json"), &r); err != nil {
		t.Fatal(err)
	}
	if r.Front.Title != "#129 - 9 Jul 2022" || r.Front.Date != "2022-07-09" || len(r.Sections) == 0 || r.Sizes.HTML == 0 {
		t.Errorf("report.json: %+v", r)
	}
	stacked := 0
	for _, s := range r.Sections {
		for _, i := range s.Items {
			if len(i.Links) == 2 && i.Links[1].Author != "" {
				stacked++
			}
		}
	}
	if stacked != 2 {
		t.Errorf("%d items with two stacked links, want 2", stacked)
	}
}

// The same draft gives the same bytes, and draft.md gives the same issue.
func TestPreviewIsByteStable(t *testing.T) {
	one, _ := previewOf(t, "demo/draft.md")
	two, _ := previewOf(t, "demo/draft.md")
	err := filepath.WalkDir(one, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !bytes.Equal(file(t, path), file(t, two, d.Name())) {
			t.Errorf("%s differs between two runs", d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	again, _ := previewOf(t, filepath.Join(one, "draft.md"))
	for _, name := range []string{"issue.html", "issue.txt", "web.html", "draft.md"} {
		if !bytes.Equal(file(t, one, name), file(t, again, name)) {
			t.Errorf("%s of the repaired draft differs from that of the draft", name)
		}
	}
}

func TestPreviewOfAMail(t *testing.T) {
	eml := filepath.Join(t.TempDir(), "draft.eml")
	text := strings.ReplaceAll(string(demoDraft), "\n", "\r\n")
	mail := "From: Ines <ines@ines.example>\r\nTo: letter@quiet.example\r\nSubject: #12\r\nDate: Sat, 21 Nov 2026 08:00:00 +0000\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text
	if err := os.WriteFile(eml, []byte(mail), 0o600); err != nil {
		t.Fatal(err)
	}
	fromMail, _ := previewOf(t, eml)
	fromFile, _ := previewOf(t, "demo/draft.md")
	for _, name := range []string{"issue.html", "issue.txt"} {
		if !bytes.Equal(file(t, fromMail, name), file(t, fromFile, name)) {
			t.Errorf("%s of the mailed draft differs from that of the file", name)
		}
	}
}

func TestPreviewExitCodes(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		code int
	}{
		"good":        {"---\ntitle: \"#1 - A title\"\ndate: 2026-11-21\n---\n\nHello, [a link](https://example.org/a).\n", exitOK},
		"placeholder": {"---\ntitle: \"#1 - A title\"\n---\n\nTK\n", exitFaults},
		"too much":    {strings.Repeat("[", 6000), exitFailed},
	} {
		path := filepath.Join(dir, "draft.md")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out")
		code, stdout, stderr := command(t, "preview", path, "-o", out)
		if code != c.code {
			t.Errorf("%s: exit code %d, want %d\n%s%s", name, code, c.code, stdout, stderr)
		}
		if _, err := os.Stat(filepath.Join(out, "issue.html")); (err == nil) != (c.code != exitFailed) {
			t.Errorf("%s: issue.html: %v", name, err)
		}
	}
}
