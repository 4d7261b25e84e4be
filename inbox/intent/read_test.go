package intent

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const proofText = "PROOF 3 OF #130: READY\nGoes Saturday 16 July, 09:00 in London, once you approve.\n\nReply with one word:\n  approve\n  hold\n\n## Wind\n\nSeven Masts\nWhat the coast taught us this year about masts and money.\n\n## Sun\n\nLarge roofs"

type editorMail struct {
	Name, Subject, Text, Want, Form, Remark, Nearest, Note, Withheld, Other, Changes, At, Quoted, Fix string
	Paper                                                                                             Paper
	Others                                                                                            bool
	Attach                                                                                            *Attachment
	Words                                                                                             map[string][]string
	Signatures, Links, Args                                                                           []string
	Foot                                                                                              int
}

// marked puts the mark of a quote before every line.
func marked(s string) string { return "> " + strings.ReplaceAll(s, "\n", "\n> ") }

func (e editorMail) mail() Mail {
	head := "\nOn Thu, Jul 14, 2022 at 6:02 PM Desk <news@grid.example> wrote:\n"
	text := e.Text
	if e.Fix != "" {
		text = strings.ReplaceAll(text, "k7qf3m2xw9da4hzt6npr5cvbye", e.Fix)
	}
	changed := strings.Replace(proofText, "Seven Masts", "Seven or eight Masts", 1)
	text = strings.NewReplacer("«q»", head+marked(proofText), "«Q»", head+marked(changed), "«p»", proofText, "«m»", marked(proofText)).Replace(text)
	m := Mail{Subject: e.Subject, Text: text, Reply: e.Paper != PaperNone, Paper: e.Paper, Current: true, ToOthers: e.Others, Names: []string{"Marlene Okafor"},
		Signatures: e.Signatures, Words: e.Words, Quoted: e.Quoted, Now: thursday(), Zone: thursday().Location()}
	if m.Quoted == "" && m.Reply && m.Paper != PaperStarter {
		m.Quoted = proofText
	}
	if m.Subject == "" && m.Reply {
		m.Subject = "Re: Proof 3 of #130: ready"
	}
	if e.Attach != nil {
		m.Attachments = []Attachment{*e.Attach}
	}
	return m
}

// TestEditorMails reads the examples of testdata/editor.jsonl.
func TestEditorMails(t *testing.T) { readAll(t, "testdata/editor.jsonl") }

// TestOddMails reads those of testdata/odd.jsonl: words with conditions, typing
// errors, second thoughts, programs of other languages, forwards.
func TestOddMails(t *testing.T) { readAll(t, "testdata/odd.jsonl") }

func readAll(t *testing.T, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for sc := bufio.NewScanner(f); sc.Scan(); n++ {
		var e editorMail
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
		t.Run(e.Name, func(t *testing.T) { e.check(t, Read(e.mail())) })
	}
	t.Logf("%d mails of editors", n)
}

func (e editorMail) check(t *testing.T, r Reading) {
	got := string(r.Kind)
	if (r.Kind == KindCommands || r.Kind == KindHold) && len(r.Commands) > 0 {
		got = string(r.Commands[0].Word)
	}
	if got != e.Want {
		t.Fatalf("%s, want %s: %+v", got, e.Want, r)
	}
	e.checkDraft(t, r)
	if e.At != "" && r.Commands[0].At.In(thursday().Location()).Format("2006-01-02 15:04") != e.At {
		t.Errorf("at %v, want %s", r.Commands[0].At, e.At)
	}
	if e.Args != nil && !slices.Equal(r.Commands[0].Args, e.Args) {
		t.Errorf("args %q, want %q", r.Commands[0].Args, e.Args)
	}
	if e.Withheld != "" && (len(r.Withheld) == 0 || string(r.Withheld[0].Word) != e.Withheld) || e.Withheld == "" && len(r.Withheld) > 0 {
		t.Errorf("withheld %v, want %q", r.Withheld, e.Withheld)
	}
	if e.Other != "" && r.Other != e.Other || e.Note != "" && r.Note != e.Note || e.Nearest != "" && r.Nearest != e.Nearest {
		t.Errorf("other %q, note %q, nearest %q", r.Other, r.Note, r.Nearest)
	}
	if len(r.Signature) != e.Foot || !slices.Equal(r.Links, e.Links) {
		t.Errorf("foot %q, links %q", r.Signature, r.Links)
	}
	if e.Changes != "" && (len(r.Changes) != 1 || r.Changes[0].Args[1] != e.Changes) {
		t.Errorf("changes %+v, want %q", r.Changes, e.Changes)
	}
}

func (e editorMail) checkDraft(t *testing.T, r Reading) {
	if e.Form == "" {
		return
	}
	if r.Draft.Form != e.Form || e.Remark != "" && r.Draft.Remark != e.Remark {
		t.Errorf("draft %+v", r.Draft)
	}
	if strings.Contains(r.Draft.Text, "wrote:") || strings.HasPrefix(r.Draft.Text, ">") {
		t.Errorf("the quote is in the draft: %q", r.Draft.Text)
	}
}

// TestNothingBesideRelease: whatever stands beside a word that lets mail out,
// above, below or as a command, keeps it in.
func TestNothingBesideRelease(t *testing.T) {
	for _, release := range []string{"approve", "ok", "send now", "approve anyway", "approve saturday 10:00"} {
		for _, other := range []string{"no", "status", "undo", "title New", "one more thing", "not this one", "ok?", "title?", "https://example.org/x", "but", "1", "hm", "Approve the other", "the Sun piece goes first", "nope, Marlene"} {
			for _, text := range []string{release + "\n" + other, other + "\n" + release, release + "\n\n" + other, release + " " + other, release + ", " + other, other + "\n" + marked(proofText) + "\n" + release, marked(proofText) + "\n\n" + release + "\n" + other} {
				r := Read(Mail{Subject: "Re: Proof", Text: text, Reply: true, Paper: PaperProof, Current: true, Quoted: proofText, Names: []string{"Marlene Okafor"}, Now: thursday(), Zone: thursday().Location()})
				for _, c := range r.Commands {
					if c.Lets {
						t.Errorf("%q lets out by %q", text, c.Line)
					}
				}
			}
		}
	}
}

// TestQuoteChanges: what a mail program does to a quote is no change, what a
// person does is one.
func TestQuoteChanges(t *testing.T) {
	long := strings.Repeat("The coast is long and the wind is free for all of us here. ", 3) + "Only the masts cost money, and the cables under the sea.\n\nA second part speaks of roofs and of the sun above them in summer."
	for _, c := range []struct {
		name, quote string
		changed     bool
	}{
		{"as it was", long, false},
		{"wrapped anew", wrap(long, 40), false},
		{"cut at the end", long[:strings.Index(long, "\n\n")], false},
		{"only the second part", long[strings.Index(long, "\n\n")+2:], false},
		{"marks added", strings.Replace(long, "wind is free", "*wind is free* <https://example.org/>", 1), false},
		{"a word replaced", strings.Replace(long, "cost money", "cost time", 1), true},
		{"a word added", strings.Replace(long, "the cables", "also the cables", 1), true},
		{"a word taken out", strings.Replace(long, "cost money", "cost", 1), true},
		{"a sentence added at the end", long + " And of snow.", true},
	} {
		s := splitMail(Mail{Text: "ok\n\n" + marked(c.quote), Reply: true, Paper: PaperProof})
		if got := changes(Mail{Quoted: long}, s); (len(got) > 0) != c.changed {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func wrap(s string, width int) string {
	var b strings.Builder
	n := 0
	for _, w := range strings.Fields(s) {
		if n += len(w) + 1; n > width {
			b.WriteString("\n")
			n = len(w)
		}
		b.WriteString(w + " ")
	}
	return b.String()
}

func TestLine(t *testing.T) {
	c := Clock{Now: thursday(), Zone: thursday().Location()}
	for _, x := range []struct {
		line, want string
		paper      Paper
	}{
		{"approve", "approve", ""}, {"APPROVE.", "approve", ""}, {"**Approve**", "approve", ""}, {"ok", "", ""}, {"ok", "approve", PaperProof},
		{"approve?", "", PaperProof}, {"test ada@example.org?", "", ""}, {"send", "", ""}, {"send now", "send", ""}, {"send it tomorrow", "send", ""}, {"send it", "", ""},
		{"approve for saturday", "approve", ""}, {"approve this", "", PaperProof}, {"approve the other one", "", PaperProof},
		{"use 214 and 218 in Random", "use", ""}, {"use version 3", "use version", ""}, {"use the first", "", ""},
		{"decline 216", "decline", ""}, {"decline 216, 217b kindly", "decline", ""}, {"Please decline 216 kindly.", "decline", ""}, {"later 216 kindly", "", ""}, {"decline kindly", "", ""}, {"decline 216 in Random", "", ""}, {"credit 222 as Élodie Martin", "credit", ""},
		{"who failed", "who failed", ""}, {"list csv", "list csv", ""}, {"add ada@example.org", "add", ""}, {"add Ada", "", ""},
		{"remove ada@example.org, ben@example.org", "remove", ""}, {"delete \"these words\"", "delete", ""}, {"delete these words", "", ""},
		{"pause", "pause", ""}, {"skip until 10 january", "skip", ""}, {"skip it all", "", ""}, {"undo", "undo", ""}, {"", "", ""}, {"yes", "yes", PaperQuestion},
		{"yesterday", "", PaperQuestion}, {"resume tomorrow", "", ""}, {"title is wrong", "", ""}, {"subtitle Wind; Sun", "subtitle", ""},
	} {
		cmd, ok := Line(x.line, c, x.paper)
		if got := string(cmd.Word); ok != (x.want != "") || got != x.want {
			t.Errorf("%q: %q %v, want %q", x.line, got, ok, x.want)
		}
	}
}

func TestWhen(t *testing.T) {
	zone := thursday().Location()
	c := Clock{Now: thursday(), Zone: zone} // Thursday 14 July 2022, 20:00
	for _, x := range []struct {
		s, want string
		past    bool
	}{
		{"now", "2022-07-14 20:00", false}, {"in 2 hours", "2022-07-14 22:00", false}, {"in a day", "2022-07-15 20:00", false},
		{"tomorrow", "2022-07-15 09:00", false}, {"tomorrow 7:30", "2022-07-15 07:30", false}, {"today 21:00", "2022-07-14 21:00", false},
		{"21:00", "2022-07-14 21:00", false}, {"8:00", "2022-07-14 08:00", true}, {"saturday 9:00", "2022-07-16 09:00", false},
		{"Saturday at 9am", "2022-07-16 09:00", false}, {"9 pm on saturday", "2022-07-16 21:00", false}, {"saturday", "2022-07-16 09:00", false},
		{"thursday 9:00", "2022-07-14 09:00 | 2022-07-21 09:00", true}, {"thursday 21:00", "2022-07-14 21:00", false},
		{"2026-12-05 09:00", "2026-12-05 09:00", false}, {"5 december", "2022-12-05 09:00", false}, {"December 5th, 2026 noon", "2026-12-05 12:00", false},
		{"5 january", "2023-01-05 09:00", false}, {"5 july", "2022-07-05 09:00 | 2023-07-05 09:00", true}, {"16.7. 10:00", "2022-07-16 10:00", false},
		{"05/06 9:00", "2023-05-06 09:00 | 2023-06-05 09:00", false}, {"12/31 9:00", "2022-12-31 09:00", false},
		{"08/09/2022 9:00", "2022-08-09 09:00 | 2022-09-08 09:00", false}, {"next saturday", "2022-07-16 09:00 | 2022-07-23 09:00", false},
		{"september", "2022-09-01 09:00", false}, {"saturday 16 july 10:00", "2022-07-16 10:00", false}, {"2020-01-01 9:00", "2020-01-01 09:00", true},
		{"saturday 17 july 2022", "", false}, {"31 june", "", false}, {"sometime", "", false}, {"saturday 9:00 10:00", "", false}, {"", "", false}, {"25:00", "", false}, {"9", "", false},
	} {
		m, ok := When(x.s, c)
		var got []string
		for _, r := range m.Readings {
			got = append(got, r.In(zone).Format("2006-01-02 15:04"))
		}
		if strings.Join(got, " | ") != x.want || m.Past != x.past || ok != (x.want != "") {
			t.Errorf("%q: %v past %v, want %s", x.s, got, m.Past, x.want)
		}
	}
}

// TestLocalClock: an hour that does not exist is the first instant after the
// gap, one that comes twice is the first.
func TestLocalClock(t *testing.T) {
	for _, x := range []struct{ zone, day, clock, want string }{
		{"Europe/Berlin", "2026-03-29", "2h30m", "2026-03-29T01:00:00Z"}, {"America/New_York", "2026-03-08", "2h30m", "2026-03-08T07:00:00Z"},
		{"America/Santiago", "2026-09-06", "0h30m", "2026-09-06T04:00:00Z"}, {"Europe/Berlin", "2026-10-25", "2h30m", "2026-10-25T00:30:00Z"},
		{"America/New_York", "2026-11-01", "1h30m", "2026-11-01T05:30:00Z"}, {"Australia/Lord_Howe", "2026-10-04", "2h15m", "2026-10-03T15:30:00Z"},
		{"Europe/Berlin", "2026-10-25", "3h30m", "2026-10-25T02:30:00Z"}, {"Asia/Kolkata", "2026-01-01", "9h", "2026-01-01T03:30:00Z"},
	} {
		zone, err := time.LoadLocation(x.zone)
		if err != nil {
			t.Fatal(err)
		}
		day, _ := time.Parse("2006-01-02", x.day)
		clock, _ := time.ParseDuration(x.clock)
		if got := local(day.Year(), day.Month(), day.Day(), clock, zone).UTC().Format(time.RFC3339); got != x.want {
			t.Errorf("%s %s %s: %s, want %s", x.zone, x.day, x.clock, got, x.want)
		}
	}
}

func TestCorrection(t *testing.T) {
	if r := Read(Mail{Subject: "Correction #129", Text: "change \"a b\" to \"a c\""}); r.Correction != 129 || r.Kind != KindCommands {
		t.Errorf("%+v", r)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("Re: Proof", "approve\n\nOn Thu x wrote:\n> a\n> b", "a\nb", "proof", true)
	f.Add("STOP", "", "", "", false)
	f.Add("x", "---\ntitle: a\n---\nb", "", "starter", true)
	f.Fuzz(func(t *testing.T, subject, text, quoted, paper string, reply bool) {
		m := Mail{Subject: subject, Text: text, Reply: reply, Paper: Paper(paper), Quoted: quoted, Names: []string{"Ada Reader"}, Now: thursday(), Zone: thursday().Location(), Open: []Text{{Body: quoted}}}
		r := Read(m)
		lets := 0
		for _, c := range r.Commands {
			if c.Lets {
				lets++
			}
		}
		if lets > 0 && (len(r.Commands) != 1 || r.Kind != KindCommands || r.Note != "" || len(r.Signature) > 0 || len(r.Changes) > 0) {
			t.Errorf("let out beside other words: %+v", r)
		}
		if r.Kind == KindDraft && r.Draft == nil {
			t.Error("a draft without one")
		}
		ReadReader(ReaderMail{Subject: subject, Own: text, Reply: reply, Paper: Paper(paper), OnList: true, Now: thursday()})
	})
}

func FuzzWhen(f *testing.F) {
	for _, s := range []string{"now", "saturday 9:00", "05/06 9:00", "in 2 hours", "31 december 2026", "next friday 9pm"} {
		f.Add(s)
	}
	c := Clock{Now: thursday(), Zone: thursday().Location()}
	f.Fuzz(func(t *testing.T, s string) {
		m, ok := When(s, c)
		if ok && len(m.Readings) == 0 || len(m.Readings) > 4 {
			t.Errorf("%q: %+v", s, m)
		}
		for _, r := range m.Readings {
			if len(m.Readings) == 1 && !m.Past && r.Before(c.Now) {
				t.Errorf("%q: %v has passed", s, r)
			}
		}
	})
}

// TestLargeMails: a megabyte of anything costs the processor little.
func TestLargeMails(t *testing.T) {
	size, bound := 1<<20, 2*time.Second
	if raceDetector { // it costs up to twenty times
		size = 1 << 15
		bound *= 20
	}
	for _, unit := range []string{"> a b c d e f\n", "On 1 Jan x <a@b.example> said\n", "> x\nno\n", "change \"a\n", "From: a\nTo: b\n", "https://a.example/((((\n", "Hi Ada Ben Cyd,\n", "a b c ", "---\ntitle: x\n"} {
		text := strings.Repeat(unit, size/len(unit))
		before := processorTime(t)
		m := Mail{Text: text, Reply: true, Paper: PaperProof, Quoted: strings.Repeat("a b c d e f g ", 4000), Open: []Text{{Body: proofText}}, Now: thursday(), Zone: thursday().Location()}
		Read(m)
		ReadReader(ReaderMail{Own: text, OnList: true, Now: thursday()})
		if took := processorTime(t) - before; took > bound {
			t.Errorf("%q: %v", unit, took)
		} else {
			t.Logf("%q: %v", unit, took.Round(time.Millisecond))
		}
	}
}

// processorTime is what this process has used: a busy machine is not the
// mail's fault.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
