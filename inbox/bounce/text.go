package bounce

import (
	"regexp"
	"strings"

	"galley/inbox/mime"
)

const maxReadText = 32 << 10 // octets of a free-text bounce that are looked at

// readText gives the words for humans, without the returned mail.
func readText(m *mime.Message) string {
	text := m.Text
	if m.Report != nil && strings.TrimSpace(m.Report.Words) != "" {
		text = m.Report.Words
	}
	before, _ := cutReturned(text)
	return before
}

var (
	returnedMark = gate(`(?i)^[-=_*# >\t]*(this is a copy of|below this line is a copy|(\S+ ){0,4}(original|returned|unsent|undelivered|rejected|bounced) (message|mail|email|header)s?( (text|header|headers|follows|below|is))*|(the )?(first \d+ lines|header|headers|body|text|copy|start|beginning|full text) of (the |your |this )?(\S+ )?(message|mail|header|returned|email)|(your|the) (message|mail) (reads|follows|was|headers)|message headers? follow|transcript of session follows.{0,3}returned|included below|message text follows|original message follows|unsent message follows|-{3,} ?message from|the message (that caused|headers)|header of the message)[^\n]{0,80}$`)
)

// cutReturned splits a text where the returned mail begins in it.
func cutReturned(text string) (before, returned string) {
	text = text[:min(len(text), maxReadText)]
	at := headerAt(text)
	if from, to := markAt(text[:at]); from > 0 && strings.Contains(text[to:], ": ") {
		return text[:from], text[to:]
	}
	return text[:at], text[at:]
}

// markAt finds the first line that says that the returned mail follows; 0, 0
// when none does.
func markAt(text string) (from, to int) {
	for rest, at := text, 0; rest != ""; {
		line, tail, _ := strings.Cut(rest, "\n")
		if returnedMark.MatchString(line) {
			return at, at + len(line)
		}
		at, rest = at+len(line)+1, tail
	}
	return 0, 0
}

// headerAt finds where the header of a mail begins: three fields in a row, one
// of which only mail servers write.
func headerAt(text string) int {
	at, start, fields, trace := 0, 0, 0, false
	for rest := text; rest != ""; {
		line, tail, _ := strings.Cut(rest, "\n")
		name, _, ok := strings.Cut(line, ":")
		switch {
		case ok && headerLine.MatchString(line):
			if fields == 0 {
				start = at
			}
			fields++
			trace = trace || traceField(name)
			if fields >= 3 && trace {
				return start
			}
		case fields > 0 && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")) && strings.TrimSpace(line) != "":
		default:
			fields, trace = 0, false
		}
		at, rest = at+len(line)+1, tail
	}
	return len(text)
}

func traceField(name string) bool {
	switch strings.ToLower(name) {
	case "received", "return-path", "message-id", "mime-version", "dkim-signature", "delivered-to", "x-mailer", "content-type":
		return true
	}
	return false
}

// freeText reads the bounces that are words only.
func (r *Result) freeText(m *mime.Message) {
	if r.notice(m.Text) {
		return
	}
	failed, may := m.Header.Raw("X-Failed-Recipients"), mayBounce(m)
	if !may && len(failed) == 0 && !wrappedReport(m) {
		return
	}
	if r.embedded(m) {
		return
	}
	before, returned := cutReturned(readAll(m))
	if !(may && saysBounced(m, before)) && len(failed) == 0 {
		return
	}
	if !r.HasReturned {
		r.findReturned(m, returned)
	}
	var who []string
	for _, v := range failed {
		for _, a := range mime.ParseAddresses(v) {
			who = append(who, a.Addr)
		}
	}
	if len(who) == 0 {
		who = recipients(m, before)
	}
	if len(who) == 0 {
		for _, a := range r.Returned.Addresses("To") {
			who = append(who, a.Addr)
		}
	}
	if len(who) == 0 && phraseClass(before) == "" {
		return
	}
	r.Kind = KindBounce
	delayed := isDelay(m, before)
	for _, a := range who {
		r.Reports = append(r.Reports, textReport(a, before, delayed))
	}
	r.secondName(m, before)
}

// secondName keeps the address in the words where the header names another:
// an alias was followed.
func (r *Result) secondName(m *mime.Message, before string) {
	if len(r.Reports) != 1 || !m.Header.Has("X-Failed-Recipients") {
		return
	}
	if who := recipients(m, before); len(who) == 1 && !strings.EqualFold(who[0], r.Reports[0].Recipient) {
		r.Reports[0].Final = who[0]
	}
}

// readAll joins the texts before the returned mail, HTML where there is no
// other.
func readAll(m *mime.Message) string {
	if m.Report != nil && strings.TrimSpace(m.Report.Words) != "" {
		return m.Report.Words
	}
	return m.Text
}

// findReturned looks for the header of the returned mail: in a part of its
// own, or in the text.
func (r *Result) findReturned(m *mime.Message, returned string) {
	for i := range m.Parts {
		switch m.Parts[i].Type {
		case "message/rfc822", "text/rfc822-headers", "message/rfc822-headers":
			r.Returned = mime.ParseHeader([]byte(strings.TrimLeft(string(m.Parts[i].Data), "\n")))
			r.HasReturned = r.Returned.Len() > 0
			return
		}
	}
	lines := strings.Split(returned, "\n")
	for len(lines) > 0 && !headerLine.MatchString(lines[0]) {
		lines = lines[1:]
	}
	h := mime.ParseHeader([]byte(strings.Join(lines, "\n")))
	if h.Has("From") || h.Has("To") || h.Has("Message-ID") {
		r.Returned, r.HasReturned = h, true
	}
}

var headerLine = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*: ?`)

// textReport judges one recipient by the words around its address.
func textReport(who, before string, delayed bool) Report {
	p := Report{Recipient: who, Action: "failed"}
	about := aboutRecipient(before, who)
	if about == "" || phraseClass(about) == "" && firstStatus(about) == "" && !replyCode.MatchString(about) {
		about = before
	}
	p.Reason, p.Status = oneLine(about), failure(about)
	if delayed {
		p.Action, p.Class = "delayed", None
		return p
	}
	p.Class = Classify(p.Status, about)
	return p
}

// aboutRecipient gives the lines that speak of one address: its own and those
// below it, up to a blank line that words have preceded.
func aboutRecipient(text, who string) string {
	if who == "" {
		return text
	}
	lower := strings.ToLower(text)
	at := strings.Index(lower, strings.ToLower(who))
	if at < 0 {
		return text
	}
	start := strings.LastIndexByte(text[:at], '\n') + 1
	lines := strings.Split(text[start:], "\n")
	n := 1
	for n < len(lines) && n < 12 {
		s := strings.TrimSpace(lines[n])
		if s == "" && (n > 2 || n+1 < len(lines) && strings.TrimSpace(lines[n+1]) == "") {
			break
		}
		if n > 1 && addressLine.MatchString(lines[n]) && !strings.Contains(strings.ToLower(lines[n]), strings.ToLower(who)) {
			break
		}
		n++
	}
	return strings.Join(lines[:n], "\n")
}

// borrowRecipients finds the address in the words where the status part names
// none that can be mailed.
func (r *Result) borrowRecipients(m *mime.Message, words string) {
	for i := range r.Reports {
		if strings.Index(r.Reports[i].Recipient, "@") > 0 {
			continue
		}
		if who := recipients(m, words); len(who) == 1 || len(who) > i && len(r.Reports) == len(who) {
			r.Reports[i].Recipient = who[min(i, len(who)-1)]
		} else if to := r.Returned.Addresses("To"); len(to) == 1 {
			r.Reports[i].Recipient = to[0].Addr
		}
	}
}
