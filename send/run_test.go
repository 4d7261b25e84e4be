package send

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
	"galley/send/store/storetest"
)

func TestEachReaderGetsOneSignedCopy(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := houseOn(t, db, 120)
		at := time.Now().Add(-time.Second).Truncate(time.Second)
		h.publish(edition("The tide waits.", at))
		h.until(20*time.Second, "the run ends", h.done)
		r := h.progress()
		if r.Total != 120 || r.Counts[Sent] != 120 || len(h.script.copies) != 120 || r.Started.IsZero() || r.Ended.IsZero() {
			t.Errorf("progress %+v, %d copies", r, len(h.script.copies))
		}
		n, seen := h.q.Newsletters["harbour"], map[string]bool{}
		for _, c := range h.script.copies {
			kind, token, ok := n.Pattern.Parse(c.env.From)
			if id, _, good := n.Bounced(token); !ok || kind != KindBounce || !good || id == 0 {
				t.Fatalf("MAIL FROM %q is not a bounce address of ours", c.env.From)
			}
			m, err := mail.ReadMessage(bytes.NewReader(c.msg))
			if err != nil {
				t.Fatal(err)
			}
			if seen[m.Header.Get("Message-ID")] || m.Header.Get("To") != c.env.To {
				t.Fatalf("Message-ID %q, To %q", m.Header.Get("Message-ID"), m.Header.Get("To"))
			}
			seen[m.Header.Get("Message-ID")] = true
			if d, err := m.Header.Date(); err != nil || !d.Equal(at) {
				t.Fatalf("Date %v, want %v (%v)", d, at, err)
			}
			url := strings.Trim(strings.Split(strings.ReplaceAll(m.Header.Get("List-Unsubscribe"), "\r\n", ""), ",")[0], " <>")
			if id, ok := n.Leaver(strings.TrimPrefix(url, "https://news.example/u/")); !ok || id != h.ids[c.env.To] {
				t.Fatalf("%s leads to reader %d, not to %d", url, id, h.ids[c.env.To])
			}
			h.checkIssued(m.Header.Get("Message-ID"), c.env.To)
		}
		h.checkDKIM(h.script.copies[7].msg)
	})
}

func (h *house) checkIssued(messageID, to string) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		i, ok, err := h.q.Issued(ctx, tx, "harbour", messageID)
		if !ok || i.Kind != "delivery" || i.Address != to || i.Issue != 12 || i.Subscriber != h.ids[to] {
			h.t.Errorf("%s is issued as %+v, %v", messageID, i, ok)
		}
		if _, ok, _ := h.q.Issued(ctx, tx, "harbour", strings.Replace(messageID, "<12.", "<13.", 1)); ok {
			h.t.Errorf("a changed Message-ID is taken for ours")
		}
		return err
	})
}

func (h *house) checkDKIM(msg []byte) {
	h.t.Helper()
	results, err := dkim.VerifyWithOptions(bytes.NewReader(msg), &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) {
		return []string{message.TXT(testNewsletter().Signers[0].Key)}, nil
	}})
	if err != nil || len(results) != 1 || results[0].Err != nil {
		h.t.Errorf("DKIM: %v, %+v", err, results)
	}
}

// Bar 24: spellings of one address are one row and one copy, also when an
// issue is published twice.
func TestOneRowAPerson(t *testing.T) {
	h := newHouse(t, 0)
	for _, a := range []string{"ada@bücher.example", " ada@BÜCHER.example", "ada@xn--bcher-kva.example ", "Ada@Bücher.Example", "bo@mail.example"} {
		h.join(a)
	}
	e := edition("The tide waits.", time.Now())
	h.publish(e)
	again := *e
	again.ID = 0
	h.publish(&again)
	if again.ID != e.ID {
		t.Errorf("the second Publish made edition %d beside %d", again.ID, e.ID)
	}
	h.until(20*time.Second, "the run ends", h.done)
	h.publish(&again)
	h.until(10*time.Second, "the run is still done", h.done)
	if n := h.script.perReader(); len(n) != 2 || n["ada@xn--bcher-kva.example"] != 1 || n["bo@mail.example"] != 1 {
		t.Errorf("copies: %v", n)
	}
}

// Nobody joins or leaves unseen between the approval and the slot.
func TestAudienceIsFrozenAtTheSlot(t *testing.T) {
	h := newHouse(t, 10)
	h.publish(edition("The tide waits.", time.Now().Add(time.Hour)))
	h.until(20*time.Second, "ten rows are prepared", func() bool { return h.progress().Counts[Prepared] == 10 })
	h.leave("reader003@mail.example")
	h.join("late@mail.example")
	h.update(func(ctx context.Context, tx *store.Tx) error {
		return h.q.Reschedule(ctx, tx, "harbour", 12, tx.Now())
	})
	h.until(20*time.Second, "the run ends", h.done)
	n := h.script.perReader()
	if len(n) != 10 || n["reader003@mail.example"] != 0 || n["late@mail.example"] != 1 {
		t.Errorf("copies: %v", n)
	}
	if r := h.progress(); r.Counts[Suppressed] != 1 || r.Counts[Sent] != 10 {
		t.Errorf("progress %+v", r)
	}
}

// Bar 36: after the commit of a cancel or a stop at most one further message
// a line is accepted.
func TestHaltInMidRun(t *testing.T) {
	for i, how := range []Halt{HaltCancel, HaltStop, HaltCancel} {
		lines := []int{4, 4, 1}[i]
		t.Run(fmt.Sprint(how, lines), func(t *testing.T) {
			h := newHouse(t, 200)
			h.q.Connections = lines
			var atHalt atomic.Int64
			var once sync.Once
			h.script.after = func(n int) {
				if n < 50 {
					return
				}
				once.Do(func() {
					h.halt(how)
					h.script.mu.Lock()
					defer h.script.mu.Unlock()
					atHalt.Store(int64(len(h.script.copies)))
				})
			}
			h.publish(edition("The tide waits.", time.Now()))
			settled := func() bool {
				r := h.progress()
				return atHalt.Load() > 0 && r.Counts[Claimed] == 0
			}
			h.until(20*time.Second, "it is halted", settled)
			h.until(time.Second, "it stays halted", settled)
			n := len(h.script.copies)
			if further := n - int(atHalt.Load()); further > h.q.Connections {
				t.Errorf("%d further copies after the commit, %d lines", further, h.q.Connections)
			}
			r := h.progress()
			if r.Counts[Sent] != n {
				t.Errorf("%d copies, progress %+v", n, r)
			}
			if lines == 1 && n != int(atHalt.Load()) {
				t.Errorf("a letter whose envelope was out, but not its body, was sent")
			}
			if how == HaltCancel {
				if r.State != Cancelled || r.Counts[Dropped] != 200-n {
					t.Errorf("progress %+v", r)
				}
				return
			}
			if r.State != Paused || r.Waiting() != 200-n {
				t.Errorf("progress %+v", r)
			}
			h.script.after = nil
			h.again()
			h.halt(HaltResume)
			h.until(20*time.Second, "the run ends", h.done)
			h.expectOneEach(200)
		})
	}
}

func (h *house) expectOneEach(readers int) {
	h.t.Helper()
	n := h.script.perReader()
	for a, c := range n {
		if c != 1 {
			h.t.Errorf("%s has %d copies", a, c)
		}
	}
	if len(n) != readers {
		h.t.Errorf("%d readers have a copy, not %d", len(n), readers)
	}
}

// Bar 25 in small: the process dies ten times in mid-run. Nobody is lost, a
// second copy is the same octets, and there are at most lines x kills.
func TestKills(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const readers, kills = 300, 10
		h := houseOn(t, db, readers)
		h.publish(edition("The tide waits.", time.Now()))
		for kill := range kills {
			hard, die := context.WithCancel(t.Context())
			done, stop := make(chan error, 1), len(h.script.copies)+5+kill*3
			h.script.after = func(n int) {
				if n >= stop {
					die()
				}
			}
			go func() { done <- h.q.run(t.Context(), hard) }()
			select {
			case <-hard.Done():
			case <-time.After(20 * time.Second):
				t.Fatalf("kill %d was not reached: %+v", kill, h.progress())
			}
			die()
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("the dead process still runs")
			}
			h.again()
		}
		h.script.after = nil
		h.until(90*time.Second, "the run ends", h.done) // on PostgreSQL the leases of the dead must run out
		sums, duplicates := map[string][32]byte{}, 0
		for _, c := range h.script.copies {
			sum := sha256.Sum256(c.msg)
			if before, ok := sums[c.env.To]; ok {
				duplicates++
				if before != sum {
					t.Errorf("the second copy for %s has other octets", c.env.To)
				}
			}
			sums[c.env.To] = sum
		}
		r := h.progress()
		if len(sums) != readers || r.Counts[Sent] != readers || r.Total != readers {
			t.Errorf("%d readers have a copy; progress %+v", len(sums), r)
		}
		if most := kills * h.q.Connections; duplicates > most {
			t.Errorf("%d duplicates, at most %d may be", duplicates, most)
		}
		t.Logf("%d kills, %d duplicates, %d lost", kills, duplicates, readers-len(sums))
	})
}

// Bar 37: the configuration, the key and the draft change in mid-run, and a
// process starts anew. No body changes, and a new draft is refused.
func TestChangesInMidRunChangeNoBody(t *testing.T) {
	h := newHouse(t, 60)
	e := edition("The tide waits.", time.Now())
	h.publish(e)
	var refused error
	h.script.after = func(n int) {
		if n == 20 {
			other := edition("Another text.", time.Now())
			refused = h.q.DB.Update(t.Context(), func(tx *store.Tx) error { return h.q.Publish(t.Context(), tx, other) })
			h.halt(HaltStop)
		}
	}
	h.until(20*time.Second, "it is stopped", func() bool { r := h.progress(); return r.State == Paused && r.Counts[Claimed] == 0 })
	if refused == nil || !strings.Contains(refused.Error(), "being sent") {
		t.Errorf("a new draft in mid-run: %v", refused)
	}
	h.script.after = nil
	changed := testNewsletter()
	changed.Name, changed.From.Name, changed.Host = "Another name", "Another name", "https://elsewhere.example"
	changed.Signers = changed.Signers[:0]
	h.q.Newsletters = map[string]*Newsletter{"harbour": changed}
	h.again()
	h.halt(HaltResume)
	h.until(20*time.Second, "the run ends", h.done)
	h.expectOneEach(60)
	want := ""
	for _, c := range h.script.copies {
		token := changed.Keys.Mint(purposeReader, h.ids[c.env.To])
		body := strings.ReplaceAll(bodyOf(c.msg), token, "TOKEN")
		if want == "" {
			want = body
		}
		if body != want || !strings.Contains(body, "https://news.example/u/TOKEN") {
			t.Fatalf("the body for %s is\n%s\nnot\n%s", c.env.To, body, want)
		}
	}
}

// A halt counts in memory before its row is on disk.
func TestHaltIsKnownAtOnce(t *testing.T) {
	h := newHouse(t, 1)
	e := edition("The tide waits.", time.Now())
	h.publish(e)
	h.update(func(ctx context.Context, tx *store.Tx) error {
		if err := h.q.Halt(ctx, tx, "harbour", 12, HaltStop); err != nil {
			return err
		}
		if h.q.open(e.ID) {
			t.Error("copies may still begin")
		}
		return nil
	})
	if h.q.learn(map[int64]bool{}, 0) || h.q.open(e.ID) {
		t.Error("an older look at the books overrules the halt")
	}
}

// Stopped half-way, the rest gets the new text; nobody gets both.
func TestTheRestGetsTheNewText(t *testing.T) {
	h := newHouse(t, 80)
	first := edition("The first text.", time.Now())
	h.publish(first)
	h.script.fate = func(e Envelope, try int) Outcome {
		if e.To == "reader005@mail.example" {
			return Outcome{Verdict: Unknown, Stage: StageDot, Transcript: "EOF"}
		}
		return Outcome{Verdict: Accepted, Stage: StageDot, Code: 250}
	}
	h.script.after = func(n int) {
		if n == 40 {
			h.halt(HaltStop)
		}
	}
	h.until(20*time.Second, "it is stopped", func() bool { r := h.progress(); return r.State == Paused && r.Counts[Claimed] == 0 })
	h.script.after = nil
	second := edition("The second text.", time.Now())
	second.Revision = 2
	h.publish(second)
	h.until(20*time.Second, "the run ends", h.done)
	h.expectOneEach(80)
	texts := map[string]int{}
	for _, c := range h.script.copies {
		for _, w := range []string{"first", "second"} {
			if strings.Contains(string(c.msg), "The "+w+" text.") {
				texts[w]++
			}
		}
	}
	r := h.progress()
	if texts["first"] < 40 || texts["first"]+texts["second"] != 80 || r.Counts[Held] != 1 || r.Counts[Sent] != 79 || r.Revision != 2 {
		t.Errorf("texts %v, progress %+v", texts, r)
	}
}

// Bar 35 in small: no MAIL FROM for a reader who left more than a second ago.
func TestWhoLeavesInMidRunGetsNothing(t *testing.T) {
	simulate(t, 150, func(h *house) {
		var left atomic.Pointer[time.Time]
		leavers := map[string]bool{}
		for i := 100; i < 120; i++ {
			leavers[fmt.Sprintf("reader%03d@mail.example", i)] = true
		}
		h.q.Tick = 0
		h.script.fate = func(e Envelope, try int) Outcome {
			if when := left.Load(); when != nil && leavers[e.To] && time.Since(*when) > time.Second {
				t.Errorf("%s had left %v ago", e.To, time.Since(*when))
			}
			return accepted()
		}
		h.script.after = func(n int) {
			if n == 30 {
				for a := range leavers {
					h.leave(a)
				}
				now := time.Now()
				left.Store(&now)
			}
			time.Sleep(100 * time.Millisecond)
		}
		h.publish(edition("The tide waits.", time.Now()))
		h.until(time.Minute, "the run ends", h.done)
		if r := h.progress(); r.Counts[Suppressed] != 20 || r.Counts[Sent] != 130 {
			t.Errorf("progress %+v", r)
		}
	})
}

// A refusal of the address suppresses; a full mailbox does not; refusals of us
// blame nobody, pause the edition and wait for resume (bar 38).
func TestRefusals(t *testing.T) {
	h := newHouse(t, 200)
	blocked := true
	h.script.fate = func(e Envelope, try int) Outcome {
		var n int
		fmt.Sscanf(e.To, "reader%d@", &n)
		switch {
		case n == 1:
			return Outcome{Verdict: Never, Stage: StageRcpt, Code: 550, Enhanced: "5.1.1", Transcript: "550 5.1.1 no such user"}
		case n == 2:
			return Outcome{Verdict: Never, Stage: StageRcpt, Code: 550, Enhanced: "5.2.2", Transcript: "550 5.2.2 mailbox full"}
		case n%20 == 19 && blocked:
			return Outcome{Verdict: Never, Stage: StageDot, Code: 550, Enhanced: "5.7.1", Transcript: "550 5.7.1 listed somewhere"}
		}
		return Outcome{Verdict: Accepted, Stage: StageDot, Code: 250}
	}
	h.publish(edition("The tide waits.", time.Now()))
	h.until(20*time.Second, "it is paused", func() bool { r := h.progress(); return r.State == Paused && r.Counts[Claimed] == 0 })
	r := h.progress()
	if replies := len(h.script.mails); replies > 200 || r.Counts[Failed] != 2 || r.Counts[Deferred] < 5 ||
		strings.Count(r.Reason, "550 5.7.1") != 3 {
		t.Errorf("%d replies, progress %+v", replies, r)
	}
	h.update(func(ctx context.Context, tx *store.Tx) error {
		c, err := h.list.Count(ctx, tx, "harbour")
		if c != (list.Counts{Active: 199, Suppressed: 1}) {
			t.Errorf("the list is %+v", c)
		}
		failures, _ := h.q.Failures(ctx, tx, "harbour", 12)
		if len(failures) < 7 || failures[0].Class != ClassHard && failures[1].Class != ClassHard || failures[0].State != Failed {
			t.Errorf("failures %+v", failures)
		}
		return err
	})
	blocked = false
	h.halt(HaltResume)
	h.until(20*time.Second, "the run ends", h.done)
	if r := h.progress(); r.Counts[Sent] != 198 || r.Counts[Failed] != 2 {
		t.Errorf("progress %+v", r)
	}
}

// Bar 20: a next hop that refuses us for good pauses the issue after three
// tries and fails nobody.
func TestNextHopRefusesUs(t *testing.T) {
	simulate(t, 20, func(h *house) {
		refuse := true
		h.script.begin = func() error {
			if !refuse {
				return nil
			}
			return &Refusal{Outcome{Verdict: Never, Stage: StageAuth, Code: 535, Transcript: "535 5.7.8 wrong password"}}
		}
		h.publish(edition("The tide waits.", time.Now()))
		h.until(time.Hour, "it is paused", func() bool { return h.progress().State == Paused })
		if r := h.progress(); h.script.lines != 3 || r.Waiting() != 20 || !strings.Contains(r.Reason, "535 5.7.8") {
			t.Errorf("%d lines, progress %+v", h.script.lines, r)
		}
		refuse = false
		h.halt(HaltResume)
		h.until(time.Hour, "the run ends", h.done)
		h.expectOneEach(20)
	})
}

// What could not go for more than twelve hours is held, with the reason.
func TestTooLate(t *testing.T) {
	h := newHouse(t, 5)
	h.publish(edition("The tide waits.", time.Now().Add(-13*time.Hour)))
	h.until(10*time.Second, "it is held", func() bool { return h.progress().State == OnHold })
	if r := h.progress(); len(h.script.copies) != 0 || !strings.Contains(r.Reason, "13 hours") {
		t.Errorf("%d copies, reason %q", len(h.script.copies), r.Reason)
	}
}

func TestFencing(t *testing.T) {
	h := newHouse(t, 100)
	h.publish(edition("The tide waits.", time.Now()))
	var once sync.Once
	h.script.after = func(n int) {
		if n == 10 {
			once.Do(func() {
				h.update(func(ctx context.Context, tx *store.Tx) error {
					_, err := tx.ExecContext(ctx, `UPDATE delivery SET epoch = epoch + 100 WHERE state = 'claimed'`)
					return err
				})
			})
		}
	}
	done := make(chan error, 1)
	go func() { done <- h.q.Run(t.Context()) }()
	select {
	case err := <-done:
		if !isFenced(err) {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("Run goes on after another took its claims")
	}
}
