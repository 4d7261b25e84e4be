package relay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"galley/send"
	"galley/send/list"
	"galley/send/message"
	"galley/send/sendtest"
	"galley/send/store"
	"galley/send/store/storetest"
)

// wide opens a line with a window to a sink that takes chunks.
func wide(t testing.TB, opt sendtest.Options, window int) (*sendtest.Sink, send.Wide) {
	opt.Chunking = true
	s, r := sink(t, opt)
	r.Window = window
	return s, open(t, r).(send.Wide)
}

// Outcomes come in the order of the messages, whatever happens to each: bars 18
// and 19 with a window.
func TestWindow(t *testing.T) {
	s, l := wide(t, sendtest.Options{}, 8)
	if l.Window() != 8 {
		t.Fatalf("window %d", l.Window())
	}
	whom := []string{"ann@example.org", "550+bo@example.org", "450+cy@example.org", "dot552+dee@example.org", "eve@example.org", "full+fay@example.org", "gus@example.org"}
	want := []send.Verdict{send.Accepted, send.Never, send.Later, send.Never, send.Accepted, send.Later, send.Accepted}
	for round := range 3 {
		for _, a := range whom {
			if o, ok := l.Push(t.Context(), to(a), send.Whole(letter(".x\r\n..\r\n.\r\n"+a))); !ok {
				t.Fatal(o)
			}
		}
		for i, a := range whom {
			if o := l.Pull(); o.Verdict != want[i] || o.Transport {
				t.Errorf("round %d, %s: %+v", round, a, o)
			}
		}
	}
	got := s.Messages()
	if len(got) != 9 || string(got[1].Octets) != string(letter(".x\r\n..\r\n.\r\neve@example.org")) {
		t.Errorf("%d messages", len(got))
	}
	if o := l.Pull(); o.Verdict != send.Later || !o.Transport {
		t.Errorf("nothing is on its way: %+v", o)
	}
}

// The window is one where the next hop lacks what it needs.
func TestNoWindow(t *testing.T) {
	for name, change := range map[string]func(*Relay, *sendtest.Options){
		"no CHUNKING":   func(_ *Relay, o *sendtest.Options) { o.Chunking = false },
		"no PIPELINING": func(_ *Relay, o *sendtest.Options) { o.NoPipelining = true },
		"not asked for": func(r *Relay, _ *sendtest.Options) { r.Window = 0 },
		"LMTP":          func(r *Relay, o *sendtest.Options) { r.LMTP, o.LMTP = true, true },
	} {
		r, opt := &Relay{Window: 8}, sendtest.Options{Chunking: true}
		change(r, &opt)
		_, at := sink(t, opt)
		r.Addr, r.Security = at.Addr, Plain
		if n := open(t, r).(send.Wide).Window(); n != 1 {
			t.Errorf("%s: window %d", name, n)
		}
	}
}

// A line that breaks leaves open what has left wholly and has no reply, and
// what a 421 or a refusal speaks of is not open.
func TestWindowBreaks(t *testing.T) {
	for name, c := range map[string]struct {
		answers string // of the server to four messages
		want    []send.Verdict
	}{
		"gone":       {"250 a\r\n250 b\r\n250 c\r\n250 d\r\n250 a\r\n", []send.Verdict{send.Accepted, send.Unknown, send.Unknown, send.Unknown}},
		"421":        {"250 a\r\n250 b\r\n250 c\r\n250 d\r\n250 a\r\n421 enough\r\n", []send.Verdict{send.Accepted, send.Later, send.Later, send.Later}},
		"421 behind": {"250 a\r\n250 b\r\n250 c\r\n421 no more\r\n", []send.Verdict{send.Later, send.Later, send.Later, send.Later}},
		"refused":    {"250 a\r\n250 b\r\n550 5.1.1 nobody\r\n", []send.Verdict{send.Never, send.Unknown, send.Unknown, send.Unknown}},
		"garbage":    {"250 a\r\n250 b\r\n250 c\r\nhello\r\n", []send.Verdict{send.Unknown, send.Unknown, send.Unknown, send.Unknown}},
		"354":        {"250 a\r\n250 b\r\n250 c\r\n354 go\r\n", []send.Verdict{send.Unknown, send.Unknown, send.Unknown, send.Unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			r := scripted(t, func(conn net.Conn) {
				in := bufio.NewReader(conn)
				fmt.Fprint(conn, "220 raw\r\n")
				in.ReadString('\n')
				fmt.Fprint(conn, "250-raw\r\n250-PIPELINING\r\n250 CHUNKING\r\n")
				for range 4 {
					for range 4 {
						in.ReadString('\n')
					}
					io.CopyN(io.Discard, in, int64(len(letter("x"))))
				}
				fmt.Fprint(conn, c.answers)
			})
			r.Window = 8
			l := open(t, r).(send.Wide)
			for range 4 {
				if o, ok := l.Push(t.Context(), to("ann@example.org"), send.Whole(letter("x"))); !ok {
					t.Fatal(o)
				}
			}
			for i, want := range c.want {
				if o := l.Pull(); o.Verdict != want {
					t.Errorf("message %d: %+v, want %s", i, o, want)
				}
			}
			if l.Reusable() {
				t.Error("the line can be used again")
			}
		})
	}
}

// What cannot be written to its end is nobody's, and what was written before it
// is still heard of.
func TestWindowCut(t *testing.T) {
	r := scripted(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		fmt.Fprint(conn, "220 raw\r\n")
		in.ReadString('\n')
		fmt.Fprint(conn, "250-raw\r\n250-PIPELINING\r\n250 CHUNKING\r\n")
		for range 4 {
			in.ReadString('\n')
		}
		io.CopyN(io.Discard, in, int64(len(letter("x"))))
		fmt.Fprint(conn, "250 a\r\n250 b\r\n250 c\r\n250 d\r\n")
		in.ReadString('\n') // and reads no more
		time.Sleep(400 * time.Millisecond)
	})
	r.Window, r.Limits.Block, r.Limits.Final = 8, 200*time.Millisecond, 300*time.Millisecond
	l := open(t, r).(send.Wide)
	big := append(letter("x"), strings.Repeat("All the tides of a year.\r\n", 1<<20)...)
	for _, m := range [][]byte{letter("x"), big} {
		if o, ok := l.Push(t.Context(), to("ann@example.org"), send.Whole(m)); !ok {
			t.Fatal(o)
		}
	}
	if o, ok := l.Push(t.Context(), to("ann@example.org"), send.Whole(letter("x"))); ok || o.Verdict != send.Later || l.Reusable() {
		t.Errorf("a third on a line that is sick: %+v", o)
	}
	if o := l.Pull(); o.Verdict != send.Accepted {
		t.Errorf("the first: %+v", o)
	}
	if o := l.Pull(); o.Verdict != send.Later || !o.Transport {
		t.Errorf("the second: %+v", o)
	}
}

// A whole run over windows, with refusals and lines that break: nobody is lost,
// and second copies follow broken lines alone, a window's worth at most.
func TestRunWithWindows(t *testing.T) {
	const readers, window = 300, 16
	var broken atomic.Bool
	s, r := sink(t, sendtest.Options{Keep: sendtest.KeepDigests, Chunking: true, Fault: func(at sendtest.Step) sendtest.Fault {
		// The first line that comes so far: nobody knows how they share the work.
		if at.Stage == sendtest.StageDot && at.Message >= 40 && broken.CompareAndSwap(false, true) {
			return sendtest.Fault{Close: true, Take: true}
		}
		return sendtest.Fault{}
	}})
	r.Window, r.MaxMessages = window, 1000
	q := runQueue(t, &Pool{Hops: []Hop{{Courier: r}}}, func(i int) string {
		if i%50 == 7 {
			return fmt.Sprintf("550+reader%03d@mail.example", i)
		}
		return fmt.Sprintf("reader%03d@mail.example", i)
	}, readers)
	counts := runUntil(t, q, func(c map[send.State]int) bool { return c[send.Sent]+c[send.Failed]+c[send.Ambiguous] == readers })
	// One who is refused may have been on the line that broke, and is in doubt then.
	var refused, doubtful int
	err := q.DB.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT count(CASE state WHEN 'failed' THEN 1 END), count(CASE state WHEN 'ambiguous' THEN 1 END)
			FROM delivery WHERE address LIKE '550+%'`).Scan(&refused, &doubtful)
	})
	if err != nil || refused != counts[send.Failed] || refused+doubtful != readers/50 {
		t.Errorf("%d refused and %d in doubt of %d whom next hop refuses; %v", refused, doubtful, readers/50, err)
	}
	if !broken.Load() || counts[send.Ambiguous] == 0 || counts[send.Ambiguous] > window {
		t.Errorf("%v, a line broke: %t", counts, broken.Load())
	}
	taken := map[string]int{}
	for _, m := range s.Messages() {
		taken[m.To[0]]++
	}
	for who, n := range taken {
		if n != 1 {
			t.Errorf("%s was sent %d", who, n)
		}
	}
	if len(taken) < readers-counts[send.Failed]-counts[send.Ambiguous] {
		t.Errorf("%d readers have a copy, %v", len(taken), counts)
	}
}

// runQueue is a queue with an issue for so many readers.
func runQueue(t *testing.T, over send.Courier, address func(i int) string, readers int) *send.Queue {
	t.Helper()
	db, people := storetest.Open(t), &list.List{Key: []byte("a key for hashes of addresses")}
	n := &send.Newsletter{ID: "bench", Name: "Bench", From: message.Address{Addr: "letter@news.example"},
		Pattern: send.Pattern{Mailbox: "letter@news.example"}, Keys: send.Keys{Secret: []byte("thirty-two octets of token secret")}, Host: "https://news.example"}
	q := &send.Queue{DB: db, Readers: people, Newsletters: map[string]*send.Newsletter{"bench": n}, Connections: 2, Courier: over, Log: slog.New(slog.DiscardHandler)}
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		for i := range readers {
			a, err := list.ParseAddress(address(i))
			if err != nil {
				return err
			}
			if _, _, err := people.Add(t.Context(), tx, "bench", a, "", tx.Now(), "a test"); err != nil {
				return err
			}
		}
		return q.Publish(t.Context(), tx, &send.Edition{Newsletter: "bench", Issue: 1, Revision: 1, Digest: "d", Slug: "1", Subject: "#1",
			HTML: []byte(message.SlotUnsubscribe), Text: []byte(message.SlotUnsubscribe), SendAt: tx.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// runUntil runs a queue until its issue's counts are as they shall be.
func runUntil(t *testing.T, q *send.Queue, ok func(map[send.State]int) bool) (counts map[send.State]int) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	for done := false; !done && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		err := q.DB.View(ctx, func(tx *store.Tx) error {
			r, err := q.Progress(ctx, tx, "bench", 1)
			if err == nil {
				counts = r.Counts
				done = ok(counts)
			}
			return err
		})
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return counts
}
