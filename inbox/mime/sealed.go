package mime

import "strings"

// Sealed names what a message is closed with so that its text cannot be read
// here: "S/MIME" (RFC 8551; the opaque form of a signature too), "OpenPGP" (RFC
// 3156, and the old form inside a text), or "" for a message that is open.
func (m *Message) Sealed() string {
	for i := range m.Parts {
		p := &m.Parts[i]
		switch p.Type {
		case "application/pkcs7-mime", "application/x-pkcs7-mime":
			if p.Depth == 0 && p.Params["smime-type"] != "certs-only" {
				return "S/MIME"
			}
		case "application/pgp-encrypted":
			return "OpenPGP"
		}
	}
	if strings.HasPrefix(strings.TrimSpace(m.Text), "-----BEGIN PGP MESSAGE-----") {
		return "OpenPGP"
	}
	return ""
}
