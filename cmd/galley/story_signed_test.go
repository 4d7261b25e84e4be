package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"galley/send/message"
)

// signer is somebody's OpenPGP key, and what was signed with it last: of all
// mail, and an answer without a quote that was not sent.
type signer struct {
	key        *openpgp.Entity
	last, said []byte
}

func (s *story) newSigner(name string) *signer {
	s.t.Helper()
	key, err := openpgp.NewEntity(name, "", "", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: time.Now})
	if err != nil {
		s.t.Fatal(err)
	}
	return &signer{key: key}
}

// pinsKey gives Ines a key, and the configuration its public half and its
// fingerprint.
func (s *story) pinsKey([]string) {
	s.signer = s.newSigner("Ines Moreau")
	var public bytes.Buffer
	w, err := armor.Encode(&public, openpgp.PublicKeyType, nil)
	if err == nil {
		err = s.signer.key.Serialize(w)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "ines.asc"), public.Bytes(), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.plan.pgp = fmt.Sprintf("{ editor = %q, fingerprint = \"%X\", key_file = \"ines.asc\" }", s.person("Ines").addr.Addr, s.signer.key.PrimaryKey.Fingerprint)
}

// signed is a mail as a mail program with OpenPGP sends it (RFC 3156): the
// head outside, and what the fields about content belong to in the signed part.
func (s *story) signed(m *message.Mail, by *signer) []byte {
	s.t.Helper()
	raw, err := m.Bytes()
	if err != nil {
		s.t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	var outer, inner string
	for _, f := range strings.Split(strings.ReplaceAll(head, "\r\n ", "\x00"), "\r\n") {
		f = strings.ReplaceAll(f, "\x00", "\r\n ") + "\r\n"
		switch {
		case strings.HasPrefix(f, "Content-"):
			inner += f
		case !strings.HasPrefix(f, "MIME-Version"):
			outer += f
		}
	}
	entity := inner + "To: <" + m.To[0].Addr + ">\r\n\r\n" + body // RFC 9788
	var sig bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&sig, by.key, strings.NewReader(entity), &packet.Config{Time: time.Now}); err != nil {
		s.t.Fatal(err)
	}
	by.last = fmt.Appendf(nil, "MIME-Version: 1.0\r\nContent-Type: multipart/signed; micalg=pgp-sha256;\r\n protocol=\"application/pgp-signature\"; boundary=\"sig\"\r\n\r\n"+
		"This is an OpenPGP/MIME signed message (RFC 4880 and 3156)\r\n--sig\r\n%s\r\n--sig\r\nContent-Type: application/pgp-signature; name=\"signature.asc\"\r\n\r\n%s\r\n--sig--\r\n",
		entity, strings.ReplaceAll(sig.String(), "\n", "\r\n"))
	return append([]byte(outer), by.last...)
}

func (s *story) postRaw(by *person, m *message.Mail, raw []byte) {
	by.asked = true
	by.wrote[m.MessageID] = true
	s.carry(by.addr.Addr, m.To[0].Addr, raw)
}

func (s *story) mailsSigned(w []string) {
	by := s.person(w[0])
	m := s.begin(by, "this week's", "Here it is.\n")
	m.Attachments = []message.Attachment{{Name: w[1], Type: "text/markdown; charset=utf-8", Data: []byte(s.draft(w[1]))}}
	s.postRaw(by, m, s.signed(m, s.signer))
}

// repliesSigned answers a proof: with the own key, or with one that is
// nobody's here.
func (s *story) repliesSigned(w []string) {
	by, key := s.person(w[0]), s.signer
	if w[2] == "another" {
		key = s.newSigner("Ines Moreau")
	}
	m := s.answer(by, s.found(by, w[1]), written(w[3]))
	s.postRaw(by, m, s.signed(m, key))
	m.Text = []byte(written(w[3]) + "\n")
	s.signed(m, s.signer)
	s.signer.said = s.signer.last
}

// replaysSigned sends what was signed last as an answer to the newest proof:
// the address and the thread are the new one's, which nobody signs.
func (s *story) replaysSigned(w []string) {
	by := s.person(w[0])
	m := s.answer(by, s.found(by, ""), "approve")
	head, _, _ := bytes.Cut(s.head(m), []byte("MIME-Version"))
	s.postRaw(by, m, append(head, s.signer.said...))
}

func (s *story) head(m *message.Mail) []byte {
	s.t.Helper()
	raw, err := m.Bytes()
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

// wrapsSigned puts a signed thanks beneath words that nobody signed.
func (s *story) wrapsSigned(w []string) {
	by := s.person(w[0])
	m := s.answer(by, s.found(by, ""), "approve")
	thanks := s.begin(by, "thanks", "Thank you!\n")
	s.signed(thanks, s.signer)
	head, _, _ := bytes.Cut(s.head(m), []byte("MIME-Version"))
	_, inner, _ := bytes.Cut(s.signer.last, []byte("MIME-Version: 1.0\r\n"))
	raw := fmt.Appendf(head, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"out\"\r\n\r\n--out\r\nContent-Type: text/plain\r\n\r\n%s\r\n--out\r\n%s\r\n--out--\r\n", written(w[1]), inner)
	s.postRaw(by, m, raw)
}
