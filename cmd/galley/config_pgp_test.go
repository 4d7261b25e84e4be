package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A pinned key is an editor's, is there, and has the fingerprint.
func TestPinnedKeys(t *testing.T) {
	key, err := openpgp.NewEntity("Ada", "", "ada@example.org", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		t.Fatal(err)
	}
	var public strings.Builder
	if err := key.Serialize(&public); err != nil {
		t.Fatal(err)
	}
	print := fmt.Sprintf("%X", key.PrimaryKey.Fingerprint)
	small := home(t, "small.toml")
	text := string(file(t, filepath.Dir(small), "galley.toml"))
	for _, x := range []struct{ pgp, want string }{
		{`editor = "Ada@Example.org", fingerprint = "` + print + `", key_file = "ada.gpg"`, ""},
		{`editor = "bob@example.org", fingerprint = "` + print + `", key_file = "ada.gpg"`, "newsletter.pgp.editor: bob@example.org is no editor; name one of the editors"},
		{`editor = "ada@example.org", fingerprint = "` + print[:39] + `", key_file = "ada.gpg"`, "newsletter.pgp.key_file: \"" + print[:39] + "\" is no fingerprint; write all 40"},
		{`editor = "ada@example.org", fingerprint = "` + strings.Repeat("A", 40) + `", key_file = "ada.gpg"`, "no key in it has the fingerprint"},
		{`editor = "ada@example.org", fingerprint = "` + print + `", key_file = "eve.gpg"`, "write the public key there: gpg --armor --export"},
		{`editor = "ada@example.org", key_file = "ada.gpg"`, "the key has no fingerprint"},
		{`editor = "ada@example.org", fingerprint = "` + print + `"`, "the key has no file"},
		{`fingerprint = "` + print + `", key_file = "ada.gpg"`, "whose key is it?"},
	} {
		path := homeWith(t, strings.Replace(text, "[newsletter.imap]", "pgp = [{ "+x.pgp+" }]\n[newsletter.imap]", 1))
		put(t, filepath.Join(filepath.Dir(path), "ada.gpg"), public.String(), 0o644)
		c, err := Load(path)
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", x.pgp, err, x.want)
		}
		if err == nil {
			if keys, err := c.Newsletters[0].keys(); err != nil || len(keys) != 1 || keys[0].Editor != "ada@example.org" {
				t.Errorf("keys: %v, %v", keys, err)
			}
		}
	}
}
