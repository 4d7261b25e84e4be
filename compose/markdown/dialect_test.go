package markdown

import (
	"strings"
	"testing"
)

func page(t *testing.T, text string) string {
	t.Helper()
	_, doc := render(t, Source{Text: []byte(text), Exact: true})
	return strings.TrimSpace(string(doc.HTML(Web)))
}

func TestRawHTML(t *testing.T) {
	tests := []struct{ in, want string }{
		{"a <!-- b --> c", "<p>a c</p>"},
		{"<!-- a\nb -->\n\nc", "<p>c</p>"},
		{"a <script>alert(1)</script> b", "<p>a b</p>"},
		{"<script>\nalert(1)\n\n</script>\n\nb", "<p>b</p>"},
		{"<style>p{}</style>\n\nb", "<p>b</p>"},
		{"<iframe src=x>\n\nb", "<p>b</p>"},
		{"a <b onclick=\"x()\" style=\"y\">b</b>", "<p>a <b>b</b></p>"},
		{"mv <name> <newname>", "<p>mv &lt;name&gt; &lt;newname&gt;</p>"},
		{"an <x-y>odd</x-y> one", "<p>an odd one</p>"},
		{"a <b>b <i>c", "<p>a <b>b <i>c</i></b></p>"},
		{"a </b> b </p> c", "<p>a b c</p>"},
		{"<div>\n\n*a*\n\n</div>\n\nb", "<div>\n<p><em>a</em></p>\n</div>\n<p>b</p>"},
		{"<a href=\"javascript:x\">a</a> [b](javascript:x) [c](data:text/html,x) <a href=\"java&#10;script:x\">d</a>", "<p>a b c d</p>"},
		{"[a](JaVaScRiPt:x) ![i](data:image/png;base64,x)", "<p>a i</p>"},
		{"[a](/b) [c](#d) [e](mailto:f@g.example)", `<p><a href="/b">a</a> <a href="#d">c</a> <a href="mailto:f@g.example">e</a></p>`},
		{"<a id=\"x\"></a>\n\nb", "<a id=\"x\"></a><p>b</p>"},
		{"<img src=\"x.png\" onerror=\"y\" width=\"9\">", `<p><img src="x.png" width="9"></p>`},
		{"<table><tr><td>a</td><td>b</td></tr></table>", "<table>\n<tr>\n<td>a</td><td>b</td></tr>\n</table>"},
		{"<div class=\"email-only\">\n\na\n\n</div>\n\nb", "<p>b</p>"},
	}
	for _, tt := range tests {
		if got := page(t, tt.in); got != tt.want {
			t.Errorf("%q gives\n%s\nwant\n%s", tt.in, got, tt.want)
		}
	}
}

func TestDialect(t *testing.T) {
	tests := []struct{ in, want string }{
		{"~5 and ~6, ~~7~~", "<p>~5 and ~6, <del>7</del></p>"},
		{"it's \"so\" -- ... (c)", "<p>it's \"so\" -- ... (c)</p>"},
		{"www.a.example b@c.example https://d.example/e_(f)_g_. x", `<p>www.a.example b@c.example <a href="https://d.example/e_(f)_g">https://d.example/e_(f)_g</a>_. x</p>`},
		{"\\&amp; &amp; &copy; AT&T", "<p>&amp;amp; &amp; © AT&amp;T</p>"},
		{"[a](https://b.example/?c=d&e=f&amp;g)", `<p class="item"><a href="https://b.example/?c=d&amp;e=f&amp;g" class="lead">a</a></p>`},
		{"a  \nb", "<p>a<br>\nb</p>"},
		{"a\nb", "<p>a b</p>"},
		{"\u65e5\u672c\n\u8a9e", "<p>\u65e5\u672c\u8a9e</p>"},
		{"----------\n\na\n\n----------\n\n## b\n\n----------\n\nc\n\n----------", "<p>a</p>\n<h2 id=\"b\">b</h2>\n<p>c</p>"},
		{"- [ ] a\n- [x] b", "<ul>\n<li>\u2610 a</li>\n<li>\u2611 b</li>\n</ul>"},
		{"**[T](u)** - Ada, B", `<p class="item"><strong><a href="u" class="lead">T</a></strong> - Ada, B</p>`},
		{"[T](u).", `<p class="item"><a href="u" class="lead">T</a>.</p>`},
		{"[T](u), with a remark", `<p><a href="u">T</a>, with a remark</p>`},
		{"[T](u)(!?) [PDF link]", `<p><a href="u">T</a>(!?) [PDF link]</p>`},
		{"[T](u) - a small tool that lists what waits.", `<p><a href="u">T</a> - a small tool that lists what waits.</p>`},
		{"[T](u) - danah boyd", `<p class="item"><a href="u" class="lead">T</a> - danah boyd</p>`},
		{"[T](u)<br/>\n[U](v) - Ada", `<p class="item"><a href="u" class="lead">T</a><br>` + "\n" + `<a href="v" class="lead">U</a> - Ada</p>`},
		{"[T](u) is what I mean", `<p><a href="u">T</a> is what I mean</p>`},
	}
	for _, tt := range tests {
		if got := page(t, tt.in); got != tt.want {
			t.Errorf("%q gives\n%s\nwant\n%s", tt.in, got, tt.want)
		}
	}
}

// TestDirection checks that a block in a script that is written from right to left
// says so, whatever stands before its first letter.
func TestDirection(t *testing.T) {
	for in, want := range map[string]string{
		"(1) *هذه* فقرة (HPC).\n": `<p dir="rtl">(1) <em>هذه</em> فقرة (HPC).</p>`,
		"HPC هذه فقرة.\n":         `<p>HPC هذه فقرة.</p>`,
		"- שלום\n- hello\n":       "<ul dir=\"rtl\">\n<li dir=\"rtl\">שלום</li>\n<li>hello</li>\n</ul>",
		"> שלום\n":                "<blockquote dir=\"rtl\">\n<p dir=\"rtl\">שלום</p>\n</blockquote>",
	} {
		if got := page(t, in); got != want {
			t.Errorf("%q gives\n%s\nwant\n%s", in, got, want)
		}
	}
}

func TestHeadingIDs(t *testing.T) {
	in := "## That’s it…\n## Tools & Timber\n## Tools & Timber\n## Über uns\n## Привет, мир\n## 日本\n## …\n## 10 [links](u)\n"
	_, doc := render(t, Source{Text: []byte(in)})
	want := []string{"thats-it", "tools--timber", "tools--timber-1", "ber-uns", "привет-мир", "日本", "section", "10-linksu"}
	for i, s := range doc.Sections {
		if s.ID != want[i] {
			t.Errorf("%q has id %q, want %q", s.Title, s.ID, want[i])
		}
	}
}

// TestLines checks that what is told names the lines of the mail, not those of
// the repaired text.
func TestLines(t *testing.T) {
	in := wrapMail("---\ntitle: x\n---\n\n"+strings.Repeat("Some words that a mail program has cut at a width of its own choosing, as they all do, and more of them.\n\n", 6)+
		"[A title of a certain length to fill up](https://links.example.org/a/1) - Ada Lindqvist\n\n—————\n\n## Next\n\n[b](javascript:x)\n", 72)
	at := func(s string) int { return 1 + strings.Count(in[:strings.Index(in, s)], "\n") }
	d := Read(Source{Text: []byte(in)})
	doc, fs, err := Parse(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if got := doc.Links[0]; got.Line != at("[A title") || got.Author != "Ada Lindqvist" {
		t.Errorf("link %+v, want line %d and its author", got, at("[A title"))
	}
	if doc.Sections[0].Line != at("## Next") || findLine(fs, "link-refused") != at("[b]") {
		t.Errorf("section at %d, finding at %d", doc.Sections[0].Line, findLine(fs, "link-refused"))
	}
	if len(d.Repairs) != 2 || d.Repairs[0].Line != at("—————") || d.Repairs[1].Line != at("Some words") {
		t.Errorf("repairs %+v", d.Repairs)
	}
}

// TestSmartDashes checks that dashes are restored where they are syntax, and only
// in a draft in which smart punctuation left its marks on rules or fences.
func TestSmartDashes(t *testing.T) {
	const text = "Use `git —amend` — at [x](https://a.example/b—c).\n\n<!— note —>\n"
	for in, want := range map[string]string{
		text + "\n—————\n\nEnd.\n":                "Use `git --amend` — at [x](https://a.example/b--c).\n\n<!-- note -->\n\n----------\n\nEnd.\n",
		"Use `a—b` — at https://a.example/b-c.\n": "Use `a—b` — at https://a.example/b-c.\n",
	} {
		if got := string(Read(Source{Text: []byte(in)}).Body); got != want {
			t.Errorf("%q gives\n%q\nwant\n%q", in, got, want)
		}
	}
}
