package bounce

import (
	"strings"

	"galley/inbox/mime"
)

// The kinds of a Result.
const (
	KindNone      = ""          // no report about a mail of ours
	KindBounce    = "bounce"    // about a delivery, whatever became of it
	KindComplaint = "complaint" // a reader pressed "this is spam"
	KindReport    = "report"    // anything else a machine reports: DMARC, TLS, read receipts
)

// The classes of a Report: what it means for the reader (see Classify).
const (
	Hard      = "hard"      // the address is dead
	Soft      = "soft"      // the address may work again
	Domain    = "domain"    // the domain is dead or takes no mail
	Ours      = "ours"      // we are refused, not the reader
	Complaint = "complaint" // never mail again
	None      = "none"      // no change: delayed, relayed, delivered
)

// Report is what is said about one recipient.
type Report struct {
	Recipient string // bare address, the original one where the report names it
	Final     string // the address at which it failed, when that is another
	Action    string // RFC 3464 section 2.3.3: failed delayed delivered relayed expanded
	Status    string // RFC 3463, "" when nothing gives one
	Class     string // hard soft domain ours complaint none
	Reason    string // the diagnostic in one line
	MessageID string // of the returned mail
}

// Result is a message read as a report.
type Result struct {
	Kind        string
	Reports     []Report
	Returned    mime.Header // the header of the mail it is about
	HasReturned bool
	MessageIDs  []string // identifiers of the returned mail: Message-ID, Original-Envelope-ID, In-Reply-To
	To          []string // addresses the returned mail was sent to
	Unsubscribe []string // its List-Unsubscribe values, in which our token may stand
}

// Read judges m. A message that is no report gives Kind "".
func Read(m *mime.Message) Result {
	var r Result
	if m.Report != nil {
		r.Returned, r.HasReturned = m.Report.Returned, m.Report.HasReturned
	}
	switch {
	case isComplaint(m):
		r.complaint(m)
	case isOtherReport(m):
		r.Kind = KindReport
		r.concerned(m)
	case hasRecipients(m):
		r.status(m)
	default:
		r.freeText(m)
	}
	r.trace(m)
	return r
}

// isOtherReport knows the reports that concern no delivery of ours: read
// receipts, DMARC and TLS reports.
func isOtherReport(m *mime.Message) bool {
	if m.Report == nil {
		return aggregate(m)
	}
	switch t := m.Report.Type; {
	case t == "disposition-notification", strings.HasPrefix(t, "tlsrpt"), strings.HasPrefix(t, "tls"):
		return true
	case t == "feedback-report":
		return true // not a complaint, or isComplaint had taken it
	}
	return aggregate(m)
}

// aggregate knows DMARC aggregate reports (RFC 7489 section 7.2.1.1, kept by
// RFC 9990) and TLS reports (RFC 8460 section 5.3) by their attachment.
func aggregate(m *mime.Message) bool {
	subject := strings.ToLower(m.Subject)
	named := strings.HasPrefix(subject, "report domain:") || strings.HasPrefix(subject, "[report] ") || m.Header.Has("TLS-Report-Domain")
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Type == "application/tlsrpt+json" || p.Type == "application/tlsrpt+gzip" {
			return true
		}
		zipped := strings.HasSuffix(p.Name, ".gz") || strings.HasSuffix(p.Name, ".zip") || strings.HasSuffix(p.Name, ".xml")
		if zipped && (named || strings.Count(p.Name, "!") >= 3) {
			return true
		}
	}
	return named && strings.Contains(subject, "submitter")
}

// trace gathers from the returned mail what tells whose delivery it was.
func (r *Result) trace(m *mime.Message) {
	if r.Kind == KindNone {
		return
	}
	h := r.Returned
	for _, name := range []string{"Message-ID", "Original-Message-ID", "Resent-Message-ID"} {
		for _, v := range h.Raw(name) {
			r.MessageIDs = append(r.MessageIDs, mime.IDs(v)...)
		}
	}
	if m.Report != nil {
		for _, s := range m.Report.Status {
			for _, name := range []string{"Original-Message-ID", "X-Original-Message-ID"} {
				r.MessageIDs = append(r.MessageIDs, mime.IDs(s.Get(name))...)
			}
		}
	}
	if len(r.MessageIDs) == 0 {
		r.MessageIDs = append(append(r.MessageIDs, m.References...), mime.IDs(m.InReplyTo)...)
	}
	for _, name := range []string{"To", "X-Original-To", "Delivered-To"} {
		for _, a := range h.Addresses(name) {
			r.To = append(r.To, a.Addr)
		}
	}
	r.Unsubscribe = append(r.Unsubscribe, h.Raw("List-Unsubscribe")...)
	if len(r.MessageIDs) == 0 {
		return
	}
	for i := range r.Reports {
		r.Reports[i].MessageID = r.MessageIDs[0]
	}
}
