package inline

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"
)

func page(css, body string) []byte {
	return []byte("<!DOCTYPE html><html><head><style>" + css + "</style></head><body>" + body + "</body></html>")
}

func mustInline(t *testing.T, document []byte) string {
	t.Helper()
	out, err := Inline(document)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Each case is one that an inliner gets wrong when it counts selectors by
// letters, splits at every comma or reads CSS with too simple a scanner.
func TestCascade(t *testing.T) {
	for _, c := range []struct{ name, css, body, want string }{
		{"attribute equals class", `.x{color:blue}[a]{color:red}`, `<p class=x a>`, `<p class="x" a="" style="color:red">`},
		{"pseudo-class counts", `p:first-child{color:red}p.x{color:blue}p.x:first-child{color:green}`, `<p class=x>`, `style="color:green"`},
		{"pseudo-class over types", `li:first-child{color:red}ul li{color:blue}`, `<ul><li>`, `<li style="color:red">`},
		{"type after combinator", `div>p{color:red}p{color:blue}`, `<div><p>`, `<p style="color:red">`},
		{"dot inside a string", `a[href$=".pdf"]{color:red}a.x{color:blue}`, `<a class=x href="a.pdf">`, `style="color:blue"`},
		{"comma inside not", `p:not(.a,.b){color:red}`, `<p>`, `<p style="color:red">`},
		{"comma inside a string", `[title="a,b"]{color:red}`, `<p title="a,b">`, `style="color:red"`},
		{"substring attribute", `a[href*="x"]{color:red}`, `<a href="xy">`, `<a href="xy" style="color:red">`},
		{"universal child", `div > *{color:red}`, `<div><b>x</b></div>`, `<b style="color:red">`},
		{"universal loses", `*{margin:0}p{margin:5px}`, `<p>`, `<p style="margin:5px">`},
		{"important beats style", `p{color:red !important}`, `<p style="color:blue">`, `<p style="color:red">`},
		{"important style kept", `p{color:red}`, `<p style="color:blue !important">`, `<p style="color:blue !important">`},
		{"loose important", `p{color:red ! important;width:1px!IMPORTANT}`, `<p style="color:blue;width:2px">`, `<p style="color:red;width:1px">`},
		{"fallback pair", `p{background:red;background:linear-gradient(red,blue)}`, `<p>`, `style="background:red;background:linear-gradient(red,blue)"`},
		{"custom property", `:root{--c:red}p{color:var(--c)}`, `<p>`, `<p style="color:red">`},
		{"custom property inherits", `.d{--c:red}p{color:var(--c, blue)}`, `<p>1<div class=d><p>2`, `<p style="color:blue">1</p><div class="d"><p style="color:red">2`},
		{"custom property of somebody else", `p{--theirs:"a b";color:red}`, `<p>`, `style="--theirs:&#34;a b&#34;;color:red"`},
		{"element left alone", `p{color:red}`, `<p data-css-inline="ignore">a<p>b`, `<p data-css-inline="ignore">a</p><p style="color:red">b`},
		{"declaration without colon", `p{color;width:10px}`, `<p>`, `<p style="width:10px">`},
		{"stray brace", `p{color:red}}h1{color:blue}`, `<h1>`, `<h1 style="color:blue">`},
		{"nested rule", `.a{color:red;& p{color:blue}}`, `<div class=a>`, `<div class="a" style="color:red">`},
		{"unclosed rule", `p{color:red`, `<p>`, `<p style="color:red">`},
		{"quotes and colons", `p{font-family:"A: B",serif;content:"}"}`, `<p>`, `style="font-family:&#34;A: B&#34;,serif;content:&#34;}&#34;"`},
		{"shorthand keeps its place", `p{margin:0;margin-top:3px}`, `<p style="margin-bottom:1px">`, `style="margin:0;margin-top:3px;margin-bottom:1px"`},
		{"comments and spaces", "p /* a */ > b{color:/* x */red}", `<p><b>x</b></p>`, `<b style="color:red">`},
		{"id in a list", `h1, #a .b , h2{color:red}`, `<div id=a><i class=b>x</i></div>`, `<i class="b" style="color:red">`},
		{"important word as value", `p{animation-name:important}`, `<p>`, `style="animation-name:important"`},
		{"vendor words", `p{mso-line-height-rule:exactly;width:calc(100% - 2px)}`, `<p>`, `style="mso-line-height-rule:exactly;width:calc(100% - 2px)"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if out := mustInline(t, page(c.css, c.body)); !strings.Contains(out, c.want) {
				t.Errorf("%s\nwant %s", out, c.want)
			}
		})
	}
}

// What depends on the reader's program stays in the sheet, byte for byte.
func TestKept(t *testing.T) {
	for _, css := range []string{
		"@font-face{font-family:\"X\";src:url(x.woff)}",
		"@import url(\"https://a.example/x.css\");",
		"@charset \"utf-8\";",
		"@keyframes a{from{left:0}\r\n to{left:1px}}",
		"@supports (display:grid){p{color:red}}",
		"@layer a{p{color:red}}",
		"@MEDIA screen{p{color:red!important}}",
		"@media (prefers-color-scheme: dark) { .a  { color : #fff !important } }",
		"li::marker{color:red}", "a:hover , a:focus{color:red}", "p::before{content:\"}\"}",
		".a{color:red;& p{color:blue}}",
	} {
		out := mustInline(t, page(css, "<p class=a>"))
		if !strings.Contains(out, "<style>"+css+"</style>") {
			t.Errorf("%s is not kept in\n%s", css, out)
		}
	}
}

func TestKeptHalf(t *testing.T) {
	out := mustInline(t, page("a, a:hover { color: red }", "<a>x</a>"))
	if !strings.Contains(out, `<a style="color:red">`) || !strings.Contains(out, "<style>a:hover { color: red }</style>") {
		t.Error(out)
	}
}

// A media rule may use a custom property that a plain rule sets: that rule must
// stay beside it, although it is inlined as well.
func TestKeptCustomProperties(t *testing.T) {
	out := mustInline(t, page(":root{--c:red}p{color:var(--c)}.unused{margin:0}@media print{p{color:var(--c)}}", "<p>x"))
	if !strings.Contains(out, "<style>:root{--c:red}\n@media print{p{color:var(--c)}}</style>") || !strings.Contains(out, `<p style="color:red">`) {
		t.Error(out)
	}
}

func TestSheetsForOneMedium(t *testing.T) {
	in := `<head><style media="ALL">p{color:red}</style><style type="text/css" media="only screen and (max-width: 9px)">p{color:blue}</style></head><p>x`
	out := mustInline(t, []byte(in))
	if !strings.Contains(out, `<p style="color:red">`) {
		t.Error("media=ALL is not inlined:", out)
	}
	if !strings.Contains(out, `<style type="text/css" media="only screen and (max-width: 9px)">p{color:blue}</style>`) {
		t.Error("a sheet for one medium is not kept:", out)
	}
}

// These are the forms that Outlook reads (trust.md bar 11), and each byte of them
// counts, entities and spaces too.
// The words of another inliner: a sheet left alone, and one that is inlined and
// kept as well.
func TestSheetsByAttribute(t *testing.T) {
	for _, c := range []struct{ word, want, not string }{
		{"ignore", `<style data-css-inline="ignore">p{color:red}</style>`, `style="color:red"`},
		{"keep", `<style data-css-inline="keep">p{color:red}</style>`, `<p>`},
	} {
		out := mustInline(t, []byte(`<html><head><style data-css-inline="`+c.word+`">p{color:red}</style></head><body><p>x</p></body></html>`))
		if !strings.Contains(out, c.want) || strings.Contains(out, c.not) {
			t.Errorf("%s: %s", c.word, out)
		}
	}
}

func TestConditionalComments(t *testing.T) {
	comments := []string{
		"<!--[if mso]><table width=\"600\"><tr><td>&nbsp;a &amp; b<![endif]-->",
		"<!--[if !mso]><!-->", "<!--<![endif]-->",
		"<!--[if (gte mso 9)|(IE)]>\r\n<xml><o:AllowPNG/></xml>\r\n<![endif]-->",
		"<![if !mso]>", "<![endif]>",
	}
	body := strings.Join(comments, "<p>x</p>") + "<table><tr>" + comments[0] + "<td>y</td></tr></table><!-- a note -->"
	out := mustInline(t, page("p{color:red}", body))
	rest := out
	for _, c := range comments {
		_, after, ok := strings.Cut(rest, c)
		if !ok {
			t.Fatalf("%q is damaged in\n%s", c, out)
		}
		rest = after
	}
	if !strings.Contains(rest, "<tr>"+comments[0]+"<td>") {
		t.Error("a conditional between cells moved:", rest)
	}
	if strings.Contains(out, "a note") {
		t.Error("an ordinary comment is still there")
	}
}

func TestLegacyAttributes(t *testing.T) {
	css := `.t{width:600px;background:#fafafa}td{text-align:center;vertical-align:top;background-color:#abc;width:50%}img{width:20px;height:10px}p{width:9px}`
	out := mustInline(t, page(css, `<table class=t><tr><td><img src=x width="7"><p>x</table>`))
	for _, want := range []string{`width="600"`, `bgcolor="#fafafa"`, `align="center"`, `valign="top"`, `bgcolor="#aabbcc"`, `width="50%"`, `width="7"`, `height="10"`, `<p style="width:9px">`} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is missing in\n%s", want, out)
		}
	}
}

func TestTraps(t *testing.T) {
	out := mustInline(t, page("p{color:red}", `<p pr-el-id="7">nlx nlxk0z</p>`))
	if !strings.Contains(out, `<p pr-el-id="7" style="color:red">nlx nlxk0z</p>`) {
		t.Error(out)
	}
	if _, err := Inline([]byte(strings.Repeat("<div>", 600))); err == nil {
		t.Error("600 nested elements are no error")
	}
}

func TestDeterminism(t *testing.T) {
	doc := page(`p,b,i{color:red}.a{margin:0;margin:calc(1px + 2px)}@media print{p{color:blue}}`, strings.Repeat("<p class=a><b>x</b><i style='--x:1'>y</i></p>", 20))
	first := mustInline(t, doc)
	for range 20 {
		if again := mustInline(t, doc); again != first {
			t.Fatal("two runs differ")
		}
	}
	if twice := mustInline(t, []byte(first)); twice != first {
		t.Errorf("inlining again changes the document:\n%s\n%s", first, twice)
	}
}

func FuzzInline(f *testing.F) {
	f.Add([]byte("<style>p{color:red}a:hover{x:y}@media x{p{a:b}}</style><!--[if mso]>x<![endif]--><p style='a:b'>x"))
	f.Add([]byte("<svg><style>p{}</style></svg><style>:root{--a:var(--a)}p{color:var(--a,var(--a))}"))
	f.Add([]byte("<template><style>p{color:red}</style></template><table><style>}{;:</style>"))
	f.Fuzz(func(t *testing.T, document []byte) {
		first, err := Inline(document)
		if err != nil {
			return
		}
		second, err := Inline(document)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatal("not the same twice")
		}
		if bytes.Contains(first, []byte(newBook(document).prefix)) {
			t.Fatalf("a mark is left in %q", first)
		}
	})
}

// BenchmarkInlineGrowth inlines the same page at 1, 4 and 16 times its length: the
// time must grow no faster.
func BenchmarkInlineGrowth(b *testing.B) {
	const item = `<h2 class="c3">Boats</h2><p class="c7"><a href="https://a.example/">Berths</a> and <em>boats</em>, in words.</p><ul><li>x</li></ul>`
	const css = "p{margin:0 0 1em;line-height:1.5}a{color:red}ul li{margin:0}h2+p{margin-top:0}.c3{font:700 25px serif}.c7 a{color:#a8351a}@media all{p{x:y}}"
	for _, times := range []int{1, 4, 16} {
		document := page(css, strings.Repeat(item, 120*times))
		b.Run(fmt.Sprintf("%dx", times), func(b *testing.B) {
			b.SetBytes(int64(len(document)))
			least(b, document)
		})
	}
}

// BenchmarkInline inlines one page under a small and a large sheet of which it
// uses the same few rules: unused rules must cost little.
func BenchmarkInline(b *testing.B) {
	body := strings.Repeat(`<h2 class="c3">Boats</h2><p class="c7"><a href="https://a.example/">Berths</a> and <em>boats</em>, in words.</p><ul><li>x</li></ul>`, 120)
	for _, rules := range []int{150, 2400} {
		var css strings.Builder
		css.WriteString("p{margin:0 0 1em;line-height:1.5}a{color:red}ul li{margin:0}")
		for i := range rules {
			fmt.Fprintf(&css, ".c%d{color:#%06x;padding:%dpx}\n", i, i, i%9)
		}
		document := page(css.String(), body)
		b.Run(fmt.Sprintf("%drules", rules), func(b *testing.B) {
			least(b, document)
		})
	}
}

// least inlines a document and reports the least processor time that one run
// took, in milliseconds: what other programs on the machine do shows in the mean
// and not in the least.
func least(b *testing.B, document []byte) {
	b.Helper()
	best := math.Inf(1)
	for b.Loop() {
		start := cpuTime(b)
		if _, err := Inline(document); err != nil {
			b.Fatal(err)
		}
		best = min(best, cpuTime(b)-start)
	}
	b.ReportMetric(best, "min-cpu-ms")
}

func cpuTime(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}
