package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galley/inbox"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", name, got, want)
	}
}

// home copies a configuration into a folder of its own, beside what it names.
func home(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return homeWith(t, string(text))
}

func homeWith(t testing.TB, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "looks"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "smtp.password"), "canary-smtp\n", 0o600)
	put(t, filepath.Join(dir, "dkim.pem"), testKey(t), 0o600)
	path := filepath.Join(dir, "galley.toml")
	put(t, path, text, 0o644)
	return path
}

func put(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask says
		t.Fatal(err)
	}
}

// testKey is enough of a key for a configuration: it is looked at and not parsed.
func testKey(testing.TB) string { return "-----BEGIN PRIVATE KEY-----\n" }

func TestEverySettingIsRead(t *testing.T) {
	path := home(t, "full.toml")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	n := c.Newsletters[0]
	for _, v := range []struct{ got, want any }{
		{c.Data, filepath.Dir(path)}, {c.Books(), filepath.Join(filepath.Dir(path), "galley.db")},
		{c.Log, Log{"debug", true, true}}, {c.Web.Listen, "127.0.0.1:8025"}, {c.Web.URL, "https://press.example.org"},
		{fmt.Sprint(c.Web.proxies()), "[127.0.0.1/32 10.0.0.0/8]"},
		{c.SMTP.Port, 587}, {c.SMTP.Connections, 8}, {c.SMTP.Messages, 50}, {c.SMTP.Window, 16}, {c.SMTP.User, "press"},
		{fmt.Sprint(c.SMTP.pace()), "{20 0.5 [{2000 1h0m0s} {20000 24h0m0s}] [50 100 500]}"}, {c.SMTP.Unsure, "hold"}, {c.SMTP.Weight, 3},
		{c.SMTP.Also[0].Host, "lmtp.example.org"}, {c.SMTP.Also[0].Protocol, "lmtp"}, {c.SMTP.Also[0].Port, 2424}, {c.SMTP.Also[0].relay().LMTP, true},
		{c.DKIM[0].KeyFile, filepath.Join(filepath.Dir(path), "dkim.pem")},
		{n.Address.String(), "News@press.example.org"}, {n.From, "Ada of The Press"}, {fmt.Sprint(n.Also), "[news@old.example.org]"},
		{n.Authserv[0], "mx.example.org"}, {n.Unchecked, true},
		{n.ReplyTo.String(), `"Ada" <ada@example.org>`}, {n.Approve, ApproveCode},
		{fmt.Sprint(n.Sections), "[{Random [Random things]} {Papers []}]"},
		{n.Editors[0].Name, "Ada Lovelace"}, {n.Editors[1].Address.String(), "charles@example.org"},
		{n.Words["approve"][0], "einverstanden"}, {n.Grace, Duration(0)},
		{n.IMAP.Port, 993}, {n.IMAP.Folder, "Press"}, {n.IMAP.Poll, Duration(30 * time.Second)},
		{n.IMAP.Sent, "Sent/Press"},
		{n.IMAP.Folders, Folders{"Press/In", "Press/Links", "Press/Letters", "Press/Returned", "Press/Readers", "Press/Machines", "Press/Unread", "Press/Once more"}},
		{n.IMAP.Shared, true}, {n.IMAP.Idle, Duration(0)}, {n.IMAP.Reconcile, Duration(2 * time.Hour)},
		{n.Slot.Weekday, Weekday(time.Saturday)}, {n.Slot.Time, TimeOfDay{9, 0}},
		{n.Slot.Zone.String(), "America/Toronto"}, {n.Slot.Remind[1], Duration(2 * time.Hour)},
	} {
		if v.got != v.want {
			t.Errorf("got %v, want %v", v.got, v.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	c, err := Load(home(t, "small.toml"))
	if err != nil {
		t.Fatal(err)
	}
	n, ok := c.Newsletter("")
	if !ok || n.ID != "press" {
		t.Fatal("the only newsletter was not found")
	}
	for _, v := range []struct{ got, want any }{
		{c.Log.Level, "info"}, {c.Web == nil, true}, {c.SMTP.Port, 25}, {c.SMTP.Connections, 4}, {c.SMTP.Messages, 100},
		{fmt.Sprint(c.SMTP.pace()), "{0 0 [] []}"}, {c.SMTP.Unsure, "resend"}, {c.SMTP.Protocol, "smtp"}, {c.SMTP.Weight, 1},
		{n.Pattern, "local+KIND-TOKEN@domain"}, {n.From, "The Press"}, {n.Lang, "en"}, {n.Archive, "/newsletter_issues"},
		{n.Approve, ApproveProof}, {n.Grace, Duration(10 * time.Minute)}, {n.Slot == nil, true},
		{n.IMAP.Port, 143}, {n.IMAP.Folder, "INBOX"}, {n.IMAP.Sent, "Sent"}, {n.IMAP.Shared, false}, {n.IMAP.Poll, Duration(time.Minute)},
		{n.IMAP.Folders, Folders(inbox.DefaultFolders())}, {n.IMAP.Idle, Duration(9 * time.Minute)}, {n.IMAP.Reconcile, Duration(time.Hour)},
	} {
		if v.got != v.want {
			t.Errorf("got %v, want %v", v.got, v.want)
		}
	}
	s, err := n.IMAP.Secret(t.Context())
	if err != nil || s.Reveal() != "hush" {
		t.Errorf("password_command gave %q, %v", s.Reveal(), err)
	}
}

// One run tells everything that is wrong, each with its line and what to do.
func TestAllFaultsAtOnce(t *testing.T) {
	path := home(t, "faults.toml")
	_, err := Load(path)
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(faults.Error(), filepath.Dir(path)+"/", "")
	golden(t, "faults.golden", got+"\n")
	for _, f := range faults {
		if f.Remedy == "" || f.Line == 0 {
			t.Errorf("no remedy or no line: %v", f)
		}
	}
}

// Each change of a good file is one fault, on its line.
func TestOneFault(t *testing.T) {
	small, err := os.ReadFile(filepath.Join("testdata", "small.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"[smtp]\nhost = \"localhost\"\nsecurity = \"plain\"", "", "galley.toml: smtp.host: missing; name the server"},
		{"host = \"localhost\"", "host = \"relay.example.org\"\nuser = \"x\"\npassword_env = \"X\"", ":5: smtp.security: the password would cross the network in the clear"},
		{"host = \"localhost\"", "host = \"localhost\"\nuser = \"x\"", ":3: smtp.user: a user without a password"},
		{"host = \"localhost\"", "host = \"localhost\"\npassword_env = \"x\"", ":3: smtp.password_env: a password without a user"},
		{"host = \"localhost\"", "host = \"localhost\"\nhello = \"x\"", ":3: smtp.hello: "},
		{"host = \"localhost\"\nsecurity = \"plain\"", "protocol = \"mx\"\nhello = \"press.example.org\"", ""},
		{"host = \"localhost\"\nsecurity = \"plain\"", "protocol = \"mx\"", ":1: smtp.hello: the readers' servers want to know who calls"},
		{"host = \"localhost\"", "host = \"localhost\"\nhello = \"press.example.org\"\nprotocol = \"mx\"", ":2: smtp.host: mail that goes straight to the readers' servers has no next hop"},
		{"host = \"localhost\"", "host = \"localhost\"\nconnections = 0", ""},
		{"host = \"localhost\"", "host = \"localhost\"\nport = 70000", ":3: smtp.port: 70000 is out of range"},
		{"127.0.0.1", "192.0.2.1", ":13: newsletter.imap.security: plain IMAP is for this machine alone"},
		{"127.0.0.1", "::1", ""}, {"127.0.0.1", "LOCALHOST", ""},
		{"editors = [\"ada@example.org\"]", "", ":5: newsletter.editors: nobody may send drafts"},
		{"ada@example.org", "NEWS@example.org", ":9: newsletter.editors: NEWS@example.org is the newsletter's own mailbox"},
		{"[newsletter.imap]", "[newsletter.slot]\ntime = \"09:00\"\nzone = \"Local\"\n[newsletter.imap]", ":13: newsletter.slot.zone: \"Local\" is no time zone"},
		{"[newsletter.imap]", "[newsletter.slot]\ntime = \"09:00\"\nzone = \"UTC\"\n[newsletter.imap]", ":11: newsletter.slot.weekday: missing; add weekday"},
		{"[newsletter.imap]", "grace = \"-1m\"\n[newsletter.imap]", ":11: newsletter.grace: "},
		{"[newsletter.imap]", "grace = \"13h\"\n[newsletter.imap]", ":11: newsletter.grace: "},
		{"[newsletter.imap]", "address_pattern = \"none\"\n[newsletter.imap]", ""},
		{"[newsletter.imap]", "address_pattern = \"KIND.TOKEN@in.example.org\"\n[newsletter.imap]", ""},
		{"[newsletter.imap]", "address_pattern = \"local KIND-TOKEN@domain\"\n[newsletter.imap]", ":11: newsletter.address_pattern: "},
		{"[newsletter.imap]", "address_pattern = \"KIND-TOKEN@elsewhere\"\n[newsletter.imap]", ":11: newsletter.address_pattern: "},
		{"[newsletter.imap]", "archive = \"/a/../b\"\n[newsletter.imap]", ":11: newsletter.archive: "},
		{"[newsletter.imap]", "archive = \"/u/x\"\n[newsletter.imap]", ":11: newsletter.archive: "},
		{"[newsletter.imap]", "archive = \"/a/b\"\n[newsletter.imap]", ""},
		{"[newsletter.imap]", "reply_to = \"Ada <ada@>\"\n[newsletter.imap]", ":11: newsletter.reply_to: "},
		{"[newsletter.imap]", "[newsletter.imap]\nfolders = { again = \"INBOX\" }", ":12: newsletter.imap.folders.again: \"INBOX\" is where mail comes in"},
		{"[newsletter.imap]", "[newsletter.imap]\nfolders = { drafts = \"inbox\" }", ":12: newsletter.imap.folders.drafts: \"inbox\" is where mail comes in"},
		{"[newsletter.imap]", "[newsletter.imap]\nfolders = { letters = \"X\", again = \"X\" }", ":12: newsletter.imap.folders.again: \"X\" is also"},
		{"[newsletter.imap]", "[newsletter.imap]\nfolders = { again = \"Sent\" }", ":12: newsletter.imap.folders.again: \"Sent\" is also"},
		{"[newsletter.imap]", "[newsletter.imap]\nfolders = { letters = \"X\\nY\" }", ":12: newsletter.imap.folders.letters: "},
		{"[newsletter.imap]", "[newsletter.imap]\nfolders = { letters = \"In*\" }", ":12: newsletter.imap.folders.letters: "},
		{"[newsletter.imap]", "[newsletter.imap]\nfolders = { letters = \"X\", drafts = \"X\" }", ""},
		{"[smtp]", "data = \"galley.toml\"\n[smtp]", ":1: data: "},
		{"[smtp]", "database = \"mysql://x\"\n[smtp]", ":1: database: this kind of database is not known"},
		{"[smtp]", "[web]\nurl = \"http://127.0.0.1:8025\"\n[smtp]", ""},
		{"[smtp]", "[web]\nlisten = \":8025\"\nurl = \"https://x.example/y\"\n[smtp]", ":3: web.url: "},
		{"[smtp]", "[web]\n[smtp]", ":1: web.url: \"\" is no web address"},
		{"[smtp]", "x = [1\n[smtp]", ":2: not TOML: "},
		{"[newsletter.imap]", "[[newsletter]]\nid = \"press\"\nname = \"P\"\naddress = \"NEWS@example.org\"\neditors = [\"ada@example.org\"]\n[newsletter.imap]",
			":12: newsletter.id: \"press\" is there twice"},
	} {
		path := homeWith(t, strings.Replace(string(small), c.old, c.new, 1))
		_, err := Load(path)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.new, err, c.want)
		}
	}
}

// Whatever stands in a file, it is a configuration or a list of faults with
// lines of that file.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"full.toml", "small.toml", "faults.toml"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, s := range []string{"", "[dkim]\n[dkim]", "dkim = 3", "[[smtp]]\nhost=1", "smtp.host.x = 1", "newsletter = [{id = 1}, {imap = {host = 2}}]", "[dkim.x]\n[[dkim]]", "a = \"\"\"\n\n", "[ dkim ] # [x]", "[newsletter]\nid='x'", "\"a\\nb\" = 1"} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "galley.toml")
		put(t, path, text, 0o600)
		c, err := Load(path)
		var faults Faults
		if err == nil {
			if c == nil || len(c.Newsletters) == 0 || c.SMTP.Host == "" {
				t.Fatalf("accepted: %+v", c)
			}
			return
		}
		if !errors.As(err, &faults) || len(faults) == 0 || c != nil {
			t.Fatalf("%v", err)
		}
		for _, one := range faults {
			if one.Line < 0 || one.Line > strings.Count(text, "\n")+1 || strings.Contains(one.String(), "\n") {
				t.Fatalf("a fault of line %d: %q", one.Line, one)
			}
		}
	})
}
