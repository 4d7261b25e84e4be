package lint

import (
	"regexp"
	"strings"
	"testing"
)

// TestMask checks that what is hidden is what these rules, written as one
// expression, hide.
func TestMask(t *testing.T) {
	for _, s := range maskSamples {
		if got, want := mask(s), maskByRule(s); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", s, got, want)
		}
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range maskSamples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\n") {
			return // a line has none
		}
		if got, want := mask(s), maskByRule(s); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", s, got, want)
		}
	})
}

var maskSamples = []string{
	"", "plain words", "with `code` and ``more `of` it``", "` alone", "`` two", "``` three ` four", "a <b class='x'>tag</b> and 3 < 4",
	"[a](https://a.example/x) and [b](https://b.example/(y)z \"title\") end", "[a](x (y) z)", "[a](x(y z))", "[a](x", "[a]() b", "[a](((b)))",
	"see https://a.example/x, http:// and https://", "http://a", "ahttps://b c", "]( )", "](\x80)`\xff`", "](a)(b)", "<a", "<>", "]((a)b(c)d e)",
}

var maskRule = regexp.MustCompile("`+[^`]*`+|<[^>]*>|\\]\\([^()\\s]*(?:\\([^()\\s]*\\)[^()\\s]*)*[^()]*\\)|https?://\\S+")

func maskByRule(raw string) string {
	return maskRule.ReplaceAllStringFunc(raw, func(s string) string {
		if strings.HasPrefix(s, "](") {
			return "](" + strings.Repeat(" ", len(s)-3) + ")"
		}
		return strings.Repeat(" ", len(s))
	})
}
