package sendtest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// lineLimit is the longest command taken: an AUTH command may have 12288
// octets (RFC 4954 section 4).
const lineLimit = 16 << 10

// session is the dialogue on one connection.
type session struct {
	sink *Sink
	id   int64
	raw  net.Conn // as accepted
	conn net.Conn // raw, or the TLS connection on it
	in   *bufio.Reader
	out  *bufio.Writer

	helo     string
	user     string
	secure   bool
	messages int

	from    string
	inMail  bool
	utf8    bool
	to      []string
	lastTo  string
	body    []byte
	bodyEnd int  // octets of the message; those in body, unless they are only counted
	chunks  bool // the message comes by BDAT, and some of it has come
}

func newSession(s *Sink, c net.Conn) *session {
	t := &session{sink: s, id: s.stats.connections.Add(1), raw: c, conn: c}
	if c.LocalAddr().Network() == "pipe" {
		t.conn = newUnblocked(c)
	}
	return t
}

// serve runs the dialogue until either side ends it.
func (t *session) serve() {
	defer func() { t.conn.Close() }()
	if f := t.fault(StageConnect); f.Close || f.Stall {
		t.stall(f)
		return
	}
	if t.sink.opt.Implicit && !t.startTLS() {
		return
	}
	if t.in == nil {
		t.in, t.out = bufio.NewReaderSize(t.conn, 64<<10), bufio.NewWriter(t.conn)
	}
	code, on := t.say(StageGreeting, 220, t.sink.opt.Domain+" ESMTP sink")
	for on && code/100 == 2 {
		on = t.step()
	}
	if t.out != nil {
		t.out.Flush()
	}
}

// stall reads and throws away until the client is gone.
func (t *session) stall(f Fault) {
	if !f.Stall {
		return
	}
	if t.out != nil {
		t.out.Flush()
	}
	io.Copy(io.Discard, t.conn)
}

// step does one command and tells whether the dialogue goes on.
func (t *session) step() bool {
	line, ok := t.readLine()
	if !ok {
		return false
	}
	verb, arg, _ := strings.Cut(line, " ")
	switch verb = t.spoken(strings.ToUpper(verb)); verb {
	case "EHLO", "HELO":
		return t.hello(verb, arg)
	case "STARTTLS":
		return t.upgrade()
	case "AUTH":
		return t.auth(arg)
	case "MAIL":
		return t.mail(arg)
	case "RCPT":
		return t.rcpt(arg)
	case "DATA":
		return t.data()
	case "BDAT":
		return t.bdat(arg)
	case "RSET":
		t.reset()
		return t.ok(StageOther, 250, "2.0.0 forgotten")
	case "NOOP":
		return t.ok(StageOther, 250, "2.0.0 still here")
	case "VRFY":
		return t.ok(StageOther, 252, "2.5.2 send and see")
	case "QUIT":
		t.say(StageOther, 221, "2.0.0 good bye")
		return false
	}
	return t.ok(StageOther, 500, "5.5.1 that command is not known")
}

// spoken is the verb as SMTP has it: LMTP says LHLO, and knows neither EHLO nor
// HELO (RFC 2033 section 4.1).
func (t *session) spoken(verb string) string {
	switch {
	case !t.sink.opt.LMTP:
		return verb
	case verb == "LHLO":
		return "EHLO"
	case verb == "EHLO", verb == "HELO":
		return "?"
	}
	return verb
}

// readLine reads a command without its line end, flushing what was said
// before it has to wait: replies to pipelined commands leave together.
func (t *session) readLine() (string, bool) {
	if t.in.Buffered() == 0 {
		t.out.Flush()
	}
	var line []byte
	for {
		part, err := t.in.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			return strings.TrimRight(string(line), "\r\n"), true
		}
		if !errors.Is(err, bufio.ErrBufferFull) || len(line) > lineLimit {
			return "", false
		}
		t.out.Flush()
	}
}

func (t *session) moment(stage Stage) Step {
	return Step{Stage: stage, Conn: t.id, Message: t.messages, From: t.from, To: t.lastTo}
}

func (t *session) fault(stage Stage) Fault {
	if t.sink.opt.Fault == nil {
		return Fault{}
	}
	return t.sink.opt.Fault(t.moment(stage))
}

// ok says a reply after which the dialogue goes on whatever its code is.
func (t *session) ok(stage Stage, code int, text string) bool {
	_, on := t.say(stage, code, text)
	return on
}

// say sends a reply, or what Options.Fault puts in its place, and returns the
// code that was said and whether the dialogue goes on. text may have several
// lines.
func (t *session) say(stage Stage, code int, text string) (int, bool) {
	return t.sayFault(t.fault(stage), code, text)
}

func (t *session) sayFault(f Fault, code int, text string) (int, bool) {
	t.delay(t.sink.opt.Delay + f.Delay)
	switch {
	case f.Stall:
		t.stall(f)
		return 0, false
	case f.Close && f.Reply == "":
		return 0, false
	case f.Reply != "":
		on := t.drip(f)
		return f.code(), on && !f.Close
	}
	t.write(code, text)
	return code, true
}

// delay waits with everything said so far on its way.
func (t *session) delay(d time.Duration) {
	if d <= 0 {
		return
	}
	t.out.Flush()
	t.sink.pause(d)
}

func (t *session) drip(f Fault) bool {
	if f.Drip == 0 {
		t.out.WriteString(f.line())
		return true
	}
	for _, b := range []byte(f.line()) {
		t.out.WriteByte(b)
		if t.out.Flush() != nil {
			return false
		}
		t.sink.pause(f.Drip)
	}
	return true
}

// write puts a reply of one or more lines into the buffer (RFC 5321 section
// 4.2.1).
func (t *session) write(code int, text string) {
	for {
		line, rest, more := strings.Cut(text, "\n")
		t.out.Write(strconv.AppendInt(t.out.AvailableBuffer(), int64(code), 10))
		if more {
			t.out.WriteByte('-')
		} else {
			t.out.WriteByte(' ')
		}
		t.out.WriteString(line)
		t.out.WriteString("\r\n")
		if !more {
			return
		}
		text = rest
	}
}

func (t *session) reset() {
	t.from, t.lastTo, t.inMail, t.utf8, t.to = "", "", false, false, t.to[:0]
	t.chunks, t.body, t.bodyEnd = false, t.body[:0], 0
}

// hello answers EHLO with the extensions and HELO without.
func (t *session) hello(verb, arg string) bool {
	if arg == "" {
		return t.ok(StageEHLO, 501, "5.5.4 a name is missing")
	}
	t.helo = arg
	t.reset()
	text := t.sink.opt.Domain
	if verb == "EHLO" {
		text += t.extensions()
	}
	return t.ok(StageEHLO, 250, text)
}

func (t *session) extensions() string {
	o := &t.sink.opt
	text := "\n8BITMIME\nENHANCEDSTATUSCODES\nSIZE " + strconv.Itoa(o.MaxSize)
	if !o.NoPipelining {
		text += "\nPIPELINING"
	}
	if o.Chunking {
		text += "\nCHUNKING"
	}
	if o.SMTPUTF8 {
		text += "\nSMTPUTF8"
	}
	if o.TLS != nil && !t.secure {
		text += "\nSTARTTLS"
	}
	if o.Auth != nil {
		text += "\nAUTH PLAIN LOGIN"
	}
	return text
}

// upgrade is STARTTLS. Commands that came before the handshake are a fault of
// the client (RFC 3207 section 4.2): they end the connection.
func (t *session) upgrade() bool {
	if t.sink.opt.TLS == nil || t.secure {
		return t.ok(StageTLS, 502, "5.5.1 no TLS here")
	}
	code, on := t.say(StageTLS, 220, "2.0.0 go ahead")
	if !on || code != 220 {
		return on
	}
	if t.out.Flush() != nil || t.in.Buffered() > 0 {
		return false
	}
	t.helo, t.user = "", ""
	t.reset()
	return t.startTLS()
}

func (t *session) startTLS() bool {
	c := tls.Server(t.conn, t.sink.opt.TLS)
	if c.Handshake() != nil {
		return false
	}
	t.conn, t.secure = c, true
	t.in, t.out = bufio.NewReaderSize(c, 64<<10), bufio.NewWriter(c)
	return true
}
