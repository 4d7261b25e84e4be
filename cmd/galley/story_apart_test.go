package main

import (
	"strconv"

	"galley/send/message"
)

// writesOften is somebody who writes the same thing again and again; each mail
// differs in its number, or it would be known as the same.
func (s *story) writesOften(w []string) {
	by := s.person(w[0])
	for i := range number(w[1]) {
		s.world.post(by, s.begin(by, "(no subject)", written(w[2])+strconv.Itoa(i+1)+"\n"))
	}
}

// writesSpam is a mail that the mailbox's own server has marked.
func (s *story) writesSpam(w []string) {
	by := s.person(w[0])
	m := s.begin(by, "(no subject)", written(w[1])+"\n")
	m.Fields = append(m.Fields, message.Field{Name: "X-Spam-Flag", Value: "YES"})
	s.world.post(by, m)
}
