package relay

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"galley/send"
)

// pushed is a message that has left, or not wholly, and has no outcome yet.
type pushed struct {
	whole bool // its last octet has left: what breaks now leaves it open
	why   error
}

var errClosing = errors.New("next hop is closing the connection")

// Window is how many messages may be on their way at once. More than one needs
// CHUNKING (RFC 3030), since only a message whose length is said beforehand can
// follow another without waiting for its 354, and PIPELINING.
func (l *line) Window() int {
	if l.ext.chunking && l.pipelining() && !l.lmtp {
		return max(l.window, 1)
	}
	return 1
}

// Push sends a message and does not wait; send.Wide has its contract. RSET
// stands before each: it is not known yet whether the one before was refused
// and left its transaction open.
func (l *line) Push(ctx context.Context, e send.Envelope, m send.Octets) (send.Outcome, bool) {
	l.chunked = true
	if o, ok := l.prepare(e, m); !ok {
		return o, false
	}
	if err := ctx.Err(); err != nil {
		return l.lost(send.StageMail, err), false
	}
	l.watch(ctx)
	l.begun++
	l.cmd = appendRcpt(l.appendMail(append(l.cmd[:0], cmdReset...), e, l.size), e)
	l.cmd = strconv.AppendInt(append(l.cmd, "BDAT "...), int64(l.size), 10)
	l.cmd = append(l.cmd, " LAST\r\n"...)
	l.list = append(append(l.list[:0], l.cmd), l.parts...)
	l.bound = time.Now().Add(l.limits.Transaction)
	n, err := l.writeList(l.limits.Block)
	l.bound = time.Time{}
	p := pushed{whole: n == len(l.cmd)+l.size, why: err}
	if err != nil {
		l.sick = true // what was pushed before may have its replies
	}
	l.under = append(l.under, p)
	return send.Outcome{}, true
}

// Pull waits for the outcome of the oldest message that was pushed.
func (l *line) Pull() send.Outcome {
	if len(l.under) == 0 {
		return unsent(send.Later, send.StageData, "no message is on its way on this line", true)
	}
	p := l.under[0]
	l.under = append(l.under[:0], l.under[1:]...)
	o := l.given(l.pull(p))
	if l.sick && len(l.under) == 0 {
		l.hangUp()
	}
	return o
}

func (l *line) pull(p pushed) send.Outcome {
	if l.broken {
		return l.inDoubt(p, errGone)
	}
	mail, ok, err := l.replies()
	if err != nil {
		return l.inDoubt(p, err)
	}
	rep, err := l.read(l.limits.Final, nil)
	switch {
	case !ok && err != nil:
		l.hangUp()
		return mail
	case err != nil:
		return l.inDoubt(p, err)
	case rep.code == 421:
		l.ending()
	}
	if !ok { // what comes behind a refusal only says that something was missing
		return mail
	}
	o := rep.outcome(send.StageDot)
	if o.Verdict == send.Unknown {
		l.hangUp()
	}
	return o
}

// replies reads those to RSET, MAIL and RCPT. When ok is false the outcome is
// that of the first refusal.
func (l *line) replies() (o send.Outcome, ok bool, err error) {
	ok = true
	for _, stage := range [...]send.Stage{send.StageMail, send.StageMail, send.StageRcpt} {
		rep, err := l.read(l.limits.Final, nil)
		switch {
		case err != nil && !ok:
			l.hangUp()
			return o, false, nil
		case err != nil:
			return o, false, err
		case rep.code/100 == 3:
			return o, false, fmt.Errorf("%w: %s", errStep, oneLine(rep.text))
		case rep.code/100 != 2 && ok:
			o, ok = rep.outcome(stage), false
		}
		if rep.code == 421 {
			l.ending()
			return o, false, nil
		}
	}
	return o, ok, nil
}

// inDoubt is the outcome of a message of which no reply tells: one that has left
// wholly may have arrived.
func (l *line) inDoubt(p pushed, err error) send.Outcome {
	l.hangUp()
	if p.why != nil {
		err = p.why
	}
	if !p.whole {
		return l.lost(send.StageData, err)
	}
	return unsent(send.Unknown, send.StageDot, oneLine([]byte(plainer(err).Error())), true)
}

// ending takes note of a 421: the next hop reads nothing any more (RFC 5321
// section 3.8), so what was pushed behind was taken by nobody.
func (l *line) ending() {
	l.hangUp()
	for i := range l.under {
		l.under[i] = pushed{why: errClosing}
	}
}
