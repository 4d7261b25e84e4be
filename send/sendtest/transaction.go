package sendtest

import (
	"slices"
	"strconv"
	"strings"
)

// mail answers MAIL.
func (t *session) mail(arg string) bool {
	t.sink.stats.mail.Add(1)
	t.messages++
	from, params, ok := path(arg, "FROM:")
	code, text := t.judgeMail(ok, params)
	if code == 421 {
		t.write(code, text)
		return false
	}
	t.from = from
	code, on := t.say(StageMail, code, text)
	t.inMail = code/100 == 2
	if !t.inMail {
		t.from = ""
	}
	return on
}

func (t *session) judgeMail(ok bool, params []string) (int, string) {
	o := &t.sink.opt
	switch {
	case o.MaxMessages > 0 && t.messages > o.MaxMessages:
		return 421, "4.7.0 enough for one connection"
	case t.helo == "":
		return 503, "5.5.1 say EHLO first"
	case t.inMail:
		return 503, "5.5.1 one MAIL at a time"
	case o.Auth != nil && t.user == "":
		return 530, "5.7.0 log in first"
	case !ok:
		return 501, "5.5.4 MAIL FROM:<address>"
	}
	return t.judgeParams(params)
}

// judgeParams reads SIZE (RFC 1870), BODY (RFC 6152) and SMTPUTF8 (RFC 6531).
func (t *session) judgeParams(params []string) (int, string) {
	t.utf8 = false
	for _, p := range params {
		key, value, _ := strings.Cut(strings.ToUpper(p), "=")
		switch {
		case key == "SIZE":
			if n, err := strconv.Atoi(value); err != nil || n > t.sink.opt.MaxSize {
				return 552, "5.3.4 larger than what is taken here"
			}
		case key == "BODY":
		case key == "SMTPUTF8" && t.sink.opt.SMTPUTF8:
			t.utf8 = true
			t.sink.stats.mailUTF8.Add(1)
		default:
			return 555, "5.5.4 parameter " + key + " is not known"
		}
	}
	return 250, "2.1.0 sender is fine"
}

// rcpt answers RCPT by the recipient's fate.
func (t *session) rcpt(arg string) bool {
	t.sink.stats.rcpt.Add(1)
	to, _, ok := path(arg, "TO:")
	code, text := 250, ""
	switch {
	case !t.inMail:
		code, text = 503, "5.5.1 say MAIL first"
	case !ok || to == "":
		code, text = 501, "5.1.3 RCPT TO:<address>"
	case !t.utf8 && !ascii(to):
		code, text = 553, "5.6.7 that address needs SMTPUTF8"
	default:
		code, text = t.sink.atRcpt(t.from, to)
	}
	t.lastTo = to
	code, on := t.say(StageRcpt, code, text)
	if code/100 == 2 {
		t.to = append(t.to, to)
	} else {
		t.sink.stats.refused.Add(1)
	}
	return on
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// data answers DATA, reads the message and decides what becomes of it. DATA
// without a recipient is refused; where a Fault answers 354 all the same, the
// lone dot of RFC 2920 section 3.1 ends it.
func (t *session) data() bool {
	code, text := 354, "end with a dot on a line of its own"
	switch {
	case len(t.to) == 0:
		code, text = 503, "5.5.1 no recipient was accepted"
	case t.chunks: // RFC 3030 section 2
		code, text = 503, "5.5.1 DATA does not follow BDAT"
	}
	code, on := t.say(StageData, code, text)
	if !on || code != 354 {
		return on
	}
	t.sink.stats.data.Add(1)
	if !t.readBody() {
		t.sink.stats.cut.Add(1)
		return false
	}
	on = t.finish()
	t.reset()
	return on
}

// finish answers the final dot.
func (t *session) finish() bool {
	f := t.fault(StageDot)
	code, text, drop := t.judgeDot()
	taken := code/100 == 2 && (f.Reply == "" || f.code()/100 == 2) && !f.Close && !f.Stall
	if taken || f.Take {
		code, text = t.accept(code, text)
	}
	if drop {
		f.Close, f.Reply = true, ""
	}
	if t.sink.opt.LMTP && !drop { // RFC 2033 section 4.2
		for range len(t.to) - 1 {
			t.write(code, text)
		}
	}
	code, on := t.sayFault(f, code, text)
	switch {
	case code == 0 && !on:
		t.sink.stats.dropped.Add(1)
	case code/100 != 2:
		t.sink.stats.refused.Add(1)
	}
	return on
}

// judgeDot is the reply to the final dot by size and fate, and whether the
// line is to be dropped instead of it.
func (t *session) judgeDot() (code int, text string, drop bool) {
	switch {
	case len(t.to) == 0:
		t.sink.stats.empty.Add(1)
		return 554, "5.5.1 no valid recipients", false
	case t.bodyEnd > t.sink.opt.MaxSize:
		return 552, "5.3.4 larger than what is taken here", false
	}
	for _, to := range t.to {
		switch fate, code := FateOf(to); fate {
		case FateDot:
			return code, refusal(code), false
		case FateSlow:
			t.delay(t.sink.opt.Slow)
		case FateDrop:
			drop = drop || t.sink.grey.refuses("drop", to, 0)
		}
	}
	return 250, "2.0.0 taken", drop
}

// accept records the message, unless Submit refuses it.
func (t *session) accept(code int, text string) (int, string) {
	a := Accepted{Conn: t.id, From: t.from, To: slices.Clone(t.to), UTF8: t.utf8, User: t.user, TLS: t.secure}
	if a.Size = t.bodyEnd; !t.counting() {
		t.sink.describe(&a, t.body[:t.bodyEnd])
	}
	if submit := t.sink.opt.Submit; submit != nil {
		if err := submit(t.user, a); err != nil {
			return 554, "5.6.0 " + oneLine(err.Error())
		}
	}
	t.sink.record(a)
	return code, text
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// path reads "FROM:<address> params" (RFC 5321 section 4.1.2). A quoted local
// part may hold ">".
func path(arg, word string) (address string, params []string, ok bool) {
	if len(arg) < len(word) || !strings.EqualFold(arg[:len(word)], word) {
		return "", nil, false
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(arg[len(word):], " "), "<")
	if !ok {
		return "", nil, false
	}
	end := pathEnd(rest)
	if end < 0 {
		return "", nil, false
	}
	return rest[:end], strings.Fields(rest[end+1:]), true
}

func pathEnd(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '>' && !quoted:
			return i
		}
	}
	return -1
}
