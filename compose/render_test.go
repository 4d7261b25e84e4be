package compose

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"galley/compose/corpora"
	"galley/compose/markdown"
	"galley/send/message"
	"galley/templates"

	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func harbour() Frame {
	return Frame{
		Name: "The Harbour Letter", Tagline: "For people who keep boats, berths and each other afloat",
		Host: "https://harbour.example", ArchivePath: "/letters", PostalAddress: "Quay 1, 1234 Harbour",
		ReplyTo: "letter@harbour.example", Looks: templates.Look(""), Sections: []string{"Managing Teams", "Random"},
		Published: func(u string) (int, bool) { return 4, u == "https://knots.example/" },
	}
}

func mustRender(t testing.TB, text []byte, f Frame) *Rendered {
	t.Helper()
	r, err := Render(context.Background(), markdown.Source{Text: text, Exact: true}, 0, f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func readFile(t testing.TB, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// golden compares got with a file, or rewrites it under -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "render", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := readFile(t, path); !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it and run with -update:\n%s", name, got)
	}
}

func TestRenderGolden(t *testing.T) {
	r := mustRender(t, readFile(t, "testdata", "render", "harbour.md"), harbour())
	golden(t, "harbour.html", r.HTML)
	golden(t, "harbour.txt", r.Text)
	golden(t, "harbour.web.html", r.Web)
	var lines bytes.Buffer
	for _, f := range r.Findings {
		fmt.Fprintf(&lines, "%s %s, line %d: %s\n\t%s\n\t%s\n", f.Level, f.Code, f.Line, f.Words, f.Message, f.Remedy)
	}
	golden(t, "harbour.lint", lines.Bytes())
}

func TestRenderNames(t *testing.T) {
	head := func(s string) []byte { return []byte("---\n" + s + "\n---\n\nText.\n") }
	for _, c := range []struct {
		name, head            string
		argument, number      int
		slug, subject, header string
	}{
		{"from the title", `title: "#129 - 9 Jul 2022"`, 0, 129, "0129", "#129 - 9 Jul 2022", ""},
		{"from the key", "title: \"#129 - Boats\"\nissue: 130", 0, 130, "0130", "#129 - Boats", "Boats"},
		{"from the desk", "title: \"#129: Boats\"\nissue: 130", 131, 131, "0131", "#129: Boats", "Boats"},
		{"none", "title: Boats and berths", 0, 0, "", "Boats and berths", "Boats and berths"},
		{"own slug", "title: Boats\nslug: ../Boats & Berths", 5, 5, "boats-berths", "Boats", "Boats"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Render(context.Background(), markdown.Source{Text: head(c.head), Exact: true}, c.argument, harbour())
			if err != nil {
				t.Fatal(err)
			}
			if r.Number != c.number || r.Slug != c.slug || r.Subject != c.subject || headline(r.Title) != c.header {
				t.Errorf("number %d, slug %q, subject %q, headline %q", r.Number, r.Slug, r.Subject, headline(r.Title))
			}
		})
	}
}

// A title becomes a header field: nothing in it may begin another one
// (trust.md bar 12).
func TestRenderHostileTitle(t *testing.T) {
	for _, bad := range []string{"a\\r\\nBcc: x@y.example", "a\\nb", "a\\u0085b", "a\\u2028b", "a\\0b", strings.Repeat("x", 10_000)} {
		r := mustRender(t, []byte("---\ntitle: \""+bad+"\"\nsubtitle: \""+bad+"\"\n---\n\nText.\n"), harbour())
		if strings.ContainsAny(r.Subject+r.Preheader, "\r\n\x00\u0085\u2028") {
			t.Errorf("%q gives %q", bad, r.Subject)
		}
	}
	r := mustRender(t, []byte("---\ntitle: \"<script>x</script>\"\n---\n\nText.\n"), harbour())
	if bytes.Contains(r.HTML, []byte("<script")) || bytes.Contains(r.Web, []byte("<script")) {
		t.Error("a title is not escaped")
	}
}

func TestRenderOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\nBcc: x": "a Bcc: x", "a\x00\x07b": "a b", "a\u0085b\u2028c\u2029d": "a b c d",
		" a \t b\u00a0c ": "a b c", "a\xffb": "a\uFFFDb", "Ümläute — “so”": "Ümläute — “so”",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestRenderHero(t *testing.T) {
	for _, c := range []struct {
		hero, body string
		want       bool
	}{
		{"https://a.example/h.png", "Text.", true},
		{"/h.png", "Text.", true},
		{"https://a.example/h.png", "![A boat](https://a.example/h.png)", false},
		{"/h.png", "![A boat](/h.png)", false},
		{"not a picture", "Text.", false},
		{"javascript:alert(1)", "Text.", false},
	} {
		r := mustRender(t, []byte("---\ntitle: x\nhero-img: "+c.hero+"\n---\n\n"+c.body+"\n"), harbour())
		if got := bytes.Contains(r.HTML, []byte(`class="hero"`)); got != c.want {
			t.Errorf("%s over %q: shown is %v", c.hero, c.body, got)
		}
	}
}

// Bar 8: 150 KB are refused, and no answer of the editor's lets them out.
func TestRenderTooBig(t *testing.T) {
	text := "---\ntitle: \"#1 - Long\"\n---\n\n## Boats\n\n" + strings.Repeat("Boats and berths and boats.\n\n", 1500) +
		"## Quays\n\n" + strings.Repeat("Quays.\n\n", 2500)
	r := mustRender(t, []byte(text), harbour())
	if r.Sendable() || r.Errors() == 0 || r.Findings[0].Level != markdown.Error {
		t.Fatalf("%d bytes may be sent: %+v", len(r.HTML), r.Findings)
	}
	i := slices.IndexFunc(r.Findings, func(f markdown.Finding) bool { return f.Code == "too-big" })
	if i < 0 || !strings.Contains(r.Findings[i].Message, "“Quays”") {
		t.Errorf("%+v", r.Findings)
	}
}

func TestRenderWithoutSite(t *testing.T) {
	f := Frame{Name: "N", Looks: templates.Look("")}
	r := mustRender(t, []byte("---\ntitle: \"#1 - x\"\n---\n\nText.\n"), f)
	for _, part := range [][]byte{r.HTML, r.Text, r.Web} {
		if bytes.Contains(part, []byte("on the web")) || bytes.Contains(part, []byte("All issues")) {
			t.Errorf("a link to a site that there is not:\n%s", part)
		}
	}
	if bytes.Contains(r.Web, []byte(message.SlotUnsubscribe)) || !bytes.Contains(r.Text, []byte("\n"+message.SlotUnsubscribe+"\n")) {
		t.Error("the link for leaving is where it should not be, or not where it should")
	}
}

func TestRenderFaultyTemplate(t *testing.T) {
	f := harbour()
	words, err := fs.ReadFile(f.Looks, templates.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	f.Looks = fstest.MapFS{"issue.html": {Data: []byte("{{.Nothing}}")}, templates.Catalogue: {Data: words}}
	_, err = Render(context.Background(), markdown.Source{Text: []byte("x")}, 0, f)
	if err == nil || !strings.Contains(err.Error(), "issue.html") {
		t.Error(err)
	}
}

// TestRenderSeed holds #129 to the clean row of product.md section 6, to bars 8
// and 10, and to what the document must not lose on its way.
func TestRenderSeed(t *testing.T) {
	f := harbour()
	f.Published = nil
	r := mustRender(t, readFile(t, corpora.Dir(t, "newsletters-rct", "files"), "0129.md"), f)
	root, err := html.Parse(bytes.NewReader(r.HTML))
	if err != nil {
		t.Fatal(err)
	}
	count, faults := census(root)
	for tag, want := range map[string]int{"ul": 7, "li": 24, "blockquote": 1, "img": 1, "h2": 9, "h3": 1} {
		if count[tag] != want {
			t.Errorf("%d %s, want %d", count[tag], tag, want)
		}
	}
	for _, fault := range faults {
		t.Error(fault)
	}
	if r.Number != 129 || r.Sizes.Links != 40 || r.Sizes.Unsubscribe > 90_000 || r.Sizes.HTML > 45_000 || r.Errors() != 0 {
		t.Errorf("number %d, %+v, %d errors", r.Number, r.Sizes, r.Errors())
	}
	for _, part := range [][]byte{r.HTML, r.Text, r.Web} {
		if bytes.Contains(part, []byte("markdownlint-disable")) || bytes.Contains(part, []byte("hero-img")) {
			t.Error("front matter or a linter's comment got out")
		}
	}
	for _, line := range strings.Split(string(r.Text), "\n") {
		if len([]rune(line)) > 78 && !strings.Contains(line, "://") {
			t.Errorf("a line of %d characters in the text: %s", len([]rune(line)), line)
		}
	}
	t.Logf("HTML %d bytes, text %d, web %d", len(r.HTML), len(r.Text), len(r.Web))
}

// census counts elements inside #issue and names what accessibility misses in
// the whole mail.
func census(root *html.Node) (map[string]int, []string) {
	count := map[string]int{}
	var faults []string
	issues := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch {
		case value(n, "id") == "issue":
			issues++
			for k := range n.Descendants() {
				count[k.Data]++
			}
		case n.Data == "table" && value(n, "role") != "presentation":
			faults = append(faults, "a layout table without role=presentation")
		case n.Data == "img" && value(n, "alt") == "":
			faults = append(faults, "an image without alt")
		case n.Data == "html" && value(n, "lang") == "":
			faults = append(faults, "no lang")
		}
	}
	if issues != 1 {
		faults = append(faults, fmt.Sprintf("%d elements with id=issue", issues))
	}
	return count, faults
}

func value(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// TestRenderCorpus renders every shared issue: no error is false there, and few
// warnings are raised.
func TestRenderCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpora.Dir(t, "newsletters-rct", "files"), "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatal("no issues in the corpus", err)
	}
	var warnings []int
	largest := 0
	for _, file := range files {
		f := harbour()
		f.Published, f.Sections = nil, nil
		r := mustRender(t, readFile(t, file), f)
		if r.Errors() > 0 || !r.Sendable() {
			t.Errorf("%s: %+v", filepath.Base(file), r.Findings[0])
		}
		n := 0
		for _, f := range r.Findings {
			if f.Level == markdown.Warning {
				n++
			}
		}
		warnings = append(warnings, n)
		largest = max(largest, r.Sizes.HTML)
	}
	slices.Sort(warnings)
	median := warnings[len(warnings)/2]
	t.Logf("%d issues: warnings median %d, most %d; largest HTML %d bytes", len(files), median, warnings[len(warnings)-1], largest)
	if median >= 6 {
		t.Errorf("%d warnings in the median", median)
	}
}

// Conditional comments of the template reach the mail byte for byte (bar 11).
func TestRenderConditionals(t *testing.T) {
	source := readFile(t, "..", "templates", "issue.html")
	written := regexp.MustCompile("{{raw `([^`]*)`}}").FindAllSubmatch(source, -1)
	if len(written) < 3 {
		t.Fatal("the template has no conditional comments")
	}
	r := mustRender(t, []byte("---\ntitle: x\n---\n\nText.\n"), harbour())
	for _, m := range written {
		if !bytes.Contains(r.HTML, m[1]) {
			t.Errorf("lost: %s", m[1])
		}
	}
}

// 6 times is what the limit of 128 KiB of Markdown lets through.
func BenchmarkRenderSeed(b *testing.B) {
	seed := readFile(b, corpora.Dir(b, "newsletters-rct", "files"), "0129.md")
	_, front, _ := bytes.Cut(seed, []byte("---\n"))
	head, body, _ := bytes.Cut(front, []byte("---\n"))
	for _, times := range []int{1, 2, 4, 6} {
		text := slices.Concat([]byte("---\n"), head, []byte("---\n"), bytes.Repeat(body, times))
		b.Run(fmt.Sprintf("%dx", times), func(b *testing.B) {
			for b.Loop() {
				mustRender(b, text, harbour())
			}
		})
	}
}
