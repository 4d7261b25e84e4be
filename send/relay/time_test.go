package relay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galley/send"
	"galley/send/sendtest"
)

// anyBody reads a message the right way.
func anyBody(_ net.Conn, r *bufio.Reader) bool {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			return true
		}
	}
}

const never = 48 * time.Hour

// TestTimeouts is bar 16, in simulated time over net.Pipe.
func TestTimeouts(t *testing.T) {
	tests := []struct {
		name    string
		delays  map[string]time.Duration
		want    string // "error", or verdict and stage
		elapsed time.Duration
	}{
		{"greeting in time", map[string]time.Duration{"": 299 * time.Second}, "accepted dot", 299 * time.Second},
		{"greeting late", map[string]time.Duration{"": never}, "error", 5 * time.Minute},
		{"EHLO late", map[string]time.Duration{"EHLO": never}, "error", 5 * time.Minute},
		{"MAIL in time", map[string]time.Duration{"MAIL": 299 * time.Second}, "accepted dot", 299 * time.Second},
		{"MAIL late", map[string]time.Duration{"MAIL": never}, "later mail", 5 * time.Minute},
		{"RCPT in time", map[string]time.Duration{"RCPT": 299 * time.Second}, "accepted dot", 299 * time.Second},
		{"RCPT late", map[string]time.Duration{"RCPT": never}, "later rcpt", 5 * time.Minute},
		{"DATA in time", map[string]time.Duration{"DATA": 119 * time.Second}, "accepted dot", 119 * time.Second},
		{"DATA late", map[string]time.Duration{"DATA": never}, "later data", 2 * time.Minute},
		{"dot in time", map[string]time.Duration{".": 599 * time.Second}, "accepted dot", 599 * time.Second},
		{"dot late", map[string]time.Duration{".": never}, "unknown dot", 10 * time.Minute},
		{"all slow and in time", map[string]time.Duration{"MAIL": 299 * time.Second, "RCPT": 299 * time.Second,
			"DATA": 119 * time.Second, ".": 599 * time.Second}, "accepted dot", (299 + 299 + 119 + 599) * time.Second},
	}
	for _, test := range tests {
		for _, ehlo := range []string{"250-raw\r\n250 PIPELINING", "250 raw"} {
			synctest.Test(t, func(t *testing.T) {
				s := &script{delays: test.delays, body: anyBody, replies: map[string]string{"EHLO": ehlo}}
				got, took := timed(t, overPipe(t, s.serve), letter("x"))
				if got != test.want || took != test.elapsed {
					t.Errorf("%s (%q): %s after %s, want %s after %s", test.name, ehlo, got, took, test.want, test.elapsed)
				}
			})
		}
	}
}

// TestHalfAReply has a server say the first of two lines together with the
// reply before, and no more: the wait for the second is that command's own.
func TestHalfAReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{delays: map[string]time.Duration{"RCPT": time.Minute, "DATA": never}, body: anyBody, replies: map[string]string{"RCPT": "250 fine\r\n354-go"}}
		got, took := timed(t, overPipe(t, s.serve), letter("x"))
		if want := 3 * time.Minute; got != "later data" || took != want {
			t.Errorf("%s after %s, want later data after %s", got, took, want)
		}
	})
}

// timed delivers msg and says what came of it and when.
func timed(t *testing.T, r *Relay, msg []byte) (string, time.Duration) {
	start := time.Now()
	l, err := r.Line(t.Context())
	if err != nil {
		if !errors.Is(err, errSilent) {
			t.Errorf("error %v", err)
		}
		return "error", time.Since(start)
	}
	o := send.Deliver(t.Context(), l, to("ann@example.org"), msg, nil)
	took := time.Since(start)
	if o.Code == 0 && !strings.Contains(o.Transcript, errSilent.Error()) {
		t.Errorf("outcome %+v", o)
	}
	l.Close()
	return fmt.Sprintf("%s %s", o.Verdict, o.Stage), took
}

// TestBodyTimeouts has a server that stops reading, and one that reads a block
// just in time until the transaction has lasted 20 minutes.
func TestBodyTimeouts(t *testing.T) {
	msg := letter(strings.Repeat(strings.Repeat("x", 62)+"\r\n", 2<<20/64))
	for _, test := range []struct {
		pause, want time.Duration
	}{{never, 3 * time.Minute}, {179 * time.Second, 20 * time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{body: func(c net.Conn, r *bufio.Reader) bool {
				for {
					time.Sleep(test.pause)
					if _, err := io.CopyN(io.Discard, r, blockSize); err != nil {
						return false
					}
				}
			}}
			got, took := timed(t, overPipe(t, s.serve), msg)
			if got != "later data" || took != test.want {
				t.Errorf("%s after %s, want later data after %s", got, took, test.want)
			}
		})
	}
}

// TestRoundTrips is bar 23 and goal S5: messages of one line at 50 ms round
// trip, in simulated time and therefore exact.
func TestRoundTrips(t *testing.T) {
	const n = 100
	run := func(alone bool, addr string) (took time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			m := sendtest.NewMemory(25 * time.Millisecond)
			s := sendtest.New(sendtest.Options{NoPipelining: alone})
			go s.Serve(m)
			r := &Relay{Addr: "localhost:25", Security: Plain, Dial: m.Dial, MaxMessages: n}
			l := open(t, r)
			var addrs []string
			for i := range n {
				addrs = append(addrs, fmt.Sprintf(addr, i))
			}
			start := time.Now()
			deliverAll(t, l, addrs)
			took = time.Since(start)
			l.Close()
			s.Close()
		})
		return took
	}
	piped, plain := run(false, "r%d@example.org"), run(true, "r%d@example.org")
	if want := (n + 1) * 50 * time.Millisecond; piped != want {
		t.Errorf("%d pipelined messages took %s, want one round trip each and one more: %s", n, piped, want)
	}
	if want := 4 * n * 50 * time.Millisecond; plain != want {
		t.Errorf("%d messages one by one took %s, want four round trips each: %s", n, plain, want)
	}
	refused := run(false, "550+r%d@example.org")
	if want := n * 50 * time.Millisecond; refused != want {
		t.Errorf("%d refused recipients took %s, want %s", n, refused, want)
	}
	t.Logf("pipelined %s, one by one %s (%.2f times), all refused %s", piped, plain, float64(plain)/float64(piped), refused)
}

// TestBarePipe runs pipelining over net.Pipe, which has no buffer, against the
// sink. The final dot ends where a read of the sink ends: it answers while the
// client still writes the next envelope.
func TestBarePipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sendtest.New(sendtest.Options{})
		r := &Relay{Addr: "localhost:25", Security: Plain}
		l := &pipeListener{make(chan net.Conn), make(chan struct{})}
		go s.Serve(l)
		r.Dial = l.dial
		line := open(t, r)
		big := letter(strings.Repeat(strings.Repeat("x", 62)+"\r\n", 1020))
		big = append(big, strings.Repeat("y", 64<<10-len(big)-len("\r\n.\r\n"))+"\r\n"...)
		next := to("bob@example.org")
		must(t, send.Deliver(t.Context(), line, to("ann@example.org"), big, &next))
		must(t, send.Deliver(t.Context(), line, next, big, nil))
		line.Close()
		s.Close()
		if got := s.Messages(); len(got) != 2 || string(got[1].Octets) != string(big) {
			t.Errorf("%d messages", len(got))
		}
	})
}

// TestHostileServers is bar 17 at limits of 400 ms instead of 10 s.
func TestHostileServers(t *testing.T) {
	const limit = 400 * time.Millisecond
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	wait := func() { <-stop }
	drip := func(c net.Conn, s string) {
		for {
			if _, err := c.Write([]byte(s)); err != nil {
				return
			}
			time.Sleep(limit / 8)
		}
	}
	talk := func(body func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) {
			s := &script{body: func(net.Conn, *bufio.Reader) bool { body(c); return false }}
			s.serve(c)
		}
	}
	hostile := map[string]func(net.Conn){
		"an octet at a time": func(c net.Conn) { drip(c, "2") },
		"endless EHLO": func(c net.Conn) {
			c.Write([]byte("220 x\r\n"))
			for {
				if _, err := c.Write([]byte("250-X-MORE\r\n")); err != nil {
					return
				}
			}
		},
		"never reads the body": talk(func(net.Conn) { wait() }),
		"drips the last reply": talk(func(c net.Conn) { go io.Copy(io.Discard, c); drip(c, "2") }),
		"a reply of 1 MiB":     func(c net.Conn) { c.Write([]byte("220 " + strings.Repeat("x", 1<<20) + "\r\n")); wait() },
		"never closes": func(c net.Conn) {
			s := &script{body: anyBody, replies: map[string]string{"QUIT": "250-wait"}}
			s.serve(c)
			wait()
		},
		"TLS stall": func(net.Conn) { wait() },
	}
	big := letter(strings.Repeat(strings.Repeat("x", 62)+"\r\n", 8<<20/64))
	all := Limits{Connect: limit, Handshake: limit, Greeting: limit, Mail: limit, Rcpt: limit, Data: limit,
		Block: limit, Final: limit, Quit: limit, Transaction: limit}
	for name, serve := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := scripted(t, serve)
			r.Limits = all
			if name == "TLS stall" {
				r.Security = TLS
			}
			start := time.Now()
			l, err := r.Line(t.Context())
			if err == nil {
				msg := big
				if name == "never closes" || name == "drips the last reply" {
					msg = letter("x")
				}
				o := send.Deliver(t.Context(), l, to("ann@example.org"), msg, nil)
				if name == "never closes" {
					must(t, o)
				} else if !o.Transport {
					t.Errorf("outcome %+v", o)
				}
				l.Close()
			}
			if took := time.Since(start); took > 3*limit {
				t.Errorf("it took %s", took)
			}
		})
	}
}
