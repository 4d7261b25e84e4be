package site_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"galley/send"
	"galley/send/door"
	"galley/send/list"
	"galley/send/message"
	"galley/send/site"
	"galley/send/store"
	"galley/send/store/storetest"
	"galley/templates"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// shelf is what went out.
type shelf []*send.Edition

func (s shelf) Published(context.Context, *store.Tx, string) ([]*send.Edition, error) { return s, nil }

func (s shelf) Page(ctx context.Context, tx *store.Tx, newsletter, slug string) (*send.Edition, error) {
	for _, e := range s {
		if e.Slug == slug {
			return e, nil
		}
	}
	var none int
	return nil, tx.QueryRowContext(ctx, "SELECT id FROM edition WHERE slug = $1", slug).Scan(&none)
}

// house is a site with one reader, Ada, and their token.
type house struct {
	*site.Site
	db    *store.DB
	door  *door.Door
	keys  send.Keys
	ada   list.Subscriber
	token string
	log   bytes.Buffer
}

func newHouse(t *testing.T, db *store.DB) *house {
	t.Helper()
	h := &house{db: db, keys: send.Keys{Secret: bytes.Repeat([]byte{7}, 32)}}
	people := &list.List{Key: h.keys.Secret}
	n := &send.Newsletter{ID: "harbour", Name: "The Harbour Letter", Keys: h.keys, From: message.Address{Name: "The Harbour Letter", Addr: "letter@harbour.example"},
		Pattern: send.Pattern{Mailbox: "letter@harbour.example"}, Host: "https://harbour.example", ArchivePath: "/letters"}
	queue := &send.Queue{DB: db, Readers: people, Newsletters: map[string]*send.Newsletter{n.ID: n}, Log: slog.New(slog.DiscardHandler)}
	h.door = &door.Door{DB: db, List: people, Press: queue, Key: h.keys.Secret, Log: slog.New(slog.NewTextHandler(&h.log, nil)),
		Newsletters: map[string]*door.Newsletter{n.ID: {Newsletter: n, Signs: "Ines", Looks: templates.Look("")}}}
	h.Site = &site.Site{DB: db, Readers: people, Door: h.door, Log: slog.New(slog.NewTextHandler(&h.log, nil)),
		Newsletters: []*site.Newsletter{{Newsletter: n, Tagline: "Every Saturday", Looks: templates.Look("")}},
		Shelf: shelf{
			{Issue: 130, Slug: "0130", Title: "#130 - 16 Jul 2022", Subtitle: "Ropes & <knots>", Date: "2022-07-16", Digest: "d130",
				Web: []byte("<html><style>p{}</style><p>Issue 130</p></html>"), Frozen: time.Date(2022, 7, 16, 9, 0, 0, 0, time.UTC)},
			{Issue: 129, Slug: "tides", Title: "", Date: "2022-07-09", Digest: "d129", Web: []byte("<p>Issue 129</p>")},
			{Issue: 128, Slug: "0128", Digest: "d128"},
		}}
	a, err := list.ParseAddress("ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *store.Tx) (err error) {
		h.ada, _, err = people.Add(t.Context(), tx, "harbour", a, "Ada", tx.Now(), "asked")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.token = h.keys.Mint(send.KindUnsubscribe, h.ada.ID)
	if err := h.Check(); err != nil {
		t.Fatal(err)
	}
	return h
}

// do sends one request and checks what every answer must carry.
func (h *house) do(t *testing.T, method, target string, header http.Header, body io.Reader) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, body)
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	got := w.Result()
	for k, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "", "Strict-Transport-Security": "max-age=",
	} {
		if v := got.Header.Get(k); v == "" || !strings.HasPrefix(v, want) {
			t.Errorf("%s %s: %s is %q", method, target, k, v)
		}
	}
	csp := got.Header.Get("Content-Security-Policy")
	for _, part := range []string{"img-src https: data:", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, part) || strings.Contains(csp, "unsafe") {
			t.Errorf("%s %s: policy %q", method, target, csp)
		}
	}
	if got.Header.Get("Set-Cookie") != "" {
		t.Errorf("%s %s sets a cookie", method, target)
	}
	if strings.HasPrefix(target, "/u/") {
		for k, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"} {
			if v := got.Header.Get(k); v != want {
				t.Errorf("%s %s: %s is %q, want %q", method, target, k, v, want)
			}
		}
	}
	return got
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (h *house) state(t *testing.T) (s list.State, history []string) {
	t.Helper()
	err := h.db.View(t.Context(), func(tx *store.Tx) error {
		people := &list.List{}
		sub, err := people.ByID(t.Context(), tx, "harbour", h.ada.ID)
		s = sub.State
		past, err2 := people.History(t.Context(), tx, "harbour", h.ada.ID)
		for _, c := range past {
			history = append(history, c.What+": "+c.Evidence)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, history
}

// trust.md bar 74: scanners follow every link, and nobody leaves by it.
func TestLookingChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND", "TRACE"} {
			for _, header := range []http.Header{nil, {"Purpose": {"prefetch"}}, {"Sec-Purpose": {"prefetch;prerender"}}, {"X-Moz": {"prefetch"}}} {
				for _, query := range []string{"", "?List-Unsubscribe=One-Click", "?confirm=yes"} {
					h.do(t, method, "/u/"+h.token+query, header, strings.NewReader("List-Unsubscribe=One-Click"))
				}
			}
		}
		if s, history := h.state(t); s != list.Active || len(history) != 1 {
			t.Errorf("state %s, history %q", s, history)
		}
	})
}

func TestOneClick(t *testing.T) {
	var parts bytes.Buffer
	m := multipart.NewWriter(&parts)
	m.WriteField("List-Unsubscribe", "One-Click")
	m.Close()
	for name, c := range map[string]struct{ kind, body, evidence string }{
		"urlencoded": {"application/x-www-form-urlencoded", "List-Unsubscribe=One-Click", "RFC 8058"},
		"multipart":  {m.FormDataContentType(), parts.String(), "RFC 8058"},
		"page":       {"application/x-www-form-urlencoded", "", "footer"},
		"no type":    {"", "", "footer"},
		"nonsense":   {"multipart/form-data; boundary=", "--", "footer"},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				h := newHouse(t, db)
				for range 3 {
					got := h.do(t, "POST", "/u/"+h.token, http.Header{"Content-Type": {c.kind}}, strings.NewReader(c.body))
					if got.StatusCode != 200 || got.Header.Get("Location") != "" {
						t.Fatalf("status %d, location %q", got.StatusCode, got.Header.Get("Location"))
					}
				}
				s, history := h.state(t)
				if s != list.Left || len(history) != 2 || !strings.Contains(history[1], c.evidence) {
					t.Errorf("state %s, history %q", s, history)
				}
				if page := text(t, h.do(t, "GET", "/u/"+h.token, nil, nil)); !strings.Contains(page, "off the list") || strings.Contains(page, "<form") {
					t.Errorf("afterwards the page says %s", page)
				}
				if strings.Contains(h.log.String(), "example.org") {
					t.Errorf("the log names a reader: %s", h.log.String())
				}
			})
		})
	}
}

// trust.md bars 74 and 76: a token of anything else is no token, and all
// wrong ones get the same answer.
func TestWrongTokensGetOneAnswer(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	want := fmt.Sprint(h.do(t, "GET", "/u/x", nil, nil).Header)
	wrong := []string{"", "x", h.token + "a", h.token[1:], h.token + "/", "%00", "%2e%2e", strings.Repeat("a", 250), strings.Repeat("a", 500),
		h.keys.Mint("b", h.ada.ID), h.keys.Mint("s", h.ada.ID), h.keys.Mint("message-id", h.ada.ID), h.keys.Mint("confirm", h.ada.ID), h.keys.Mint("erase", h.ada.ID),
		send.Keys{Secret: []byte("another")}.Mint(send.KindUnsubscribe, h.ada.ID)}
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		b := []byte(h.token)
		b[r.IntN(len(b))] = "abcdefghijklmnopqrstuvwxyz234567"[r.IntN(32)]
		if string(b) != h.token {
			wrong = append(wrong, string(b))
		}
	}
	body := ""
	h.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")} // guesses from one place alone would be limited
	for i, token := range wrong {
		for _, method := range []string{"GET", "POST"} {
			got := h.do(t, method, "/u/"+token, http.Header{"X-Forwarded-For": {fmt.Sprintf("203.0.113.%d", i%250)}}, nil)
			if page := text(t, got); body == "" {
				body = page
			} else if page != body || got.StatusCode != 404 {
				t.Fatalf("%s /u/%s: %d, another page", method, token, got.StatusCode)
			}
			if len(token) < 300 && fmt.Sprint(got.Header) != want {
				t.Fatalf("%s /u/%s: header %v, want %v", method, token, got.Header, want)
			}
		}
	}
	if s, _ := h.state(t); s != list.Active {
		t.Error("a wrong token let somebody leave")
	}
}

func TestAMillionForgedTokens(t *testing.T) {
	n := 1_000_000
	if testing.Short() || raceDetector {
		n = 10_000
	}
	k := send.Newsletter{Keys: send.Keys{Secret: bytes.Repeat([]byte{7}, 32)}}
	r := rand.New(rand.NewPCG(3, 4))
	token := make([]byte, 28)
	for range n {
		for i := range token {
			token[i] = "abcdefghijklmnopqrstuvwxyz234567"[r.IntN(32)]
		}
		if id, ok := k.Leaver(string(token)); ok {
			t.Fatalf("%s opens %d", token, id)
		}
	}
}

func TestErasedPeopleAreOffTheListAlready(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	token := h.keys.Mint(send.KindUnsubscribe, h.ada.ID+1000)
	for _, method := range []string{"GET", "POST"} {
		got := h.do(t, method, "/u/"+token, nil, nil)
		if page := text(t, got); got.StatusCode != 200 || !strings.Contains(page, "You get") {
			t.Errorf("%s: %d %s", method, got.StatusCode, page)
		}
	}
}

func TestLongBodiesAreRefused(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	got := h.do(t, "POST", "/u/"+h.token, form, strings.NewReader("x="+strings.Repeat("y", 64<<10)))
	if s, _ := h.state(t); got.StatusCode != 413 || s != list.Active {
		t.Errorf("%d, %s", got.StatusCode, s)
	}
}

// When the books cannot be written nobody is told that they left.
func TestFailureIsTold(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	h.db.Close()
	for _, c := range []struct{ method, path string }{{"POST", "/u/" + h.token}, {"GET", "/u/" + h.token}, {"GET", "/letters"}, {"GET", "/letters/0130"}} {
		got := h.do(t, c.method, c.path, nil, nil)
		if page := text(t, got); got.StatusCode != 500 || !strings.Contains(page, "nothing has changed") || strings.Contains(page, "sql") {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.StatusCode, page)
		}
	}
	if got := h.do(t, "GET", "/health", nil, nil); got.StatusCode != 503 {
		t.Errorf("health: %d", got.StatusCode)
	}
}

func TestArchive(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	for _, c := range []struct {
		path string
		code int
		has  string
	}{
		{"/letters", 200, `<a href="/letters/0130">#130 - 16 Jul 2022</a>`}, {"/letters/", 200, "16 July 2022"},
		{"/letters", 200, `<a href="/letters/tides">#129</a>`},
		{"/letters/0130", 200, "<p>Issue 130</p>"}, {"/letters/0130.html", 200, "<p>Issue 130</p>"}, {"/letters/130", 200, "<p>Issue 130</p>"},
		{"/letters/tides", 200, "Issue 129"}, {"/letters/0129", 200, "Issue 129"}, {"/letters/129.html", 200, "Issue 129"},
		{"/letters/0128", 404, "Nothing here"}, {"/letters/0131", 404, "Nothing here"}, {"/lettersx", 404, "Nothing here"},
		{"/letters/../u/", 404, "Nothing here"}, {"/favicon.ico", 404, "Nothing here"}, {"//", 404, "Nothing here"},
		{"/health", 200, "ok"}, {"/robots.txt", 200, "Disallow: /u/"}, {"/", 302, "/letters"},
	} {
		got := h.do(t, "GET", c.path, nil, nil)
		if page := text(t, got); got.StatusCode != c.code || !strings.Contains(page, c.has) {
			t.Errorf("GET %s: %d %s", c.path, got.StatusCode, page)
		}
		if got := h.do(t, "HEAD", c.path, nil, nil); got.StatusCode != c.code || text(t, got) != "" && c.code == 200 && strings.HasPrefix(c.path, "/letters") {
			t.Errorf("HEAD %s: %d", c.path, got.StatusCode)
		}
		if got := h.do(t, "POST", c.path, nil, nil); got.StatusCode != 405 || !strings.Contains(got.Header.Get("Allow"), "GET") {
			t.Errorf("POST %s: %d", c.path, got.StatusCode)
		}
	}
	again := h.do(t, "GET", "/letters/0130", http.Header{"If-None-Match": {`"d130"`}}, nil)
	if again.StatusCode != 304 {
		t.Errorf("asked again: %d", again.StatusCode)
	}
}

// trust.md bar 75, as far as it goes without a browser: what comes from
// people comes out escaped, and a page's own styles are all that runs.
func TestNothingForeignIsMarkup(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	for _, x := range []string{`<script>x()</script>`, `"><img src=x onerror=x()>`, `</style><script>x()</script>`, `{{.}}`, `javascript:x()`} {
		h.Shelf = shelf{{Issue: 1, Slug: x, Title: x, Subtitle: x, Date: x}}
		page := text(t, h.do(t, "GET", "/letters", nil, nil))
		if strings.Contains(page, x) && strings.ContainsAny(x, "<>") || strings.Contains(page, `href="javascript:`) {
			t.Errorf("%s stands in %s", x, page)
		}
		text := text(t, h.do(t, "GET", "/letters/"+url.PathEscape(x), nil, nil))
		if strings.Contains(text, x) {
			t.Errorf("%s comes back from the address", x)
		}
	}
	csp := h.do(t, "GET", "/letters", nil, nil).Header.Get("Content-Security-Policy")
	if strings.Count(csp, "'sha256-") != 1 {
		t.Errorf("policy %s", csp)
	}
}

func TestPagesAsReadersSeeThem(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	for _, c := range []struct{ name, method, path string }{
		{"leave", "GET", "/u/" + h.token}, {"archive", "GET", "/letters"}, {"missing", "GET", "/nowhere"}, {"left", "POST", "/u/" + h.token},
	} {
		page := text(t, h.do(t, c.method, c.path, nil, nil))
		_, page, _ = strings.Cut(page, "</style>") // the looks are the templates' affair
		page = strings.ReplaceAll(page, h.token, "TOKEN")
		path := filepath.Join("testdata", c.name+".html")
		if *update {
			if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || page != string(want) {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", c.name, err, page, want)
		}
		if strings.Contains(page, "ada@example.org") {
			t.Errorf("%s shows the whole address", c.name)
		}
	}
}

// Two newsletters with one key: the token finds the one with the person in it.
func TestTwoNewslettersOnOneSite(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	first := &site.Newsletter{Newsletter: &send.Newsletter{ID: "first", Name: "The First", Keys: h.keys, Host: "https://harbour.example", ArchivePath: "/first"}, Looks: templates.Look("")}
	h.Newsletters = append([]*site.Newsletter{first}, h.Newsletters...)
	if page := text(t, h.do(t, "POST", "/u/"+h.token, nil, nil)); !strings.Contains(page, "The Harbour Letter") {
		t.Errorf("the page is another's: %s", page)
	}
	if s, _ := h.state(t); s != list.Left {
		t.Errorf("state %s", s)
	}
	if got := h.do(t, "GET", "/", nil, nil); got.StatusCode != 404 {
		t.Errorf("the root of two: %d", got.StatusCode)
	}
}

func TestFaultyLooksAreToldAtTheStart(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	for name, looks := range map[string]fstest.MapFS{
		"syntax": {"page.html": {Data: []byte("{{define")}}, "a block is missing": {"page.html": {Data: []byte(`{{define "leave"}}x{{end}}`)}},
		"no such field": {"page.html": {Data: []byte(`{{define "leave"}}{{.Secret}}{{end}}`)}}, "none": {},
	} {
		s := &site.Site{Newsletters: []*site.Newsletter{{Newsletter: h.Newsletters[0].Newsletter, Looks: looks}}}
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), "page.html") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
