package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"galley/send/servertest"
	"galley/send/store"
)

// BenchmarkSeen is goal I2: how long after the server has taken a mail it is
// dealt with, over the server's own delay, which a program of a few lines
// measures that idles in a mailbox where nobody takes the mail away. 200 mails
// come one after another. Run it with
//
//	GALLEY_SERVERS=1 go test -run '^$' -bench '^BenchmarkSeen$' -benchtime 1x ./cmd/galley
func BenchmarkSeen(b *testing.B) {
	const mails = 200
	d := servertest.StartDovecot(b, servertest.DovecotOptions{Users: []string{"letter", "other"}})
	h := idling(b, d)
	from, beside := d.Login("letter"), d.Login("other")
	heard := d.Login("other").Listen("INBOX")
	var told, handled []float64
	for n := range mails * b.N {
		mail := fmt.Appendf(nil, "Return-Path: <reader@readers.example>\r\nFrom: reader@readers.example\r\nTo: %s\r\nSubject: mail %d\r\nMessage-ID: <seen.%d@readers.example>\r\n\r\nIt made me smile.\r\n", crashBox, n, n)
		done := make(chan time.Time, 1)
		beside.Append("INBOX", mail)
		beganTelling := time.Now()
		from.Append("INBOX", mail)
		taken := time.Now()
		go func() { done <- h.settledAll(n + 1) }()
		told = append(told, after(b, beganTelling, heard))
		handled = append(handled, after(b, taken, done))
		if last := handled[n]; last > 1000 {
			b.Logf("mail %d, of which the server told after %.0f ms, was written down after %.0f ms and dealt with after %.0f ms", n, told[n], h.storedLast(b).Sub(taken).Seconds()*1000, last)
		}
	}
	slices.Sort(told)
	slices.Sort(handled)
	b.ReportMetric(handled[len(handled)/2]-told[len(told)/2], "over-server-p50-ms")
	for unit, of := range map[string][]float64{"server": told, "handled": handled} {
		b.ReportMetric(of[len(of)/2], unit+"-p50-ms")
		b.ReportMetric(of[len(of)*99/100], unit+"-p99-ms")
	}
}

// storedLast is when the newest message was written down.
func (h *house) storedLast(b *testing.B) time.Time {
	b.Helper()
	var at int64
	err := h.db.View(b.Context(), func(tx *store.Tx) error {
		return tx.QueryRowContext(b.Context(), `SELECT max(received) FROM message`).Scan(&at)
	})
	if err != nil {
		b.Fatal(err)
	}
	return store.Instant(at)
}

// settledAll is when so many mails were dealt with.
func (h *house) settledAll(want int) time.Time {
	for n := 0; ; time.Sleep(2 * time.Millisecond) {
		err := h.db.View(context.Background(), func(tx *store.Tx) error {
			return tx.QueryRowContext(context.Background(), `SELECT count(*) FROM message WHERE state <> 'new'`).Scan(&n)
		})
		if err == nil && n >= want {
			return time.Now()
		}
	}
}

// after is how many milliseconds after an instant something happens.
func after(b *testing.B, began time.Time, at <-chan time.Time) float64 {
	b.Helper()
	select {
	case t := <-at:
		return float64(t.Sub(began).Microseconds()) / 1000
	case <-time.After(time.Minute):
		b.Fatal("nothing happens for a minute")
		return 0
	}
}

// idling is an inbox with the whole house behind it that waits for mail.
func idling(b *testing.B, d *servertest.Dovecot) *house {
	b.Helper()
	config := ingestConfig(b, d, "letter")
	cfg, err := Load(config)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		b.Fatal(err)
	}
	h, err := build(b.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.inboxes[0].Run(ctx) }()
	b.Cleanup(func() {
		stop()
		<-ended
		h.close()
	})
	<-h.boxes[0].Looked() // what came before is nobody's business
	var floor int
	err = h.db.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM mailbox WHERE first > 0`).Scan(&floor)
	})
	if err != nil || floor == 0 {
		b.Fatalf("the mailbox was not opened: %v", err)
	}
	return h
}
