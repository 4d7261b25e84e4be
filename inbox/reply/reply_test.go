package reply

import (
	"slices"
	"strings"
	"testing"
)

// attributions as mail programs of many languages write them.
var attributions = []string{
	"On Mon, Jan 1, 2024 at 10:00 AM Ada Byron <ada@example.org> wrote:",
	"Am Mo., 1. Jan. 2024 um 10:00 Uhr schrieb Ada Byron <ada@example.org>:",
	"Le lun. 1 janv. 2024 à 10:00, Ada Byron <ada@example.org> a écrit :",
	"El lun, 1 ene 2024 a las 10:00, Ada Byron (<ada@example.org>) escribió:",
	"Em seg., 1 de jan. de 2024 às 10:00, Ada Byron <ada@example.org> escreveu:",
	"Il giorno lun 1 gen 2024 alle ore 10:00 Ada Byron <ada@example.org> ha scritto:",
	"Op ma 1 jan 2024 om 10:00 schreef Ada Byron <ada@example.org>:",
	"Den mån 1 jan. 2024 kl 10:00 skrev Ada Byron <ada@example.org>:",
	"man. 1. jan. 2024 kl. 10:00 skrev Ada Byron <ada@example.org>:",
	"ma 1. tammik. 2024 klo 10:00 Ada Byron (ada@example.org) kirjoitti:",
	"pon., 1 sty 2024 o 10:00 Ada Byron <ada@example.org> napisał(a):",
	"po 1. 1. 2024 v 10:00 odesílatel Ada Byron <ada@example.org> napsal:",
	"Ada Byron <ada@example.org> ezt írta (időpont: 2024. jan. 1., H, 10:00):",
	"пн, 1 янв. 2024 г. в 10:00, Ada Byron <ada@example.org>:",
	"пн, 1 січ. 2024 р. о 10:00 Ada Byron <ada@example.org> пише:",
	"Ada Byron <ada@example.org>, 1 Oca 2024 Pzt, 10:00 tarihinde şunu yazdı:",
	"Στις Δευ 1 Ιαν 2024 στις 10:00 π.μ., ο χρήστης Ada Byron <ada@example.org> έγραψε:",
	"În lun., 1 ian. 2024 la 10:00, Ada Byron <ada@example.org> a scris:",
	"Ada Byron <ada@example.org> 于2024年1月1日周一 10:00写道：",
	"2024年1月1日(月) 10:00 Ada Byron <ada@example.org>:",
	"2024년 1월 1일 (월) 오전 10:00, Ada Byron <ada@example.org>님이 작성:",
	"Vào Th 2, 1 thg 1, 2024 vào lúc 10:00 Ada Byron <ada@example.org> đã viết:",
	"Pada tanggal Sen, 1 Jan 2024 pukul 10.00 Ada Byron <ada@example.org> menulis:",
	"\u202bבתאריך יום ב׳, 1 בינו׳ 2024 ב-10:00 מאת \u202aAda Byron\u202c\u200f <\u202aada@example.org\u202c\u200f>:\u202c",
}

func TestAttributions(t *testing.T) {
	for _, a := range attributions {
		half := strings.Index(a[20:], " ") + 20
		for _, form := range []string{a, a[:half] + "\n" + a[half+1:]} {
			for _, mark := range []string{"> ", ""} {
				p := Split("My answer.\n\n" + form + "\n\n" + mark + "old words\n")
				if p.Own != "My answer." || p.Quote() != "old words" {
					t.Errorf("%q, mark %q: own %q, quote %q", form, mark, p.Own, p.Quote())
				}
			}
		}
	}
}

func TestShapes(t *testing.T) {
	quote := "On Mon, 1 Jan 2024 at 10:00, Ada <ada@example.org> wrote:\n"
	for _, c := range []struct{ name, text, own, signature string }{
		{"nothing quoted", "Hello\n\nBob", "Hello\n\nBob", ""},
		{"top", "Hello\n\n" + quote + "> old", "Hello", ""},
		{"bottom", quote + "> old\n\nHello", "Hello", ""},
		{"bottom without marks", quote + "\nHello", "Hello", ""},
		{"between", quote + "> one?\n\nyes\n\n> two?\nno", "yes\n\nno", ""},
		{"attribution by name alone", "Ada wrote:\n> old\n\nHello", "Hello", ""},
		{"words that end in a colon", "I wrote:\n\nsome text", "I wrote:\n\nsome text", ""},
		{"a date and an address in a sentence", "On 1 Jan 2024 I sent this to ada@example.org and heard nothing.", "On 1 Jan 2024 I sent this to ada@example.org and heard nothing.", ""},
		{"Outlook", "Hello\n\nFrom: Ada <ada@example.org>\nSent: Monday, 1 January 2024 10:00\nTo: Bob\nSubject: x\n\nold", "Hello", ""},
		{"Outlook in bold, wrapped", "Hello\n\n*Von:* Ada [mailto:ada@example.org]\n*Gesendet:* Montag, 1. Januar 2024 10:00\n*An:* Bob\n*Betreff:* x\n\nold", "Hello", ""},
		{"original message", "Hello\n\n-----Ursprüngliche Nachricht-----\nold", "Hello", ""},
		{"forward", "See below\n\n---------- Forwarded message ---------\nFrom: Ada <ada@example.org>\nSubject: x\n\nold", "See below", ""},
		{"forward by Apple", "See below\n\nBegin forwarded message:\n\n> From: Ada <ada@example.org>\n> Subject: x\n> \n> old", "See below", ""},
		{"signature", "Hello\n\n-- \nBob\nexample.org", "Hello", "-- \nBob\nexample.org"},
		{"telephone", "Hello\n\nSent from my iPhone\n\n" + quote + "> old", "Hello", "Sent from my iPhone"},
		{"Telefon", "Hallo\n\nVon meinem iPhone gesendet", "Hallo", "Von meinem iPhone gesendet"},
		{"list", "Hello\n\n_______________________________________________\nx mailing list\nx@example.org\n", "Hello", ""},
		{"closing words", "Hello\n\nKind regards,\nBob", "Hello", "Kind regards,\nBob"},
		{"closing words with more to say", "Hello\n\nCheers,\nBob\n\nP.S. did you see https://example.org/x ?", "Hello\n\nCheers,\nBob\n\nP.S. did you see https://example.org/x ?", ""},
		{"lawyer", "Hello\n\nThis e-mail and any attachments are confidential and intended for the addressee only.", "Hello", ""},
		{"help desk", "Hello\n\n##- Please type your reply above this line -##\n\nold", "Hello", ""},
		{"initials", "AB> old\n\nHello", "Hello", ""},
		{"verb at the end", "On Mon, 1 Jan 2024 at 10:00 Ada <ada@example.org> wrote\n> old\n\nHello", "Hello", ""},
		{"date and address in bold", "Hello\n\n*1 Jan 2024 10:00, Ada <ada@example.org>:*\n> old", "Hello", ""},
		{"wide colons", "你好\n\n发件人： Ada\n发送时间： 2024年1月1日\n收件人： Bob\n主题： x\n\nold", "你好", ""},
		{"own line right above the fields", "Yes - see below\nFrom: Ada <ada@example.org>\nSent: Monday, 1 January 2024 10:00\nTo: Bob\nSubject: x\n\nold", "Yes - see below", ""},
		{"underscores and a space", "Hello\n\n__ \nBob", "Hello", "__\nBob"},
		{"tab in a telephone's line", "Hello\n\nSent\tfrom my iPhone", "Hello", "Sent\tfrom my iPhone"},
		{"name far above a quote", "He wrote:\n\n\n\n> old", "He wrote:", ""},
		{"indented by Outlook", quote + "\n    old\n    more", "", ""},
		{"link broken out of a quote", "> see https://example.org/\nthe-rest-of-it\n> more\n\nHello", "Hello", ""},
		{"attribution behind the last words", "Hello there --- On Mon, 1 Jan 2024 10:00, Ada <ada@example.org> wrote: ---\n> old", "Hello there", ""},
		{"byte order mark and CR", "\ufeffHello\r\rBob\r\n> old", "Hello\n\nBob", ""},
		{"rule above the quote", "Hello\n\n________\n> old", "Hello", ""},
		{"wrapped address", "Hello\n\nOn Mon, 1 Jan 2024 at 10:00 Ada <\nada@example.org\n> wrote:\n\n> old", "Hello", ""},
	} {
		p := Split(c.text)
		if p.Own != c.own || p.Signature != strings.TrimRight(strings.ReplaceAll(c.signature, "-- \n", "--\n"), " ") {
			t.Errorf("%s: own %q, signature %q; want %q, %q", c.name, p.Own, p.Signature, c.own, c.signature)
		}
	}
}

func TestLinesTellTheirPlace(t *testing.T) {
	p := Split("above\n\nAda wrote:\n> one\n\nbetween\n\n> two\n\nbelow")
	var kinds []string
	for _, l := range p.Lines {
		if !l.blank() {
			kinds = append(kinds, string(l.Kind)+" "+strings.Repeat(">", l.Depth)+string(rune('0'+l.N%10)))
		}
	}
	want := []string{"own 1", "attribution 3", "quote >4", "own 6", "quote >8", "own 0"}
	if !slices.Equal(kinds, want) {
		t.Errorf("%q, want %q", kinds, want)
	}
}

func TestSplitHTML(t *testing.T) {
	for _, c := range []struct{ name, html, own string }{
		{"Gmail", `<div dir="ltr">Hello</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, Ada wrote:<br></div><blockquote class="gmail_quote">old</blockquote></div>`, "Hello"},
		{"Gmail, between", `<div class="gmail_quote"><div class="gmail_attr">On Mon, Ada wrote:</div><blockquote>one?</blockquote><div>yes</div><blockquote>two?</blockquote><div>no</div></div>`, "yes\n\nno"},
		{"own words in the container", `<div class="gmail_quote"><div>Hello Ada,</div><div>a long answer</div><blockquote>old</blockquote></div>`, "Hello Ada,\na long answer"},
		{"Thunderbird", `<p>Hello</p><div class="moz-cite-prefix">Am 1.1.24 um 10:00 schrieb Ada:<br></div><blockquote type="cite">old</blockquote><div class="moz-signature">-- <br>Bob</div>`, "Hello"},
		{"Outlook", `<div class="WordSection1"><p class="MsoNormal">Hello</p><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal"><b>From:</b> Ada &lt;ada@example.org&gt;<br><b>Sent:</b> Monday, 1 January 2024 10:00<br><b>To:</b> Bob<br><b>Subject:</b> x</p></div><p class="MsoNormal">old</p></div>`, "Hello"},
		{"Outlook on the web", `<div>Hello</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>Fra:</b> Ada<br></div><div>old</div>`, "Hello"},
		{"Apple", `<div>Hello</div><div><br><blockquote type="cite"><div>On 1 Jan 2024, at 10:00, Ada &lt;ada@example.org&gt; wrote:</div><div>old</div></blockquote></div>`, "Hello"},
		{"name and address above the quote", `<div>Hello</div><div class="gmail_quote"><div>Ada (ada@example.org):</div><blockquote>old</blockquote></div>`, "Hello"},
		{"signature by its mark", `<div>Hello</div><div class="gmail_signature">Bob, head of things</div>`, "Hello"},
		{"Yahoo", `<div>Hello</div><div class="yahoo_quoted"><div>On Monday, Ada wrote:</div><div>old</div></div>`, "Hello"},
	} {
		if p := SplitHTML(c.html); p.Own != c.own {
			t.Errorf("%s: %q, want %q", c.name, p.Own, c.own)
		}
	}
}

func TestLinks(t *testing.T) {
	for _, c := range []struct {
		own  string
		want []string
	}{
		{"see https://example.org/a_(b), and (http://example.org/c).", []string{"https://example.org/a_(b)", "http://example.org/c"}},
		{"twice https://example.org/x https://example.org/x", []string{"https://example.org/x"}},
		{"www.example.org/x and README.md and ada@example.org", []string{"http://www.example.org/x"}},
		{"https://example.org/?a=1&amp;b=2", []string{"https://example.org/?a=1&b=2"}},
		{"_https://example.org_ *https://example.org/b*", []string{"https://example.org", "https://example.org/b"}},
		{"file:///etc/passwd tel:123 ssh://example.org", nil},
		{"text <https://example.org/x>", []string{"https://example.org/x"}},
		{"https://example.org/" + strings.Repeat("x", 3000), nil},
	} {
		if got := Links(c.own); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.own, got, c.want)
		}
	}
	if n := len(Links(strings.Repeat("https://example.org/", 1) + " " + manyLinks(80))); n != maxLinks {
		t.Errorf("%d links, want %d", n, maxLinks)
	}
}

// TestForward: a forwarded mail is told from one that is answered, quoted or
// not.
func TestForward(t *testing.T) {
	fields := "From: Ada <ada@example.org>\nSubject: x\n\nold"
	for _, c := range []struct {
		name, forward string
		p             Parts
	}{
		{"Gmail", "---------- Forwarded message ---------\n" + fields, Split("Look\n\n---------- Forwarded message ---------\n" + fields)},
		{"Apple", "Begin forwarded message:\n\n" + fields, Split("Look\n\nBegin forwarded message:\n\n" + fields)},
		{"Apple, quoted", "> Begin forwarded message:\n>\n> From: Ada <ada@example.org>\n> Subject: x\n>\n> old", Split("Look\n\n> Begin forwarded message:\n>\n> From: Ada <ada@example.org>\n> Subject: x\n>\n> old")},
		{"HTML", "---------- Forwarded message ---------\nFrom: Ada <ada@example.org>\nold", SplitHTML("<div>Look</div><div class=gmail_quote>---------- Forwarded message ---------<br>From: Ada &lt;ada@example.org&gt;<br>old</div>")},
		{"Thunderbird", "old", SplitHTML("<p>Look</p><div class=moz-forward-container>old</div>")},
		{"answered", "", Split("Look\n\n-----Original Message-----\n" + fields)},
	} {
		if c.p.Own != "Look" || c.p.Forward != c.forward {
			t.Errorf("%s: own %q, forward %q, want %q", c.name, c.p.Own, c.p.Forward, c.forward)
		}
	}
}

func manyLinks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("https://example.org/" + strings.Repeat("a", i+1) + " ")
	}
	return b.String()
}
