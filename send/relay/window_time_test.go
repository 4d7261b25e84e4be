package relay

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"galley/send"
	"galley/send/sendtest"
)

// TestRoundTripsOfWindows is goal S5 where CHUNKING is offered and a window of
// 16 is on: at least fifty times as fast as message by message and answer by
// answer, at 20 ms round trip, in simulated time and therefore exact.
func TestRoundTripsOfWindows(t *testing.T) {
	const n, window, trip = 1600, 16, 20 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		m := sendtest.NewMemory(trip / 2)
		s := sendtest.New(sendtest.Options{Chunking: true})
		go s.Serve(m)
		defer s.Close()
		r := &Relay{Addr: "localhost:25", Security: Plain, Dial: m.Dial, MaxMessages: n, Window: window}
		l := open(t, r).(send.Wide)
		defer l.Close()
		if l.Window() != window {
			t.Fatalf("window %d", l.Window())
		}
		start, on := time.Now(), 0
		pull := func() {
			t.Helper()
			if o := l.Pull(); o.Verdict != send.Accepted {
				t.Fatalf("%+v", o)
			}
			on--
		}
		for i := range n {
			if on == window {
				pull()
			}
			addr := fmt.Sprintf("r%d@example.org", i)
			if o, ok := l.Push(t.Context(), to(addr), send.Whole(letter("Hello.\r\n"))); !ok {
				t.Fatal(o)
			}
			on++
		}
		for on > 0 {
			pull()
		}
		took, alone := time.Since(start), 4*n*trip // MAIL, RCPT, DATA and the dot
		t.Logf("%s in place of %s: %.1f times as fast", took, alone, float64(alone)/float64(took))
		if took > alone/50 {
			t.Errorf("%d messages took %s, want a fiftieth of %s", n, took, alone)
		}
	})
}
