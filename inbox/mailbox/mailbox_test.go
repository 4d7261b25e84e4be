package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galley/inbox/inboxtest"
)

func TestBatchesInOrder(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 450)
		for _, want := range []int{200, 200, 50} {
			batch := h.next(t, time.Minute)
			if len(batch) != want {
				t.Fatalf("%d messages, want %d", len(batch), want)
			}
			for i, msg := range batch {
				n := h.book.count() - want + i + 1
				if int(msg.UID) != n || !bytes.Equal(msg.Raw, letter(n)) || msg.Size != int64(len(msg.Raw)) ||
					msg.UIDValidity != 1 || msg.TooBig || time.Since(msg.Received) > time.Minute {
					t.Fatalf("message %d: %+v", n, msg)
				}
			}
		}
		for _, c := range h.Commands() {
			if strings.Contains(c.Line, "ENVELOPE") || strings.Contains(c.Line, "STRUCTURE") ||
				strings.Contains(c.Line, "BODY[") {
				t.Errorf("asked for %q", c.Line)
			}
		}
	})
}

func TestIdleWakes(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.m.Poll = time.Hour
		at(10*time.Minute+30*time.Second, func() { h.deliver(t, 1, 1) })
		start := time.Now()
		h.next(t, time.Hour)
		if d := time.Since(start); d != 10*time.Minute+30*time.Second {
			t.Errorf("woken after %v", d)
		}
		at(time.Second, func() { h.deliver(t, 2, 2) })
		h.next(t, 2*time.Second)
	})
}

func TestIdleRenewal(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.m.Poll = time.Hour
		h.quiet(t, 50*time.Minute)
		idles := h.said("IDLE")
		if len(idles) != 6 {
			t.Fatalf("%d IDLEs in 50 minutes, want 6", len(idles))
		}
		for i := 1; i < len(idles); i++ {
			if d := idles[i].At.Sub(idles[i-1].At); d != 9*time.Minute {
				t.Errorf("renewed after %v, want 9m", d)
			}
		}
		if n := len(h.said("UID SEARCH")); n != 1 {
			t.Errorf("%d searches: a renewal is no poll", n)
		}
	})
}

func TestPollWithoutIdle(t *testing.T) {
	bubble(t, inboxtest.Options{NoIdle: true}, func(t *testing.T, h *house) {
		at(5*time.Minute+time.Second, func() { h.deliver(t, 1, 1) })
		start := time.Now()
		h.next(t, time.Hour)
		if d := time.Since(start); d > 6*time.Minute {
			t.Errorf("found after %v, want 6m", d)
		}
		if len(h.said("IDLE")) > 0 {
			t.Error("IDLE was sent to a server without it")
		}
	})
}

// The server says IDLE and refuses it: then it is polled.
func TestIdlePromisedAndDeaf(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.Mangle(func(response string) []string {
			if strings.HasSuffix(response, "EXISTS\r\n") {
				return nil // a server that announces nothing
			}
			return []string{response}
		})
		at(90*time.Second, func() { h.deliver(t, 1, 1) })
		h.next(t, 2*time.Minute+time.Second)
	})
}

func TestHalfOpen(t *testing.T) {
	for _, noIdle := range []bool{false, true} {
		t.Run(fmt.Sprint("noIdle=", noIdle), func(t *testing.T) {
			bubble(t, inboxtest.Options{NoIdle: noIdle}, func(t *testing.T, h *house) {
				at(10*time.Minute, h.Mute)
				at(10*time.Minute+time.Second, h.Heal) // the old connection stays half-open
				at(11*time.Minute, func() { h.deliver(t, 1, 1) })
				start := time.Now()
				h.next(t, time.Hour)
				if d := time.Since(start); d > 14*time.Minute {
					t.Errorf("noticed %v after the line was half-open", d-10*time.Minute)
				}
			})
		})
	}
}

func TestSilences(t *testing.T) {
	for _, command := range []string{"CAPABILITY", "AUTHENTICATE", "SELECT", "SEARCH", "FETCH", "IDLE", "DONE"} {
		t.Run(command, func(t *testing.T) {
			bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
				h.deliver(t, 1, 1)
				h.Stall(command)
				at(10*time.Minute, func() { h.Heal(); h.deliver(t, 2, 2) })
				for h.book.count() < 2 {
					h.next(t, 15*time.Minute)
				}
			})
		})
	}
}

// TestBackAgain is bar 52: whatever happened to the server, mail is found
// within a minute of its return.
func TestBackAgain(t *testing.T) {
	faults := map[string]func(h *house){
		"bye":      func(h *house) { h.Bye("Autologout; idle for too long"); h.Down() },
		"reset":    func(h *house) { h.Reset() },
		"refuses":  func(h *house) { h.Down() },
		"mute":     func(h *house) { h.Mute(); h.Reset() },
		"select":   func(h *house) { h.Refuse("SELECT", "UNAVAILABLE", "try later"); h.Reset() },
		"silent":   func(h *house) { h.Mute() }, // also the line that there is: for an hour nobody says that it is dead
		"bye only": func(h *house) { h.Bye("restarting") },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
				h.deliver(t, 1, 3)
				h.next(t, time.Minute)
				at(5*time.Minute, func() { fault(h) })
				var back time.Time
				at(65*time.Minute, func() { h.Heal(); back = time.Now(); h.deliver(t, 4, 4) })
				h.next(t, 2*time.Hour)
				if d := time.Since(back); d > time.Minute {
					t.Errorf("found %v after the server was back", d)
				}
				if n := strings.Count(h.log.String(), "out of reach"); n < 1 || n > 3 {
					t.Errorf("%d warnings:\n%s", n, h.log)
				}
			})
		})
	}
}

func TestByeIsTold(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		at(time.Minute/2, func() { h.Bye("too many connections"); h.Down() })
		at(time.Minute/2-time.Second, func() {
			if s := h.m.Status(); !s.Connected || s.Err != "" || s.Since.IsZero() {
				t.Errorf("status %+v", s)
			}
		})
		h.quiet(t, time.Minute)
		if !strings.Contains(h.log.String(), "BYE too many connections") {
			t.Errorf("log:\n%s", h.log)
		}
		if s := h.m.Status(); s.Connected || !strings.Contains(s.Err, "refused") {
			t.Errorf("status %+v", s)
		}
	})
}

func TestPause(t *testing.T) {
	for fails := range 100 {
		for range 50 {
			low, high := pause(fails, linePause, time.Now()), pause(fails, loginPause, time.Now())
			if low < firstPause/2 || low > linePause || high > loginPause {
				t.Fatalf("pause after %d faults: %v, %v", fails, low, high)
			}
		}
	}
	if d := pause(0, linePause, time.Now()); d > firstPause {
		t.Errorf("the first pause is %v", d)
	}
	if d := pause(50, loginPause, time.Now()); d < loginPause/2 {
		t.Errorf("a late pause is %v", d)
	}
}

func TestWrongExists(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 2)
		h.next(t, time.Minute)
		at(10*time.Second, func() { h.Say("* 500 EXISTS") })
		at(20*time.Second, func() { h.Say("* 1 EXISTS"); h.deliver(t, 3, 3) })
		began := time.Now()
		h.next(t, 22*time.Second)
		if d := time.Since(began); d != 20*time.Second { // one lie makes nobody slow
			t.Errorf("found after %v", d)
		}
		if n := h.book.count(); n != 3 {
			t.Errorf("%d messages", n)
		}
	})
}

// A server that announces without end is asked at most once a second.
func TestAnnouncesWithoutEnd(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.Mangle(func(response string) []string {
			if strings.HasPrefix(response, "+ idling") {
				return []string{response, "* 9 EXISTS\r\n"}
			}
			return []string{response}
		})
		h.quiet(t, time.Minute)
		if n := len(h.said("UID SEARCH")); n > 63 {
			t.Errorf("%d searches in a minute", n)
		}
	})
}

func TestUIDValidity(t *testing.T) {
	bubble(t, inboxtest.Options{UIDValidity: 7}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 3)
		h.next(t, time.Minute)
		for i, validity := range []uint32{9, 8, 7, 30} { // higher, lower, one that was there before
			fresh := 10*i + 10
			at(30*time.Second, func() {
				if err := h.Recreate("galley", validity, letter(fresh), letter(fresh+1)); err != nil {
					t.Error(err)
				}
			})
			if validity == 7 { // UIDs 1 and 2 are other mail now, which nobody can see
				h.quiet(t, 10*time.Minute)
				continue
			}
			batch := h.next(t, 3*time.Minute)
			if len(batch) != 2 || batch[0].UIDValidity != validity || batch[0].UID != 1 {
				t.Errorf("validity %d: %+v", validity, batch)
			}
		}
	})
}

func TestNoUIDValidity(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.Mangle(func(response string) []string {
			if strings.Contains(response, "[UIDVALIDITY") {
				return nil
			}
			return []string{response}
		})
		h.quiet(t, time.Minute)
		if !strings.Contains(h.m.Status().Err, "gives no UIDVALIDITY") {
			t.Errorf("status: %+v", h.m.Status())
		}
	})
}

// The cursor is past a message that was never taken in: another client put
// UIDs into the ledger's future, or a message was left out.
func TestReconcile(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 1)
		h.next(t, time.Minute)
		h.book.have[[2]uint32{1, 50}] = "taken in by another way"
		start := time.Now()
		at(time.Minute, func() { h.deliver(t, 2, 2) })
		batch := h.next(t, 2*time.Hour)
		if d := time.Since(start); len(batch) != 1 || d > time.Hour+time.Minute || d < 50*time.Minute {
			t.Errorf("%d messages after %v", len(batch), d)
		}
	})
}

// A new connection looks at everything, not only above the cursor.
func TestReconnectReconciles(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 1)
		h.next(t, time.Minute)
		h.book.have[[2]uint32{1, 50}] = "taken in by another way"
		at(time.Minute+time.Second, func() { h.deliver(t, 2, 2); h.Reset() })
		h.next(t, 2*time.Minute)
	})
}

// What the caller could not write down is handed out again.
func TestHandedOutAgain(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 3)
		batch, err := h.m.Next(t.Context())
		if err != nil || len(batch) != 3 {
			t.Fatal(batch, err)
		}
		h.book.take(t, batch[1:])
		if again := h.next(t, time.Second); len(again) != 1 || again[0].UID != 1 {
			t.Errorf("handed out again: %v", again)
		}
	})
}

func TestLedgerFault(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.book.err = errors.New("disk full")
		h.deliver(t, 1, 1)
		if _, err := h.m.Next(t.Context()); !errors.Is(err, h.book.err) {
			t.Errorf("Next: %v", err)
		}
		h.book.err = nil
		h.next(t, time.Second)
	})
}

// n:* names the last message even when n is above it.
func TestStarIsTheLastMessage(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 3)
		h.next(t, time.Minute)
		h.quiet(t, 10*time.Minute)
		fetched := len(h.said("UID FETCH"))
		if fetched != 2 {
			t.Errorf("%d FETCHes: known messages were fetched again", fetched)
		}
	})
}

func TestContextAndClose(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.quiet(t, time.Second)
		h.quiet(t, time.Second)
		if n := len(h.said("SELECT")); n != 1 {
			t.Errorf("%d SELECTs: the end of a context in IDLE ended the line", n)
		}
		at(time.Minute, func() { h.m.Close() })
		if _, err := h.m.Next(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Next after Close: %v", err)
		}
		if _, err := h.m.Next(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second Next after Close: %v", err)
		}
		if err := errors.Join(h.m.Close(), h.m.Close()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := h.Connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// The end of the context ends a call that the server never answers.
func TestContextInSilence(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		for _, command := range []string{"CAPABILITY", "SELECT", "SEARCH", "IDLE"} {
			h.Heal()
			h.Stall(command)
			start := time.Now()
			h.quiet(t, 20*time.Second)
			if d := time.Since(start); d > 23*time.Second {
				t.Errorf("%s: the context ended %v late", command, d-20*time.Second)
			}
			h.Reset()
			time.Sleep(5 * time.Minute)
		}
	})
}
