package trust

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func newKey(t testing.TB, algorithm packet.PublicKeyAlgorithm) *openpgp.Entity {
	t.Helper()
	key, err := openpgp.NewEntity("Ada", "", "ada@lab.example", &packet.Config{Algorithm: algorithm, RSABits: 2048, Time: func() time.Time { return written.Add(-time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func public(t testing.TB, armoured bool, keys ...*openpgp.Entity) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	for _, k := range keys {
		if err := k.Serialize(&plain); err != nil {
			t.Fatal(err)
		}
	}
	if !armoured {
		return plain.Bytes()
	}
	if _, err := w.Write(plain.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const entity = "Content-Type: text/plain; charset=utf-8\r\n\r\napprove\r\n"

func detached(t testing.TB, key *openpgp.Entity, text string, at time.Time) string {
	t.Helper()
	var out bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&out, key, strings.NewReader(text), &packet.Config{Time: func() time.Time { return at }}); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(out.String(), "\n", "\r\n")
}

func pgpMail(parts ...string) string {
	head := strings.TrimSuffix(editorMail, "\r\napprove\r\n")
	return head + "Content-Type: multipart/signed; micalg=pgp-sha512; protocol=\"application/pgp-signature\";\r\n boundary=x\r\n\r\nYour program cannot read this.\r\n--x\r\n" +
		strings.Join(parts, "\r\n--x\r\n") + "\r\n--x--\r\n"
}

func sigPart(s string) string { return "Content-Type: application/pgp-signature\r\n\r\n" + s }

// TestPGP is bar 73, as far as it is about signatures: which of them are of
// the pinned key, over the whole mail, and of now.
func TestPGP(t *testing.T) {
	p := newPost(t)
	key, other := newKey(t, packet.PubKeyAlgoEdDSA), newKey(t, packet.PubKeyAlgoEdDSA)
	rsa := newKey(t, packet.PubKeyAlgoRSA)
	pin := func(k *openpgp.Entity) *Key {
		got, err := ReadKey("ADA@lab.example", fmt.Sprintf("%X", k.PrimaryKey.Fingerprint), public(t, true, other, key, rsa))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	sig := sigPart(detached(t, key, entity, written))
	good := pgpMail(entity, sig)
	for _, x := range []struct {
		name, mail, want string
		change           func(*Policy)
	}{
		{"good", good, "pass", nil},
		{"line feeds alone", strings.ReplaceAll(good, "\r\n", "\n"), "pass", nil},
		{"RSA", pgpMail(entity, sigPart(detached(t, rsa, entity, written))), "pass", func(q *Policy) { q.Keys = []*Key{pin(key), pin(rsa)} }},
		{"another key of the same name", pgpMail(entity, sigPart(detached(t, other, entity, written))), "fail", nil},
		{"other words", strings.Replace(good, "approve", "approve now", 1), "fail", nil},
		{"a part added", pgpMail(entity, entity, sig), "fail", nil},
		{"a part in its place", pgpMail(sig, entity), "fail", nil},
		{"no signature", pgpMail(entity), "fail", nil},
		{"a signature of nothing", pgpMail(entity, sigPart("")), "fail", nil},
		{"two types", strings.Replace(good, "Content-Type: multipart", "Content-Type: text/html\r\nContent-Type: multipart", 1), "absent", nil},
		{"two types, the other way round", strings.Replace(good, "boundary=x\r\n", "boundary=x\r\nContent-Type: text/html\r\n", 1), "fail", nil},
		{"over a part of the mail", strings.Replace(pgpMail(entity, "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=y\r\n\r\n--y\r\n"+entity+"\r\n--y\r\n"+sig+"\r\n--y--"),
			"multipart/signed; micalg=pgp-sha512", "multipart/mixed; micalg=pgp-sha512", 1), "absent", nil},
		{"of last week", pgpMail(entity, sigPart(detached(t, key, entity, written))), "absent", func(q *Policy) { q.Now = q.Now.Add(8 * 24 * time.Hour) }},
		{"from the future", good, "absent", func(q *Policy) { q.Now = q.Now.Add(-30 * time.Minute) }},
		{"a clock ahead", good, "pass", func(q *Policy) { q.Now = q.Now.Add(-5 * time.Minute) }},
		{"acted on before", good, "absent", func(q *Policy) { q.Seen = func(string) bool { return true } }},
		{"the key of another editor", good, "absent", func(q *Policy) { q.Keys[0].Editor = "bob@lab.example" }},
		{"no key pinned", good, "absent", func(q *Policy) { q.Keys = nil }},
		{"an unsigned mail", editorMail, "absent", nil},
		{"a second From", "From: eve@evil.example\r\n" + good, "absent", nil},
	} {
		policy := p.policy()
		policy.Keys = []*Key{pin(key)}
		if x.change != nil {
			x.change(&policy)
		}
		ev := Judge(context.Background(), []byte(x.mail), policy)
		if ev.PGP != x.want {
			t.Errorf("%s: %s (%s), want %s", x.name, ev.PGP, ev.PGPWhy, x.want)
		}
		if got := string(ev.Signed); (x.want == "pass") != (got == entity) {
			t.Errorf("%s: signed are %q", x.name, got)
		}
		if (x.want == "pass") != (len(ev.Replay) == 1) {
			t.Errorf("%s: to be remembered: %v", x.name, ev.Replay)
		}
	}
}

// TestReadKey: the fingerprint decides, and nothing else in the file.
func TestReadKey(t *testing.T) {
	key, other := newKey(t, packet.PubKeyAlgoEdDSA), newKey(t, packet.PubKeyAlgoEdDSA)
	print := fmt.Sprintf("%X", key.PrimaryKey.Fingerprint)
	for _, x := range []struct {
		print, want string
		file        []byte
	}{
		{print, "", public(t, true, other, key)},
		{strings.ToLower(print[:20] + "  " + print[20:]), "", public(t, false, key)},
		{print, "no key in it has the fingerprint", public(t, true, other)},
		{print[24:], "is no fingerprint", public(t, true, key)}, // a key id can be made to fit
		{"", "is no fingerprint", public(t, true, key)},
		{print, "no public key can be read", []byte("hello")},
		{print, "no public key can be read", nil},
	} {
		k, err := ReadKey("ada@lab.example", x.print, x.file)
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) || err == nil && len(k.ring) != 1 {
			t.Errorf("%q: %v, want %q", x.print, err, x.want)
		}
	}
}

// FuzzPGP: no mail that the key did not sign passes.
func FuzzPGP(f *testing.F) {
	key := newKey(f, packet.PubKeyAlgoEdDSA)
	pinned, err := ReadKey("ada@lab.example", fmt.Sprintf("%X", key.PrimaryKey.Fingerprint), public(f, true, key))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(pgpMail(entity, sigPart(detached(f, key, entity, written)))))
	f.Add([]byte(pgpMail(entity)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		ev := Judge(context.Background(), raw, Policy{Keys: []*Key{pinned}, Now: written, DNS: zone(nil)})
		if ev.PGP == "pass" && string(ev.Signed) != entity {
			t.Errorf("%q passes", ev.Signed)
		}
	})
}
