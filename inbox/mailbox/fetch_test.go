package mailbox

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"galley/inbox/inboxtest"
)

func TestSizes(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.m.MaxSize = 5 << 20
		body := func(n int) []byte {
			return append([]byte("Subject: big\r\nX: y\r\n\r\n"), bytes.Repeat([]byte("0123456789abcde\n"), n/16)...)
		}
		for _, size := range []int{512 << 10, 512 << 10, 100, 6 << 20, 0} {
			if err := h.Deliver("galley", body(size)); err != nil {
				t.Fatal(err)
			}
		}
		var got []Message
		var counts []int
		for len(got) < 5 {
			batch := h.next(t, time.Minute)
			got, counts = append(got, batch...), append(counts, len(batch))
		}
		if !slices.Equal(counts, []int{1, 4}) {
			t.Errorf("batches of %v messages, want 1 and 4: 1 MiB at once", counts)
		}
		for i, msg := range got {
			head := string(msg.Raw) == "Subject: big\r\nX: y\r\n\r\n"
			if msg.TooBig != (i == 3) || head != (i >= 3) || !msg.TooBig && msg.Size != int64(len(msg.Raw)) {
				t.Errorf("message %d: size %d, %d octets, too big %v", i+1, msg.Size, len(msg.Raw), msg.TooBig)
			}
		}
	})
}

// The library drops a body whose UID stands behind it, and the body in a
// second answer; both with a nil error.
func TestOddFetchAnswers(t *testing.T) {
	odd := map[string]inboxtest.Mangle{
		"uid last":    inboxtest.UIDLast,
		"flags first": inboxtest.FlagsFirst,
		"size alone": func(response string) []string {
			if before, after, ok := strings.Cut(response, "RFC822.SIZE "); ok && strings.Contains(response, " FETCH (UID ") {
				end := strings.IndexAny(after, " )")
				number, rest := after[:end], strings.TrimPrefix(after[end:], " ")
				if strings.HasPrefix(rest, ")") {
					before = strings.TrimSuffix(before, " ")
				}
				head, _, _ := strings.Cut(before, " FLAGS")
				head, _, _ = strings.Cut(head, " INTERNALDATE")
				return []string{before + rest, strings.TrimSuffix(head, " ") + " RFC822.SIZE " + number + ")\r\n"}
			}
			return []string{response}
		},
		"other mail's flags": func(response string) []string {
			if strings.Contains(response, "}\r\n") {
				return []string{"* 1 FETCH (FLAGS (\\Seen))\r\n", "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n", response}
			}
			return []string{response}
		},
	}
	for name, mangle := range odd {
		t.Run(name, func(t *testing.T) {
			bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
				h.deliver(t, 1, 20)
				h.Mangle(mangle)
				for h.book.count() < 20 {
					h.next(t, time.Minute)
				}
				for n := 1; n <= 20; n++ {
					if raw := h.book.have[[2]uint32{1, uint32(n)}]; raw != string(letter(n)) {
						t.Errorf("letter %d is %q", n, raw)
					}
				}
				// An answer without a literal may be placed after the end of the command.
				if n := len(h.said("UID FETCH")); n != 2 && name != "size alone" {
					t.Errorf("%d FETCHes, want 2: %v", n, h.said("UID FETCH"))
				}
			})
		})
	}
}

// A message that does not come whole is asked for again, left out, and found
// when the server is well.
func TestNotWhole(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 3)
		h.Mangle(func(response string) []string {
			if strings.Contains(response, "(UID 2 ") && strings.Contains(response, "BODY[]") {
				return []string{"* 2 FETCH (UID 2 RFC822.SIZE 77 BODY[] NIL)\r\n"}
			}
			return []string{response}
		})
		if got := subjects(h.next(t, time.Minute)); !slices.Equal(got, []string{"letter 1", "letter 3"}) {
			t.Errorf("got %v", got)
		}
		if !strings.Contains(h.log.String(), "did not come whole") {
			t.Errorf("log:\n%s", h.log)
		}
		asked := 0
		for _, c := range h.said("UID FETCH") {
			if strings.Contains(c.Line, "BODY.PEEK[]") {
				asked++
			}
		}
		if asked != rounds {
			t.Errorf("asked %d times", asked)
		}
		h.Heal()
		if got := subjects(h.next(t, 2*time.Hour)); !slices.Equal(got, []string{"letter 2"}) {
			t.Errorf("after the reconcile: %v", got)
		}
	})
}

// A server that estimates RFC822.SIZE does not lose its mail.
func TestEstimatedSize(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 2)
		h.Mangle(func(response string) []string {
			return []string{strings.Replace(response, fmt.Sprintf("RFC822.SIZE %d", len(letter(1))), "RFC822.SIZE 4096", 1)}
		})
		if got := subjects(h.next(t, time.Minute)); len(got) != 2 {
			t.Errorf("got %v", got)
		}
	})
}

// FETCH that ends in NO after some data: what came is kept, the rest is asked
// for one by one.
func TestFetchRefusedAfterData(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 5)
		h.Refuse("FETCH", "SERVERBUG", "some messages could not be read")
		if got := h.next(t, time.Minute); len(got) != 5 {
			t.Errorf("got %v", subjects(got))
		}
	})
}

// One message whose answer the library cannot read ends the connection each
// time. The others come, and it comes when the server is mended.
func TestPoisonedAnswer(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 40)
		h.Mangle(func(response string) []string {
			if strings.Contains(response, "FETCH (UID 17 ") {
				return []string{"* 17 FETCH (UID 17 X-GM-LABELS (a b) RFC822.SIZE 10)\r\n"}
			}
			return []string{response}
		})
		start := time.Now()
		for h.book.count() < 39 {
			h.next(t, 10*time.Minute)
		}
		if d := time.Since(start); d > 5*time.Minute {
			t.Errorf("39 messages took %v", d)
		}
		if _, ok := h.book.have[[2]uint32{1, 17}]; ok {
			t.Error("the poisoned one was handed out")
		}
		h.quiet(t, 20*time.Minute)
		h.Heal()
		if got := subjects(h.next(t, 2*time.Hour)); !slices.Equal(got, []string{"letter 17"}) {
			t.Errorf("after it was mended: %v", got)
		}
	})
}

// The line is cut at any place; nothing is lost, nothing comes twice.
func TestCuts(t *testing.T) {
	for n := int64(0); n < 6000; n += 211 {
		bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
			h.deliver(t, 1, 20)
			h.CutAfter(n)
			for h.book.count() < 20 {
				h.next(t, 5*time.Minute)
			}
		})
	}
}

// Another client expunges while we fetch.
func TestGoneMeanwhile(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 6)
		var once sync.Once
		h.Mangle(func(response string) []string {
			if strings.HasPrefix(response, "* SEARCH") || strings.HasPrefix(response, "* ESEARCH") {
				once.Do(func() { h.Remove("galley", "INBOX", 2, 5) })
				return []string{response}
			}
			return []string{response}
		})
		h.next(t, time.Minute)
		h.quiet(t, 3*time.Hour)
		if h.book.count() == 4 && len(h.said("UID FETCH")) != 2 {
			t.Errorf("what is gone was asked for again: %v", h.said("UID FETCH"))
		}
		if h.book.count() < 4 || strings.Contains(h.log.String(), "out of reach") {
			t.Errorf("%d messages, log:\n%s", h.book.count(), h.log)
		}
	})
}

// What did not fit into a batch was told already: nobody asks for its outline
// again.
func TestOutlinesOnce(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		for range 7 {
			if err := h.Deliver("galley", append(letter(1), bytes.Repeat([]byte("0123456789abcde\n"), 1<<16)...)); err != nil {
				t.Fatal(err)
			}
		}
		for h.book.count() < 7 {
			h.next(t, time.Minute)
		}
		outlines := 0
		for _, c := range h.said("UID FETCH") {
			if strings.Contains(c.Line, "INTERNALDATE") {
				outlines++
			}
		}
		if outlines != 1 || len(h.said("UID FETCH")) != 8 {
			t.Errorf("%d of %d FETCH commands ask for outlines", outlines, len(h.said("UID FETCH")))
		}
	})
}
