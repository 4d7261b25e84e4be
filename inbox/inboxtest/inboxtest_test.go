package inboxtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client logs in and selects INBOX.
func client(t *testing.T, s *Server, options *imapclient.Options) *imapclient.Client {
	t.Helper()
	conn, err := s.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := imapclient.New(conn, options)
	t.Cleanup(func() { conn.Close(); <-c.Closed() })
	if err := c.Login("galley", "secret").Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t *testing.T, options Options) *Server {
	s := New(options)
	t.Cleanup(func() { s.Close(); s.Close() })
	return s
}

func TestDeliver(t *testing.T) {
	s := start(t, Options{Folders: []string{"Sent"}})
	for n := range 3 {
		if err := s.Deliver("galley", fmt.Appendf(nil, "Subject: %d\n\nline\r\nline\n", n)); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.Messages("galley", "INBOX")
	if err != nil || len(list) != 3 || string(list[2].Raw) != "Subject: 2\r\n\r\nline\r\nline\r\n" ||
		list[2].UID != 3 || time.Since(list[2].Received) > time.Minute {
		t.Errorf("%+v, %v", list, err)
	}
	if s.Deliver("nobody", nil) == nil || s.Put("galley", "Nowhere", nil) == nil {
		t.Error("delivered to nobody")
	}
	names, err := s.Folders("galley")
	if !slices.Equal(names, []string{"INBOX", "Sent"}) || err != nil {
		t.Errorf("folders %q, %v", names, err)
	}
}

// Every change is told to one who idles, also one made just before.
func TestBell(t *testing.T) {
	s := start(t, Options{})
	told := make(chan uint32, 1000)
	c := client(t, s, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				told <- *d.NumMessages
			}
		}}})
	for n := range uint32(50) {
		go s.Deliver("galley", []byte("Subject: x\n\nx\n"))
		idle, err := c.Idle()
		if err != nil {
			t.Fatal(err)
		}
		for got := uint32(0); got != n+1; {
			got = <-told
		}
		if err := idle.Close(); err != nil {
			t.Fatal(err)
		}
		if err := idle.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}

// Two clients move in opposite directions, which the memory server alone does
// not survive.
func TestOppositeMoves(t *testing.T) {
	s := start(t, Options{Folders: []string{"A", "B"}})
	s.Put("galley", "A", []byte("Subject: 1\n\n"))
	s.Put("galley", "B", []byte("Subject: 2\n\n"))
	var both sync.WaitGroup
	for _, way := range [][2]string{{"A", "B"}, {"B", "A"}} {
		c := client(t, s, nil)
		both.Go(func() {
			for range 200 {
				if _, err := c.Select(way[0], nil).Wait(); err != nil {
					t.Error(err)
					return
				}
				if _, err := c.Move(imap.UIDSet{{Start: 1, Stop: 100_000}}, way[1]).Wait(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	both.Wait()
	a, _ := s.Messages("galley", "A")
	b, _ := s.Messages("galley", "B")
	if len(a)+len(b) != 2 {
		t.Errorf("%d and %d messages", len(a), len(b))
	}
}

func TestRecreate(t *testing.T) {
	s := start(t, Options{UIDValidity: 5})
	s.Put("galley", "INBOX", []byte("Subject: old\n\n"))
	c := client(t, s, nil)
	c.Create("Kept", nil).Wait()
	s.Put("galley", "Kept", []byte("Subject: kept\n\n"), "\\Seen")
	for _, validity := range []uint32{9, 3} {
		if err := s.Recreate("galley", validity, []byte("Subject: new\n\n")); err != nil {
			t.Fatal(err)
		}
		data, err := c.Select("INBOX", nil).Wait()
		if err != nil || data.UIDValidity != validity || data.NumMessages != 1 {
			t.Errorf("%+v, %v", data, err)
		}
		if got, _ := s.UIDValidity("galley", "INBOX"); got != validity {
			t.Errorf("UIDVALIDITY %d, want %d", got, validity)
		}
	}
	list, err := s.Messages("galley", "Kept")
	if err != nil || len(list) != 1 || !slices.Equal(list[0].Flags, []string{"\\Seen"}) {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestOnlyLoopback(t *testing.T) {
	s := start(t, Options{})
	if addr, err := s.Listen("0.0.0.0:0"); err == nil {
		t.Errorf("listens on %s", addr)
	}
	if _, err := s.Listen("127.0.0.1:0"); err != nil {
		t.Error(err)
	}
}

func TestDown(t *testing.T) {
	s := start(t, Options{})
	c := client(t, s, nil)
	s.Down()
	if err := c.Noop().Wait(); err == nil {
		t.Error("a connection survived")
	}
	if _, err := s.Dial(context.Background()); err == nil {
		t.Error("a server that is down took a connection")
	}
	s.Heal()
	client(t, s, nil)
}

func TestCommandsWithoutSecrets(t *testing.T) {
	s := start(t, Options{})
	client(t, s, nil)
	var lines []string
	for _, c := range s.Commands() {
		lines = append(lines, c.Line)
	}
	if got := strings.Join(lines, ";"); got != "LOGIN;SELECT INBOX" {
		t.Errorf("%q", got)
	}
}

func TestResponseEnd(t *testing.T) {
	for response, want := range map[string]int{
		"":                            0,
		"* OK":                        0,
		"* OK\r\n* NO":                6,
		"* 1 FETCH (A {3}\r\nab":      0,
		"* 1 FETCH (A {3}\r\nab\nx":   0,
		"* 1 FETCH (A {3}\r\nab\n)\n": 23,
		"a {0}\r\n)\r\n":              10,
		"a {x}\r\n)\r\n":              7,
	} {
		if got := responseEnd([]byte(response)); got != want {
			t.Errorf("%q: %d, want %d", response, got, want)
		}
	}
}

func FuzzResponseEnd(f *testing.F) {
	f.Add([]byte("* 1 FETCH (A {3}\r\nab\n)\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := responseEnd(b); n < 0 || n > len(b) {
			t.Fatal(n)
		}
	})
}
