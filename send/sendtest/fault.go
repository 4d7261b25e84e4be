package sendtest

import (
	"strconv"
	"strings"
	"time"
)

// Stage is a step of the dialogue. The words are those of send.Stage, so that
// a test can compare them.
type Stage string

// The stages in order. StageConnect comes before the greeting is written.
const (
	StageConnect  Stage = "connect"
	StageGreeting Stage = "greeting"
	StageEHLO     Stage = "ehlo"
	StageTLS      Stage = "starttls"
	StageAuth     Stage = "auth"
	StageMail     Stage = "mail"
	StageRcpt     Stage = "rcpt"
	StageData     Stage = "data"
	StageDot      Stage = "dot"
	StageOther    Stage = "other" // RSET, NOOP, QUIT and whatever is not known
)

// Step is a moment at which something may go wrong.
type Step struct {
	Stage   Stage
	Conn    int64  // counted from 1
	Message int    // of this connection: MAIL commands so far
	From    string // envelope of the transaction, as far as known
	To      string // the recipient of this RCPT, or the last one
}

// Fault is what goes wrong at a Step. The zero value is nothing.
type Fault struct {
	Reply string        // sent instead of the sink's own, as it is; a missing CRLF is added
	Delay time.Duration // before the reply
	Drip  time.Duration // between the octets of the reply
	Stall bool          // no reply until the client goes away
	Close bool          // closes the line: without reply when Reply is "", else after it
	Take  bool          // at StageDot: the message is taken whatever the client is told
}

// code is the reply code of f.Reply, 0 when it has none.
func (f Fault) code() int {
	n, err := strconv.Atoi(f.Reply[:min(3, len(f.Reply))])
	if err != nil {
		return 0
	}
	return n
}

func (f Fault) line() string {
	if strings.HasSuffix(f.Reply, "\n") {
		return f.Reply
	}
	return f.Reply + "\r\n"
}
