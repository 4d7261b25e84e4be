//go:build chaos

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClockJumps is bar 45: the wall clock jumps while an issue is scheduled
// and while it is being sent. Nobody gets a copy twice, nothing unapproved
// goes, and a clock that goes back holds what was approved. In a story a line
// "the clock is off by D" sets the clock.
func TestClockJumps(t *testing.T) {
	const begin = "given it is Monday 3 January, 10:00\ngiven a house that looks every 1m\n"
	const approved = begin + "Ines mails 0012.md as attachment\nInes gets: Proof 1 of #12: ready\n" +
		"Ines replies: approve\nInes gets: Approved: #12 goes Saturday 8 January, 09:00\n"
	const back = "Ines gets: Held: my clock went back\n\t#12 is on hold.\nnobody has #12\n"
	const sending = "given 60 readers\ngiven servers that take 2s for a mail\n" + begin +
		"Ines mails 0012.md as attachment\nInes gets: Proof 1 of #12: ready\nInes replies: send now\n" +
		"Ines gets: Approved: #12 goes in ten minutes\nInes gets: #12 - 8 Jan 2000\n10m30s pass\nsome readers have #12, not all\n"
	for name, told := range map[string]string{
		"scheduled, three days back": approved + "the clock is off by -72h\n5m pass\n" + back + "the clock is off by 0s\n" +
			"Ines replies to \"Proof 1\": approve\nInes gets: Proof 1 of #12: ready\nInes replies: approve\nInes gets: Approved: #12 goes Saturday 8 January, 09:00\n",
		"scheduled, two hours back": approved + "the clock is off by -2h\n5m pass\n" + back,
		"scheduled, thirty days on": approved + "the clock is off by 720h\n5m pass\nInes gets: Held: #12, its time has passed\nnobody has #12\n",
		"scheduled, an hour on and back": approved + "the house is closed until Saturday 8 January, 08:20\nthe clock is off by 1h\n1m pass\nInes gets: #12 - 8 Jan 2000\n" +
			"5m pass\n20 readers have #12\nInes gets: Sent: #12 to 20 of 20\nthe clock is off by 0s\n70m pass\n20 readers have #12\n",
		"sending, two hours back":    sending + "the clock is off by -2h\n5m pass\n60 readers have #12\nInes gets: Held: my clock went back\nInes gets: Sent: #12 to 60 of 60\n",
		"sending, three days back":   sending + "the clock is off by -72h\n5m pass\n60 readers have #12\nInes gets: Held: my clock went back\nInes gets: Sent: #12 to 60 of 60\n",
		"sending, an hour on":        sending + "the clock is off by 1h\n5m pass\n60 readers have #12\nInes gets: Sent: #12 to 60 of 60\n",
		"sending, thirty days on":    sending + "the clock is off by 720h\n5m pass\n60 readers have #12\n",
		"unapproved, thirty days on": begin + "Ines mails 0012.md as attachment\nInes gets: Proof 1 of #12: ready\nthe clock is off by 720h\n5m pass\nnobody has #12\n",
	} {
		t.Run(name, func(t *testing.T) {
			clock := filepath.Join(t.TempDir(), "clock")
			t.Setenv("GALLEY_CLOCK", clock)
			playLines(t, told, func(line string) bool {
				off, ok := strings.CutPrefix(line, "the clock is off by ")
				if ok {
					if err := os.WriteFile(clock, []byte(off), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				return ok
			})
		})
	}
}
