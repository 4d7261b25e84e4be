package inboxtest

import (
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// faults are those in force, guarded by the server's mutex.
type faults struct {
	mute    bool
	down    bool
	cut     int64 // of the next connection, -1: none
	stalled map[string]bool
	refused map[string]*imap.Error
	mangle  func(response string) []string
}

func newFaults() faults {
	return faults{cut: -1, stalled: map[string]bool{}, refused: map[string]*imap.Error{}}
}

// Mangle changes a response of the server, literals included and CRLF at its
// end, into those that are sent in its place.
type Mangle func(response string) []string

// Heal ends all faults. Connections that went mute stay so: their state is
// lost, as that of a half-open line is.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = newFaults()
}

// Mute makes the server silent: it takes everything and answers nothing, on
// all connections and on new ones, which get no greeting. That is also what a
// half-open line looks like.
func (s *Server) Mute() {
	s.mu.Lock()
	s.fault.mute = true
	s.mu.Unlock()
	for _, w := range s.all() {
		w.mute.Store(true)
	}
}

// Down makes the server refuse connections; those that exist are reset.
func (s *Server) Down() {
	s.mu.Lock()
	s.fault.down = true
	s.mu.Unlock()
	s.Reset()
}

func (s *Server) down() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault.down
}

// Reset ends all connections without a word; on TCP it is an RST.
func (s *Server) Reset() {
	for _, w := range s.all() {
		w.reset()
	}
}

// Bye ends all connections with a BYE (RFC 9051 section 7.1.5).
func (s *Server) Bye(text string) {
	for _, w := range s.all() {
		w.say("* BYE " + text + "\r\n")
		w.reset()
	}
}

// Say sends a line that nobody asked for, such as * 500 EXISTS, on all
// connections.
func (s *Server) Say(line string) {
	for _, w := range s.all() {
		w.say(line + "\r\n")
	}
}

// CutAfter ends the next connection that is made after the server has sent n
// octets on it.
func (s *Server) CutAfter(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault.cut = n
}

// Stall makes the server fall silent on a connection that sends this command,
// such as NOOP, IDLE or APPEND. DONE is one too.
func (s *Server) Stall(command string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault.stalled[strings.ToUpper(command)] = true
}

// Refuse answers a command with NO, this response code (may be "") and text.
// Commands are LOGIN, SELECT, CREATE, SEARCH, FETCH (after its data), APPEND,
// STORE, COPY, MOVE, EXPUNGE; their UID forms are meant too.
func (s *Server) Refuse(command, code, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault.refused[strings.ToUpper(command)] = &imap.Error{
		Type: imap.StatusResponseTypeNo, Code: imap.ResponseCode(code), Text: text,
	}
}

// Allow ends Refuse and Stall for a command.
func (s *Server) Allow(command string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.fault.refused, strings.ToUpper(command))
	delete(s.fault.stalled, strings.ToUpper(command))
}

func (s *Server) refusalOf(command string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if no := s.fault.refused[command]; no != nil {
		return no
	}
	return nil
}

// Mangle passes every response through f, nil for none. Not with StartTLS.
func (s *Server) Mangle(f Mangle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault.mangle = f
}

func (s *Server) mangled(response string) []string {
	if s.options.NoIdle && strings.Contains(response, "CAPABILITY") {
		response = strings.ReplaceAll(response, " IDLE", "")
	}
	s.mu.Lock()
	f := s.fault.mangle
	s.mu.Unlock()
	if f == nil {
		return []string{response}
	}
	return f(response)
}

// UIDLast puts the UID of a FETCH answer with a literal behind the literal,
// which RFC 9051 allows.
func UIDLast(response string) []string {
	uid, ok := fetchUID(response)
	if !ok || !strings.Contains(response, "}\r\n") {
		return []string{response}
	}
	item := fmt.Sprintf("UID %s", uid)
	without := strings.Replace(response, item+" ", "", 1)
	return []string{strings.TrimSuffix(without, ")\r\n") + " " + item + ")\r\n"}
}

// FlagsFirst sends an answer with the flags before every FETCH answer with a
// literal, as a server does when another client changes them.
func FlagsFirst(response string) []string {
	uid, ok := fetchUID(response)
	if !ok || !strings.Contains(response, "}\r\n") {
		return []string{response}
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(response, "* "), " ")
	return []string{fmt.Sprintf("* %s FETCH (UID %s FLAGS (\\Seen))\r\n", number, uid), response}
}

// fetchUID is the UID that a FETCH answer begins with.
func fetchUID(response string) (uid string, ok bool) {
	_, rest, ok := strings.Cut(response, " FETCH (UID ")
	if !ok || !strings.HasPrefix(response, "* ") {
		return "", false
	}
	return rest[:strings.IndexAny(rest, " )")], true
}

func (s *Server) all() []*wire {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*wire
	for w := range s.wires {
		list = append(list, w)
	}
	return list
}

// Connections is how many connections there are.
func (s *Server) Connections() int { return len(s.all()) }
