package message

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// SlotUnsubscribe stands in the HTML and the text of an issue where the
// reader's own address for leaving goes. The domain can never exist (RFC 2606
// section 2), so a copy that was not spliced leads nowhere.
const SlotUnsubscribe = "https://galley.invalid/unsubscribe"

// Issue is what all copies of one issue have in common. Links are https: or
// mailto: URLs without angle brackets; what is empty is left out.
type Issue struct {
	From       Address
	ReplyTo    *Address
	Subject    string
	Date       time.Time // also the time of the signature: a retry is a copy
	ListID     string    // Name <label.domain>, RFC 2919
	FeedbackID string
	ArchivedAt string // RFC 5064
	Help       string // RFC 2369, with the next three
	Owner      string
	Archive    string
	Subscribe  string
	HTML, Text []byte       // with SlotUnsubscribe, and SlotField where something of the reader goes
	Inline     []Attachment // what HTML refers to as cid:, the same in every copy
}

// Slots is what one copy has of its own. One of the two ways to leave must be
// there.
type Slots struct {
	To                Address
	MessageID         string // with its angle brackets
	UnsubscribeURL    string // https:; RFC 8058 section 3.1
	UnsubscribeMailto string // mailto:
}

// Compiled is an issue whose constant octets are encoded and, as far as they
// stand before the first slot, hashed. It may be used by many goroutines.
type Compiled struct {
	date   time.Time
	head   []byte // the constant fields
	names  string // those of them that are signed, as they stand in h=
	fields []byte // hash state behind the constant signed fields
	pieces []piece
	slots  fields // that it has of its readers
	first  []byte // hash state behind the first piece
	print  [sha256.Size]byte
	pool   sync.Pool
}

// piece is a constant stretch of the body and the mark of the slot behind it,
// 0 after the last.
type piece struct {
	raw, relaxed []byte
	mark         byte
}

// Compile encodes an issue once for all its readers.
func Compile(i *Issue) (*Compiled, error) {
	var fs fields
	body, err := alternative(i.Text, i.HTML, markText, markHTML, &fs)
	if err == nil {
		body, err = enclose("related", body, i.Inline) // RFC 2387; the type that it asks for is that of its first part
	}
	if err != nil {
		return nil, fmt.Errorf("issue %.60q: %w", i.Subject, err)
	}
	h := i.header()
	if h.err != nil {
		return nil, fmt.Errorf("issue %.60q: %w", i.Subject, h.err)
	}
	c := &Compiled{date: i.Date, slots: fs, head: append(h.buf, body.head...), pieces: cut(body.body)}
	c.pool.New = func() any { return &scratch{digest: sha256.New()} }
	if err := c.hashAhead(); err != nil {
		return nil, fmt.Errorf("issue %.60q: %w", i.Subject, err)
	}
	return c, c.printIssue()
}

// header writes the constant fields but those of MIME's content.
func (i *Issue) header() *header {
	h := &header{}
	h.addresses("From", i.From)
	if i.ReplyTo != nil {
		h.addresses("Reply-To", *i.ReplyTo)
	}
	h.text("Subject", i.Subject)
	h.date("Date", i.Date)
	h.listID(i.ListID)
	h.optional("Feedback-ID", i.FeedbackID)
	h.link("List-Help", i.Help)
	h.link("List-Owner", i.Owner)
	h.link("List-Archive", i.Archive)
	h.link("List-Subscribe", i.Subscribe)
	h.structured("List-Post", "NO") // RFC 2369 section 3.4: an announcement list
	h.link("Archived-At", i.ArchivedAt)
	h.structured("Precedence", "bulk")
	h.structured("X-Auto-Response-Suppress", "OOF, AutoReply")
	h.structured("MIME-Version", "1.0")
	return h
}

func (h *header) link(name, url string) {
	if url != "" {
		h.links(name, url)
	}
}

// listID writes Name <label.domain> (RFC 2919 section 2).
func (h *header) listID(s string) {
	name, id := splitName(s)
	if !isDomain(id) || !strings.Contains(id, ".") {
		h.fail("List-Id", fmt.Sprintf("%.80q is not of the form Name <label.example.org>", s))
		return
	}
	h.begin("List-Id")
	if name != "" {
		h.phrase("List-Id", name)
	}
	h.token("<" + id + ">")
	h.end()
}

// cut parts an encoded body at its marks.
func cut(body []byte) []piece {
	var pieces []piece
	for {
		i := bytes.IndexFunc(body, isSlot)
		if i < 0 {
			last := piece{raw: body, relaxed: relaxBody(nil, body)}
			if len(last.relaxed) == 0 { // the body ends in a slot, and its line is not empty
				last.relaxed = []byte("\r\n")
			}
			return append(pieces, last)
		}
		pieces = append(pieces, piece{raw: body[:i], relaxed: relaxLines(nil, body[:i]), mark: body[i]})
		body = body[i+1:]
	}
}

// hashAhead computes what all copies share of the two hashes of a signature.
func (c *Compiled) hashAhead() error {
	var canonical []byte
	c.names, canonical = gather(fieldsOf(c.head), signedConstant)
	var errs [2]error
	c.fields, errs[0] = hashState(canonical)
	c.first, errs[1] = hashState(c.pieces[0].relaxed)
	return errors.Join(errs[:]...)
}

// hashState returns the state of SHA-256 after data.
func hashState(data []byte) ([]byte, error) {
	d := sha256.New()
	d.Write(data)
	return d.(encoding.BinaryMarshaler).MarshalBinary()
}
