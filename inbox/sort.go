package inbox

import (
	"slices"
	"strings"

	"galley/inbox/bounce"
	"galley/inbox/mime"
	"galley/send"
	"galley/send/door"
)

// Kind is what a message is for.
type Kind string

// The kinds, by the table of trust.md 2.1.
const (
	Draft       Kind = "draft"       // text of an issue, from an editor
	Answer      Kind = "answer"      // an editor's answer to one of the desk's mails
	Command     Kind = "command"     // an editor's words in a mail of their own
	Subscribe   Kind = "subscribe"   // somebody asks for the newsletter
	Unsubscribe Kind = "unsubscribe" // a reader leaves
	Confirm     Kind = "confirm"     // the answer to a confirmation
	Suggestion  Kind = "suggestion"  // a reader's links
	Letter      Kind = "letter"      // a reader's words to the editor
	Bounce      Kind = "bounce"      // a mail came back
	Complaint   Kind = "complaint"   // a reader's provider complains (RFC 5965)
	Report      Kind = "report"      // any other report of a machine
	Auto        Kind = "auto"        // an automatic answer
	List        Kind = "list"        // a mailing list's mail
	Own         Kind = "own"         // our own mail, come back
	Spam        Kind = "spam"        // marked by the mailbox's server
	Flood       Kind = "flood"       // more than one address may say in a day
	Huge        Kind = "huge"        // larger than the limit; only its header is known
	Quarantine  Kind = "quarantine"  // set aside unread
	Alert       Kind = "alert"       // our own, laid into the mailbox for people to see
	Before      Kind = "before"      // lay in the mailbox before the first start
	Foreign     Kind = "foreign"     // in an editor's own mailbox, and not to the newsletter
)

// Known is what telling mail apart needs to know of a newsletter. Functions
// may be nil: then no token is valid and no Message-ID is ours.
type Known struct {
	Address func(addr string) (kind, token string, ok bool)    // an address of the newsletter's pattern
	Leaver  func(token string) (subscriber int64, ok bool)     // reads an unsub token
	Bounced func(token string) (delivery, slip int64, ok bool) // reads the token of a return path
	Keys    send.Keys                                          // read the tokens of the door's mails
	Issued  func(messageID string) bool                        // whether we wrote that Message-ID
	ListID  string                                             // the identifier of our List-Id, without brackets
	Loop    string                                             // what our mails say in X-Loop
}

// Tray is where a message belongs, before anybody asks who wrote it. Kind is
// empty for a person's mail, which the editor's and the reader's rules decide.
type Tray struct {
	Kind           Kind
	Reason         string
	Subscriber     int64         // whose unsub token it came to
	Delivery, Slip int64         // what a bounce or complaint is about, by its token; 0 without one
	Return         bounce.Result // of a bounce or a complaint
	Paper          door.Paper    // the door's mail that it answers
}

// maxHops is how many Received fields a message may have (trust.md 2.1).
const maxHops = 50

// Tell does rows 2 to 9 of trust.md 2.1, first match first: what a machine
// wrote, what a token decides, and what is left for people.
func Tell(m *mime.Message, k Known) Tray { return tell(m, nil, k) }

// tell is Tell for a message whose report was read already; nil: it was not.
func tell(m *mime.Message, report *bounce.Result, k Known) Tray {
	if why := k.own(m); why != "" {
		return Tray{Kind: Own, Reason: why}
	}
	if n := len(m.Header.Raw("Received")); n > maxHops {
		return Tray{Kind: Own, Reason: "more than 50 Received fields: a loop"}
	}
	if report == nil {
		read := bounce.Read(m)
		report = &read
	}
	if t := k.returned(m, *report); t.Kind != "" {
		return t
	}
	if id := k.leaver(m); id != 0 {
		return Tray{Kind: Unsubscribe, Reason: "a valid token in the address", Subscriber: id}
	}
	if why := Automatic(m); why != "" {
		return Tray{Kind: Auto, Reason: why}
	}
	if why := listMail(m); why != "" {
		return Tray{Kind: List, Reason: why}
	}
	if p, ok := k.answered(m); ok {
		return Tray{Kind: Confirm, Reason: "a valid token of kind " + string(p.Kind), Paper: p}
	}
	for _, a := range k.addressed(m) {
		if a.kind == "subscribe" || a.kind == "sub" {
			return Tray{Kind: Subscribe, Reason: "sent to the subscribe address"}
		}
	}
	return Tray{}
}

// own tells our own mail come back: a reply to it has neither field.
func (k Known) own(m *mime.Message) string {
	if k.Issued != nil && m.MessageID != "" && k.Issued(m.MessageID) {
		return "its Message-ID is ours"
	}
	if k.Loop != "" && slices.Contains(m.Header.Raw("X-Loop"), k.Loop) {
		return "its X-Loop is ours"
	}
	if k.ListID != "" && strings.Contains(m.Header.Get("List-Id"), "<"+k.ListID+">") {
		return "its List-Id is ours"
	}
	return ""
}

// returned recognises bounces, complaints and other reports. A bounce stays
// one although it is marked as automatic; it changes something only with a
// valid token.
func (k Known) returned(m *mime.Message, report bounce.Result) Tray {
	t := Tray{Return: report}
	var tokened bool
	t.Delivery, t.Slip, tokened = k.bounced(m, t.Return)
	switch {
	case t.Return.Kind == "bounce":
		t.Kind, t.Reason = Bounce, "a delivery report"
	case t.Return.Kind == "complaint":
		t.Kind, t.Reason = Complaint, "a feedback report (RFC 5965)"
	case t.Return.Kind == "report":
		t.Kind, t.Reason = Report, "a report about another mail"
	case tokened && fromMachine(m):
		t.Kind, t.Reason = Bounce, "from a mail system, to a bounce address of ours"
	}
	return t
}

// bounced is the mail of ours that came back: by the address that the report
// came to, else by the addresses of the mail that it returns, else by what a
// complaint says of its envelope.
func (k Known) bounced(m *mime.Message, res bounce.Result) (delivery, slip int64, ok bool) {
	if k.Bounced == nil {
		return 0, 0, false
	}
	addrs := k.addressed(m)
	for _, raw := range res.Returned.Raw("Return-Path") {
		if kind, token, ok := k.Address(raw); ok {
			addrs = append(addrs, addressed{kind, token})
		}
	}
	for _, a := range slices.Concat(addrs, k.complained(m)) {
		if a.kind != send.KindBounce {
			continue
		}
		if delivery, slip, ok := k.Bounced(a.token); ok {
			return delivery, slip, true
		}
	}
	return 0, 0, false
}

// complained lists our return paths in a feedback report: RFC 5965 section 3.2
// has the envelope's sender stand in Original-Mail-From, which is all that is
// left of us when the provider blacks out the mail itself.
func (k Known) complained(m *mime.Message) (out []addressed) {
	if k.Address == nil || m.Report == nil {
		return nil
	}
	for _, h := range m.Report.Status {
		for _, raw := range h.Raw("Original-Mail-From") {
			for _, a := range mime.ParseAddresses(raw) {
				if kind, token, ok := k.Address(a.Addr); ok {
					out = append(out, addressed{kind, token})
				}
			}
		}
	}
	return out
}

// fromMachine tells the sender of bounces by its null path or its name.
func fromMachine(m *mime.Message) bool {
	for _, p := range m.Header.Raw("Return-Path") {
		if strings.TrimSpace(p) == "<>" {
			return true
		}
	}
	for _, from := range m.From {
		local, _, _ := strings.Cut(strings.ToLower(from.Addr), "@")
		if local == "mailer-daemon" || local == "postmaster" {
			return true
		}
	}
	return false
}

// addressFields are where a message says whom it came to. Servers differ in
// which of the last four they write.
var addressFields = []string{"To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "Apparently-To"}

type addressed struct{ kind, token string }

// addressed lists the addresses of ours, with kind and token, in a message.
func (k Known) addressed(m *mime.Message) []addressed {
	if k.Address == nil {
		return nil
	}
	var out []addressed
	for _, name := range addressFields {
		for _, raw := range m.Header.Raw(name) {
			for _, a := range mime.ParseAddresses(raw) {
				if kind, token, ok := k.Address(a.Addr); ok && kind != "" {
					out = append(out, addressed{kind, token})
				}
			}
		}
	}
	return out
}

// leaver is the reader behind a valid token for leaving, in an address or in
// the Subject ("unsubscribe TOKEN") where a server knows no plus-addresses; 0
// when there is none.
func (k Known) leaver(m *mime.Message) int64 {
	if k.Leaver == nil {
		return 0
	}
	for _, a := range k.addressed(m) {
		if id, ok := k.Leaver(a.token); ok && a.kind == send.KindUnsubscribe {
			return id
		}
	}
	word, token, _ := strings.Cut(strings.TrimSpace(m.Subject), " ")
	if !strings.EqualFold(word, "unsubscribe") {
		return 0
	}
	id, _ := k.Leaver(strings.ToLower(strings.TrimSpace(token)))
	return id
}

// answered is the door's mail that a message answers: by a token in the
// address it came to, in its Subject, or in its In-Reply-To; any one is enough
// (conversation.md section 4).
func (k Known) answered(m *mime.Message) (door.Paper, bool) {
	for _, a := range k.addressed(m) {
		if p, ok := door.ReadToken(k.Keys, door.Kind(a.kind), a.token); ok {
			return p, true
		}
	}
	if p, ok := door.InMessageID(k.Keys, m.InReplyTo); ok {
		return p, true
	}
	return door.InText(k.Keys, m.Subject)
}

// listMail says why a message is a mailing list's (trust.md 2.1 row 8).
func listMail(m *mime.Message) string {
	for _, name := range []string{"List-Id", "List-Post", "List-Unsubscribe", "Mailing-List"} {
		if m.Header.Get(name) != "" {
			return name + " of another list"
		}
	}
	return ""
}

// markedSpam tells whether the mailbox's own server called it spam.
func markedSpam(m *mime.Message) bool {
	return firstWord(m.Header.Get("X-Spam-Flag")) == "yes"
}
