package send

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strconv"
	"strings"

	"galley/send/message"
)

// minter makes what one copy has of its own, for one newsletter and one
// goroutine. It gives what Keys, Pattern and press.slots give, and works in
// its own memory: a run makes four tokens for every reader.
type minter struct {
	n        *Newsletter
	mac      hash.Hash
	raw, sum []byte
	text     []byte
	bounce   around
}

// around is what stands before and behind a token.
type around struct {
	before, after string
	token         bool // there is a token between them
}

// sample is a token that no other part of an address looks like.
const sample = "zzzsampletokenzzz"

func aroundToken(with string) around {
	before, after, ok := strings.Cut(with, sample)
	return around{before, after, ok}
}

func newMinter(n *Newsletter) *minter {
	return &minter{n: n, mac: hmac.New(sha256.New, n.Keys.Secret), raw: make([]byte, 0, 64), bounce: aroundToken(n.Pattern.Address(KindBounce, sample))}
}

// sign appends the MAC over what stands in m.raw from start on.
func (m *minter) sign() {
	m.mac.Reset()
	m.mac.Write(m.raw)
	m.sum = m.mac.Sum(m.sum[:0])
}

// token appends the token of Keys.Mint.
func (m *minter) token(purpose string, id int64) {
	m.raw = append(append(m.raw[:0], purpose...), 0)
	start := len(m.raw)
	m.raw = binary.BigEndian.AppendUint64(m.raw, uint64(id))
	m.sign()
	short := m.raw[start:]
	for len(short) > 1 && short[0] == 0 {
		short = short[1:]
	}
	m.text = tokens.AppendEncode(m.text, append(short, m.sum[:macLen(purpose)]...))
}

// mark appends Keys.mark.
func (m *minter) mark(edition, delivery int64) {
	m.raw = append(append(m.raw[:0], purposeID...), 0)
	m.raw = binary.BigEndian.AppendUint64(m.raw, uint64(edition))
	m.raw = binary.BigEndian.AppendUint64(m.raw, uint64(delivery))
	m.sign()
	m.text = tokens.AppendEncode(m.text, m.sum[:10])
}

func (m *minter) put(a around, purpose string, id int64) {
	m.text = append(m.text, a.before...)
	if a.token {
		m.token(purpose, id)
	}
	m.text = append(m.text, a.after...)
}

// copy gives the slots and the MAIL FROM of a delivery: all their strings are
// parts of one.
func (m *minter) copy(p *press, t *task) (message.Slots, string) {
	m.text = m.text[:0]
	m.put(m.bounce, purposeDelivery, t.id)
	from := len(m.text)
	m.text = strconv.AppendInt(append(m.text, '<'), int64(t.issue), 10)
	m.text = strconv.AppendInt(append(m.text, '.'), t.id, 10)
	m.text = append(m.text, '.')
	m.mark(t.edition, t.id)
	m.text = append(append(append(m.text, '@'), p.domain...), '>')
	id := len(m.text)
	m.put(p.mailto, purposeReader, t.subscriber)
	mailto := len(m.text)
	if p.Host != "" {
		m.put(p.page, purposeReader, t.subscriber)
	}
	all := string(m.text)
	return message.Slots{To: t.to, MessageID: all[from:id], UnsubscribeMailto: all[id:mailto], UnsubscribeURL: all[mailto:]}, all[:from]
}
