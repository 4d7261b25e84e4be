package message

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Signer signs mail by DKIM: rsa-sha256 (RFC 6376) or ed25519-sha256 (RFC
// 8463), relaxed/relaxed, never with l=. The public half stands in DNS at
// Selector._domainkey.Domain; TXT writes it. It must not be changed once it has
// signed.
type Signer struct {
	Domain, Selector string
	Key              crypto.Signer

	once    sync.Once
	printed []byte // see print
	bad     error
}

// The signed fields: those of which a reader or a provider sees or acts on
// the value. Each is named once more than it occurs, so that adding one
// breaks the signature (RFC 6376 sections 5.4 and 8.15). The constant ones
// come first: their hash is shared by all copies of an issue.
var signedConstant = []string{
	"From", "Reply-To", "Subject", "Date", "MIME-Version", "Content-Type",
	"Content-Transfer-Encoding", "List-Id", "Feedback-ID",
}

const (
	// signedOwn names the fields of one copy in the order in which Splice
	// writes them, and then those that must not be added.
	signedOwn      = "To:Message-ID:List-Unsubscribe:List-Unsubscribe-Post:To:Message-ID:List-Unsubscribe:List-Unsubscribe-Post"
	signedOwnPlain = "To:Message-ID:List-Unsubscribe:To:Message-ID:List-Unsubscribe:List-Unsubscribe-Post"
)

// Sign returns the DKIM-Signature field, with its CRLF, that makes msg signed
// when it stands before it. msg has CRLF line ends. now becomes t=.
func (s *Signer) Sign(msg []byte, now time.Time) ([]byte, error) {
	head, body, found := bytes.Cut(msg, []byte("\r\n\r\n"))
	if !found {
		return nil, errors.New("DKIM: the message has no end of header")
	}
	fields := fieldsOf(msg[:len(head)+2])
	all := append(signedConstant[:len(signedConstant):len(signedConstant)], "To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post")
	names, canonical := gather(fields, all)
	sum := sha256.Sum256(relaxBody(nil, body))
	field, err := s.unsigned(nil, now, names, "", sum[:])
	if err != nil {
		return nil, err
	}
	w := scratch{digest: sha256.New()}
	w.digest.Write(canonical)
	return w.finish(field, 0, s)
}

// gather returns the h= names for the wanted fields and the relaxed form of
// those that are there. Of several with one name the last is signed first
// (RFC 6376 section 5.4.2).
func gather(fields [][]byte, want []string) (string, []byte) {
	var names []string
	var canonical []byte
	for _, name := range want {
		for i := len(fields) - 1; i >= 0; i-- {
			if strings.EqualFold(name, string(fieldName(fields[i]))) {
				names = append(names, name)
				canonical = relaxField(canonical, fields[i])
			}
		}
		names = append(names, name)
	}
	return strings.Join(names, ":"), canonical
}

// unsigned appends the field up to "b=" for the signed names in a and b.
func (s *Signer) unsigned(dst []byte, at time.Time, a, b string, bodyHash []byte) ([]byte, error) {
	algorithm, err := s.algorithm()
	if err != nil {
		return dst, err
	}
	dst = append(dst, "DKIM-Signature: v=1; a="...)
	dst = append(append(dst, algorithm...), "; c=relaxed/relaxed;\r\n d="...)
	dst = append(append(dst, s.Domain...), "; s="...)
	dst = append(append(dst, s.Selector...), ";\r\n t="...)
	dst = append(strconv.AppendInt(dst, at.Unix(), 10), "; h="...)
	w := names{buf: dst, col: 20}
	w.write(a)
	w.write(b)
	dst = append(w.buf, ";\r\n bh="...)
	dst = base64.StdEncoding.AppendEncode(dst, bodyHash)
	return append(dst, "; b="...), nil
}

// names writes the value of h=, folded at its colons (RFC 6376 section 3.5).
type names struct {
	buf  []byte
	col  int
	some bool
}

func (n *names) write(list string) {
	for list != "" {
		var name string
		name, list, _ = strings.Cut(list, ":")
		if n.some {
			n.buf = append(n.buf, ':')
			n.col++
		}
		if n.col+len(name) > lineWidth-1 {
			n.buf = append(n.buf, '\r', '\n', ' ')
			n.col = 1
		}
		n.buf = append(n.buf, name...)
		n.col += len(name)
		n.some = true
	}
}

// finish hashes the unsigned field that begins at start, behind the signed
// fields that are in the digest already, and appends the signature.
func (w *scratch) finish(dst []byte, start int, s *Signer) ([]byte, error) {
	signature, err := w.signature(dst[start:], s)
	if err != nil {
		return dst[:start], err
	}
	return append(appendFolded(dst, signature), '\r', '\n'), nil
}

// signature signs the unsigned field, behind the signed fields that are in the
// digest already.
func (w *scratch) signature(field []byte, s *Signer) ([]byte, error) {
	w.hashSelf(field)
	w.sum = w.digest.Sum(w.sum[:0])
	var hash crypto.Hash = crypto.SHA256
	if _, ok := s.Key.(ed25519.PrivateKey); ok {
		hash = 0 // RFC 8463 section 3: the hash itself is signed, by PureEdDSA
	}
	signature, err := s.Key.Sign(rand.Reader, w.sum, hash)
	if err != nil {
		return nil, fmt.Errorf("DKIM key of %s._domainkey.%s: %w", s.Selector, s.Domain, err)
	}
	return signature, nil
}

// hashSelf hashes the signature field itself, which comes last and without
// a CRLF (RFC 6376 section 3.7).
func (w *scratch) hashSelf(field []byte) {
	start := len(w.canonical)
	w.canonical = relaxField(w.canonical, field)
	w.digest.Write(w.canonical[start : len(w.canonical)-2])
	w.canonical = w.canonical[:start]
}

// appendFolded writes base64 over as many lines as it needs, beginning behind
// "bh=…; b=".
func appendFolded(dst, data []byte) []byte {
	var text [2048]byte
	rest := base64.StdEncoding.AppendEncode(text[:0], data)
	room := lineWidth - 1 - len("bh=") - 44 - len("; b=")
	for len(rest) > room {
		dst = append(append(dst, rest[:room]...), '\r', '\n', ' ')
		rest = rest[room:]
		room = lineWidth - 1
	}
	return append(dst, rest...)
}

// algorithm names the a= of the key, and refuses names that would not fit.
func (s *Signer) algorithm() (string, error) {
	if !isDomain(s.Domain) || !isDomain(s.Selector) {
		return "", fmt.Errorf("DKIM: %.80q._domainkey.%.80q is not a name in DNS; use lower-case letters, digits, dots and hyphens", s.Selector, s.Domain)
	}
	switch s.Key.(type) {
	case *rsa.PrivateKey:
		return "rsa-sha256", nil
	case ed25519.PrivateKey:
		return "ed25519-sha256", nil
	}
	return "", fmt.Errorf("DKIM: keys of type %T cannot sign; use RSA or Ed25519", s.Key)
}
