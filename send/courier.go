package send

import (
	"context"
	"time"
)

// Verdict is what the next hop's answer means for one recipient.
type Verdict string

const (
	// Unknown: the line broke after the final dot; the message may have
	// arrived (RFC 5321 section 4.5.3.2.6).
	Unknown Verdict = "unknown"
	// Accepted: a 2yz reply to the final dot; the next hop took
	// responsibility (RFC 5321 section 4.2.5).
	Accepted Verdict = "accepted"
	// Later: a 4yz reply, or a fault of the line before the final dot.
	Later Verdict = "later"
	// Never: a 5yz reply.
	Never Verdict = "never"
)

// Stage is the step of an SMTP transaction at which an Outcome was decided.
type Stage string

// The stages in the order of the dialogue.
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
)

// Outcome is what the next hop said about one recipient. A refusal is a
// value and not an error: it is the answer that was asked for.
type Outcome struct {
	Verdict    Verdict
	Stage      Stage
	Code       int       // SMTP reply code, 0 when there was no reply
	Enhanced   string    // RFC 3463 status such as "5.1.1", "" when there was none
	Transcript string    // the server's reply in one line, or the fault of the line
	Transport  bool      // the fault is the line's or ours: no recipient is charged
	Again      time.Time // of a Transport fault at one destination: its mail may come again then, other mail at once
}

// Envelope is the sender and the recipient of one SMTP transaction, as bare
// addresses. One recipient a transaction: VERP and the unsubscribe token
// differ for each.
type Envelope struct {
	From, To string
}

// Refusal is the answer of a next hop that would not let us begin: its
// greeting, EHLO, STARTTLS or AUTH reply. It never concerns a recipient.
type Refusal struct{ Outcome Outcome }

// Error gives the stage and the server's words.
func (r *Refusal) Error() string {
	return "next hop refused at " + string(r.Outcome.Stage) + ": " + r.Outcome.Transcript
}

// Courier opens lines to the next hop.
type Courier interface {
	// Line connects, greets, secures and authenticates. Its error is a
	// *Refusal when the server answered, else the fault of the network.
	Line(ctx context.Context) (Line, error)
}

// Line carries messages to the next hop, one at a time: Begin, then Lead if
// there is time to fill, then End. No final dot leaves before End, so who has
// the result of the message before on its way to the disk may begin the next
// meanwhile, and ends it when that result is there.
type Line interface {
	// Begin brings the dialogue for e to where the body of m may follow, and
	// sends nothing of that. When ok is false m is settled: its outcome is
	// that of the envelope. m must stay as it is until End has returned, and
	// ctx holds until then; its end closes the connection.
	Begin(ctx context.Context, e Envelope, m Octets) (o Outcome, ok bool)
	// Lead sends the body that was begun up to its final dot, and not that:
	// what arrives without it is nobody's mail. It may leave all to End where that
	// takes no longer. A fault is told by End.
	Lead()
	// End sends what is left of the message with its final dot, and returns
	// when its outcome is known. If next is not nil its envelope may be
	// pipelined behind the dot (RFC 2920); the next Begin must then be for
	// that envelope, or the line be closed.
	End(next *Envelope) Outcome
	// Reusable tells whether another Begin may be tried on this line.
	Reusable() bool
	// Close says QUIT when the line is idle and closes it in any case. A
	// message that was begun and not ended is taken by nobody.
	Close() error
}

// Wide is a line that can carry several messages at once, where the next hop
// lets it: Push each, and Pull their outcomes in the same order.
type Wide interface {
	Line
	// Window is how many messages may be pushed and not yet be on disk with
	// their outcomes; 1 says that there are only Begin and End.
	Window() int
	// Push sends a message from its first octet to its last without waiting
	// for anything. When ok is false nothing has left, and o is its outcome.
	Push(ctx context.Context, e Envelope, m Octets) (o Outcome, ok bool)
	// Pull waits for the outcome of the oldest message that was pushed.
	Pull() Outcome
}

// Deliver carries one message over a line, from its beginning to its end.
func Deliver(ctx context.Context, l Line, e Envelope, msg []byte, next *Envelope) Outcome {
	if o, ok := l.Begin(ctx, e, Whole(msg)); !ok {
		return o
	}
	return l.End(next)
}
