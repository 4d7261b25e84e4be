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
// measures that idles in the same mailbox. 200 mails come one after another.
// Run it with
//
//	GALLEY_SERVERS=1 go test -run '^$' -bench '^BenchmarkSeen$' -benchtime 1x ./cmd/galley
func BenchmarkSeen(b *testing.B) {
	const mails = 200
	d := servertest.StartDovecot(b, servertest.DovecotOptions{Users: []string{"letter"}})
	h := idling(b, d)
	from, ear := d.Login("letter"), d.Login("letter")
	heard := ear.Listen("INBOX")
	var told, handled, over []float64
	for n := range mails * b.N {
		from.Append("INBOX", fmt.Appendf(nil, "Return-Path: <reader@readers.example>\r\nFrom: reader@readers.example\r\nTo: %s\r\nSubject: mail %d\r\nMessage-ID: <seen.%d@readers.example>\r\n\r\nIt made me smile.\r\n", crashBox, n, n))
		taken := time.Now()
		done := make(chan time.Time, 1)
		go func() {
			done <- h.until(`SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM message WHERE state = 'new')`, n+1)
		}()
		t, w := (<-heard).Sub(taken).Seconds(), (<-done).Sub(taken).Seconds()
		told, handled, over = append(told, t), append(handled, w), append(over, w-t)
	}
	for unit, of := range map[string][]float64{"server": told, "handled": handled, "over-server": over} {
		slices.Sort(of)
		b.ReportMetric(1000*of[len(of)/2], unit+"-p50-ms")
		b.ReportMetric(1000*of[len(of)*99/100], unit+"-p99-ms")
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
