package send

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		code     int
		enhanced string
		text     string
		want     Class
	}{
		{250, "2.0.0", "250 ok", ClassNone},
		{550, "5.1.1", "550 5.1.1 no such user", ClassHard},
		{550, "5.1.10", "550 5.1.10 recipient not found", ClassHard},
		{556, "5.1.10", "556 5.1.10 domain has a null MX", ClassDomain},
		{550, "5.2.1", "550 5.2.1 account disabled", ClassHard},
		{553, "5.1.3", "553 5.1.3 bad syntax", ClassHard},
		{550, "", "550 user unknown", ClassHard},
		{551, "", "551 not here", ClassHard},
		{550, "", "550 your message looks like spam", ClassOurs},
		{553, "", "553 sorry, your mail server is on a blocklist", ClassOurs},
		{550, "5.1.1", "550 5.1.1 rejected as spam by Spamhaus", ClassOurs},
		{550, "5.7.1", "550 5.7.1 denied", ClassOurs},
		{550, "5.7.515", "550 5.7.515 authentication", ClassOurs},
		{550, "5.7.26", "550 5.7.26 unauthenticated", ClassOurs},
		{552, "5.3.4", "552 5.3.4 too big", ClassOurs},
		{501, "5.5.4", "501 5.5.4 syntax", ClassOurs},
		{550, "5.6.0", "550 5.6.0 bad content", ClassOurs},
		{554, "", "554 transaction failed, policy", ClassOurs},
		{554, "", "554 no", ClassSoft},
		{550, "5.2.2", "550 5.2.2 mailbox full", ClassSoft},
		{552, "", "552 too many recipients", ClassSoft},
		{552, "5.2.2", "552 5.2.2 over quota", ClassSoft},
		{550, "5.4.4", "550 5.4.4 no route", ClassDomain},
		{550, "", "550-Verification failed for <b@example.org> 550 Sender verify failed", ClassOurs},
		{550, "", "550 unknown sender", ClassOurs},
		{550, "", "550 Sender address rejected: domain does not exist", ClassOurs},
		{550, "", "550 Administrative prohibition", ClassOurs},
		{550, "", "550 Access denied", ClassOurs},
		{550, "", "550 TLS is required here", ClassOurs},
		{550, "", "550 cannot find your hostname", ClassOurs},
		{550, "5.1.0", "550 5.1.0 <b@example.org> sender rejected", ClassOurs},
		{550, "5.1.0", "550 5.1.0 192.0.2.1 is not allowed to send mail", ClassOurs},
		{550, "5.1.1", "550 5.1.1 <ada@readers.example>: Recipient address rejected: User unknown", ClassHard},
		{550, "", "550 <ada@readers.example>: Recipient refused: user unknown", ClassHard},
		{550, "", "550 Requested action not taken: mailbox unavailable", ClassHard},
		{550, "", "550 mailbox is full", ClassSoft},
		{550, "", "550 Quota exceeded", ClassSoft},
		{451, "4.7.1", "451 4.7.1 greylisted", ClassSoft},
		{450, "4.2.2", "450 4.2.2 mailbox full", ClassSoft},
		{450, "", "450 try later", ClassSoft},
	} {
		if got := Classify(c.code, c.enhanced, c.text); got != c.want {
			t.Errorf("%d %q %q: %s, want %s", c.code, c.enhanced, c.text, got, c.want)
		}
	}
}

func TestRetryTable(t *testing.T) {
	first := time.Unix(1_800_000_000, 0)
	for n, want := range map[int]time.Duration{1: 5 * time.Minute, 2: 15 * time.Minute, 4: time.Hour, 7: 8 * time.Hour, 20: 8 * time.Hour} {
		for id := range int64(200) {
			state, due := again(first, first, n, id)
			if d := due.Sub(first); state != Deferred || d < want || d > want+want/10 {
				t.Fatalf("after %d refusals: %s in %v, want %v", n, state, d, want)
			}
		}
	}
	end := first.Add(lifetime)
	if state, due := again(end.Add(-time.Hour), first, 9, 1); state != Deferred || !due.Equal(end) {
		t.Errorf("an hour before the end: %s at %v", state, due)
	}
	if state, due := again(end.Add(-time.Minute), first, 9, 1); state != Deferred || due.Before(end.Add(4*time.Minute)) {
		t.Errorf("a minute before the end: %s at %v", state, due)
	}
	if state, _ := again(end, first, 9, 1); state != Expired {
		t.Errorf("at the end: %s", state)
	}
}

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{}
		if g.width(8) != 1 || !g.enter() || g.enter() || g.width(8) != 0 {
			t.Fatal("at the start one worker may try, and no other")
		}
		g.fine(time.Now())
		if g.width(8) != 8 || !g.enter() || !g.enter() {
			t.Fatal("a line that works opens the gate for all")
		}
		var waits []time.Duration
		for range 6 {
			g.fault(false)
			g.fault(false) // the others broke at the same moment
			start := time.Now()
			for !g.enter() {
				time.Sleep(time.Second)
			}
			waits = append(waits, time.Since(start).Truncate(time.Minute))
		}
		for i, want := range []time.Duration{1, 2, 5, 10, 15, 15} {
			if d := waits[i]; d < want*time.Minute || d > want*time.Minute*11/10 {
				t.Errorf("wait %d is %v, want %d min", i, d, want)
			}
		}
		g.fine(time.Now())
		g.unknown()
		g.unknown()
		if !g.enter() {
			t.Error("two lost replies close the gate")
		}
		g.unknown()
		if g.enter() {
			t.Error("three lost replies in a row do not close the gate")
		}
	})
}

func TestBreaker(t *testing.T) {
	ours := Outcome{Transcript: "550 5.7.1 no"}
	trips := func(total, replies, every int) int {
		b := &breaker{}
		for n := 1; n <= replies; n++ {
			if trip := b.reply(int64(n), "mail.example", ours, every > 0 && n%every == 0, total); trip.reason != "" {
				if trip.provider != "" {
					t.Errorf("%s alone is left alone, and there is no other", trip.provider)
				}
				return n
			}
		}
		return 0
	}
	for _, c := range []struct{ total, replies, every, want int }{
		{10_000, 5000, 0, 0},
		{10_000, 5000, 100, 0}, // one of a hundred: some strict servers
		{10_000, 5000, 20, 100},
		{10_000, 5000, 1, 20},
		{4, 4, 2, 4},    // half of a short list
		{10, 10, 10, 0}, // one of ten
	} {
		if got := trips(c.total, c.replies, c.every); got != c.want {
			t.Errorf("%d readers, every %dth refused: trips at %d, want %d", c.total, c.every, got, c.want)
		}
	}
}

// One reader who is refused again and again is one refusal.
func TestBreakerCountsReaders(t *testing.T) {
	b := &breaker{}
	for range 500 {
		if trip := b.reply(7, "mail.example", Outcome{Transcript: "550 5.7.1 no"}, true, 10_000); trip.reason != "" {
			t.Fatalf("one reader trips it: %s", trip.reason)
		}
	}
}

// Every state is in the tables, and no settled one moves but as they say.
func TestMoves(t *testing.T) {
	for _, s := range []State{Prepared, Pending, Claimed, Sent, Deferred, Failed, Ambiguous, Held, Expired, Suppressed, Dropped} {
		if _, ok := moves[s]; !ok {
			t.Errorf("%s has no row of moves", s)
		}
	}
	for _, c := range []struct {
		from, to State
		legal    bool
	}{{Pending, Claimed, true}, {Claimed, Sent, true}, {Sent, Pending, false}, {Sent, Failed, true}, {Failed, Sent, false},
		{Ambiguous, Claimed, true}, {Ambiguous, Prepared, false}, {Suppressed, Claimed, false}, {Dropped, Prepared, true}} {
		if err := c.from.to(c.to); (err == nil) != c.legal {
			t.Errorf("%s to %s: %v", c.from, c.to, err)
		}
	}
	for how, table := range halts {
		for from, to := range table {
			if err := from.to(to); err != nil {
				t.Errorf("%s: %v", how, err)
			}
		}
	}
}
