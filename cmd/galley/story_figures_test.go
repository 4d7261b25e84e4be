package main

import (
	"context"
	"regexp"
	"strings"
	"time"

	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
)

// figureVerbs are the forms of lines about reports.
var figureVerbs = []verb{
	on(`(\d+) readers? joins? whose server says (\S+)`, (*story).joinDoomed),
	on(`which reads, but for its times, as (\S+)`, (*story).readsTimeless),
	on(`the house moves to another machine`, func(s *story, _ []string) { s.machine = "another"; s.restart() }),
	on(`the house moves back`, func(s *story, _ []string) { s.machine = ""; s.restart() }),
	on(`the page of #(\d+) says: (.+)`, (*story).pageSays),
	on(`(\d+ readers|nobody) ha(?:ve|s) Correction: (#\d+)`, (*story).haveCorrection),
	on(`(\w+) sends back (\S+) with Subject (.+) and "(.+)" instead of "(.+)"`, (*story).correctsText),
	on(`whose figures are those of the books and of the servers for (#\d+)`, (*story).figuresAgree),
}

// joinDoomed puts readers on the list whose server does what the fate says:
// 550, full, and the others of package sendtest.
func (s *story) joinDoomed(w []string) {
	s.t.Helper()
	s.update(func(ctx context.Context, tx *store.Tx) error {
		for range number(w[0]) {
			s.written++
			a, err := list.ParseAddress(w[1] + "+" + strings.Repeat("x", s.written) + "@readers.example")
			if err != nil {
				return err
			}
			if _, _, err := s.house.list.Add(ctx, tx, "quiet", a, "", tx.Now(), "a story"); err != nil {
				return err
			}
		}
		return nil
	})
}

var clockTimes = regexp.MustCompile(`\b\d\d:\d\d\b`)

// readsTimeless is readsAs for a mail whose times hang on how long servers
// were asked again.
func (s *story) readsTimeless(w []string) {
	s.t.Helper()
	whole := s.seen
	defer func() { s.seen = whole }()
	timeless, m := *whole, *whole.Message
	m.Plain = clockTimes.ReplaceAllString(m.Plain, "hh:mm")
	timeless.Message = &m
	s.seen = &timeless
	s.readsAs(w)
}

// told is the figure of a report's line, 0 when it has no such line.
func (s *story) told(words string) int {
	hit := regexp.MustCompile(`(?m)^ *([\d,]+)  ` + words).FindStringSubmatch(s.seen.Plain)
	if hit == nil {
		return 0
	}
	return number(strings.ReplaceAll(hit[1], ",", ""))
}

// figuresAgree compares the report that was looked at last with the
// deliveries in the books, and with what the readers' servers took (bar 39).
func (s *story) figuresAgree(w []string) {
	s.t.Helper()
	books := map[string]int{}
	s.view(func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT state, count(*) FROM delivery WHERE issue = $1 GROUP BY state`, number(w[0][1:]))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var state string
			var n int
			if err := rows.Scan(&state, &n); err != nil {
				return err
			}
			books[state] = n
		}
		return rows.Err()
	})
	taken, back := s.told("taken by their mail servers"), s.told("came back after their servers had taken it")
	failed, trying := s.told("failed "), s.told("still being tried")
	if taken != books["sent"] || failed != books["failed"]+books["expired"] || trying != books["deferred"]+books["pending"]+books["claimed"]+books["held"] {
		s.t.Errorf("the report says %d taken, %d failed, %d tried; the books %v", taken, failed, trying, books)
	}
	if n := len(s.copies(w[0])); taken+back != n {
		s.t.Errorf("the report says %d taken and %d of them back; the servers have %d copies", taken, back, n)
	}
	sum := taken + failed + trying + s.told("left the list before") + s.told("may have it") + s.told("not sent")
	if total := s.told("readers at"); total != 0 && total != sum {
		s.t.Errorf("the report's figures sum up to %d of %d", sum, total)
	}
}

// pageSays opens an issue's page.
func (s *story) pageSays(w []string) {
	s.t.Helper()
	address := "https://quiet.example/newsletter_issues/" + w[0]
	if !waited(10*time.Minute, func() bool { return strings.Contains(s.opened(address).Body.String(), w[1]) }) {
		s.t.Errorf("the page of #%s does not say %q", w[0], w[1])
	}
}

// haveCorrection counts the copies of a mailed correction.
func (s *story) haveCorrection(w []string) {
	s.t.Helper()
	want, _, _ := strings.Cut(w[0], " ")
	copies := s.copies("Correction: " + w[1])
	if len(copies) != number(want) {
		s.t.Errorf("%d readers have the correction", len(copies))
	}
	for reader, n := range copies {
		if n != 1 {
			s.t.Errorf("%s has %d copies", reader, n)
		}
	}
}

// correctsText mails a text again, changed, under a Subject.
func (s *story) correctsText(w []string) {
	s.t.Helper()
	by, text := s.person(w[0]), s.draft(w[1])
	if strings.Count(text, w[4]) != 1 {
		s.t.Fatalf("%q stands %d times in %s", w[4], strings.Count(text, w[4]), w[1])
	}
	m := s.begin(by, w[2], "Here it is.\n")
	m.Attachments = []message.Attachment{{Name: w[1], Type: "text/markdown; charset=utf-8", Data: []byte(strings.Replace(text, w[4], w[3], 1))}}
	s.world.post(by, m)
}
