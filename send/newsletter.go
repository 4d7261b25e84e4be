package send

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"galley/send/message"
)

// Newsletter is what send knows of one newsletter. It is built from the
// configuration and never changes while Run runs.
type Newsletter struct {
	ID          string
	Name        string
	From        message.Address
	ReplyTo     *message.Address
	Pattern     Pattern
	Also        []Pattern // of addresses that stand in issues of former times
	Keys        Keys
	Host        string // https://news.example without a slash at the end; "" without a web
	ArchivePath string // of issues' pages: /issues
	ListID      string // Name <label.domain>; made from ID and the mailbox when empty
	Sender      string // the last part of the Feedback-ID, 5 to 15 characters; made from ID when empty
	Help        string // URLs for the List- fields; made from Pattern when empty
	Owner       string
	Subscribe   string
	Signers     []*message.Signer
	Editors     []string // bare addresses: they get mail on a machine that nobody has confirmed
}

// frozen is what of a newsletter goes into the bytes of an edition. It is
// kept with the edition, so that a change of the configuration in the middle
// of a run changes no copy.
type frozen struct {
	From       message.Address  `json:"from"`
	ReplyTo    *message.Address `json:"reply_to,omitempty"`
	Pattern    Pattern          `json:"pattern"`
	Host       string           `json:"host,omitempty"`
	ListID     string           `json:"list_id"`
	FeedbackID string           `json:"feedback_id"`
	ArchivedAt string           `json:"archived_at,omitempty"`
	Help       string           `json:"help,omitempty"`
	Owner      string           `json:"owner,omitempty"`
	Archive    string           `json:"archive,omitempty"`
	Subscribe  string           `json:"subscribe,omitempty"`
}

// freeze writes what of n goes into the bytes of e.
func (n *Newsletter) freeze(e *Edition) (string, error) {
	f := frozen{
		From: n.From, ReplyTo: n.ReplyTo, Pattern: n.Pattern, Host: n.Host, ListID: n.ListID,
		FeedbackID: fmt.Sprintf("%d:%s:%s:%s", e.number(), n.ID, e.sort(), n.sender()),
		Help:       or(n.Help, n.Pattern.Mailto("help", "")),
		Owner:      or(n.Owner, "mailto:"+n.Pattern.Mailbox),
		Subscribe:  or(n.Subscribe, n.Pattern.Mailto("subscribe", "")),
	}
	if f.ListID == "" {
		f.ListID = n.ListName()
	}
	if n.Host != "" {
		f.Archive = n.Host + n.ArchivePath
		f.ArchivedAt = f.Archive + "/" + url.PathEscape(e.Slug)
	}
	if e.ReplyTo != "" {
		a, err := message.ParseAddress(e.ReplyTo)
		if err != nil {
			return "", fmt.Errorf("reply-to: %w", err)
		}
		f.ReplyTo = &a
	}
	head, err := json.Marshal(f)
	return string(head), err
}

// sender is the last part of the Feedback-ID: Gmail wants 5 to 15 stable
// characters that no other part repeats.
func (n *Newsletter) sender() string {
	s := or(n.Sender, n.ID+"-galley")
	return s[:min(len(s), 15)]
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// press is an edition that is ready to be spliced.
type press struct {
	frozen
	rich  form
	plain form // without the HTML part, for readers who want none

	mailto, page around // the two ways to leave
	domain       string // of the Message-IDs
}

// form is an edition as some readers get it, and what their copies share.
type form struct {
	*message.Compiled
	shared []*Shared
}

func newForm(i *message.Issue) (form, error) {
	c, err := message.Compile(i)
	if err != nil {
		return form{}, err
	}
	return form{Compiled: c, shared: share(c.Constant())}, nil
}

// form is the one of two forms that a reader gets.
func (p *press) form(plain bool) form {
	if plain && p.plain.Compiled != nil {
		return p.plain
	}
	return p.rich
}

// newPress compiles an edition as it was frozen.
func newPress(e *Edition, n *Newsletter) (*press, error) {
	p := &press{domain: n.domain()}
	if err := json.Unmarshal([]byte(e.head), &p.frozen); err != nil {
		return nil, fmt.Errorf("edition %d: its head: %w", e.ID, err)
	}
	p.mailto = aroundToken(p.Pattern.Mailto(KindUnsubscribe, sample))
	p.page = aroundToken(p.Host + "/u/" + sample)
	issue := &message.Issue{
		From: p.From, ReplyTo: p.ReplyTo, Subject: e.Subject, Date: e.date(), ListID: p.ListID,
		FeedbackID: p.FeedbackID, ArchivedAt: p.ArchivedAt, Help: p.Help, Owner: p.Owner,
		Archive: p.Archive, Subscribe: p.Subscribe, HTML: e.HTML, Text: e.Text, Inline: e.Inline,
	}
	var err error
	if p.rich, err = newForm(issue); err != nil || len(e.Text) == 0 {
		return p, err
	}
	issue.HTML, issue.Inline = nil, nil // who reads text alone gets no pictures to load
	p.plain, err = newForm(issue)
	return p, err
}

// date is the Date of all copies: the slot's, or the moment at which a late
// sending began.
func (e *Edition) date() time.Time {
	at := e.SendAt
	if e.Frozen.Sub(at) > time.Minute {
		at = e.Frozen
	}
	return at.Truncate(time.Second)
}

// slots are what the copy of one delivery has of its own.
func (p *press) slots(n *Newsletter, d *task) message.Slots {
	token := n.Keys.Mint(purposeReader, d.subscriber)
	s := message.Slots{To: d.to, MessageID: n.messageID(d), UnsubscribeMailto: p.Pattern.Mailto(KindUnsubscribe, token)}
	if p.Host != "" {
		s.UnsubscribeURL = p.Host + "/u/" + token
	}
	return s
}

// messageID is the same on every retry, and another for another edition.
func (n *Newsletter) messageID(d *task) string {
	return fmt.Sprintf("<%d.%d.%s@%s>", d.issue, d.id, n.Keys.mark(d.edition, d.id), n.domain())
}

func (n *Newsletter) domain() string {
	_, domain, _ := strings.Cut(strings.ToLower(n.Pattern.Mailbox), "@")
	return domain
}

// returnPath is the MAIL FROM of a delivery or a slip: never null (RFC 5321
// section 4.5.5), so that what comes back comes with a token.
func (n *Newsletter) returnPath(d *task) string {
	purpose := purposeDelivery
	if d.slip {
		purpose = purposeSlip
	}
	return n.Pattern.Address(KindBounce, n.Keys.Mint(purpose, d.id))
}

// Bounced reads the token of a bounce address: one of the two is not 0.
func (n *Newsletter) Bounced(token string) (delivery, slip int64, ok bool) {
	if id, ok := n.Keys.Read(purposeDelivery, token); ok {
		return id, 0, true
	}
	if id, ok := n.Keys.Read(purposeSlip, token); ok {
		return 0, id, true
	}
	return 0, 0, false
}

// ParseAddress reads one of the newsletter's own addresses, those of former
// times too: an issue that was sent years ago still lets its reader leave.
func (n *Newsletter) ParseAddress(addr string) (kind, token string, ok bool) {
	if kind, token, ok = n.Pattern.Parse(addr); ok {
		return kind, token, ok
	}
	for _, p := range n.Also {
		if kind, token, ok = p.Parse(addr); ok {
			return kind, token, ok
		}
	}
	return "", "", false
}

// Leaver reads the token of an address or a page for leaving.
func (n *Newsletter) Leaver(token string) (subscriber int64, ok bool) {
	return n.Keys.Read(purposeReader, token)
}

// ListIdentifier is the identifier of the List-Id, without its brackets
// (RFC 2919 section 2): it names the list for ever.
func (n *Newsletter) ListIdentifier() string {
	id := or(n.ListID, n.ListName())
	return strings.TrimSuffix(id[strings.LastIndexByte(id, '<')+1:], ">")
}

// ListName is the List-Id of a newsletter that names none itself.
func (n *Newsletter) ListName() string {
	return n.Name + " <" + strings.ToLower(n.ID) + "." + n.domain() + ">"
}

// Loop is the value of X-Loop in all mails of this newsletter but its issues,
// which bear the List-Id: what comes back with it is our own.
func (n *Newsletter) Loop() string { return n.ListIdentifier() }
