package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// browser is a Chromium that the test runs, with a server of pages beside it.
// Both end with the test.
type browser struct {
	*httptest.Server
	mux *http.ServeMux
}

// withBrowser skips where servers are not asked for or no Chromium is installed;
// in CI both must be there.
func withBrowser(t *testing.T) *browser {
	t.Helper()
	if os.Getenv("GALLEY_SERVERS") == "" {
		t.Skip("a browser is asked for with GALLEY_SERVERS=1")
	}
	if findBrowser() == "" {
		missing(t, "no Chromium is installed")
	}
	b := &browser{mux: http.NewServeMux()}
	b.Server = httptest.NewServer(b.mux)
	t.Cleanup(b.Close)
	return b
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// run opens a page of the server and waits until it posts to /done.
func (b *browser) run(t *testing.T, page string, wait time.Duration, flags ...string) []byte {
	t.Helper()
	done := make(chan []byte, 1)
	path := "/done" + strconv.FormatInt(time.Now().UnixNano(), 36)
	b.mux.HandleFunc("POST "+path, func(_ http.ResponseWriter, r *http.Request) {
		said, _ := io.ReadAll(r.Body)
		select {
		case done <- said:
		default:
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	profile, err := os.MkdirTemp("", "galley-browser")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(profile) // what its children still write may stay
	args := append([]string{"--headless", "--disable-gpu", "--no-first-run", "--user-data-dir=" + profile, "--window-size=1400,1000"}, flags...)
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium refuses to run as root with it; the pages are our own
	}
	args = append(args, "--remote-debugging-port=0", b.URL+page+"#"+path)
	cmd := exec.CommandContext(ctx, findBrowser(), args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // it was ended by us
	}()
	select {
	case said := <-done:
		return said
	case <-ctx.Done():
		t.Fatalf("the browser said nothing within %v", wait)
		return nil
	}
}

// serve gives a page an address.
func (b *browser) serve(path string, page []byte) {
	b.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page)
	})
}

// shownPage is a page at one width in one mode.
type shownPage struct {
	Name  string `json:"name"`
	URL   string `json:"url"`
	Width int    `json:"width"`
}

// judged is what axe-core and the browser say of it.
type judged struct {
	Name   string   `json:"name"`
	Width  int      `json:"width"` // of the window, as the page saw it
	Scroll int      `json:"scroll"`
	Lang   string   `json:"lang"`
	Title  string   `json:"title"`
	Tables int      `json:"tables"` // without a role or a header cell
	Alts   int      `json:"alts"`   // images without alt
	Faults []string `json:"faults"`
}

// looker opens page after page in a frame of its width, runs axe-core in it and
// posts what it says.
const looker = `<!doctype html><script>
const pages = %s;
async function look(p) {
  const f = document.createElement('iframe');
  f.style = 'border:0;height:2000px;width:' + p.width + 'px';
  await new Promise(r => { f.onload = r; f.src = p.url; document.body.append(f); });
  const w = f.contentWindow, d = w.document;
  await new Promise(r => { const s = d.createElement('script'); s.onload = r; s.src = '/axe.js'; d.head.append(s); });
  const found = await w.axe.run(d, {resultTypes: ['violations'], rules: {'color-contrast': {enabled: true}}});
  const faults = found.violations.filter(v => v.impact == 'serious' || v.impact == 'critical' || v.id == 'color-contrast')
    .map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' ' + (n.any[0] ? n.any[0].message : '')).join(' | '));
  const tables = [...d.querySelectorAll('table')].filter(t => t.getAttribute('role') != 'presentation' && !t.querySelector('th')).length;
  const out = {name: p.name, width: w.innerWidth, scroll: d.documentElement.scrollWidth, lang: d.documentElement.lang, title: d.title,
    tables: tables, alts: d.querySelectorAll('img:not([alt])').length, faults: faults};
  f.remove();
  return out;
}
onload = async () => {
  let all = [];
  try { for (const p of pages) all.push(await look(p)); } catch (e) { all.push({name: String(e), faults: [String(e.stack)]}); }
  fetch(location.hash.slice(1), {method: 'POST', body: JSON.stringify(all)});
};
</script><body></body>`

// TestPagesAreForEverybody is bar 10: both looks, as mail and as pages, narrow
// and wide, light and dark, with pictures and without.
func TestPagesAreForEverybody(t *testing.T) {
	b := withBrowser(t)
	t.Parallel()
	axe, err := os.ReadFile(os.Getenv("GALLEY_AXE"))
	if err != nil {
		missing(t, "GALLEY_AXE does not name axe.min.js of axe-core: "+err.Error())
	}
	b.mux.HandleFunc("GET /axe.js", func(w http.ResponseWriter, _ *http.Request) { w.Write(axe) })
	pages := b.everyPage(t)
	list, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	b.serve("/look", fmt.Appendf(nil, looker, list))
	for _, flags := range [][]string{nil, {"--blink-settings=imagesEnabled=false"}} {
		var all []judged
		if err := json.Unmarshal(b.run(t, "/look", 4*time.Minute, flags...), &all); err != nil {
			t.Fatal(err)
		}
		if len(all) != len(pages) {
			t.Errorf("%d of %d pages were looked at", len(all), len(pages))
		}
		for i, j := range all {
			for _, fault := range j.Faults {
				t.Errorf("%s at %d: %s", j.Name, j.Width, fault)
			}
			if j.Lang == "" || j.Title == "" || j.Tables > 0 || j.Alts > 0 {
				t.Errorf("%s: lang %q, title %q, %d tables without a role, %d images without alt", j.Name, j.Lang, j.Title, j.Tables, j.Alts)
			}
			if i < len(pages) && (j.Width != pages[i].Width || j.Scroll > j.Width) {
				t.Errorf("%s: %d wide in a window of %d, which should be %d", j.Name, j.Scroll, j.Width, pages[i].Width)
			}
		}
	}
}

// everyPage serves every page of both looks, and the proofs.
func (b *browser) everyPage(t *testing.T) []shownPage {
	t.Helper()
	var all []shownPage
	add := func(name string, page []byte) {
		for _, mode := range []string{"light", "dark"} {
			path := "/" + name + "-" + mode
			b.serve(path, inMode(page, mode))
			for _, width := range []int{320, 1280} {
				all = append(all, shownPage{name + " " + mode, path, width})
			}
		}
	}
	dir := t.TempDir()
	if code, _, errs := command(t, "looks", "--pages-only", "-o", dir); code != 0 {
		t.Fatal(errs)
	}
	for _, look := range []string{"standard", "plain"} {
		for _, kind := range []string{"mail", "web"} {
			add(look+"-"+kind, file(t, dir, look+"-"+kind+"-light.html"))
		}
		for kind, page := range sitePages(t, look) {
			add(look+"-"+kind, page)
		}
	}
	proofs, err := filepath.Glob("testdata/golden/proof-*.html")
	if err != nil || len(proofs) == 0 {
		t.Fatalf("no proofs: %v", err)
	}
	before, after, found := strings.Cut(string(file(t, dir, "standard-mail-light.html")), "<table role=\"presentation\" class=\"desk\"")
	if !found {
		t.Fatal("the mail does not begin as it used to")
	}
	for _, name := range proofs {
		add(strings.TrimSuffix(filepath.Base(name), ".html"), []byte(before+string(file(t, name))+`<table role="presentation" class="desk"`+after))
	}
	desk, err := filepath.Glob("testdata/golden/page-*.html")
	if err != nil || len(desk) == 0 {
		t.Fatalf("no mails of the desk: %v", err)
	}
	for _, name := range desk {
		add(strings.TrimSuffix(filepath.Base(name), ".html"), file(t, name))
	}
	return all
}

// TestNothingRuns is bar 75: hostile words in every place of an issue run no
// script, on the page, in the mail and in a feed's entry, even without the
// security policy that the site sends along.
func TestNothingRuns(t *testing.T) {
	b := withBrowser(t)
	t.Parallel()
	var hits atomic.Int64
	b.mux.HandleFunc("/hit", func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	pages := b.hostilePages(t)
	list, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	const opener = `<!doctype html><script>
onload = async () => {
  for (const p of %s) await new Promise(r => { const f = document.createElement('iframe'); f.onload = () => setTimeout(r, 100); f.src = p; document.body.append(f);
    setTimeout(() => { try { f.contentDocument.querySelectorAll('a,button,input,details').forEach(e => { e.focus(); e.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})); if (String(e.href).startsWith('javascript:')) e.click(); }); } catch (e) {} }, 50); });
  setTimeout(() => fetch(location.hash.slice(1), {method: 'POST', body: 'done'}), 500);
};
</script><body></body>`
	b.serve("/open", fmt.Appendf(nil, opener, list))
	b.serve("/proof-of-the-trap", []byte(`<!doctype html><img src=x onerror="fetch('/hit')"><script>onload=()=>setTimeout(()=>fetch(location.hash.slice(1),{method:'POST',body:'x'}),500)</script>`))
	b.run(t, "/proof-of-the-trap", time.Minute)
	if hits.Swap(0) != 1 {
		t.Fatal("the trap does not catch what runs")
	}
	b.run(t, "/open", 4*time.Minute)
	if n := hits.Load(); n > 0 {
		t.Errorf("%d scripts ran", n)
	}
}

// TestNoPageBreaksItsPolicy is the rest of bar 75: the browser takes all that a
// page of ours has, under the policy that the site sends with it.
func TestNoPageBreaksItsPolicy(t *testing.T) {
	b := withBrowser(t)
	var said sync.Map
	b.mux.HandleFunc("POST /broken/{page}", func(_ http.ResponseWriter, r *http.Request) {
		report, _ := io.ReadAll(r.Body)
		said.Store(r.PathValue("page"), string(report))
	})
	dir := t.TempDir()
	if code, _, errs := command(t, "looks", "--pages-only", "-o", dir); code != 0 {
		t.Fatal(errs)
	}
	pages := []string{"trap"}
	b.ruled("trap", []byte(`<!doctype html><p style="color:red">x</p>`), http.Header{"Content-Security-Policy": {"default-src 'none'"}})
	for _, look := range []string{"standard", "plain"} {
		shelf := shownShelf{web: file(t, dir, look+"-web-light.html")} // any address is this issue's
		for name, w := range siteAnswers(t, look, shelf) {
			pages = append(pages, look+"-"+name)
			b.ruled(look+"-"+name, w.Body.Bytes(), w.Header())
		}
	}
	list, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	b.serve("/rules", fmt.Appendf(nil, `<!doctype html><script>
onload = async () => {
  for (const p of %s) await new Promise(r => { const f = document.createElement('iframe'); f.onload = r; f.src = '/ruled/' + p; document.body.append(f); });
  setTimeout(() => fetch(location.hash.slice(1), {method: 'POST', body: 'done'}), 1000);
};
</script><body></body>`, list))
	b.run(t, "/rules", 2*time.Minute)
	if _, ok := said.LoadAndDelete("trap"); !ok {
		t.Fatal("the browser does not tell of a broken policy")
	}
	said.Range(func(page, report any) bool {
		t.Errorf("%s: %s", page, report)
		return true
	})
}

// ruled serves a page under its own policy, which may be shown in our frame and
// tells of every breach.
func (b *browser) ruled(name string, page []byte, h http.Header) {
	policy := strings.Replace(h.Get("Content-Security-Policy"), "frame-ancestors 'none'", "frame-ancestors 'self'", 1)
	b.mux.HandleFunc("GET /ruled/"+name, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy+"; report-uri /broken/"+name)
		w.Write(page)
	})
}
