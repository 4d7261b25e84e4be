package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
)

// The tables of example mails are played through the whole house: each row is
// a short story that begins in one of the scenes of its file ("in: a proof
// waits"), and ends as every story does, with no mail passed over.

// TestEditorMails plays the table of an editor's mails.
func TestEditorMails(t *testing.T) { playTable(t, "editor-mails.txtar", 44) }

// TestReaderMails plays the table of readers' mails.
func TestReaderMails(t *testing.T) { playTable(t, "reader-mails.txtar", 19) }

var rowName = regexp.MustCompile(`^r?\d+\w*$`)

func playTable(t *testing.T, name string, want int) {
	archive, err := txtar.ParseFile("testdata/tables/" + name)
	if err != nil {
		t.Fatal(err)
	}
	scenes := map[string]string{}
	var rows []txtar.File
	for _, f := range archive.Files {
		if first, _, _ := strings.Cut(f.Name, " "); rowName.MatchString(first) {
			rows = append(rows, f)
		} else {
			scenes[f.Name] = string(f.Data)
		}
	}
	var right, played atomic.Int64
	t.Run("row", func(t *testing.T) {
		for n, f := range rows {
			if (testing.Short() || raceDetector) && n%4 != 0 { // a sample, for the race detector is slow
				continue
			}
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				played.Add(1)
				synctest.Test(t, func(t *testing.T) { tell(t, row(string(f.Data), scenes)) })
				if !t.Failed() {
					right.Add(1)
				}
			})
		}
	})
	numbers := map[string]bool{}
	for _, f := range rows {
		numbers[rowNumber(f.Name)] = true
	}
	t.Logf("%s: %d of %d stories of %d rows", name, right.Load(), played.Load(), len(numbers))
	if len(numbers) != want {
		t.Errorf("%s has %d rows of %d", name, len(numbers), want)
	}
}

// rowNumber is 10 of "10b the same in other words": a row may have several
// stories.
func rowNumber(name string) string {
	return regexp.MustCompile(`^r?\d+`).FindString(name)
}

// row puts a row behind its scene, and the scenes' texts beside it.
func row(text string, scenes map[string]string) *txtar.Archive {
	a := &txtar.Archive{}
	for name, data := range scenes {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(data)})
	}
	for line := range strings.Lines(text) {
		if scene, ok := strings.CutPrefix(strings.TrimSpace(line), "in: "); ok {
			line = scenes[scene]
		}
		a.Comment = append(a.Comment, line...)
	}
	return a
}

// tableVerbs are the forms of lines that the tables need beside the stories'.
var tableVerbs = []verb{
	given(`no reminders`, func(s *story, _ []string) { s.plan.slot, _, _ = strings.Cut(s.plan.slot, "remind") }),
	given(`words\.(\w+) = (.+)`, func(s *story, w []string) { s.plan.words = append(s.plan.words, fmt.Sprintf("%s = [%q]", w[0], w[1])) }),
	given(`(\w+) is on the list`, func(s *story, w []string) { s.plan.listed = append(s.plan.listed, w[0]) }),
	on(`(\w+) answers "([^"]*)" in full: (.*)`, (*story).answersInFull),
	on(`(\w+) answers (\w+)'s "([^"]*)" in full: (.*)`, (*story).strangerInFull),
	on(`(\w+) writes with Subject ([^:]+): ?(.*)`, (*story).writesAbout),
	on(`(\w+) writes to (\w+) with a copy to the newsletter: (.+)`, (*story).writesToOthers),
	on(`(\w+) mails (\S+) as text written (.+)`, (*story).mailsLate),
	on(`(\w+) forwards (#\d+) to the newsletter: (.*)`, (*story).forwardsCopy),
	on(`(\w+) forwards (\S+) to the newsletter: (.*)`, (*story).forwardsText),
	on(`(\w+) answers (#\d+) from another address: (.+)`, (*story).answersAs),
	on(`(\w+) answers a forwarded copy of (\w+)'s (#\d+): (.+)`, (*story).answersForwarded),
	on(`(\w+) writes to the address for leaving in (#\d+): (.+)`, (*story).leavesWithWords),
	on(`(\w+)'s mailbox answers (#\d+) by itself: (.+)`, (*story).away),
	on(`(\w+) sends (\S+) in answer to (#\d+)`, (*story).sendsRaw),
	on(`(\d+) (suggestions?|letters?|drafts?|decisions?) (?:is|are) kept`, (*story).areKept),
}

// changedQuote is "«q with "a" for "b"»" in a line of a table.
var changedQuote = regexp.MustCompile(`«q(?: with "([^"]*)" for "([^"]*)")?»`)

func (s *story) answersInFull(w []string) {
	s.strangerInFull([]string{w[0], w[0], w[1], w[2]})
}

// strangerInFull answers with exactly these words: the quote stands where
// the line says «q».
func (s *story) strangerInFull(w []string) {
	s.t.Helper()
	by, m := s.person(w[0]), s.found(s.person(w[1]), w[2])
	text := changedQuote.ReplaceAllStringFunc(written(w[3]), func(q string) string {
		g := changedQuote.FindStringSubmatch(q)
		whole := quoted(m)
		if g[2] == "" {
			return whole
		}
		if strings.Count(whole, g[2]) != 1 {
			s.t.Fatalf("%q stands %d times in the quote", g[2], strings.Count(whole, g[2]))
		}
		return strings.Replace(whole, g[2], g[1], 1)
	})
	a := s.answer(by, m, "")
	a.Text = []byte(text)
	s.world.post(by, a)
}

func (s *story) writesAbout(w []string) {
	by := s.person(w[0])
	text := written(w[2])
	if body, ok := strings.CutPrefix(text, "the text of "); ok {
		text = s.draft(body)
	}
	m := s.begin(by, w[1], text)
	if text == "" {
		m.Text = []byte("\n")
	}
	s.world.post(by, m)
}

func (s *story) writesToOthers(w []string) {
	by := s.person(w[0])
	m := s.begin(by, "Re: your link", written(w[2])+"\n")
	m.To = append([]message.Address{s.person(w[1]).addr}, m.To...)
	s.world.postTo(by, m, letterBox)
}

// mailsLate is a text that was written before others and comes after them.
func (s *story) mailsLate(w []string) {
	by, text := s.person(w[0]), s.draft(w[1])
	m := s.begin(by, "this week's", "Here it is.\n")
	m.Date = s.instant(w[2])
	m.Text = []byte(text)
	s.world.post(by, m)
}

func (s *story) forwardsCopy(w []string) {
	s.t.Helper()
	by := s.person(w[0])
	_, c := s.copyOf(w[0], w[1])
	s.forward(by, c.Subject, c.Plain, w[2])
}

func (s *story) forwardsText(w []string) {
	s.forward(s.person(w[0]), "The Other Letter", s.draft(w[1]), w[2])
}

func (s *story) forward(by *person, subject, body, words string) {
	text := written(words) + "\n\n---------- Forwarded message ---------\nFrom: The Other Letter <other@letters.example>\n" +
		"Date: Thu, Jan 6, 2000 at 9:02 AM\nSubject: " + subject + "\nTo: <" + by.addr.Addr + ">\n\n\n" + body
	s.world.post(by, s.begin(by, "Fwd: "+subject, text))
}

func (s *story) answersAs(w []string) {
	s.t.Helper()
	by := s.person(w[0])
	_, c := s.copyOf(w[0], w[1])
	m := s.answer(by, c, written(w[2]))
	m.From.Addr = "alias@elsewhere.example"
	s.world.post(by, m)
}

// answersForwarded is a friend's answer to a copy that was passed on: the
// friend's program keeps the copy's Message-ID in References.
func (s *story) answersForwarded(w []string) {
	s.t.Helper()
	by := s.person(w[0])
	_, c := s.copyOf(w[1], w[2])
	m := s.answer(by, c, written(w[3]))
	m.InReplyTo, m.References = "<passed-on@readers.example>", []string{c.MessageID, "<passed-on@readers.example>"}
	s.world.post(by, m)
}

func (s *story) leavesWithWords(w []string) {
	s.t.Helper()
	by := s.person(w[0])
	mailto, _ := s.leaving(w[0], w[1])
	m := s.begin(by, "unsubscribe", written(w[2])+"\n")
	m.To[0].Addr, _, _ = strings.Cut(strings.TrimPrefix(mailto, "mailto:"), "?")
	s.world.post(by, m)
}

func (s *story) away(w []string) {
	s.t.Helper()
	by := s.person(w[0])
	_, c := s.copyOf(w[0], w[1])
	m := s.answer(by, c, written(w[2]))
	m.Subject, m.AutoSubmitted = "Automatic reply: "+c.Subject, "auto-replied"
	s.world.post(by, m)
}

// areKept counts rows of the desk's books.
func (s *story) areKept(w []string) {
	s.t.Helper()
	table, n := strings.TrimSuffix(w[1], "s"), -1
	s.view(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, fmt.Sprintf(`SELECT count(*) FROM %s`, table)).Scan(&n)
	})
	if n != number(w[0]) {
		s.t.Errorf("%d rows of %s are kept", n, table)
	}
}

// enlist puts the people on the list whom the story gave to it.
func (w *world) enlist() {
	w.update(func(ctx context.Context, tx *store.Tx) error {
		for _, name := range slices.Sorted(slices.Values(w.plan.listed)) {
			a, err := list.ParseAddress(w.people[name].addr.Addr)
			if err != nil {
				return err
			}
			if _, _, err := w.house.list.Add(ctx, tx, "quiet", a, "", time.Now(), "a story"); err != nil {
				return err
			}
		}
		return nil
	})
}

// sendsRaw submits a message as a mail program wrote it, head and all. It
// names what it answers by {ID}, {FROM}, {TO} and {DATE}.
func (s *story) sendsRaw(w []string) {
	s.t.Helper()
	by := s.person(w[0])
	_, c := s.copyOf(w[0], w[2])
	to := letterBox
	if len(c.ReplyTo) > 0 {
		to = c.ReplyTo[0].Addr
	}
	raw := strings.NewReplacer("{ID}", c.MessageID, "{FROM}", by.addr.String(), "{TO}", to, "{DATE}", time.Now().Format(time.RFC1123Z), "\n", "\r\n").Replace(s.draft(w[1]))
	by.asked = true
	s.carry(by.addr.Addr, to, []byte(raw))
}
