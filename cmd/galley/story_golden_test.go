package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"galley/inbox/mime"
	"galley/send"
	"galley/send/sendtest"
)

// below is where a proof ends and the issue begins, which has golden files of
// its own in package compose.
const below = "=================== below: the issue, as readers get it"

// starterEdge is where a starter's own words end.
const starterEdge = "------------------------------- 0"

var codes = regexp.MustCompile(`\b[a-z2-7]{26}\b`)

// masked puts words in the place of what differs every time.
func masked(s string) string {
	return tokens.ReplaceAllString(codes.ReplaceAllString(s, "code-of-twenty-six-letters"), "token")
}

// readsAs compares the mail that was looked at last with a golden file: the
// fields that matter, and the text as a person reads it.
func (s *story) readsAs(w []string) {
	s.t.Helper()
	m := s.seen
	if s.plan.foreign != nil {
		return // the words are another's
	}
	var b strings.Builder
	for _, name := range []string{"From", "To", "Reply-To", "Subject", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"} {
		if m.Header.Has(name) {
			fmt.Fprintf(&b, "%s: %s\n", name, m.Header.Get(name))
		}
	}
	for _, p := range m.Parts {
		if p.Attached() {
			fmt.Fprintf(&b, "Attachment: %s\n", p.Name)
		}
	}
	words, _, _ := strings.Cut(m.Plain, starterEdge) // below it lies a text of the editor's
	for line := range strings.Lines(words) {         // a ready item is one line, however long
		if line = strings.TrimRight(line, "\r\n"); utf8.RuneCountInString(line) > 72 && strings.Contains(strings.TrimSpace(line), " ") && !strings.Contains(line, "](") {
			s.t.Errorf("%q has a line of more than 72 columns:\n%s", m.Subject, line)
		}
	}
	text, _, _ := strings.Cut(m.Plain, below)
	if text != m.Plain {
		text += below + "\n"
	}
	b.WriteString("\n" + text)
	s.golden(w[0]+".txt", masked(strings.TrimRight(b.String(), "\n")+"\n"))
	if *mails != "" && m.HTML != "" {
		if err := os.WriteFile(filepath.Join(*mails, w[0]+".html"), []byte(m.HTML), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// mails is a folder for the HTML part of every mail that a story reads, for
// people who want to look at them.
var mails = flag.String("mails", "", "write the HTML of mails to this folder")

// escapedToken is a token in the Subject of a button.
var escapedToken = regexp.MustCompile(`%28[\w.-]+%29`)

// pageReadsAs compares the HTML part of a mail.
func (s *story) pageReadsAs(w []string) {
	s.t.Helper()
	if s.plan.foreign != nil {
		return
	}
	if s.seen.HTML == "" {
		s.t.Fatalf("%q has no HTML part", s.seen.Subject)
	}
	s.golden(w[0]+".html", masked(escapedToken.ReplaceAllString(s.seen.HTML, "%28token%29")))
}

// panelReadsAs compares the panel of a proof's HTML part.
func (s *story) panelReadsAs(w []string) {
	s.t.Helper()
	if s.plan.foreign != nil {
		return
	}
	_, html, _ := strings.Cut(s.seen.HTML, "<body")
	_, html, _ = strings.Cut(html, ">")
	panel, _, ok := strings.Cut(html, "Below this line")
	if !ok {
		s.t.Fatalf("%q has no panel", s.seen.Subject)
	}
	s.golden(w[0]+".html", masked(panel))
}

func (s *story) golden(name, got string) {
	s.t.Helper()
	path := filepath.Join("testdata/golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if !bytes.Equal(want, []byte(got)) {
		s.t.Errorf("%s is not what it was (go test -update writes it anew):\n%s", path, got)
	}
}

// check tells what every mail of the house owes (bar 59): a return path with
// a token and, unless it is a reader's copy, Auto-Submitted and the thread of
// what it answers.
func (s *story) check(a sendtest.Accepted) (m *mime.Message, copied bool) {
	s.t.Helper()
	m, err := mime.Read(a.Octets)
	if err != nil {
		s.t.Fatal(err)
	}
	var delivery, slip int64
	for _, n := range s.house.queue.Newsletters {
		if kind, token, _ := n.Pattern.Parse(a.From); kind == send.KindBounce {
			if d, sl, ok := n.Bounced(token); ok {
				delivery, slip = d, sl
			}
		}
	}
	if delivery == 0 && slip == 0 && s.plan.pattern != send.NoForm {
		s.t.Errorf("%q went from <%s>, which has no token of ours", m.Subject, a.From)
	}
	if delivery != 0 || s.delivery(a) {
		return m, true
	}
	auto := m.Header.Get("Auto-Submitted")
	if m.InReplyTo == "" && auto != "auto-generated" || m.InReplyTo != "" && auto != "auto-replied" {
		s.t.Errorf("%q answers %q and says Auto-Submitted: %q", m.Subject, m.InReplyTo, auto)
	}
	return m, false
}

// mailbox is the newsletter that a mail of the house comes from.
func (s *story) mailbox(m *mime.Message) string {
	if len(m.From) == 1 && m.From[0].Addr == secondBox {
		return secondBox
	}
	return letterBox
}

// TestGoldenFilesAreRead finds golden files that no story and no other test looks
// at any more.
func TestGoldenFilesAreRead(t *testing.T) {
	stories, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{}
	for _, file := range stories {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range regexp.MustCompile(`(?m)^(which|whose panel|whose page) reads(?:, but for its times,)? as (\S+)$`).FindAllStringSubmatch(string(text), -1) {
			read[hit[2]+map[string]string{"which": ".txt", "whose panel": ".html", "whose page": ".html"}[hit[1]]] = true
		}
	}
	tests, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range tests {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range regexp.MustCompile(`"golden/([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
			read[hit[1]] = true
		}
	}
	files, err := os.ReadDir("testdata/golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !read[f.Name()] {
			t.Errorf("nothing reads testdata/golden/%s", f.Name())
		}
	}
}
