package reply

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"galley/compose/corpora"
	"galley/inbox/mime"
)

// testCase is one line of a cases.jsonl, of whichever corpus.
type testCase struct {
	Case, File, Kind  string
	BodyFile          string `json:"body_file"`
	First, Visible    *string
	Exact, Expected   *string
	StartsWith        string           `json:"starts_with"`
	Contains          []string         `json:"contains"`
	NotContains       []string         `json:"not_contains"`
	BodyEquals        *string          `json:"body0_equals"`
	BodyContains      []string         `json:"body0_contains"`
	BodyNotContains   []string         `json:"body0_not_contains"`
	ExpectedHTML      *string          `json:"expected_html_nospace"`
	ExpectedText      *string          `json:"expected_text_nospace"`
	ExpectedFile      string           `json:"expected_html_file"`
	Parts             [][2]any         `json:"parts"`
	PartsWithoutIntro [][2]any         `json:"parts_without_intro_line"`
	Expect            [][2]interface{} `json:"expect"`
}

func readCases(t *testing.T, dir string) []testCase {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all []testCase
	s := bufio.NewScanner(bytes.NewReader(b))
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		var c testCase
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatalf("%s: %v", s.Text()[:60], err)
		}
		all = append(all, c)
	}
	return all
}

// TestCorpora compares what is taken for the person's own with what seven
// other projects expect; a signature kept or cut counts as equal.
func TestCorpora(t *testing.T) {
	all, good := 0, 0
	for _, name := range []string{"replies-crisp", "replies-discourse", "replies-github", "replies-mailparserreply",
		"replies-mailspring-html", "replies-quotequail", "replies-talon", "forwards-crisp"} {
		dir := filepath.Join(corpora.Dir(t), name)
		n, ok := 0, 0
		for _, c := range readCases(t, dir) {
			v := verdict(t, dir, c)
			if v == "" {
				continue
			}
			n++
			if v == "good" {
				ok++
				continue
			}
			t.Logf("%s %s: %s", name, c.Case, v)
		}
		t.Logf("%s: %d of %d", name, ok, n)
		if ok*100 < 88*n {
			t.Errorf("%s: %d of %d is below 88 %%", name, ok, n)
		}
		all, good = all+n, good+ok
	}
	t.Logf("all: %d of %d", good, all)
	if good*100 < 93*all {
		t.Errorf("all: %d of %d is below 93 %%", good, all)
	}
}

func verdict(t *testing.T, dir string, c testCase) string {
	file := c.File
	if file == "" {
		file = c.BodyFile
	}
	raw, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	p := splitAny(t, c, file, raw)
	if want, ok := expectation(t, dir, c); ok {
		for _, w := range want {
			if same(p, w) {
				return "good"
			}
		}
		return "got " + quoteShort(p.Own) + "\n\twant " + quoteShort(want[0])
	}
	return fragments(p, c)
}

func quoteShort(s string) string {
	b, _ := json.Marshal(s)
	if len(b) > 600 {
		b = append(b[:400:400], append([]byte(" … "), b[len(b)-150:]...)...)
	}
	return string(b)
}

func splitAny(t *testing.T, c testCase, file string, raw []byte) Parts {
	switch {
	case c.Kind == "message" || strings.HasSuffix(file, ".eml"):
		m, err := mime.Read(raw)
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(m.Plain) == "" {
			return SplitHTML(m.HTML)
		}
		return Split(m.Text)
	case c.Kind == "html" || strings.HasSuffix(file, ".html"):
		return SplitHTML(string(raw))
	}
	return Split(string(raw))
}

// expectation lists the texts of which one must be what is left.
func expectation(t *testing.T, dir string, c testCase) ([]string, bool) {
	for _, s := range []*string{c.Expected, c.Exact, c.Visible, c.First, c.BodyEquals} {
		if s != nil && c.Kind != "signature" {
			return []string{*s}, true
		}
	}
	switch {
	case c.ExpectedHTML != nil:
		return []string{mime.HTMLText(*c.ExpectedHTML)}, true
	case c.ExpectedText != nil:
		return []string{*c.ExpectedText}, true
	case c.ExpectedFile != "":
		page, err := os.ReadFile(filepath.Join(dir, c.ExpectedFile))
		if err != nil {
			t.Fatal(err)
		}
		return []string{mime.HTMLText(string(page))}, true
	case c.Parts != nil:
		return []string{visible(c, c.PartsWithoutIntro), visible(c, c.Parts)}, true
	}
	return forwardAbove(c)
}

// forwardAbove reads the text above a forwarded mail: none where the origin
// names none.
func forwardAbove(c testCase) ([]string, bool) {
	forwarded := false
	for _, e := range c.Expect {
		if yes, ok := e[1].(bool); ok && e[0] == "forwarded" {
			forwarded = yes
		}
		if e[0] == "message" {
			s, _ := e[1].(string)
			return []string{s}, true
		}
	}
	return []string{""}, forwarded
}

func visible(c testCase, parts [][2]any) string {
	var b strings.Builder
	for _, p := range parts {
		if show, _ := p[0].(bool); show {
			s, _ := p[1].(string)
			if strings.HasSuffix(c.File, ".html") {
				s = mime.HTMLText(s)
			}
			b.WriteString(s + "\n")
		}
	}
	return b.String()
}

// fragments judges the cases that only say what must be in it or not.
func fragments(p Parts, c testCase) string {
	own := fold(p.Own)
	checked := false
	with := fold(withSignature(p))
	for _, s := range append(append([]string{c.StartsWith}, c.Contains...), c.BodyContains...) {
		if s == "" {
			continue
		}
		checked = true
		if !strings.Contains(own, fold(s)) && !strings.Contains(with, fold(s)) {
			return "lacks " + quoteShort(s) + " in " + quoteShort(p.Own)
		}
	}
	for _, s := range append(append([]string{}, c.NotContains...), c.BodyNotContains...) {
		checked = true
		if strings.Contains(own, fold(s)) {
			return "still has " + quoteShort(s) + " in " + quoteShort(p.Own)
		}
	}
	if !checked {
		return ""
	}
	return "good"
}

// same compares white space folded, with the signature kept or cut on either
// side; text without any space is compared so.
func same(p Parts, want string) bool {
	for _, got := range []string{p.Own, withSignature(p)} {
		for _, w := range []string{want, Split(want).Own} {
			if bareLetters(got) == bareLetters(w) {
				return true
			}
		}
	}
	return false
}

func withSignature(p Parts) string {
	var all []string
	for _, l := range p.Lines {
		if l.Kind == Own || l.Kind == Signature || l.Kind == Footer {
			all = append(all, l.Text)
		}
	}
	return tidy(all)
}

func fold(s string) string { return strings.Join(strings.Fields(s), " ") }

func bareLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' {
			return -1
		}
		return r
	}, s)
}

// TestThreads reads real discussions: every line without quote marks that is
// neither an attribution nor a foot is the person's own.
func TestThreads(t *testing.T) {
	dir := filepath.Join(corpora.Dir(t), "threads-notmuch", "files")
	mails, lost := 0, 0
	err := filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		m, err := mime.Read(raw)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			return nil
		}
		mails++
		lost += lostLines(t, filepath.Base(file), Split(m.Text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d mails, %d unquoted lines called quotes", mails, lost)
	if mails < 50 || lost > 0 {
		t.Errorf("%d mails: %d unquoted lines were called quotes", mails, lost)
	}
}

func lostLines(t *testing.T, name string, p Parts) int {
	lost := 0
	for _, l := range p.Lines {
		if l.Depth == 0 && !l.blank() && (l.Kind == Quote || l.Kind == Forwarded) {
			lost++
			t.Logf("%s line %d: %q is called %s", name, l.N, l.Text, l.Kind)
		}
	}
	return lost
}
