package site_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galley/send/door"
	"galley/send/list"
	"galley/send/store"
	"galley/send/store/storetest"
)

var written = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}

// post fills in a form.
func (h *house) post(t *testing.T, path string, fields ...string) *http.Response {
	t.Helper()
	v := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	return h.do(t, "POST", path, written.Clone(), strings.NewReader(v.Encode()))
}

// slips lists the kinds of mails that were posted, with whom they go to.
func (h *house) slips(t *testing.T) (out []string) {
	t.Helper()
	if err := h.door.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := h.db.View(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.QueryContext(t.Context(), `SELECT kind, address FROM slip ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind, to string
			if err := rows.Scan(&kind, &to); err != nil {
				return err
			}
			out = append(out, kind+" "+to)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// asked is the newest request of a kind, as its token.
func (h *house) asked(t *testing.T, kind door.Kind) string {
	t.Helper()
	var id int64
	err := h.db.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT max(id) FROM request WHERE kind = $1`, string(kind)).Scan(&id)
	})
	if err != nil {
		t.Fatal(err)
	}
	return h.keys.Mint(string(kind), id)
}

func (h *house) stands(t *testing.T, address string) (s list.Subscriber) {
	t.Helper()
	a, err := list.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	err = h.db.View(t.Context(), func(tx *store.Tx) error {
		s, err = h.door.List.Find(t.Context(), tx, "harbour", a)
		if store.NotFound(err) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Joining by web: the form, the confirmation, its page with one button, the
// welcome. Looking at any of them changes nothing.
func TestJoiningByWeb(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		for _, path := range []string{"/subscribe", "/subscribe/harbour", "/manage", "/manage/harbour"} {
			if got := h.do(t, "GET", path, nil, nil); got.StatusCode != 200 || !strings.Contains(text(t, got), "<form method=\"post\" action=\""+path+"\">") {
				t.Errorf("GET %s: %d", path, got.StatusCode)
			}
		}
		if got := h.post(t, "/subscribe", "address", "Ben@Example.org"); got.StatusCode != 200 {
			t.Fatalf("status %d", got.StatusCode)
		}
		if got := h.slips(t); len(got) != 1 || got[0] != "confirm Ben@example.org" {
			t.Fatalf("mails %q", got)
		}
		page := "/confirm/" + h.asked(t, door.Join)
		for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
			h.do(t, method, page, http.Header{"Sec-Purpose": {"prefetch"}}, nil)
		}
		if s := h.stands(t, "ben@example.org"); s.ID != 0 {
			t.Fatalf("looking put %+v on the list", s)
		}
		for range 2 { // a second press changes nothing
			if got := h.post(t, page); got.StatusCode != 200 || !strings.Contains(text(t, got), "Welcome") {
				t.Fatalf("status %d", got.StatusCode)
			}
		}
		if s := h.stands(t, "ben@example.org"); s.State != list.Active {
			t.Errorf("after the button: %+v", s)
		}
		if got := h.slips(t); len(got) != 2 || got[1] != "welcome Ben@example.org" {
			t.Errorf("mails %q", got)
		}
	})
}

// Leaving by the page brings one farewell, whose page has the way back; the
// one-click button brings none.
func TestFarewellByWeb(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	h.post(t, "/u/"+h.token)
	h.post(t, "/u/"+h.token)
	if got := h.slips(t); len(got) != 1 || got[0] != "farewell ada@example.org" {
		t.Fatalf("mails %q", got)
	}
	page := "/back/" + h.asked(t, door.Back)
	h.do(t, "GET", page, nil, nil)
	if s := h.stands(t, "ada@example.org"); s.State != list.Left {
		t.Fatalf("a look brought %s back", s.State)
	}
	h.post(t, page)
	if s := h.stands(t, "ada@example.org"); s.State != list.Active {
		t.Errorf("after the button: %s", s.State)
	}
	h.post(t, "/u/"+h.token, "List-Unsubscribe", "One-Click")
	if got := h.slips(t); len(got) != 2 || got[1] != "welcome ada@example.org" {
		t.Errorf("mails %q", got)
	}
}

// trust.md bar 61: known, unknown, suppressed and waiting addresses get the
// same answer, to the octet.
func TestFormsTellNobodyApart(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	gone, _ := list.ParseAddress("gone@example.org")
	err := h.db.Update(t.Context(), func(tx *store.Tx) error {
		_, err := h.door.List.Suppress(t.Context(), tx, "harbour", gone, "bounced")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.post(t, "/subscribe", "address", "waits@example.org")
	h.slips(t)
	for _, form := range []struct{ path, what string }{{"/subscribe", ""}, {"/manage", "leave"}, {"/manage", "data"}, {"/manage", "forget"}} {
		var want string
		for _, who := range []string{"nobody@example.org", "ada@example.org", "gone@example.org", "waits@example.org"} {
			got := h.post(t, form.path, "address", who, "what", form.what)
			got.Header.Del("Date")
			if s := fmt.Sprint(got.StatusCode, got.Header, text(t, got)); want == "" {
				want = s
			} else if s != want {
				t.Errorf("%s %s answers %s with\n%s\nand not with\n%s", form.path, form.what, who, s, want)
			}
		}
	}
	for _, s := range h.slips(t) {
		if strings.HasSuffix(s, "gone@example.org") {
			t.Errorf("a mail to a suppressed address: %s", s)
		}
	}
}

// trust.md bar 76: five purposes at five pages. A token opens its own page and
// no other; all others give one same answer.
func TestTokenMatrixByWeb(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	h.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
	h.post(t, "/subscribe", "address", "ben@example.org")
	h.slips(t)
	tokens := map[string]string{"u": h.token}
	for _, k := range door.Answerable {
		tokens[string(k)] = h.keys.Mint(string(k), 1)
	}
	pages := []string{"u", "confirm", "move", "back", "forget"}
	allowed, refused, answer := 0, 0, ""
	for i, purpose := range pages {
		for k, page := range pages {
			if purpose == page {
				if got := h.do(t, "GET", "/"+page+"/"+tokens[purpose], nil, nil); got.StatusCode == 200 {
					allowed++
				}
				continue
			}
			for _, method := range []string{"GET", "POST"} {
				from := http.Header{"X-Forwarded-For": {fmt.Sprintf("203.0.113.%d", 10*i+k)}}
				got := h.do(t, method, "/"+page+"/"+tokens[purpose], from, nil)
				s := fmt.Sprint(got.StatusCode, got.Header, text(t, got))
				if answer == "" {
					answer = s
				}
				if s != answer || got.StatusCode != 404 {
					t.Errorf("%s /%s/ with a token to %s: %s", method, page, purpose, s)
				}
			}
			refused++
		}
	}
	if allowed != 5 || refused != 20 {
		t.Errorf("%d allowed, %d refused", allowed, refused)
	}
	if s, history := h.state(t); s != list.Active || len(history) != 1 {
		t.Errorf("a token for another thing did something: %s %q", s, history)
	}
	if s := h.stands(t, "ben@example.org"); s.ID != 0 {
		t.Errorf("a token for another thing put %s on the list", s.Address)
	}
}

// trust.md bar 60, the part of the web: one address is asked once a day and
// three times in all, whoever asks; one web address has twenty asked an hour.
func TestBombing(t *testing.T) {
	db := storetest.Open(t)
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, db)
		h.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
		ask := func(from, who string) int {
			header := written.Clone()
			header.Set("X-Forwarded-For", from)
			return h.do(t, "POST", "/subscribe", header, strings.NewReader("address="+who)).StatusCode
		}
		for i := range 1000 {
			ask(fmt.Sprintf("198.51.%d.%d", i/250, i%250), "victim@example.org")
		}
		if n := len(h.slips(t)); n != 1 {
			t.Errorf("%d confirmations for 1,000 requests", n)
		}
		for day := range 30 {
			time.Sleep(24*time.Hour + time.Second)
			ask("198.51.100.7", "victim@example.org")
			if n := len(h.slips(t)); n > 3 {
				t.Fatalf("%d confirmations after %d days", n, day+1)
			}
		}
		if n := len(h.slips(t)); n != 3 {
			t.Errorf("%d confirmations ever", n)
		}
		many, tried := 0, 0
		for i := range 1000 { // twenty a minute are let in, from one /64
			if ask("2001:db8:1:2::"+fmt.Sprintf("%x", i+1), fmt.Sprintf("r%d@example.org", i)) == http.StatusTooManyRequests {
				many++
			}
			if tried++; tried%20 == 0 {
				time.Sleep(61 * time.Second)
			}
			if tried == 1000 {
				break
			}
		}
		if n := len(h.slips(t)) - 3; n != 20 {
			t.Errorf("%d confirmations for one network in an hour", n)
		}
		if many > 0 {
			t.Errorf("%d posts were refused although they came slowly", many)
		}
		if strings.Contains(h.log.String(), "victim") {
			t.Error("the log names who was asked")
		}
		time.Sleep(7*24*time.Hour + time.Minute)
		h.slips(t)
		var left int
		err := h.db.View(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRowContext(t.Context(), `SELECT count(*) FROM request`).Scan(&left)
		})
		if err != nil || left != 0 {
			t.Errorf("%d requests are kept after seven days, %v", left, err)
		}
	})
}

// trust.md bar 78, what can be told without a load: more than twenty posts a
// minute of one address wait, and a valid token for leaving never does.
func TestPostsAreLimitedAndLeavingIsNot(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	for i := range 30 {
		got := h.post(t, "/subscribe", "address", "nonsense")
		switch {
		case i < 20 && got.StatusCode != 400:
			t.Fatalf("post %d: %d", i+1, got.StatusCode)
		case i >= 20 && (got.StatusCode != 429 || got.Header.Get("Retry-After") == ""):
			t.Fatalf("post %d: %d, Retry-After %q", i+1, got.StatusCode, got.Header.Get("Retry-After"))
		}
	}
	if got := h.post(t, "/u/nonsense"); got.StatusCode != 429 {
		t.Errorf("a guess: %d", got.StatusCode)
	}
	for range 30 {
		if got := h.post(t, "/u/"+h.token, "List-Unsubscribe", "One-Click"); got.StatusCode != 200 {
			t.Fatalf("one-click: %d", got.StatusCode)
		}
	}
}

// What a proxy says counts only from one that the configuration names.
func TestForwardedForIsNotBelievedFromAnyone(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	for i := range 21 {
		header := written.Clone()
		header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i))
		got := h.do(t, "POST", "/subscribe", header, strings.NewReader("address=x"))
		if want := map[bool]int{true: 429, false: 400}[i == 20]; got.StatusCode != want {
			t.Errorf("post %d: %d", i+1, got.StatusCode)
		}
	}
}

// A machine that fills in every field is told what people are told.
func TestMachinesAreNotAsked(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	if got := h.post(t, "/subscribe", "address", "ben@example.org", "website", "https://x.example"); got.StatusCode != 200 {
		t.Errorf("status %d", got.StatusCode)
	}
	if got := h.slips(t); len(got) != 0 {
		t.Errorf("mails %q", got)
	}
}

func TestFormsAsReadersSeeThem(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	h.post(t, "/subscribe", "address", "ben@example.org")
	h.slips(t)
	token := h.asked(t, door.Join)
	for _, c := range []struct{ name, method, path string }{
		{"subscribe", "GET", "/subscribe"}, {"manage", "GET", "/manage"}, {"fault", "POST", "/subscribe"},
		{"confirm", "GET", "/confirm/" + token}, {"confirmed", "POST", "/confirm/" + token},
		{"move", "GET", "/move/" + h.keys.Mint("move", 1)}, {"back", "GET", "/back/" + h.keys.Mint("back", 1)},
		{"forget", "GET", "/forget/" + h.keys.Mint("forget", 1)}, {"gone", "POST", "/forget/" + h.keys.Mint("forget", 99)},
	} {
		page := text(t, h.do(t, c.method, c.path, nil, nil))
		if out := os.Getenv("GALLEY_PAGES"); out != "" { // whole, to be looked at in a browser
			if err := os.WriteFile(filepath.Join(out, c.name+".html"), []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, page, _ = strings.Cut(page, "</style>")
		_, token, _ := strings.Cut(c.path[1:], "/")
		if token != "" {
			page = strings.ReplaceAll(page, token, "TOKEN")
		}
		path := filepath.Join("testdata", c.name+".html")
		if *update {
			if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(want, []byte(page)) {
			t.Errorf("%s: %v, got\n%s", c.name, err, page)
		}
	}
}
