package mailbox

import (
	"strings"
	"testing"
	"time"

	"galley/inbox/inboxtest"
)

// What came before the instant from which mail counts is told from what came
// after it, by the server's dates; with no such instant all of it is old.
func TestFloor(t *testing.T) {
	for name, c := range map[string]struct {
		since       time.Duration // after the first three messages; 0: never noted
		floor, want uint32
	}{
		"never noted":     {0, 5, 5},
		"between":         {time.Hour, 3, 5},
		"before all":      {-50 * time.Hour, 0, 5},
		"after all":       {80 * time.Hour, 5, 5},
		"the same second": {72*time.Hour + 400*time.Millisecond, 3, 5},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
				if c.since != 0 {
					h.book.since = time.Now().Add(c.since)
				}
				h.deliver(t, 1, 3)
				time.Sleep(72 * time.Hour)
				h.deliver(t, 4, 5)
				time.Sleep(time.Hour)
				h.next(t, time.Minute) // the book itself holds nothing back
				if h.book.floor != c.floor || h.book.begun[0][1] != c.want {
					t.Errorf("begun with floor %d and top %v, want %d and %d", h.book.floor, h.book.begun, c.floor, c.want)
				}
			})
		})
	}
}

// The first look has ended when the folder was seen, or when it was in vain.
func TestLooked(t *testing.T) {
	for name, down := range map[string]bool{"up": false, "down": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
				if down {
					h.Down()
				}
				select {
				case <-h.m.Looked():
					t.Error("it has looked before it began")
				default:
				}
				h.quiet(t, time.Second)
				select {
				case <-h.m.Looked():
				default:
					t.Fatal("it has not looked")
				}
				if h.m.Status().Seen.IsZero() != down {
					t.Errorf("status %+v", h.m.Status())
				}
				h.Heal()
				h.quiet(t, 5*time.Minute) // a second look ends no channel twice
				if searches := len(h.said("UID SEARCH")); searches == 0 || strings.Contains(h.log.String(), "panic") {
					t.Errorf("%d searches", searches)
				}
			})
		})
	}
}
