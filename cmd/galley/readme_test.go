package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"galley/inbox/intent"
	"galley/send/message"
)

func readme(t *testing.T) string {
	t.Helper()
	return string(file(t, root, "README.md"))
}

// The words of the README are understood, each as the word that it begins with.
func TestWordsOfTheReadme(t *testing.T) {
	_, rest, _ := strings.Cut(readme(t), "| the editor writes |")
	editors, rest, ok := strings.Cut(rest, "| a reader writes |")
	readers, _, _ := strings.Cut(rest, "\n## ")
	if !ok {
		t.Fatal("the README has no table of words")
	}
	said := func(table string) (out []string) {
		for row := range strings.Lines(table) {
			if cells := strings.Split(row, "|"); len(cells) > 2 {
				for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
					out = append(out, m[1])
				}
			}
		}
		return out
	}
	words := said(editors)
	for _, w := range words {
		c, ok := intent.Line(w, intent.Clock{Now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Zone: time.UTC}, intent.PaperProof)
		if !ok || c.Word == "" {
			t.Errorf("%q is no word of an editor", w)
		}
	}
	for _, w := range said(readers) {
		r := intent.ReadReader(intent.ReaderMail{Own: w, Reply: true, Paper: intent.PaperIssue, OnList: true, Now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Zone: time.UTC})
		if r.Word == intent.ReaderNothing || r.Wish {
			t.Errorf("%q is no word of a reader", w)
		}
	}
	help, err := os.ReadFile("testdata/golden/help.txt")
	if err != nil || len(words) < 35 {
		t.Fatalf("%d words, %v", len(words), err)
	}
	known := map[string]bool{}
	for _, w := range words {
		known[strings.Fields(w)[0]] = true
	}
	for _, m := range regexp.MustCompile(`(?m)(?:^  |· )([a-z]+)(?: |$)`).FindAllStringSubmatch(string(help), -1) {
		if !known[m[1]] && m[1] != "or" {
			t.Errorf("the mail of all words has %q, and the README does not", m[1])
		}
	}
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
