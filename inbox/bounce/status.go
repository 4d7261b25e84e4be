package bounce

import (
	"regexp"
	"slices"
	"strings"

	"galley/inbox/mime"
)

// isComplaint knows RFC 5965 reports of abuse; "not-spam" and reports of
// authentication failures (RFC 6591) are none.
func isComplaint(m *mime.Message) bool {
	if f := feedback(m); f != nil {
		switch t := strings.ToLower(strings.TrimSpace(f.Get("Feedback-Type"))); t {
		case "not-spam", "auth-failure", "dmarc", "virus":
			return false
		}
		return true
	}
	return complaintHeader(m)
}

// complaintHeader knows the complaints that providers write without a
// machine-readable part.
func complaintHeader(m *mime.Message) bool {
	return m.Header.Has("X-HmXmrOriginalRecipient") || complaintTitle.MatchString(m.Subject)
}

// complaintTitle names the host that sent the mail, as no person does.
var complaintTitle = regexp.MustCompile(`(?i)^complaint about message from \[?[0-9a-f.:]{7,}\]?`)

// feedback gives the fields of the report, nil when it has none.
func feedback(m *mime.Message) *mime.Header {
	if m.Report == nil {
		return nil
	}
	for i := range m.Report.Status {
		if m.Report.Status[i].Has("Feedback-Type") {
			return &m.Report.Status[i]
		}
	}
	return nil
}

// complaint reads who complained. Providers black the address out; then only
// the token of the returned mail tells.
func (r *Result) complaint(m *mime.Message) {
	r.Kind = KindComplaint
	var who []string
	if f := feedback(m); f != nil {
		for _, name := range []string{"Original-Rcpt-To", "Removal-Recipient", "Redacted-Address"} {
			for _, v := range f.Raw(name) {
				who = append(who, cleanRecipient(v))
			}
		}
	}
	if v := m.Header.Get("X-HmXmrOriginalRecipient"); v != "" {
		who = append(who, cleanRecipient(v))
	}
	if !slices.ContainsFunc(who, mailable) {
		for _, a := range r.Returned.Addresses("To") {
			who = append(who, a.Addr)
		}
	}
	seen := map[string]bool{}
	for _, a := range who {
		if mailable(a) && !seen[strings.ToLower(a)] {
			seen[strings.ToLower(a)] = true
			r.Reports = append(r.Reports, Report{Recipient: a, Class: Complaint, Reason: "complaint"})
		}
	}
	if len(r.Reports) == 0 {
		r.Reports = []Report{{Class: Complaint, Reason: "complaint"}}
	}
}

// concerned names whom a report that is no complaint is about; it changes
// nothing for them.
func (r *Result) concerned(m *mime.Message) {
	f := feedback(m)
	if f == nil {
		return
	}
	who := cleanRecipient(f.Get("Original-Rcpt-To"))
	if to := r.Returned.Addresses("To"); who == "" && len(to) > 0 {
		who = to[0].Addr
	}
	if who != "" {
		r.Reports = []Report{{Recipient: who, Class: None, Reason: oneLine(f.Get("Feedback-Type"))}}
	}
}

// mailable tells an address from what is left of a redacted one.
func mailable(a string) bool {
	i := strings.LastIndexByte(a, '@')
	return i > 0 && i < len(a)-1
}

// hasRecipients tells whether there is a delivery status with any recipient.
func hasRecipients(m *mime.Message) bool {
	if m.Report == nil {
		return false
	}
	for _, h := range m.Report.Status {
		if isRecipientBlock(h) {
			return true
		}
	}
	return false
}

func isRecipientBlock(h mime.Header) bool {
	return h.Has("Final-Recipient") || h.Has("Original-Recipient") || h.Has("X-Actual-Recipient") || h.Has("Action") && h.Has("Status")
}

const maxReports = 200

// status reads the blocks of RFC 3464 section 2.3, one a recipient.
func (r *Result) status(m *mime.Message) {
	r.Kind = KindBounce
	words := readText(m)
	for _, h := range m.Report.Status {
		if !isRecipientBlock(h) || len(r.Reports) >= maxReports {
			continue
		}
		r.Reports = append(r.Reports, recipientReport(h, words))
	}
	r.borrowRecipients(m, words)
}

// recipientReport reads one block.
func recipientReport(h mime.Header, words string) Report {
	original := cleanRecipient(h.Get("Original-Recipient"))
	final := cleanRecipient(h.Get("Final-Recipient"))
	if actual := cleanRecipient(h.Get("X-Actual-Recipient")); final == "" {
		final = actual
	}
	p := Report{Recipient: original, Final: final, Action: action(h.Get("Action"))}
	if p.Recipient == "" || !strings.Contains(p.Recipient, "@") && strings.Contains(final, "@") {
		p.Recipient = final
	}
	if strings.EqualFold(p.Final, p.Recipient) {
		p.Final = ""
	}
	diagnostic := h.Get("Diagnostic-Code")
	if _, text, ok := strings.Cut(diagnostic, ";"); ok {
		diagnostic = text
	}
	p.Reason = oneLine(diagnostic)
	p.Status = betterStatus(firstStatus(h.Get("Status")), p.Reason)
	p.judge(words)
	return p
}

// judge gives the class. What is not failed changes nothing (RFC 3464 section
// 2.3.3); words of the human part help where the diagnostic is silent.
func (p *Report) judge(words string) {
	if p.Action == "" {
		p.Action = "failed"
		if strings.HasPrefix(p.Status, "2") {
			p.Action = "delivered"
		}
	}
	if p.Action != "failed" {
		p.Class = None
		return
	}
	text := p.Reason
	class := phraseClass(text)
	if vague(p.Status) && class == "" {
		text += " " + aboutRecipient(words, p.Recipient)
		class = phraseClass(text)
	}
	p.Class = classify(p.Status, text, class)
	if p.Reason == "" {
		p.Reason = oneLine(aboutRecipient(words, p.Recipient))
	}
}

// action reads the word of RFC 3464 section 2.3.3 off a longer value.
func action(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	for _, a := range []string{"failed", "delayed", "delivered", "relayed", "expanded"} {
		if strings.HasPrefix(s, a) {
			return a
		}
	}
	switch {
	case strings.HasPrefix(s, "fail"), strings.HasPrefix(s, "error"), strings.HasPrefix(s, "expired"):
		return "failed"
	case strings.HasPrefix(s, "delay"):
		return "delayed"
	case strings.HasPrefix(s, "deliver"):
		return "delivered"
	}
	return ""
}

var (
	recipientForm = regexp.MustCompile(`(?i)^\s*<?(rfc822|rfc/822|utf-8|utf8|smtp|unknown|x-local|lmtp|local|internet)\s*[;:]\s*`)
	dotted        = regexp.MustCompile(`(^|[^\d.])([245]\.\d{1,3}\.\d{1,3})([^\d.]|\.?$|\.\D)`)
)

// cleanRecipient takes the address type, brackets and routes off a recipient
// field (RFC 3464 section 2.3.1). What is no address is given as it stands.
func cleanRecipient(s string) string {
	s = strings.TrimSpace(recipientForm.ReplaceAllString(strings.TrimSpace(s), ""))
	s = strings.TrimSpace(recipientForm.ReplaceAllString(s, ""))
	if strings.HasPrefix(s, "@") {
		if _, tail, ok := strings.Cut(s, ":"); ok {
			s = tail
		}
	}
	if all := mime.ParseAddresses(s); len(all) > 0 {
		return strings.Trim(all[0].Addr, "<>.")
	}
	return strings.Trim(s, "<> \"'")
}

func firstStatus(s string) string {
	m := dotted.FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	return m[2]
}

// betterStatus prefers the status in the diagnostic where the field itself
// says no more than permanent or temporary.
func betterStatus(field, diagnostic string) string {
	inner := failure(diagnostic)
	if inner == "" || vague(inner) || field != "" && !vague(field) {
		if field == "" {
			return inner
		}
		return field
	}
	return inner
}

// failure is the first status of a failure in words; a 2.x.y in them is the
// number of a version or of a section of a standard.
func failure(words string) string {
	for _, m := range dotted.FindAllStringSubmatch(words, 4) {
		if m[2][0] != '2' {
			return m[2]
		}
	}
	return ""
}

// vague tells whether a status says nothing of the reason: x.5.0, and all of
// the subject "other or undefined" (RFC 3463 section 3.1), in which Exchange
// Online has codes of its own.
func vague(status string) bool {
	return status == "" || len(status) > 3 && status[1:4] == ".0." || strings.HasSuffix(status, ".5.0")
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "") + " …"
	}
	return s
}
