package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galley/send/servertest"
)

// secretWords are words of a log that look like a code or a token: they are
// written in base32, in lower case, and have at least 80 bits.
var secretWords = regexp.MustCompile(`\b[a-z2-7]{16,}\b`)

// addresses are those of people in a log; a log shows people as hashes.
var addresses = regexp.MustCompile(`[\w.+-]+@[\w-]+\.[\w.-]+`)

// indiscreet finds what no log may hold: a secret, a code, a token, anybody's
// address but those of the newsletters. It gives the lines.
func indiscreet(log string, secrets []string, own ...string) (bad []string) {
	for line := range strings.Lines(log) {
		for _, s := range secrets {
			if strings.Contains(line, s) {
				bad = append(bad, "a secret: "+line)
			}
		}
		for _, w := range secretWords.FindAllString(line, -1) {
			if strings.ContainsAny(w, "234567") || len(w) > 22 { // no word of English is as long
				bad = append(bad, "a token: "+line)
			}
		}
		for _, a := range addresses.FindAllString(line, -1) {
			if !slices.Contains(own, strings.TrimPrefix(a, "mailboxes=")) {
				bad = append(bad, "an address: "+line)
			}
		}
	}
	return bad
}

// secretsOf are the secrets of a configuration: the passwords of the tests and
// what is in the keys' files, in every form that somebody might print.
func secretsOf(t *testing.T, dir string) []string {
	t.Helper()
	out := []string{servertest.Password}
	files, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); len(line) > 20 && !strings.HasPrefix(line, "---") {
				out = append(out, line)
			}
		}
	}
	if key, err := os.ReadFile(filepath.Join(dir, "galley.key")); err == nil {
		out = append(out, string(key), hex.EncodeToString(key), base64.StdEncoding.EncodeToString(key))
	}
	return out
}

// checkDiscreet looks at the log of a house whose configuration lies in dir.
func checkDiscreet(t *testing.T, log, dir string) {
	t.Helper()
	bad := indiscreet(log, secretsOf(t, dir), letterBox, secondBox, "news@rct.example")
	for _, line := range bad[:min(len(bad), 5)] {
		t.Errorf("the log holds %s", line)
	}
}

// What the other tests rely on finds what it is to find.
func TestIndiscreet(t *testing.T) {
	for line, want := range map[string]int{
		"msg=inbox kind=draft why=\"row 9a: draft, sender pass\"": 0, "err=sesame-of-the-tests": 1, "reply-to letter+approve-gj2srlttfs2ldfavd3bctdnpyq@quiet.example": 2,
		"mailboxes=letter@quiet.example": 0, "to=ada@readers.example": 1, "code gjasrlttfswldfavdrbctdnpyq": 1, "internationalisation": 0,
	} {
		if got := indiscreet(line+"\n", []string{"sesame-of-the-tests"}, "letter@quiet.example"); len(got) != want {
			t.Errorf("%q: %q", line, got)
		}
	}
}

// The log shows people as hashes, the same for the same person, however the
// address is written and wherever it stands.
func TestLogMasks(t *testing.T) {
	cfg := &Config{Newsletters: make([]Newsletter, 1)}
	if err := cfg.Newsletters[0].Address.UnmarshalText([]byte(letterBox)); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	log := cfg.logger(&out, []byte("a key"))
	log.Info("for ada@readers.example", "to", "Ada Reader <Ada@Readers.Example>", "error", fmt.Errorf("RCPT: %w", errors.New("550 5.1.1 <ada@readers.example>: no such user")),
		"id", "<proof.12.1.gj2srlttfs2ldfavd3bctdnpyq@quiet.example>", "box", "letter@quiet.example")
	said := out.String()
	if strings.Contains(strings.ToLower(said), "ada@") || strings.Contains(said, "gj2s") || !strings.Contains(said, "box=letter@quiet.example") {
		t.Error(said)
	}
	hashes := regexp.MustCompile(`address-[0-9a-f]{10}`).FindAllString(said, -1)
	if len(hashes) != 4 || hashes[0] != hashes[1] || hashes[1] != hashes[2] || hashes[2] == hashes[3] {
		t.Errorf("hashes %q in %s", hashes, said)
	}
	cfg.Log.Addresses = true
	out.Reset()
	if cfg.logger(&out, nil).Info("for ada@readers.example"); !strings.Contains(out.String(), "ada@readers.example") {
		t.Errorf("wanted addresses are not there: %s", &out)
	}
}
