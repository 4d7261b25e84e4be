package relay

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"galley/send"
	"galley/send/list"
	"galley/send/message"
	"galley/send/sendtest"
	"galley/send/store"
	"galley/send/store/storetest"
)

// BenchmarkAgainst is goals S1 and S3: a whole run, each result on disk before
// its line's next message, against Postfix's smtp-source and the go-smtp
// client, which keep no books; one after the other over and over, to the same
// kind of sink, 50 lines each. The metrics are medians of messages a second,
// and Galley's speed in terms of the others'.
func BenchmarkAgainst(b *testing.B) {
	const copies, lines = 3000, 50
	msg := issue()
	var galley, source, client []float64
	for b.Loop() {
		galley = append(galley, rate(b, copies, func(addr string) { sendRun(b, addr, copies, lines) }))
		client = append(client, rate(b, copies, func(addr string) { sendGoSMTP(b, addr, msg, copies, lines) }))
		if path := smtpSource(); path != "" {
			source = append(source, rate(b, copies, func(addr string) { sendSource(b, path, addr, msg, copies, lines) }))
		}
	}
	b.ReportMetric(median(galley), "galley-msg/s")
	b.ReportMetric(median(client), "go-smtp-msg/s")
	b.ReportMetric(median(galley)/median(client), "x-go-smtp")
	if len(source) > 0 {
		b.ReportMetric(median(source), "smtp-source-msg/s")
		b.ReportMetric(median(galley)/median(source), "x-smtp-source")
	}
}

// rate measures one sender against a sink of its own.
func rate(b *testing.B, copies int64, run func(addr string)) float64 {
	b.Helper()
	s, err := sendtest.Start("127.0.0.1:0", sendtest.Options{Keep: sendtest.KeepCounts})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var first, last time.Time
	var mu sync.Mutex
	s.OnAccept(func(sendtest.Accepted) {
		mu.Lock()
		defer mu.Unlock()
		if last = time.Now(); first.IsZero() {
			first = last
		}
	})
	run(s.Addr())
	if n := s.Stats().Messages; n != copies {
		b.Fatalf("%d of %d messages arrived", n, copies)
	}
	return float64(copies) / last.Sub(first).Seconds()
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// sendRun sends an issue with its books. With signers its copies are signed
// ahead of their time.
func sendRun(b *testing.B, addr string, copies, lines int, signers ...*message.Signer) {
	db, people := storetest.Open(b), &list.List{Key: []byte("a key for hashes of addresses")}
	n := &send.Newsletter{ID: "bench", Name: "Bench", From: message.Address{Addr: "letter@news.example"},
		Pattern: send.Pattern{Mailbox: "letter@news.example"}, Keys: send.Keys{Secret: []byte("thirty-two octets of token secret")}, Host: "https://news.example", Signers: signers}
	q := &send.Queue{DB: db, Readers: people, Newsletters: map[string]*send.Newsletter{"bench": n}, Connections: lines,
		Courier: &Relay{Addr: addr, Security: Plain}, Log: slog.New(slog.DiscardHandler)}
	words := bytes.Repeat([]byte("<p>The tide waits for nobody – but a letter does.</p>\n"), 880)
	words = append(words, []byte(message.SlotUnsubscribe)...)
	at := store.Now().Truncate(time.Second)
	if len(signers) > 0 { // the date is signed too, so the time must be known before
		at = at.Add(5*time.Second + time.Duration(copies)*4*time.Millisecond)
	}
	err := db.Update(b.Context(), func(tx *store.Tx) error {
		for i := range copies {
			a, err := list.ParseAddress(fmt.Sprintf("reader%05d@mail.example", i))
			if err != nil {
				return err
			}
			if _, _, err := people.Add(b.Context(), tx, "bench", a, "", tx.Now(), "a test"); err != nil {
				return err
			}
		}
		return q.Publish(b.Context(), tx, &send.Edition{Newsletter: "bench", Issue: 1, Revision: 1, Digest: "d", Slug: "1", Subject: "#1",
			HTML: words, Text: []byte(message.SlotUnsubscribe), SendAt: at})
	})
	if err != nil {
		b.Fatal(err)
	}
	if len(signers) > 0 {
		if err := q.SignAhead(b.Context(), "bench", 1, func(int) {}); err != nil || store.Now().After(at) {
			b.Fatal("not signed in time: ", err)
		}
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	for done := false; !done; time.Sleep(20 * time.Millisecond) {
		err := db.View(ctx, func(tx *store.Tx) error {
			// One row is looked at: counting all would be a good part of what is measured.
			return tx.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM edition WHERE state <> 'done')`).Scan(&done)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

func sendGoSMTP(b *testing.B, addr string, msg []byte, copies, lines int) {
	var wg sync.WaitGroup
	for range lines {
		wg.Go(func() {
			c, err := smtp.Dial(addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			for range copies / lines {
				if err := sendtest.Yard(c, msg); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// smtpSource finds Postfix's load generator, "" where it is not installed.
func smtpSource() string {
	for _, path := range []string{"/usr/sbin/smtp-source", "/usr/local/sbin/smtp-source"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

func sendSource(b *testing.B, path, addr string, msg []byte, copies, lines int) {
	file := filepath.Join(b.TempDir(), "issue")
	if err := os.WriteFile(file, bytes.ReplaceAll(msg, []byte("\r\n"), []byte("\n")), 0o644); err != nil {
		b.Fatal(err)
	}
	out, err := exec.Command(path, "-d", "-s", fmt.Sprint(lines), "-m", fmt.Sprint(copies), "-F", file, "-M", "bench.example",
		"-f", "letter@news.example", "-t", "ann@example.org", addr).CombinedOutput()
	if err != nil {
		b.Fatalf("smtp-source: %v %s", err, out)
	}
}
