package relay

import (
	"bufio"
	"bytes"
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

// nearby is how fast a next hop answers whose bodies are not sent ahead: there
// the body takes less time than a second packet costs both sides.
const nearby = 2 * time.Millisecond

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
	text   []byte   // the buffer of replies
	out    []byte   // the buffer of messages that cannot go as they are
	parts  [][]byte // the message that was begun, up to its final dot
	size   int      // octets of it before dots were stuffed
	left   [][]byte // what a write has not taken yet, a part of list
	list   [][]byte
	block  net.Buffers // of it, what one call writes
	gather []byte      // the buffer of TLS, which has no writev
	cmd    []byte      // the buffer of commands
	bound  time.Time   // the end of the transaction, zero once the final dot has left

	begun  int           // transactions, the one ahead included
	ahead  bool          // MAIL, RCPT and DATA for `coming` have left already
	coming send.Envelope // what the next Begin must be for
	reset  bool          // a transaction was left open: RSET before the next MAIL
	broken bool
	abort  func() // closes the connection under a waiting Read or Write

	lmtp    bool
	near    bool     // next hop answers at once
	window  int      // messages on their way at once, where next hop can
	chunked bool     // messages go by BDAT: dots stay as they are
	under   []pushed // on their way, the oldest first
	sick    bool     // a write has failed; what was said before may be answered

	midway    bool            // a message was begun and not ended
	led       bool            // its body has left
	uncarried error           // and why it did not
	ctx       context.Context // of what is on its way
	stop      func() bool     // ends the watch over ctx
}

func newLine(r *Relay, conn net.Conn, limits Limits) *line {
	l := &line{addr: r.Addr, limits: limits, max: r.MaxMessages, raw: conn, group: !r.NoPipelining, lmtp: r.LMTP, window: r.Window}
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
	if !l.replied() {
		if err := l.raw.SetReadDeadline(l.deadline(limit)); err != nil {
			return reply{}, err
		}
	}
	rep, err := readReply(l.in, l.text, each)
	l.text = rep.text
	return rep, err
}

// replied tells that a whole reply of one line has been read from the network
// already, as those to pipelined commands mostly have: nothing is waited for.
func (l *line) replied() bool {
	in, _ := l.in.Peek(l.in.Buffered())
	end := bytes.IndexByte(in, '\n')
	return end > 3 && in[3] != '-'
}

// write sends octets with a limit for each block of them, and returns how much
// the kernel took.
func (l *line) write(b []byte, limit time.Duration) (int, error) {
	l.list = append(l.list[:0], b)
	return l.writeList(limit)
}

// writeList sends l.list in blocks of which each has the whole limit.
func (l *line) writeList(limit time.Duration) (done int, err error) {
	l.left = l.list
	for len(l.left) > 0 {
		if err := l.raw.SetWriteDeadline(l.deadline(limit)); err != nil {
			return done, err
		}
		n, err := l.writeBlock()
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// writeBlock takes a block off l.left and writes it: to the kernel in one call
// without copying, to others, which have no writev, from one buffer.
func (l *line) writeBlock() (int, error) {
	k, size := 0, 0
	for k < len(l.left) && size < blockSize {
		size += len(l.left[k])
		k++
	}
	var cut []byte
	if over := size - blockSize; over > 0 {
		whole := l.left[k-1]
		l.left[k-1], cut = whole[:len(whole)-over], whole[len(whole)-over:]
	}
	n, err := l.writeParts(l.left[:k])
	if l.left = l.left[k:]; len(cut) > 0 {
		l.left = append([][]byte{cut}, l.left...)
	}
	return n, err
}

func (l *line) writeParts(parts [][]byte) (int, error) {
	if len(parts) == 1 {
		return l.conn.Write(parts[0])
	}
	if tcp, ok := l.conn.(*net.TCPConn); ok {
		l.block = parts
		n, err := l.block.WriteTo(tcp)
		return int(n), err
	}
	l.gather = l.gather[:0]
	for _, p := range parts {
		l.gather = append(l.gather, p...)
	}
	return l.conn.Write(l.gather)
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
	l.broken, l.ahead, l.midway = true, false, false
	l.raw.Close()
}

// Reusable tells whether another message may be begun.
func (l *line) Reusable() bool {
	return !l.broken && !l.sick && (l.ahead || l.begun < l.limit())
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
// first line of a message there; so is one with a message that was begun.
func (l *line) Close() error {
	if l.broken {
		l.unwatch()
		return nil
	}
	idle := !l.ahead && !l.midway && len(l.under) == 0
	if idle {
		l.bound = time.Time{}
		l.command(l.limits.Quit, []byte("QUIT\r\n"), nil)
	}
	err := l.conn.SetDeadline(time.Now().Add(l.limits.Quit))
	if idle && err == nil {
		l.conn.Close() // with TLS it says good-bye
	}
	l.unwatch()
	l.hangUp()
	return nil
}

// watch closes the connection when ctx ends. Most messages have the context of
// the one before.
func (l *line) watch(ctx context.Context) {
	if l.ctx == ctx {
		return
	}
	l.unwatch()
	l.ctx, l.stop = ctx, context.AfterFunc(ctx, l.abort)
}

func (l *line) unwatch() {
	if l.stop != nil {
		l.stop()
	}
	l.ctx, l.stop = nil, nil
}

// given tells in an outcome that it is ctx which closed the connection.
func (l *line) given(o send.Outcome) send.Outcome {
	if err := l.ctx.Err(); err != nil { // the connection was closed under us, or is being closed
		l.hangUp()
		if o.Code == 0 {
			o.Transcript = "given up: " + context.Cause(l.ctx).Error()
		}
	}
	return o
}

// Begin brings the dialogue to the 354; send.Line has its contract.
func (l *line) Begin(ctx context.Context, e send.Envelope, m send.Octets) (send.Outcome, bool) {
	if o, ok := l.prepare(e, m); !ok {
		return o, false
	}
	if err := ctx.Err(); err != nil {
		return l.lost(send.StageMail, err), false
	}
	l.watch(ctx)
	l.bound = time.Now().Add(l.limits.Transaction)
	o, ok := l.envelope(e, l.size)
	if ok && l.in.Buffered() > 0 { // a reply to nothing: from here on none could be trusted
		o, ok = l.lost(send.StageData, errors.New("next hop spoke out of turn")), false
	}
	if !ok {
		return l.given(o), false
	}
	l.midway, l.led, l.uncarried = true, false, nil
	return o, true
}

// prepare refuses what must not be sent and lays out the rest, before anything
// leaves.
func (l *line) prepare(e send.Envelope, m send.Octets) (send.Outcome, bool) {
	switch {
	case l.broken || l.sick:
		return unsent(send.Later, send.StageConnect, "this line is closed", true), false
	case l.midway:
		return l.lost(send.StageMail, errors.New("another message was begun and not ended")), false
	case l.ahead && e != l.coming:
		return l.lost(send.StageMail, errors.New("another envelope was announced than came")), false
	case !l.ahead && l.begun >= l.limit():
		return unsent(send.Later, send.StageMail, "this line has carried all the messages that it may", true), false
	}
	if o, ok := l.checkEnvelope(e); !ok {
		return l.withhold(o), false
	}
	if err := l.layOut(m); err != nil {
		return l.withhold(unsent(send.Never, send.StageData, "not sent: "+err.Error(), true)), false
	}
	if l.ext.size > 0 && l.size > l.ext.size { // RFC 1870 section 6.1
		o := unsent(send.Never, send.StageMail, fmt.Sprintf("not sent: %d octets, and next hop takes %d", l.size, l.ext.size), true)
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

// Lead sends the body that was begun; send.Line has its contract.
func (l *line) Lead() {
	if _, tcp := l.conn.(*net.TCPConn); !l.midway || l.led || l.near && tcp {
		return
	}
	l.led = true
	l.list = append(l.list[:0], l.parts...)
	_, l.uncarried = l.writeList(l.limits.Block)
}

// End sends what is left of the message that was begun, its final dot and the
// next envelope, and reads the reply; send.Line has its contract.
func (l *line) End(next *send.Envelope) send.Outcome {
	if !l.midway {
		return unsent(send.Later, send.StageData, "no message was begun on this line", true)
	}
	l.midway = false
	o := l.given(l.end(next))
	if cap(l.out) > keepBuffer {
		l.out = nil
	}
	return o
}

func (l *line) end(next *send.Envelope) send.Outcome {
	if l.uncarried != nil {
		return l.cut(l.uncarried)
	}
	l.list = l.list[:0]
	dot := len(cmdDot)
	if !l.led {
		l.list = append(l.list, l.parts...)
		for _, p := range l.parts {
			dot += len(p)
		}
	}
	l.cmd = append(l.cmd[:0], cmdDot...)
	l.announce(next)
	l.list = append(l.list, l.cmd)
	n, err := l.writeList(l.limits.Block)
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
// Begin that comes with it.
func (l *line) announce(next *send.Envelope) {
	if next == nil || !l.pipelining() || l.begun >= l.limit() {
		return
	}
	if _, ok := l.checkEnvelope(*next); !ok {
		return
	}
	l.cmd = l.appendGroup(l.cmd, *next, 0)
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
