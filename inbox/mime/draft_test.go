package mime_test

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galley/compose/corpora"
	"galley/compose/markdown"
	"galley/inbox/mime"
)

// writer is a mail program: it makes HTML of lines that somebody typed.
type writer struct {
	name string
	page func(lines []string) string
	same int // of the 102 shared issues, how many must give the very same mail
}

// writers are modelled on real mails: the programs write the same elements, the
// same white space and the same ends of lines as in the messages named.
var writers = []writer{
	// auth-fastmail source/google_apps_good.eml, replies-talon html_replies/thunderbird.html (the quoted part)
	{"Gmail, typed", gmailTyped, 101},
	{"Gmail, pasted", gmailPasted, 101},
	// replies-talon html_replies/ms_outlook_2007.html
	{"Outlook, Word", outlookWord, 101},
	// replies-mailspring-html email_2.html; drafts-pagecord image_unfurl.eml
	{"Outlook, web", outlookWeb, 101},
	// replies-mailspring-html email_28.html; mime-mixed nylas/raw_message_with_inline_attachment.txt
	{"Apple Mail", appleMail, 101},
	// replies-talon html_replies/thunderbird.html
	{"Thunderbird, body text", thunderbirdText, 101},
	// mime-mixed schleuder/charset_mails/thunderbird-multi-alt-html.eml
	{"Thunderbird, paragraphs", thunderbirdParagraphs, 101},
}

var address = regexp.MustCompile(`https?://[^\s()<>\[\]"]*[^\s()<>\[\]".,;:!?'’”]`)

// typed escapes a line as editors do: addresses become links, spaces that HTML
// would fold become no-break spaces.
func typed(line string, link func(url string) string) string {
	var b strings.Builder
	for line != "" {
		at := address.FindStringIndex(line)
		if at == nil {
			at = []int{len(line), len(line)}
		}
		b.WriteString(spaced(html.EscapeString(line[:at[0]]), b.Len() == 0))
		if at[1] > at[0] {
			b.WriteString(link(line[at[0]:at[1]]))
		}
		line = line[at[1]:]
	}
	return b.String()
}

func spaced(s string, first bool) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\t", "&nbsp;&nbsp;&nbsp; "), "  ", "&nbsp; ")
	if first && strings.HasPrefix(s, " ") {
		s = "&nbsp;" + s[1:]
	}
	return strings.ReplaceAll(s, "  ", "&nbsp; ")
}

func plainLink(u string) string {
	return `<a href="` + html.EscapeString(u) + `">` + html.EscapeString(u) + `</a>`
}

func gmailTyped(lines []string) string {
	var b strings.Builder
	b.WriteString(`<div dir="ltr">`)
	link := func(u string) string {
		return `<a href="` + html.EscapeString(u) + `" target="_blank">` + html.EscapeString(u) + `</a>`
	}
	for i, l := range lines {
		text := typed(l, link)
		if l == "" {
			text = "<br>"
		}
		if i > 0 || l == "" {
			text = "<div>" + text + "</div>"
		}
		b.WriteString(text)
	}
	return b.String() + "</div>\r\n"
}

func gmailPasted(lines []string) string {
	var out []string
	for _, l := range lines {
		out = append(out, typed(l, plainLink))
	}
	return `<div dir="ltr">` + strings.Join(out, "<br>") + "<br></div>\r\n"
}

func outlookWord(lines []string) string {
	var b strings.Builder
	b.WriteString(`<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40"><head><style><!--
p.MsoNormal, li.MsoNormal, div.MsoNormal
	{margin:0cm;
	margin-bottom:.0001pt;}
--></style><!--[if gte mso 9]><xml>
<o:shapedefaults v:ext="edit" spidmax="1026" />
</xml><![endif]--></head><body lang=EN-US link=blue vlink=purple><div class=WordSection1>`)
	for _, l := range lines {
		text := wordWrap(typed(l, plainLink))
		if l == "" {
			text = "<o:p>&nbsp;</o:p>"
		}
		b.WriteString(`<p class=MsoNormal><span style='font-size:11.0pt;font-family:"Calibri","sans-serif"'>` + text + "<o:p></o:p></span></p>")
	}
	return b.String() + "</div></body></html>"
}

// wordWrap breaks the source at spaces, as Word and Thunderbird do: to HTML the
// line end is a space.
func wordWrap(s string) string {
	var b strings.Builder
	n := 0
	for _, word := range strings.SplitAfter(s, " ") {
		if n+len(word) > 72 && n > 0 && strings.HasSuffix(b.String(), " ") && !strings.Contains(word, `="`) {
			t := strings.TrimSuffix(b.String(), " ")
			b.Reset()
			b.WriteString(t + "\n")
			n = 0
		}
		b.WriteString(word)
		n += len(word)
	}
	return b.String()
}

func outlookWeb(lines []string) string {
	var b strings.Builder
	b.WriteString("<html>\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\n" +
		`<style type="text/css" style="display:none;"> P {margin-top:0;margin-bottom:0;} </style>` + "\n</head>\n<body dir=\"ltr\">\n")
	link := func(u string) string {
		safe := "https://eur02.safelinks.protection.outlook.com/?url=" + url.QueryEscape(u) + "&data=05%7C01%7Ceditor%40example.org%7C0&sdata=x%3D&reserved=0"
		return `<a href="` + html.EscapeString(safe) + `" originalsrc="` + html.EscapeString(u) + `" data-linkindex="0" style="margin: 0px">` + html.EscapeString(u) + `</a>`
	}
	for _, l := range lines {
		text := typed(l, link)
		if l == "" {
			text = "<br>"
		}
		b.WriteString(`<div class="elementToProof" style="font-family: Aptos, Calibri, Helvetica, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);">` + "\n" + text + "</div>\n")
	}
	return b.String() + "</body>\n</html>\n"
}

func appleMail(lines []string) string {
	var b strings.Builder
	b.WriteString(`<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body style="overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">`)
	for i, l := range lines {
		text := strings.ReplaceAll(typed(l, plainLink), "&nbsp;", "\u00a0")
		if l == "" {
			text = `<br class="">`
		}
		if i > 0 || l == "" {
			text = `<div class="">` + text + "</div>"
		}
		b.WriteString(text)
	}
	return b.String() + "</body></html>"
}

const thunderbirdHead = "<html>\n  <head>\n    <meta http-equiv=\"content-type\" content=\"text/html; charset=UTF-8\">\n  </head>\n  <body text=\"#000000\" bgcolor=\"#FFFFFF\">\n"

func freetext(u string) string {
	return `<a class="moz-txt-link-freetext" href="` + html.EscapeString(u) + `">` + html.EscapeString(u) + `</a>`
}

func thunderbirdText(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("    " + strings.ReplaceAll(wordWrap(typed(l, freetext)), "\n", "\n    ") + "<br>\n")
	}
	return thunderbirdHead + b.String() + "  </body>\n</html>\n"
}

func thunderbirdParagraphs(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		text := strings.ReplaceAll(wordWrap(typed(l, freetext)), "\n", "\n      ")
		if l == "" {
			text = "<br>\n    "
		}
		b.WriteString("    <p>" + text + "</p>\n")
	}
	return thunderbirdHead + b.String() + "  </body>\n</html>\n"
}

// mailed puts a page in a mail, in quoted-printable, and reads the draft in it.
func mailed(t testing.TB, page, plain string) (text []byte, form string) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("From: Ada <ada@example.org>\r\nTo: press@example.org\r\nSubject: next one\r\nMIME-Version: 1.0\r\n")
	part := func(kind, body string) {
		b.WriteString("Content-Type: " + kind + "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + quotable(body) + "\r\n")
	}
	if plain == "" {
		part("text/html", page)
	} else {
		b.WriteString("Content-Type: multipart/alternative; boundary=b0\r\n\r\n--b0\r\n")
		part("text/plain", plain)
		b.WriteString("--b0\r\n")
		part("text/html", page)
		b.WriteString("--b0--\r\n")
	}
	m, err := mime.Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	text, form, _, _, ok := mime.DraftText(m)
	if !ok {
		t.Fatal("no draft in the mail")
	}
	return text, form
}

// quotable is quoted-printable with a soft break after every 70 octets.
func quotable(s string) string {
	var b strings.Builder
	n := 0
	for _, c := range []byte(s) {
		if c == '\n' {
			b.WriteString("\r\n")
			n = 0
			continue
		}
		if n > 70 {
			b.WriteString("=\r\n")
			n = 0
		}
		if c >= ' ' && c != '=' && c < 0x7f {
			b.WriteByte(c)
			n++
		} else if c != '\r' {
			fmt.Fprintf(&b, "=%02X", c)
			n += 3
		}
	}
	return b.String()
}

// mail is what readers see of a draft.
type mail struct{ html, text string }

func composed(t testing.TB, src markdown.Source) mail {
	t.Helper()
	doc, _, err := markdown.Parse(context.Background(), markdown.Read(src))
	if err != nil {
		t.Fatal(err)
	}
	return mail{fmt.Sprintf("%q %q %q\n", doc.Front.Title, doc.Front.Date, doc.Front.HeroImg) + string(doc.HTML(markdown.Mail)), string(doc.Text(markdown.Mail))}
}

var counted = regexp.MustCompile(`<(hr|h2|ul|li|blockquote|img|a)[ >](href=)?`)

func counts(m mail) map[string]int {
	out := map[string]int{}
	for _, e := range counted.FindAllStringSubmatch(m.html, -1) {
		if e[1] != "a" || e[2] != "" {
			out[e[1]]++
		}
	}
	return out
}

// sampled tells whether a part of the newsletters is enough.
func sampled() bool { return testing.Short() || raceDetector }

func sharedIssues(t *testing.T) map[string]string {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(corpora.Dir(t, "newsletters-rct", "files"), "*.md"))
	out := map[string]string{}
	for i, p := range paths {
		if sampled() && i%6 != 0 && filepath.Base(p) != "0129.md" {
			continue
		}
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(p)] = string(data)
	}
	return out
}

// TestTypedMarkdown types every shared issue into every mail program: at least
// 95 of 100 must hold what the file holds, and the seed the very same bytes.
func TestTypedMarkdown(t *testing.T) {
	files := sharedIssues(t)
	clean := map[string]mail{}
	for name, text := range files {
		clean[name] = composed(t, markdown.Source{Text: []byte(text), Exact: true})
	}
	for _, w := range writers {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			good, same := 0, 0
			var other []string
			for name, text := range files {
				draft, form := mailed(t, w.page(strings.Split(strings.TrimRight(text, "\n"), "\n")), "")
				got := composed(t, markdown.Source{Text: draft, Subject: "next one"})
				if form != mime.FormHTML {
					t.Errorf("%s: form %s", name, form)
				}
				if fmt.Sprint(counts(got)) == fmt.Sprint(counts(clean[name])) {
					good++
				} else {
					t.Logf("%s: %v, the file has %v", name, counts(got), counts(clean[name]))
				}
				if got == clean[name] {
					same++
				} else if other = append(other, name); name == "0129.md" {
					t.Error("the seed does not give the same mail")
				}
			}
			slices.Sort(other)
			t.Logf("%d of %d have the clean counts, %d give the same mail; not %v", good, len(files), same, other)
			if good*100 < 95*len(files) || same < w.same && !sampled() {
				t.Errorf("only %d and %d of %d; it were %d", good, same, len(files), w.same)
			}
		})
	}
}

// TestTypedBeside mails the page beside the plain text that the program makes
// of it: cut into lines, or with every address twice. The page has the words
// in whole lines, so it counts.
func TestTypedBeside(t *testing.T) {
	files := sharedIssues(t)
	seed := files["0129.md"]
	clean := composed(t, markdown.Source{Text: []byte(seed), Exact: true})
	lines := strings.Split(strings.TrimRight(seed, "\n"), "\n")
	for name, plain := range map[string]string{
		"cut":   cutLines(lines, 76),
		"twice": address.ReplaceAllString(seed, "$0<$0>"),
	} {
		text, form := mailed(t, gmailTyped(lines), plain)
		if got := composed(t, markdown.Source{Text: text}); form != mime.FormHTML || got != clean {
			t.Errorf("%s: form %s, and not the same mail", name, form)
		}
	}
	if text, form := mailed(t, gmailTyped(lines), seed); form != mime.FormText || string(text) != seed+"\n" && string(text) != seed {
		t.Errorf("whole plain text: form %s", form)
	}
	if _, form := mailed(t, gmailTyped(lines[:40]), seed); form != mime.FormText {
		t.Errorf("a page with fewer words: form %s", form)
	}
}

func cutLines(lines []string, limit int) string {
	var b strings.Builder
	for _, l := range lines {
		n := 0
		for i, word := range strings.Fields(l) {
			if i > 0 && n+1+len(word) > limit {
				b.WriteString("\n")
				n = 0
			} else if i > 0 {
				b.WriteString(" ")
				n++
			}
			b.WriteString(word)
			n += len(word)
		}
		b.WriteString("\n")
	}
	return b.String()
}

const wordEntry = `<p class=MsoListParagraph style='text-indent:-18.0pt;mso-list:l0 level%d lfo1'><![if !supportLists]><span style='font-family:Symbol'><span style='mso-list:Ignore'>%s<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp;&nbsp; </span></span></span><![endif]>%s<o:p></o:p></p>`

// TestDraftPages is what editors make with buttons, and what programs add.
func TestDraftPages(t *testing.T) {
	head := "<div>---</div><div>title: x</div><div>---</div><div><br></div><div>## One</div><div><br></div>"
	list := fmt.Sprintf(wordEntry+wordEntry+wordEntry, 1, "·", "Ropes", 2, "o", "Springs", 1, "·", "Buoys")
	for _, tt := range []struct{ name, page, want string }{
		{"a button's list in a typed draft", head + "<ul><li>Ropes</li><li>Buoys</li></ul>", "title: x\n---\n\n## One\n\n* Ropes\n* Buoys"},
		{"a button's link, bold and heading in a typed draft", head + `<h2>Two</h2><p><a href="https://a.example/?b=c&amp;d"><b>T</b></a> - <i>Ada </i>L</p>`, "## Two\n\n[**T**](https://a.example/?b=c&d) - *Ada* L"},
		{"Word's list in a typed draft", head + list, "## One\n\n* Ropes\n  * Springs\n* Buoys"},
		{"Word's rule in a typed draft", head + `<div style='mso-element:para-border-div;border:none;border-bottom:solid windowtext 1.0pt'><p class=MsoNormal>Text</p></div><p class=MsoNormal>More</p>`, "Text\n---\nMore"},
		{"Word's numbers in a formatted draft", "<h2>One</h2>" + fmt.Sprintf(wordEntry+wordEntry, 1, "1.", "Ropes", 1, "2.", "Buoys"), "## One\n\n1. Ropes\n2. Buoys"},
		{"a typed address with a slash added", head + `[T](<a href="https://a.example/">https://a.example</a>)`, "[T](https://a.example)"},
		{"a typed address behind a redirector", head + `[T](<a href="https://www.google.com/url?q=https://a.example/b%3Fc%3Dd&amp;sa=D&amp;usg=x">https://a.example/b?c=d</a>)`, "[T](https://a.example/b?c=d)"},
		{"redirectors in a formatted draft", `<h2>One</h2><p><a href="https://www.google.com/url?q=https://a.example/b%3Fc%3Dd&amp;sa=D">T</a> <a href="https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fb.example%2Fx%3Fy&amp;data=z">U</a></p>`, "[T](https://a.example/b?c=d) [U](https://b.example/x?y)"},
		{"pictures in a formatted draft", `<h2>One</h2><p>See</p><div><img src="cid:ii_k1@mail" alt="A quay" width="400" class="gmail-x"><br></div>`, "![A quay](cid:ii_k1@mail)"},
		{"pictures in a typed draft", head + `<div><img src="cid:ii_k1" alt="A quay"></div>`, "## One\n\n![A quay](cid:ii_k1)"},
		{"Gmail's signature", head + `<div>Text</div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature">Ada<br>The Letter</div>`, "## One\n\nText"},
		{"Apple's signature and the mail answered", head + `<div>Text</div><br id="lineBreakAtBeginningOfSignature"><div class="AppleMailSignature">Ada</div><div class="gmail_quote"><div class="gmail_attr">On Monday Galley wrote:</div><blockquote class="gmail_quote">The proof</blockquote></div>`, "## One\n\nText"},
	} {
		text, form := mailed(t, "<html><body>"+tt.page+"</body></html>", "")
		if got := strings.TrimSpace(string(text)); form != mime.FormHTML || !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s: %s\n%q\nwant\n%q", tt.name, form, got, tt.want)
		}
	}
}

func FuzzDraftText(f *testing.F) {
	f.Add("<p class=MsoNormal>## One</p>" + fmt.Sprintf(wordEntry+wordEntry, 1, "·", "Ropes", 2, "1.", "Springs"))
	f.Add("<div style='mso-element:para-border-div;border-bottom:solid'><p style='mso-list:l0 level9 lfo1'>x</p></div>")
	f.Add(gmailTyped([]string{"---", "title: x", "---", "", "- [a](https://a.example) - b", "", "  c"}))
	f.Add("<ul><li>a<ol><li><b>b</b></ol></ul><h2><a href=cid:x>y</a></h2>")
	f.Fuzz(func(t *testing.T, page string) {
		m := &mime.Message{HTML: page, Plain: "a"}
		if text, _, _, _, ok := mime.DraftText(m); ok && len(text) > 64*len(page)+1024 {
			t.Fatalf("%d bytes became %d", len(page), len(text))
		}
		m.Plain = ""
		mime.DraftText(m)
	})
}
