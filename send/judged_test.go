package send

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gomail "github.com/emersion/go-message/mail"

	"galley/send/message"
	"galley/send/servertest"
)

// TestTenThousandWaysToLeave is bar 14: each of ten thousand readers has a
// List-Unsubscribe of at most 900 octets a line, which go-message and Python
// read as it was meant; OpenDKIM passes the signature over it; the return path
// is short and survives lower-casing.
func TestTenThousandWaysToLeave(t *testing.T) {
	servertest.Need(t, "opendkim", "python3")
	readers := 10_000
	if raceDetector { // it has nothing to find here
		readers = 1000
	}
	n := testNewsletter()
	rsa, _, err := message.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	n.Signers = []*message.Signer{{Domain: "news.example", Selector: "r1", Key: rsa}}
	e := edition("The tide waits.", time.Now())
	if e.head, err = n.freeze(e); err != nil {
		t.Fatal(err)
	}
	p, err := newPress(e, n)
	if err != nil {
		t.Fatal(err)
	}
	m, want := newMinter(n), make([]string, readers)
	raws := make([][]byte, readers)
	for i := range readers {
		d := &task{id: int64(i)*7919 + 1, subscriber: int64(i)*104_729 + 1, issue: 12, edition: 9, to: message.Address{Addr: fmt.Sprintf("reader%05d@mail.example", i)}}
		slots, from := m.copy(p, d)
		if local, _, _ := strings.Cut(from, "@"); len(local) > 40 || strings.ToLower(from) != from {
			t.Fatalf("MAIL FROM %s", from)
		}
		want[i] = "<" + slots.UnsubscribeURL + ">, <" + slots.UnsubscribeMailto + ">"
		if raws[i], err = p.form(false).Splice(nil, slots, n.Signers); err != nil {
			t.Fatal(err)
		}
		checkLeaving(t, raws[i], want[i])
	}
	for i, ok := range servertest.OpenDKIM(t, map[string]string{"r1._domainkey.news.example": message.TXT(rsa)}, raws...) {
		if !ok {
			t.Fatalf("OpenDKIM refuses copy %d", i)
		}
	}
	for i, got := range pythonReads(t, raws) {
		if got != want[i] {
			t.Fatalf("Python reads %q, want %q", got, want[i])
		}
	}
}

// checkLeaving looks at the lines of the field, and reads it with go-message.
func checkLeaving(t *testing.T, raw []byte, want string) {
	t.Helper()
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if len(line) > 900 {
			t.Fatalf("a line of %d octets: %s", len(line), line)
		}
	}
	r, err := gomail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Header.Get("List-Unsubscribe"); got != want {
		t.Fatalf("go-message reads %q, want %q", got, want)
	}
}

// pythonReads gives List-Unsubscribe of messages as Python's email package
// reads it.
func pythonReads(t *testing.T, raws [][]byte) (out []string) {
	t.Helper()
	const program = `
import email.parser, email.policy, json, sys
for line in open(sys.argv[1]):
    m = email.parser.HeaderParser(policy=email.policy.default).parsestr(json.loads(line))
    print(json.dumps(m["List-Unsubscribe"]))
`
	path := filepath.Join(t.TempDir(), "heads")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, raw := range raws {
		head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		if err := json.NewEncoder(f).Encode(string(head) + "\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	said, err := exec.CommandContext(t.Context(), "python3", "-c", program, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(said)) {
		var v string
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if len(out) != len(raws) {
		t.Fatalf("Python read %d messages of %d", len(out), len(raws))
	}
	return out
}
