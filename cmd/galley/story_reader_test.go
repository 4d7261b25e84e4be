package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"galley/send/message"
)

// tokens are those of the door's mails: a number and 128 bits, in base32.
var tokens = regexp.MustCompile(`\b[a-z2-7]{28,39}\b`)

// tokenless is a Subject as a story tells it.
func tokenless(s string) string {
	return codes.ReplaceAllString(tokens.ReplaceAllString(s, "token"), "code")
}

// getsOwn is gets for a mail that stands in no thread: a confirmation holds
// nothing of whoever asked for it, not even the name of their mail.
func (s *story) getsOwn(w []string) {
	s.t.Helper()
	s.person(w[0]).asked = false
	s.gets(w)
	if s.seen.InReplyTo != "" || len(s.seen.References) > 0 {
		s.t.Errorf("%q answers %s", s.seen.Subject, s.seen.InReplyTo)
	}
}

// getsCopy passes over the copy of an issue.
func (s *story) getsCopy(w []string) {
	s.t.Helper()
	p := s.person(w[0])
	if !waited(3*time.Minute, func() bool { return s.next(p) != nil }) || !strings.HasPrefix(s.next(p).Subject, w[1]+" ") {
		s.t.Fatalf("%s has no copy of %s", w[0], w[1])
	}
	s.seen = s.next(p)
	p.read++
	p.asked = false
}

func (s *story) hasHTML(w []string) {
	s.t.Helper()
	if got := s.seen.HTML != ""; got != (w[0] == "HTML") {
		s.t.Errorf("%q has an HTML part: %v", s.seen.Subject, got)
	}
}

// keeps looks for a string in every file of the house, case aside: the
// database with its log, the configuration, and in what the house has logged.
func (s *story) keeps(w []string) {
	s.t.Helper()
	where := s.kept(w[1])
	if w[0] == "" && len(where) == 0 {
		s.t.Errorf("the house keeps nothing of %s", w[1])
	}
	if w[0] != "" && !waited(3*time.Minute, func() bool { where = s.kept(w[1]); return len(where) == 0 }) {
		s.t.Errorf("%s still stands in %s", w[1], where)
	}
}

func (s *story) kept(what string) (where []string) {
	key := []byte(strings.ToLower(what))
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		data = bytes.ToLower(data) // which makes bytes that are no text longer
		if at := bytes.Index(data, key); at >= 0 {
			where = append(where, fmt.Sprintf("%s: %q", d.Name(), data[max(0, at-60):min(len(data), at+60)]))
		}
		return err
	})
	if err != nil {
		s.t.Error(err)
	}
	if strings.Contains(strings.ToLower(s.log.String()), string(key)) {
		where = append(where, "log")
	}
	return where
}

func (s *story) mailsList(w []string) {
	by := s.person(w[0])
	m := s.begin(by, "(no subject)", "import\n")
	m.Attachments = []message.Attachment{{Name: w[1], Type: "text/csv", Data: []byte(s.draft(w[1]))}}
	s.world.post(by, m)
}

// repliesPartly answers from a mail program that keeps one place of the token
// and loses the others.
func (s *story) repliesPartly(w []string) {
	by := s.person(w[0])
	to := s.found(by, w[1])
	m := s.begin(by, "Re: "+to.Subject, written(w[3])+"\n")
	if w[2] != "without its thread" {
		m.Subject, m.InReplyTo = "hello", to.MessageID
	}
	s.world.post(by, m)
}

// leavesFormer writes to the address of the header as it was before the
// newsletter moved.
func (s *story) leavesFormer(w []string) {
	s.t.Helper()
	by := s.person(w[0])
	mailto, _ := s.leaving(w[0], w[1])
	addr, _, _ := strings.Cut(strings.TrimPrefix(mailto, "mailto:"), "?")
	m := s.begin(by, "unsubscribe", "\n")
	m.To[0].Addr = strings.Replace(addr, domainOf(letterBox), "former.example", 1)
	s.world.post(by, m)
}
