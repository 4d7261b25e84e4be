package message

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// A seal is what is dear about signing one copy, made before it is needed: a
// print of everything that was signed and by which keys, the hash of the body,
// and the signatures. It is as good as its print: one that was made of other
// octets, for another time or by other keys does not fit and is not used.
const (
	printLen  = 16
	bodyLen   = sha256.Size
	sealStart = printLen + bodyLen
)

// Print names the constant octets of an issue, its date and the keys that sign
// it. Seals of another print fit no copy.
func (c *Compiled) Print(signers []*Signer) (string, error) {
	w := c.pool.Get().(*scratch)
	defer c.pool.Put(w)
	w.own.buf, w.text = w.own.buf[:0], w.text[:0]
	p, err := c.printOf(w, signers)
	return hex.EncodeToString(p), err
}

// printOf hashes what tells one copy from all others. The result is valid
// until w is used again.
func (c *Compiled) printOf(w *scratch, signers []*Signer) ([]byte, error) {
	d := w.digest
	d.Reset()
	d.Write(c.print[:])
	for _, field := range [][]byte{w.own.buf, w.text} {
		w.sum = binary.BigEndian.AppendUint32(w.sum[:0], uint32(len(field)))
		d.Write(w.sum)
		d.Write(field)
	}
	for _, s := range signers {
		p, err := s.print()
		if err != nil {
			return nil, err
		}
		d.Write(p)
	}
	w.sum = d.Sum(w.sum[:0])
	return w.sum[:printLen], nil
}

// printIssue hashes what all copies have in common, and how their signature
// fields are laid out: a Galley that lays them out otherwise makes new seals.
func (c *Compiled) printIssue() error {
	sample := &Signer{Domain: "signer.example", Selector: "sample", Key: ed25519.PrivateKey(nil)}
	layout, err := sample.unsigned(nil, c.date, c.names, signedOwn+signedOwnPlain, make([]byte, bodyLen))
	if err != nil {
		return err
	}
	d := sha256.New()
	var n [8]byte
	for _, part := range [][]byte{layout, c.head} {
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		d.Write(n[:])
		d.Write(part)
	}
	for _, p := range c.pieces {
		binary.BigEndian.PutUint64(n[:], uint64(len(p.raw)))
		d.Write(n[:])
		d.Write(p.raw)
		d.Write([]byte{p.mark})
	}
	for _, f := range c.slots { // a reader's own part of them is in To
		fmt.Fprintf(d, "%q %q %v", f.name, f.fallback, f.html)
	}
	d.Sum(c.print[:0])
	return nil
}

// print names the key and where its public half stands.
func (s *Signer) print() ([]byte, error) {
	s.once.Do(func() {
		var public []byte
		if public, s.bad = x509.MarshalPKIXPublicKey(s.Key.Public()); s.bad != nil {
			s.bad = fmt.Errorf("DKIM key of %s._domainkey.%s: %w", s.Selector, s.Domain, s.bad)
			return
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s", s.Domain, s.Selector, public))
		s.printed = sum[:]
	})
	return s.printed, s.bad
}

// Seal signs the copy for one reader ahead of its time and appends the seal to
// dst. Its length tells nothing; what it holds is for SpliceSealed alone.
func (c *Compiled) Seal(dst []byte, s Slots, signers []*Signer) ([]byte, error) {
	w := c.pool.Get().(*scratch)
	defer c.pool.Put(w)
	if err := c.fill(w, s); err != nil {
		return dst, fmt.Errorf("copy for %.80q: %w", s.To.Addr, err)
	}
	start := len(dst)
	p, err := c.printOf(w, signers)
	if err != nil {
		return dst, err
	}
	dst = append(dst, p...)
	if err := c.hashBody(w); err != nil {
		return dst[:start], err
	}
	dst = append(dst, w.body...)
	for _, signer := range signers {
		field, err := c.unsigned(nil, w, s, signer)
		if err != nil {
			return dst[:start], err
		}
		signature, err := w.signature(field, signer)
		if err != nil {
			return dst[:start], fmt.Errorf("copy for %.80q: %w", s.To.Addr, err)
		}
		dst = append(append(dst, byte(len(signature)>>8), byte(len(signature))), signature...)
	}
	return dst, nil
}

// SpliceSealed is Splice with the signatures of a seal. fits tells whether the
// seal was good; when it was not, the copy is signed anew.
func (c *Compiled) SpliceSealed(dst []byte, s Slots, signers []*Signer, seal []byte) (copied []byte, fits bool, err error) {
	w := c.pool.Get().(*scratch)
	defer c.pool.Put(w)
	start := len(dst)
	dst, fits, err = c.signatures(dst, w, s, signers, seal)
	if err != nil {
		return dst[:start], false, err
	}
	return c.assemble(dst, w), fits, nil
}

// Apart is SpliceSealed without a copy of what all copies share. The octets
// that are this reader's own are appended to own, in stretches of which each
// ends at the next of cuts; behind the i-th comes the i-th of Constant.
func (c *Compiled) Apart(own []byte, cuts []int, s Slots, signers []*Signer, seal []byte) (_ []byte, _ []int, fits bool, err error) {
	w := c.pool.Get().(*scratch)
	defer c.pool.Put(w)
	start := len(own)
	if own, fits, err = c.signatures(own, w, s, signers, seal); err != nil {
		return own[:start], cuts, false, err
	}
	cuts = append(cuts, len(own))
	own = append(append(own, w.own.buf...), '\r', '\n')
	cuts = append(cuts, len(own))
	for _, p := range c.pieces[:len(c.pieces)-1] { // no slot is behind the last
		own = append(own, w.value(p.mark)...)
		cuts = append(cuts, len(own))
	}
	return own, cuts, fits, nil
}

// Constant gives the octets that all copies share, in order. They must not be
// changed.
func (c *Compiled) Constant() [][]byte {
	all := [][]byte{c.head}
	for _, p := range c.pieces {
		all = append(all, p.raw)
	}
	return all
}

// signatures fills the slots of a copy and appends its signature fields, from
// the seal if that fits.
func (c *Compiled) signatures(dst []byte, w *scratch, s Slots, signers []*Signer, seal []byte) (_ []byte, fits bool, err error) {
	if err := c.fill(w, s); err != nil {
		return dst, false, fmt.Errorf("copy for %.80q: %w", s.To.Addr, err)
	}
	start := len(dst)
	if len(seal) > sealStart { // the print of a copy without a seal is of use to nobody
		p, err := c.printOf(w, signers)
		if err != nil {
			return dst, false, err
		}
		if fits = bytes.Equal(seal[:printLen], p); fits {
			w.body = append(w.body[:0], seal[printLen:sealStart]...)
			dst, fits = c.sealed(dst, w, s, signers, seal[sealStart:])
		}
	}
	if !fits {
		var err error
		if dst, err = c.signAll(dst[:start], w, s, signers); err != nil {
			return dst, false, err
		}
	}
	return dst, fits, nil
}

// sealed appends the signature fields of a seal, unless it is cut short.
func (c *Compiled) sealed(dst []byte, w *scratch, s Slots, signers []*Signer, rest []byte) ([]byte, bool) {
	for _, signer := range signers {
		if len(rest) < 2 || len(rest) < 2+int(rest[0])<<8+int(rest[1]) {
			return dst, false
		}
		n := int(rest[0])<<8 + int(rest[1])
		var err error
		if dst, err = signer.unsigned(dst, c.date, c.names, ownNames(s), w.body); err != nil {
			return dst, false
		}
		dst = append(appendFolded(dst, rest[2:2+n]), '\r', '\n')
		rest = rest[2+n:]
	}
	return dst, len(rest) == 0
}
