package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"galley/compose/corpora"
	"galley/send/servertest"
)

// BenchmarkIngest is goal I1: a mailbox of 20,000 messages in a Dovecot is
// taken in, in turns with mbsync without fsync and as it is by default, three
// times each. mbsync writes files and reads nothing. A message of ours is taken
// in when it was fetched, written down, parsed, told apart and sorted, durably
// and in order; the first time once more with all that comes of it: half of them
// are letters, which go on to the editor as mails of ours. Run it with
//
//	GALLEY_SERVERS=1 go test -run '^$' -bench '^BenchmarkIngest$' -benchtime 1x ./cmd/galley
//
// GALLEY_INGEST is another number of messages, GALLEY_INGEST_ROUNDS of turns,
// GALLEY_INGEST_PROFILE the name, before ".kept" and ".passed", of the profiles
// of the last time. Where others use the machine too, the time of the processor
// says more than the clock.
func BenchmarkIngest(b *testing.B) {
	servertest.Need(b, "dovecot", "mbsync")
	many, rounds := asked("GALLEY_INGEST", 20_000), asked("GALLEY_INGEST_ROUNDS", 3)
	users := []string{"answered"}
	for n := range rounds {
		users = append(users, fmt.Sprint("hasty", n), fmt.Sprint("careful", n), fmt.Sprint("sorted", n))
	}
	d := servertest.StartDovecot(b, servertest.DovecotOptions{Users: users})
	first, octets := ingestMail(b, d, users[0], many)
	for _, u := range users[1:] {
		d.Link(first, u)
	}
	b.SetBytes(octets)
	f := ingestFigures{many: many, of: map[string][]float64{}}
	b.ResetTimer()
	for n := range rounds {
		hasty, spent := pull(b, d, users[3*n+1], many, "FSync no")
		careful, _ := pull(b, d, users[3*n+2], many, "FSync yes")
		sorted := ingest(b, d, users[3*n+3], many, lettersKept)
		f.note("mbsync", hasty, spent)
		f.note("sorted", sorted.settled, sorted.cpu)
		f.add("stored-mails/s", f.rate(sorted.stored))
		f.add("times-mbsync", hasty.Seconds()/sorted.settled.Seconds())
		f.add("times-mbsync-with-fsync", careful.Seconds()/sorted.settled.Seconds())
		f.add("MiB", float64(sorted.memory)/(1<<20))
		b.Logf("mails/s: mbsync %.0f (%d µs of the processor each), with fsync %.0f; Galley stores %.0f, sorts %.0f (%d µs each), %d MiB; %.2f and %.2f times",
			f.rate(hasty), spent.Microseconds()/int64(many), f.rate(careful), f.rate(sorted.stored), f.rate(sorted.settled), sorted.cpu.Microseconds()/int64(many), sorted.memory>>20,
			hasty.Seconds()/sorted.settled.Seconds(), careful.Seconds()/sorted.settled.Seconds())
	}
	if os.Getenv("GALLEY_INGEST_ROUNDS") == "" {
		whole := ingest(b, d, users[0], many, lettersPassed)
		f.note("answered", whole.settled, whole.cpu)
		f.add("filed-mails/s", f.rate(whole.filed))
		f.add("MiB", float64(whole.memory)/(1<<20))
	}
	for unit, of := range f.of {
		b.ReportMetric(slices.Sorted(slices.Values(of))[len(of)/2], unit)
	}
	b.ReportMetric(slices.Min(f.of["times-mbsync"]), "times-mbsync-at-least")
	b.ReportMetric(slices.Max(f.of["MiB"]), "MiB-at-most")
}

// ingestFigures are what the turns have measured, by unit.
type ingestFigures struct {
	many int
	of   map[string][]float64
}

func (f *ingestFigures) add(unit string, figure float64) { f.of[unit] = append(f.of[unit], figure) }

func (f *ingestFigures) rate(took time.Duration) float64 { return float64(f.many) / took.Seconds() }

// note adds how many mails a second something has dealt with, and what one cost
// of the processor.
func (f *ingestFigures) note(name string, took, cpu time.Duration) {
	f.add(name+"-mails/s", f.rate(took))
	f.add(name+"-cpu-µs/mail", float64(cpu.Microseconds())/float64(f.many))
}

// asked is a number that the environment asks for.
func asked(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// ingestMail lays the mails of performance.md section 6 into a mailbox: half
// of them short answers, a fifth answers that quote a whole issue in HTML, a
// quarter real bounces, and some with a file.
func ingestMail(b *testing.B, d *servertest.Dovecot, user string, many int) (string, int64) {
	b.Helper()
	bounces := realBounces(b)
	issue := strings.Repeat("<p>A paragraph of an issue, with <b>words</b> in it and a <a href=\"https://example.org/piece\">link</a>, as long as paragraphs are.</p>\n", 500)
	file := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("a file "), 16_000))
	var octets int64
	for n := range many {
		head := fmt.Sprintf("Return-Path: <reader%[1]d@readers.example>\nReceived: from out.example by mx.test with ESMTP id %[1]d; Sun, 22 Nov 2026 09:00:00 +0000\nFrom: Reader %[1]d <reader%[1]d@readers.example>\nTo: %[2]s\nSubject: Re: #12 - 21 Nov 2026\nDate: Sun, 22 Nov 2026 09:00:00 +0000\nMessage-ID: <answer-%[1]d@readers.example>\nIn-Reply-To: <12.%[1]d@quiet.example>\nMIME-Version: 1.0\n", n, crashBox)
		var raw string
		switch n % 20 {
		case 0, 2, 4, 6, 8, 10, 12, 14, 16, 18:
			raw = head + "Content-Type: text/plain; charset=utf-8\n\nThe part about the binder made me smile.\n\nOn Sat, 21 Nov 2026, Quiet Machines wrote:\n> What to write on the back of a binder\n> and more of it\n"
		case 1, 3, 7, 9:
			raw = head + "Content-Type: text/html; charset=utf-8\n\n<div>What a fine issue, thank you!</div><div class=\"gmail_quote\">On Sat, 21 Nov 2026, Quiet Machines wrote:<blockquote type=\"cite\">" + issue + "</blockquote></div>\n"
		case 5:
			raw = head + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHere is the photo.\n--b\nContent-Type: image/jpeg; name=photo.jpg\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\n" + lines(file, 76) + "--b--\n"
		default:
			raw = string(bounces[n%len(bounces)]) + fmt.Sprintf("\n%d\n", n)
		}
		octets += int64(len(raw))
		if err := d.Store(user, n, []byte(raw)); err != nil {
			b.Fatal(err)
		}
	}
	return user, octets
}

func lines(s string, width int) string {
	var out strings.Builder
	for part := range slices.Chunk([]byte(s), width) {
		out.Write(part)
		out.WriteByte('\n')
	}
	return out.String()
}

// realBounces are those of the shared corpus.
func realBounces(b *testing.B) (out [][]byte) {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(corpora.Dir(b), "bounces-sisimai/files/*/*.eml"))
	if err != nil || len(files) == 0 {
		b.Fatal("no bounces: ", err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")))
	}
	return out
}

// pull has mbsync copy a mailbox: how long that took, and of the processor.
func pull(b *testing.B, d *servertest.Dovecot, user string, many int, how string) (took, spent time.Duration) {
	b.Helper()
	dir := b.TempDir()
	put(b, filepath.Join(dir, "mbsyncrc"), fmt.Sprintf(`%s

IMAPAccount a
Host 127.0.0.1
Port %d
User %s
Pass %s
SSLType None

IMAPStore far
Account a

MaildirStore near
Path %[5]s/
Inbox %[5]s/INBOX

Channel c
Far :far:INBOX
Near :near:INBOX
Create Near
Sync Pull
SyncState *
`, how, d.IMAP, user, servertest.Password, dir), 0o600)
	began := time.Now()
	cmd := exec.Command("mbsync", "-c", filepath.Join(dir, "mbsyncrc"), "c")
	cmd.Env = append(os.Environ(), "HOME="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Logf("mbsync: %v\n%s", err, out[:min(len(out), 300)]) // it refuses what has no whole head, and goes on
	}
	took = time.Since(began)
	files, _ := filepath.Glob(filepath.Join(dir, "INBOX/*/*"))
	if len(files) < many*9/10 {
		b.Fatalf("mbsync has pulled %d of %d messages", len(files), many)
	}
	return took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// ingested is what taking a mailbox in has cost.
type ingested struct {
	stored, settled, filed time.Duration
	memory                 int // octets at most, of the process
	cpu                    time.Duration
}

// ingest has a process of its own take a mailbox in.
func ingest(b *testing.B, d *servertest.Dovecot, user string, many int, letters string) (out ingested) {
	b.Helper()
	cmd := exec.Command(os.Args[0], ingestConfig(b, d, user), strconv.Itoa(many), letters, os.Getenv("GALLEY_INGEST_PROFILE"))
	cmd.Env = append(os.Environ(), asProgram+"="+asIngest)
	cmd.Stderr = os.Stderr
	said, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer cmd.Wait()
	for s := bufio.NewScanner(said); s.Scan(); {
		if _, err := fmt.Sscan(s.Text(), &out.stored, &out.settled, &out.filed, &out.memory, &out.cpu); err != nil {
			b.Fatalf("%v: %s", err, s.Text())
		}
	}
	if out.settled == 0 {
		b.Fatal("the inbox told nothing")
	}
	return out
}

// ingestConfig is the configuration of a daemon on a user's mailbox.
func ingestConfig(b *testing.B, d *servertest.Dovecot, user string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "galley.toml")
	put(b, path, fmt.Sprintf(`check_links = false

[log]
level = "warn"

[smtp]
host = "127.0.0.1"
port = 25
security = "plain"

[[newsletter]]
id = "quiet"
name = "Quiet Machines"
address = %q
postal_address = "3 Harbour Lane, Example Town"
editors = ["Ines Moreau <%s>"]
approve = "code"

[newsletter.imap]
host = "127.0.0.1"
port = %d
security = "plain"
user = %q
password = %q
`, crashBox, crashEditor, d.IMAP, user, servertest.Password), 0o600)
	return path
}
