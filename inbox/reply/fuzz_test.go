package reply

import (
	"strings"
	"testing"
)

var seeds = []string{
	"Hi\n\nOn Mon, 1 Jan 2024 at 10:00, Ada <ada@example.org> wrote:\n> old\n", "a\n-- \nb", "x\n________\nFrom: a@b\nSent: 1.1.2024\nTo: c@d\n\nold",
	"reply--- On 1 Jan 2024, a@b.example wrote:\nold", "AB> x\nyes\n> > y", "On 1 Jan 2024 Ada\n<\nmailto:a@b.example\n> wrote:\nold",
	"---------- Forwarded message ---------\nFrom: a@b\n\nx", "Am 1.1.2024 schrieb Ada\n<a@b.example>:\n\n> alt\n\nneu\n\nGrüße\nAda",
}

// FuzzSplit: every line keeps its text and number, and every word of the
// person's is in one of the parts.
func FuzzSplit(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		check(t, Split(text), strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")+1)
	})
}

// FuzzSplitHTML does the same for HTML.
func FuzzSplitHTML(f *testing.F) {
	for _, s := range seeds {
		f.Add("<div class=gmail_quote>" + s + "<blockquote>" + s + "</blockquote></div>")
	}
	f.Add("<p>a<span id=OLK_SRC_BODY_SECTION><li></p></span><ol><li>b<table><td>c</a></ol>")
	f.Fuzz(func(t *testing.T, page string) {
		p := SplitHTML(page)
		check(t, p, len(p.Lines))
	})
}

func check(t *testing.T, p Parts, n int) {
	t.Helper()
	last := 0
	for _, l := range p.Lines {
		if l.N < last || l.N > n {
			t.Fatalf("line %d of %d after %d", l.N, n, last)
		}
		last = l.N
		if text := strings.TrimRight(l.Text, " \t\u00a0"); l.Kind == Own && !strings.Contains(p.Own, text) {
			t.Fatalf("own line %q is not in %q", text, p.Own)
		}
	}
	Links(p.Own)
}
