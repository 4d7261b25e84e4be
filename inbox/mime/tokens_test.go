package mime

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galley/compose/corpora"

	"golang.org/x/net/html"
)

// told writes down what tokens says of a page.
func told(page string) (out []string) {
	t := &tokens{rest: page}
	for {
		switch kind := t.next(); kind {
		case html.ErrorToken:
			return out
		case html.TextToken:
			out = append(out, fmt.Sprintf("%v %q", kind, t.text))
		case html.StartTagToken, html.SelfClosingTagToken:
			out = append(out, fmt.Sprintf("%v %q%s", kind, t.name, toldAttributes(t.attr)))
		case html.EndTagToken:
			out = append(out, fmt.Sprintf("%v %q", kind, t.name))
		}
	}
}

func toldAttributes(attr attributes) string {
	var b strings.Builder
	for i, a := range attr {
		if first := attr[:i]; !hasKey(first, a.Key) { // the second of a name counts for nobody
			fmt.Fprintf(&b, " %q=%q", a.Key, a.Val)
		}
	}
	return b.String()
}

func hasKey(attr attributes, key string) bool {
	for _, a := range attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

// tokenized writes down what the tokenizer says of it.
func tokenized(page string) (out []string) {
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return out
		case html.TextToken:
			out = append(out, fmt.Sprintf("%v %q", kind, z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			out = append(out, fmt.Sprintf("%v %q%s", kind, t.Data, toldAttributes(t.Attr)))
		case html.EndTagToken:
			name, _ := z.TagName()
			out = append(out, fmt.Sprintf("%v %q", kind, name))
		}
	}
}

func sameTokens(t *testing.T, page string) {
	t.Helper()
	want, got := tokenized(page), told(page)
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("%.300q: token %d of %d and %d:\n the tokenizer %s\n          ours %s",
				page, i, len(want), len(got), strings.Join(want[min(i, len(want)):min(i+2, len(want))], ", "), strings.Join(got[min(i, len(got)):min(i+2, len(got))], ", "))
		}
	}
}

// oddPages are pieces of HTML of which each is read in another way.
var oddPages = []string{
	"<p>a &amp; b &copy c &#x41;</p>", "a < b <3 <", "</", "<", "<a", "<a href=", "<a href='x", "</a", "</a>", "</a b=c>", "</A >", "</>", "</3>", "<p/>", "<p / >", "<p a=/>", "<p a=b/>", "<p a=\"b\"/>",
	"<P CLASS=MsoNormal Style='margin:0'>x</P>", "<p a b=c>", "<p a = c>", "<p =a=b>", "<p a=\"1\"b=\"2\">", "<p a=1 a=2>", "<p a=\"x&amp;y&copy;z\">", "<p a=\"x&amp;y&amp;lt;\">", "<p a='\r\n'>", "<p a=\"\x00\">", "<p\ta=b\n>",
	"<!---->", "<!-->", "<!--->", "<!-- a -- b -->", "<!-- a --!> b -->", "<!--a-->b-->", "<!--x", "<!DOCTYPE html>", "<![endif]>", "<![CDATA[x]]>", "<?xml version=1?>x", "<!--[if mso]><p>x</p><![endif]-->",
	"<style>a<b</style>c", "<style></style><b>", "<script>if (a<b) '</p>'</script>x", "<title>a &amp; <b></title>", "<textarea><p>&lt;</textarea>", "<plaintext><b>", "<xmp/><b></xmp>", "<STYLE>x</STYLE>", "<style>never ends <b>",
	"<o:p>&nbsp;</o:p>", "<h1>x", "<a-b_c:d e-f:g_h=i>", "<p\x00q>", "a\r\nb\rc<i>d\re</i>", "<img src=cid:1 alt=a%20b>", "<p a=\"", "<p a=b", "<p a=b ", "<ä>", "<p ä=b>", "<p a=ä>", "\xff<\xff>", "<p/a>", "<p a=>", "<p a=\"b\"c>",
}

func TestTokensAreTheTokenizers(t *testing.T) {
	for _, page := range oddPages {
		sameTokens(t, page)
	}
	for i, a := range oddPages { // what one leaves behind must not change the next
		sameTokens(t, a+oddPages[(i*7+3)%len(oddPages)]+a)
	}
	sameTokens(t, strings.Repeat("<p nowrap>x<style>y</style>", 2*maxTurns))
}

// TestTokensOfRealMails compares them on the HTML of the shared mails.
func TestTokensOfRealMails(t *testing.T) {
	pages := 0
	err := filepath.WalkDir(filepath.Join(corpora.Dir(t), "html-mimekit"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || pages > 300 {
			return err
		}
		raw, err := os.ReadFile(path)
		if err == nil && len(raw) < 1<<20 {
			sameTokens(t, string(raw))
			pages++
		}
		return err
	})
	if err != nil || pages == 0 {
		t.Fatal(pages, err)
	}
}

// FuzzTokens: of any page tokens says what the tokenizer says.
func FuzzTokens(f *testing.F) {
	for _, page := range oddPages {
		f.Add(page)
	}
	f.Fuzz(sameTokens)
}
