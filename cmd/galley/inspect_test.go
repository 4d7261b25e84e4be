package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galley/compose/corpora"
	"galley/inbox"
)

func inspect(t *testing.T, words ...string) (out []inbox.Inspection, code int) {
	t.Helper()
	code, stdout, stderr := command(t, append([]string{"inspect"}, words...)...)
	if stderr != "" {
		t.Fatalf("inspect: %s", stderr)
	}
	for line := range strings.Lines(stdout) {
		var i inbox.Inspection
		if err := json.Unmarshal([]byte(line), &i); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		out = append(out, i)
	}
	return out, code
}

func mailFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mail.eml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "\n", "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const readersMail = `From: Ada Reader <ada@lab.example>
To: news@rct.example
Subject: Re: #130
Date: Sat, 16 Jul 2022 10:00:00 -0400
Message-ID: <one@lab.example>
In-Reply-To: <130.1.x@rct.example>

Loved this. Have you seen https://example.org/x?utm_source=mail for the Random section?

On Sat, Jul 16, 2022 at 9:00 AM Research Computing Teams <news@rct.example> wrote:
> See https://example.org/quoted
`

func TestInspectAReadersMail(t *testing.T) {
	path := mailFile(t, readersMail)
	got, code := inspect(t, path)
	if code != exitOK || len(got) != 1 {
		t.Fatalf("exit code %d, %d objects", code, len(got))
	}
	i := got[0]
	if i.File != path || i.Kind != inbox.Suggestion || i.From.Address != "ada@lab.example" || i.From.Name != "Ada Reader" ||
		i.Date != "2022-07-16T10:00:00-04:00" || i.MessageID != "<one@lab.example>" || i.InReplyTo != "<130.1.x@rct.example>" {
		t.Errorf("%+v", i)
	}
	if len(i.Links) != 1 || i.Links[0].URL != "https://example.org/x?utm_source=mail" || i.Links[0].Canonical != "https://example.org/x" ||
		!strings.Contains(i.Links[0].Note, "Random section") {
		t.Errorf("links: %+v", i.Links)
	}
	if strings.Contains(i.Visible, "quoted") || !strings.Contains(i.Text, "quoted") {
		t.Errorf("visible %q", i.Visible)
	}
	if i.Sender.Evidence != "none" || i.Sender.Editor {
		t.Errorf("sender: %+v", i.Sender)
	}
}

func TestInspectManyFilesAndOneThatIsMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "nothing.eml")
	got, code := inspect(t, mailFile(t, readersMail), missing, mailFile(t, readersMail))
	if code != exitFaults || len(got) != 3 || got[1].Error == "" || got[1].File != missing || got[2].Kind != inbox.Suggestion {
		t.Errorf("exit code %d: %+v", code, got)
	}
}

func TestInspectABareReply(t *testing.T) {
	path := mailFile(t, "Thanks!\n\n> quoted\n")
	got, _ := inspect(t, "--as", "text", path)
	if strings.TrimSpace(got[0].Visible) != "Thanks!" {
		t.Errorf("text: %q", got[0].Visible)
	}
	path = mailFile(t, "<div>Thanks!</div><blockquote type=\"cite\">quoted</blockquote>")
	got, _ = inspect(t, "--as", "html", path)
	if strings.TrimSpace(got[0].Visible) != "Thanks!" {
		t.Errorf("html: %q", got[0].Visible)
	}
}

// With a configuration an editor's draft is one; without one nobody is an
// editor.
func TestInspectAnEditorsDraft(t *testing.T) {
	path := mailFile(t, "From: Ines <ines@ines.example>\nTo: letter@quiet.example\nSubject: #12\nDate: Sat, 21 Nov 2026 08:00:00 +0000\n"+
		"Message-ID: <d@ines.example>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n"+string(demoDraft))
	got, _ := inspect(t, path)
	if got[0].Kind == inbox.Draft || got[0].Draft != nil || got[0].Sender.Editor {
		t.Errorf("without a configuration: %s, %+v", got[0].Kind, got[0].Sender)
	}
	config := writeConfig(t)
	got, _ = inspect(t, "--config", config, path)
	i := got[0]
	if i.Kind != inbox.Draft || i.Draft == nil || !i.Sender.Editor || i.Sender.Evidence != "none" {
		t.Fatalf("with a configuration: %s (%s), %+v", i.Kind, i.Reason, i.Sender)
	}
	if i.Draft.Front.Title != "#12 - 21 Nov 2026" || !strings.Contains(i.Draft.Markdown, "## Looking After People") {
		t.Errorf("draft: %+v", i.Draft.Front)
	}
}

// writeConfig writes the configuration of a newsletter that has servers in
// name only.
func writeConfig(t *testing.T) string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "galley.toml")
	text := `[smtp]
host = "localhost"
security = "plain"

[[newsletter]]
id = "quiet"
name = "Quiet Machines"
address = "letter@quiet.example"
postal_address = "3 Harbour Lane"
editors = ["Ines <ines@ines.example>"]

[newsletter.imap]
host = "localhost"
security = "plain"
user = "letter"
password_env = "GALLEY_TEST_PASSWORD"
`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

// Whole corpora in one run: an object a file and no crash.
func TestInspectCorpora(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	files, err := filepath.Glob(filepath.Join(corpora.Dir(t), "bounces-mailman/files/*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no bounces: %v", err)
	}
	got, _ := inspect(t, files...)
	bounces := 0
	for _, i := range got {
		if i.Kind == inbox.Bounce && len(i.Bounces) > 0 {
			bounces++
		}
	}
	t.Logf("%d of %d are bounces", bounces, len(files))
	if len(got) != len(files) || bounces*100 < 90*len(files) {
		t.Errorf("%d objects for %d files, %d bounces", len(got), len(files), bounces)
	}
}

// Odd files each get an answer, and none ends the run.
func TestInspectOddFiles(t *testing.T) {
	huge := filepath.Join(t.TempDir(), "huge")
	if err := os.WriteFile(huge, []byte("From: a@b.example\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 3<<30); err != nil { // a hole: nobody reads it whole
		t.Fatal(err)
	}
	const head = "From: a@b.example\nSubject: s\n\n"
	got, code := inspect(t, mailFile(t, ""), mailFile(t, "\x00\xff\x80"), mailFile(t, strings.ReplaceAll(head+"cr", "\n", "\r")),
		mailFile(t, "From x@y Mon Jan  3 10:00:00 2000\n"+head+"mbox\n"), huge, t.TempDir())
	if code != exitFaults || len(got) != 6 {
		t.Fatalf("exit code %d, %d objects", code, len(got))
	}
	for i, want := range []string{"quarantine no header", "quarantine no header", "letter cr", "letter mbox", "quarantine 25 MiB"} {
		kind, part, _ := strings.Cut(want, " ")
		if g := got[i]; string(g.Kind) != kind || !strings.Contains(g.Reason+g.Text, part) {
			t.Errorf("%d: %s %q %q, want %s", i, g.Kind, g.Reason, g.Text, want)
		}
	}
	if strings.Contains(got[3].Sender.Why, "not plain") {
		t.Errorf("the line of the mbox file is taken for a field: %q", got[3].Sender.Why)
	}
	if got[5].Error == "" {
		t.Error("a folder is no mail")
	}
}
