package inbox

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"galley/inbox/inboxtest"
	"galley/inbox/mailbox"
	"galley/send"
	"galley/send/store"
)

// BenchmarkIngest takes mail in from a server in memory until it is sorted and
// filed; a message is half a page, with every fourth of 70 KB.
func BenchmarkIngest(b *testing.B) {
	imap := inboxtest.New(inboxtest.Options{})
	defer imap.Close()
	db, err := store.Open(b.Context(), b.TempDir()+"/galley.db")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	desk := &notes{}
	in := &Inbox{DB: db, Folder: "INBOX", Desk: desk, Readers: nobody{}, Door: desk, Returns: desk, Log: slog.New(slog.DiscardHandler),
		Newsletter: &Newsletter{ID: "quiet", Address: rigBox, Zone: time.UTC, Folders: DefaultFolders(),
			Press: &send.Newsletter{ID: "quiet", Pattern: send.Pattern{Mailbox: rigBox}, Keys: send.Keys{Secret: []byte("k")}}}}
	in.Source = &mailbox.Mailbox{Addr: "imap.example:993", Security: mailbox.Plain, User: "galley", Dial: imap.Dial, Ledger: in.Ledger(),
		Password: func(context.Context) (string, error) { return "secret", nil }}
	if err := in.Ledger().Begin(b.Context(), 1, 0, 0); err != nil {
		b.Fatal(err)
	}
	size := 0
	for n := range b.N {
		raw := letterOf(fmt.Sprint("letter ", n))
		if n%4 == 0 {
			raw += strings.Repeat("> a line that was quoted, as mail programs do\n", 1500)
		}
		size += len(raw)
		if err := imap.Deliver("galley", []byte(raw)); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(size / b.N))
	b.ResetTimer()
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- in.Run(ctx) }()
	for {
		desk.mu.Lock()
		done := len(desk.passed) >= b.N
		desk.mu.Unlock()
		if done {
			break
		}
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
	cancel()
	<-ended
}
