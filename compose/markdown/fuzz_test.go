package markdown

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	xhtml "golang.org/x/net/html"
)

var (
	runs     = regexp.MustCompile(`(?i)^[\s\x00-\x20]*(?:javascript|vbscript|data|file):`)
	elements = set("script style iframe object embed svg form input link meta base math noscript")
)

// evil finds what must never be in the HTML, whatever the draft: it reads the
// output as a browser would.
func evil(page []byte) string {
	z := xhtml.NewTokenizer(bytes.NewReader(page))
	for kind := z.Next(); kind != xhtml.ErrorToken; kind = z.Next() {
		tok := z.Token()
		if kind == xhtml.CommentToken || kind == xhtml.DoctypeToken || kind != xhtml.TextToken && elements[tok.Data] {
			return tok.String()
		}
		for _, a := range tok.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || (a.Key == "href" || a.Key == "src") && runs.MatchString(a.Val) {
				return tok.String()
			}
		}
	}
	return ""
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("---\ntitle: \"#1 - x\"\n---\n\nHi\n\n## S\n\n[a](https://e.example) - B<br/>\n [c](d)\n\n----------\n\n- x\n  - y\n"), false)
	f.Add([]byte("<script>alert(1)</script><a href=\"javascript:x\" onclick=y>z</a><NAME> <b><i>c</b></i>\n\n<table><tr><td>x"), true)
	f.Add([]byte("> a\n> b\n> c\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n~~x~~ ~y[^1]\n\n[^1]: z\n"), false)
	f.Add([]byte("—\ntitle: “x”\n—\n—————\n`a—b`\n<!— c —>\n"), false)
	f.Add(goldenDraftBytes, true)
	f.Fuzz(func(t *testing.T, text []byte, exact bool) {
		d := Read(Source{Text: text, Subject: "s", Exact: exact})
		if !utf8.Valid(d.Body) || bytes.ContainsAny(d.Body, "\r\x00") {
			t.Fatalf("body %q", d.Body)
		}
		if len(d.Body) > 2*len(text)+4096 {
			t.Fatalf("%d bytes became %d", len(text), len(d.Body))
		}
		lines := bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r")) + 3*bytes.Count(text, []byte("\xe2\x80")) + bytes.Count(text, []byte("\xc2\x85")) + 1
		for _, r := range d.Repairs {
			if r.Line < 1 || r.Line > lines {
				t.Fatalf("repair at line %d of %d", r.Line, lines)
			}
		}
		doc, _, err := Parse(context.Background(), d)
		if err != nil {
			return
		}
		page, plain := doc.HTML(Mail), doc.Text(Mail)
		if m := evil(page); m != "" {
			t.Fatalf("%q in the HTML", m)
		}
		if len(page) > 60*len(d.Body)+1024 || len(plain) > 60*len(d.Body)+1024 {
			t.Fatalf("%d bytes became %d of HTML and %d of text", len(d.Body), len(page), len(plain))
		}
		if bytes.ContainsAny(plain, "\x01\r") {
			t.Fatalf("text %q", plain)
		}
	})
}

func FuzzFront(f *testing.F) {
	f.Add([]byte("title: \"#1 - x\"\ndate: 2026-01-02\ntags: [a, b]\n"))
	f.Add([]byte("title: #1\nsubtitle: a: b\nx: *y\nz: &z [1, {a: b}]\n"))
	f.Add([]byte("Title: “x”\n\u00a0date:\u00a09 Jul 2022\nfoo\n- bar\n"))
	f.Add([]byte("\r0000=!\n00000000"))
	f.Fuzz(func(t *testing.T, head []byte) {
		for _, fences := range [][2]string{{"---\n", "\n---\n"}, {"+++\n", "\n+++\n"}, {"", "\n\n"}} {
			text := fences[0] + string(head) + fences[1] + "text\n"
			d := Read(Source{Text: []byte(text), Subject: "s"})
			if strings.ContainsAny(d.Front.Title+d.Front.Subtitle+d.Front.Preheader, "\r\n\x00") {
				t.Fatalf("front matter %+v", d.Front)
			}
			again := Read(Source{Text: d.Markdown()})
			if a, b := d.Front.yaml(), again.Front.yaml(); a != b {
				t.Fatalf("the front matter changes when it is read again\n%s\n%s", a, b)
			}
		}
	})
}

var goldenDraftBytes = []byte("Hi!\n\n## A\n\n[T](https://a.example/x_(y)) - Ada, B\n\n> q\n![i](cid:x)\n\n----------\n\n## Random\n\nTIL [x](u).\n")
