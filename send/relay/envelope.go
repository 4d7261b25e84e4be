package relay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"galley/send"
)

// Commands without an argument.
var (
	cmdReset = []byte("RSET\r\n")
	cmdData  = []byte("DATA\r\n")
	cmdDot   = []byte(".\r\n")
)

var errStep = errors.New("next hop is out of step")

func (l *line) pipelining() bool { return l.group && l.ext.pipelining }

// checkEnvelope refuses addresses that cannot be put between angle brackets,
// and non-ASCII ones where SMTPUTF8 is not offered (RFC 6531 section 3.2).
func (l *line) checkEnvelope(e send.Envelope) (send.Outcome, bool) {
	if err := checkPath(e.From); err != nil {
		return unsent(send.Never, send.StageMail, "not sent: envelope sender: "+err.Error(), true), false
	}
	if e.To == "" {
		return unsent(send.Never, send.StageRcpt, "not sent: there is no recipient", false), false
	}
	if err := checkPath(e.To); err != nil {
		return unsent(send.Never, send.StageRcpt, "not sent: recipient: "+err.Error(), false), false
	}
	if needsUTF8(e) && !l.ext.utf8 {
		return unsent(send.Never, send.StageRcpt, "needs SMTPUTF8: the address is not ASCII and next hop takes ASCII only", false), false
	}
	return send.Outcome{}, true
}

// checkPath refuses what would end the path or the line, and what is longer
// than a path may be (RFC 5321 section 4.5.3.1.3).
func checkPath(s string) error {
	switch {
	case len(s) > 254:
		return fmt.Errorf("%d octets are more than 254", len(s))
	case !utf8.ValidString(s):
		return errors.New("not UTF-8")
	}
	if i := strings.IndexFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f || c == '<' || c == '>' }); i >= 0 {
		return fmt.Errorf("character %q at octet %d", s[i], i)
	}
	return nil
}

func needsUTF8(e send.Envelope) bool { return !ascii(e.From) || !ascii(e.To) }

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// appendMail appends MAIL. size is 0 when it is not known yet.
func (l *line) appendMail(dst []byte, e send.Envelope, size int) []byte {
	dst = append(append(append(dst, "MAIL FROM:<"...), e.From...), '>')
	if size > 0 && l.ext.sizes {
		dst = strconv.AppendInt(append(dst, " SIZE="...), int64(size), 10)
	}
	if needsUTF8(e) {
		dst = append(dst, " SMTPUTF8"...)
	}
	return append(dst, "\r\n"...)
}

func appendRcpt(dst []byte, e send.Envelope) []byte {
	return append(append(append(dst, "RCPT TO:<"...), e.To...), ">\r\n"...)
}

// appendGroup appends MAIL, RCPT and DATA.
func (l *line) appendGroup(dst []byte, e send.Envelope, size int) []byte {
	return append(appendRcpt(l.appendMail(dst, e, size), e), "DATA\r\n"...)
}

// envelope brings the dialogue to the 354, or tells why it does not get there.
func (l *line) envelope(e send.Envelope, size int) (send.Outcome, bool) {
	if l.ahead {
		l.ahead = false
		return l.answers()
	}
	l.begun++
	if !l.pipelining() {
		return l.oneByOne(e, size)
	}
	l.cmd = l.cmd[:0]
	if l.reset {
		l.cmd = append(l.cmd, cmdReset...)
	}
	l.cmd = l.appendGroup(l.cmd, e, size)
	if _, err := l.write(l.cmd, l.limits.Mail); err != nil {
		return l.unwritten(err)
	}
	return l.answers()
}

// unwritten is the outcome of an envelope that could not be said.
func (l *line) unwritten(err error) (send.Outcome, bool) {
	rep, err := l.early(err)
	if err != nil {
		return l.lost(send.StageMail, err), false
	}
	return rep.outcome(send.StageMail), false
}

// answers reads the replies to a group. All are read even when the first
// refuses, since the line goes on behind them.
func (l *line) answers() (send.Outcome, bool) {
	if o, ok := l.forget(nil); !ok {
		return o, false
	}
	mail, ok := l.answer(send.StageMail, l.limits.Mail, nil)
	if l.broken {
		return mail, false
	}
	rcpt, rcptOK := l.answer(send.StageRcpt, l.limits.Rcpt, nil)
	if l.broken {
		return first(mail, ok, rcpt), false
	}
	refused := first(mail, ok, rcpt)
	data, err := l.read(l.limits.Data, nil)
	switch {
	case err != nil:
		if ok && rcptOK {
			return l.lost(send.StageData, err), false
		}
		l.hangUp()
		return refused, false
	case ok && rcptOK:
		return l.atData(data)
	case data.code == 354:
		l.loneDot()
	default:
		l.leave(data.code, ok)
	}
	return refused, false
}

// first is the outcome of MAIL when that was refused, else of RCPT: what comes
// after a refusal only says that commands were missing.
func first(mail send.Outcome, mailOK bool, rcpt send.Outcome) send.Outcome {
	if !mailOK {
		return mail
	}
	return rcpt
}

// oneByOne is the dialogue without PIPELINING.
func (l *line) oneByOne(e send.Envelope, size int) (send.Outcome, bool) {
	if o, ok := l.forget(cmdReset); !ok {
		return o, false
	}
	l.cmd = l.appendMail(l.cmd[:0], e, size)
	if o, ok := l.answer(send.StageMail, l.limits.Mail, l.cmd); !ok {
		return o, false
	}
	l.cmd = appendRcpt(l.cmd[:0], e)
	if o, ok := l.answer(send.StageRcpt, l.limits.Rcpt, l.cmd); !ok {
		l.leave(o.Code, true)
		return o, false
	}
	rep, err := l.command(l.limits.Data, cmdData, nil)
	if err != nil {
		return l.lost(send.StageData, err), false
	}
	return l.atData(rep)
}

// forget brings RSET to its end when the last transaction was left open. cmd
// is nil when RSET has left already.
func (l *line) forget(cmd []byte) (send.Outcome, bool) {
	if !l.reset {
		return send.Outcome{}, true
	}
	l.reset = false
	o, ok := l.answer(send.StageMail, l.limits.Greeting, cmd)
	if !ok && !l.broken { // who refuses RSET keeps an old transaction
		l.hangUp()
	}
	return o, ok
}

// answer says cmd, unless it is nil, and reads a reply that must be a 2yz.
func (l *line) answer(stage send.Stage, limit time.Duration, cmd []byte) (send.Outcome, bool) {
	rep, err := l.command(limit, cmd, nil)
	switch {
	case err != nil:
		return l.lost(stage, err), false
	case rep.code/100 == 2:
		return send.Outcome{}, true
	case rep.code/100 == 3:
		return l.lost(stage, errStep), false
	case rep.code == 421:
		l.hangUp()
	}
	return rep.outcome(stage), false
}

// atData judges the reply to DATA.
func (l *line) atData(rep reply) (send.Outcome, bool) {
	switch {
	case rep.code == 354:
		return send.Outcome{}, true
	case rep.code/100 < 4:
		return l.lost(send.StageData, fmt.Errorf("%w: %s", errStep, oneLine(rep.text))), false
	}
	o := rep.outcome(send.StageData)
	l.leave(rep.code, true)
	return o, false
}

// leave remembers that a transaction stays open, or that the server is going.
func (l *line) leave(code int, open bool) {
	if code == 421 {
		l.hangUp()
	}
	l.reset = open
}

// loneDot ends the empty message of a server that answered DATA with 354
// although it had refused the recipient (RFC 2920 section 3.1). Its reply
// decides nothing.
func (l *line) loneDot() {
	rep, err := l.command(l.limits.Final, cmdDot, nil)
	if err != nil || rep.code == 421 {
		l.hangUp()
	}
}
