package send

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"galley/send/store"
	"galley/send/store/storetest"
)

// One provider that refuses us is left alone; where others do so too, all wait.
func TestBreakerByProvider(t *testing.T) {
	no := Outcome{Transcript: "550 5.7.1 no"}
	type domain struct {
		name  string
		share int // of a hundred replies
		every int // refuses each so manyth of them; 0: none
	}
	for _, c := range []struct {
		what    string
		domains []domain
		want    string // provider, "all" or ""
	}{
		{"a great one refuses all", []domain{{"gmail.com", 30, 1}, {"small.example", 70, 0}}, "gmail.com"},
		{"a small one refuses all", []domain{{"gmail.com", 98, 0}, {"small.example", 2, 1}}, "small.example"},
		{"a small one refuses a tenth", []domain{{"gmail.com", 90, 0}, {"small.example", 10, 10}}, "small.example"},
		{"it refuses one of a hundred", []domain{{"gmail.com", 50, 50}, {"small.example", 50, 0}}, ""},
		{"two refuse all", []domain{{"gmail.com", 50, 1}, {"outlook.com", 50, 1}}, "all"},
		{"the only one refuses", []domain{{"gmail.com", 100, 20}}, "all"},
	} {
		if got := tripped(func(yield func(string, bool) bool) {
			count := map[string]int{}
			for n := range 5000 {
				at := n * 37 % 100 // the shares come mixed
				for _, d := range c.domains {
					if at -= d.share; at < 0 {
						count[d.name]++
						if !yield(d.name, d.every > 0 && count[d.name]%d.every == 0) {
							return
						}
						break
					}
				}
			}
		}, no); got != c.want {
			t.Errorf("%s: %q is left alone, want %q", c.what, got, c.want)
		}
	}
}

func tripped(replies func(func(string, bool) bool), no Outcome) string {
	b, n := &breaker{}, int64(0)
	for name, ours := range replies {
		n++
		if trip := b.reply(n, name, no, ours, 10_000); trip.provider != "" {
			return trip.provider
		} else if trip.reason != "" {
			return "all"
		}
	}
	return ""
}

func TestProvider(t *testing.T) {
	for addr, want := range map[string]string{
		"ada@gmail.com": "gmail.com", "ada@GoogleMail.com": "gmail.com", "ada@hotmail.co.uk": "outlook.com",
		"ada@mail.example": "mail.example", `"a@gmail.com"@mail.example`: "mail.example",
	} {
		if got := provider(addr); got != want {
			t.Errorf("%s is at %s, want %s", addr, got, want)
		}
	}
	for domain, chief := range providers {
		if providers[chief] != "" {
			t.Errorf("%s leads to %s, which leads on", domain, chief)
		}
	}
}

// A provider refuses us: its readers wait, whatever their number and however
// long, in the same process and after it was killed; all others get their
// copy; nobody is blamed; resume tries them again (bar 38 by provider).
func TestOneProviderRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := houseOn(t, db, 150)
		for n := range 100 {
			h.join(fmt.Sprintf("other%03d@other.example", n))
		}
		refuses := true
		h.script.fate = func(e Envelope, try int) Outcome {
			if refuses && strings.HasSuffix(e.To, "@other.example") {
				return Outcome{Verdict: Never, Stage: StageRcpt, Code: 550, Enhanced: "5.7.1", Transcript: "550 5.7.1 who are you?"}
			}
			return Outcome{Verdict: Accepted, Stage: StageDot, Code: 250}
		}
		h.publish(edition("The tide waits.", time.Now()))
		waits := func() bool {
			r := h.progress()
			return r.Counts[Sent] == 150 && r.Counts[Deferred] == 100 && r.State == Sending
		}
		h.until(30*time.Second, "the others have theirs", waits)
		r, tries := h.progress(), len(h.script.mails)-150
		if tries > 60 || !r.Out || len(r.Refusals) != 1 || r.Parked != 100 || r.Refusals[0].Provider != "other.example" ||
			strings.Count(r.Refusals[0].Reason, "550 5.7.1 who are you?") != 3 {
			t.Errorf("%d tries at the one that refuses, progress %+v", tries, r)
		}
		h.update(func(ctx context.Context, tx *store.Tx) error { // nine days pass, and the process ends
			_, err := tx.ExecContext(ctx, `UPDATE delivery SET due = 0, first = first - 777600000000 WHERE state = 'deferred' AND first > 0`)
			return err
		})
		due := func() (n int) {
			h.update(func(ctx context.Context, tx *store.Tx) error {
				return tx.QueryRowContext(ctx, `SELECT count(*) FROM delivery WHERE state IN ('pending', 'claimed') OR state = 'deferred' AND due = 0`).Scan(&n)
			})
			return n
		}
		h.again()
		h.until(30*time.Second, "all are put off again", func() bool { return due() == 0 })
		if again := len(h.script.mails) - 150; again != tries || !waits() {
			t.Errorf("after nine days %d tries, before %d; progress %+v", again, tries, h.progress())
		}
		refuses = false
		h.halt(HaltResume)
		h.until(30*time.Second, "the run ends", h.done)
		if r := h.progress(); r.Counts[Sent] != 250 || len(r.Refusals) != 0 {
			t.Errorf("progress %+v", r)
		}
	})
}

// A resume that comes while a copy is being put off takes it along: nobody else
// would come for it in the next eight hours.
func TestResumedWhileParked(t *testing.T) {
	h := newHouse(t, 0)
	e := h.waitingRun(2)
	tasks, err := e.claim(t.Context(), 0, 2)
	if err != nil || len(tasks) != 2 {
		t.Fatal(len(tasks), err)
	}
	park := func(task *task) (state State) {
		r := &result{t: task, v: parked(task, "550 5.7.1 no", store.Now()), at: store.Now(), done: make(chan error, 1)}
		if err := e.commitGroup([]*result{r}); err != nil {
			t.Fatal(err)
		}
		h.update(func(ctx context.Context, tx *store.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT state FROM delivery WHERE id = $1`, task.id).Scan(&state)
		})
		return state
	}
	if s := park(tasks[0]); s != Pending {
		t.Errorf("put off after the resume: %s", s)
	}
	h.update(func(ctx context.Context, tx *store.Tx) error {
		return e.leaveAlone(ctx, tx, tasks[1].edition, trip{provider: "mail.example", reason: "550 5.7.1 no"})
	})
	if s := park(tasks[1]); s != Deferred {
		t.Errorf("put off before a resume: %s", s)
	}
}
