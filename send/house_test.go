package send

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
	"galley/send/store/storetest"
)

// copyOf is one message that the scripted next hop took.
type copyOf struct {
	env Envelope
	msg []byte
	at  time.Time
}

// script is a next hop that does what a test says.
type script struct {
	mu     sync.Mutex
	fate   func(env Envelope, try int) Outcome // nil: everything is accepted
	begin  func() error                        // nil: every line can be had
	after  func(n int)                         // called after the n-th accepted message, outside of the lock
	forget bool                                // keeps nothing
	led    func(env Envelope)                  // called when a body goes before its dot
	ending func(last string)                   // called before each final dot, with the recipient before on the line
	tries  map[string]int
	lines  int
	copies []copyOf
	mails  []string // every MAIL FROM with its recipient, in order
}

func (s *script) Line(ctx context.Context) (Line, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines++
	if s.begin != nil {
		if err := s.begin(); err != nil {
			return nil, err
		}
	}
	return &scriptLine{s: s}, nil
}

type scriptLine struct {
	s      *script
	broken bool
	ahead  *Envelope
	ctx    context.Context
	env    Envelope
	msg    Octets
	last   string // whose copy went over this line before
}

func (l *scriptLine) Begin(ctx context.Context, e Envelope, m Octets) (Outcome, bool) {
	if l.broken || l.ahead != nil && *l.ahead != e {
		panic("the line is closed or another envelope was announced")
	}
	l.ctx, l.env, l.msg = ctx, e, m
	if ctx.Err() != nil {
		l.broken = true
		return Outcome{Verdict: Later, Stage: StageMail, Transport: true, Transcript: ctx.Err().Error()}, false
	}
	return Outcome{}, true
}

func (l *scriptLine) Lead() {
	if f := l.s.led; f != nil {
		f(l.env)
	}
}

func (l *scriptLine) End(next *Envelope) Outcome {
	if l.broken {
		panic("a message was ended on a closed line")
	}
	if l.s.ending != nil {
		l.s.ending(l.last)
	}
	l.ahead = next
	var msg []byte
	if !l.s.forget {
		for _, s := range l.msg {
			msg = append(msg, s.Bytes()...)
		}
	}
	o, n := l.s.take(l.env, msg)
	l.broken, l.last = o.Transport || o.Verdict == Unknown, l.env.To
	if n > 0 && l.s.after != nil {
		l.s.after(n)
	}
	return o
}

// take judges one message; n is how many were accepted, 0 if this was not.
func (s *script) take(e Envelope, msg []byte) (o Outcome, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forget {
		return Outcome{Verdict: Accepted, Stage: StageDot, Code: 250, Enhanced: "2.0.0", Transcript: "250 2.0.0 taken"}, 0
	}
	if s.tries == nil {
		s.tries = map[string]int{}
	}
	s.tries[e.To]++
	s.mails = append(s.mails, e.To)
	o = Outcome{Verdict: Accepted, Stage: StageDot, Code: 250, Enhanced: "2.0.0", Transcript: "250 2.0.0 taken"}
	if s.fate != nil {
		o = s.fate(e, s.tries[e.To])
	}
	if o.Verdict == Accepted || o.Verdict == Unknown {
		s.copies = append(s.copies, copyOf{env: e, msg: append([]byte(nil), msg...), at: time.Now()})
		n = len(s.copies)
	}
	return o, n
}

func (l *scriptLine) Reusable() bool { return !l.broken }
func (l *scriptLine) Close() error   { l.broken = true; return nil }

// perReader counts the copies of each reader.
func (s *script) perReader() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := map[string]int{}
	for _, c := range s.copies {
		n[c.env.To]++
	}
	return n
}

// house is a queue on a real database with a list of readers.
type house struct {
	t      testing.TB
	q      *Queue
	script *script
	list   *list.List
	ids    map[string]int64
}

func testNewsletter() *Newsletter {
	key := ed25519.NewKeyFromSeed([]byte("thirty-two octets of test seed!!"))
	return &Newsletter{
		ID: "harbour", Name: "The Harbour Letter", From: message.Address{Name: "The Harbour Letter", Addr: "letter@news.example"},
		Pattern: Pattern{Mailbox: "letter@news.example"}, Keys: Keys{Secret: []byte("thirty-two octets of token secret")},
		Host: "https://news.example", ArchivePath: "/issues",
		Signers: []*message.Signer{{Domain: "news.example", Selector: "e1", Key: key}},
	}
}

func newHouse(t testing.TB, readers int) *house {
	t.Helper()
	return houseOn(t, storetest.Open(t), readers)
}

func houseOn(t testing.TB, db *store.DB, readers int) *house {
	t.Helper()
	h := &house{t: t, script: &script{}, list: &list.List{Key: []byte("a key for hashes of addresses")}, ids: map[string]int64{}}
	h.q = &Queue{DB: db, Courier: h.script, Readers: h.list, Newsletters: map[string]*Newsletter{"harbour": testNewsletter()},
		Connections: 4, Log: slog.New(slog.DiscardHandler)}
	for i := range readers {
		h.join(fmt.Sprintf("reader%03d@mail.example", i))
	}
	return h
}

// again is another process on the same books.
func (h *house) again() {
	h.q = &Queue{DB: h.q.DB, Courier: h.script, Readers: h.list, Newsletters: h.q.Newsletters,
		Connections: h.q.Connections, Tick: h.q.Tick, Log: h.q.Log}
}

func (h *house) update(f func(ctx context.Context, tx *store.Tx) error) {
	h.t.Helper()
	if err := h.q.DB.Update(h.t.Context(), func(tx *store.Tx) error { return f(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) join(addr string) {
	h.t.Helper()
	a, err := list.ParseAddress(addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.update(func(ctx context.Context, tx *store.Tx) error {
		s, _, err := h.list.Add(ctx, tx, "harbour", a, "", tx.Now(), "a test")
		h.ids[s.Address.String()] = s.ID
		return err
	})
}

func (h *house) leave(addr string) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		_, err := h.list.Leave(ctx, tx, "harbour", h.ids[addr], "a test")
		return err
	})
}

// edition is issue 12 with some words in it.
func edition(words string, at time.Time) *Edition {
	sum := sha256.Sum256([]byte(words))
	return &Edition{
		Newsletter: "harbour", Issue: 12, Revision: 1, Digest: hex.EncodeToString(sum[:]), Slug: "12-ebb", Title: "Ebb",
		Subject: "#12 Ebb", HTML: []byte("<p>" + words + "</p><a href=\"" + message.SlotUnsubscribe + "\">Leave</a>"),
		Text: []byte(words + "\n\nLeave: " + message.SlotUnsubscribe + "\n"), Web: []byte("<p>" + words), SendAt: at,
	}
}

func (h *house) publish(e *Edition) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error { return h.q.Publish(ctx, tx, e) })
}

func (h *house) halt(how Halt) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error { return h.q.Halt(ctx, tx, "harbour", 12, how) })
}

func (h *house) progress() *Run {
	h.t.Helper()
	var r *Run
	err := h.q.DB.View(h.t.Context(), func(tx *store.Tx) (err error) {
		r, err = h.q.Progress(h.t.Context(), tx, "harbour", 12)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if r != nil {
		sum := 0
		for n := range maps.Values(r.Counts) {
			sum += n
		}
		if sum != r.Total {
			h.t.Fatalf("counts %v do not add up to %d", r.Counts, r.Total)
		}
	}
	return r
}

// until runs the queue until the condition holds, for at most d.
func (h *house) until(d time.Duration, what string, ok func() bool) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- h.q.Run(ctx) }()
	defer func() { // also when the wait fails: a bubble ends with its goroutines
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("Run: %v", err)
		}
	}()
	h.wait(d, what, ok)
}

// wait waits for a condition, by polling.
func (h *house) wait(d time.Duration, what string, ok func() bool) {
	h.t.Helper()
	poll := 10 * time.Millisecond
	if h.q.Tick > 0 {
		poll = h.q.Tick
	}
	for end := time.Now().Add(d); !ok(); time.Sleep(poll) {
		if time.Now().After(end) {
			h.t.Fatalf("not in %v: %s. Progress: %+v", d, what, h.progress())
		}
	}
}

func (h *house) done() bool {
	r := h.progress()
	return r != nil && r.State == Done
}

// bodies gives the hash of each copy's body, whatever the reader's own link.
func bodyOf(msg []byte) string {
	_, body, _ := strings.Cut(string(msg), "\r\n\r\n")
	return body
}
