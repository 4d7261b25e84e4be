package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galley/inbox/mime"
	"galley/send"
	"galley/send/list"
	"galley/send/sendtest"
	"galley/send/store"
)

// inWorld runs f in a house with web pages and three readers, which looks
// by itself every tick.
func inWorld(t *testing.T, tick time.Duration, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.plan.readers, w.plan.web, w.plan.tick = 3, true, tick
		defer w.close()
		w.open()
		f(w)
	})
}

// write mails a line in somebody's name, which may be anybody's.
func (w *world) write(from, name, to, subject, text, answers string) {
	by := w.people["Mallory"]
	m := w.begin(by, subject, text)
	m.From.Addr, m.From.Name, m.To[0].Addr, m.InReplyTo = from, name, to, answers
	w.post(by, m)
}

// to lists the mails that the house has sent to an address.
func (w *world) to(addr string) (out []sendtest.Accepted) {
	for _, a := range w.sink.Messages() {
		if a.To[0] == addr {
			out = append(out, a)
		}
	}
	return out
}

func (w *world) form(pages http.Handler, path, from, address string) {
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, path, strings.NewReader(url.Values{"address": {address}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = from + ":4711"
	pages.ServeHTTP(httptest.NewRecorder(), r)
}

// pages are the house's web pages.
func (w *world) pages() http.Handler {
	w.t.Helper()
	pages, err := w.house.web(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return pages.Handler
}

// trust.md bar 60: whatever comes in for one victim, by web and by mail, one
// confirmation goes in a day and three in all, and nothing of what the askers
// wrote stands in it.
func TestAVictimIsAskedThreeTimes(t *testing.T) {
	const marker = "cheap-pills.example"
	requests := 1000
	if testing.Short() {
		requests = 100
	}
	inWorld(t, time.Hour, func(w *world) {
		pages := w.pages()
		for i := range requests {
			if i%10 > 0 {
				w.form(pages, "/subscribe", fmt.Sprintf("198.51.%d.%d", i/250, i%250), "victim@elsewhere.example")
			} else {
				w.write("victim@elsewhere.example", "Buy at "+marker, letterBox, "subscribe", fmt.Sprintf("subscribe\n\n-- \n%s %d\n", marker, i), "")
			}
		}
		time.Sleep(time.Hour)
		if n := len(w.to("victim@elsewhere.example")); n != 1 {
			t.Errorf("%d confirmations in a day for %d requests", n, requests)
		}
		for range 4 {
			time.Sleep(25 * time.Hour)
			w.form(pages, "/subscribe", "198.51.100.1", "victim@elsewhere.example")
			w.write("mallory@mallory.example", marker, letterBox, marker, "subscribe victim@elsewhere.example\n", "")
		}
		time.Sleep(time.Hour)
		got := w.to("victim@elsewhere.example")
		if len(got) != 3 {
			t.Errorf("%d confirmations ever", len(got))
		}
		for _, a := range got {
			m, err := mime.Read(a.Octets)
			if err != nil {
				t.Fatal(err)
			}
			if all := m.Plain + m.HTML + string(a.Octets); strings.Contains(all, marker) || strings.Contains(all, "mallory") || m.InReplyTo != "" {
				t.Errorf("the confirmation holds what its asker wrote:\n%s", a.Octets)
			}
		}
		if n := len(w.to("mallory@mallory.example")); n != 0 {
			t.Errorf("the asker got %d mails", n)
		}
	})
}

// trust.md bar 61 by mail: whoever asks about somebody else's address learns
// nothing: the same is done for one that is known, unknown, suppressed or
// waiting, and nothing comes back.
func TestAskersByMailLearnNothing(t *testing.T) {
	inWorld(t, 30*time.Second, func(w *world) {
		people := []string{"reader001@readers.example", "new@elsewhere.example", "gone@elsewhere.example", "waits@elsewhere.example"}
		w.update(func(ctx context.Context, tx *store.Tx) error {
			a, err := list.ParseAddress("gone@elsewhere.example")
			if err != nil {
				return err
			}
			_, err = w.house.list.Suppress(ctx, tx, "quiet", a, "bounced")
			return err
		})
		w.write("waits@elsewhere.example", "", letterBox, "subscribe", "subscribe\n", "")
		time.Sleep(time.Minute)
		var kinds []string
		for _, who := range people {
			for _, words := range []string{"subscribe " + who, "move to " + who} {
				w.write("mallory@mallory.example", "Mallory", letterBox, "hello", words+"\n", "")
				time.Sleep(time.Minute)
			}
			var kind string
			w.view(func(ctx context.Context, tx *store.Tx) error {
				return tx.QueryRowContext(ctx, `SELECT kind || ' ' || reason FROM message ORDER BY id DESC LIMIT 1`).Scan(&kind)
			})
			kinds = append(kinds, kind)
		}
		if len(slices.Compact(slices.Clone(kinds))) != 1 {
			t.Errorf("the mails were told apart: %q", kinds)
		}
		if n := len(w.to("mallory@mallory.example")); n != 0 {
			t.Errorf("the asker got %d mails", n)
		}
		if n := len(w.to("gone@elsewhere.example")); n != 0 {
			t.Errorf("a suppressed address got %d mails", n)
		}
		if a, b := w.to("reader001@readers.example"), w.to("new@elsewhere.example"); len(a) != 1 || len(b) != 1 || !bytes.Equal(alike(a[0]), alike(b[0])) {
			t.Errorf("a reader and a stranger are asked in different words: %d and %d mails", len(a), len(b))
		}
	})
}

// trust.md bar 61 by mail, its timing: what goes out leaves after the same time
// for a reader as for a stranger, and what a house does for one that gets
// nothing keeps nobody else waiting longer. Nothing but this can be seen from
// outside, since the asker gets no answer.
func TestAskersByMailLearnNothingByTheClock(t *testing.T) {
	inWorld(t, 30*time.Second, func(w *world) {
		const times = 10
		w.plan.readers = times
		w.subscribe("quiet", times)
		medians := map[string]time.Duration{}
		for _, kind := range []string{"known", "unknown", "suppressed", "waiting"} {
			var took []time.Duration
			for i := range times {
				who := fmt.Sprintf("%s%d@elsewhere.example", kind, i)
				switch kind {
				case "known":
					who = w.reader(i + 1)
				case "suppressed":
					w.shut(who)
				case "waiting":
					w.write(who, "", letterBox, "subscribe", "subscribe\n", "")
					time.Sleep(time.Minute)
				}
				time.Sleep(2*time.Minute + time.Duration(i)*731*time.Millisecond) // anywhere between two ticks
				began, probe := time.Now(), fmt.Sprintf("probe%s%d@elsewhere.example", kind, i)
				w.write("mallory@mallory.example", "Mallory", letterBox, "hello", "subscribe "+who+"\n", "")
				w.write(probe, "", letterBox, "subscribe", "subscribe\n", "")
				if !waited(3*time.Minute, func() bool { return len(w.to(probe)) > 0 }) {
					t.Fatalf("%s: the mail behind it is not answered", kind)
				}
				took = append(took, w.to(probe)[0].Time.Sub(began))
			}
			slices.Sort(took)
			medians[kind] = took[times/2]
		}
		for kind, m := range medians {
			if base := medians["unknown"]; m > base+base/20 || m < base-base/20 {
				t.Errorf("behind a mail about a %s address it takes %s, behind one about an unknown %s", kind, m, base)
			}
		}
		t.Logf("medians of %d: %v", times, medians)
	})
}

// shut keeps an address off the list.
func (w *world) shut(addr string) {
	w.update(func(ctx context.Context, tx *store.Tx) error {
		a, err := list.ParseAddress(addr)
		if err == nil {
			_, err = w.house.list.Suppress(ctx, tx, "quiet", a, "bounced")
		}
		return err
	})
}

// alike is a confirmation without what differs for every address.
func alike(a sendtest.Accepted) []byte {
	m, err := mime.Read(a.Octets)
	if err != nil {
		return nil
	}
	return []byte(strings.ReplaceAll(masked(m.Subject+"\n"+m.Plain), a.To[0], "TO"))
}

// trust.md bar 76 by mail: five purposes at five addresses. A token at the
// address of another purpose does nothing, and brings no answer.
func TestTokenMatrixByMail(t *testing.T) {
	inWorld(t, 30*time.Second, func(w *world) {
		keys := w.house.queue.Newsletters["quiet"].Keys
		purposes := []string{send.KindUnsubscribe, "confirm", "move", "back", "forget"}
		ids := w.onePending(purposes)
		before := w.books()
		for _, purpose := range purposes {
			for _, endpoint := range purposes {
				if purpose == endpoint {
					continue
				}
				token := keys.Mint(purpose, ids[purpose])
				for _, word := range []string{"yes", "back", "unsubscribe"} {
					w.write("mallory@mallory.example", "Mallory", fmt.Sprintf("letter+%s-%s@quiet.example", endpoint, token), "hello", word+"\n", "")
				}
			}
		}
		time.Sleep(5 * time.Minute)
		if after := w.books(); after != before {
			t.Errorf("a token for another thing did something:\n%s\nwas\n%s", after, before)
		}
		if n := len(w.to("mallory@mallory.example")); n != 0 {
			t.Errorf("%d answers", n)
		}
		for i, purpose := range purposes {
			was := w.books()
			word := map[string]string{"back": "back", send.KindUnsubscribe: "unsubscribe"}[purpose]
			if word == "" {
				word = "yes"
			}
			w.write("mallory@mallory.example", "", fmt.Sprintf("letter+%s-%s@quiet.example", purpose, keys.Mint(purpose, ids[purpose])), "hello", word+"\n", "")
			time.Sleep(2 * time.Minute)
			if w.books() == was {
				t.Errorf("purpose %d, %s: its own token does nothing", i+1, purpose)
			}
		}
	})
}

// onePending makes one open question of each kind, and returns the numbers
// that their tokens hold.
func (w *world) onePending(purposes []string) map[string]int64 {
	w.t.Helper()
	w.form(w.pages(), "/subscribe", "198.51.100.1", "new@elsewhere.example")
	w.write(w.reader(1), "", letterBox, "move to moved@elsewhere.example", "move to moved@elsewhere.example\n", "")
	w.write(w.reader(2), "", letterBox, "forget me", "forget me\n", "")
	w.write(w.reader(3), "", letterBox, "unsubscribe", "unsubscribe\n", "")
	time.Sleep(3 * time.Minute)
	ids := map[string]int64{}
	w.view(func(ctx context.Context, tx *store.Tx) error {
		for _, p := range purposes {
			query := `SELECT max(id) FROM request WHERE state = 'asked' AND kind = '` + p + `'`
			if p == send.KindUnsubscribe {
				query = `SELECT min(id) FROM subscriber WHERE state = 'active'`
			}
			var id int64
			if err := tx.QueryRowContext(ctx, query).Scan(&id); err != nil {
				return fmt.Errorf("%s: %w", p, err)
			}
			ids[p] = id
		}
		return nil
	})
	return ids
}

// books is where everybody stands.
func (w *world) books() string {
	var b strings.Builder
	for _, query := range []string{`SELECT id || ' ' || address || ' ' || state FROM subscriber ORDER BY id`, `SELECT id || ' ' || kind || ' ' || state FROM request ORDER BY id`} {
		w.view(func(ctx context.Context, tx *store.Tx) error {
			rows, err := tx.QueryContext(ctx, query)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var line string
				if err := rows.Scan(&line); err != nil {
					return err
				}
				b.WriteString(line + "\n")
			}
			return rows.Err()
		})
	}
	return b.String()
}
