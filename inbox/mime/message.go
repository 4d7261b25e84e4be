package mime

import (
	"strings"
	"time"
	"unicode/utf8"
)

// The budgets of one message. What is above them is refused (the message, its
// header) or cut with a note (parts, text).
const (
	MaxMessage = 25 << 20  // octets of a whole message
	MaxHeader  = 256 << 10 // octets of its header
	MaxFields  = 1000      // fields of its header
	MaxDepth   = 20        // nested multiparts
	MaxParts   = 200       // parts in all, multiparts below the first too
	MaxText    = 1 << 20   // decoded octets of one text part
	MaxTexts   = 2 << 20   // decoded octets of all text parts together
)

// Refusal says why a message was not read at all.
type Refusal struct{ Reason string }

// Error gives the reason in words.
func (r *Refusal) Error() string { return "message refused: " + r.Reason }

// Message is one mail as its writer meant it, as far as that can be known.
type Message struct {
	Header                Header
	From, ReplyTo, To, Cc []Address
	Subject               string
	Date                  time.Time // zero when there was none or none could be read
	MessageID, InReplyTo  string    // with angle brackets, "" when absent
	References            []string  // with angle brackets, oldest first
	Text                  string    // the best readable text: Plain, else HTML turned to text
	Plain                 string    // all inline text/plain, format=flowed undone
	HTML                  string    // all inline text/html, decoded
	Flowed                bool      // Plain was format=flowed (RFC 3676)
	Parts                 []Part    // the leaves, in the order of the message
	Report                *Report   // nil unless a machine reports about another mail
	Notes                 []string  // what was repaired or left out

	page  string     // the last HTML that was read for Text
	lines []HTMLLine // and its lines

	decoded     string // the last part of HTML
	decodedPart int    // and its index
}

// Part is one leaf of the message.
type Part struct {
	Type        string // media type in lower case, "text/plain" by default (RFC 2045 section 5.2)
	Name        string // file name, "" when none was given
	Charset     string // as declared, lower case
	Disposition string // "inline", "attachment" or ""
	ContentID   string // without angle brackets
	Params      map[string]string
	Size        int    // octets of Data
	Data        []byte // transfer encoding undone; the charset is not
	Err         string // why Data may be incomplete
	Depth       int    // multiparts around it
	choice      bool   // one of the forms of a multipart/alternative
}

// Attached tells whether p is a file that came with the text and no text of
// the message itself.
func (p *Part) Attached() bool {
	if p.Disposition == "attachment" {
		return true
	}
	return p.Name != "" && !p.choice || !strings.HasPrefix(p.Type, "text/")
}

// Text gives the part's Data as UTF-8 with LF line ends.
func (p *Part) Text() string {
	charset := p.Charset
	if charset == "" && p.Type == "text/html" {
		charset = metaCharset(p.Data)
	}
	return unixLines(decodeCharset(p.Data, charset))
}

// Report is what a machine says about another mail (RFC 6522).
type Report struct {
	Type        string   // report-type: "delivery-status", "feedback-report", "disposition-notification" …
	Status      []Header // the blocks of its machine-readable part: per-message fields first
	Returned    Header   // the header of the mail it is about; empty when it was not returned
	HasReturned bool
	Words       string // what it says to humans: its text before the returned mail
}

// Read takes a message as it was stored. Its error is a *Refusal: the message
// is larger than the budgets allow, or has nothing that could be a header.
func Read(raw []byte) (*Message, error) {
	if len(raw) > MaxMessage {
		return nil, &Refusal{"larger than 25 MiB; ask the sender for a smaller one"}
	}
	m := &Message{}
	raw = m.unixBytes(raw)
	top, err := m.takeHeader(raw)
	if err != nil {
		return nil, err
	}
	if err := m.readParts(top); err != nil {
		return nil, err
	}
	m.addressing()
	return m, nil
}

// rawSubject reads a Subject of undeclared 8-bit octets in the charset that the
// text declares: programs that forget the one rarely lie about the other.
func (m *Message) rawSubject() {
	raw := m.Header.first("Subject")
	if utf8.ValidString(raw) || strings.Contains(raw, "=?") {
		return
	}
	for i := range m.Parts {
		if p := &m.Parts[i]; p.Charset != "" && strings.HasPrefix(p.Type, "text/") {
			m.Subject = cleanLine(decodeCharset([]byte(raw), p.Charset))
			return
		}
	}
}

// note records a repair once.
func (m *Message) note(s string) {
	for _, n := range m.Notes {
		if n == s {
			return
		}
	}
	m.Notes = append(m.Notes, s)
}

// addressing fills the fields that say who, when and what about.
func (m *Message) addressing() {
	h := m.Header
	if len(h.Raw("From")) > 1 {
		m.note("more than one From field; the first is shown")
	}
	m.From = h.Addresses("From")
	m.ReplyTo = h.Addresses("Reply-To")
	m.To = h.Addresses("To")
	m.Cc = h.Addresses("Cc")
	m.Subject = h.Get("Subject")
	m.Date = ParseDate(h.first("Date"))
	m.MessageID = FirstID(h.first("Message-ID"))
	m.InReplyTo = FirstID(h.first("In-Reply-To"))
	m.References = IDs(strings.Join(h.Raw("References"), " "))
	m.rawSubject()
}
