package probe

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foxcpp/go-mockdns"
)

// town is a web of one server: every name leads to it, plain or encrypted.
type town struct {
	plain, secure *httptest.Server
	hits          atomic.Int32
	together      map[string]int // requests that are under way, by host
	most          int
	mu            sync.Mutex
}

func newTown(t *testing.T) (*town, *Prober) {
	t.Helper()
	w := &town{together: map[string]int{}}
	w.plain = httptest.NewServer(http.HandlerFunc(w.serve))
	w.secure = httptest.NewTLSServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.plain.Close)
	t.Cleanup(w.secure.Close)
	p := &Prober{online: online, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, _ := net.SplitHostPort(addr)
		switch {
		case strings.HasPrefix(host, "none."):
			return nil, &net.DNSError{Name: host, IsNotFound: true}
		case port == "443" && !strings.HasPrefix(host, "plain."):
			return (&net.Dialer{}).DialContext(ctx, "tcp", w.secure.Listener.Addr().String())
		case port == "80":
			return (&net.Dialer{}).DialContext(ctx, "tcp", w.plain.Listener.Addr().String())
		}
		return nil, fmt.Errorf("connection refused")
	}}
	p.once.Do(p.open)
	config := w.secure.Client().Transport.(*http.Transport).TLSClientConfig
	config.ServerName = "example.com"
	p.client.Transport.(*http.Transport).TLSClientConfig = config
	return w, p
}

func (w *town) serve(rw http.ResponseWriter, r *http.Request) {
	w.hits.Add(1)
	w.enter(r.Host, 1)
	defer w.enter(r.Host, -1)
	if r.Header.Get("Cookie") != "" || r.Header.Get("Referer") != "" {
		http.Error(rw, "it tells too much", http.StatusTeapot)
		return
	}
	http.SetCookie(rw, &http.Cookie{Name: "who", Value: "you"})
	switch path := r.URL.Path; {
	case path == "/gone":
		http.NotFound(rw, r)
	case path == "/bots":
		http.Error(rw, "no", http.StatusForbidden)
	case path == "/moved":
		http.Redirect(rw, r, "https://elsewhere.town/", http.StatusMovedPermanently)
	case path == "/inside":
		http.Redirect(rw, r, "http://127.0.0.1:8080/", http.StatusFound)
	case path == "/file":
		http.Redirect(rw, r, "file:///etc/hostname", http.StatusFound)
	case path == "/round":
		http.Redirect(rw, r, "/round", http.StatusFound)
	case path == "/boat.png":
		png.Encode(rw, image.NewGray(image.Rect(0, 0, 30, 20)))
	default:
		io.WriteString(rw, "<title>a page")
	}
}

func (w *town) enter(host string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.together[host] += n
	w.most = max(w.most, w.together[host])
}

func TestProbe(t *testing.T) {
	_, p := newTown(t)
	for _, c := range []struct {
		url   string
		state State
		final string
	}{
		{"https://a.town/", Fine, ""},
		{"https://a.town/gone", Gone, ""},
		{"https://a.town/bots", Refused, ""},
		{"https://none.town/", Gone, ""},
		{"https://plain.town/", Silent, ""},
		{"http://plain.town/x", Fine, ""},
		{"https://a.town/moved", Fine, "https://elsewhere.town/"},
		{"https://a.town/inside", Forbidden, ""},
		{"https://a.town/file", Forbidden, ""},
		{"https://a.town/round", Silent, ""},
		{"https://a.town:8443/", Forbidden, ""},
		{"https://me:secret@a.town/", Forbidden, ""},
		{"ftp://a.town/", Forbidden, ""}, {"gopher://a.town/", Forbidden, ""}, {"file:///etc/hostname", Forbidden, ""},
		{"https://www.example.org/", Reserved, ""}, {"http://localhost/", Reserved, ""},
		{"https://a.town/" + strings.Repeat("x", 3000), Forbidden, ""},
	} {
		got := p.Probe(t.Context(), []Ask{{URL: c.url}})[c.url]
		if got.State != c.state || got.Final != c.final || got.State != Fine && got.Why == "" {
			t.Errorf("%.60s: %+v, want %s %s", c.url, got, c.state, c.final)
		}
	}
}

func online(context.Context) bool { return true }

// A machine without a line calls nothing dead and keeps nothing; one server that
// speaks is proof enough of a line.
func TestOffline(t *testing.T) {
	_, p := newTown(t)
	p.online = func(context.Context) bool { return false }
	got := p.Probe(t.Context(), []Ask{{URL: "https://none.town/"}, {URL: "https://plain.town/"}})
	if got["https://none.town/"].State != Waiting || got["https://plain.town/"].State != Waiting || len(p.kept) != 0 {
		t.Errorf("%+v, kept %v", got, p.kept)
	}
	got = p.Probe(t.Context(), []Ask{{URL: "https://none.town/"}, {URL: "https://a.town/bots"}})
	if got["https://none.town/"].State != Gone {
		t.Errorf("%+v", got)
	}
}

// Whether there is a line is asked of the resolver in use.
func TestResolves(t *testing.T) {
	for name, want := range map[string]bool{always: true, "other.town": false} {
		dns, err := mockdns.NewServer(map[string]mockdns.Zone{name + ".": {A: []string{"198.41.0.4"}}}, false)
		if err != nil {
			t.Fatal(err)
		}
		p := &Prober{Resolver: &net.Resolver{}}
		dns.PatchNet(p.Resolver)
		if got := p.resolves(t.Context()); got != want {
			t.Errorf("with %s: %v", name, got)
		}
		if err := dns.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestMain puts a proxy into the environment that nobody answers at: whoever
// listened to it would fail every test here.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		if err := os.Setenv(name, "http://127.0.0.1:9"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// A server that redirects without end is left after the third time.
func TestRedirects(t *testing.T) {
	w, p := newTown(t)
	p.Probe(t.Context(), []Ask{{URL: "https://a.town/round"}})
	if n := w.hits.Load(); n != 1+maxRedirects {
		t.Errorf("%d requests", n)
	}
}

// An http link tells whether its encrypted form is as good.
func TestSecure(t *testing.T) {
	_, p := newTown(t)
	got := p.Probe(t.Context(), []Ask{{URL: "http://a.town/"}, {URL: "http://plain.town/"}, {URL: "http://a.town/gone"}})
	if !got["http://a.town/"].Secure || got["http://plain.town/"].Secure || got["http://a.town/gone"].State != Gone {
		t.Errorf("%+v", got)
	}
}

func TestImage(t *testing.T) {
	_, p := newTown(t)
	got := p.Probe(t.Context(), []Ask{{URL: "https://a.town/boat.png", Image: true}})["https://a.town/boat.png"]
	var b bytes.Buffer
	png.Encode(&b, image.NewGray(image.Rect(0, 0, 30, 20)))
	if got.Width != 30 || got.Height != 20 || got.Bytes != b.Len() {
		t.Errorf("%+v, want 30 by 20 and %d bytes", got, b.Len())
	}
}

// Answers are kept, so that the next proof does not ask again.
func TestKept(t *testing.T) {
	w, p := newTown(t)
	asks := []Ask{{URL: "https://a.town/"}, {URL: "https://a.town/gone"}, {URL: "https://a.town/"}}
	p.Probe(t.Context(), asks)
	p.Probe(t.Context(), asks)
	if n := w.hits.Load(); n != 2 {
		t.Errorf("%d requests for two links", n)
	}
}

// No host gets two requests at once.
func TestPolite(t *testing.T) {
	w, p := newTown(t)
	var asks []Ask
	for i := range 40 {
		asks = append(asks, Ask{URL: fmt.Sprintf("https://host%d.town/%d", i%4, i)})
	}
	for url, a := range p.Probe(t.Context(), asks) {
		if a.State != Fine {
			t.Errorf("%s: %+v", url, a)
		}
	}
	if w.most != 1 || w.hits.Load() != 40 {
		t.Errorf("%d at once, %d in all", w.most, w.hits.Load())
	}
}

// silence is a dialler to servers that take the request and never answer.
func silence(ctx context.Context, network, addr string) (net.Conn, error) {
	here, there := net.Pipe()
	go func() { io.Copy(io.Discard, there); there.Close() }()
	return here, nil
}

// plainly refuses what is encrypted at once.
func plainly(dial func(ctx context.Context, network, addr string) (net.Conn, error)) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasSuffix(addr, ":443") {
			return nil, fmt.Errorf("connection refused")
		}
		return dial(ctx, network, addr)
	}
}

func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Prober{online: online, Dial: plainly(silence)}
		begin := time.Now()
		got := p.Probe(t.Context(), []Ask{{URL: "http://a.town/"}})["http://a.town/"]
		if took := time.Since(begin); got.State != Silent || took != maxTime || got.Why != "no-answer" || Seconds() != 5 {
			t.Errorf("%+v after %v", got, took)
		}
	})
}

// When our own time is over, the rest is waiting and not called dead.
func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Prober{online: online, Dial: plainly(silence), Workers: 2}
		var asks []Ask
		for i := range 6 {
			asks = append(asks, Ask{URL: fmt.Sprintf("http://host%d.town/", i)})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		count := map[State]int{}
		for _, a := range p.Probe(ctx, asks) {
			count[a.State]++
		}
		if count[Silent] != 2 || count[Waiting] != 4 {
			t.Errorf("%v", count)
		}
	})
}
