package message

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"flag"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gomail "github.com/emersion/go-message/mail"
	"github.com/emersion/go-msgauth/dkim"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it with -update and git diff. Got:\n%s", name, got)
	}
}

// testSigners returns the RSA key of testdata and a fixed Ed25519 key.
func testSigners(t testing.TB) []*Signer {
	t.Helper()
	data, err := os.ReadFile("testdata/rsa.pem")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseKey(data)
	if err != nil {
		t.Fatal(err)
	}
	ed := ed25519.NewKeyFromSeed([]byte("thirty-two octets of test seed!!"))
	return []*Signer{{Domain: "news.example", Selector: "r1", Key: key}, {Domain: "news.example", Selector: "e1", Key: ed}}
}

// verify counts the signatures of msg that hold, by go-msgauth.
func verify(t testing.TB, msg []byte, signers []*Signer) (good int, err error) {
	t.Helper()
	records := map[string]string{}
	for _, s := range signers {
		records[s.Selector+"._domainkey."+s.Domain] = TXT(s.Key)
	}
	results, err := dkim.VerifyWithOptions(bytes.NewReader(msg), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return []string{records[name]}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			err = r.Err
			continue
		}
		good++
	}
	return good, err
}

func testIssue() *Issue {
	return &Issue{
		From:       Address{Name: "The Harbour Letter", Addr: "letter@news.example"},
		ReplyTo:    &Address{Name: "Marta Lindqvist, editor", Addr: "letter@news.example"},
		Subject:    "#12 – Ebb, flow and the tide tables of Brønnøysund",
		Date:       time.Date(2026, 11, 7, 9, 0, 0, 0, time.FixedZone("", -5*3600)),
		ListID:     "The Harbour Letter <letter.news.example>",
		FeedbackID: "12:harbour:issue:galley",
		ArchivedAt: "https://news.example/issues/12-ebb",
		Help:       "mailto:letter+help@news.example",
		Owner:      "mailto:letter@news.example",
		Archive:    "https://news.example/issues",
		Subscribe:  "mailto:letter+subscribe@news.example",
		Text: []byte("THE HARBOUR LETTER #12\n\nThe tide waits; we do not = so it goes.  \n\n" +
			".hidden dot\nFrom here on, nothing.\n  * [1] naïve café, 日本\n\nTo leave: " + SlotUnsubscribe + "\n"),
		HTML: []byte("<!doctype html>\n<html lang=\"en\"><body>\n  <p>The tide  waits; <b>we</b> do not.</p>\n" +
			strings.Repeat("<p>A longer paragraph about moorings and quays, twice told.</p>", 6) +
			"\n<p><a href=\"" + SlotUnsubscribe + "\">Leave</a> or <a href='" + SlotUnsubscribe + "'>go</a>.</p>\n</body></html>\n"),
	}
}

func testSlots() Slots {
	return Slots{
		To:                Address{Name: "Ada Reader", Addr: "ada@reader.example"},
		MessageID:         "<12.4711.k2f7q@news.example>",
		UnsubscribeURL:    "https://news.example/u/aeaaaaaaaaaaaaaaab3k7qf3m2xw9da4hzt6npr5cvbye",
		UnsubscribeMailto: "mailto:letter+unsub-aeaaaaaaaaaaaaaaab3k7qf3m2xw9da4hzt6npr5cvbye@news.example",
	}
}

// bodies returns the decoded text parts of a message by the standard library.
func bodies(t testing.TB, msg []byte) (head mail.Header, parts map[string]string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(msg))
	if err != nil {
		t.Fatalf("net/mail: %v", err)
	}
	parts = map[string]string{}
	var walk func(ctype, cte string, r io.Reader)
	walk = func(ctype, cte string, r io.Reader) {
		kind, params, err := mime.ParseMediaType(ctype)
		if err != nil {
			t.Fatalf("Content-Type %q: %v", ctype, err)
		}
		if !strings.HasPrefix(kind, "multipart/") {
			if cte == "quoted-printable" {
				r = quotedprintable.NewReader(r)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			parts[kind] += string(data)
			return
		}
		mr := multipart.NewReader(r, params["boundary"])
		for {
			p, err := mr.NextRawPart()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			walk(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
		}
	}
	walk(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	return m.Header, parts
}

// wire asserts the rules of bar 1 for a whole message.
func wire(t testing.TB, msg []byte) {
	t.Helper()
	if err := Check(msg); err != nil {
		t.Fatal(err)
	}
	head, _, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if strings.Contains(line, "=?utf-8?") && len(line) > 76 {
			t.Errorf("line with encoded-words has %d octets: %q", len(line), line)
		}
		if len(line) > 78 && longest(strings.TrimLeft(line, " ")) <= 77 {
			t.Errorf("header line of %d octets could be folded: %q", len(line), line)
		}
	}
}

func TestSplice(t *testing.T) {
	signers := testSigners(t)
	c, err := Compile(testIssue())
	if err != nil {
		t.Fatal(err)
	}
	msg, err := c.Splice(nil, testSlots(), signers)
	if err != nil {
		t.Fatal(err)
	}
	wire(t, msg)
	golden(t, "issue.eml", msg)
	again, err := c.Splice([]byte("before"), testSlots(), signers)
	if err != nil || !bytes.Equal(again[6:], msg) {
		t.Errorf("a second copy for the same reader differs (%v)", err)
	}
	if good, err := verify(t, msg, signers); good != 2 {
		t.Errorf("%d of 2 signatures hold: %v", good, err)
	}
	_, parts := bodies(t, msg)
	url := testSlots().UnsubscribeURL
	want := strings.ReplaceAll(string(testIssue().HTML), SlotUnsubscribe, url)
	if got := strings.ReplaceAll(parts["text/html"], "\r\n", "\n"); strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("HTML reads back as\n%s\nwant\n%s", got, want)
	}
	want = strings.ReplaceAll(string(testIssue().Text), SlotUnsubscribe, url)
	if got := strings.ReplaceAll(parts["text/plain"], "\r\n", "\n"); strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("text reads back as\n%q\nwant\n%q", got, want)
	}
}

// Every column at which a slot can begin, every ending behind it, addresses
// short and long: the text must read back and the signature hold.
func TestSlotAnywhere(t *testing.T) {
	signers := testSigners(t)[1:]
	long := "https://news.example/u/?a=1&b='2'&t=" + strings.Repeat("k7qf=", 60)
	for n := range 160 {
		for _, tail := range []string{"", "\n", " and on\n", SlotUnsubscribe, "\n\n\n.\n"} {
			i := testIssue()
			i.HTML = nil
			i.Text = []byte(strings.Repeat("é x", n/3) + strings.Repeat("y", n%3) + SlotUnsubscribe + tail)
			if n%2 == 0 {
				i.HTML = append([]byte("<p>"), i.Text...)
			}
			s := testSlots()
			if n%5 == 0 {
				s.UnsubscribeURL = long
			}
			c, err := Compile(i)
			if err != nil {
				t.Fatal(err)
			}
			msg, err := c.Splice(nil, s, signers)
			if err != nil {
				t.Fatal(err)
			}
			wire(t, msg)
			if good, err := verify(t, msg, signers); good != 1 {
				t.Fatalf("n %d, tail %q: %v\n%s", n, tail, err, msg)
			}
			_, parts := bodies(t, msg)
			want := strings.TrimRight(strings.ReplaceAll(string(i.Text), SlotUnsubscribe, s.UnsubscribeURL), "\n")
			if got := strings.TrimRight(strings.ReplaceAll(parts["text/plain"], "\r\n", "\n"), "\n"); got != want {
				t.Fatalf("n %d, tail %q: text reads back as\n%q\nwant\n%q", n, tail, got, want)
			}
			if len(i.HTML) > 0 && !strings.Contains(parts["text/html"], strings.NewReplacer("&", "&amp;", "'", "&#39;").Replace(s.UnsubscribeURL)) {
				t.Fatalf("n %d: HTML lacks the address", n)
			}
		}
	}
}

func TestWaysToLeave(t *testing.T) {
	const mailto, web = "mailto:letter+unsub-tk@news.example", "https://news.example/u/tk"
	for _, c := range []struct {
		name, url, mailto, list, post, link string
	}{
		{"both", web, mailto, "<" + web + ">, <" + mailto + ">", "List-Unsubscribe=One-Click", web},
		{"mail only", "", mailto, "<" + mailto + ">", "", mailto},
		{"web only", web, "", "<" + web + ">", "List-Unsubscribe=One-Click", web},
		{"no TLS", "http://127.0.0.1:8080/u/tk", mailto, "<http://127.0.0.1:8080/u/tk>, <" + mailto + ">", "", "http://127.0.0.1:8080/u/tk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			compiled, err := Compile(testIssue())
			if err != nil {
				t.Fatal(err)
			}
			s := testSlots()
			s.UnsubscribeURL, s.UnsubscribeMailto = c.url, c.mailto
			signers := testSigners(t)
			msg, err := compiled.Splice(nil, s, signers)
			if err != nil {
				t.Fatal(err)
			}
			head, parts := bodies(t, msg)
			if got := strings.Join(strings.Fields(head.Get("List-Unsubscribe")), " "); got != c.list {
				t.Errorf("List-Unsubscribe: %q, want %q", got, c.list)
			}
			if got := head.Get("List-Unsubscribe-Post"); got != c.post {
				t.Errorf("List-Unsubscribe-Post: %q, want %q", got, c.post)
			}
			if !strings.Contains(parts["text/html"], `href="`+c.link+`"`) || strings.Contains(string(msg), "galley.invalid") {
				t.Errorf("the footer does not lead to %s", c.link)
			}
			if good, err := verify(t, msg, signers); good != 2 {
				t.Errorf("%d of 2 signatures hold: %v", good, err)
			}
		})
	}
	compiled, err := Compile(testIssue())
	if err != nil {
		t.Fatal(err)
	}
	s := testSlots()
	s.UnsubscribeURL, s.UnsubscribeMailto = "", ""
	if _, err := compiled.Splice(nil, s, nil); err == nil {
		t.Error("a copy without a way to leave was written")
	}
}

// Bar 4 against go-msgauth: each signed field altered, removed or added once
// more, and one octet of the body, must break both signatures.
func TestMutants(t *testing.T) {
	signers := testSigners(t)
	c, err := Compile(testIssue())
	if err != nil {
		t.Fatal(err)
	}
	msg, err := c.Splice(nil, testSlots(), signers)
	if err != nil {
		t.Fatal(err)
	}
	mutants := mutantsOf(msg)
	if len(mutants) != 1+13+2*12 { // Content-Transfer-Encoding does not stand in a multipart header
		t.Fatalf("%d mutants", len(mutants))
	}
	for name, m := range mutants {
		if good, _ := verify(t, m, signers); good != 0 {
			t.Errorf("%s: %d signatures still hold", name, good)
		}
	}
}

func TestMailBytes(t *testing.T) {
	m := &Mail{
		From:          Address{Name: "Harbour desk", Addr: "letter@news.example"},
		To:            []Address{{Name: "Zoë Ångström", Addr: "zoe@editor.example"}, {Addr: "bo@editor.example"}},
		ReplyTo:       &Address{Name: "Harbour desk", Addr: "letter+approve-k7qf3m2xw9da4hzt6npr5cvbye@news.example"},
		Subject:       "Proof 3 of #12: ready, 2 remarks",
		Date:          time.Date(2026, 11, 6, 18, 30, 0, 0, time.UTC),
		MessageID:     "<proof.12.3.k7qf3m2xw9da4hzt6npr5cvbye@news.example>",
		InReplyTo:     "<draft.1@editor.example>",
		References:    []string{"<first@editor.example>", "broken", "<draft.1@editor.example>"},
		AutoSubmitted: "auto-replied",
		Fields:        []Field{{"X-Loop", "letter@news.example"}},
		Text:          []byte("PROOF 3 OF #12: READY\nGoes Saturday.\n"),
		HTML:          []byte("<h1>Proof 3</h1><img src=\"cid:quay@news.example\">"),
		Inline:        []Attachment{{Name: "quay.png", Type: "image/png", ContentID: "quay@news.example", Data: bytes.Repeat([]byte{0x89, 1}, 80)}},
		Attachments:   []Attachment{{Name: "0012 – Ebbe und Flut in einem sehr langen Namen.md", Type: "text/markdown; charset=utf-8", Data: []byte("# Ebb\n")}},
	}
	raw, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	wire(t, raw)
	golden(t, "proof.eml", raw)
	signers := testSigners(t)
	var signed []byte
	for _, s := range signers {
		field, err := s.Sign(raw, m.Date)
		if err != nil {
			t.Fatal(err)
		}
		signed = append(signed, field...)
	}
	signed = append(signed, raw...)
	wire(t, signed)
	if good, err := verify(t, signed, signers); good != 2 {
		t.Errorf("%d of 2 signatures hold: %v", good, err)
	}
	r, err := gomail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for {
		p, err := r.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h, ok := p.Header.(*gomail.AttachmentHeader); ok {
			name, err := h.Filename()
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(p.Body)
			names = append(names, fmt.Sprintf("%s %d %v", name, len(data), err))
		}
	}
	if len(names) == 0 || names[len(names)-1] != "0012 – Ebbe und Flut in einem sehr langen Namen.md 6 <nil>" {
		t.Errorf("attachments: %q", names)
	}
	m.Attachments[0].Name = "a\r\nBcc: x@evil.example"
	if _, err := m.Bytes(); err == nil {
		t.Error("a file name with a line break was written")
	}
}

func TestKeys(t *testing.T) {
	r, e, err := GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{r, e} {
		data, err := FormatKey(key)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseKey(data)
		if err != nil {
			t.Fatal(err)
		}
		if TXT(back) != TXT(key) || !strings.HasPrefix(TXT(key), "v=DKIM1; k=") {
			t.Errorf("%T does not read back", key)
		}
	}
	for _, bad := range []string{"", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, err := ParseKey([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}

// Goal S8: splicing and Ed25519 signing take at most 5 allocations a copy.
func TestSpliceAllocations(t *testing.T) {
	c, err := Compile(testIssue())
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 64<<10)
	slots, signers := testSlots(), testSigners(t)[1:]
	seal, err := c.Seal(nil, slots, signers)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		name    string
		signers []*Signer
		seal    []byte
		most    float64
	}{{"unsigned", nil, nil, 2}, {"ed25519", signers, nil, 5}, {"sealed", signers, seal, 2}} {
		got := testing.AllocsPerRun(200, func() {
			if _, _, err := c.SpliceSealed(buf, slots, v.signers, v.seal); err != nil {
				t.Fatal(err)
			}
		})
		if got > v.most && !raceDetector { // which empties the pools at random
			t.Errorf("%s: %.0f allocations a copy, at most %.0f are allowed", v.name, got, v.most)
		}
	}
}

func BenchmarkSplice(b *testing.B) {
	i := testIssue()
	i.HTML = append([]byte(strings.Repeat("<p>A paragraph about  moorings, quays and = signs.</p>\n", 600)), i.HTML...)
	c, err := Compile(i)
	if err != nil {
		b.Fatal(err)
	}
	signers := testSigners(b)
	buf := make([]byte, 0, 128<<10)
	for _, v := range []struct {
		name    string
		signers []*Signer
	}{{"none", nil}, {"rsa", signers[:1]}, {"ed25519", signers[1:]}} {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Splice(buf, testSlots(), v.signers); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("sealed-rsa", func(b *testing.B) {
		seal, err := c.Seal(nil, testSlots(), signers[:1])
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, fits, err := c.SpliceSealed(buf, testSlots(), signers[:1], seal); err != nil || !fits {
				b.Fatal(fits, err)
			}
		}
	})
	b.Run("bare-rsa", func(b *testing.B) {
		digest := make([]byte, 32)
		for b.Loop() {
			if _, err := signers[0].Key.Sign(nil, digest, crypto.SHA256); err != nil {
				b.Fatal(err)
			}
		}
	})
}
