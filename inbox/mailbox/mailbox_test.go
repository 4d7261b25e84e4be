package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"galley/inbox/inboxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is a ledger in memory.
type book struct {
	mu   sync.Mutex
	have map[[2]uint32]string
	err  error
}

func (b *book) Cursor(_ context.Context, validity uint32) (uint32, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var top uint32
	for key := range b.have {
		if key[0] == validity {
			top = max(top, key[1])
		}
	}
	return top, b.err
}

func (b *book) Unknown(_ context.Context, validity uint32, uids []uint32) ([]uint32, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(uids) > 1000 || !slices.IsSorted(uids) {
		return nil, errors.New("more than 1,000 UIDs, or unsorted")
	}
	var list []uint32
	for _, uid := range uids {
		if _, ok := b.have[[2]uint32{validity, uid}]; !ok {
			list = append(list, uid)
		}
	}
	return list, b.err
}

// take notes a batch and fails the test when a message came twice.
func (b *book) take(t *testing.T, batch []Message) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.have == nil {
		b.have = map[[2]uint32]string{}
	}
	for _, msg := range batch {
		key := [2]uint32{msg.UIDValidity, msg.UID}
		if _, twice := b.have[key]; twice {
			t.Errorf("message %v was handed out twice", key)
		}
		b.have[key] = string(msg.Raw)
	}
}

func (b *book) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.have)
}

func letter(n int) []byte {
	return fmt.Appendf(nil, "From: ann@example.org\r\nSubject: letter %d\r\n\r\nbody of letter %d\r\n", n, n)
}

// house is a server, a mailbox on it, and its ledger.
type house struct {
	*inboxtest.Server
	m    *Mailbox
	book *book
	log  *bytes.Buffer
}

func build(t *testing.T, options inboxtest.Options) *house {
	h := &house{Server: inboxtest.New(options), book: &book{}, log: &bytes.Buffer{}}
	h.m = &Mailbox{
		Addr: "imap.example.org:993", Security: Plain, User: "galley", Dial: h.Dial,
		Password: func(context.Context) (string, error) { return "secret", nil },
		Ledger:   h.book, Log: slog.New(slog.NewTextHandler(h.log, nil)),
	}
	return h
}

func (h *house) close() {
	h.m.Close()
	h.Close()
}

// deliver delivers letters from to to.
func (h *house) deliver(t *testing.T, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		if err := h.Deliver("galley", letter(n)); err != nil {
			t.Fatal(err)
		}
	}
}

// next takes one batch within limit.
func (h *house) next(t *testing.T, limit time.Duration) []Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	batch, err := h.m.Next(ctx)
	if err != nil {
		t.Fatalf("Next: %v\n%s", err, h.log)
	}
	h.book.take(t, batch)
	return batch
}

// quiet asserts that there is nothing new for d.
func (h *house) quiet(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	batch, err := h.m.Next(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Next: %d messages, %v", len(batch), err)
	}
}

func (h *house) said(verb string) (list []inboxtest.Command) {
	for _, c := range h.Commands() {
		if strings.HasPrefix(c.Line, verb) {
			list = append(list, c)
		}
	}
	return list
}

// at runs f after d.
func at(d time.Duration, f func()) { time.AfterFunc(d, f) }

// bubble runs a test in fake time.
func bubble(t *testing.T, options inboxtest.Options, f func(t *testing.T, h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, options)
		defer h.close()
		f(t, h)
	})
}

func subjects(batch []Message) (list []string) {
	for _, msg := range batch {
		_, rest, _ := strings.Cut(string(msg.Raw), "Subject: ")
		line, _, _ := strings.Cut(rest, "\r\n")
		list = append(list, line)
	}
	return list
}

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
			low, high := pause(fails, linePause), pause(fails, loginPause)
			if low < firstPause/2 || low > linePause || high > loginPause {
				t.Fatalf("pause after %d faults: %v, %v", fails, low, high)
			}
		}
	}
	if d := pause(0, linePause); d > firstPause {
		t.Errorf("the first pause is %v", d)
	}
	if d := pause(50, loginPause); d < loginPause/2 {
		t.Errorf("a late pause is %v", d)
	}
}

func TestWrongExists(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 2)
		h.next(t, time.Minute)
		at(10*time.Second, func() { h.Say("* 500 EXISTS") })
		at(20*time.Second, func() { h.Say("* 1 EXISTS"); h.deliver(t, 3, 3) })
		h.next(t, 22*time.Second)
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

func TestSizes(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.m.MaxSize = 5 << 20
		body := func(n int) []byte {
			return append([]byte("Subject: big\r\nX: y\r\n\r\n"), bytes.Repeat([]byte("0123456789abcde\n"), n/16)...)
		}
		for _, size := range []int{4 << 20, 4 << 20, 100, 6 << 20, 0} {
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
			t.Errorf("batches of %v messages, want 1 and 4: 8 MiB at once", counts)
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
