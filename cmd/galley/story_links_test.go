package main

import (
	"context"
	"strings"
	"time"

	"galley/compose/probe"
)

// lateWeb is a web on which one server says nothing for a while, and then that
// there is no such page.
type lateWeb struct {
	part  string
	until time.Time
}

// Probe answers for every link at once.
func (l *lateWeb) Probe(_ context.Context, asks []probe.Ask) map[string]probe.Answer {
	all := map[string]probe.Answer{}
	for _, a := range asks {
		switch {
		case !strings.Contains(a.URL, l.part):
			all[a.URL] = probe.Answer{State: probe.Fine, Status: 200}
		case time.Now().Before(l.until):
			all[a.URL] = probe.Answer{State: probe.Waiting, Why: "no-time"}
		default:
			all[a.URL] = probe.Answer{State: probe.Gone, Status: 404, Why: "status"}
		}
	}
	return all
}

// answersLate has the links with a word in them answer from a time on.
func (s *story) answersLate(w []string) {
	s.plan.links = &lateWeb{part: w[0], until: s.instant(w[1])}
}
