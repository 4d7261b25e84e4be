package trust

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"
)

// key is a public key record of RFC 6376 section 3.6.1.
type key struct {
	rsa     *rsa.PublicKey
	ed      ed25519.PublicKey
	testing bool // t=y
	strict  bool // t=s: i= must be at d= itself
}

// verdict is a result with its reason, carried as an error: the way down to
// it is a row of guards.
type verdict struct{ result, reason string }

func (v verdict) Error() string { return v.reason }

func neutral(reason string) error { return verdict{"neutral", reason} }
func policy(reason string) error  { return verdict{"policy", reason} }
func fail(reason string) error    { return verdict{"fail", reason} }

// lookupTXT asks for text records. A name that does not exist has none; any
// other failure is temporary, since a wrong "no" would turn away the editor.
func lookupTXT(ctx context.Context, dns DNS, name string) ([]string, error) {
	if dns == nil {
		return nil, verdict{"temperror", "no DNS to ask for " + name}
	}
	txt, err := dns(ctx, name)
	var de *net.DNSError
	if errors.As(err, &de) && de.IsNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, verdict{"temperror", name + ": " + err.Error()}
	}
	return txt, nil
}

// fetchKey finds the one key of a selector.
func fetchKey(ctx context.Context, dns DNS, selector, domain, algorithm string) (*key, error) {
	name := selector + "._domainkey." + domain
	txt, err := lookupTXT(ctx, dns, name)
	if err != nil {
		return nil, err
	}
	// A wildcard may put other text records beside the key.
	txt = slices.DeleteFunc(slices.Clone(txt), func(s string) bool { return !strings.Contains(s, "p=") })
	if len(txt) == 0 {
		return nil, neutral("no key at " + name)
	}
	if len(txt) > 1 { // RFC 6376 section 3.6.2.2: undefined
		return nil, neutral("several keys at " + name)
	}
	return parseKey(txt[0], algorithm)
}

// parseKey reads a key record; algorithm is the a= of the signature.
func parseKey(record, algorithm string) (*key, error) {
	tags, err := parseTags(record)
	if err != nil {
		return nil, neutral("key record: " + err.Error())
	}
	if v, ok := tags["v"]; ok && v != "DKIM1" {
		return nil, neutral("key record of another version")
	}
	if h, ok := tags["h"]; ok && !listHas(h, "sha256") {
		return nil, neutral("key is not for sha256")
	}
	if s, ok := tags["s"]; ok && !listHas(s, "email") && !listHas(s, "*") {
		return nil, neutral("key is not for mail")
	}
	k := &key{testing: listHas(tags["t"], "y"), strict: listHas(tags["t"], "s")}
	kind := tags["k"]
	if kind == "" {
		kind = "rsa"
	}
	if kind+"-sha256" != algorithm {
		return nil, neutral("key is " + kind + ", signature is " + algorithm)
	}
	return k, k.load(kind, compact(tags["p"]))
}

// load decodes the key itself.
func (k *key) load(kind, p string) error {
	if p == "" {
		return neutral("key revoked")
	}
	b, err := base64.StdEncoding.DecodeString(p)
	if err != nil {
		return neutral("key is no base64")
	}
	if kind == "ed25519" { // RFC 8463 section 4
		if len(b) != ed25519.PublicKeySize {
			return neutral("key of a wrong size")
		}
		k.ed = b
		return nil
	}
	pub, err := x509.ParsePKIXPublicKey(b)
	if err != nil { // RFC 6376 erratum 3017: both forms are in use
		pub, err = x509.ParsePKCS1PublicKey(b)
	}
	r, ok := pub.(*rsa.PublicKey)
	if err != nil || !ok {
		return neutral("key is no RSA key")
	}
	if r.N.BitLen() < 1024 { // RFC 8301 section 3.2
		return policy("key of fewer than 1024 bits")
	}
	k.rsa = r
	return nil
}

// verify checks a signature over what was hashed.
func (k *key) verify(signed, sig []byte) bool {
	sum := sha256.Sum256(signed)
	if k.ed != nil { // RFC 8463 section 3: the hash is what is signed
		return ed25519.Verify(k.ed, sum[:], sig)
	}
	return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, sum[:], sig) == nil
}

// listHas looks for a word in a colon-separated list.
func listHas(list, word string) bool {
	for w := range strings.SplitSeq(list, ":") {
		if compact(w) == word {
			return true
		}
	}
	return false
}

// compact takes all white space out.
func compact(s string) string { return strings.Join(strings.Fields(s), "") }
