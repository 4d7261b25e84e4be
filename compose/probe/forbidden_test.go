package probe

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"code.dny.dev/ssrf"
	"github.com/foxcpp/go-mockdns"
)

// errWorld stands for a connection to the public world, which a test has not.
var errWorld = errors.New("this would be a connection to the world")

// trap is a machine with listeners on both its loop addresses, and a Prober
// whose guarded connections to port 80 or 443 of any address lead to the port of
// those listeners, so that nothing but the guard stands between them.
type trap struct {
	port  string
	taken atomic.Int32
	world atomic.Int32
	*Prober
}

func newTrap(t *testing.T, public http.Handler) *trap {
	t.Helper()
	w := &trap{}
	w.listen(t)
	site := httptest.NewServer(public)
	t.Cleanup(site.Close)
	guarded := &net.Dialer{Resolver: w.names(t), Control: func(network, addr string, c syscall.RawConn) error {
		if err := guard(ssrf.WithAnyPort()).Safe(network, addr, c); err != nil {
			return err
		}
		w.world.Add(1)
		return errWorld
	}}
	w.Prober = &Prober{online: online, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, _ := net.SplitHostPort(addr)
		switch {
		case host == "public.town" && port == "80":
			return (&net.Dialer{}).DialContext(ctx, "tcp", site.Listener.Addr().String())
		case host == "public.town":
			return nil, errWorld
		}
		return guarded.DialContext(ctx, network, net.JoinHostPort(host, w.port))
	}}
	w.Prober.once.Do(w.Prober.open)
	return w
}

// listen counts who comes to 127.0.0.1 and, where there is one, to ::1.
func (w *trap) listen(t *testing.T) {
	four, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, w.port, _ = net.SplitHostPort(four.Addr().String())
	listeners := []net.Listener{four}
	if six, err := net.Listen("tcp6", "[::1]:"+w.port); err == nil {
		listeners = append(listeners, six)
	}
	for _, l := range listeners {
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				w.taken.Add(1)
				c.Close()
			}
		}()
	}
}

// names is a resolver with names that lead here, and one that gives a public
// address to whoever asks first and this machine's to whoever asks again.
func (w *trap) names(t *testing.T) *net.Resolver {
	inside := map[string]mockdns.Zone{
		"inside.town.": {A: []string{"127.0.0.1"}}, "cloud.town.": {A: []string{"169.254.169.254"}},
		"both.town.": {A: []string{"127.0.0.1"}, AAAA: []string{"::1"}}, "mixed.town.": {A: []string{"1.1.1.1", "127.0.0.1"}},
		"alias.town.": {CNAME: "inside.town."}, "mapped.town.": {AAAA: []string{"64:ff9b::7f00:1"}},
		"rebinds.town.": {A: []string{"127.0.0.1"}},
	}
	first := map[string]mockdns.Zone{"rebinds.town.": {A: []string{"1.1.1.1"}}}
	var resolvers [2]*net.Resolver
	for i, zones := range []map[string]mockdns.Zone{first, inside} {
		dns, err := mockdns.NewServerWithLogger(zones, log.New(io.Discard, "", 0), false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { dns.Close() })
		resolvers[i] = &net.Resolver{}
		dns.PatchNet(resolvers[i])
	}
	var asked atomic.Int32
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if which, _ := ctx.Value(rebinding{}).(bool); which && asked.Add(1) <= 2 { // A and AAAA of the first look
			return resolvers[0].Dial(ctx, network, addr)
		}
		return resolvers[1].Dial(ctx, network, addr)
	}}
}

type rebinding struct{}

// forbidden are the 60 and more ways of trust.md bar 77 to spell or to reach an
// address that is not public.
var forbidden = strings.Fields(`
http://127.0.0.1/ http://127.1/ http://127.0.0.2/ http://127.255.255.254/ http://0.0.0.0/ http://0/
http://2130706433/ http://0x7f000001/ http://0x7f.1/ http://0X7F.0.0.1/ http://0177.0.0.1/ http://017700000001/ http://127.000.000.001/
http://%31%32%37.0.0.1/ http://①②⑦.⓪.⓪.①/ http://127。0。0。1/ http://127.0.0.1./ https://127.0.0.1/ http://127.0.0.1:80/ http://127.0.0.1:443/
http://[::1]/ http://[::]/ http://[0:0:0:0:0:0:0:1]/ http://[::1%25lo]/ http://[::ffff:127.0.0.1]/ http://[::ffff:7f00:1]/ http://[::127.0.0.1]/
http://[64:ff9b::7f00:1]/ http://[64:ff9b:1::7f00:1]/ http://[64:ff9b::169.254.169.254]/ http://[2002:7f00:1::]/ http://[2002:a9fe:a9fe::1]/
http://[fe80::1]/ http://[fe80::1%25eth0]/ http://[fc00::1]/ http://[fd12:3456::1]/ http://[fd00:ec2::254]/ http://[ff02::1]/ http://[fec0::1]/
http://[3fff::1]/ http://[5f00::1]/ http://[100::1]/ http://[2001:db8::1]/ http://[2001::1]/
http://10.0.0.1/ http://10.255.255.255/ http://172.16.0.1/ http://172.31.0.1/ http://192.168.0.1/ http://192.168.255.1/ http://100.64.0.1/ http://100.127.0.1/
http://169.254.169.254/latest/meta-data/ http://2852039166/ http://0xa9fea9fe/ http://0251.0376.0251.0376/ http://169.254.0.1/
http://192.0.0.1/ http://192.0.0.170/ http://192.0.2.1/ http://198.18.0.1/ http://198.19.255.1/ http://198.51.100.1/ http://203.0.113.1/
http://224.0.0.1/ http://239.255.255.255/ http://240.0.0.1/ http://255.255.255.255/
http://inside.town/ http://INSIDE.town./ http://cloud.town/ http://both.town/ http://alias.town/ http://mapped.town/ http://mixed.town/ http://rebinds.town/
http://localhost/ http://localhost./ http://a.localhost/ http://public.town@127.0.0.1/ http://public.town:80@127.0.0.1/ http://public.town%40127.0.0.1/
http://public.town#@127.0.0.1/x http://127.0.0.1\@public.town/ http://127.0.0.1:6379/ http://public.town:22/ http:127.0.0.1/ http:///127.0.0.1/ //127.0.0.1/
file:///etc/hostname file://127.0.0.1/etc/hostname gopher://127.0.0.1:70/_x ftp://127.0.0.1/ dict://127.0.0.1:11211/ ldap://127.0.0.1/ jar:http://127.0.0.1!/ data:text/html,<title>x
http://public.town/to?http://127.0.0.1/ http://public.town/to?http://169.254.169.254/ http://public.town/to?http://[::1]/ http://public.town/to?//127.0.0.1/
http://public.town/to?http://2130706433/ http://public.town/to?http://inside.town/ http://public.town/to?file:///etc/hostname http://public.town/to?gopher://127.0.0.1:70/_x
http://public.town/to?http://127.0.0.1:6379/ http://public.town/to?https://[::ffff:127.0.0.1]/ http://public.town/to?http://me:you@127.0.0.1/ http://public.town/to?/to?http://127.0.0.1/
`)

// A link check and the fetching of a title open no connection to a listener of
// this machine, whatever the address says and wherever it redirects.
func TestForbidden(t *testing.T) {
	w := newTrap(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/to" {
			rw.Header().Set("Location", r.URL.RawQuery)
			rw.WriteHeader(http.StatusFound)
			return
		}
		io.WriteString(rw, "<title>public")
	}))
	if len(forbidden) < 60 {
		t.Fatalf("%d addresses", len(forbidden))
	}
	fine := "http://public.town#@127.0.0.1/x" // what follows the # is no host
	for _, u := range forbidden {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		answer := w.Probe(ctx, []Ask{{URL: u}})[u]
		page, err := w.Page(ctx, u)
		cancel()
		if u != fine && (answer.State == Fine || answer.Status/100 == 2 || err == nil) {
			t.Errorf("%s: %+v, page %+v", u, answer, page)
		}
	}
	if n := w.taken.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// A name that gave a public address when it was first asked, and this machine's
// when it is asked again, is refused the second time; the first time it would
// have been a connection to the world.
func TestRebinding(t *testing.T) {
	w := newTrap(t, http.NotFoundHandler())
	ctx := context.WithValue(t.Context(), rebinding{}, true)
	for range 3 {
		if got := w.get(ctx, Ask{URL: "https://rebinds.town/"}); got.State == Fine {
			t.Errorf("%+v", got)
		}
	}
	if w.world.Load() == 0 || w.taken.Load() != 0 {
		t.Errorf("%d to the world, %d to this machine", w.world.Load(), w.taken.Load())
	}
}

// What is public is asked: a guard that refuses everything would pass above.
func TestPublic(t *testing.T) {
	w := newTrap(t, http.NotFoundHandler())
	for _, u := range []string{"https://1.1.1.1/", "https://[2606:4700:4700::1111]/"} {
		before := w.world.Load()
		w.get(t.Context(), Ask{URL: u})
		if w.world.Load() == before {
			t.Errorf("%s was not asked", u)
		}
	}
}

// weighed is a Prober that counts the bytes that come in over its connections.
func weighed(t *testing.T, h http.HandlerFunc) (*Prober, *atomic.Int64) {
	t.Helper()
	s, read := httptest.NewServer(h), new(atomic.Int64)
	t.Cleanup(s.Close)
	p := &Prober{online: online, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasSuffix(addr, ":443") {
			return nil, errWorld
		}
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Listener.Addr().String())
		return &scale{c, read}, err
	}}
	p.once.Do(p.open)
	return p, read
}

type scale struct {
	net.Conn
	read *atomic.Int64
}

func (s *scale) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.read.Add(int64(n))
	return n, err
}

// endless writes 1 GiB of chunk, unless nobody listens any more.
func endless(w io.Writer, chunk []byte) {
	for range (1 << 30) / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// However much a server sends, 512 KiB are taken, all redirects together.
func TestBombs(t *testing.T) {
	var squeezed bytes.Buffer
	z := gzip.NewWriter(&squeezed)
	endless(&shorter{z, 64 << 20}, make([]byte, 1<<20))
	z.Close()
	for name, h := range map[string]http.HandlerFunc{
		"a page":   func(w http.ResponseWriter, r *http.Request) { endless(w, bytes.Repeat([]byte("<p>"), 1<<14)) },
		"a head":   func(w http.ResponseWriter, r *http.Request) { endless(w, bytes.Repeat([]byte("<meta name=x>"), 1<<14)) },
		"one word": func(w http.ResponseWriter, r *http.Request) { endless(w, bytes.Repeat([]byte("a"), 1<<16)) },
		"an address": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/"+strings.Repeat("a", 60<<10))
			w.WriteHeader(302)
		},
		"a header": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("a", 8<<20))
			io.WriteString(w, "<title>x")
		},
		"gzip": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", "text/html")
			for range 64 {
				w.Write(squeezed.Bytes())
			}
		},
	} {
		for _, ask := range []Ask{{URL: "http://plain.town/"}, {URL: "http://plain.town/x.png", Image: true}} {
			p, read := weighed(t, h)
			begin := time.Now()
			p.Probe(t.Context(), []Ask{ask})
			probed := read.Swap(0)
			_, err := p.Page(t.Context(), ask.URL)
			if took := time.Since(begin); took > 2*maxTime || probed > maxBytes || read.Load() > maxBytes {
				t.Errorf("%s: %v, %d and %d bytes", name, took, probed, read.Load())
			}
			if err == nil {
				t.Errorf("%s has a title", name)
			}
		}
	}
}

// shorter ends a writer after n bytes.
type shorter struct {
	io.Writer
	n int
}

func (s *shorter) Write(b []byte) (int, error) {
	if s.n -= len(b); s.n < 0 {
		return 0, io.ErrShortWrite
	}
	return s.Writer.Write(b)
}

// A server that gives one byte a second for an hour is left after 5 seconds,
// in its head, in its page and in its handshake.
func TestDrip(t *testing.T) {
	for name, begins := range map[string]string{
		"in the head": "HTTP/1.1 200 OK\r\nX: ",
		"in the page": "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<head>",
		"in a title":  "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>a",
		"at once":     "",
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &Prober{online: online, Dial: plainly(drip(begins))}
			begin := time.Now()
			if _, err := p.Page(t.Context(), "http://a.town/"); err == nil && !strings.Contains(name, "title") {
				t.Errorf("%s: there is a title", name)
			}
			if took := time.Since(begin); took > maxTime {
				t.Errorf("%s: a page took %v", name, took)
			}
			begin = time.Now()
			p.Probe(t.Context(), []Ask{{URL: "http://a.town/x.png", Image: true}})
			if took := time.Since(begin); took > maxTime {
				t.Errorf("%s: a check took %v", name, took)
			}
			time.Sleep(2 * time.Second) // until the server, too, has seen that nobody listens
		})
	}
}

// drip is a dialler to servers that send begins, and then a letter a second.
func drip(begins string) dialler {
	return func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go io.Copy(io.Discard, there)
		go func() {
			defer there.Close()
			io.WriteString(there, begins)
			for range 3600 {
				time.Sleep(time.Second)
				if _, err := fmt.Fprint(there, "a"); err != nil {
					return
				}
			}
		}()
		return here, nil
	}
}

// Nothing of the encrypted form is trusted more: its certificate must be good.
func TestCertificate(t *testing.T) {
	w, p := newTown(t)
	p.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{}
	if got := p.get(t.Context(), Ask{URL: "https://a.town/"}); got.State != Silent || got.Why != "certificate" || w.hits.Load() != 0 {
		t.Errorf("%+v, %d requests", got, w.hits.Load())
	}
}
