package probe

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// served is a Prober whose every connection ends at h.
func served(t *testing.T, h http.HandlerFunc) *Prober {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &Prober{Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
	}}
}

func TestPageReadsItsHead(t *testing.T) {
	for name, c := range map[string]struct {
		kind, body string
		want       Page
	}{
		"a title":       {"text/html; charset=utf-8", "<title>\n A  Guide </title>", Page{Title: "A Guide"}},
		"entities":      {"text/html", "<title>Fish &amp; Chips</title>", Page{Title: "Fish & Chips"}},
		"for others":    {"text/html", `<title>A Guide | Site</title><meta property="og:title" content="A Guide"><meta name=author content="Lee Example"><meta property="og:site_name" content="Site">`, Page{"A Guide", "Lee Example", "Site"}},
		"latin-1":       {"text/html; charset=iso-8859-1", "<title>Caf\xe9</title>", Page{Title: "Café"}},
		"in a meta":     {"text/html", "<meta charset=windows-1251><title>\xcf\xf0\xe8\xe2\xe5\xf2</title>", Page{Title: "Привет"}},
		"a profile":     {"text/html", `<title>T</title><meta name="author" content="https://site.example/lee">`, Page{Title: "T"}},
		"only the head": {"text/html", `<title>T</title><body><meta name="author" content="Mallory">`, Page{Title: "T"}},
	} {
		p := served(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.Write([]byte(c.body))
		})
		got, err := p.Page(t.Context(), "http://site.galley-test.net/page")
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
}

func TestPageRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		url, kind, body string
		status          int
		why             string
	}{
		"not found": {"http://site.galley-test.net/", "text/html", "<title>T</title>", 404, "404"},
		"a picture": {"http://site.galley-test.net/", "image/png", "x", 200, "image/png"},
		"no title":  {"http://site.galley-test.net/", "text/html", "<p>hello", 200, "no title"},
		"a file":    {"file:///etc/passwd", "", "", 200, "other-scheme"},
		"a port":    {"http://site.galley-test.net:8080/", "", "", 200, "other-port"},
	} {
		p := served(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.WriteHeader(c.status)
			w.Write([]byte(c.body))
		})
		if _, err := p.Page(t.Context(), c.url); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The guard looks at the address that is dialled.
func TestPageOfThisMachineIsNotAsked(t *testing.T) {
	asked := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer s.Close()
	for _, u := range []string{"http://127.0.0.1/", "http://[::1]/", "http://2130706433/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/"} {
		if _, err := (&Prober{}).Page(t.Context(), u); err == nil {
			t.Errorf("%s was read", u)
		}
	}
	if asked {
		t.Error("the guard let a request through")
	}
}

func FuzzHead(f *testing.F) {
	f.Add("<title>T</title><meta name=author content=x>")
	f.Fuzz(func(t *testing.T, s string) {
		p := head(strings.NewReader(s))
		for _, field := range []string{p.Title, p.Author, p.Site} {
			if strings.ContainsAny(field, "\r\n") || len(field) > maxWords+4 {
				t.Errorf("%q", field)
			}
		}
	})
}
