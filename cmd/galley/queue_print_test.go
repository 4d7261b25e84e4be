package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"galley/send"
)

// What an operator reads of a queue in trouble fits a screen of 80 columns,
// however many wait and however long the names of their servers are.
func TestQueueIsTold(t *testing.T) {
	s := &queueState{
		Sending: true,
		Runs:    []runRow{{"harbour", 12, 904_211, 1_000_000, 1604.2, 60}},
		Waiting: []waitingRow{
			{"harbour", -11, "pending", 3, "", ""}, {"harbour", 0, "deferred", 1, "2026-11-23T04:10:00Z", "451 4.7.1 later"},
			{"harbour", 12, "ambiguous", 2, "", ""}, {"harbour", 12, "claimed", 170, "", ""},
			{"harbour", 12, "deferred", 61_204, "2026-11-23T04:05:00Z", ""}, {"harbour", 12, "held", 12, "", ""}, {"harbour", 12, "pending", 34_585, "", ""},
			{"harbour", 13, "prepared", 1_000_000, "", ""},
		},
	}
	for n := range 23 {
		d := destinationRow{Domain: fmt.Sprintf("mail%02d.readers.example", n), Total: 100 - n, Ages: map[string]int{send.Ages[n%len(send.Ages)]: 100 - n}}
		s.Destinations = append(s.Destinations, d)
	}
	long := &s.Destinations[0]
	long.Domain, long.Total, long.Ages = strings.Repeat("a-very-long-name.", 6)+"example", 161_204, map[string]int{"5m": 100_000, "1h": 61_104, "3d+": 100}
	long.Reply, long.Due = "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited", "2026-11-23T04:05:00Z"
	var b bytes.Buffer
	if err := s.print(&b); err != nil {
		t.Fatal(err)
	}
	s.Sending, s.Destinations = false, s.Destinations[1:2]
	fmt.Fprint(&b, "\n--\n\n")
	if err := s.print(&b); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(&b, "\n--\n\n")
	if err := (&queueState{}).print(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "queue.txt", b.String())
	for line := range strings.Lines(b.String()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > screen && !strings.HasPrefix(line, "  451") && !strings.HasPrefix(line, "a-very") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
