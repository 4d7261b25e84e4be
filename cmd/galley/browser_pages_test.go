package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"galley/compose"
	"galley/compose/markdown"
	"galley/send"
	"galley/send/list"
	"galley/send/site"
	"galley/send/store"
	"galley/templates"
)

// bareShelf has two issues.
type bareShelf struct{}

func (bareShelf) Published(context.Context, *store.Tx, string) ([]*send.Edition, error) {
	return []*send.Edition{{Issue: 13, Slug: "0013", Title: "#13 - Ropes", Subtitle: "Ropes; knots", Date: "2026-01-16"},
		{Issue: 12, Slug: "0012", Title: "#12 - Winter berths", Date: "2026-01-09"}}, nil
}

func (bareShelf) Page(ctx context.Context, tx *store.Tx, _, _ string) (*send.Edition, error) {
	var none int
	return nil, tx.QueryRowContext(ctx, "SELECT id FROM edition").Scan(&none)
}

// shownShelf has an issue with a page, too.
type shownShelf struct {
	bareShelf
	web []byte
}

func (s shownShelf) Page(context.Context, *store.Tx, string, string) (*send.Edition, error) {
	return &send.Edition{Issue: 13, Slug: "0013", Title: "#13 - Ropes", Web: s.web}, nil
}

// sitePages are the small pages of one look, as the site serves them.
func sitePages(t *testing.T, look string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for name, w := range siteAnswers(t, look, bareShelf{}) {
		out[name] = w.Body.Bytes()
	}
	return out
}

// siteAnswers are the site's answers to whoever asks for each of its pages.
func siteAnswers(t *testing.T, look string, shelf site.Shelf) map[string]*httptest.ResponseRecorder {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir()+"/galley.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keys := send.Keys{Secret: []byte(strings.Repeat("k", 32))}
	people := &list.List{Key: keys.Secret}
	ada, err := list.ParseAddress("ada.with.a.rather.long.address@harbour.example")
	if err != nil {
		t.Fatal(err)
	}
	var person list.Subscriber
	err = db.Update(t.Context(), func(tx *store.Tx) (err error) {
		person, _, err = people.Add(t.Context(), tx, "harbour", ada, "Ada", tx.Now(), "asked")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &site.Site{DB: db, Readers: people, Shelf: shelf, Log: slog.New(slog.DiscardHandler),
		Newsletters: []*site.Newsletter{{Newsletter: &send.Newsletter{ID: "harbour", Name: "The Harbour Letter", Keys: keys, Host: "https://harbour.example", ArchivePath: "/letters",
			Pattern: send.Pattern{Mailbox: "letter@harbour.example", Form: "local+KIND-TOKEN@domain"}},
			Tagline: "For people who keep boats afloat", Looks: templates.Look("@" + look)}}}
	leave := "/u/" + keys.Mint("r", person.ID)
	out := map[string]*httptest.ResponseRecorder{}
	for name, ask := range map[string]*http.Request{
		"archive": httptest.NewRequest(http.MethodGet, "/letters", nil), "missing": httptest.NewRequest(http.MethodGet, "/letters/none", nil),
		"lost":  httptest.NewRequest(http.MethodGet, "/u/nobody", nil),
		"leave": httptest.NewRequest(http.MethodGet, leave, nil), "left": httptest.NewRequest(http.MethodPost, leave, nil),
		"subscribe": httptest.NewRequest(http.MethodGet, "/subscribe", nil), "manage": httptest.NewRequest(http.MethodGet, "/manage", nil),
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, ask)
		if !strings.Contains(w.Body.String(), "</html>") {
			t.Fatalf("%s: %d %s", name, w.Code, w.Body)
		}
		out[name] = w
	}
	return out
}

// payloads are hostile words; each would ask for /hit if it ran.
func payloads() []string {
	js := `fetch('/hit')`
	forms := []string{
		`<script>%s</script>`, `<ScRiPt >%s</sCrIpT>`, `<script/x>%s</script>`, `<scr<script>ipt>%s</script>`, `<svg onload=%s>`, `<svg><script>%s</script></svg>`,
		`<img src=x onerror=%s>`, `<img src="x" onerror="%s">`, `<img/src=x/onerror=%s>`, `<body onload=%s>`, `<iframe src="javascript:%s"></iframe>`,
		`<iframe srcdoc="<script>%s</script>"></iframe>`, `<a href="javascript:%s">x</a>`, `[x](javascript:%s)`, `[x](JaVaScRiPt:%s)`, `[x](java&#x09;script:%s)`,
		`<javascript:%s>`, `![x](javascript:%s)`, `![x" onerror="%s](https://x.invalid/y)`, `[x](https://x.invalid/" onmouseover="%s)`, `<a href="https://x.invalid" onmouseover="%s">x</a>`,
		`<details open ontoggle=%s>x</details>`, `<input autofocus onfocus=%s>`, `<video><source onerror=%s></video>`, `<math><mtext><script>%s</script></mtext></math>`,
		`"><script>%s</script>`, `'><script>%s</script>`, `--><script>%s</script>`, `<!--><script>%s</script>-->`, `</title><script>%s</script>`, `</style><script>%s</script>`,
		`<style>@import 'javascript:%s';</style>`, `<div style="background:url(javascript:%s)">x</div>`, `<object data="javascript:%s"></object>`, `<embed src="javascript:%s">`,
		`<form action="javascript:%s"><button>x</button></form>`, `<meta http-equiv=refresh content="0;url=javascript:%s">`, `<base href="javascript:%s//">`, `<link rel=stylesheet href="javascript:%s">`,
		`<table background="javascript:%s"><tr><td>x</td></tr></table>`, "```<script>%s</script>```", "`<script>%s</script>`", `&lt;script&gt;%s&lt;/script&gt;`, `&#60;script&#62;%s&#60;/script&#62;`,
		`<noscript><p title="</noscript><img src=x onerror=%s>">`, `<xmp><script>%s</script></xmp>`, `<p id="x" onclick=%s tabindex=1>x</p>`, `[x]: javascript:%s "y"`, `[^x]: <script>%s</script>`, `<template><script>%s</script></template>`,
	}
	turns := []*strings.Replacer{strings.NewReplacer(), strings.NewReplacer("script", "SCRIPT", "on", "ON", "href", "HREF"),
		strings.NewReplacer("javascript:", "java\tscript:", " on", "\non"), strings.NewReplacer("javascript:", "\x01javascript:", "<script", "<script\x00", " on", "/on")}
	var all []string
	for _, form := range forms {
		for _, code := range []string{js, "fetch(`/hit`)", `fetch(&#39;/hit&#39;)`, `fetch(/\x2fhit/.source)`, `eval("fetch('/hit')")`} {
			for _, turn := range turns {
				all = append(all, fmt.Sprintf(turn.Replace(form), code))
			}
		}
	}
	return all
}

// hostilePages are issues with a payload in each place that an editor's or a
// reader's words come to.
func (b *browser) hostilePages(t *testing.T) []string {
	t.Helper()
	var pages []string
	hostile := payloads()
	if len(hostile) < 1000 {
		t.Errorf("%d payloads", len(hostile))
	}
	const inOne = 50
	for i := 0; i < len(hostile); i += inOne {
		var body, suggested strings.Builder
		for _, p := range hostile[i:min(i+inOne, len(hostile))] {
			fmt.Fprintf(&body, "%s\n\n[%s](https://a.example/) - %s\n\n> %s\n\n- %s\n\n", p, strings.ReplaceAll(p, "]", ""), p, p, p)
			fmt.Fprintf(&suggested, "[%s](https://b.example/) - %s\n\n", p, p)
		}
		p := strings.ReplaceAll(hostile[i], "\"", `\"`)
		text := fmt.Sprintf("---\ntitle: \"#12 - %s\"\nsubtitle: \"%s\"\nhero-img: \"%s\"\nlang: \"%s\"\n---\n\n%s\n\n## %s\n\n{{suggestions}}\n", p, p, p, p, body.String(), hostile[i])
		r, err := compose.Render(t.Context(), markdown.Source{Text: []byte(text), Exact: true}, 12, compose.Frame{Name: hostile[i], Tagline: hostile[i],
			PostalAddress: hostile[i], Host: "https://harbour.example", Looks: templates.Look(""), Suggestions: suggested.String()})
		if err != nil {
			t.Fatal(err)
		}
		for kind, page := range map[string][]byte{"web": r.Web, "mail": r.HTML, "feed": append([]byte("<!doctype html>"), r.Feed...)} {
			path := fmt.Sprintf("/hostile-%s-%d", kind, i)
			b.serve(path, page)
			pages = append(pages, path)
		}
	}
	return pages
}
