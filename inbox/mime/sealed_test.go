package mime

import "testing"

// Mail that is encrypted is told by name; mail that is only signed is open.
func TestSealed(t *testing.T) {
	const head = "From: a@b.example\nTo: c@d.example\nSubject: s\nMIME-Version: 1.0\n"
	for _, c := range []struct{ name, mail, want string }{
		{"open", head + "\nhello\n", ""},
		{"S/MIME encrypted", head + "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIIB\n", "S/MIME"},
		{"S/MIME signed, opaque, old type", head + "Content-Type: application/x-pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIIB\n", "S/MIME"},
		{"only certificates", head + "Content-Type: application/pkcs7-mime; smime-type=certs-only\n\nMIIB\n", ""},
		{"PGP/MIME", head + "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----\n--b--\n", "OpenPGP"},
		{"PGP in the text", head + "\n-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----\n", "OpenPGP"},
		{"PGP that is talked about", head + "\nMine began with\n-----BEGIN PGP MESSAGE-----\n", ""},
		{"signed", head + "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: application/pgp-signature\n\nx\n--b--\n", ""},
	} {
		m, err := Read([]byte(c.mail))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := m.Sealed(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
