package main

import (
	"fmt"
	"os"

	"galley/inbox/trust"
)

// read reads the public key that the file pins.
func (k PGP) read() (*trust.Key, error) {
	file, err := os.ReadFile(k.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("%w; write the public key there: gpg --armor --export", err)
	}
	return trust.ReadKey(k.Editor.Key(), k.Fingerprint, file)
}

// checkPGP wants a key that is there, is the pinned one, and belongs to an
// editor: it proves nobody else.
func (n *Newsletter) checkPGP(d *document, key string, k PGP) {
	known := false
	for _, e := range n.Editors {
		known = known || e.Address.Key() == k.Editor.Key()
	}
	switch {
	case k.Editor.IsZero() && !d.has(key+".editor"):
		d.fault(key, `add editor = "name@example.org"`, "whose key is it?")
	case !known:
		d.fault(key+".editor", "name one of the editors", "%s is no editor", k.Editor)
	case k.Fingerprint == "":
		d.fault(key, "add fingerprint, all the digits that gpg --fingerprint shows", "the key has no fingerprint")
	case k.KeyFile == "":
		d.fault(key, "add key_file, the file with the public key", "the key has no file")
	default:
		_, err := k.read()
		d.wrong(key+".key_file", err)
	}
}

// keys are the pinned keys of the editors.
func (n *Newsletter) keys() (out []*trust.Key, err error) {
	for _, k := range n.PGP {
		key, err := k.read()
		if err != nil {
			return nil, fmt.Errorf("the OpenPGP key of %s: %w", k.Editor, err)
		}
		out = append(out, key)
	}
	return out, nil
}
