package relay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"galley/send"
)

// The limits of one reply (RFC 5321 section 4.5.3.1.5 asks for far less).
const (
	maxReplyLines  = 100
	maxReplyOctets = 64 << 10
	maxTranscript  = 1000 // octets of a reply that are kept
)

var (
	errReplyLong = errors.New("reply longer than 100 lines or 64 KiB")
	errReply     = errors.New("malformed reply")
)

// reply is one reply of the next hop. Its text is valid until the next one is
// read.
type reply struct {
	code int
	text []byte // "550 5.1.1 words", the lines of it joined by spaces
}

// readReply reads one reply from r into buf. each, when not nil, is given the
// text of every line, without its code. Any error but those of the reader
// means that the other end does not speak SMTP.
func readReply(r *bufio.Reader, buf []byte, each func([]byte)) (reply, error) {
	rep := reply{text: buf[:0]}
	left := maxReplyOctets
	for range maxReplyLines {
		more, err := rep.readLine(r, &left, each)
		if err != nil || !more {
			return rep, err
		}
	}
	return rep, errReplyLong
}

// readLine takes one line, of which only the beginning is kept when it does
// not fit the reader's buffer, and tells whether another follows.
func (rep *reply) readLine(r *bufio.Reader, left *int, each func([]byte)) (bool, error) {
	part, err := r.ReadSlice('\n')
	full := errors.Is(err, bufio.ErrBufferFull)
	if err != nil && !full {
		return false, err
	}
	*left -= len(part)
	more, bad := rep.add(bytes.TrimRight(part, "\r\n"), each)
	for full && *left >= 0 {
		part, err = r.ReadSlice('\n')
		*left -= len(part)
		full = errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !full {
			return false, err
		}
	}
	if *left < 0 {
		return false, errReplyLong
	}
	return more, bad
}

// add takes "250-text" or "250 text" or "250" (RFC 5321 section 4.2). All
// lines of a reply have one code.
func (rep *reply) add(line []byte, each func([]byte)) (more bool, err error) {
	code := replyCode(line)
	if code == 0 || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return false, fmt.Errorf("%w: %q", errReply, line[:min(len(line), 80)])
	}
	if rep.code != 0 && rep.code != code {
		return false, fmt.Errorf("%w: code %d in a reply of code %d", errReply, code, rep.code)
	}
	var text []byte
	if len(line) > 4 {
		text = line[4:]
	}
	if each != nil {
		each(text)
	}
	rep.keep(code, line, text)
	return len(line) > 3 && line[3] == '-', nil
}

// keep appends a line to the text. An enhanced code that every line repeats is
// kept once.
func (rep *reply) keep(code int, line, text []byte) {
	if rep.code == 0 {
		rep.text = append(rep.text, line[:3]...)
	} else if status := enhanced(rep.code, rep.text[min(4, len(rep.text)):]); status != nil {
		if rest, ok := bytes.CutPrefix(text, status); ok {
			text = bytes.TrimLeft(rest, " ")
		}
	}
	rep.code = code
	if room := maxTranscript - len(rep.text) - 1; len(text) > 0 && room > 0 {
		rep.text = append(rep.text, ' ')
		rep.text = append(rep.text, text[:min(len(text), room)]...)
	}
}

// replyCode reads three digits of which the first is 2 to 5, else 0.
func replyCode(line []byte) int {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || !digit(line[1]) || !digit(line[2]) {
		return 0
	}
	return int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// enhanced is the RFC 3463 status at the beginning of text, nil when there is
// none or when its class is not that of code (RFC 2034 section 4).
func enhanced(code int, text []byte) []byte {
	end := bytes.IndexByte(text, ' ')
	if end < 0 {
		end = len(text)
	}
	status := text[:end]
	if len(status) < 5 || status[1] != '.' || int(status[0]-'0') != code/100 {
		return nil
	}
	subject, detail, _ := bytes.Cut(status[2:], []byte("."))
	if !number(subject) || !number(detail) {
		return nil
	}
	return status
}

// number tells whether b is one to three digits.
func number(b []byte) bool {
	for _, c := range b {
		if !digit(c) {
			return false
		}
	}
	return len(b) >= 1 && len(b) <= 3
}

// outcome is what rep means for the transaction when it is the answer at
// stage.
func (rep reply) outcome(stage send.Stage) send.Outcome {
	o := send.Outcome{Stage: stage, Code: rep.code, Transcript: oneLine(rep.text)}
	if status := enhanced(rep.code, rep.text[min(4, len(rep.text)):]); status != nil {
		o.Enhanced = o.Transcript[4 : 4+len(status)]
	}
	o.Verdict = verdict(stage, rep.code)
	o.Transport = transport(stage, rep.code)
	return o
}

func verdict(stage send.Stage, code int) send.Verdict {
	switch {
	case code/100 == 2:
		return send.Accepted
	case stage == send.StageRcpt && code == 552:
		return send.Later // RFC 5321 section 4.5.3.1.10
	case code/100 == 5:
		return send.Never
	case code/100 == 4 || stage != send.StageDot:
		return send.Later
	}
	return send.Unknown // a 3yz reply to the final dot
}

// transport tells whether a reply is about the line or us and not about the
// recipient: everything up to MAIL, a server that shuts down, and a dialogue
// that is out of step.
func transport(stage send.Stage, code int) bool {
	switch stage {
	case send.StageRcpt, send.StageData, send.StageDot:
		return code/100 == 3 || code == 421 || code == 500 || code == 502 || code == 503
	}
	return true
}

// oneLine makes foreign octets fit for logs and databases.
func oneLine(b []byte) string {
	for _, c := range b {
		if c < ' ' || c >= 0x7f {
			return strings.Map(printable, strings.ToValidUTF8(string(b), "?"))
		}
	}
	return string(b)
}

func printable(c rune) rune {
	if c < ' ' || c >= 0x7f && c < 0xa0 {
		return ' '
	}
	return c
}

func isEOF(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
