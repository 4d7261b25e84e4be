package door_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"galley/send"
	"galley/send/door"
	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
	"galley/send/store/storetest"
	"galley/templates"
)

// entrance is a door with what it stands in.
type entrance struct {
	*door.Door
	t    *testing.T
	keys send.Keys
}

func open(t *testing.T, db *store.DB) *entrance {
	t.Helper()
	key := bytes.Repeat([]byte{5}, 32)
	keys := send.Keys{Secret: key}
	n := &send.Newsletter{ID: "quiet", Name: "Quiet Machines", From: message.Address{Name: "Quiet Machines", Addr: "letter@quiet.example"},
		Pattern: send.Pattern{Mailbox: "letter@quiet.example"}, Keys: keys}
	people := &list.List{Key: key}
	queue := &send.Queue{DB: db, Readers: people, Newsletters: map[string]*send.Newsletter{n.ID: n}, Log: slog.New(slog.DiscardHandler)}
	d := &door.Door{DB: db, List: people, Press: queue, Key: key, Log: slog.New(slog.DiscardHandler),
		Newsletters: map[string]*door.Newsletter{n.ID: {Newsletter: n, Signs: "Ines", Looks: templates.Look("")}}}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	return &entrance{d, t, keys}
}

func addr(t *testing.T, s string) list.Address {
	t.Helper()
	a, err := list.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (e *entrance) update(f func(ctx context.Context, tx *store.Tx) error) {
	e.t.Helper()
	if err := e.DB.Update(e.t.Context(), func(tx *store.Tx) error { return f(e.t.Context(), tx) }); err != nil {
		e.t.Fatal(err)
	}
}

// ask asks and has the door work; it returns how many mails there are now.
func (e *entrance) ask(r door.Request) int {
	e.t.Helper()
	r.Newsletter = "quiet"
	e.update(func(ctx context.Context, tx *store.Tx) error { return e.Ask(ctx, tx, r) })
	if err := e.Step(e.t.Context()); err != nil {
		e.t.Fatal(err)
	}
	return e.count(`slip`)
}

func (e *entrance) count(what string) (n int) {
	e.t.Helper()
	e.update(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM `+what).Scan(&n)
	})
	return n
}

// say answers the newest request of a kind.
func (e *entrance) say(kind door.Kind, yes bool) (done door.Done, err error) {
	e.t.Helper()
	e.update(func(ctx context.Context, tx *store.Tx) error {
		var id int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM request WHERE kind = $1`, string(kind)).Scan(&id); err != nil {
			return err
		}
		done, err = e.Answer(ctx, tx, door.Answer{Newsletter: "quiet", Paper: door.Paper{Kind: kind, Request: id}, Yes: yes, Evidence: "a test"})
		return nil
	})
	return done, err
}

func (e *entrance) closed(a list.Address) (why string) {
	e.update(func(ctx context.Context, tx *store.Tx) (err error) {
		why, err = e.Closed(ctx, tx, "quiet", door.Join, a)
		return err
	})
	return why
}

// trust.md bar 60 in the books of both databases: what counts, and what ends
// the counting.
func TestCaps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		e := open(t, db)
		ada := addr(t, "Ada@Example.org")
		for i, c := range []struct{ who, source string }{{"ada@example.org", "198.51.100.1"}, {"ADA@example.org", door.ByMail}, {"ada@EXAMPLE.org", door.ByEditor}} {
			if n := e.ask(door.Request{Kind: door.Join, Address: addr(t, c.who), Source: c.source}); n != 1 {
				t.Fatalf("request %d: %d mails", i+1, n)
			}
		}
		if why := e.closed(ada); why != door.AskedToday {
			t.Errorf("closed: %q", why)
		}
		if done, err := e.say(door.Join, true); err != nil || done.New {
			t.Errorf("a request that was never mailed is confirmed: %+v, %v", done, err)
		}
		e.update(func(ctx context.Context, tx *store.Tx) error { // the first one is what was mailed
			done, err := e.Answer(ctx, tx, door.Answer{Newsletter: "quiet", Paper: door.Paper{Kind: door.Join, Request: 1}, Yes: true, Evidence: "yes"})
			if !done.New {
				t.Errorf("%+v", done)
			}
			return err
		})
		if why := e.closed(ada); why != "" {
			t.Errorf("after a yes the counting ends: %q", why)
		}
		if n := e.count(`subscriber WHERE state = 'active'`); n != 1 {
			t.Errorf("%d on the list", n)
		}
	})
}

// Who says no is not asked again, and a second answer changes nothing.
func TestNoIsForGood(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		e := open(t, db)
		ben := addr(t, "ben@example.org")
		e.ask(door.Request{Kind: door.Join, Address: ben, Source: door.ByMail})
		for i, yes := range []bool{false, true, false} {
			if done, err := e.say(door.Join, yes); err != nil || done.New != (i == 0) {
				t.Fatalf("answer %d: %+v, %v", i+1, done, err)
			}
		}
		if n := e.ask(door.Request{Kind: door.Join, Address: ben, Source: door.ByEditor}); n != 1 || e.count(`subscriber`) != 0 {
			t.Errorf("asked again: %d mails, %d people", n, e.count(`subscriber`))
		}
		if why := e.closed(ben); why != "said no before" {
			t.Errorf("closed: %q", why)
		}
	})
}

// An hour has a hundred questions; the rest waits its turn and is not lost.
// After a week nothing of who never answered is kept but a count.
func TestTheHourIsBoundedAndTheWeekForgets(t *testing.T) {
	db := storetest.Open(t)
	synctest.Test(t, func(t *testing.T) {
		e := open(t, db)
		for i := range 250 {
			r := door.Request{Newsletter: "quiet", Kind: door.Join, Source: door.ByMail,
				Address: addr(t, "r"+string(rune('a'+i%26))+string(rune('a'+i/26))+"@example.org")}
			e.update(func(ctx context.Context, tx *store.Tx) error { return e.Ask(ctx, tx, r) })
		}
		for hour, want := range []int{100, 200, 250} {
			for range 3 {
				if err := e.Step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if n := e.count(`slip`); n != want {
				t.Errorf("%d questions after %d hours, want %d", n, hour+1, want)
			}
			time.Sleep(time.Hour + time.Second)
		}
		time.Sleep(7 * 24 * time.Hour)
		if err := e.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := e.count(`request`); n != 0 {
			t.Errorf("%d requests are kept", n)
		}
		if _, err := e.say(door.Join, true); !errors.Is(err, door.ErrGone) {
			t.Errorf("an answer after a week: %v", err)
		}
	})
}

// The new address confirms, then the old one leaves, with the way back; the
// reader keeps their row, so no issue comes twice.
func TestMoving(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		e := open(t, db)
		var ada list.Subscriber
		e.update(func(ctx context.Context, tx *store.Tx) (err error) {
			ada, _, err = e.List.Add(ctx, tx, "quiet", addr(t, "ada@old.example"), "Ada", tx.Now(), "a test")
			return err
		})
		if n := e.ask(door.Request{Kind: door.Move, Address: addr(t, "ada@new.example"), Subscriber: ada.ID, Source: door.ByMail}); n != 2 {
			t.Fatalf("%d mails, want one to each address", n)
		}
		if n := e.count(`subscriber WHERE address = 'ada@old.example' AND state = 'active'`); n != 1 {
			t.Fatal("the old address has left before the new one said yes")
		}
		if _, err := e.say(door.Move, true); err != nil {
			t.Fatal(err)
		}
		e.update(func(ctx context.Context, tx *store.Tx) error {
			s, err := e.List.ByID(ctx, tx, "quiet", ada.ID)
			if s.Address.String() != "ada@new.example" || s.State != list.Active {
				t.Errorf("the reader is %+v", s)
			}
			old, err2 := e.List.Find(ctx, tx, "quiet", addr(t, "ada@old.example"))
			if old.State != list.Left {
				t.Errorf("the old address is %+v", old)
			}
			return errors.Join(err, err2)
		})
		if _, err := e.say(door.Back, true); err != nil || e.count(`subscriber WHERE state = 'active'`) != 2 {
			t.Errorf("the way back: %v, %d on the list", err, e.count(`subscriber WHERE state = 'active'`))
		}
	})
}

// A token does the one thing that it was made for, wherever it stands.
func TestTokensAreBoundToTheirPurpose(t *testing.T) {
	k := send.Keys{Secret: bytes.Repeat([]byte{5}, 32)}
	for _, made := range door.Answerable {
		token := k.Mint(string(made), 7)
		for _, read := range append([]door.Kind{door.Data, door.Leave, "unsub", ""}, door.Answerable...) {
			if _, ok := door.ReadToken(k, read, token); ok != (made == read) {
				t.Errorf("a token to %s read as one to %s: %v", made, read, ok)
			}
		}
		for _, subject := range []string{"Re: Please confirm (" + token + ")", token, "AW: [" + token + "] x"} {
			if p, ok := door.InText(k, subject); !ok || p.Kind != made || p.Request != 7 {
				t.Errorf("%q reads as %+v, %v", subject, p, ok)
			}
		}
		if p, ok := door.InMessageID(k, "<"+string(made)+"."+token+"@quiet.example>"); !ok || p.Kind != made {
			t.Errorf("the Message-ID reads as %+v, %v", p, ok)
		}
		if p, ok := door.InMessageID(k, "<back."+token+"@quiet.example>"); ok && made != door.Back {
			t.Errorf("a Message-ID of another kind reads as %+v", p)
		}
	}
}

func FuzzInText(f *testing.F) {
	k := send.Keys{Secret: bytes.Repeat([]byte{5}, 32)}
	f.Add("Re: Please confirm: Quiet Machines (" + k.Mint("confirm", 1) + ")")
	f.Add("yes")
	good := k.Mint("confirm", 1)
	f.Fuzz(func(t *testing.T, s string) {
		if p, ok := door.InText(k, s); ok && p.Request == 0 {
			t.Errorf("%q reads as %+v", s, p)
		}
		if p, ok := door.InMessageID(k, s); ok && p.Request == 1 && !bytes.Contains(bytes.ToLower([]byte(s)), []byte(good)) && p.Kind == door.Join {
			t.Errorf("%q reads as the token", s)
		}
	})
}
