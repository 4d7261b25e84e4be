package inline

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galley/compose/corpora"

	"golang.org/x/net/html"
)

// pair is one case of another inliner's tests.
type pair struct {
	Case     string          `json:"case"`
	HTML     string          `json:"html"`
	CSS      string          `json:"css"`
	Options  json.RawMessage `json:"options"`
	Expected string          `json:"expected"`
	Body     string          `json:"expected_body"`
}

func pairs(t *testing.T, folder string) []pair {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all []pair
	for line := range strings.Lines(string(data)) {
		var p pair
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// plainOptions tells whether a case asks for nothing that we have no setting for.
func (p pair) plainOptions() bool {
	o := strings.TrimSpace(string(p.Options))
	return o == "" || o == "null" || o == "{}"
}

func load(t *testing.T, folder, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// effects lists, for each drawn element, its tag and its declarations in a form
// that different writers share.
func effects(t *testing.T, document string, implied bool) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || unstyled(n) || implied && n.Data == "tbody" {
			continue
		}
		style, _ := attr(n, "style")
		set := map[string]string{}
		list := declarations(tokens(style))
		for _, d := range list {
			set[d.name] = simple(d.value)
		}
		line := n.Data
		for _, name := range slices.Sorted(maps.Keys(set)) {
			line += " " + name + ":" + set[name]
		}
		all = append(all, line)
	}
	return all
}

func simple(value string) string {
	return strings.ToLower(strings.NewReplacer(`"`, "", "'", "", " ", "", "\u00a0", "").Replace(value))
}

// broken are cases that are no HTML: the cut out of their origin took in the
// source code of the next test.
var broken = map[string]bool{"overlap_styles.in.html": true}

// TestCorpus counts the elements of other inliners' tests whose declarations come
// out as those tests expect. Where they differ the log says how: some expect what
// the cascade does not say, or features that are theirs alone.
func TestCorpus(t *testing.T) {
	root := corpora.Dir(t)
	right, total := 0, 0
	for _, name := range []string{"css-cssinline", "css-juice", "css-premailer-py", "css-tijs"} {
		folder := filepath.Join(root, name)
		good, all := 0, 0
		for _, p := range pairs(t, folder) {
			if !p.plainOptions() || broken[p.Case] {
				continue
			}
			g, a := score(t, folder, p)
			good, all = good+g, all+a
		}
		t.Logf("%s: %d of %d elements", name, good, all)
		right, total = right+good, total+all
	}
	percent := 100 * float64(right) / float64(total)
	t.Logf("all: %d of %d elements, %.1f %%", right, total, percent)
	if percent < 98 {
		t.Errorf("only %.1f %% of the elements agree", percent)
	}
}

func score(t *testing.T, folder string, p pair) (good, all int) {
	source := load(t, folder, p.HTML)
	if p.CSS != "" {
		source = withSheet(source, load(t, folder, p.CSS))
	}
	out, err := Inline([]byte(source))
	if err != nil {
		t.Errorf("%s: %v", p.Case, err)
		return 0, 0
	}
	want := p.Expected
	if want == "" {
		want = p.Body
	}
	// A tbody that the source does not write is in every browser's tree, and
	// rules for it hold; other inliners write none, so there is nothing to compare.
	implied := !strings.Contains(source, "<tbody")
	expected, got := effects(t, load(t, folder, want), implied), effects(t, string(out), implied)
	if len(expected) != len(got) {
		t.Logf("%s: %d elements, expected %d", p.Case, len(got), len(expected))
		return 0, len(expected)
	}
	for i := range got {
		if got[i] == expected[i] {
			good++
			continue
		}
		t.Logf("%s:\n got  %s\n want %s", p.Case, got[i], expected[i])
	}
	return good, len(got)
}

func withSheet(document, css string) string {
	sheet := "<style>" + css + "</style>"
	if strings.Contains(document, "</head>") {
		return strings.Replace(document, "</head>", sheet+"</head>", 1)
	}
	return sheet + document
}

// TestTemplates runs the 94 real templates, in 101 files, since some have a source and a
// build, and eight are in the tags of a language of their own: none may fail, every conditional comment and
// at-rule must survive, and elements must stay what they are.
func TestTemplates(t *testing.T) {
	root := filepath.Join(corpora.Dir(t), "css-templates", "files")
	count, conditionals, media := 0, 0, 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".html", ".mjml"}, filepath.Ext(path)) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		count++
		c, m := survive(t, path, data)
		conditionals, media = conditionals+c, media+m
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d templates, %d conditional comments, %d media rules kept", count, conditionals, media)
	if count == 0 || conditionals == 0 || media == 0 {
		t.Error("nothing was tested")
	}
}

func survive(t *testing.T, path string, data []byte) (conditionals, media int) {
	out, err := Inline(data)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return 0, 0
	}
	b := newBook(data)
	b.hide(data)
	for _, c := range b.comments {
		conditionals++
		if !strings.Contains(string(out), c) {
			t.Errorf("%s: lost %.60q", path, c)
		}
	}
	for _, sheet := range b.sheets {
		for _, p := range pieces(sheet) {
			if len(p.selectors) > 0 {
				continue
			}
			media++
			if !strings.Contains(string(out), p.raw) {
				t.Errorf("%s: lost %.60q", path, p.raw)
			}
		}
	}
	return conditionals, media
}
