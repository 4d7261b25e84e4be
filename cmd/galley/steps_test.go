package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foxcpp/go-mockdns"

	"galley/send/servertest"
)

// steps are the commands that the README's five steps show.
func steps(t *testing.T) []string {
	t.Helper()
	_, rest, ok := strings.Cut(readme(t), "## A mailbox of your own")
	if !ok {
		t.Fatal("the README shows no steps")
	}
	_, rest, _ = strings.Cut(rest, "```console\n")
	block, _, _ := strings.Cut(rest, "```")
	var out []string
	for line := range strings.Lines(block) {
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(line, "$ "), "\n"))
	}
	if len(out) != 7 {
		t.Fatalf("the steps are %q", out)
	}
	return out
}

// TestStepsOfTheReadme goes from the demo to a real mailbox as a newcomer does,
// with the commands that stand in the README and in an order that they stand
// in. Only the hosts are other ones, and the DNS.
func TestStepsOfTheReadme(t *testing.T) {
	servertest.Need(t, "dovecot", "postfix")
	t.Parallel()
	d := servertest.StartDovecot(t, servertest.DovecotOptions{Users: []string{"news", "jonathan"}})
	signs, records := servertest.MilterSigner(t, "rct.example")
	p := servertest.StartPostfix(t, servertest.PostfixOptions{Dovecot: d, Domains: []string{"rct.example"}, Signs: signs, Judges: servertest.MilterJudges(t, records)})
	home := t.TempDir()
	bin := filepath.Join(home, "bin")
	put(t, filepath.Join(home, "readers.csv"), "address\nada@rct.example\n", 0o600)
	var folder string
	run := func(where, line string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Dir = where
		cmd.Env = append(os.Environ(), "GOBIN="+bin, "PATH="+bin+":"+os.Getenv("PATH"))
		if !strings.HasPrefix(line, "go ") { // Go's own folders are elsewhere
			cmd.Env = append(cmd.Env, "HOME="+home)
		}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	all := steps(t)
	for i, line := range all[:len(all)-1] {
		where := folder
		if i == 0 {
			where = root
		} else if folder == "" {
			where = home
		}
		out, err := run(where, line)
		switch {
		case err != nil:
			t.Fatalf("$ %s\n%s%v", line, out, err)
		case strings.HasPrefix(line, "mkdir"):
			folder = filepath.Join(home, "press")
			put(t, filepath.Join(folder, "readers.csv"), "address\nada@rct.example\n", 0o600)
		case strings.HasPrefix(line, "galley init"):
			zones := map[string]mockdns.Zone{"rct.example.": {MX: []net.MX{{Host: "mx.rct.example.", Pref: 10}}}, "mx.rct.example.": {A: []string{"198.51.100.8"}}}
			for _, m := range regexp.MustCompile(`(?m)^  (\S*rct\.example)\n  (v=.*)$`).FindAllStringSubmatch(out, -1) {
				z := zones[m[1]+"."]
				z.TXT = []string{m[2]}
				zones[m[1]+"."] = z
			}
			zones["s._domainkey.rct.example."] = mockdns.Zone{TXT: []string{records["s._domainkey.rct.example"]}}
			if len(zones) != 6 {
				t.Fatalf("init shows these records:\n%s", out)
			}
			text := string(file(t, folder, "galley.toml"))
			for _, c := range [][2]string{
				{`host = "smtp.rct.example"`, `host = "127.0.0.1"`}, {"port = 587\nsecurity = \"starttls\"", fmt.Sprintf("port = %d\nsecurity = \"plain\"", p.Submission)},
				{`host = "imap.rct.example"`, `host = "127.0.0.1"`}, {"port = 993\nsecurity = \"tls\"", fmt.Sprintf("port = %d\nsecurity = \"plain\"", d.IMAP)},
				{"[log]", fmt.Sprintf("resolver = %q\n[log]", servertest.StartDNS(t, zones))},
			} {
				if !strings.Contains(text, c[0]) {
					t.Fatalf("galley.toml has no %q:\n%s", c[0], text)
				}
				text = strings.Replace(text, c[0], c[1], 1)
			}
			put(t, filepath.Join(folder, "galley.toml"), text, 0o600)
		case strings.HasPrefix(line, "echo"):
			put(t, filepath.Join(folder, "mail.password"), servertest.Password+"\n", 0o600)
		case line == "galley check":
			for _, want := range []string{"ok       reply path of", "ok       clock", "ok       spf rct.example", "your server writes mx.test"} {
				if !strings.Contains(out, want) {
					t.Errorf("check does not say %q:\n%s", want, out)
				}
			}
		}
	}
	serve(t, all[len(all)-1], folder, bin, func() {
		r := &real{t: t, dovecot: d, postfix: p}
		r.until("a hello to the editor", 30*time.Second, func() bool { return len(r.box("jonathan")) > 0 })
		hello := r.box("jonathan")[0]
		r.swaks("jonathan", "jonathan@rct.example", hello.ReplyTo[0].Addr, "Re: "+hello.Subject, "hello")
		draft := filepath.Join(folder, "first.md")
		put(t, draft, "---\ntitle: The first one\n---\n\nHello, this is the [first](https://example.org/) issue.\n", 0o600)
		r.swaks("jonathan", "jonathan@rct.example", "news@rct.example", "The first one", "Here it is.", "--attach-type", "text/markdown", "--attach-name", "first.md", "--attach", "@"+draft)
		r.until("a proof for the editor", 30*time.Second, func() bool {
			box := r.box("jonathan")
			return slices.ContainsFunc(box, func(m letter) bool { return strings.HasPrefix(m.Subject, "Proof 1 of ") })
		})
	})
}

// serve runs the last step until work is done, and ends it as systemd does.
func serve(t *testing.T, line, folder, bin string, work func()) {
	t.Helper()
	log, err := os.Create(filepath.Join(folder, "serve.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	words := strings.Fields(line)
	cmd := exec.Command(filepath.Join(bin, words[0]), words[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill() // nothing, when it has ended
	defer func() {
		if t.Failed() {
			t.Logf("the daemon says\n%s", file(t, folder, "serve.log"))
		}
	}()
	work()
	checkDiscreet(t, string(file(t, folder, "serve.log")), folder)
	if n := strings.Count(string(file(t, folder, "serve.log")), "msg=ready"); n != 1 {
		t.Errorf("it says %d times that it is ready", n)
	}
	ended := make(chan error, 1)
	cmd.Process.Signal(os.Interrupt)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it does not end")
	}
}
