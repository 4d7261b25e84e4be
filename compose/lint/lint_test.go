package lint

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"galley/compose/markdown"
	"galley/templates"
)

const leave = "https://galley.invalid/unsubscribe"

// enough is prose that no check minds, so that a draft is not called short.
var enough = strings.Repeat("Plain words of an essay that nobody needs to look at twice. ", 6) + "\n\nSee [the plan](https://plan.example/).\n"

// input renders a body as an issue and gives it a frame without faults.
func input(t *testing.T, body string) Input {
	t.Helper()
	draft := markdown.Read(markdown.Source{Text: []byte("---\ntitle: \"#7 - 3 May 2026\"\nsubtitle: \"A plan; a boat; the harbour in winter\"\ndate: 2026-05-03\n---\n\n" + enough + "\n" + body), Exact: true})
	doc, _, err := markdown.Parse(context.Background(), draft)
	if err != nil {
		t.Fatal(err)
	}
	return Input{
		Doc: doc, Draft: draft,
		HTML: []byte(string(doc.HTML("mail")) + leave), Text: []byte(string(doc.Text("mail")) + leave),
		Subject: "#7 - 3 May 2026", Preheader: "A plan; a boat; the harbour in winter",
		Unsubscribe: leave, ReplyTo: "news@harbour.example",
		Sections: []string{"Managing Teams", "Random", "Rent"}, Aliases: []string{"Rents"},
		Web: doc.HTML("web"), Number: 7, Next: 7, Written: time.Date(2026, 5, 1, 23, 0, 0, 0, time.UTC),
		Picture: func(u string) (Picture, bool) {
			p, ok := map[string]Picture{
				"https://a.example/wide.png": {Width: 3000, Bytes: 90_000}, "https://a.example/heavy.png": {Width: 600, Bytes: 3_000_000},
				"https://a.example/good.png": {Width: 1400, Bytes: 1 << 20},
			}[u]
			return p, ok
		},
		Published: func(u string) (int, bool) {
			return 3, u == "https://old.example/"
		},
	}
}

func codes(found []markdown.Finding) []string {
	var all []string
	for _, f := range found {
		all = append(all, fmt.Sprintf("%s:%d", f.Code, f.Line))
	}
	return all
}

// Each finding is shown by one draft and stays silent on its near relative. The
// body begins in line 11 of the draft.
func TestDrafts(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"plain", "Nothing to say.", ""},
		{"http", "[x](http://a.example/)", "http-link:11"},
		{"https", "[x](https://a.example/)", ""},
		{"no link text", "[](https://a.example/)", "empty-link:11"},
		{"tracking", "[x](https://a.example/?utm_source=y&b=1)", "tracking:11"},
		{"no tracking", "[x](https://a.example/?s=20&t=6E)", ""},
		{"fragment", "[x](#nowhere)", "unknown-fragment:11"},
		{"known fragment", "### Now here\n\n[x](#now-here)", ""},
		{"published", "[Old](https://OLD.example#top) - Ann", "already-published:11"},
		{"published in passing", "As [before](https://old.example) we saw.", ""},
		{"linked twice", "[A](https://a.example/) - Ann\n\n[B](https://a.example/?utm_x=1) - Bo", "linked-twice:13 tracking:13"},
		{"no alt", "![](https://a.example/x.png)", "missing-alt:11"},
		{"file name", "![IMG_2041.jpeg](https://a.example/x.png)", "alt-is-file-name:11"},
		{"alt", "![A boat at the quay](https://a.example/x.png)", ""},
		{"TK", "It has TK members.", "placeholder:11"},
		{"TODO note", "TODO: ask Bo", "placeholder:11"},
		{"TODO in brackets", "The date is [TBD].", "placeholder:11"},
		{"filler in a link", "With [lorem ipsum](https://a.example/) and [FIXME](https://b.example/) tags.", "placeholder:11"},
		{"filler", "Lorem ipsum dolor.", "placeholder:11"},
		{"TODO as a word", "They keep a TODO list, and Tk is a toolkit.", ""},
		{"TODO in code", "Run `grep TODO: TK` on it.\n\n```\nTODO: this\n```", ""},
		{"TK in a target", "[x](https://a.example/TK)", ""},
		{"bracket", "A tool (!?) [PDF link]", "bracket-text:11"},
		{"kind of a link", "[video] [Boats](https://a.example/)\n\n[Quays](https://b.example/) [PDF]", ""},
		{"kind without a link", "There is a [video] of it.", "bracket-text:11"},
		{"bracket remark", "“He [the chair] said [listen here and look at the paper now].”", ""},
		{"bracket defined", "A [video] of it.\n\n[video]: https://a.example/", ""},
		{"image after quote", "> said the crew.\n![A boat](https://a.example/x.png)", "image-after-quote:12"},
		{"image apart", "> said the crew.\n\n![A boat](https://a.example/x.png)", ""},
		{"wrong closing quote", "The terms “strategy” and “tactics“ confuse.", "unbalanced-quotes:11"},
		{"quote never closed", "He said “so be it.\n\nThen he left.", "unbalanced-quotes:11"},
		{"quote over paragraphs", "He said “so be it.\n\n“And then go.”", ""},
		{"german quotes", "Er sagte „so sei es“ und ging.", ""},
		{"empty section", "### One\n\n----------\n\n### Two\n\nText.", "empty-section:11"},
		{"section with sub-section", "### One\n\n#### Sub\n\nText.", ""},
		{"misspelt section", "## Managing Taems\n\nText.", "section-name:11"},
		{"short section is another one", "## Rant\n\nText.", "section-new:11"},
		{"section in other letters", "## managing teams\n\nText.", ""},
		{"another section", "## Managing Boats in Winter\n\nText.", "section-new:11"},
		{"sign-off", "## Managing Teams\n\n[x](https://a.example/) - Ann\n\n## That is all\n\nText.", ""},
		{"alias of a section", "## Rents\n\nText.", ""},
		{"lower heading", "### Boats in Winter\n\nText.", ""},
		{"shortener", "[x](https://bit.ly/3x)", "shortener:11"},
		{"no shortener", "[x](https://doi.org/10.1/x) and [y](https://orbit.ly.example/)", ""},
		{"relative link", "[x](issues/0128)", "relative-link:11"},
		{"no relative link", "[x](mailto:bo@plan.example), [y](#top-of-it)\n\n<a name=\"top-of-it\"></a>", ""},
		{"wide image", "![A boat](https://a.example/wide.png)", "image-wide:11"},
		{"heavy image", "![A boat](https://a.example/heavy.png)", "image-heavy:11"},
		{"image of a good size", "![A boat](https://a.example/good.png)", ""},
		{"setext slip", "The harbour office closes at four on Fridays from now on.\n------------------------------------------------------------", "section-new:11 setext:11"},
		{"setext slip of equals", "The harbour office closes at four on Fridays from now on.\n===", "setext:11"},
		{"setext sign-off", "## That’s it...\n\nText.\n\nThat’s it...\n------------", "section-new:11 section-new:15"},
		{"setext heading", "The Harbour Office\n===", ""},
		{"wrong weekday", "Come on Monday, 4 May 2026, or on Monday 5 May 2026.", "weekday:11"},
		{"wrong weekday without a year", "The quay opens on Tue July 5.", "weekday:11"},
		{"right weekday of next year", "See you on Mon, 4 January!", ""},
		{"right weekday", "Come on Monday 4 May or on May 5.", ""},
		{"no such day", "We meet on Sunday 31 June 2026.", "weekday:11"},
		{"wrong weekday in a quote", "> Come on Monday 5 May 2026.", ""},
		{"spam", "Act now! The berths are few.", "spam-words:11"},
		{"spam in a quote", "> Act now! The berths are few.", ""},
		{"no spam", "A free tool that acts now and then; the winner gets a boat.", ""},
		{"attached", "Please find attached the plan.", "attached-nothing:11"},
		{"attached file", "The attached file shows it.", "attached-nothing:11"},
		{"attached to a boat", "The rope is attached to the quay, and we are attached to it.", ""},
		{"hit reply", "If you know one, just hit reply.", "web-words:11"},
		{"hit reply in the mail only", "<div class=\"email-only\">\n\nIf you know one, just hit reply.\n\n</div>", ""},
		{"reply", "The harbour master did not reply to this question.", ""},
		{"TIFF picture", "![A boat](https://a.example/boat.tiff)", "not-shown:11"},
		{"own address misspelt", "Write to nwes@harbour.example!", "own-address:11"},
		{"own domain misspelt", "Write to ann@harbuor.example!", "own-address:11"},
		{"own address", "Write to news@harbour.example or bo@plan.example!", ""},
		{"in a comment", "<!-- TODO: TK\n[PDF] -->\nText.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := codes(Check(input(t, c.body)))
			slices.Sort(found)
			if got := strings.Join(found, " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// These faults are of the issue as a whole.
func TestFrame(t *testing.T) {
	for _, c := range []struct {
		name, want string
		spoil      func(*Input)
	}{
		{"fine", "", func(in *Input) {}},
		{"no subject", "subject-missing:1", func(in *Input) { in.Subject = " " }},
		{"long subject", "subject-long:1", func(in *Input) { in.Subject = strings.Repeat("boat ", 40) }},
		{"shouting", "subject-shouting:1", func(in *Input) { in.Subject = "READ THIS NOW" }},
		{"no shouting", "", func(in *Input) { in.Subject = "#7 HPC" }},
		{"spam in the subject", "spam-words:1", func(in *Input) { in.Subject = "Berths for free!!!" }},
		{"one exclamation", "", func(in *Input) { in.Subject = "The quay is open!" }},
		{"title of another day", "date-title:1", func(in *Input) { in.Doc.Front.Title = "#7 - 2 May 2026" }},
		{"title with no-break space", "date-title:1", func(in *Input) { in.Doc.Front.Title = "#7 - 2\u00a0May 2026" }},
		{"title the American way", "", func(in *Input) { in.Doc.Front.Title = "#7 - May 3rd, 2026" }},
		{"weekday in the title", "weekday:1", func(in *Input) { in.Doc.Front.Title = "#7 - Saturday 3 May 2026" }},
		{"year not turned", "date-title:1 date-far:1", func(in *Input) { in.Doc.Front.Date = "2025-05-03" }},
		{"date far ahead", "date-far:1", func(in *Input) { in.Written = time.Date(2026, 2, 1, 9, 0, 0, 0, time.UTC) }},
		{"date a month ahead", "", func(in *Input) { in.Written = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC) }},
		{"written when unknown", "", func(in *Input) { in.Written = time.Time{} }},
		{"number not the next", "number-not-next:1", func(in *Input) { in.Number = 8 }},
		{"first issue that we know", "", func(in *Input) { in.Number, in.Next = 129, 1 }},
		{"no preheader", "preheader-missing:1", func(in *Input) { in.Preheader = "" }},
		{"preheader repeats", "preheader-repeats:1", func(in *Input) { in.Preheader = in.Subject }},
		{"long preheader", "preheader-long:1", func(in *Input) { in.Preheader = strings.Repeat("boat ", 30) }},
		{"no way to leave", "unsubscribe-missing:0", func(in *Input) { in.HTML = []byte("<p>x") }},
		{"no way to leave the text", "unsubscribe-missing:0", func(in *Input) { in.Text = nil }},
		{"late", "unsubscribe-late:0 nearly-too-big:0", func(in *Input) { in.HTML = []byte(strings.Repeat("x", 95_000) + leave) }},
		{"empty", "short:0 no-links:0", func(in *Input) { in.Doc = &markdown.Document{} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t, "")
			c.spoil(&in)
			if got := strings.Join(codes(Check(in)), " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// trust.md bar 8: an issue of 150 KB is refused with its figure and the worst
// sections named.
func TestTooBig(t *testing.T) {
	var body strings.Builder
	for i, kilobytes := range []int{5, 90, 12, 43} {
		fmt.Fprintf(&body, "## Section %c\n\n%s\n\n", 'A'+i, strings.Repeat("a & b & c & d\n\n", kilobytes*1000/27))
	}
	in := input(t, body.String())
	found := Check(in)
	if len(found) == 0 || found[0].Code != "unsubscribe-late" && found[0].Code != "too-big" {
		t.Fatal(found)
	}
	f := found[slices.IndexFunc(found, func(f markdown.Finding) bool { return f.Code == "too-big" })]
	if !Final(f) || f.Level != markdown.Error {
		t.Error("too-big does not keep the issue back")
	}
	message, _ := say(t, f)
	if figure := templates.Thousands(len(in.HTML)); !strings.Contains(message, figure) || len(in.HTML) < 140_000 {
		t.Errorf("%s is not named in %q", figure, message)
	}
	b, d, c := strings.Index(message, "“Section B”"), strings.Index(message, "“Section D”"), strings.Index(message, "“Section C”")
	if b < 0 || d < b || c < d || strings.Contains(message, "“Section A”") {
		t.Errorf("wrong sections named: %q", message)
	}
}

func TestOrder(t *testing.T) {
	found := Check(input(t, "[x](http://a.example/)\n\nTK\n\n[y](http://b.example/?utm_a=b)"))
	if got := strings.Join(codes(found), " "); got != "placeholder:13 http-link:11 http-link:15 tracking:15" {
		t.Error(got)
	}
}

func TestMeasure(t *testing.T) {
	in := input(t, "![A boat](https://a.example/x.png)")
	s := Measure(in)
	if s.HTML != len(in.HTML) || s.Text != len(in.Text) || s.Links != 1 || s.Images != 1 || s.Words < 50 || s.Unsubscribe != len(in.HTML)-len(leave) {
		t.Errorf("%+v", s)
	}
	if none := Measure(Input{}); none.Unsubscribe != -1 {
		t.Errorf("%+v", none)
	}
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{" https://A.Example ", "https://a.example/"},
		{"HTTPS://a.example:443/x", "https://a.example/x"},
		{"http://a.example:80", "http://a.example/"},
		{"http://a.example:8080/", "http://a.example:8080/"},
		{"https://a.example./p", "https://a.example/p"},
		{"https://BÜCHER.example/Ü", "https://xn--bcher-kva.example/%C3%9C"},
		{"https://a.example/p?utm_source=x&b=2&fbclid=1&a=1", "https://a.example/p?b=2&a=1"},
		{"https://a.example/p?utm_source=x", "https://a.example/p"},
		{"https://a.example/p?MC_CID=1#top", "https://a.example/p"},
		{"https://a.example/a%2Fb?x=%7e", "https://a.example/a%2Fb?x=%7e"},
		{"https://a.example/Path/", "https://a.example/Path/"},
		{"https://a.example/#!/page", "https://a.example/#!/page"},
		{"https://a.example/p#:~:text=boat", "https://a.example/p#:~:text=boat"},
		{"https://a.example/p#part", "https://a.example/p"},
		{"https://[2001:DB8::1]:443/", "https://[2001:db8::1]/"},
		{"https://twitter.example/s?s=20&t=6E", "https://twitter.example/s?s=20&t=6E"},
		{"mailto:Ann@a.example", "mailto:Ann@a.example"},
		{"#part", "#part"}, {"/p", "/p"}, {"", ""}, {"http://", "http://"}, {"https://a b/", "https://a b/"},
	} {
		if got := Canonical(c.in); got != c.want {
			t.Errorf("Canonical(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// Every phrase has one of the parts by which lines are chosen.
func TestParts(t *testing.T) {
	for _, words := range []string{"Act now!", "buy now", "order now", "call now", "limited time offer", "offer expires", "while supplies last", "100% free", "risk-free trial",
		"no obligation", "no strings attached", "no hidden fees", "money back guarantee", "satisfaction guaranteed", "make money fast", "earn cash online", "work from home and earn",
		"double your income", "extra cash", "free money", "cash bonus", "you've won", "you have been selected", "you are a winner", "congratulations, you", "claim your prize",
		"once in a lifetime", "lowest special promotion", "increase sales", "click here now!", "this isn't spam", "dear friend, x", "no credit check", "pre-approved", "weight loss"} {
		if !junk.MatchString(words+" x") || !holds(strings.ToLower(words), junkParts) {
			t.Errorf("%q is not found", words)
		}
	}
	for _, words := range []string{"hit reply", "click reply", "reply to this email", "by replying to this mail", "forward this email", "in your inbox", "unsubscribe below",
		"at the bottom of this email", "view this online", "read it in your browser", "read it on the web", "in this e-mail"} {
		if !mailWords.MatchString(words+" x") || !holds(words, mailParts) {
			t.Errorf("%q is not found", words)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add("https://A.example:443/?utm_a=b&c#x")
	f.Add("http://[::1%25eth0]/#!")
	f.Add("http://A..?00\x8a0?")
	f.Fuzz(func(t *testing.T, raw string) {
		once := Canonical(raw)
		if twice := Canonical(once); twice != once {
			t.Errorf("%q gives %q and then %q", raw, once, twice)
		}
	})
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("## A\n\n[PDF] “x“ TK <!-- \n``` \n[a]: b\n![x.png](http://é) a@b.example"))
	f.Fuzz(func(t *testing.T, body []byte) {
		draft := markdown.Read(markdown.Source{Text: body})
		doc, _, err := markdown.Parse(context.Background(), draft)
		if err != nil {
			return
		}
		for _, found := range Check(Input{Doc: doc, Draft: draft, HTML: doc.HTML("mail"), ReplyTo: "a@b.example", Sections: []string{"A"}}) {
			if message, remedy := say(t, found); found.Code == "" || message == "" || remedy == "" {
				t.Errorf("an incomplete finding: %+v", found)
			}
		}
	})
}

// What a mail's HTML does to a reader is shown by small mails of their own.
func TestLooks(t *testing.T) {
	for _, c := range []struct{ name, html, want string }{
		{"plain", `<p>x`, ""},
		{"grey on white", `<p style="color:#999">x`, "contrast"},
		{"grey on nothing", `<p style="color:#999"></p>`, ""},
		{"grey but hidden", `<p style="color:#999;display:none">x`, ""},
		{"grey and large", `<p style="color:#888;font-size:24px">x`, ""},
		{"white on blue", `<table bgcolor="navy"><tr><td><font color="white">x</font></td></tr></table>`, ""},
		{"white on a picture", `<div style="background:url(x.png)"><p style="color:#fff">x`, ""},
		{"inherited", `<div style="background:#222222"><p style="color:#24282c">x`, "contrast"},
		{"dark forgotten", `<style>@media (prefers-color-scheme:dark){.paper{background:#181b1e!important}}</style><div class="paper" style="background:#fff;color:#24282c">x`, "contrast"},
		{"dark done", `<style>@media (prefers-color-scheme:dark){.paper{background:#181b1e!important;color:#d6dade!important}}</style><div class="paper" style="background:#fff;color:#24282c">x`, ""},
		{"video", `<video src="x.mp4">`, "not-shown"},
		{"grid", `<div style="display:grid;grid-template:none">x`, "not-shown"},
		{"variable", `<p style="width:var(--w)">x`, "not-shown"},
		{"max-width", `<p style="max-width:10px">x`, ""},
		{"decoration", `<p style="text-shadow:1px 1px;letter-spacing:1px">x`, ""},
		{"import", `<style>@import "x.css";</style>`, "not-shown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t, "")
			in.HTML = []byte(c.html + leave)
			var got []string
			for _, f := range Check(in) {
				if f.Code != "unknown-fragment" {
					got = append(got, f.Code)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestPlaceholderLevels checks that a name that a link has does not stop an
// approval, and that a note to oneself does.
func TestPlaceholderLevels(t *testing.T) {
	for body, want := range map[string]markdown.Level{
		"With [lorem ipsum](https://a.example/) in it.":     markdown.Warning,
		"With [[Insert a pun here]](https://a.example/).":   markdown.Warning,
		"They sell boats at TK Maxx, too.":                  markdown.Warning,
		"They sell TK boats at Maxx.":                       markdown.Error,
		"With [a link](https://a.example/) and Lorem ipsum": markdown.Error,
		"Lorem ipsum and [a link](https://a.example/)":      markdown.Error,
	} {
		at := slices.IndexFunc(Check(input(t, body)), func(f markdown.Finding) bool { return f.Code == "placeholder" && f.Level == want })
		if at < 0 {
			t.Errorf("%s: no placeholder of level %s", body, want)
		}
	}
}
