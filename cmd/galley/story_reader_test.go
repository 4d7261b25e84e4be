package main

import (
	"regexp"
	"strings"
	"time"
)

// tokens are those of the door's mails: a number and 128 bits, in base32.
var tokens = regexp.MustCompile(`\b[a-z2-7]{28,39}\b`)

// tokenless is a Subject as a story tells it.
func tokenless(s string) string { return tokens.ReplaceAllString(s, "token") }

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
	p.read++
}
