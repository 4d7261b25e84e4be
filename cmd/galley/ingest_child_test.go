package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"galley/compose"
	"galley/inbox"
	"galley/send/store"
)

// asIngest makes the test binary take a mailbox in, by the real inbox with the
// whole house behind it, and tell how long that took and how much memory and processor.
const asIngest = "ingest"

// What the process does with letters: they go on to the editor, as ever, or are
// sorted and kept, and no mail comes of them.
const (
	lettersPassed = "passed"
	lettersKept   = "kept"
)

// quietDesk passes no letters on.
type quietDesk struct{ inbox.Desk }

func (quietDesk) Pass(context.Context, *store.Tx, *compose.Letter) error { return nil }

// ingestValidity is the UIDVALIDITY of the mailbox, as servertest makes it.
const ingestValidity = 1000

// topUID is the last message that was stored.
const topUID = `SELECT coalesce(max(cursor), 0) FROM mailbox`

// takeIn is that process: its arguments are the configuration, how many
// messages there are, what is done with letters, and a file for the processor's
// profile.
func takeIn(config, many, letters, profile string) error {
	frugal() // as the daemon is
	cfg, err := Load(config)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	h, err := build(context.Background(), cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	defer h.close()
	want, err := strconv.Atoi(many)
	if err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(profile + "." + letters)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	in := h.inboxes[0]
	in.Again = nil
	if letters == lettersKept {
		in.Desk = quietDesk{in.Desk}
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if err := in.Ledger().Begin(ctx, ingestValidity, 0, 0); err != nil { // all of it came after the first start
		return err
	}
	ended, began := make(chan error, 1), time.Now()
	go func() { ended <- in.Run(ctx) }()
	stored := h.until(`SELECT (`+topUID+`), 0`, want)
	settled := h.until(`SELECT (`+topUID+`), (SELECT count(*) FROM (SELECT 1 FROM message WHERE state = 'new' LIMIT 1) n)`, want)
	took := settled.Sub(began)
	filed := h.until(`SELECT (`+topUID+`), (SELECT count(*) FROM (SELECT 1 FROM arrival WHERE filed = 0 LIMIT 1) n)`, want)
	stop()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return err
	}
	fmt.Println(int64(stored.Sub(began)), int64(took), int64(filed.Sub(began)), peak(), use.Utime.Nano()+use.Stime.Nano())
	return nil
}

// until is when all messages were there and none was left that a query finds.
func (h *house) until(query string, want int) time.Time {
	for {
		var top, left int
		err := h.db.View(context.Background(), func(tx *store.Tx) error {
			return tx.QueryRowContext(context.Background(), query).Scan(&top, &left)
		})
		if err == nil && top >= want && left == 0 {
			return time.Now()
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// peak is the most memory that the process ever had, in octets (proc(5),
// VmHWM).
func peak() int {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kb int
	fmt.Sscan(rest, &kb)
	return kb << 10
}
