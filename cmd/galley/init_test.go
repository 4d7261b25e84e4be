package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/foxcpp/go-mockdns"
)

// begin runs init with answers on its standard input.
func begin(t *testing.T, config, answers string, words ...string) (code int, stdout, stderr string) {
	t.Helper()
	dns, err := mockdns.NewServerWithLogger(map[string]mockdns.Zone{
		"used.example.":        {TXT: []string{"v=spf1 include:other.example -all"}},
		"_dmarc.used.example.": {TXT: []string{"v=DMARC1; p=reject"}},
	}, quietDNS{}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer dns.Close()
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"--config", config, "init", "--resolver", dns.LocalAddr().String()}, words...), strings.NewReader(answers), &out, &errs)
	return code, out.String(), errs.String()
}

// Flags alone are enough; what is written is whole, private, and read as it
// was meant.
func TestInitByFlags(t *testing.T) {
	config := filepath.Join(t.TempDir(), "press", "galley.toml")
	words := []string{"--name", `Say "Hi" & <More>`, "--address", "News@Used.Example", "--editor", "Ada Lovelace <ada@used.example>", "--smtp", "mail.used.example:465",
		"--postal", "1 Row, Town", "--slot", "saturday 09:00 America/Toronto", "--url", "https://used.example/", "--json"}
	code, out, errs := begin(t, config, "", words...)
	if code != exitOK || errs != "" {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	var made founding
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	if len(made.Files) != 4 || len(made.Records) != 4 {
		t.Errorf("made %+v", made)
	}
	for _, f := range append(made.Files, filepath.Dir(config)) {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
	for name, want := range map[string]string{"used.example": "v=spf1 a:mail.used.example include:other.example -all", "_dmarc.used.example": "v=DMARC1; p=reject",
		"galley-rsa._domainkey.used.example": "v=DKIM1; k=rsa; p=", "galley-ed25519._domainkey.used.example": "v=DKIM1; k=ed25519; p="} {
		found := false
		for _, r := range made.Records {
			found = found || r.Name == name && strings.HasPrefix(r.Value, want)
		}
		if !found {
			t.Errorf("no record %s %s…: %+v", name, want, made.Records)
		}
	}
	cfg, err := Load(config)
	if err != nil {
		t.Fatal(err)
	}
	n := cfg.Newsletters[0]
	if n.Name != `Say "Hi" & <More>` || n.ID != "say-hi-more" || n.Slot == nil || cfg.Web.URL != "https://used.example" || cfg.SMTP.Security != TLS ||
		n.IMAP.Host != "imap.used.example" || len(cfg.DKIM) != 2 || n.Editors[0].Name != "Ada Lovelace" || n.Postal != "1 Row, Town" {
		t.Errorf("read as %+v", cfg)
	}
	before := file(t, filepath.Dir(config), "dkim-rsa.pem")
	code, _, errs = begin(t, config, "", words...)
	if code != exitFailed || !strings.Contains(errs, "already there") || !bytes.Equal(before, file(t, filepath.Dir(config), "dkim-rsa.pem")) {
		t.Errorf("the second time: %d %s", code, errs)
	}
}

// Whoever gives no flags is asked, with what can be guessed in brackets; a bad
// answer is asked for again.
func TestInitByQuestions(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "galley.toml")
	code, out, errs := begin(t, config, "The Press\nthe press\nthe.press@gmail.com\nAda <ada@used.example>\n\nsometime\n\n\n\n\n\n")
	if code != exitOK {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	golden(t, "golden/init-questions.txt", strings.ReplaceAll(errs+"\n"+out, dir, "DIR"))
	golden(t, "golden/init.toml", string(file(t, dir, "galley.toml")))
	if _, err := os.Stat(filepath.Join(dir, "dkim-rsa.pem")); err == nil {
		t.Error("a key for a domain whose DNS is not ours")
	}
	cfg, err := Load(config)
	if err != nil || cfg.SMTP.Host != "smtp.gmail.com" || cfg.SMTP.Port != 587 || cfg.Newsletters[0].IMAP.Host != "imap.gmail.com" {
		t.Errorf("read as %+v, %v", cfg, err)
	}
}

// Answers that end early write nothing, and the flags are named.
func TestInitEndsEarly(t *testing.T) {
	for name, c := range map[string]struct {
		answers string
		words   []string
		want    string
	}{
		"no answers":   {"", nil, "give --name, --address and --editor"},
		"half of them": {"The Press\nnews@used.example\n", nil, "ended early"},
		"a bad flag":   {"", []string{"--address", "nobody"}, "--address: "},
		"a bad slot":   {"", []string{"--slot", "saturday 25:00 Mars/Base"}, "--slot: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			code, _, errs := begin(t, filepath.Join(dir, "galley.toml"), c.answers, c.words...)
			left, err := os.ReadDir(dir)
			if code != exitFailed || !strings.Contains(errs, c.want) || err != nil || len(left) > 0 {
				t.Errorf("exit code %d, %q, left %v", code, errs, left)
			}
		})
	}
}

func TestServerOfAWord(t *testing.T) {
	for in, want := range map[string]string{
		"smtp.a.example": "smtp.a.example 587 starttls", "smtp.a.example:465": "smtp.a.example 465 tls", "127.0.0.1:2525": "127.0.0.1 2525 plain",
		"smtp.a.example:2525": "smtp.a.example 2525 starttls", "localhost:587": "localhost 587 starttls",
	} {
		host, p, security := server(in, 587)
		if got := strings.Join([]string{host, strconv.Itoa(p), security}, " "); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
