package main

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"galley/send/servertest"
)

// muffler stands between the daemon and its mailbox. Lines that it has gone
// deaf to stay open and carry nothing more in either direction, as behind a
// router that has forgotten them.
type muffler struct {
	mu   sync.Mutex
	deaf map[net.Conn]bool
}

// muffle puts a muffler before the mailbox.
func (r *rig) muffle() *muffler {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { l.Close() })
	m := &muffler{deaf: map[net.Conn]bool{}}
	to := "127.0.0.1:" + r.conf.imapPort
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go m.carry(from, to)
		}
	}()
	r.conf.imapPort = port(l.Addr().String())
	r.configure()
	return m
}

func (m *muffler) carry(from net.Conn, addr string) {
	to, err := net.Dial("tcp", addr)
	if err != nil {
		from.Close()
		return
	}
	m.mu.Lock()
	m.deaf[from] = false
	m.mu.Unlock()
	go m.copy(to, from, from)
	m.copy(from, to, from)
}

// copy carries one direction of the line that is known by its end at the
// daemon's.
func (m *muffler) copy(to io.WriteCloser, from io.Reader, line net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		m.mu.Lock()
		deaf := m.deaf[line]
		m.mu.Unlock()
		if deaf && err == nil {
			continue
		}
		if err != nil {
			if !deaf {
				to.Close()
			}
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// forget makes all lines deaf that there are; new ones are carried.
func (m *muffler) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for line := range m.deaf {
		m.deaf[line] = true
	}
}

// TestDovecotHalfOpen is bar 52's half-open line on a real server: nobody says
// that it is dead, and mail that comes then is dealt with within five minutes.
// The mailbox is looked at every two seconds here; what remains is how long the
// server may be silent. Half an hour of it is in the simulated time of
// inbox/mailbox.
func TestDovecotHalfOpen(t *testing.T) {
	servertest.Need(t, "dovecot")
	r := newRig(t, footing{dovecot: true}, crashConfig{connections: 1})
	m := r.muffle()
	text := string(file(t, r.dir, "galley.toml"))
	const section = "[newsletter.imap]\n"
	if !strings.Contains(text, section) {
		t.Fatalf("no %q in\n%s", section, text)
	}
	put(t, filepath.Join(r.dir, "galley.toml"), strings.Replace(text, section, section+"poll = \"2s\"\n", 1), 0o600)
	r.readers(3, noFate)
	r.start()
	r.leave(0)
	r.handled(1)
	m.forget()
	began := time.Now()
	r.leave(1)
	left := func() bool { return r.number(`SELECT count(*) FROM subscriber WHERE state = 'left'`) == 2 }
	for !left() {
		if time.Since(began) > 5*time.Minute {
			t.Fatal("not dealt with in five minutes")
		}
		time.Sleep(100 * time.Millisecond)
	}
	if time.Since(began) < 10*time.Second {
		t.Error("the line was not half-open: this test shows nothing")
	}
	t.Logf("dealt with %v after the line was forgotten", time.Since(began).Round(time.Second))
	r.handled(2)
}
