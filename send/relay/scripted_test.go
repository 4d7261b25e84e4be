package relay

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// scripted listens on loopback and hands every connection to serve, which must
// return when its client goes away.
func scripted(t testing.TB, serve func(c net.Conn)) *Relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		acceptScripted(l, serve)
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return &Relay{Addr: l.Addr().String(), Security: Plain}
}

func acceptScripted(l net.Listener, serve func(c net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}

// script is a raw server's part: replies by the first word of a command, "."
// for the final dot, "" for the greeting.
type script struct {
	replies map[string]string
	delays  map[string]time.Duration
	body    func(c net.Conn, r *bufio.Reader) bool // reads a message; false ends the connection
	lines   []string
}

func (s *script) say(c net.Conn, word string) bool {
	time.Sleep(s.delays[word])
	text, ok := s.replies[word]
	if !ok {
		text = map[string]string{"": "220 raw", "EHLO": "250-raw\r\n250 PIPELINING", "DATA": "354 go", "QUIT": "221 bye"}[word]
	}
	if text == "" {
		text = "250 fine"
	}
	_, err := c.Write([]byte(text + "\r\n"))
	return err == nil && !strings.HasPrefix(text, "421") && word != "QUIT"
}

func (s *script) serve(c net.Conn) {
	r := bufio.NewReader(c)
	if !s.say(c, "") {
		return
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		s.lines = append(s.lines, line)
		word, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if !s.say(c, word) {
			return
		}
		if word != "DATA" || strings.HasPrefix(s.replies["DATA"], "5") {
			continue
		}
		if !s.body(c, r) || !s.say(c, ".") {
			return
		}
	}
}

// lenient ends a message wherever any server was ever seen to: it takes CR, LF
// and CRLF for a line end each. Each message is given to got, with its line
// ends as they came.
func lenient(got func([]byte)) func(net.Conn, *bufio.Reader) bool {
	return func(_ net.Conn, r *bufio.Reader) bool {
		var msg, line []byte
		for {
			b, err := r.ReadByte()
			if err != nil {
				return false
			}
			line = append(line, b)
			if !endsLine(b, r) {
				continue
			}
			if bytes.Equal(bytes.TrimRight(line, "\r\n"), []byte(".")) {
				got(msg)
				return true
			}
			msg = append(msg, bytes.TrimPrefix(line, []byte("."))...)
			line = line[:0]
		}
	}
}

// endsLine tells whether b ends a line: LF, or a CR that no LF follows.
func endsLine(b byte, r *bufio.Reader) bool {
	if b != '\r' {
		return b == '\n'
	}
	next, _ := r.Peek(1)
	return !bytes.Equal(next, []byte("\n"))
}

// overPipe is a relay to one connection of net.Pipe that serve answers.
func overPipe(t *testing.T, serve func(c net.Conn)) *Relay {
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait) // in a bubble, time goes on for the server while we wait
	return &Relay{Addr: "localhost:25", Security: Plain, Dial: func(context.Context) (net.Conn, error) {
		client, server := net.Pipe()
		wg.Go(func() {
			defer server.Close()
			serve(server)
		})
		return client, nil
	}}
}
