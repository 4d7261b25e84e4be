package markdown

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestFrontDamages(t *testing.T) {
	const body = "\n\nHello, this is the text.\n"
	tests := map[string]string{
		"clean":               "---\ntitle: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\ndate: 2022-07-09\n---",
		"byte order mark":     "\ufeff---\ntitle: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\ndate: 2022-07-09\n---",
		"crlf":                "---\r\ntitle: \"#129 - 9 Jul 2022\"\r\nsubtitle: \"A; B: c\"\r\ndate: 2022-07-09\r\n---\r\n",
		"blank lines first":   "\n\u00a0\n\n---\ntitle: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\ndate: 2022-07-09\n---",
		"blank lines inside":  "---\n\ntitle: \"#129 - 9 Jul 2022\"\n\nsubtitle: \"A; B: c\"\n\ndate: 2022-07-09\n\n---",
		"fence with a space":  "--- \ntitle: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\ndate: 2022-07-09\n---  ",
		"fences to em dashes": "—\ntitle: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\ndate: 2022-07-09\n—",
		"fences half smart":   "—-\ntitle: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\ndate: 2022-07-09\n–-",
		"curly quotes":        "---\ntitle: “#129 - 9 Jul 2022”\nsubtitle: “A; B: c”\ndate: 2022-07-09\n---",
		"no-break spaces":     "---\ntitle:\u00a0\"#129 - 9 Jul 2022\"\n\u00a0subtitle: \"A; B: c\"\ndate: 2022-07-09\n---",
		"phone":               "—-\nTitle: “#129 - 9 Jul 2022”\nSubtitle: “A; B: c”\nDate: 2022-07-09\n—-",
		"no quotes":           "---\ntitle: #129 - 9 Jul 2022\nsubtitle: A; B: c\ndate: 2022-07-09\n---",
		"no closing fence":    "---\ntitle: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\ndate: 2022-07-09\n",
		"key twice":           "---\ntitle: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\ntitle: \"other\"\ndate: 2022-07-09\n---",
		"anchor":              "---\ntitle: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\nx: *al\ny: &b c\ndate: 2022-07-09\n---",
		"tabs":                "---\ntitle:\t\"#129 - 9 Jul 2022\"\nsubtitle:\t\"A; B: c\"\ndate:\t2022-07-09\n---",
		"wrapped":             "---\ntitle: \"#129 - 9\nJul 2022\"\nsubtitle: \"A;\nB: c\"\ndate:\n2022-07-09\n---",
		"date in words":       "---\ntitle: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\ndate: 9 Jul 2022\n---",
		"date with a time":    "---\ntitle: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\ndate: 2022-07-09 22:00:00 +0200\n---",
		"toml":                "+++\ntitle = \"#129 - 9 Jul 2022\"\nsubtitle = \"A; B: c\"\ndate = 2022-07-09\n+++",
		"toml, broken":        "+++\ntitle = \"#129 - 9 Jul 2022\"\nsubtitle = “A; B: c”\ndate = 2022-07-09\n+++",
		"plain head":          "Title: #129 - 9 Jul 2022\nSubtitle: A; B: c\nDate: 2022-07-09",
		"closing fence only":  "title: \"#129 - 9 Jul 2022\"\nsubtitle: \"A; B: c\"\ndate: 2022-07-09\n---",
		"quoted":              "> ---\n> title: \"#129 - 9 Jul 2022\"\n> subtitle: \"A; B: c\"\n> date: 2022-07-09\n> ---\n>\n> Hello, this is the text.",
	}
	for name, head := range tests {
		text := head + body
		if name == "quoted" {
			text = head + "\n"
		}
		d := Read(Source{Text: []byte(text), Subject: "the Subject", Date: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
		if d.Front.Title != "#129 - 9 Jul 2022" || d.Front.Subtitle != "A; B: c" || d.Front.Date != "2022-07-09" {
			t.Errorf("%s: title %q, subtitle %q, date %q", name, d.Front.Title, d.Front.Subtitle, d.Front.Date)
		}
		if string(d.Body) != "Hello, this is the text.\n" {
			t.Errorf("%s: body %q", name, d.Body)
		}
		fixedPoint(t, name, Source{Text: []byte(text)})
	}
}

func TestFrontKeys(t *testing.T) {
	d := Read(Source{Text: []byte("---\ntitle: x\nissue: \"#130\"\nhero_img: and expertise, in the form of people) which …png\ntags: [a, \"b c\"]\ndraft: true\nreply-to: ada@quay.example\npermalink: /x/\nextra:\n  deep: [1, two]\ndate: soon\n---\ntext\n")})
	f := d.Front
	if f.Issue != 130 || f.HeroImg != "" || len(f.Tags) != 2 || f.Tags[1] != "b c" || !f.Draft || f.ReplyTo != "ada@quay.example" {
		t.Errorf("front matter %+v", f)
	}
	if f.Other["permalink"] != "/x/" || f.Other["extra"] != `{"deep":["1","two"]}` {
		t.Errorf("unknown keys %v", f.Other)
	}
	want := map[string]int{"front-hero": 4, "front-date": 11, "front-unknown": 8}
	for code, line := range want {
		if got := findLine(d.Findings, code); got != line {
			t.Errorf("%s is told at line %d, want %d", code, got, line)
		}
	}
}

func findLine(fs []Finding, code string) int {
	for _, f := range fs {
		if f.Code == code {
			return f.Line
		}
	}
	return 0
}

// TestFrontWrappedURL has an address on a line of its own: it is no key.
func TestFrontWrappedURL(t *testing.T) {
	d := Read(Source{Text: []byte("---\ntitle: a: b\nhero-img:\nhttps://img.example.org/a-long-name-of-a-picture.png\ndate: 2026-03-06\n---\ntext\n")})
	if d.Front.HeroImg != "https://img.example.org/a-long-name-of-a-picture.png" || d.Front.Title != "a: b" || len(d.Front.Other) != 0 {
		t.Errorf("front matter %+v", d.Front)
	}
}

// TestFrontCut cuts a folded value and an address: neither the mark of the value
// nor half an address may be all that is left of them.
func TestFrontCut(t *testing.T) {
	d := Read(Source{Text: []byte("---\ntitle: x\npreheader: >\n  One thing and another; and more of\nthe same\nhero-img:\nhttps://a.example/the-long-\nname-of-a.png\n---\n\nText\n")})
	if d.Front.Preheader != "One thing and another; and more of the same" || d.Front.HeroImg != "https://a.example/the-long-name-of-a.png" {
		t.Errorf("preheader %q, hero image %q", d.Front.Preheader, d.Front.HeroImg)
	}
}

func TestFrontNone(t *testing.T) {
	for text, title := range map[string]string{
		"Hello\n\nNote: this is a letter.\n":             "The week",
		"Note: this is a letter.\n\nMore.\n":             "The week",
		"----------\n\nA rule first.\n":                  "The week",
		"---\n\nJust a rule: and text\n\n---\n\nMore.\n": "The week",
	} {
		d := Read(Source{Text: []byte(text), Subject: "Re: Fwd: The week", Date: time.Date(2026, 3, 7, 23, 0, 0, 0, time.UTC)})
		if d.Front.Title != title || d.Front.Date != "2026-03-07" {
			t.Errorf("%q: title %q, date %q", text, d.Front.Title, d.Front.Date)
		}
		if len(d.Body) < len(strings.TrimSpace(text))-4 {
			t.Errorf("%q: only %q is left", text, d.Body)
		}
	}
}

func TestHostileTitle(t *testing.T) {
	d := Read(Source{Text: []byte("---\ntitle: \"#1\\r\\nBcc: eve@example.org\\0\\x85\"\n---\nx\n")})
	if strings.ContainsAny(d.Front.Title, "\r\n\x00\u0085") {
		t.Errorf("title %q", d.Front.Title)
	}
}

func TestAliasBombAndSize(t *testing.T) {
	bomb := "---\na: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b]\ntitle: kept\n---\ntext\n"
	if d := Read(Source{Text: []byte(bomb)}); d.Front.Title != "kept" {
		t.Errorf("title %q", d.Front.Title)
	}
	big := "---\ntitle: kept\nx: \"" + strings.Repeat("y", 20<<10) + "\"\n---\ntext\n"
	if d := Read(Source{Text: []byte(big)}); d.Front.Title != "kept" || strings.Contains(d.Front.Title, "y") {
		t.Errorf("title %q", d.Front.Title)
	}
}

func TestBudgets(t *testing.T) {
	for name, body := range map[string]string{
		"bytes":    strings.Repeat("word ", 30000),
		"brackets": strings.Repeat("[a](b ", 6000),
		"quotes":   strings.Repeat(">", 200) + " deep",
		"lists":    strings.Repeat("- ", 200) + "deep",
		"indent":   "- a\n" + strings.Repeat(" ", 400) + "- deep",
	} {
		_, _, err := Parse(context.Background(), &Draft{Body: []byte(body), Line: 1})
		if !errors.Is(err, ErrBudget) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Parse(ctx, &Draft{Body: []byte(strings.Repeat("[a](b ", 4000))}); !errors.Is(err, ErrDeadline) {
		t.Errorf("a context that is over: %v", err)
	}
}

// TestBounded reads hostile drafts of the largest size that is let in.
func TestBounded(t *testing.T) {
	line := strings.Repeat("word ", 13) + "[a](b)\n"
	for name, text := range map[string]string{
		"links":     strings.Repeat("[a](b ", 4900),
		"images":    strings.Repeat("![a](b ", 2400),
		"one text":  strings.Repeat(line, 1700),
		"items":     strings.Repeat("[a "+line, 1500),
		"hyphens":   strings.Repeat(strings.Repeat("word ", 13)+"https://a.example/b-\n", 1400),
		"lone":      strings.Repeat(strings.Repeat("word ", 30)+"\n", 800),
		"entries":   strings.Repeat("- "+line, 1600),
		"dashes":    strings.Repeat("—", 40000),
		"rules":     strings.Repeat("a\n---\n", 18000),
		"from":      strings.Repeat(">From x\n", 15000),
		"emphasis":  strings.Repeat("*a **b ", 18000),
		"tags":      strings.Repeat("<b>", 40000),
		"tables":    "|a|\n|-|\n" + strings.Repeat("|b|\n", 30000),
		"fences":    strings.Repeat("```\n", 30000),
		"quotes":    strings.Repeat("> a\n", 30000),
		"footnotes": strings.Repeat("x[^1]\n\n[^1]: y\n\n", 1600),
		"one word":  strings.Repeat("x", 120000),
		"han":       strings.Repeat("\u6587", 40000),
		"spaces":    strings.Repeat(" \n", 60000),
		"no-breaks": strings.Repeat("\u00a0", 60000),
	} {
		start := time.Now()
		d := Read(Source{Text: []byte(text)})
		doc, _, err := Parse(context.Background(), d)
		if err == nil {
			doc.HTML(Mail)
			doc.Text(Mail)
		}
		if took := time.Since(start); took > 15*time.Second {
			t.Errorf("%s: %v (%v)", name, took, err)
		} else {
			t.Logf("%-10s %6d bytes %v %v", name, len(text), took.Round(time.Millisecond), err)
		}
	}
}
