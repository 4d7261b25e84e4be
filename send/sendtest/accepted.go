package sendtest

import (
	"bytes"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"
)

// Accepted is one message the sink took responsibility for.
type Accepted struct {
	ID        int64    // counts from 1 in the order of acceptance
	Conn      int64    // the connection it came on, counted from 1
	From      string   // envelope sender, bare; "" is the null path
	To        []string // envelope recipients that were accepted, bare
	UTF8      bool     // MAIL carried SMTPUTF8 (RFC 6531)
	User      string   // who logged in, "" without AUTH
	TLS       bool
	Time      time.Time
	Size      int               // octets, after dot-unstuffing
	Digest    [sha256.Size]byte // of those octets; zero with KeepCounts
	MessageID string            // as the header has it, "" when absent or with KeepCounts
	Octets    []byte            // as received after dot-unstuffing; nil unless KeepOctets
}

// Stats are the sink's counters since it was made.
type Stats struct {
	Connections int64 // accepted connections
	Mail        int64 // MAIL commands
	MailUTF8    int64 // MAIL commands with SMTPUTF8
	Rcpt        int64 // RCPT commands
	Refused     int64 // RCPT commands and final dots answered 4yz or 5yz
	Data        int64 // DATA commands answered 354
	Empty       int64 // lone dots: DATA without a recipient, ended at once
	Messages    int64 // messages taken
	Octets      int64 // octets of the messages taken
	Dropped     int64 // connections closed after a dot without reply
	Cut         int64 // connections that ended inside a message: nothing was taken
}

type counters struct {
	connections, mail, mailUTF8, rcpt, refused, data, empty,
	messages, octets, dropped, cut atomic.Int64
}

// Stats reads the counters.
func (s *Sink) Stats() Stats {
	c := &s.stats
	return Stats{
		Connections: c.connections.Load(), Mail: c.mail.Load(), MailUTF8: c.mailUTF8.Load(),
		Rcpt: c.rcpt.Load(), Refused: c.refused.Load(), Data: c.data.Load(), Empty: c.empty.Load(),
		Messages: c.messages.Load(), Octets: c.octets.Load(), Dropped: c.dropped.Load(), Cut: c.cut.Load(),
	}
}

// store keeps accepted messages in the order of their numbers.
type store struct {
	keep  Keep
	next  atomic.Int64
	mu    sync.Mutex
	taken []Accepted
	told  []func(Accepted)
}

// Messages returns what was accepted so far, in order; empty with KeepCounts.
// The octets are shared and must not be changed.
func (s *Sink) Messages() []Accepted {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return append([]Accepted(nil), s.store.taken...)
}

// OnAccept adds f to those told of every message taken from now on. f is
// called before the reply leaves and must not block long; calls for messages
// of different connections may come at the same time.
func (s *Sink) OnAccept(f func(Accepted)) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.told = append(s.store.told[:len(s.store.told):len(s.store.told)], f)
}

// describe fills in what is remembered of body, which the caller may reuse.
func (s *Sink) describe(a *Accepted, body []byte) {
	a.Time = time.Now()
	a.Digest, a.MessageID = sha256.Sum256(body), messageID(body)
	if s.store.keep == KeepOctets {
		a.Octets = bytes.Clone(body)
	}
}

// record numbers a, stores it and tells those who asked.
func (s *Sink) record(a Accepted) {
	s.stats.messages.Add(1)
	s.stats.octets.Add(int64(a.Size))
	s.store.mu.Lock()
	a.ID = s.store.next.Add(1)
	if s.store.keep != KeepCounts {
		s.store.taken = append(s.store.taken, a)
	}
	told := s.store.told
	s.store.mu.Unlock()
	for _, f := range told {
		f(a)
	}
}

// messageID finds the Message-ID field in the header of msg, unfolded.
func messageID(msg []byte) string {
	head, _, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
	for len(head) > 0 {
		var line []byte
		line, head, _ = bytes.Cut(head, []byte("\r\n"))
		if len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
			continue // a folded h= of DKIM names Message-ID too
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !bytes.EqualFold(bytes.TrimSpace(name), []byte("Message-ID")) {
			continue
		}
		if len(bytes.TrimSpace(value)) == 0 { // folded behind the name
			value, _, _ = bytes.Cut(head, []byte("\r\n"))
		}
		return string(bytes.TrimSpace(value))
	}
	return ""
}
