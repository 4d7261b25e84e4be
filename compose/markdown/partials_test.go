package markdown

import (
	"strings"
	"testing"
)

var partialTexts = map[string]string{
	"sign-off":    "## That’s it…\n\nSee you next week.\n",
	"about":       "### About This Letter\r\n\r\nAda writes it.\r\n",
	"house-rules": "Be kind.",
	Suggestions:   "",
}

func TestPartials(t *testing.T) {
	const end = "\n\n## That’s it…\n\nSee you next week.\n\n### About This Letter\n\nAda writes it.\n"
	for _, tt := range []struct{ name, in, want, codes string }{
		{"the closing texts end a draft", "Hi.\n", "Hi." + end, ""},
		{"named where they stand", "Hi.\n\n{{ About }}\n\nBye.\n", "Hi.\n\n### About This Letter\n\nAda writes it.\n\nBye.\n\n## That’s it…\n\nSee you next week.\n", ""},
		{"named twice", "{{house-rules}}\n\nHi.\n\n{{house_rules}}\n", "Be kind.\n\nHi." + end, "partial-twice"},
		{"the draft has one", "Hi.\n\n## That's it...\n\nMy own words.\n", "Hi.\n\n## That's it...\n\nMy own words.\n\n### About This Letter\n\nAda writes it.\n", ""},
		{"nothing waits", "Hi.\n\n{{suggestions}}\n", "Hi." + end, "partial-empty"},
		{"a slip of the pen", "{{abuot}}\n", "{{abuot}}" + end, "partial-unknown"},
		{"in code, or in a sentence", "Write {{about}}.\n\n```\n{{about}}\n```\n", "Write {{about}}.\n\n```\n{{about}}\n```" + end, ""},
	} {
		d := Read(Source{Text: []byte(tt.in), Exact: true, Partials: partialTexts})
		if string(d.Body) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, d.Body, tt.want)
		}
		var codes []string
		for _, f := range d.Findings {
			codes = append(codes, f.Code)
		}
		if strings.Join(codes, " ") != tt.codes {
			t.Errorf("%s: findings %v, want %q", tt.name, codes, tt.codes)
		}
		if again := Read(Source{Text: d.Markdown(), Exact: true, Partials: partialTexts}); string(again.Body) != string(d.Body) {
			t.Errorf("%s: read again it is %q", tt.name, again.Body)
		}
	}
	if d := Read(Source{Text: []byte("Hi.\n"), Partials: partialTexts, Closed: true}); string(d.Body) != "Hi.\n" {
		t.Errorf("a closed draft is %q", d.Body)
	}
}

// TestMedia checks that a block for one medium is in no other, nor in its table
// of contents.
func TestMedia(t *testing.T) {
	in := "## Links\n\n[a](https://a.example) - B\n\n<div class=\"email-only\">\n\n## Jobs\n\n[c](https://c.example) - D\n\n</div>\n\n<div class=\"web-only\">\n\n## All jobs\n\n[e](https://e.example) - F\n\n</div>\n"
	_, doc := render(t, Source{Text: []byte(in), Exact: true})
	for m, want := range map[Medium][3]string{Mail: {"Jobs", "All jobs", "Links Jobs"}, Web: {"All jobs", ">Jobs", "Links All jobs"}} {
		page, text := string(doc.HTML(m)), string(doc.Text(m))
		if !strings.Contains(page, want[0]) || strings.Contains(page, want[1]) || strings.Contains(text, "https://c.example") != (m == Mail) {
			t.Errorf("%s:\n%s\n%s", m, page, text)
		}
		if got := strings.Join(titles(doc.ContentsOf(m)), " "); got != want[2] {
			t.Errorf("%s: contents %q, want %q", m, got, want[2])
		}
		for _, s := range doc.ContentsOf(m) {
			if !strings.Contains(page, `id="`+s.ID+`"`) {
				t.Errorf("%s: nothing has the id %q", m, s.ID)
			}
		}
	}
}
