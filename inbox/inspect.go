package inbox

import (
	"bytes"
	"context"
	"time"

	"galley/compose"
	"galley/compose/lint"
	"galley/compose/markdown"
	"galley/inbox/intent"
	"galley/inbox/mime"
	"galley/inbox/reply"
	"galley/inbox/trust"
)

// Inspection is what the inbox makes of one mail, for people and scripts. A
// field that does not apply is left out.
type Inspection struct {
	File        string             `json:"file"`
	Error       string             `json:"error,omitempty"`
	Kind        Kind               `json:"kind,omitempty"`
	Reason      string             `json:"reason,omitempty"`
	From        *InspectedAddress  `json:"from,omitempty"`
	To          []InspectedAddress `json:"to,omitempty"`
	Subject     string             `json:"subject,omitempty"`
	Date        string             `json:"date,omitempty"` // RFC 3339
	MessageID   string             `json:"message_id,omitempty"`
	InReplyTo   string             `json:"in_reply_to,omitempty"`
	Text        string             `json:"text,omitempty"`    // the whole readable text
	Visible     string             `json:"visible,omitempty"` // what the person wrote
	Links       []InspectedLink    `json:"links,omitempty"`   // of the visible part
	Bounces     []InspectedBounce  `json:"bounces,omitempty"`
	Sender      *InspectedSender   `json:"sender,omitempty"`
	Draft       *InspectedDraft    `json:"draft,omitempty"`
	Attachments []InspectedPart    `json:"attachments,omitempty"`
}

// InspectedAddress is a person as a header shows them.
type InspectedAddress struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// InspectedLink is a link that the person wrote, and the words beside it.
type InspectedLink struct {
	URL       string `json:"url"`
	Canonical string `json:"canonical"`
	Note      string `json:"note,omitempty"`
}

// InspectedBounce is what a report says about one recipient.
type InspectedBounce struct {
	Recipient string `json:"recipient,omitempty"`
	Action    string `json:"action,omitempty"` // RFC 3464 section 2.3.3
	Status    string `json:"status,omitempty"` // RFC 3463
	Class     string `json:"class"`            // hard soft domain ours complaint none
	Reason    string `json:"reason,omitempty"`
}

// InspectedSender is what the mail proves about who wrote it.
type InspectedSender struct {
	Evidence string         `json:"evidence"` // pass fail none temperror
	Domain   string         `json:"domain,omitempty"`
	Selector string         `json:"selector,omitempty"`
	PGP      string         `json:"pgp,omitempty"` // pass or fail, where a key is pinned
	Editor   bool           `json:"editor"`
	Why      string         `json:"why,omitempty"`
	DKIM     []trust.Result `json:"dkim,omitempty"`
}

// InspectedDraft is the text of an issue, repaired.
type InspectedDraft struct {
	Front    markdown.Front    `json:"front"`
	Repairs  []markdown.Repair `json:"repairs"`
	Markdown string            `json:"markdown"`
}

// InspectedPart is a file that came with the mail.
type InspectedPart struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type"`
	Size int    `json:"size"`
}

// Inspector reads mail as the inbox does, without any books. Without a
// Newsletter nobody is an editor; Now is the message's own Date when zero.
type Inspector struct {
	Newsletter *Newsletter
	DNS        trust.DNS
	Now        time.Time
}

// Body inspects a bare reply: what of it the person wrote. as is "text" or
// "html".
func (x *Inspector) Body(body, as string) *Inspection {
	parts, text := reply.Split(body), body
	if as == "html" {
		parts, text = reply.SplitHTML(body), mime.HTMLText(body)
	}
	r := &Inspection{Kind: Letter, Reason: "a bare reply", Text: text, Visible: parts.Own}
	r.links(parts.Own)
	if len(r.Links) > 0 {
		r.Kind = Suggestion
	}
	return r
}

// Mail inspects a message.
func (x *Inspector) Mail(ctx context.Context, raw []byte) *Inspection {
	m, err := mime.Read(raw)
	if err != nil {
		return &Inspection{Kind: Quarantine, Reason: err.Error()}
	}
	r := &Inspection{Subject: m.Subject, MessageID: m.MessageID, InReplyTo: m.InReplyTo, Text: m.Text}
	r.people(m)
	parts := split(m)
	r.Visible = parts.Own
	r.links(parts.Own)
	now := x.Now
	if now.IsZero() {
		now = m.Date
	}
	in := x.inbox()
	l := &letter{raw: raw, m: m, opening: &compose.Opening{Code: "absent"}}
	policy, _ := in.policy(ctx, 0, now) // without books there is nothing that could fail
	policy.Seen = nil
	l.proof = trust.Judge(ctx, belowPostmark(raw), policy)
	in.signed(l, nil)
	x.sort(in, l, now)
	r.Kind, r.Reason = l.kind, l.reason
	r.rest(l)
	return r
}

// belowPostmark takes the line off that an mbox file puts above a mail (RFC
// 4155). A mailbox that speaks IMAP has none, so in the daemon such a line is
// part of the mail and its sender proves nothing.
func belowPostmark(raw []byte) []byte {
	if !bytes.HasPrefix(raw, []byte("From ")) {
		return raw
	}
	_, rest, _ := bytes.Cut(raw, []byte("\n"))
	return rest
}

// inbox is one without books: its newsletter may be nobody's.
func (x *Inspector) inbox() *Inbox {
	n := x.Newsletter
	if n == nil {
		n = &Newsletter{Zone: time.UTC}
	}
	return &Inbox{Newsletter: n, DNS: x.DNS}
}

// sort tells the mail's kind as the inbox would.
func (x *Inspector) sort(in *Inbox, l *letter, now time.Time) {
	var k Known
	if in.Newsletter.Press != nil {
		k = KnownTo(in.Newsletter.Press)
	}
	l.tray = Tell(l.m, k)
	l.kind, l.reason = l.tray.Kind, l.tray.Reason
	if l.kind != "" {
		return
	}
	if seal := l.m.Sealed(); seal != "" {
		in.sealed(l, seal)
		return
	}
	if l.proof.Editor && l.proof.Strict {
		paper := intent.PaperNone
		if l.m.InReplyTo != "" {
			paper = intent.PaperProof // without the books it cannot be known which
		}
		l.reading = intent.Read(in.mail(l, paper, now))
		c := trust.Case{Strict: true, E: l.proof.E, PGP: l.proof.PGP, Code: "absent", Intent: intention(l.reading)}
		row, action := trust.Decide(c)
		l.kind, l.reason = kindOf(l.reading, l.m), "row "+row+": "+action+", "+because(c)
		if action == trust.Quarantine {
			l.kind = Quarantine
		}
		return
	}
	if markedSpam(l.m) {
		l.kind, l.reason = Spam, "marked by the mailbox's server"
		return
	}
	l.kind, l.reason = readerKind(readReader(l, true, "", now, in.Newsletter.Zone))
}

func (r *Inspection) people(m *mime.Message) {
	if len(m.From) > 0 {
		r.From = &InspectedAddress{m.From[0].Name, m.From[0].Addr}
	}
	for _, a := range m.To {
		r.To = append(r.To, InspectedAddress{a.Name, a.Addr})
	}
	if !m.Date.IsZero() {
		r.Date = m.Date.Format(time.RFC3339)
	}
	for i := range m.Parts {
		if p := &m.Parts[i]; p.Attached() {
			r.Attachments = append(r.Attachments, InspectedPart{p.Name, p.Type, p.Size})
		}
	}
}

// links lists the links of the visible part with the line that each stands in.
func (r *Inspection) links(own string) {
	for _, u := range reply.Links(own) {
		r.Links = append(r.Links, InspectedLink{URL: u, Canonical: lint.Canonical(u), Note: lineOf(own, u)})
	}
}

// rest fills in what only some kinds have.
func (r *Inspection) rest(l *letter) {
	p := l.proof
	if p.PGP == "absent" {
		p.PGP = ""
	}
	r.Sender = &InspectedSender{Evidence: p.E, Domain: p.Domain, Selector: p.Selector, PGP: p.PGP, Editor: p.Editor && p.Strict, Why: p.Why, DKIM: p.DKIM}
	if l.kind == Bounce || l.kind == Complaint {
		for _, b := range l.tray.Return.Reports {
			r.Bounces = append(r.Bounces, InspectedBounce{b.Recipient, b.Action, b.Status, b.Class, b.Reason})
		}
	}
	if l.kind == Draft && l.reading.Draft != nil {
		in := &Inbox{}
		text, form := in.draftText(l)
		d := markdown.Read(markdown.Source{Text: text, Subject: l.m.Subject, Date: l.m.Date, Exact: form == mime.FormAttachment})
		r.Draft = &InspectedDraft{Front: d.Front, Repairs: d.Repairs, Markdown: string(d.Markdown())}
		if d.Repairs == nil {
			r.Draft.Repairs = []markdown.Repair{}
		}
	}
}
