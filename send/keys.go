package send

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

// Keys mints tokens: the number of a row and a MAC over it that is bound to a
// purpose, so that a token for one thing does nothing else.
type Keys struct {
	Secret []byte   // 32 octets
	Old    [][]byte // secrets of former times: read, never minted with
}

// Purposes of the tokens that send itself mints. Those for bounces have a MAC
// of 80 bits, since they only count bounces; all others have 128.
const (
	purposeDelivery = "b"
	purposeSlip     = "s"
	purposeReader   = KindUnsubscribe
	purposeID       = "message-id"
)

// tokens is base32 in lower case: relays fold the case of local parts.
var tokens = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Mint returns the token for id.
func (k Keys) Mint(purpose string, id int64) string {
	return mint(k.Secret, purpose, id)
}

// Read returns the id of a token that was minted for the same purpose. It
// takes the same time for every wrong token of one length.
func (k Keys) Read(purpose, token string) (id int64, ok bool) {
	token = strings.ToLower(token)
	raw, err := tokens.DecodeString(token)
	n := len(raw) - macLen(purpose)
	if err != nil || n < 1 || n > 8 {
		return 0, false
	}
	var wide [8]byte
	copy(wide[8-n:], raw[:n])
	id = int64(binary.BigEndian.Uint64(wide[:]))
	for _, secret := range append([][]byte{k.Secret}, k.Old...) {
		if len(secret) > 0 && subtle.ConstantTimeCompare([]byte(mint(secret, purpose, id)), []byte(token)) == 1 {
			return id, true
		}
	}
	return 0, false
}

func mint(secret []byte, purpose string, id int64) string {
	wide := binary.BigEndian.AppendUint64(nil, uint64(id))
	short := wide
	for len(short) > 1 && short[0] == 0 {
		short = short[1:]
	}
	return tokens.EncodeToString(append(short, mac(secret, purpose, wide)[:macLen(purpose)]...))
}

func mac(secret []byte, purpose string, data []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(purpose))
	m.Write([]byte{0})
	m.Write(data)
	return m.Sum(nil)
}

func macLen(purpose string) int {
	if purpose == purposeDelivery || purpose == purposeSlip {
		return 10
	}
	return 16
}

// mark returns 80 bits over a delivery and its edition, for its Message-ID.
func (k Keys) mark(edition, delivery int64) string {
	data := binary.BigEndian.AppendUint64(nil, uint64(edition))
	data = binary.BigEndian.AppendUint64(data, uint64(delivery))
	return tokens.EncodeToString(mac(k.Secret, purposeID, data)[:10])
}
