package markdown

import (
	"strings"
	"testing"
)

// What a copy says of its reader is a slot in the mail and words everywhere
// else; in code it is code, and where it cannot be it stops the issue.
func TestFields(t *testing.T) {
	for _, c := range []struct{ what, draft, mail, web, text, found string }{
		{"in a line", "Dear {{name|friend}}, hello.", "<p>Dear [name:friend], hello.</p>", "<p>Dear friend, hello.</p>", "Dear [name:friend], hello.", ""},
		{"spaces and capitals", "{{ Name | dear  friend }}!", "<p>[name:dear friend]!</p>", "<p>dear friend!</p>", "[name:dear friend]!", ""},
		{"alone, and bold", "**{{name|you}}**", "<p><strong>[name:you]</strong></p>", "<p><strong>you</strong></p>", "[name:you]", ""},
		{"in a link's words", "[For {{name|you}}](https://a.example/)", `<p class="item"><a href="https://a.example/" class="lead">For [name:you]</a></p>`, `<p class="item"><a href="https://a.example/" class="lead">For you</a></p>`, "For [name:you] [1]", ""},
		{"two", "{{name|a}}{{address}}", "<p>[name:a][address:reader@example.invalid]</p>", "<p>areader@example.invalid</p>", "[name:a][address:reader@example.invalid]", ""},
		{"an address alone", "{{address}}", "<p>[address:reader@example.invalid]</p>", "<p>reader@example.invalid</p>", "[address:reader@example.invalid]", ""},
		{"in HTML", "<div>Dear {{name|friend}}</div>", "Dear [name:friend]", "Dear friend", "Dear [name:friend]", ""},
		{"code", "`{{name|friend}}`", "<p><code>{{name|friend}}</code></p>", "<p><code>{{name|friend}}</code></p>", "{{name|friend}}", ""},
		{"a block of code", "```\n{{name}}\n```", "{{name}}", "{{name}}", "{{name}}", ""},
		{"markup in the fallback", "Dear {{name|<b>x}}", "Dear ", "Dear ", "Dear ", "*"},
		{"bare", "Dear {{name}},", "{{name}}", "{{name}}", "{{name}}", "field-bare"},
		{"empty", "Dear {{name| }},", "{{name| }}", "{{name| }}", "{{name| }}", "field-bare"},
		{"unknown", "Dear {{first_name|x}},", "{{first_name|x}}", "{{first_name|x}}", "{{first_name|x}}", "field-unknown"},
		{"unknown and alone", "{{abuot}}", "{{abuot}}", "{{abuot}}", "{{abuot}}", "partial-unknown"},
		{"an address to go to", "[x](https://a.example/?n={{name|x}})", "", "", "", "field-place"},
		{"a picture", "![{{name|x}}](https://a.example/x.png)", "", "", "", "field-place"},
		{"a title", "---\ntitle: Dear {{name|x}}\n---\nHello.", "", "", "", "field-place"},
		{"braces that mean nothing", "{{}} and { {name} }", "{{}} and { {name} }", "{{}} and { {name} }", "{{}} and { {name} }", ""},
	} {
		d := Read(Source{Text: []byte(c.draft + "\n"), Exact: true, Closed: true})
		doc, found, err := Parse(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		doc.Slot = func(field, fallback string) string { return "[" + field + ":" + fallback + "]" }
		for what, pair := range map[string][2]string{"mail": {string(doc.HTML(Mail)), c.mail}, "web": {string(doc.HTML(Web)), c.web}, "text": {string(doc.Text(Mail)), c.text}} {
			if !strings.Contains(pair[0], pair[1]) {
				t.Errorf("%s, %s: %s, want %s", c.what, what, pair[0], pair[1])
			}
		}
		var codes []string
		for _, f := range append(d.Findings, found...) {
			if f.Level == Error {
				codes = append(codes, f.Code)
			}
		}
		if got := strings.Join(codes, " "); c.found != "*" && got != c.found {
			t.Errorf("%s: found %q, want %q", c.what, got, c.found)
		}
	}
}
