package relay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"galley/send"
)

// Sizes of writes and of the buffer that is kept between messages.
const (
	blockSize  = 128 << 10
	keepBuffer = 1 << 20
)

// line is a connection that is ready for MAIL. It is used by one goroutine;
// only abort may be called from another.
type line struct {
	addr   string
	limits Limits
	max    int  // transactions it may carry
	group  bool // commands are pipelined

	raw    net.Conn
	conn   net.Conn // raw, or TLS on it
	in     *bufio.Reader
	secure bool
	ext    extensions
	text   []byte    // the buffer of replies
	out    []byte    // the buffer of messages
	cmd    []byte    // the buffer of commands
	bound  time.Time // the end of the transaction, zero once the final dot has left

	begun  int           // transactions, the one ahead included
	ahead  bool          // MAIL, RCPT and DATA for `coming` have left already
	coming send.Envelope // what the next Deliver must be for
	reset  bool          // a transaction was left open: RSET before the next MAIL
	broken bool
	abort  func() // closes the connection under a waiting Read or Write
}

func newLine(r *Relay, conn net.Conn, limits Limits) *line {
	l := &line{addr: r.Addr, limits: limits, max: r.MaxMessages, raw: conn, group: !r.NoPipelining}
	if l.max <= 0 {
		l.max = 100
	}
	l.abort = func() { conn.Close() }
	l.use(conn)
	return l
}

// use makes conn the connection that is read and written.
func (l *line) use(conn net.Conn) {
	l.conn = conn
	l.in = bufio.NewReaderSize(conn, 4096)
}

// deadline is d from now, and no later than the end of the transaction.
func (l *line) deadline(d time.Duration) time.Time {
	t := time.Now().Add(d)
	if !l.bound.IsZero() && l.bound.Before(t) {
		return l.bound
	}
	return t
}

// command says cmd, when there is one, and reads the reply to it.
func (l *line) command(limit time.Duration, cmd []byte, each func([]byte)) (reply, error) {
	if len(cmd) > 0 {
		if _, err := l.write(cmd, limit); err != nil {
			return l.early(err)
		}
	}
	return l.read(limit, each)
}

// read waits for one whole reply: the limit is not for each octet of it.
func (l *line) read(limit time.Duration, each func([]byte)) (reply, error) {
	if err := l.raw.SetReadDeadline(l.deadline(limit)); err != nil {
		return reply{}, err
	}
	rep, err := readReply(l.in, l.text, each)
	l.text = rep.text
	return rep, err
}

// write sends b in blocks of which each has the whole limit, and returns how
// much of it the kernel took.
func (l *line) write(b []byte, limit time.Duration) (int, error) {
	done := 0
	for done < len(b) {
		if err := l.raw.SetWriteDeadline(l.deadline(limit)); err != nil {
			return done, err
		}
		n, err := l.conn.Write(b[done:min(len(b), done+blockSize)])
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// early looks for the reply of a server that closed before we had said all:
// its words are worth more than "broken pipe". Without one the error is err.
func (l *line) early(err error) (reply, error) {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return reply{}, err
	}
	rep, rerr := l.read(l.limits.Quit, nil)
	if rerr != nil || rep.code/100 < 4 {
		return reply{}, err
	}
	l.hangUp()
	return rep, nil
}

// hangUp closes the connection without a word.
func (l *line) hangUp() {
	l.broken, l.ahead = true, false
	l.raw.Close()
}

// Reusable tells whether another Deliver may be tried.
func (l *line) Reusable() bool {
	return !l.broken && (l.ahead || l.begun < l.limit())
}

// limit is the number of transactions of this connection.
func (l *line) limit() int {
	if l.ext.mailMax > 0 {
		return min(l.max, l.ext.mailMax)
	}
	return l.max
}

// Close says QUIT and waits shortly for its reply. A line whose next DATA may
// have been answered already is closed without a word, since QUIT would be the
// first line of a message there.
func (l *line) Close() error {
	if l.broken {
		return nil
	}
	if !l.ahead {
		l.bound = time.Time{}
		l.command(l.limits.Quit, []byte("QUIT\r\n"), nil)
	}
	err := l.conn.SetDeadline(time.Now().Add(l.limits.Quit))
	if !l.ahead && err == nil {
		l.conn.Close() // with TLS it says good-bye
	}
	l.hangUp()
	return nil
}

// Deliver sends msg under e; send.Line has its contract.
func (l *line) Deliver(ctx context.Context, e send.Envelope, msg []byte, next *send.Envelope) send.Outcome {
	if o, ok := l.prepare(e, msg); !ok {
		return o
	}
	if err := ctx.Err(); err != nil {
		return l.lost(send.StageMail, err)
	}
	stop := context.AfterFunc(ctx, l.abort)
	o := l.transact(e, len(msg), next)
	if !stop() { // the connection was closed under us, or is being closed
		l.hangUp()
		if o.Code == 0 {
			o.Transcript = "given up: " + context.Cause(ctx).Error()
		}
	}
	if cap(l.out) > keepBuffer {
		l.out = nil
	}
	return o
}

// prepare refuses what must not be sent and lays out the rest in l.out, before
// anything leaves.
func (l *line) prepare(e send.Envelope, msg []byte) (send.Outcome, bool) {
	switch {
	case l.broken:
		return unsent(send.Later, send.StageConnect, "this line is closed", true), false
	case l.ahead && e != l.coming:
		return l.lost(send.StageMail, errors.New("another envelope was announced than came")), false
	case !l.ahead && l.begun >= l.limit():
		return unsent(send.Later, send.StageMail, "this line has carried all the messages that it may", true), false
	}
	if o, ok := l.checkEnvelope(e); !ok {
		return l.withhold(o), false
	}
	var err error
	if l.out, err = appendMessage(l.out[:0], msg); err != nil {
		return l.withhold(unsent(send.Never, send.StageData, "not sent: "+err.Error(), true)), false
	}
	if l.ext.size > 0 && len(msg) > l.ext.size { // RFC 1870 section 6.1
		o := unsent(send.Never, send.StageMail, fmt.Sprintf("not sent: %d octets, and next hop takes %d", len(msg), l.ext.size), true)
		return l.withhold(o), false
	}
	return send.Outcome{}, true
}

// withhold ends the line when the envelope of what will not be sent has left.
func (l *line) withhold(o send.Outcome) send.Outcome {
	if l.ahead {
		l.hangUp()
	}
	return o
}

// unsent is an outcome that no reply brought about.
func unsent(v send.Verdict, stage send.Stage, words string, transport bool) send.Outcome {
	return send.Outcome{Verdict: v, Stage: stage, Transcript: words, Transport: transport}
}

// lost is the outcome of a line that failed before the final dot left.
func (l *line) lost(stage send.Stage, err error) send.Outcome {
	l.hangUp()
	return unsent(send.Later, stage, oneLine([]byte(plainer(err).Error())), true)
}

// transact carries the message in l.out, of size octets before stuffing.
func (l *line) transact(e send.Envelope, size int, next *send.Envelope) send.Outcome {
	l.bound = time.Now().Add(l.limits.Transaction)
	if o, ok := l.envelope(e, size); !ok {
		return o
	}
	if l.in.Buffered() > 0 { // a reply to nothing: from here on none could be trusted
		return l.lost(send.StageData, errors.New("next hop spoke out of turn"))
	}
	dot := len(l.out)
	l.announce(next)
	n, err := l.write(l.out, l.limits.Block)
	if n < dot {
		return l.cut(err)
	}
	l.bound = time.Time{} // an early end of this wait would make duplicates
	o := l.final()
	if err != nil {
		l.hangUp()
	}
	return o
}

// announce puts the next envelope behind the final dot (RFC 2920 section 3.1:
// message content may open a group). One that cannot be sent is left to the
// Deliver that comes with it.
func (l *line) announce(next *send.Envelope) {
	if next == nil || !l.pipelining() || l.begun >= l.limit() {
		return
	}
	if _, ok := l.checkEnvelope(*next); !ok {
		return
	}
	l.out = l.appendGroup(l.out, *next, 0)
	l.ahead, l.coming = true, *next
	l.begun++
}

// cut is the outcome of a body that could not be finished. A server that
// refuses it half-way closes behind its reply.
func (l *line) cut(err error) send.Outcome {
	rep, err := l.early(err)
	if err != nil {
		return l.lost(send.StageData, err)
	}
	l.hangUp()
	return rep.outcome(send.StageData)
}

// final reads the reply to the final dot. Whatever is not a well-formed 2yz,
// 4yz or 5yz leaves it open whether the message arrived (RFC 5321 section
// 4.2.5).
func (l *line) final() send.Outcome {
	rep, err := l.read(l.limits.Final, nil)
	if err != nil {
		l.hangUp()
		return unsent(send.Unknown, send.StageDot, oneLine([]byte(plainer(err).Error())), true)
	}
	o := rep.outcome(send.StageDot)
	if o.Verdict == send.Unknown || o.Code == 421 {
		l.hangUp()
	}
	return o
}
