package main

import (
	"strings"
	"testing"
	"testing/synctest"
)

// playLines tells a story that is made of lines; own does those that no verb
// knows. In the end nobody has two copies of #12.
func playLines(t *testing.T, told string, own func(line string) bool) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{world: newWorld(t), texts: map[string]string{}}
		defer s.close()
		for n, line := range strings.Split(told, "\n") {
			if own != nil && own(line) {
				continue
			}
			if s.line(n+1, line); t.Failed() {
				t.Fatal(tail(s.log.String(), 20))
			}
		}
		for reader, n := range s.copies("#12") {
			if n != 1 {
				t.Errorf("%s has %d copies", reader, n)
			}
		}
	})
}

// TestDownOverTheSlot is bar 44: the house is closed over the slot for an
// hour, eleven and thirteen hours, eight and twenty-two days. Twelve hours
// late it still sends; after that it holds, and asks once, about one issue.
func TestDownOverTheSlot(t *testing.T) {
	const approved = "given it is Friday 7 January, 10:00\ngiven a house that looks every 1m\n" +
		"Ines mails 0012.md as attachment\nInes gets: Proof 1 of #12: ready\n" +
		"Ines replies: approve\nInes gets: Approved: #12 goes Saturday 8 January, 09:00\nthe house is closed until "
	const late = "\n3m pass\nInes gets: #12 - 8 Jan 2000\n20 readers have #12\nInes gets: Sent: #12 to 20 of 20\n"
	const held = "\n3m pass\nInes gets: Held: #12, its time has passed\nInes gets nothing\nnobody has #12\n"
	for name, told := range map[string]string{
		"1 h":  approved + "Saturday 8 January, 09:50" + late,
		"11 h": approved + "Saturday 8 January, 20:00" + late,
		"13 h": approved + "Saturday 8 January, 22:00" + held + "Ines replies: send now\nInes gets: Approved: #12 goes in ten minutes\n12m pass\n20 readers have #12\n",
		"8 d":  approved + "Sunday 16 January, 10:00" + held + "Ines replies: approve\nInes gets: When shall #12 go?\nnobody has #12\n",
		"22 d": approved + "Sunday 30 January, 10:00" + held,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playLines(t, told, nil)
		})
	}
}
