package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
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

	since time.Time
	begun [][2]uint32
	floor uint32 // of the last Begin
}

func (b *book) Since(context.Context) (time.Time, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.since, nil
}

func (b *book) Begin(_ context.Context, validity, floor, top uint32) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun = append(b.begun, [2]uint32{validity, top})
	b.floor = floor
	return nil
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
