package inboxtest

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// wire is the server's end of a connection, where the faults are made. It
// never tells the memory server that writing failed: that would leave its
// locks locked. Reading tells.
type wire struct {
	net.Conn
	s     *Server
	raw   net.Conn // under TLS
	mute  atomic.Bool
	ended atomic.Bool
	frame bool // what is written is IMAP in the clear

	mu   sync.Mutex // of writing
	out  []byte     // an unfinished response
	left int64      // octets until the cut, -1: no cut

	in   []byte // an unfinished line of the client
	skip int    // octets of a literal that are still to come
}

func (s *Server) newWire(conn net.Conn) *wire {
	w := &wire{Conn: conn, raw: conn, s: s, frame: !s.options.StartTLS, left: -1}
	if s.options.TLS != nil && !s.options.StartTLS {
		w.Conn = tls.Server(conn, s.options.TLS)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.mute.Store(s.fault.mute)
	if s.fault.cut >= 0 {
		w.left, s.fault.cut = s.fault.cut, -1
	}
	s.wires[w] = true
	return w
}

// Close closes the connection.
func (w *wire) Close() error {
	w.s.mu.Lock()
	delete(w.s.wires, w)
	w.s.mu.Unlock()
	w.ended.Store(true)
	return w.raw.Close()
}

// SetReadDeadline does nothing: this server never gives up on a client, so
// that a mute one is mute for ever.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// Read reads commands; a mute server takes them and does nothing.
func (w *wire) Read(p []byte) (int, error) {
	for {
		n, err := w.Conn.Read(p)
		if err != nil {
			return n, err
		}
		if w.ended.Load() {
			return 0, io.EOF
		}
		if w.frame {
			w.hear(p[:n])
		}
		if !w.mute.Load() {
			return n, nil
		}
	}
}

// hear notes the commands and passes over literals.
func (w *wire) hear(p []byte) {
	for len(p) > 0 {
		if w.skip > 0 {
			n := min(w.skip, len(p))
			w.skip, p = w.skip-n, p[n:]
			continue
		}
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		w.in, p = append(w.in, line...), rest
		if !whole {
			return
		}
		text := strings.TrimSuffix(string(w.in), "\r")
		w.in, w.skip = w.in[:0], literalSize(text)
		if w.s.hears(text) {
			w.mute.Store(true)
		}
	}
}

// literalSize is the number in a {123} or {123+} at the end of a line.
func literalSize(line string) int {
	i := strings.LastIndexByte(line, '{')
	if i < 0 || !strings.HasSuffix(line, "}") {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(line[i+1:len(line)-1], "+"), 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}

// Write sends whole responses, changed as was asked for.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.frame {
		w.emit(p)
		return len(p), nil
	}
	w.out = append(w.out, p...)
	for {
		n := responseEnd(w.out)
		if n == 0 {
			return len(p), nil
		}
		for _, response := range w.s.mangled(string(w.out[:n])) {
			w.emit([]byte(response))
		}
		w.out = append(w.out[:0], w.out[n:]...)
	}
}

// responseEnd is where the first response in b ends, literals included; 0 if
// it is not complete.
func responseEnd(b []byte) int {
	at := 0
	for {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return 0
		}
		line := strings.TrimRight(string(b[at:at+i]), "\r")
		at += i + 1
		size := literalSize(line)
		if size == 0 && !strings.HasSuffix(line, "{0}") {
			return at
		}
		if at += size; at > len(b) {
			return 0
		}
	}
}

// emit sends octets up to the cut.
func (w *wire) emit(p []byte) {
	if w.mute.Load() || w.ended.Load() {
		return
	}
	cut := w.left >= 0 && int64(len(p)) >= w.left
	if cut {
		p = p[:w.left]
	} else if w.left >= 0 {
		w.left -= int64(len(p))
	}
	if _, err := w.Conn.Write(p); err != nil || cut {
		w.ended.Store(true)
		w.raw.Close()
	}
}

// say sends text between two responses.
func (w *wire) say(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.emit([]byte(text))
}

// reset ends the connection without a word.
func (w *wire) reset() {
	if tcp, ok := w.raw.(*net.TCPConn); ok {
		tcp.SetLinger(0) // RST
	}
	w.ended.Store(true)
	w.raw.Close()
}

// Command is a line that a client sent.
type Command struct {
	At   time.Time
	Line string // without tag; without what follows LOGIN and AUTHENTICATE
}

// keep is how many commands are remembered.
const keep = 2000

// hears notes a command and says whether it is one that is never answered.
func (s *Server) hears(text string) bool {
	line := text
	if tag, rest, ok := strings.Cut(text, " "); ok && strings.HasPrefix(tag, "T") {
		line = rest
	}
	name, _, _ := strings.Cut(strings.ToUpper(line), " ")
	if name == "LOGIN" || name == "AUTHENTICATE" {
		line = name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, Command{At: time.Now(), Line: line})
	if len(s.said) > keep {
		s.said = append(s.said[:0], s.said[keep/2:]...)
	}
	return s.fault.stalled[verb(line)]
}

// verb is the name of a command, without UID.
func verb(line string) string {
	line = strings.TrimPrefix(strings.ToUpper(line), "UID ")
	name, _, _ := strings.Cut(line, " ")
	return name
}

// Commands are the last commands of all clients, in order.
func (s *Server) Commands() []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Command(nil), s.said...)
}
