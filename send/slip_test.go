package send

import (
	"bytes"
	"context"
	"fmt"
	"net/mail"
	"strings"
	"testing"
	"time"

	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
)

func (h *house) post(to string) *Slip {
	h.t.Helper()
	s := &Slip{Newsletter: "harbour", Kind: "proof", To: message.Address{Addr: to}, Mail: &message.Mail{
		From: message.Address{Addr: "letter@news.example"}, To: []message.Address{{Addr: to}}, Subject: "Proof 1 of #12: ready",
		Date: time.Now(), AutoSubmitted: "auto-generated", Text: []byte("PROOF 1 OF #12: READY\n")}}
	h.update(func(ctx context.Context, tx *store.Tx) error { return h.q.Post(ctx, tx, s) })
	return s
}

func (h *house) slip(id int64) (state State, attempts int) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT state, attempts FROM slip WHERE id = $1`, id).Scan(&state, &attempts)
	})
	return state, attempts
}

func TestSlip(t *testing.T) {
	h := newHouse(t, 40)
	h.publish(edition("The tide waits.", time.Now()))
	s := h.post("marta@editor.example")
	again := *s
	again.ID = 0
	h.update(func(ctx context.Context, tx *store.Tx) error { return h.q.Post(ctx, tx, &again) })
	if again.ID != s.ID || s.Mail.MessageID == "" {
		t.Errorf("the same slip again is %d beside %d; Message-ID %q", again.ID, s.ID, s.Mail.MessageID)
	}
	for i := range 8 {
		h.post(fmt.Sprintf("editor%d@editor.example", i))
	}
	h.q.Connections = 2
	h.until(20*time.Second, "the run ends", h.done)
	var at []int
	for i, c := range h.script.copies {
		if c.env.To == "marta@editor.example" {
			at = append(at, i)
		}
	}
	if len(at) != 1 || at[0] > 2 {
		t.Fatalf("the slip went at %v of %d", at, len(h.script.copies))
	}
	c := h.script.copies[at[0]]
	h.checkDKIM(c.msg)
	m, err := mail.ReadMessage(bytes.NewReader(c.msg))
	if err != nil || m.Header.Get("Auto-Submitted") == "" || m.Header.Get("Message-ID") != s.Mail.MessageID {
		t.Errorf("%v, header %v", err, m.Header)
	}
	_, token, _ := h.q.Newsletters["harbour"].Pattern.Parse(c.env.From)
	if _, id, ok := h.q.Newsletters["harbour"].Bounced(token); !ok || id != s.ID {
		t.Errorf("MAIL FROM %s names slip %d", c.env.From, id)
	}
	if state, n := h.slip(s.ID); state != Sent || n != 1 {
		t.Errorf("the slip is %s after %d attempts", state, n)
	}
	h.update(func(ctx context.Context, tx *store.Tx) error {
		i, ok, err := h.q.Issued(ctx, tx, "harbour", s.Mail.MessageID)
		if !ok || i.Kind != "proof" || i.Slip != s.ID {
			t.Errorf("issued: %+v, %v", i, ok)
		}
		return err
	})
}

// A slip overtakes the deliveries that are in hand already.
func TestSlipsGoFirst(t *testing.T) {
	e := newHouse(t, 0).q.engine(t.Context())
	for range 10 {
		e.tasks <- &task{}
		e.slips <- &task{slip: true}
		if got := e.pop(t.Context(), 0); got == nil || !got.slip {
			t.Fatal("a delivery went before a slip")
		}
	}
}

func TestSlipIsRetriedAndFails(t *testing.T) {
	simulate(t, 0, func(h *house) {
		h.script.fate = func(e Envelope, try int) Outcome {
			switch {
			case e.To == "gone@editor.example":
				return Outcome{Verdict: Never, Stage: StageRcpt, Code: 550, Enhanced: "5.1.1", Transcript: "550 5.1.1 no"}
			case try < 3:
				return Outcome{Verdict: Later, Stage: StageRcpt, Code: 451, Enhanced: "4.7.1", Transcript: "451 4.7.1 later"}
			}
			return accepted()
		}
		good, bad := h.post("marta@editor.example"), h.post("gone@editor.example")
		h.until(time.Hour, "both are settled", func() bool {
			a, _ := h.slip(good.ID)
			b, _ := h.slip(bad.ID)
			return a == Sent && b == Failed
		})
		if _, n := h.slip(good.ID); n != 3 {
			t.Errorf("%d attempts", n)
		}
	})
}

// A slip that the next hop or the courier will never take stands in nobody's
// way.
func TestPoisonSlip(t *testing.T) {
	simulate(t, 20, func(h *house) {
		big, odd := h.post("big@editor.example"), h.post("odd@editor.example")
		h.script.fate = func(e Envelope, try int) Outcome {
			switch e.To {
			case "big@editor.example":
				return Outcome{Verdict: Never, Stage: StageMail, Code: 552, Enhanced: "5.3.4", Transport: true, Transcript: "552 5.3.4 too big"}
			case "odd@editor.example":
				return Outcome{Verdict: Never, Stage: StageData, Transport: true, Transcript: "not sent: line 7 is too long"}
			}
			return accepted()
		}
		h.publish(edition("The tide waits.", time.Now()))
		h.until(2*time.Hour, "the run ends", h.done)
		h.expectOneEach(20)
		if state, _ := h.slip(odd.ID); state != Failed {
			t.Errorf("the unwritable slip is %s", state)
		}
		if state, n := h.slip(big.ID); state != Deferred || n == 0 {
			t.Errorf("the big slip is %s after %d attempts", state, n)
		}
		h.q.Tick = 5 * time.Minute
		h.until(7*24*time.Hour, "the big slip expires", func() bool { s, _ := h.slip(big.ID); return s == Expired })
	})
}

// Bars 63 and 65 in small: what comes back counts once, and only with a valid
// token and for its own reader.
func TestReturns(t *testing.T) {
	h := newHouse(t, 6)
	h.publish(edition("The tide waits.", time.Now()))
	h.until(20*time.Second, "the run ends", h.done)
	delivery := map[string]int64{}
	n := h.q.Newsletters["harbour"]
	for _, c := range h.script.copies {
		_, token, _ := n.Pattern.Parse(c.env.From)
		delivery[c.env.To], _, _ = n.Bounced(token)
	}
	r := func(i string, kind string, class Class, recipient string) *Return {
		return &Return{Newsletter: "harbour", Delivery: delivery["reader00"+i+"@mail.example"], Kind: kind, Class: class,
			Action: "failed", Status: "5.1.1", Reason: "no such user", Recipient: recipient}
	}
	delayed := r("4", "bounce", ClassHard, "")
	delayed.Action = "delayed"
	h.update(func(ctx context.Context, tx *store.Tx) error {
		for _, r := range []*Return{
			r("0", "bounce", ClassHard, "Reader000@mail.example"), r("0", "bounce", ClassHard, ""), r("0", "bounce", ClassHard, ""),
			r("1", "bounce", ClassHard, "someone@else.example"), // right token, other reader
			r("2", "complaint", ClassComplaint, ""),
			r("3", "bounce", ClassOurs, ""),
			delayed,
			{Newsletter: "harbour", Delivery: 0, Kind: "bounce", Class: ClassHard},                                // no token
			{Newsletter: "other", Delivery: delivery["reader005@mail.example"], Kind: "bounce", Class: ClassHard}, // another newsletter
		} {
			if err := h.q.Returned(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	h.until(20*time.Second, "all are settled", func() bool {
		var open int
		h.update(func(ctx context.Context, tx *store.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT count(*) FROM return WHERE state = 'new'`).Scan(&open)
		})
		return open == 0
	})
	h.update(func(ctx context.Context, tx *store.Tx) error {
		for i, want := range map[string]list.State{"0": list.Suppressed, "1": list.Active, "2": list.Suppressed, "3": list.Active, "4": list.Active, "5": list.Active} {
			s, err := h.list.ByID(ctx, tx, "harbour", h.ids["reader00"+i+"@mail.example"])
			if err != nil || s.State != want {
				t.Errorf("reader %s is %s, want %s (%v)", i, s.State, want, err)
			}
		}
		return nil
	})
	if p := h.progress(); p.Counts[Failed] != 2 || p.Counts[Sent] != 4 {
		t.Errorf("progress %+v", p)
	}
}

// Whether anybody sends is seen by the lease, whose holder may be dead.
func TestManned(t *testing.T) {
	h := newHouse(t, 1)
	e := h.q.engine(t.Context())
	for _, c := range []struct {
		what string
		do   func(ctx context.Context, tx *store.Tx) error
		want bool
	}{
		{"nobody has begun", nil, false}, {"it begins", nil, true},
		{"it is dead", func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE lease SET until = $1 WHERE name LIKE 'send-%'`, store.Micros(tx.Now().Add(-time.Second)))
			return err
		}, false},
	} {
		if c.want {
			if err := e.take(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if c.do != nil {
			h.update(c.do)
		}
		h.update(func(ctx context.Context, tx *store.Tx) error {
			got, err := h.q.Manned(ctx, tx)
			if err != nil || got != c.want {
				t.Errorf("%s: %v, %v", c.what, got, err)
			}
			return nil
		})
	}
}

func TestPublishedAndWaiting(t *testing.T) {
	h := newHouse(t, 3)
	h.publish(edition("The tide waits.", time.Now().Add(time.Hour)))
	h.until(10*time.Second, "rows are prepared", func() bool { return h.progress().Counts[Prepared] == 3 })
	h.update(func(ctx context.Context, tx *store.Tx) error {
		if list, err := h.q.Published(ctx, tx, "harbour"); err != nil || len(list) != 0 {
			t.Errorf("published before its time: %v, %v", list, err)
		}
		w, err := h.q.Waiting(ctx, tx)
		if err != nil || len(w) != 1 || w[0].Count != 3 || w[0].State != Prepared || w[0].Issue != 12 {
			t.Errorf("waiting: %+v, %v", w, err)
		}
		return h.q.Reschedule(ctx, tx, "harbour", 12, tx.Now())
	})
	h.until(20*time.Second, "the run ends", h.done)
	h.update(func(ctx context.Context, tx *store.Tx) error {
		list, err := h.q.Published(ctx, tx, "harbour")
		if err != nil || len(list) != 1 || list[0].Slug != "12-ebb" || list[0].Frozen.IsZero() {
			t.Errorf("published: %+v, %v", list, err)
		}
		e, err := h.q.Page(ctx, tx, "harbour", "12-ebb")
		if err != nil || !strings.Contains(string(e.Web), "tide") {
			t.Errorf("page: %+v, %v", e, err)
		}
		if _, err := h.q.Page(ctx, tx, "harbour", "none"); !store.NotFound(err) {
			t.Errorf("a page that is not there: %v", err)
		}
		return nil
	})
}

// An approval that is voided, held, put off and given again.
func TestHaltBeforeTheSlot(t *testing.T) {
	h := newHouse(t, 5)
	h.publish(edition("The first text.", time.Now().Add(time.Hour)))
	states := func(want EditionState) {
		t.Helper()
		if r := h.progress(); r.State != want {
			t.Errorf("state %s, want %s", r.State, want)
		}
	}
	h.halt(HaltHold)
	states(OnHold)
	h.halt(HaltHold)
	h.halt(HaltResume)
	states(Approved)
	h.halt(HaltWithdraw)
	states(Withdrawn)
	h.halt(HaltResume)
	states(Withdrawn)
	second := edition("The second text.", time.Now())
	h.publish(second)
	h.halt(HaltCancel)
	states(Cancelled)
	third := edition("The third text.", time.Now())
	h.publish(third)
	h.until(20*time.Second, "the run ends", h.done)
	h.expectOneEach(5)
	for _, c := range h.script.copies {
		if !strings.Contains(string(c.msg), "The third text.") {
			t.Errorf("%s has another text", c.env.To)
		}
	}
}
