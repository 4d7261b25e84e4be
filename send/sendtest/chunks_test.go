package sendtest

import (
	"io"
	"net"
	"strings"
	"testing"
)

// A sink that only counts finds the same ends and the same octets as one that
// keeps them, however the octets come.
func TestCounting(t *testing.T) {
	bodies := []string{"x\r\n", ".\r\n", "..\r\n", "a\r\n..\r\n..b\r\n", "\r\n", "a\n.\nb\r\n", "a\r\n\r.\r\n", strings.Repeat("..x\r\n", 3000), strings.Repeat("y", 70_000) + "\r\n"}
	for _, keep := range []Keep{KeepOctets, KeepCounts} {
		for _, step := range []int{1, 2, 3, 7, 1 << 20} {
			s, err := Start("127.0.0.1:0", Options{Keep: keep})
			if err != nil {
				t.Fatal(err)
			}
			all := "EHLO x\r\n"
			want := 0
			for _, b := range bodies {
				if len(b) > 5000 && step < 7 {
					continue
				}
				if b != ".\r\n" {
					want++
				}
				all += "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + b
				if b != ".\r\n" {
					all += ".\r\n"
				}
			}
			c, err := net.Dial("tcp", s.Addr())
			if err != nil {
				t.Fatal(err)
			}
			said := make(chan int64, 1)
			go func() {
				n, _ := io.Copy(io.Discard, c)
				said <- n
			}()
			for rest := all + "QUIT\r\n"; rest != ""; {
				n := min(step, len(rest))
				if _, err := io.WriteString(c, rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			<-said // the sink closes behind QUIT
			st := s.Stats()
			c.Close()
			s.Close()
			octets := 0
			for _, b := range bodies {
				if len(b) <= 5000 || step >= 7 {
					octets += len(strings.ReplaceAll("\r\n"+b, "\r\n.", "\r\n")) - 2
				}
			}
			octets -= 2 // "." and its line end are no message's
			if st.Messages != int64(want)+1 || st.Octets != int64(octets) {
				t.Errorf("keep %v, %d at once: %d messages of %d, %d octets of %d", keep, step, st.Messages, want+1, st.Octets, octets)
			}
		}
	}
}

// BDAT in one piece and in several, without recipients, and badly said.
func TestBDAT(t *testing.T) {
	for _, keep := range []Keep{KeepOctets, KeepCounts} {
		s, err := Start("127.0.0.1:0", Options{Keep: keep, Chunking: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		dialogue := "EHLO x\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nBDAT 4 LAST\n.\nx" +
			"MAIL FROM:<a@b>\nRCPT TO:<c@d>\nBDAT 3\nabcBDAT 0 LAST\n" +
			"MAIL FROM:<a@b>\nRCPT TO:<550+c@d>\nBDAT 3 LAST\nabcRSET\n" +
			"MAIL FROM:<a@b>\nRCPT TO:<c@d>\nBDAT 1\nxDATA\nBDAT 1 LAST\ny" +
			"BDAT many\n"
		want := "220 250 250 250 250 250 250 250 250 250 550 503 250 250 250 250 503 250 501"
		if got := talk(t, s, dialogue); got != want {
			t.Errorf("keep %v: %s, want %s", keep, got, want)
		}
		if st := s.Stats(); st.Messages != 3 || st.Octets != 4+3+2 {
			t.Errorf("keep %v: %+v", keep, st)
		}
		if keep == KeepOctets {
			for i, w := range []string{".\r\nx", "abc", "xy"} {
				if got := string(s.Messages()[i].Octets); got != w {
					t.Errorf("message %d is %q", i, got)
				}
			}
		}
	}
	s, err := Start("127.0.0.1:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := talk(t, s, "EHLO x\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nBDAT 1 LAST\nx"); got != "220 250 250 250 501" {
		t.Errorf("without CHUNKING: %s", got)
	}
}
