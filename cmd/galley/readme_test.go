package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"galley/send/message"
)

func readme(t *testing.T) string {
	t.Helper()
	return string(file(t, root, "README.md"))
}

// The configuration of the README is one that Galley takes.
func TestConfigurationOfTheReadme(t *testing.T) {
	_, rest, ok := strings.Cut(readme(t), "```toml\n")
	if !ok {
		t.Fatal("the README shows no configuration")
	}
	text, _, _ := strings.Cut(rest, "```")
	dir := t.TempDir()
	key, _, err := message.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	pem, err := message.FormatKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"galley.toml": []byte(text), "smtp.password": []byte("a\n"), "imap.password": []byte("b\n"), "dkim.pem": pem} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := Load(filepath.Join(dir, "galley.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := cfg.Newsletter("rct"); !ok || n.Slot == nil || cfg.Web == nil || len(cfg.DKIM) != 1 {
		t.Errorf("read as %+v", cfg)
	}
}

// Every command that the README names exists.
func TestCommandsOfTheReadme(t *testing.T) {
	_, help, _ := command(t, "--help")
	names := regexp.MustCompile("(?m)^\\| `galley (\\w+)").FindAllStringSubmatch(readme(t), -1)
	if len(names) < 8 {
		t.Fatalf("the README's table names %d commands", len(names))
	}
	for _, n := range names {
		if !regexp.MustCompile(`(?m)^  ` + n[1] + `\b`).MatchString(help) {
			t.Errorf("galley %s is not among the commands:\n%s", n[1], help)
		}
	}
}

// The demo tells its story to the end, and leaves what is worth a look.
func TestDemo(t *testing.T) {
	dir := t.TempDir()
	code, out, errs := command(t, "demo", "--dir", dir, "--readers", "60")
	if code != exitOK {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{"Galley answers: Hello Ines: all works", "Galley passes a letter on to Ines", "Proof 2 of #12: ready", "Galley reports: Sent: #12 to", "#12 went to 60 readers:"} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
	for _, name := range []string{"proof.eml", "proof.html", "issue.eml", "issue.html", "issue.txt", "archive.html"} {
		if len(file(t, dir, name)) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
	if strings.Contains(string(file(t, dir, "proof.html")), "/u/") {
		t.Error("a proof has a link by which somebody could leave")
	}
}
