package trust

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Key is a public OpenPGP key (RFC 9580) that an editor is known by.
type Key struct {
	Editor string // address
	ring   openpgp.EntityList
}

// ReadKey takes the key with a fingerprint out of a file, armoured or not.
// The fingerprint is the primary key's, in hex, spaces are not minded: it is
// what the operator has compared, so nothing else in the file is believed.
func ReadKey(editor, fingerprint string, file []byte) (*Key, error) {
	want, err := hex.DecodeString(strings.ReplaceAll(fingerprint, " ", ""))
	if err != nil || len(want) != 20 && len(want) != 32 {
		return nil, fmt.Errorf("%q is no fingerprint; write all 40 digits that gpg --fingerprint shows", fingerprint)
	}
	read := openpgp.ReadKeyRing
	if bytes.Contains(file, []byte("-----BEGIN")) {
		read = openpgp.ReadArmoredKeyRing
	}
	ring, err := read(bytes.NewReader(file))
	if err == nil && len(ring) == 0 {
		err = errors.New("the file is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("no public key can be read: %v; write one with gpg --armor --export", err)
	}
	for _, e := range ring {
		if bytes.Equal(e.PrimaryKey.Fingerprint, want) {
			return &Key{Editor: editor, ring: openpgp.EntityList{e}}, nil
		}
	}
	return nil, fmt.Errorf("no key in it has the fingerprint %s; compare it with gpg --show-keys", fingerprint)
}

// pinned are the keys of the editor in the From.
func (j *judge) pinned() (ring openpgp.EntityList) {
	for _, k := range j.p.Keys {
		if sameAddress(k.Editor, j.from) {
			ring = append(ring, k.ring...)
		}
	}
	return ring
}

// pgp weighs a PGP/MIME signature over the whole mail (trust.md 2.6 G) by the
// keys that are pinned for its From: "pass" is theirs and fresh, "fail" is
// anybody else's or a broken one, "absent" proves nothing either way. Where no
// key is pinned a signature is decoration.
func (j *judge) pgp() {
	ring := j.pinned()
	if len(ring) == 0 {
		return
	}
	signed, armoured, err := splitSigned(j.h)
	if signed == nil && err == nil {
		return
	}
	if err == nil {
		err = j.verify(ring, signed, armoured)
	}
	switch {
	case errors.Is(err, errStale):
		j.ev.PGPWhy = err.Error()
	case err != nil:
		j.ev.PGP, j.ev.PGPWhy = "fail", "the OpenPGP signature is not good: "+err.Error()
	default:
		j.ev.PGP, j.ev.PGPWhy, j.ev.Signed = "pass", "signed with the pinned OpenPGP key", signed
	}
}

// errStale tells a good signature that was acted on before or is from another
// time: it may be a replay, and proves nothing now.
var errStale = errors.New("the OpenPGP signature is an old one")

// verify checks a detached signature over the signed octets.
func (j *judge) verify(ring openpgp.EntityList, signed, armoured []byte) error {
	block, err := armor.Decode(bytes.NewReader(armoured))
	if err != nil || block.Type != openpgp.SignatureType {
		return errors.New("there is no signature in the part for it")
	}
	packets, err := io.ReadAll(io.LimitReader(block.Body, maxSignature))
	if err != nil {
		return err
	}
	// To OpenPGP a signature of tomorrow has expired, and the sender's clock may
	// be ahead of ours.
	config := &packet.Config{Time: func() time.Time { return j.p.Now.Add(windowFuture) }}
	sig, _, err := openpgp.VerifyDetachedSignature(ring, bytes.NewReader(signed), bytes.NewReader(packets), config)
	switch {
	case err != nil && sig != nil && sig.CreationTime.After(j.p.Now):
		return errStale
	case err != nil:
		return err
	case !slices.Contains(goodHashes, sig.Hash):
		return errors.New("it is made with a hash that can be forged")
	case sig.CreationTime.Before(j.p.Now.Add(-windowPast)) || sig.CreationTime.After(j.p.Now.Add(windowFuture)):
		return errStale
	}
	// The hash is that of the signed octets and not of the packets, which
	// anybody may pack in another way.
	sum := sha256.Sum256(append([]byte("openpgp "), signed...))
	hash := hex.EncodeToString(sum[:])
	if j.p.Seen != nil && j.p.Seen(hash) {
		return errStale
	}
	j.ev.Replay = append(j.ev.Replay, hash)
	return nil
}

// goodHashes are those that RFC 9580 section 9.5 leaves for new signatures.
var goodHashes = []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_512}

// maxSignature bounds a detached signature, in octets.
const maxSignature = 64 << 10

// splitSigned takes a mail with CRLF lines apart that is multipart/signed as a
// whole (RFC 3156 section 5): the octets that are signed, and the armoured
// signature. Without either, and without an error, it is another kind of mail,
// also when a signed part stands somewhere inside: what stands beside that part
// nobody signed.
func splitSigned(h *header) (signed, armoured []byte, err error) {
	types := h.all("Content-Type")
	if len(types) == 0 {
		return nil, nil, nil
	}
	kind, params, err := mime.ParseMediaType(types[0].value())
	if kind != "multipart/signed" || !strings.EqualFold(params["protocol"], "application/pgp-signature") {
		return nil, nil, nil
	}
	if err != nil || len(types) > 1 || params["boundary"] == "" {
		return nil, nil, errors.New("its Content-Type can be read in two ways")
	}
	parts := cutParts(h.body, params["boundary"])
	if len(parts) != 2 {
		return nil, nil, fmt.Errorf("a signed mail has two parts, and this one %d", len(parts))
	}
	last := readHeader(parts[1])
	kinds := last.all("Content-Type")
	if len(kinds) != 1 || !strings.HasPrefix(strings.ToLower(kinds[0].value()), "application/pgp-signature") {
		return nil, nil, errors.New("its last part is no signature")
	}
	return parts[0], last.body, nil
}

// cutParts cuts a multipart body at its boundary lines; the line end above a
// boundary belongs to the boundary (RFC 2046 section 5.1.1). A body that is
// not closed has its last part too.
func cutParts(body []byte, boundary string) (parts [][]byte) {
	mark := []byte("--" + boundary)
	start := -1
	for at := 0; at < len(body); {
		line, _ := cutLine(body[at:])
		tail, is := bytes.CutPrefix(bytes.TrimRight(line, " \t\r\n"), mark)
		end := string(tail) == "--"
		if is && (len(tail) == 0 || end) {
			if start >= 0 {
				parts = append(parts, bytes.TrimSuffix(body[start:at], []byte("\r\n")))
			}
			start = at + len(line)
			if end {
				return parts
			}
		}
		at += len(line)
	}
	if start >= 0 {
		parts = append(parts, body[start:])
	}
	return parts
}
