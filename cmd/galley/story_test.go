package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"galley/send/store"
)

// TestStories plays every story of testdata/stories. A story is a txtar file:
// lines that tell it, and the texts that people mail in it. The verbs are in
// story_verbs_test.go; a line that none of them knows fails.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	share := 1
	switch { // a sample, for the race detector is slow
	case testing.Short():
		share = 4
	case raceDetector:
		share = 2
	}
	for n, file := range files {
		if n%share != 0 || share > 1 && strings.HasSuffix(file, "a-year.txtar") {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) { tell(t, archive) })
		})
	}
}

// story is a story being told.
type story struct {
	signer *signer // Ines and her OpenPGP key
	*world
	texts  map[string]string
	backup map[string][]byte // a copy of the books, by file
	seen   *boxed            // the mail that was looked at last
	opens  bool              // the house is open: nothing more can be given
}

func tell(t *testing.T, a *txtar.Archive) { tellWith(t, a, func(*story) {}) }

// tellOn plays a story with its books in the database at a URL; "" is SQLite.
func tellOn(t *testing.T, a *txtar.Archive, books string) {
	tellWith(t, a, func(s *story) { s.plan.books = books })
}

// tellWith tells a story in a house that prepare has furnished.
func tellWith(t *testing.T, a *txtar.Archive, prepare func(*story)) {
	s := &story{world: newWorld(t), texts: map[string]string{}}
	prepare(s)
	defer s.close()
	for _, f := range a.Files {
		s.texts[f.Name] = string(f.Data)
	}
	for n, line := range strings.Split(string(a.Comment), "\n") {
		if t.Failed() {
			break
		}
		s.line(n+1, line)
	}
	if !t.Failed() {
		s.finale()
	}
	if t.Failed() {
		t.Logf("the house says:\n%s", tail(s.log.String(), 40))
	}
}

func tail(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// line does one line of a story. An indented line is a sentence of the mail
// above it; one that begins with # is for people.
func (s *story) line(n int, line string) {
	s.t.Helper()
	words := strings.TrimSpace(line)
	if words == "" || words[0] == '#' {
		return
	}
	if line[0] == ' ' || line[0] == '\t' {
		s.contains(n, words)
		return
	}
	for _, v := range slices.Concat(tableVerbs, figureVerbs, yearVerbs, serverVerbs, helloVerbs, olderVerbs, verbs) {
		if hit := v.form.FindStringSubmatch(words); hit != nil {
			if !v.given && !s.opens {
				s.opens = true
				s.open()
				synctest.Wait() // the mailbox is open: what lay there before is left alone
			}
			s.t.Logf("%s  %3d  %s", time.Now().In(toronto).Format("Mon 15:04:05"), n, words)
			v.do(s, hit[1:])
			return
		}
	}
	s.t.Fatalf("line %d: nobody knows how to do this: %s", n, words)
}

// contains checks a sentence of the mail that was looked at last, however
// its lines are broken.
func (s *story) contains(n int, words string) {
	s.t.Helper()
	if s.seen == nil {
		s.t.Fatalf("line %d: no mail was looked at before: %s", n, words)
	}
	not, wanted := strings.CutPrefix(words, "not: ")
	if strings.Contains(folded(s.seen.Plain), folded(not)) == wanted {
		s.t.Errorf("line %d: %q: %v in\n%s", n, not, wanted, s.seen.Plain)
	}
}

func folded(s string) string { return strings.Join(strings.Fields(s), " ") }

// finale is what must hold at the end of every story: no mail was passed
// over, nobody has two copies, nothing went wrong unseen, and what the house
// wrote does nothing when it comes back (bar 59).
func (s *story) finale() {
	s.t.Helper()
	time.Sleep(time.Minute)
	if s.allRead(); s.t.Failed() {
		return
	}
	s.onceEach()
	s.feedBack()
	s.allRead()
	if s.house == nil {
		return
	}
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, "level=ERROR") {
			s.t.Errorf("the house complains: %s", line)
		}
	}
}

// issueOf is what a copy's Subject begins with: the issue's number, of a
// correction or not. What follows may differ where the rest got another text.
var issueOf = regexp.MustCompile(`^(Correction: )?#\d+`)

// onceEach fails when somebody has two copies of an issue.
func (s *story) onceEach() {
	s.t.Helper()
	all, seen := s.sink.Messages(), map[string]int{}
	subjects := s.subjectsOf(all)
	for i, a := range all {
		if !s.delivery(a) {
			continue
		}
		box, _, _ := strings.Cut(a.From, "+") // of several newsletters, which one
		issue := issueOf.FindString(subjects[i])
		if issue == "" {
			issue = subjects[i]
		}
		key := box + " " + issue + " to " + a.To[0]
		if seen[key]++; seen[key] == 2 {
			s.t.Errorf("a second copy left: %s", key)
		}
	}
}

func (s *story) allRead() {
	s.t.Helper()
	for _, p := range s.people {
		if m := s.next(p); m != nil && !s.reading(p) {
			s.t.Errorf("%s also got %q:\n%s", p.name, m.Subject, m.Plain)
		}
	}
}

// reading tells the people who read no mail in a story: readers get copies.
func (s *story) reading(p *person) bool { return strings.HasPrefix(p.addr.Addr, "reader") }

// issuesOut lists the issues of which copies went.
func (s *story) issuesOut() map[string]bool {
	out := map[string]bool{}
	all := s.sink.Messages()
	subjects := s.subjectsOf(all)
	for i, a := range all {
		if s.delivery(a) {
			out[subjects[i]] = true
		}
	}
	return out
}

// feedBack checks each mail that the house wrote, and gives it back to it.
func (s *story) feedBack() {
	s.t.Helper()
	wrote := s.sink.Messages()
	before, loops := s.kinds()["own"], 0
	seen := map[string]bool{}
	for _, a := range wrote {
		m, copied := s.check(a)
		if copied && seen[m.Subject] {
			continue // one copy of an issue is like another
		}
		seen[m.Subject] = true
		loops++
		s.carry("someone@elsewhere.example", s.mailbox(m), a.Octets)
	}
	time.Sleep(2 * time.Minute)
	if n := s.kinds()["own"] + s.kinds()["alert"] - before; n != loops {
		s.t.Errorf("%d of %d mails of the house were known as its own: %v", n, loops, s.kinds())
	}
	if n := len(s.sink.Messages()); n != len(wrote) {
		s.t.Errorf("%d mails came of feeding back what the house wrote", n-len(wrote))
	}
}

// kinds counts the messages in the books by kind.
func (s *story) kinds() map[string]int {
	out := map[string]int{}
	s.view(func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT kind, count(*) FROM message GROUP BY kind`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind string
			var n int
			if err := rows.Scan(&kind, &n); err != nil {
				return err
			}
			out[kind] = n
		}
		return rows.Err()
	})
	return out
}

// draft is a text of the story, else one of testdata/drafts.
func (s *story) draft(name string) string {
	s.t.Helper()
	if text, ok := s.texts[name]; ok {
		return text
	}
	text, err := os.ReadFile(filepath.Join("testdata/drafts", name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// verb is one form of a line.
type verb struct {
	given bool // it describes the house before it opens
	form  *regexp.Regexp
	do    func(s *story, words []string)
}

func on(form string, do func(*story, []string)) verb {
	return verb{form: regexp.MustCompile("^" + form + "$"), do: do}
}

func given(form string, do func(*story, []string)) verb {
	v := on("given "+form, do)
	v.given = true
	return v
}
