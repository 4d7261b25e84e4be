package message

import (
	"encoding"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// scratch is what one Splice works in; it is used again.
type scratch struct {
	digest     hash.Hash
	own        header // the fields of this copy
	canonical  []byte // the signed ones of them, relaxed
	text, html []byte // what fills the slots
	fields     [][]byte
	body, sum  []byte // hashes
}

// Splice appends the whole copy for one reader to dst: signed by all signers,
// CRLF line ends, not dot-stuffed. The same slots give the same octets.
func (c *Compiled) Splice(dst []byte, s Slots, signers []*Signer) ([]byte, error) {
	w := c.pool.Get().(*scratch)
	defer c.pool.Put(w)
	if err := c.fill(w, s); err != nil {
		return dst, fmt.Errorf("copy for %.80q: %w", s.To.Addr, err)
	}
	start := len(dst)
	dst, err := c.signAll(dst, w, s, signers)
	if err != nil {
		return dst[:start], err
	}
	return c.assemble(dst, w), nil
}

// signAll appends the signature fields of a copy.
func (c *Compiled) signAll(dst []byte, w *scratch, s Slots, signers []*Signer) ([]byte, error) {
	if len(signers) == 0 {
		return dst, nil
	}
	if err := c.hashBody(w); err != nil {
		return dst, err
	}
	for _, signer := range signers {
		var err error
		if dst, err = c.sign(dst, w, s, signer); err != nil {
			return dst, fmt.Errorf("copy for %.80q: %w", s.To.Addr, err)
		}
	}
	return dst, nil
}

// assemble appends all that stands behind the signatures.
func (c *Compiled) assemble(dst []byte, w *scratch) []byte {
	dst = append(append(append(dst, c.head...), w.own.buf...), '\r', '\n')
	for _, p := range c.pieces {
		dst = append(append(dst, p.raw...), w.value(p.mark)...)
	}
	return dst
}

// fill writes the header fields and the slots of one copy.
func (c *Compiled) fill(w *scratch, s Slots) error {
	w.fillFields(c.slots, s.To)
	return w.fill(s)
}

// fill writes the header fields and the ways to leave.
func (w *scratch) fill(s Slots) error {
	w.own = header{buf: w.own.buf[:0]}
	h := &w.own
	h.addresses("To", s.To)
	if !isMessageID(s.MessageID) {
		return fmt.Errorf("%.80q is not a message identifier", s.MessageID)
	}
	h.begin("Message-ID")
	h.token(s.MessageID)
	h.end()
	url, err := leaving(h, s)
	if err != nil {
		return err
	}
	w.text = appendURL(w.text[:0], url)
	w.html = append(w.html[:0], w.text...)
	if strings.ContainsAny(url, "&'") {
		w.html = appendURL(w.html[:0], strings.NewReplacer("&", "&amp;", "'", "&#39;").Replace(url))
	}
	return h.err
}

// relaxed gives the fields of this copy in the form that is signed. What is not
// signed does without.
func (w *scratch) relaxed() []byte {
	w.canonical = w.canonical[:0]
	for rest := w.own.buf; len(rest) > 0; {
		var field []byte
		field, rest = nextField(rest)
		w.canonical = relaxField(w.canonical, field)
	}
	return w.canonical
}

// leaving writes List-Unsubscribe and returns the address for the footer's
// link. RFC 8058 section 3.1: one HTTPS URI, and the Post field with it only.
func leaving(h *header, s Slots) (string, error) {
	switch {
	case s.UnsubscribeURL == "" && s.UnsubscribeMailto == "":
		return "", errors.New("there is no way to leave; no copy goes without one")
	case s.UnsubscribeURL == "":
		h.links("List-Unsubscribe", s.UnsubscribeMailto)
		return s.UnsubscribeMailto, nil
	case s.UnsubscribeMailto == "":
		h.links("List-Unsubscribe", s.UnsubscribeURL)
	default:
		h.links("List-Unsubscribe", s.UnsubscribeURL, s.UnsubscribeMailto)
	}
	if oneClick(s) {
		h.structured("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	return s.UnsubscribeURL, nil
}

func oneClick(s Slots) bool { return strings.HasPrefix(s.UnsubscribeURL, "https://") }

// nextField cuts one field of a header written here off its front.
func nextField(head []byte) (field, rest []byte) {
	for i := range head {
		if head[i] == '\n' && (i+1 == len(head) || head[i+1] != ' ') {
			return head[:i+1], head[i+1:]
		}
	}
	return head, nil
}

func (w *scratch) value(mark byte) []byte {
	switch mark {
	case markText:
		return w.text
	case markHTML:
		return w.html
	case 0:
		return nil
	}
	return w.fields[mark-firstField]
}

// hashBody computes the body hash, from the state behind the first piece on.
func (c *Compiled) hashBody(w *scratch) error {
	if err := w.digest.(encoding.BinaryUnmarshaler).UnmarshalBinary(c.first); err != nil {
		return err
	}
	for i, p := range c.pieces {
		if i > 0 {
			w.digest.Write(p.relaxed)
		}
		w.digest.Write(w.value(p.mark))
	}
	w.body = w.digest.Sum(w.body[:0])
	return nil
}

// ownNames are the h= names of the fields that a copy has of its own.
func ownNames(s Slots) string {
	if oneClick(s) {
		return signedOwn
	}
	return signedOwnPlain
}

// sign appends one DKIM-Signature field to dst.
func (c *Compiled) sign(dst []byte, w *scratch, s Slots, signer *Signer) ([]byte, error) {
	start := len(dst)
	dst, err := c.unsigned(dst, w, s, signer)
	if err != nil {
		return dst[:start], err
	}
	return w.finish(dst, start, signer)
}

// unsigned appends a DKIM-Signature field up to its b= and leaves the digest
// behind the signed fields.
func (c *Compiled) unsigned(dst []byte, w *scratch, s Slots, signer *Signer) ([]byte, error) {
	dst, err := signer.unsigned(dst, c.date, c.names, ownNames(s), w.body)
	if err != nil {
		return dst, err
	}
	if err := w.digest.(encoding.BinaryUnmarshaler).UnmarshalBinary(c.fields); err != nil {
		return dst, err
	}
	w.digest.Write(w.relaxed())
	return dst, nil
}
