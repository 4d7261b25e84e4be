package send

import (
	"fmt"
	"time"

	"galley/send/message"
)

// State is where a delivery, or a slip, stands.
type State string

// The states of a delivery (slips know those from Pending to Ambiguous and
// Expired).
const (
	Prepared   State = "prepared"   // made at the approval; waits for the audience to be frozen
	Pending    State = "pending"    // goes as soon as a line is free
	Claimed    State = "claimed"    // a worker of the lease in epoch has it; the final dot may be out
	Sent       State = "sent"       // the next hop took it
	Deferred   State = "deferred"   // refused for now; tried again when due
	Failed     State = "failed"     // refused for good, or came back
	Ambiguous  State = "ambiguous"  // the line broke after the final dot; sent again when due
	Held       State = "held"       // held by hand; or may have arrived and is not sent again
	Expired    State = "expired"    // refused for now for five days
	Suppressed State = "suppressed" // left the list or was taken off before their copy went
	Dropped    State = "cancelled"  // the edition was cancelled before their copy went
)

// moves are the legal changes of a delivery's state.
var moves = map[State][]State{
	"":        {Prepared, Pending},
	Prepared:  {Pending, Suppressed, Dropped, Prepared},
	Pending:   {Claimed, Suppressed, Dropped, Prepared, Held},
	Claimed:   {Sent, Deferred, Failed, Ambiguous, Expired, Pending, Suppressed, Held, Dropped},
	Deferred:  {Claimed, Suppressed, Dropped, Prepared, Deferred, Held, Pending},
	Ambiguous: {Claimed, Suppressed, Held, Deferred}, // the last by hand
	Sent:      {Failed},                              // a bounce after acceptance
	Dropped:   {Prepared},
	Held:      {Failed, Deferred, Dropped}, // by hand
	Failed:    {}, Expired: {}, Suppressed: {},
}

// to checks a change of state; every change goes through it or is written
// beside it in SQL with the states it starts from.
func (s State) to(next State) error {
	for _, legal := range moves[s] {
		if next == legal {
			return nil
		}
	}
	return fmt.Errorf("a delivery that is %s cannot become %s", s, next)
}

// Failure is a reader who did not get their copy, or not yet.
type Failure struct {
	Subscriber int64
	Address    string
	State      State
	Class      Class
	Code       int    // SMTP reply code, 0 when there was none
	Status     string // RFC 3463
	Reply      string // the server's own words
	Attempts   int
	At         time.Time
	Due        time.Time // when it is tried again; zero for the settled
}

// Slip is a single outgoing mail: a proof, a confirmation, a report. It is
// stored whole when it is posted, but for its signature.
type Slip struct {
	ID         int64
	Newsletter string
	Kind       string // what it is, for the books: proof, confirm, report
	To         message.Address
	Mail       *message.Mail // without a MessageID it gets one
}
