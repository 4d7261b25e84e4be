package mime

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func read(t *testing.T, raw string) *Message {
	t.Helper()
	m, err := Read([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSloppyHeaders(t *testing.T) {
	for _, c := range []struct{ name, raw, subject, from string }{
		{"plain", "From: Ada <ada@example.org>\nSubject: Hi\n\nx", "Hi", "Ada <ada@example.org>"},
		{"mbox line", "From ada@example.org Mon Jan  1 00:00:00 2024\nFrom: ada@example.org\nSubject: Hi\n\nx", "Hi", "ada@example.org"},
		{"line without a colon", "From: ada@example.org\nthis is junk\nSubject: Hi\n\nx", "Hi", "ada@example.org"},
		{"8-bit field name", "From: ada@example.org\nX-\xe4: y\nSubject: Hi\n\nx", "Hi", "ada@example.org"},
		{"folded by spaces", "From: ada@example.org\nSubject: Hi\n \n\tthere\nTo: b@example.org\n\nx", "Hi there", "ada@example.org"},
		{"CR only", "From: ada@example.org\rSubject: Hi\r\rx", "Hi", "ada@example.org"},
		{"words cut in a letter", "From: ada@example.org\nSubject: =?utf-8?Q?H=C3?=\n =?utf-8?Q?=A4?=\n\nx", "Hä", "ada@example.org"},
		{"comma in an encoded word", "From: =?utf-8?Q?Byron,_Ada?= <ada@example.org>\nSubject: Hi\n\nx", "Hi", "Byron, Ada <ada@example.org>"},
		{"space before the colon is no From", "From : evil@example.net\nFrom: ada@example.org\nSubject: Hi\n\nx", "Hi", "ada@example.org"},
		{"cp1252 under the name of Latin-1", "From: ada@example.org\nSubject: =?iso-8859-1?Q?=93Hi=94?=\n\nx", "“Hi”", "ada@example.org"},
		{"raw octets in the text's charset", "From: ada@example.org\nSubject: \xc4\xe3\xba\xc3\nContent-Type: text/plain; charset=gb2312\n\nx", "你好", "ada@example.org"},
		{"semicolon list", "From: ada@example.org; b@example.org\nSubject: Hi\n\nx", "Hi", "ada@example.org"},
		{"base64 of the web", "From: ada@example.org\nSubject: =?utf-8?B?8J-Yig?=\n\nx", "😊", "ada@example.org"},
		{"address below a blank folded line", "Subject: Hi\nFrom:\n \n ada@example.org\n\nx", "Hi", "ada@example.org"},
		{"address below two", "From:\r\n\t\r\n \t\r\n\t<ada@example.org>\r\nSubject: Hi\r\n\r\nx", "Hi", "ada@example.org"},
		{"comment as name", "From: ada@example.org (Ada Byron)\nSubject: Hi\n\nx", "Hi", "Ada Byron <ada@example.org>"},
	} {
		m := read(t, c.raw)
		if m.Subject != c.subject || len(m.From) == 0 || m.From[0].String() != c.from {
			t.Errorf("%s: Subject %q From %v, want %q %q", c.name, m.Subject, m.From, c.subject, c.from)
		}
	}
}

func TestTexts(t *testing.T) {
	head := "From: a@example.org\nMIME-Version: 1.0\n"
	for _, c := range []struct{ name, raw, text string }{
		{"closing boundary missing", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo", "one\ntwo"},
		{"boundary with = unquoted", head + "Content-Type: multipart/mixed; boundary=----=_Part_1\n\n------=_Part_1\n\none\n------=_Part_1--\n", "one"},
		{"boundary undeclared", head + "Content-Type: multipart/alternative\n\n--xyz\nContent-Type: text/plain\n\none\n--xyz--\n", "one"},
		{"base64 with a list's footer", head + "Content-Transfer-Encoding: base64\n\nSGVsbG8=\n_______________________________________________\nlist mailing list, for you\n", "Hello"},
		{"base64 with a stray star", head + "Content-Transfer-Encoding: base64\n\nSGVs*bG8=\n", "Hello"},
		{"UTF-7", head + "Content-Type: text/plain; charset=unicode-1-1-utf-7\n\nG+APw-n\n", "Gün\n"},
		{"Latin-1 that says UTF-8", head + "Content-Type: text/plain; charset=utf-8\n\nG\xfcn\n", "Gün\n"},
		{"charset in quotes", head + "Content-Type: text/plain; charset=\"'UTF-8'\"\n\nGün\n", "Gün\n"},
		{"ISO-2022-JP undeclared", head + "\n\x1b$B$3$s\x1b(B\n", "こん\n"},
		{"flowed", head + "Content-Type: text/plain; format=flowed\n\nonce upon \na time\n\n> quo \n> ted\n  stuffed\n-- \nname\n", "once upon a time\n\n> quo ted\n stuffed\n-- \nname\n"},
		{"flowed with delsp", head + "Content-Type: text/plain; format=flowed; delsp=yes\n\nab \ncd\n", "abcd\n"},
		{"signed is read through", head + "Content-Type: multipart/signed; boundary=b\n\n--b\n\nmine\n--b\nContent-Type: application/pgp-signature\n\nx\n--b--\n", "mine"},
		{"blank plain text gives way to HTML", head + "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<p>mine</p>\n--b--\n", "mine"},
		{"a choice may have a name", head + "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; name=a.txt\n\nmine\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n", "mine"},
		{"UTF-7 with a plus", head + "Content-Type: text/plain; charset=utf-7\n\n1 +- 2 +AOQ-\n", "1 + 2 ä\n"},
		{"CR before the media type", head + "Content-Type:\rtext/html\r\n\r\n<p>one</p>", "one"},
		{"CR and a space before it", head + "Content-Type:\r text/html; charset=utf-8\r\nX-A: b\r\n\r\n<p>one</p>", "one"},
		{"CR before it and fields below", head + "Content-Type: \rtext/html; charset=utf-8\r\nX-A: b\r\n\r\n<p>one</p>", "one"},
		{"an empty media type and a body", head + "Content-Type:\n\ntext/html\n", "text/html\n"},
		{"a boundary that serves twice", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nmine\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n\n--b\n\nbelow\n--b--\n", "mine\nbelow"},
		{"and is closed once", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nmine\n--b--\nbehind the end\n", "mine"},
		{"attached text is no text", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nmine\n--b\nContent-Disposition: attachment; filename=a b.txt\n\nother\n--b--\n", "mine"},
	} {
		if m := read(t, c.raw); m.Text != c.text {
			t.Errorf("%s: %q, want %q; notes %q", c.name, m.Text, c.text, m.Notes)
		}
	}
}

func TestHTMLText(t *testing.T) {
	for _, c := range []struct{ name, html, text string }{
		{"blocks", "<div>a</div><div>b<br>c</div><p>d</p><p>e</p>", "a\nb\nc\n\nd\n\ne"},
		{"blank line", "<div>a</div><div><br></div><div>b</div>", "a\n\nb"},
		{"Word", `<p class="MsoNormal">a</p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><p class="MsoNormal">b</p>`, "a\n\nb"},
		{"quotes", "<p>a</p><blockquote><p>b</p><blockquote>c</blockquote></blockquote>d", "a\n\n> b\n>\n> > c\nd"},
		{"links", `<a href="https://example.org/x">here</a> <a href="https://example.org/y">example.org/y</a>`, "here <https://example.org/x> https://example.org/y"},
		{"Safe Links", `<a href="https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.org%2F&amp;data=x">it</a>`, "it <https://example.org/>"},
		{"lists", "<ul><li>a<ol><li>b</li><li>c</li></ol></li><li>d</li></ul>", "* a\n\n  1. b\n  2. c\n\n* d"},
		{"hidden", `<style>x</style><div style="display: none">pre</div><p>a</p><script>b</script>`, "a"},
		{"entities once", "&amp;lt; &nbsp;x", "&lt;  x"},
	} {
		if got := HTMLText(c.html); got != c.text {
			t.Errorf("%s: %q, want %q", c.name, got, c.text)
		}
	}
}

func TestDraftText(t *testing.T) {
	head := "From: ed@example.org\nSubject: #130\nMIME-Version: 1.0\n"
	mixed := head + "Content-Type: multipart/mixed; boundary=b\n\n"
	for _, c := range []struct{ name, raw, form, text string }{
		{"attachment first", mixed + "--b\n\nremark\n--b\nContent-Type: text/plain; name=n.txt\nContent-Disposition: attachment\n\ntxt\n--b\nContent-Type: application/octet-stream; name=d.md\nContent-Disposition: attachment\n\n# md\n--b--\n", FormAttachment, "# md"},
		{"plain text", head + "\n---\ntitle: x\n---\n\n> quote\n", FormText, "---\ntitle: x\n---\n\n> quote\n"},
		{"quotes survive flowed", head + "Content-Type: text/plain; format=flowed\n\n> a \n> b\n", FormText, "> a b\n"},
		{"typed Markdown in HTML", head + "Content-Type: text/html\n\n<div>## Links</div><div><br></div><div>*&nbsp;[One](<a href=\"https://example.org/1\">https://example.org/1</a>)</div>", FormHTML, "## Links\n\n* [One](https://example.org/1)"},
		{"formatted HTML", head + "Content-Type: text/html\n\n<h2>Links</h2><ul><li><a href=\"https://example.org/1\">One</a></li></ul>", FormHTML, "## Links\n\n- [One](https://example.org/1)\n"},
		{"plain text that lost its links", head + "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nOne\n--b\nContent-Type: text/html\n\n<p><a href=\"https://example.org/1\">One</a></p>\n--b--\n", FormHTML, "[One](https://example.org/1)\n"},
	} {
		text, form, _, exact, ok := DraftText(read(t, c.raw))
		if !ok || form != c.form || string(text) != c.text || exact != (form == FormAttachment) {
			t.Errorf("%s: %s %q exact=%v ok=%v, want %s %q", c.name, form, text, exact, ok, c.form, c.text)
		}
	}
}

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"Sat, 9 Jul 2022 08:00:00 +0200":      "2022-07-09T06:00:00Z",
		"Sat, 9 Jul 2022 08:00:00 EST":        "2022-07-09T13:00:00Z",
		"9 Jul 22 08:00":                      "2022-07-09T08:00:00Z",
		"Saturday, 09-Jul-2022 08:00:00 GMT":  "2022-07-09T08:00:00Z",
		"Sat Jul  9 08:00:00 2022":            "2022-07-09T08:00:00Z",
		"2022-07-09 08:00:00 +0000":           "2022-07-09T08:00:00Z",
		"Sat, 9 Jul 2022 8.00.00 PM +0000":    "2022-07-09T20:00:00Z",
		"Sat, 9 Jul 2022 08:00:00 +0000 (UTC": "2022-07-09T08:00:00Z",
		"Mon, 21 Aug 1995 13:30:57 -600":      "1995-08-21T19:30:57Z",
		"Mon, 21 Aug 1995 13:30:57 +5:30":     "1995-08-21T08:00:57Z",
		"yesterday":                           "0001-01-01T00:00:00Z",
	} {
		if got := ParseDate(in).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// TestBudgets: trust.md's limits, and what lies beyond them.
func TestBudgets(t *testing.T) {
	for name, raw := range map[string]string{
		"25 MiB":       "A: b\n\n" + strings.Repeat("x", MaxMessage),
		"header":       "A: " + strings.Repeat("x", MaxHeader) + "\n\nx",
		"folded":       "A: b\n" + strings.Repeat(" x\n", MaxHeader/2) + "\nx",
		"1,000 fields": strings.Repeat("A: b\n", MaxFields+1) + "\nx",
		"no header":    "\nx",
	} {
		if _, err := Read([]byte(raw)); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
	var deep strings.Builder
	deep.WriteString("A: b\n")
	for i := range 2000 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	flat := "A: b\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 100_000)
	long := "A: b\nContent-Type: multipart/mixed; boundary=b\n" + strings.Repeat("\n--b\n\n"+strings.Repeat("y", MaxText+5), 3)
	for name, raw := range map[string]string{"deep": deep.String(), "flat": flat, "long": long} {
		start := time.Now()
		m := read(t, raw)
		if d := time.Since(start); d > 20*time.Second || len(m.Parts) > MaxParts || len(m.Text) > MaxTexts+10 || len(m.Notes) == 0 {
			t.Errorf("%s: %v, %d parts, %d octets of text, notes %q", name, d, len(m.Parts), len(m.Text), m.Notes)
		}
	}
}
