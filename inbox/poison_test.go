package inbox

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"galley/inbox/inboxtest"
	"galley/send/store"
)

// Poison among good mail (bar 53): what cannot be read is set aside whole, the
// others are dealt with in order, the editor is told once a day, and a restart
// does not begin again.
func TestPoison(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		const mails, every = 1000, 20
		tries, release := map[string]int{}, make(chan struct{})
		defer close(release)
		r.desk.lookups = func(ctx context.Context, name string) ([]string, error) {
			r.desk.mu.Lock()
			tries[name]++
			r.desk.mu.Unlock()
			switch {
			case strings.HasPrefix(name, "stall"):
				<-release // a parser that hangs does not look at its deadline
			case strings.HasPrefix(name, "hog"):
				hog(ctx, release)
			}
			panic("a parser's mistake")
		}
		r.start()
		var want []string
		for i := range mails {
			switch {
			case i%every == 0 && i < 2*every:
				r.deliver(poison("stall", i))
			case i%every == 0 && i < 4*every:
				r.deliver(poison("hog", i))
			case i%every == 0:
				r.deliver(poison("panic", i))
			default:
				want = append(want, fmt.Sprintf("letter %d", i))
				r.deliver(letterOf(want[len(want)-1]))
			}
		}
		time.Sleep(time.Hour)
		if !slices.Equal(r.passed(), want) {
			t.Errorf("%d letters passed on, want %d in order", len(r.passed()), len(want))
		}
		if n := r.rows("state = 'quarantine'"); n != mails/every {
			t.Errorf("%d in quarantine, want %d", n, mails/every)
		}
		list, err := r.imap.Messages("galley", "Galley/Quarantine")
		if err != nil || len(list) != mails/every {
			t.Errorf("%d in Galley/Quarantine: %v", len(list), err)
		}
		r.end()
		r.start()
		time.Sleep(25 * time.Hour)
		for name, n := range tries {
			if n > maxTries {
				t.Errorf("%s was tried %d times", name, n)
			}
		}
		told := 0
		for _, list := range r.aside() {
			told += len(list)
		}
		if told != mails/every || len(r.aside()) > 2 {
			t.Errorf("told of %d mails in %d mails", told, len(r.aside()))
		}
	})
}

// hog takes more and more memory until it is given up, and lets go of it.
func hog(ctx context.Context, release <-chan struct{}) {
	var all [][]byte
	for ctx.Err() == nil {
		all = append(all, make([]byte, 1<<20))
		select {
		case <-time.After(time.Second):
		case <-release:
			return
		}
	}
	runtime.KeepAlive(all)
}

// poison is a mail in the editor's name whose signature leads the reader into
// a trap.
func poison(trap string, n int) string {
	return fmt.Sprintf("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=ines.example; s=%s%d; h=from:to:subject:date;\n bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\nFrom: ines@ines.example\nTo: %s\nSubject: poison %d\n\nhello\n", trap, n, rigBox, n)
}

// What a mail asks and can never be written down holds up nobody, and ends.
func TestEffectThatAlwaysFails(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.breaks("bad")
		r.start()
		r.deliver(letterOf("bad"))
		r.deliver(letterOf("good"))
		time.Sleep(time.Minute)
		if !slices.Equal(r.passed(), []string{"good"}) {
			t.Errorf("passed on: %q", r.passed())
		}
		time.Sleep(6 * time.Hour)
		r.holds("Galley/Quarantine", "bad")
		if n := r.rows(fmt.Sprintf("state = 'quarantine' AND faults = %d AND tries <= 1 AND reason LIKE '%%in %d tries'", maxFaults, maxFaults)); n != 1 || maxFaults != 16 {
			t.Errorf("%d mails were set aside after %d faults of the books", n, maxFaults)
		}
		if len(r.aside()) != 1 || len(r.aside()[0]) != 1 || !strings.Contains(r.aside()[0][0].Why, "could not be written down") {
			t.Errorf("told: %+v", r.aside())
		}
	})
}

// A passing fault of the books costs nothing.
func TestEffectThatFailsForAWhile(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.breaks("late")
		r.start()
		r.deliver(letterOf("late"))
		time.Sleep(10 * time.Minute)
		r.breaks()
		time.Sleep(time.Hour)
		r.holds("Galley/Letters", "late")
		if !slices.Equal(r.passed(), []string{"late"}) {
			t.Errorf("passed on: %q", r.passed())
		}
	})
}

// A fault of the books while it is decided what a mail is, is not the mail's:
// it is tried sixteen times, in ever longer pauses, and the others go on.
func TestBooksFailWhileDeciding(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		const id = "<bad@readers.example>"
		r.desk.blind = map[string]int{id: 0}
		r.start()
		r.deliver(letterOf("bad"))
		r.deliver(letterOf("good"))
		time.Sleep(10 * time.Minute)
		if !slices.Equal(r.passed(), []string{"good"}) || r.rows("state = 'new' AND tries = 0 AND faults > 3") != 1 {
			t.Errorf("passed on %q, and the other is no longer tried", r.passed())
		}
		time.Sleep(6 * time.Hour)
		r.desk.mu.Lock()
		tries := r.desk.blind[id]
		r.desk.mu.Unlock()
		if tries < maxFaults || tries > maxFaults+1 || maxFaults != 16 { // once more when it shared its first window
			t.Errorf("tried %d times", tries)
		}
		if r.rows("state = 'quarantine' AND reason LIKE '%in 16 tries'") != 1 {
			t.Error("it was not set aside")
		}
		r.told(1, "could not be written down in 16 tries")
	})
}

// The books fail for a while, and nothing is lost.
func TestBooksFailForAWhile(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.desk.blind = map[string]int{"<late@readers.example>": 0}
		r.start()
		r.deliver(letterOf("late"))
		time.Sleep(10 * time.Minute)
		r.desk.mu.Lock()
		r.desk.blind = nil
		r.desk.mu.Unlock()
		time.Sleep(time.Hour)
		r.holds("Galley/Letters", "late")
		if !slices.Equal(r.passed(), []string{"late"}) {
			t.Errorf("passed on: %q", r.passed())
		}
	})
}

// A mail that kills the program while it is read is set aside whole after
// three tries, and never read again; the editors are told once.
func TestMailThatKills(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		deaths := 0
		dying := make(chan struct{}, 10)
		r.desk.lookups = func(ctx context.Context, name string) ([]string, error) {
			dying <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		}
		r.start()
		r.deliver(poison("death", 1))
		r.deliver(letterOf("good"))
		for range maxTries + 2 {
			select {
			case <-dying:
				deaths++
				r.end()
				// A program that is told to stop takes its try back; one that is
				// killed does not.
				r.change(`UPDATE message SET tries = tries + 1, due = 0 WHERE state = 'new' AND id = 1`)
				r.start()
			case <-time.After(time.Minute):
			}
		}
		if deaths != maxTries || maxTries != 3 {
			t.Errorf("read %d times, want 3", deaths)
		}
		if r.rows("state = 'quarantine' AND reason = 'could not be read in 3 tries'") != 1 {
			t.Error("it was not set aside")
		}
		time.Sleep(49 * time.Hour)
		r.holds("Galley/Quarantine", "poison 1")
		r.holds("Galley/Letters", "good")
		r.told(1, "could not be read in 3 tries")
	})
}

// Mails that are set aside one after the other are told in one mail a day.
func TestToldOnceADay(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.desk.lookups = func(context.Context, string) ([]string, error) { panic("a parser's mistake") }
		r.start()
		for n := range 36 {
			r.deliver(poison("panic", n))
			time.Sleep(2 * time.Hour)
		}
		time.Sleep(25 * time.Hour)
		if n := len(r.aside()); n < 3 || n > 4 {
			t.Errorf("told %d times in three days", n)
		}
		r.told(36, "reading it failed")
	})
}

// told checks how many mails the editors were told of, each with its reason.
func (r *rig) told(mails int, why string) {
	r.t.Helper()
	told := 0
	for _, list := range r.aside() {
		for _, a := range list {
			told++
			if !strings.Contains(a.Why, why) {
				r.t.Errorf("told: %+v", a)
			}
		}
	}
	if told != mails {
		r.t.Errorf("told of %d mails, want %d", told, mails)
	}
}

// change writes into the books what a death leaves there.
func (r *rig) change(query string) {
	r.t.Helper()
	err := r.db.Update(context.Background(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(context.Background(), query)
		return err
	})
	if err != nil {
		r.t.Fatal(fmt.Errorf("%s: %w", query, err))
	}
}

// Somebody kills the program every few seconds: mail that it happens to hold is
// innocent, and is dealt with once the program lives. Its last try waits.
func TestKilledAgainAndAgain(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		held := make(chan struct{}, 10)
		r.desk.lookups = func(ctx context.Context, name string) ([]string, error) {
			held <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		}
		r.start()
		r.deliver(poison("innocent", 1))
		<-held
		r.end()
		r.desk.lookups = func(context.Context, string) ([]string, error) { return nil, nil }
		r.change(`UPDATE message SET tries = 2 WHERE state = 'new'`) // two kills
		for range 5 {
			r.start()
			time.Sleep(3 * time.Second)
			r.end()
			if r.rows("state = 'new' AND tries = 2") != 1 {
				t.Fatal("a program that is killed every three seconds began the last try")
			}
			r.change(`UPDATE message SET due = 0 WHERE state = 'new'`)
		}
		r.start()
		time.Sleep(time.Minute)
		if r.rows("state = 'done'") != 1 {
			t.Error("it was not dealt with")
		}
	})
}
