package message

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gomail "github.com/emersion/go-message/mail"
)

// hostile returns 500 strings that try to end a line, a header, a string or a
// parser, each with what it must not smuggle in.
func hostile() []string {
	seeds := []string{
		"\r\nBcc: victim@evil.example", "\nBcc: victim@evil.example", "\rBcc: victim@evil.example",
		"\r\n\r\n<script>", "\x00", "a\x00b", "\u0085Bcc: v@evil.example", "\u2028Bcc: v@evil.example", "\u2029",
		"=?utf-8?q?=0D=0ABcc:_v@evil.example?=", "=?utf-8?b?DQpCY2M6IHZAZXZpbC5leGFtcGxl?=", "=?us-ascii?q?x?=",
		strings.Repeat("A", 10<<10), strings.Repeat("ab ", 3500), strings.Repeat("é", 5<<10), strings.Repeat("日本", 2<<10),
		"\"", "\\", "\"\\\"<v@evil.example>", "v@evil.example, w@evil.example", "<v@evil.example>", "x <v@evil.example>;",
		"group: a@evil.example;", "(comment", ")", "\t", " leading", "trailing ", "two  blanks", "\v\f", "\x1b[31m", "\x7f",
		"\xff\xfe", "\xc3", "\u202e evil", "\ufeff", "\U0001F600 smile", "?=", "=?", "==", ".", "\r\n.\r\n", "a,b", "a;b:c",
		"%0d%0aBcc:x", "&#13;&#10;", "\u00a0", "\u200b", "", " ",
	}
	var all []string
	for i := 0; len(all) < 500; i++ {
		s := seeds[i%len(seeds)]
		switch i / len(seeds) {
		case 0:
			all = append(all, s)
		case 1:
			all = append(all, "Ebb "+s+" flow")
		case 2:
			all = append(all, s+s)
		default:
			all = append(all, fmt.Sprintf("%d %s é%s", i, s, seeds[(i*7)%len(seeds)]))
		}
	}
	return all
}

// headerNames returns the field names of a message, by our own scan.
func headerNames(msg []byte) string {
	head, _, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
	var names []string
	for _, f := range fieldsOf(append(head[:len(head):len(head)], '\r', '\n')) {
		names = append(names, string(fieldName(f)))
	}
	return strings.Join(names, " ")
}

// recipients parses the To field by two libraries.
func recipients(t *testing.T, msg []byte) []string {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(msg))
	if err != nil {
		t.Fatalf("net/mail: %v", err)
	}
	list, err := m.Header.AddressList("To")
	if err != nil {
		t.Fatalf("net/mail: To: %v in %q", err, m.Header.Get("To"))
	}
	r, err := gomail.CreateReader(bytes.NewReader(msg))
	if err != nil {
		t.Fatalf("go-message: %v", err)
	}
	other, err := r.Header.AddressList("To")
	if err != nil || len(other) != len(list) {
		t.Fatalf("go-message: To: %v, %d addresses, net/mail has %d", err, len(other), len(list))
	}
	var out []string
	for i, a := range list {
		if a.Address != other[i].Address || a.Name != other[i].Name {
			t.Fatalf("To differs: %v and %v", a, other[i])
		}
		out = append(out, a.Address)
	}
	return out
}

// Bar 12: whatever stands in a title, a name, an address or a URL, no field
// and no recipient is added; it is refused or it reads back as it was.
func TestHostileStrings(t *testing.T) {
	plain, err := (&Mail{From: Address{Addr: "a@news.example"}, To: []Address{{Addr: "b@news.example"}}, Subject: "x",
		Date: time.Unix(1e9, 0), MessageID: "<a@b>", InReplyTo: "<c@d>", Fields: []Field{{"X-Loop", "y"}}, Text: []byte("x")}).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	want := headerNames(plain)
	written, kept := 0, t.TempDir()
	for n, s := range hostile() {
		for where := range 8 {
			m := &Mail{From: Address{Addr: "a@news.example"}, To: []Address{{Addr: "b@news.example"}}, Subject: "x",
				Date: time.Unix(1e9, 0), MessageID: "<a@b>", InReplyTo: "<c@d>", Fields: []Field{{"X-Loop", "y"}}, Text: []byte(s + "\n")}
			switch where {
			case 0:
				m.Subject = s
			case 1:
				m.To[0].Name = s
			case 2:
				m.To[0].Addr = s
			case 3:
				m.From.Name = s
			case 4:
				m.Fields[0].Value = s
			case 5:
				m.Fields[0].Name = s
			case 6:
				m.MessageID = s
			case 7:
				m.AutoSubmitted = s
			}
			raw, err := m.Bytes()
			if err != nil {
				continue // refused
			}
			written++
			wire(t, raw)
			got := headerNames(raw)
			if where == 5 || where == 7 {
				got = strings.NewReplacer(" Auto-Submitted", "", " "+s+" ", " X-Loop ").Replace(got)
			}
			if got != want {
				t.Fatalf("string %d %q at %d: fields are %q", n, s, where, got)
			}
			if to := recipients(t, raw); len(to) != 1 || where != 2 && to[0] != "b@news.example" {
				t.Fatalf("string %d %q at %d: recipients %q", n, s, where, to)
			}
			parsed, err := mail.ReadMessage(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			if subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject")); err != nil || subject != m.Subject {
				t.Fatalf("string %d: Subject reads back as %q, not %q (%v)", n, subject, m.Subject, err)
			}
			if list, _ := parsed.Header.AddressList("To"); list[0].Name != m.To[0].Name {
				t.Fatalf("string %d: name reads back as %q, not %q", n, list[0].Name, m.To[0].Name)
			}
			if n < 120 {
				if err := os.WriteFile(filepath.Join(kept, fmt.Sprintf("%d-%d.eml", n, where)), raw, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if written < 1000 {
		t.Errorf("only %d mails were written; the writer refuses too much", written)
	}
	strict(t, kept)
}

// Bar 12 for issues and their slots.
func TestHostileSlots(t *testing.T) {
	c, err := Compile(testIssue())
	if err != nil {
		t.Fatal(err)
	}
	good, err := c.Splice(nil, testSlots(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, s := range hostile() {
		for where := range 5 {
			slots := testSlots()
			switch where {
			case 0:
				slots.To.Name = s
			case 1:
				slots.To.Addr = s
			case 2:
				slots.UnsubscribeURL = "https://news.example/u/" + s
			case 3:
				slots.UnsubscribeMailto = "mailto:" + s
			case 4:
				slots.MessageID = "<" + s + "@news.example>"
			}
			msg, err := c.Splice(nil, slots, nil)
			if err != nil {
				continue
			}
			wire(t, msg)
			if got := headerNames(msg); got != headerNames(good) {
				t.Fatalf("string %d %q at %d: fields are %q", n, s, where, got)
			}
			if to := recipients(t, msg); len(to) != 1 {
				t.Fatalf("string %d %q at %d: recipients %q", n, s, where, to)
			}
		}
		i := testIssue()
		i.Subject, i.From.Name = s, s
		if c, err := Compile(i); err == nil {
			msg, err := c.Splice(nil, testSlots(), nil)
			if err != nil || headerNames(msg) != headerNames(good) {
				t.Fatalf("string %d %q in the Subject: %v, fields %q", n, s, err, headerNames(msg))
			}
		}
	}
}

// Bar 2: the fields that may stand once stand once, and three parsers agree.
func TestIssueHasEachFieldOnce(t *testing.T) {
	c, err := Compile(testIssue())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for n, name := range []string{"", "Ada", "Zoë Ångström-Ekelöf von und zu der langen Straße am Fjord", `O"Neil, \ (Bo)`} {
		s := testSlots()
		s.To.Name = name
		msg, err := c.Splice(nil, s, testSigners(t))
		if err != nil {
			t.Fatal(err)
		}
		wire(t, msg)
		names := " " + headerNames(msg) + " "
		for _, f := range []string{"From", "To", "Date", "Message-ID", "Subject", "Reply-To", "MIME-Version", "Content-Type",
			"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID", "Precedence", "List-Post", "Archived-At"} {
			if strings.Count(names, " "+f+" ") != 1 {
				t.Errorf("%s stands %d times", f, strings.Count(names, " "+f+" "))
			}
		}
		if to := recipients(t, msg); len(to) != 1 || to[0] != s.To.Addr {
			t.Errorf("recipients %q", to)
		}
		r, err := gomail.CreateReader(bytes.NewReader(msg))
		if err != nil {
			t.Fatal(err)
		}
		if v := r.Header.Get("List-Unsubscribe"); v != "<"+s.UnsubscribeURL+">, <"+s.UnsubscribeMailto+">" {
			t.Errorf("go-message reads List-Unsubscribe as %q", v)
		}
		for {
			p, err := r.NextPart()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, p.Body); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.eml", n)), msg, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	strict(t, dir)
}

// strict has Python's email package, policy strict, parse all mails of a
// folder: it raises on the first defect. Python is not there on every machine.
func strict(t *testing.T, dir string) {
	t.Helper()
	if os.Getenv("GALLEY_SERVERS") == "" {
		t.Log("GALLEY_SERVERS is not set: Python did not judge")
		return
	}
	const program = `
import sys, glob, email, email.policy
n = 0
for f in sorted(glob.glob(sys.argv[1] + "/*.eml")):
    m = email.message_from_bytes(open(f, "rb").read(), policy=email.policy.strict)
    for p in m.walk():
        assert not p.defects, (f, p.defects)
        for k, v in p.items():
            assert not getattr(v, "defects", ()), (f, k, v.defects)
        if not p.is_multipart():
            p.get_content()
    assert len(m["To"].addresses) == 1 and len(m.get_all("From")) == 1, f
    n += 1
print(n)
`
	out, err := exec.Command("python3", "-c", program, dir).CombinedOutput()
	if err != nil {
		t.Errorf("Python: %v\n%s", err, out)
	}
	t.Logf("Python parsed %s mails without a defect", bytes.TrimSpace(out))
}

func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ in, name, addr string }{
		{"ada@example.org", "", "ada@example.org"},
		{" <ada@Example.ORG> ", "", "ada@example.org"},
		{"Ada Reader <Ada@example.org>", "Ada Reader", "Ada@example.org"},
		{`"Reader, \"Ada\"" <ada@example.org>`, `Reader, "Ada"`, "ada@example.org"},
		{"ada@bücher.example", "", "ada@xn--bcher-kva.example"},
		{"jürgen@example.org", "", "jürgen@example.org"},
		{strings.Repeat("a", 64) + "@example.org", "", strings.Repeat("a", 64) + "@example.org"},
	} {
		got, err := ParseAddress(c.in)
		if err != nil || got != (Address{c.name, c.addr}) {
			t.Errorf("%q: %+v, %v", c.in, got, err)
		}
		if back, err := ParseAddress(got.String()); err != nil || back != got {
			t.Errorf("%q does not read back: %+v, %v", got.String(), back, err)
		}
	}
	for _, bad := range []string{"", "ada", "@example.org", "ada@", "a b@example.org", "ada@example.org, bo@example.org",
		"ada@exam ple.org", "ada\n@example.org", "ada@example.org\r\nBcc: x", "a..b@example.org", ".a@example.org", "a.@example.org",
		strings.Repeat("a", 65) + "@example.org", "a@" + strings.Repeat("abcdefghi.", 26) + "org", "a@[127.0.0.1]", `"a b"@example.org`,
		"Name <a@example.org", "a@example.org.", "a@b@c", "ada@exa\u2028mple.org", "a@-x.example", "a\x00@example.org", "\xff@example.org"} {
		if got, err := ParseAddress(bad); err == nil {
			t.Errorf("%q is taken as %+v", bad, got)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("Ada <ada@bücher.example>")
	f.Add(`"\"" <a@b>`)
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			return
		}
		h := header{}
		h.addresses("To", a)
		if h.err == nil {
			if bytes.Count(h.buf, []byte("@")) < 1 || len(fieldsOf(h.buf)) != 1 || !bytes.HasSuffix(h.buf, []byte("\r\n")) {
				t.Fatalf("%q was written as %q", s, h.buf)
			}
		} else if a.Name == "" {
			t.Fatalf("%q was parsed and then refused: %v", s, h.err)
		}
		if back, err := ParseAddress(a.String()); err != nil || back.Addr != a.Addr {
			t.Fatalf("%q: %q reads back as %+v, %v", s, a.String(), back, err)
		}
	})
}

func FuzzHeaderText(f *testing.F) {
	for _, s := range hostile()[:60] {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h := header{}
		h.text("Subject", s)
		if h.err != nil {
			return
		}
		if len(fieldsOf(h.buf)) != 1 {
			t.Fatalf("%q was written as %q", s, h.buf)
		}
		wire(t, append(h.buf[:len(h.buf):len(h.buf)], "\r\n"...))
		unfolded := strings.ReplaceAll(strings.TrimSuffix(string(h.buf), "\r\n"), "\r\n", "")
		got, err := new(mime.WordDecoder).DecodeHeader(strings.TrimPrefix(unfolded, "Subject: "))
		if s == "" {
			return
		}
		if err != nil || got != s {
			t.Fatalf("%q reads back as %q (%v)", s, got, err)
		}
	})
}

func FuzzIssueText(f *testing.F) {
	f.Add("Hello " + SlotUnsubscribe + "\n.\nFrom me\r\rx =\x00\xff  \n\n")
	signer := testSigners(f)[1:]
	f.Fuzz(func(t *testing.T, s string) {
		i := testIssue()
		i.Text, i.HTML = []byte("x"+s), nil
		c, err := Compile(i)
		if err != nil {
			t.Fatal(err)
		}
		slots := testSlots()
		msg, err := c.Splice(nil, slots, signer)
		if err != nil {
			t.Fatal(err)
		}
		wire(t, msg)
		if good, err := verify(t, msg, signer); good != 1 {
			t.Fatalf("signature: %v", err)
		}
		_, parts := bodies(t, msg)
		want := strings.TrimRight(strings.ReplaceAll(lines("x"+s), SlotUnsubscribe, slots.UnsubscribeURL), "\n")
		if got := strings.TrimRight(strings.ReplaceAll(parts["text/plain"], "\r\n", "\n"), "\n"); got != want {
			t.Fatalf("%q reads back as %q", want, got)
		}
	})
}
