package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

const canary = "canary-5ecret"

// secretive is a configuration with a secret in every place that takes one.
const secretive = `
database = "postgres://press:` + canary + `@db.example.org/press"
[smtp]
host = "smtp.example.org"
user = "press"
password = "` + canary + `"
[[newsletter]]
id = "press"
name = "The Press"
address = "news@example.org"
editors = ["ada@example.org"]
[newsletter.imap]
host = "imap.example.org"
user = "press"
password = "` + canary + `"
`

// trust.md bar 80: a secret appears in nothing that is printed.
func TestSecretsAreNeverPrinted(t *testing.T) {
	path := homeWith(t, secretive)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Books() == "" || c.SMTP.Password.Reveal() != canary || c.Newsletters[0].IMAP.Password.Reveal() != canary {
		t.Fatal("the secrets were not read")
	}
	var logged bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(h).Info("started", "config", c, "smtp", c.SMTP, "login", &c.SMTP.Login, "password", c.SMTP.Password)
	}
	js, err := json.Marshal(c)
	tm, err2 := toml.Marshal(c)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	type inside struct{ c Config } // fmt asks no methods of an unexported field
	texts := map[string]string{"log": logged.String(), "json": string(js), "toml": string(tm), "string": c.Database.String() + c.Database.GoString()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T", "%p"} {
		for _, v := range []any{c, *c, c.SMTP, c.SMTP.Password, &c.SMTP.Password, []Secret{c.Database}, inside{*c}, map[string]any{"x": c.SMTP.Login}} {
			texts[fmt.Sprintf("%s of a %T", verb, v)] = fmt.Sprintf(verb, v)
		}
	}
	for how, text := range texts {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s prints the secret: %s", how, text)
		}
	}
	if !strings.Contains(texts["json"], hidden) || !strings.Contains(logged.String(), hidden) {
		t.Error("nothing stands where the secrets were")
	}
}

// A fault beside a secret, or in it, does not quote it.
func TestFaultsNeverQuoteSecrets(t *testing.T) {
	for name, change := range map[string][2]string{
		"a key that does not exist": {"password =", "pasword ="},
		"a number":                  {`password = "` + canary + `"`, `password = 5` + "\nport = \"" + canary + "\""},
		"an open quote":             {`password = "` + canary + `"`, `password = "` + canary},
		"no quotes":                 {`password = "` + canary + `"`, `password = ` + canary},
		"twice":                     {`password = "` + canary + `"`, `password = "` + canary + "\"\npassword = \"" + canary + `"`},
		"a list":                    {`password = "` + canary + `"`, `password = ["` + canary + `"]`},
		"another password":          {`password = "` + canary + `"`, `password = "` + canary + "\"\npassword_env = \"X\""},
		"no host in the database":   {"@db.example.org/press", "@"},
		"an odd database":           {"postgres://", "mysql://"},
		"a database with spaces":    {"@db.example.org", "@ db%zz"},
		"a mode for all":            {"", ""},
	} {
		path := homeWith(t, strings.ReplaceAll(secretive, change[0], change[1]))
		_, err := Load(path) // mode 0644
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOthersMayNotReadSecrets(t *testing.T) {
	path := home(t, "full.toml")
	dir := filepath.Dir(path)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644, 0o660, 0o610} {
		for _, file := range []string{"smtp.password", "dkim.pem"} {
			if err := os.Chmod(filepath.Join(dir, file), mode); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(path); err == nil || !strings.Contains(err.Error(), file+" has mode") || !strings.Contains(err.Error(), "chmod 600") {
				t.Errorf("%s with mode %o: %v", file, mode, err)
			}
			os.Chmod(filepath.Join(dir, file), 0o600)
		}
	}
	if _, err := Load(path); err != nil {
		t.Error(err)
	}
	inline := homeWith(t, secretive)
	for mode, fine := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false} {
		os.Chmod(inline, mode)
		if _, err := Load(inline); (err == nil) != fine {
			t.Errorf("a configuration with a secret, mode %o: %v", mode, err)
		}
	}
}

func TestWhereASecretMayBe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "p")
	put(t, file, canary+"\r\nsecond line\n", 0o600)
	empty := filepath.Join(dir, "empty")
	put(t, empty, "\n", 0o600)
	t.Setenv("GALLEY_TEST_SECRET", canary)
	for _, l := range []Login{{PasswordFile: file}, {PasswordEnv: "GALLEY_TEST_SECRET"}, {PasswordCommand: "printf '" + canary + "\\nmore'"}, {Password: NewSecret(canary)}} {
		s, err := l.Secret(t.Context())
		if err != nil || s.Reveal() != canary {
			t.Errorf("%+v: %q, %v", l, s.Reveal(), err)
		}
	}
	for _, l := range []Login{{PasswordFile: empty}, {PasswordFile: file + "x"}, {PasswordEnv: "GALLEY_TEST_UNSET"}, {PasswordCommand: "true"},
		{PasswordCommand: "echo " + canary + "; echo " + canary + " >&2; exit 3"}} {
		s, err := l.Secret(t.Context())
		if err == nil || s.Reveal() != "" || strings.Contains(err.Error(), canary) {
			t.Errorf("%+v: %q, %v", l, s.Reveal(), err)
		}
	}
}

func TestTheKeyIsMadeOnceAndNeverReplaced(t *testing.T) {
	dir := t.TempDir()
	first, err := LoadKey(dir)
	if err != nil || len(first) != keySize || bytes.Equal(first, make([]byte, keySize)) {
		t.Fatalf("%x, %v", first, err)
	}
	again, err := LoadKey(dir)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("another key: %v", err)
	}
	path := filepath.Join(dir, "galley.key")
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files", len(left))
	}
	put(t, path, "short", 0o600)
	if _, err := LoadKey(dir); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged key: %v", err)
	}
	put(t, path, string(first), 0o644)
	if _, err := LoadKey(dir); err == nil || !strings.Contains(err.Error(), "0644") {
		t.Errorf("a key that others can read: %v", err)
	}
	if _, err := LoadKey(filepath.Join(dir, "none")); err == nil {
		t.Error("no folder, and no error")
	}
}

func TestStartingTwiceMakesOneKey(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		keys, start := make(chan string), make(chan struct{})
		for range 8 {
			go func() {
				<-start
				k, err := LoadKey(dir)
				keys <- fmt.Sprintf("%x %v", k, err)
			}()
		}
		close(start)
		first := <-keys
		for range 7 {
			if k := <-keys; k != first {
				t.Fatalf("%s and %s", first, k)
			}
		}
	}
}
