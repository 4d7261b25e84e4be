package trust

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Result is what became of one DKIM signature.
type Result struct {
	Domain   string `json:"domain"`           // d=, lower case
	Selector string `json:"selector"`         // s=
	Result   string `json:"result"`           // pass fail policy neutral temperror, RFC 8601 section 2.7.1
	Reason   string `json:"reason,omitempty"` // one clause, for people
}

// DNS answers a question for text records, one string a record. An error
// that is a *net.DNSError with IsNotFound means that there are none; every
// other error is temporary.
type DNS func(ctx context.Context, name string) ([]string, error)

// maxSignatures is how many signatures of a mail are looked at; each costs a
// question to DNS and a hash over the body.
const maxSignatures = 5

// signature is one DKIM-Signature field, read.
type signature struct {
	Result
	field  field
	tags   map[string]string
	signed []string // the names of h=, lower case
	at     time.Time
	b, bh  []byte
}

// once names the fields that a mail may bear only once (RFC 5322 section 3.6,
// RFC 2045 section 3). One that is signed fewer times than it occurs shows a
// text that nobody signed.
var once = []string{"from", "sender", "reply-to", "to", "cc", "message-id", "in-reply-to", "references",
	"subject", "date", "mime-version", "content-type", "content-transfer-encoding"}

// DKIM verifies every DKIM-Signature of a mail, top down (RFC 6376, 8301,
// 8463). x= is judged at p.Now. Beyond what the RFC demands a signature does
// not pass that covers only part of the body (l=), that signs a field fewer
// times than it occurs, or whose key is in test mode. Signatures after the
// fifth are not looked at. A mail without signatures gives nil.
func DKIM(ctx context.Context, raw []byte, p Policy) []Result {
	h := readHeader(crlf(raw))
	var out []Result
	for _, s := range h.signatures(ctx, p) {
		out = append(out, s.Result)
	}
	return out
}

func (h *header) signatures(ctx context.Context, p Policy) []*signature {
	var out []*signature
	for i, f := range h.all("DKIM-Signature") {
		s := &signature{field: f}
		err := s.parse()
		if err == nil && i >= maxSignatures {
			err = policy("too many signatures")
		}
		if err == nil {
			err = s.verify(ctx, h, p)
		}
		s.Result.Result = "pass"
		var v verdict
		if errors.As(err, &v) {
			s.Result.Result, s.Reason = v.result, v.reason
		}
		out = append(out, s)
	}
	return out
}

// parse reads the tags of RFC 6376 section 3.5.
func (s *signature) parse() error {
	tags, err := parseTags(s.field.value())
	s.tags = tags
	s.Domain, s.Selector = strings.ToLower(compact(tags["d"])), compact(tags["s"])
	if err != nil {
		return neutral("signature: " + err.Error())
	}
	if tags["v"] != "1" {
		return neutral("signature of another version")
	}
	for _, t := range []string{"a", "b", "bh", "d", "h", "s"} {
		if tags[t] == "" {
			return neutral("signature without " + t + "=")
		}
	}
	if !hostName(s.Domain) {
		return neutral("d= is no domain")
	}
	if !selectorName(s.Selector) {
		return neutral("s= is no name")
	}
	if q, ok := tags["q"]; ok && !listHas(q, "dns/txt") {
		return neutral("key is not in DNS")
	}
	for name := range strings.SplitSeq(tags["h"], ":") {
		s.signed = append(s.signed, strings.ToLower(compact(name)))
	}
	if !slices.Contains(s.signed, "from") { // RFC 6376 section 5.4
		return neutral("From is not signed")
	}
	return s.decode()
}

// selectorName is a sub-domain (RFC 6376 section 3.1): it goes into a question
// to DNS, so it holds nothing that could end the name.
func selectorName(s string) bool {
	if s == "" || len(s) > 200 || s[0] == '.' || s[len(s)-1] == '.' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !isLetterDigit(s[i]) && strings.IndexByte("-_.", s[i]) < 0 {
			return false
		}
	}
	return true
}

// decode reads the two base64 tags and the signing time.
func (s *signature) decode() (err error) {
	if s.b, err = base64.StdEncoding.DecodeString(compact(s.tags["b"])); err != nil {
		return neutral("b= is no base64")
	}
	if s.bh, err = base64.StdEncoding.DecodeString(compact(s.tags["bh"])); err != nil {
		return neutral("bh= is no base64")
	}
	if t, ok := s.tags["t"]; ok {
		if s.at, err = seconds(t); err != nil {
			return neutral("t= is no time")
		}
	}
	return nil
}

// seconds reads a time in seconds since 1970.
func seconds(s string) (time.Time, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return time.Time{}, fmt.Errorf("trust: %q is no time", s)
	}
	return time.Unix(n, 0), nil
}

// verify runs the checks that need the mail, the clock and the key.
func (s *signature) verify(ctx context.Context, h *header, p Policy) error {
	if err := s.checkTime(p.Now); err != nil {
		return err
	}
	algorithm := compact(s.tags["a"])
	switch algorithm {
	case "rsa-sha256", "ed25519-sha256":
	case "rsa-sha1":
		return policy("rsa-sha1 is too weak") // RFC 8301 section 3.1
	default:
		return neutral("unknown algorithm " + algorithm)
	}
	at, err := s.identity()
	if err != nil {
		return err
	}
	k, err := fetchKey(ctx, p.DNS, s.Selector, s.Domain, algorithm)
	if err != nil {
		return err
	}
	if k.strict && at != s.Domain { // RFC 6376 section 3.6.1, t=s
		return neutral("i= is not at d= itself, which the key demands")
	}
	if err := s.hash(h, k); err != nil {
		return err
	}
	return s.gates(h, k)
}

// checkTime judges x= (RFC 6376 section 3.5).
func (s *signature) checkTime(now time.Time) error {
	x, ok := s.tags["x"]
	if !ok {
		return nil
	}
	end, err := seconds(x)
	if err != nil || !s.at.IsZero() && !end.After(s.at) {
		return neutral("x= is no time after t=")
	}
	if now.After(end) {
		return neutral("expired")
	}
	return nil
}

// identity gives the domain of i=, which must be d= or below it.
func (s *signature) identity() (string, error) {
	i, ok := s.tags["i"]
	if !ok {
		return s.Domain, nil
	}
	at := strings.ToLower(compact(i[strings.LastIndexByte(i, '@')+1:]))
	if !strings.Contains(i, "@") || at != s.Domain && !strings.HasSuffix(at, "."+s.Domain) {
		return "", neutral("i= is not at d=")
	}
	return at, nil
}

// hash compares the body's hash and checks the signature over the fields.
func (s *signature) hash(h *header, k *key) error {
	head, body, ok := s.canonicalization()
	if !ok {
		return neutral("unknown canonicalization")
	}
	if l, ok := s.tags["l"]; ok {
		return policy("only the first " + l + " octets of the body are signed")
	}
	sum := sha256.Sum256(canonBody(h.body, body))
	if subtle.ConstantTimeCompare(sum[:], s.bh) != 1 {
		return fail("the body was changed")
	}
	if !k.verify(s.signedOctets(h, head), s.b) {
		return fail("the signature does not fit")
	}
	return nil
}

// canonicalization reads c=; true stands for relaxed.
func (s *signature) canonicalization() (head, body, ok bool) {
	c := compact(s.tags["c"])
	if c == "" {
		c = "simple/simple"
	}
	first, second, found := strings.Cut(c, "/")
	if !found {
		second = "simple"
	}
	known := func(w string) bool { return w == "simple" || w == "relaxed" }
	return first == "relaxed", second == "relaxed", known(first) && known(second)
}

// signedOctets gathers what the signature covers (RFC 6376 section 3.7);
// fields of one name are taken from the bottom up (section 5.4.2).
func (s *signature) signedOctets(h *header, relaxed bool) []byte {
	var out []byte
	left := map[string][]field{}
	for _, name := range s.signed {
		if _, seen := left[name]; !seen {
			left[name] = h.all(name)
		}
		fields := left[name]
		if len(fields) == 0 {
			continue
		}
		out = append(out, canonField(fields[len(fields)-1].raw, relaxed)...)
		left[name] = fields[:len(fields)-1]
	}
	own := canonField(withoutSignature(s.field.raw), relaxed)
	if relaxed {
		own = own[:len(own)-2]
	}
	return append(out, own...)
}

// gates refuses what is a valid signature and yet proves too little.
func (s *signature) gates(h *header, k *key) error {
	if k.testing { // RFC 6376 section 3.6.1: no different from unsigned mail
		return policy("key in test mode")
	}
	for _, name := range once {
		if n := s.times(name); n > 0 && h.count(name) > n {
			return policy(name + " stands there more often than it is signed")
		}
	}
	return nil
}

// times says how often h= lists a field.
func (s *signature) times(name string) int {
	n := 0
	for _, f := range s.signed {
		if f == name {
			n++
		}
	}
	return n
}

// replay names the signature for the ledger of those already acted on.
func (s *signature) replay() string {
	sum := sha256.Sum256(s.b)
	return hex.EncodeToString(sum[:])
}

// parseTags reads a tag list (RFC 6376 section 3.2). A tag twice is an error.
func parseTags(list string) (map[string]string, error) {
	tags := map[string]string{}
	for part := range strings.SplitSeq(list, ";") {
		name, value, found := strings.Cut(part, "=")
		name = strings.Trim(name, " \t\r\n")
		if !found && name == "" {
			continue
		}
		if !found || !tagName(name) {
			return tags, fmt.Errorf("%q is no tag", strings.TrimSpace(part))
		}
		if _, twice := tags[name]; twice {
			return tags, fmt.Errorf("tag %s twice", name)
		}
		tags[name] = strings.Trim(value, " \t\r\n")
	}
	return tags, nil
}

// tagName is ALPHA *(ALPHA / DIGIT / "_").
func tagName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isLetterDigit(s[i]) && s[i] != '_' {
			return false
		}
	}
	return s != "" && !(s[0] >= '0' && s[0] <= '9')
}
