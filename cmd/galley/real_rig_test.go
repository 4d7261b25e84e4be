package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foxcpp/go-mockdns"

	"galley/inbox/mime"
	"galley/send/servertest"
	"galley/send/store"
)

// real is the world of real servers: Dovecot, Postfix with its milters, a DNS
// server, and a daemon whose configuration galley init has written.
type real struct {
	t       *testing.T
	dir     string
	dovecot *servertest.Dovecot
	postfix *servertest.Postfix
	dns     string            // address of the DNS server
	records map[string]string // TXT records in it
	web     string            // where the daemon serves its pages
	d       *daemon
	h       *house
}

const (
	realDomain = "quiet.example"
	realBox    = "letter@quiet.example"
	realEditor = "ines@ines.example"
)

// whole tells that tests run where the real servers are, with the full counts
// of their bars; else they are smaller, for whoever has Go alone.
func whole() bool {
	return os.Getenv("GALLEY_SERVERS") != "" && !testing.Short() && !raceDetector // which finds in a few what it finds in many
}

// newReal starts the servers, and writes the configuration as an operator
// does. books is the URL of a database, "" for SQLite.
func newReal(t *testing.T, readers int, books string) *real {
	t.Helper()
	servertest.Need(t, "dovecot", "postfix", "opendkim", "opendmarc", "swaks")
	t.Parallel() // they wait more than they work
	users := []string{"letter", "ines", "owner"}
	for i := range readers {
		users = append(users, fmt.Sprintf("reader%04d", i))
	}
	r := &real{t: t, dir: filepath.Join(t.TempDir(), "press")}
	r.dovecot = servertest.StartDovecot(t, servertest.DovecotOptions{Users: users})
	signs, records := servertest.MilterSigner(t, "ines.example", "mallory.example")
	records["_dmarc.ines.example"] = "v=DMARC1; p=reject"
	r.records = records
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.web = free.Addr().String()
	free.Close()
	r.found(r.init("127.0.0.1:1", "127.0.0.1:1")) // the keys come first: the milters and the DNS want their records
	r.postfix = servertest.StartPostfix(t, servertest.PostfixOptions{Dovecot: r.dovecot,
		Domains: []string{realDomain, "ines.example", "readers.example", "mallory.example"}, Signs: signs, Judges: servertest.MilterJudges(t, r.records)})
	r.dns = servertest.StartDNS(t, r.zones(""))
	r.edit(books)
	t.Cleanup(r.end)
	return r
}

// zones are the records in the DNS but one: those that galley init shows, and
// the MX record of a newsletter whose mailbox exists.
func (r *real) zones(without string) map[string]mockdns.Zone {
	zones := map[string]mockdns.Zone{"mx." + realDomain + ".": {A: []string{"198.51.100.8"}}}
	for name, text := range r.records {
		if name != without {
			zones[name+"."] = mockdns.Zone{TXT: []string{text}}
		}
	}
	own := zones[realDomain+"."]
	own.MX = []net.MX{{Host: "mx." + realDomain + ".", Pref: 10}}
	zones[realDomain+"."] = own
	return zones
}

// change edits the configuration; the daemon reads it at its next start.
func (r *real) change(old, new string) {
	r.t.Helper()
	text := string(file(r.t, r.dir, "galley.toml"))
	if !strings.Contains(text, old) {
		r.t.Fatalf("the configuration has no %q", old)
	}
	put(r.t, r.config(), strings.Replace(text, old, new, 1), 0o600)
}

func (r *real) config() string { return filepath.Join(r.dir, "galley.toml") }

// init runs galley init with flags and gives its JSON.
func (r *real) init(imap, smtp string) []byte {
	r.t.Helper()
	cmd := program(r.t, r.config(), "init", "--name", "Research Computing Teams", "--id", "rct", "--address", realBox, "--user", "letter",
		"--editor", "Ines Moreau <"+realEditor+">", "--imap", imap, "--smtp", smtp, "--postal", "3 Harbour Lane, Example Town",
		"--url", "https://quiet.example", "--resolver", "127.0.0.1:9", "--json")
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("galley init: %v\n%s", err, out)
	}
	return out
}

// found reads what init shows for the DNS.
func (r *real) found(out []byte) {
	r.t.Helper()
	for _, m := range regexp.MustCompile(`"name":"([^"]+)","type":"TXT","value":"([^"]+)"`).FindAllSubmatch(out, -1) {
		r.records[string(m[1])] = string(m[2])
	}
	if len(r.records) < 6 {
		r.t.Fatalf("init shows %s", out)
	}
}

// edit writes into the configuration what an operator writes there.
func (r *real) edit(books string) {
	r.t.Helper()
	imap, smtp := fmt.Sprint(r.dovecot.IMAP), fmt.Sprint(r.postfix.Submission)
	for _, change := range [][2]string{
		{"[log]", fmt.Sprintf("check_links = false\nresolver = %q\ndatabase = %q\n[log]\naddresses = false", r.dns, books)},
		{"port = 1\n", "port = " + smtp + "\n"}, {"port = 1\n", "port = " + imap + "\n"},
		{`listen = "127.0.0.1:8025"`, fmt.Sprintf("listen = %q", r.web)},
		{`# authserv_ids = ["mx.example.org"]`, "authserv_ids = [\"mx.test\"]\nauthserv_unchecked = true"},
		{`# grace = "10m"`, "grace = \"0s\"\nhello = false"},
	} {
		r.change(change[0], change[1])
	}
	put(r.t, filepath.Join(r.dir, "mail.password"), servertest.Password+"\n", 0o600)
}

// galley runs a command beside the daemon.
func (r *real) galley(stdin string, args ...string) string {
	r.t.Helper()
	cmd := program(r.t, r.config(), args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("galley %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// readers puts n people on the list whose mailboxes exist, and some without.
func (r *real) readers(n, gone int) {
	r.t.Helper()
	var csv strings.Builder
	csv.WriteString("address,date\n")
	for i := range n {
		fmt.Fprintf(&csv, "reader%04d@readers.example,2024-03-09\n", i)
	}
	for i := range gone {
		fmt.Fprintf(&csv, "gone%d@readers.example,2024-03-09\n", i)
	}
	r.galley(csv.String(), "list", "import", "-")
}

func (r *real) start() {
	r.t.Helper()
	r.shut()
	r.d = startDaemon(r.t, r.config(), nil)
	if r.logged("msg=ready") == 0 { // what lies in the mailbox before the first start is left alone
		r.until("the daemon is ready", time.Minute, func() bool { return r.logged("msg=ready") > 0 })
	}
}

// stop ends the daemon as systemd does.
func (r *real) stop() {
	r.t.Helper()
	r.shut()
	if err := r.d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	r.d.bury()
}

func (r *real) end() {
	if r.d != nil {
		r.shut()
		r.d.kill()
		r.d.bury()
	}
	checkLog(r.t, r.config())
}

func (r *real) shut() {
	if r.h != nil {
		r.h.close()
		r.h = nil
	}
}

// number reads one number out of the books.
func (r *real) number(query string, args ...any) (n int) {
	r.t.Helper()
	if r.h == nil {
		cfg, err := Load(r.config())
		if err != nil {
			r.t.Fatal(err)
		}
		if r.h, err = build(r.t.Context(), cfg, slog.New(slog.DiscardHandler)); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := r.h.db.View(r.t.Context(), func(tx *store.Tx) error { return tx.QueryRowContext(r.t.Context(), query, args...).Scan(&n) }); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// until waits for something to be so.
func (r *real) until(what string, within time.Duration, so func() bool) time.Duration {
	r.t.Helper()
	began := time.Now()
	for !so() {
		if time.Since(began) > within {
			r.t.Fatalf("not %s in %v", what, within)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

// letter is a mail in somebody's mailbox.
type letter struct {
	*mime.Message
	raw []byte // with CRLF
}

// box is what lies in somebody's mailbox.
func (r *real) box(user string) []letter {
	r.t.Helper()
	var out []letter
	for _, raw := range r.dovecot.Messages(user, "INBOX") {
		raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		m, err := mime.Read(raw)
		if err != nil {
			r.t.Fatal(err)
		}
		out = append(out, letter{m, raw})
	}
	return out
}

// paper waits for a mail of the desk whose Subject begins so.
func (r *real) paper(beginning string) letter {
	r.t.Helper()
	var found letter
	seen := []string{}
	defer func() {
		if r.t.Failed() {
			r.t.Logf("the editor's mailbox holds %q", seen)
		}
	}()
	r.until("a mail to the editor: "+beginning, 3*time.Minute, func() bool {
		seen = seen[:0]
		for _, l := range r.box("ines") {
			seen = append(seen, l.Subject)
			if strings.HasPrefix(l.Subject, beginning) {
				found = l
			}
		}
		return found.Message != nil
	})
	return found
}

// swaks mails from somebody's account by the provider's server.
func (r *real) swaks(user, from, to, subject, body string, more ...string) {
	r.t.Helper()
	args := append([]string{"--server", fmt.Sprintf("127.0.0.1:%d", r.postfix.Submission), "--auth", "PLAIN", "--auth-user", user, "--auth-password", servertest.Password,
		"--from", from, "--to", to, "--header", "Subject: " + subject, "--body", body, "--suppress-data"}, more...)
	out, err := exec.CommandContext(soon(r.t), "swaks", args...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("swaks: %v\n%s", err, out)
	}
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// reply answers a mail of the desk with swaks, as a mail program does that
// quotes below.
func (r *real) reply(l letter, words string) {
	r.t.Helper()
	to := realBox
	if len(l.ReplyTo) > 0 {
		to = l.ReplyTo[0].Addr
	}
	quote := "> " + strings.ReplaceAll(strings.TrimSpace(strings.ReplaceAll(l.Plain, "\r", "")), "\n", "\n> ")
	r.swaks("ines", realEditor, to, "Re: "+l.Subject, fmt.Sprintf("%s\n\nOn %s, %s wrote:\n%s\n", words, field(l.raw, "Date"), field(l.raw, "From"), quote),
		"--header", "In-Reply-To: "+l.MessageID, "--header", "References: "+l.MessageID)
}

// muttrc is the configuration of the editor's mutt; edit is a shell command
// that changes the file "$1" as she does in her editor.
func (r *real) muttrc(edit, keys string) (home, rc string) {
	r.t.Helper()
	servertest.Need(r.t, "mutt", "script")
	home = r.t.TempDir()
	put(r.t, filepath.Join(home, "edit"), "#!/bin/sh\n"+edit+"\n", 0o700)
	rc = filepath.Join(home, "muttrc")
	put(r.t, rc, fmt.Sprintf(`set smtp_url="smtp://ines:%s@127.0.0.1:%d"
set from=%q realname="Ines Moreau" use_from=yes use_envelope_from=yes envelope_from_address=%q hostname="ines.example"
set folder=%q spoolfile="imap://ines:%s@127.0.0.1:%d/INBOX"
set editor=%q autoedit fast_reply include=yes reply_to=yes abort_unmodified=no abort_nosubject=no copy=no mark_old=no
set ssl_force_tls=no ssl_starttls=no smtp_authenticators="plain" quit=yes sort=date-received record="" postponed="" tmpdir=%q header_cache="" certificate_file=""
set beep=no wait_key=no
push %q
`, servertest.Password, r.postfix.Submission, realEditor, realEditor, home, servertest.Password, r.dovecot.IMAP, filepath.Join(home, "edit")+" %s", home, keys), 0o600)
	return home, rc
}

// muttNew mails a text with mutt.
func (r *real) muttNew(to, subject string, text []byte) {
	r.t.Helper()
	home, rc := r.muttrc("true", "")
	cmd := exec.CommandContext(soon(r.t), "mutt", "-n", "-F", rc, "-s", subject, to)
	cmd.Stdin = bytes.NewReader(text)
	cmd.Env = append(os.Environ(), "HOME="+home, "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("mutt: %v\n%s", err, out)
	}
}

// muttReply opens the editor's mailbox with mutt, on a terminal of its own,
// and answers the last mail there with words above the quote.
func (r *real) muttReply(words string) {
	r.t.Helper()
	home, rc := r.muttrc("(echo '"+words+"'; echo; cat \"$1\") >\"$1.new\" && mv \"$1.new\" \"$1\"", "<last-entry><reply><send-message><exit>")
	cmd := exec.CommandContext(soon(r.t), "script", "-qec", "mutt -n -F "+rc, "/dev/null")
	cmd.Env = append(os.Environ(), "TERM=xterm", "HOME="+home, "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("mutt: %v\n%q", err, out)
	}
}

// field is the value of a header field.
func field(raw []byte, name string) string {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err.Error()
	}
	return m.Header.Get(name)
}
