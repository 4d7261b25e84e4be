package mime

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"
)

// shape writes the tree as it was read: a line a part, with its depth, type,
// octets and fault.
func shape(m *Message) string {
	var b strings.Builder
	for _, p := range m.Parts {
		fmt.Fprintf(&b, "%d %s %q", p.Depth, p.Type, p.Data)
		if p.Err != "" {
			fmt.Fprintf(&b, " (%s)", p.Err)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestStructure reads what go-message by itself refuses or loses.
func TestStructure(t *testing.T) {
	mixed := "A: b\nContent-Type: multipart/mixed; boundary=b\n\n"
	long := strings.Repeat("x", 5000)
	for _, c := range []struct{ name, raw, want string }{
		{"plain", mixed + "before\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n\n--b--\nafter", "1 text/plain \"one\"\n1 text/html \"two\\n\"\n"},
		{"no parts but the last delimiter", mixed + "--b--\n", ""},
		{"empty part", mixed + "--b\n\n--b\nContent-Type: text/x\n--b\n--b--", "1 text/plain \"\"\n1 text/x \"\"\n1 text/plain \"\"\n"},
		{"part without a header", mixed + "--b\none, two\n\nthree\n--b--\n", "1 text/plain \"one, two\\n\\nthree\"\n"},
		{"part whose header has junk", mixed + "--b\njunk\nContent-Type: text/x\n\none\n--b--\n", "1 text/x \"one\"\n"},
		{"closing boundary of an inner part missing", mixed + "--b\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\none\n--b\n\ntwo\n--b--\n", "2 text/plain \"one\"\n1 text/plain \"two\"\n"},
		{"both missing", mixed + "--b\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\none\n", "2 text/plain \"one\\n\"\n"},
		{"one boundary begins with another", mixed + "--b\nContent-Type: multipart/mixed; boundary=b-i\n\n--b-i\n\none\n--b-i--\n--b--\n", "2 text/plain \"one\"\n"},
		{"lines that only begin like a delimiter", mixed + "--b\n\none\n--b-x\n--b y\n--bz\n--b--\n", "1 text/plain \"one\\n--b-x\\n--b y\\n--bz\"\n"},
		{"delimiter at the end of a line", mixed + "--b\n\none--b\ntwo\n--b--\n", "1 text/plain \"one--b\\ntwo\"\n"},
		{"half a type", mixed + "--b\nContent-Type: html\n\none\n--b\nContent-Type: text\n\ntwo\n--b--\n", "1 text/html \"one\"\n1 text/plain \"two\"\n"},
		{"byte order mark", "\ufeffA: b\n\none", "0 text/plain \"one\"\n"},
		{"CR in every way", "A: b\r\r\n\r\none\r\rtwo\r\r\nthree\r\nfour\r", "0 text/plain \"one\\n\\ntwo\\nthree\\nfour\\n\"\n"},
		{"boundary with spaces, unquoted", "A: b\nContent-Type: multipart/mixed; boundary=a b=c; x=y\n\n--a b=c\n\none\n--a b=c--\n", "1 text/plain \"one\"\n"},
		{"boundary far too long", "A: b\nContent-Type: multipart/mixed; boundary=" + long + "\n\n--" + long + "\n\none\n--" + long + "--\n", "1 text/plain \"one\"\n"},
		{"boundary declared wrongly", "A: b\nContent-Type: multipart/mixed; boundary=c\n\n--b\nContent-Type: text/x\n\none\n--b--\n", "1 text/x \"one\"\n"},
		{"boundary that never comes", "A: b\nContent-Type: multipart/mixed; boundary=b\n\n<html>one", "0 text/html \"<html>one\"\n"},
		{"the boundary of the part around it", mixed + "--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n", "2 text/plain \"one\"\n"},
		{"multipart in base64", "A: b\nContent-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\nLS1iCgpvbmUKLS1iCgp0d28KLS1iLS0K\n", "1 text/plain \"one\"\n1 text/plain \"two\"\n"},
		{"type of a name that is none", "A: b\nContent-Type: multipart/@; boundary=b\n\n--b\n\none\n--b--\n", "1 text/plain \"one\"\n"},
		{"digest", "A: b\nContent-Type: multipart/digest; boundary=b\n\n--b\n\nC: d\n\none\n--b--\n", "1 message/rfc822 \"C: d\\n\\none\"\n"},
		{"returned mail stays whole", mixed + "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\none\n--i--\n--b--\n", "1 message/rfc822 \"Content-Type: multipart/mixed; boundary=i\\n\\n--i\\n\\none\\n--i--\"\n"},
	} {
		if m := read(t, c.raw); shape(m) != c.want {
			t.Errorf("%s:\n%swant\n%snotes %q", c.name, shape(m), c.want, m.Notes)
		}
	}
}

// TestTransfer decodes bodies, sound ones and those go-message gives up on.
func TestTransfer(t *testing.T) {
	for _, c := range []struct{ encoding, body, data, fault string }{
		{"base64", "SGVs\nbG8=\n", "Hello", ""},
		{"BASE64 (x)", "SGVsbG8=", "Hello", ""},
		{"base64", "SGVsbG8", "Hello", "base64 was damaged"},
		{"base64", "SGVsbG8=\nIEFkYQ==\n", "Hello Ada", "base64 was damaged"},
		{"base64", "SGVs*bG8=\n", "Hello", "base64 was damaged"},
		{"base64", "SGVsbG9h\n\nSent to the list, always\n", "Helloa", "base64 is followed by other text"},
		{"base64", "SGVsbG9h\nSent to you by the list for ads\n", "Helloa", "base64 is followed by other text"},
		{"base64", "SGVs*bG8gQWRhIEJ5*cm9u\n", "Hello Ada Byron", "base64 was damaged"},
		{"base64 charset=x", "SGVsbG8=", "Hello", ""},
		{"base64", "Hello, you!\n", "Hello, you!\n", "declared base64, but is none"},
		{"base64", "", "", ""},
		{"quoted-printable", "a=3D=\nb=20 \nc=\n", "a=b \nc", ""},
		{"quoted-printable", "a=3Db\f=C3=A4 \n=ZZ", "a=b\fä\n=ZZ", ""},
		{"quoted-printable", strings.Repeat("=41", 3000), strings.Repeat("A", 3000), ""},
		{"x-uuencode", "begin 644 x\n%2&5L;&\\\n`\nend\n", "Hello", ""},
		{"x-uuencode", "begin 644 x\n#86)C\n", "abc", "uuencode is cut off"},
		{"x-uuencode", "begin 644 x\n#80\n`\nend\n", "a\x00\x00", ""},
		{"x-uuencode", "hello", "hello", "declared uuencode, but is none"},
		{"7-bit", "a=3D", "a=3D", ""},
		{"x-rot13", "uryyb", "uryyb", "unknown transfer encoding x-rot13"},
	} {
		m := read(t, "A: b\nContent-Transfer-Encoding: "+c.encoding+"\n\n"+c.body)
		if p := m.Parts[0]; string(p.Data) != c.data || p.Err != c.fault {
			t.Errorf("%s %.60q: %.60q (%s), want %.60q (%s)", c.encoding, c.body, p.Data, p.Err, c.data, c.fault)
		}
		if noted := len(m.Notes) > 0; noted != (c.fault != "") {
			t.Errorf("%s %.60q: notes %q", c.encoding, c.body, m.Notes)
		}
	}
}

// TestPartFields: what a part's header says of it.
func TestPartFields(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{"Content-Type: image/png; name=a.png\nContent-ID: <i@x>", "image/png a.png  i@x"},
		{"Content-Type: image/png; name=a.png\nContent-Disposition: INLINE; filename=b c.png", "image/png b c.png inline "},
		{"Content-Disposition: x-unheard-of", "text/plain  attachment "},
		{"Content-Type: application/octet-stream; name=WinMail.dat", "application/ms-tnef WinMail.dat  "},
		{"Content-Type: text/plain; name*0*=iso-8859-1''%e4; name*1=.txt", "text/plain ä.txt  "},
	} {
		p := read(t, c.header+"\n\nx").Parts[0]
		if got := fmt.Sprintf("%s %s %s %s", p.Type, p.Name, p.Disposition, p.ContentID); got != c.want {
			t.Errorf("%s: %q, want %q", c.header, got, c.want)
		}
	}
}

// TestHeaderIsTheSenders: nothing that was written for go-message is left in
// it, and nothing of the sender's is lost.
func TestHeaderIsTheSenders(t *testing.T) {
	m := read(t, "From : e@example.net\nX-MIXED-case: 1\nContent-Type: text/x;\n charset=y\njunk\nContent-Type: text/z\nContent-Transfer-Encoding: x\n\nb")
	want := []Field{{"From", "e@example.net", true}, {"X-MIXED-case", "1", false}, {"Content-Type", "text/x; charset=y", false},
		{"Content-Type", "text/z", false}, {"Content-Transfer-Encoding", "x", false}}
	if got := m.Header.Fields(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := m.Header.Raw("content-type"); !slices.Equal(got, []string{"text/x; charset=y", "text/z"}) || !m.Header.Has("x-mixed-CASE") || m.Header.Len() != 5 {
		t.Errorf("%q", got)
	}
	if p := m.Parts[0]; p.Type != "text/x" || p.Charset != "y" {
		t.Errorf("%+v", p)
	}
}

// TestNoGlobalCharsets: whatever reader another package of the program gives
// to go-message, octets stay as they came and are converted here.
func TestNoGlobalCharsets(t *testing.T) {
	message.CharsetReader = func(string, io.Reader) (io.Reader, error) { return strings.NewReader("global"), nil }
	defer func() { message.CharsetReader = nil }()
	m := read(t, "A: =?koi8-r?Q?=CD?=\nContent-Type: text/plain; charset=koi8-r\n\n\xcd\xc9\xd2\n")
	if m.Text != "мир\n" || string(m.Parts[0].Data) != "\xcd\xc9\xd2\n" || m.Header.Get("A") != "м" {
		t.Errorf("%q, %q, %q", m.Text, m.Parts[0].Data, m.Header.Get("A"))
	}
}

// TestNotes: what was repaired is told.
func TestNotes(t *testing.T) {
	mixed := "A: b\nContent-Type: multipart/mixed; boundary=b\n\n"
	deep := "A: b\n"
	for i := range MaxDepth + 1 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	for _, c := range []struct {
		raw, note string
		parts     int
	}{
		{"From x\nA: b\n\nc", "mbox From line was left out", 1},
		{"A: b\rC: d\r\re", "lines ended in CR only", 1},
		{"A: b\njunk\nTo: d\n\ne", "broken header lines were left out", 1},
		{"From: a\nFrom: b\n\nc", "more than one From field; the first is shown", 1},
		{mixed + "--b\n\nc", "the closing boundary was missing", 1},
		{mixed + "--c\nContent-Type: text/x\n\nd\n--c--\n", "the boundary was not the declared one", 1},
		{mixed + "c", "a multipart without its boundary was read as text", 1},
		{mixed + strings.Repeat("--b\n\nc\n", MaxParts+1) + "--b--\n", "parts after the 200th were left out", MaxParts},
		{deep + "\nc", "parts nested deeper than 20 were left out", 0},
		{"Content-Type: application/vnd.ms-tnef\n\nc", "a TNEF part (winmail.dat) was not opened; ask the sender for plain text", 1},
		{"A: b\n\n" + strings.Repeat("c", MaxText+1), "text was cut at the budget", 1},
	} {
		m := read(t, c.raw)
		if !slices.Contains(m.Notes, c.note) || len(m.Parts) != c.parts {
			t.Errorf("%.60q: %d parts, notes %q; want %d, %q", c.raw, len(m.Parts), m.Notes, c.parts, c.note)
		}
		if clean := read(t, mixed+"--b\n\nc\n--b--\n"); len(clean.Notes) > 0 {
			t.Errorf("nothing to repair, but %q", clean.Notes)
		}
	}
}

// TestPartBudgets: the header of a part and the blocks of a report are bounded
// as the header of the message is.
func TestPartBudgets(t *testing.T) {
	mixed := "A: b\nContent-Type: multipart/report; boundary=b\n\n--b\n"
	if m := read(t, mixed+"A: b\n"+strings.Repeat(" x\n", MaxHeader)+"\n--b--\n"); m.Parts[0].Size < 2*MaxHeader {
		t.Errorf("a header of %d octets was read, and %d of body", 3*MaxHeader-m.Parts[0].Size, m.Parts[0].Size)
	}
	m := read(t, mixed+"Content-Type: message/delivery-status\n\n"+strings.Repeat("A: b\n\n", 2*MaxFields)+"--b--\n")
	if len(m.Report.Status) != MaxFields {
		t.Errorf("%d blocks, want %d", len(m.Report.Status), MaxFields)
	}
}

// TestHostile takes megabytes of what once took minutes, or might.
func TestHostile(t *testing.T) {
	mixed := "A: b\nContent-Type: multipart/mixed; boundary=b\n\n"
	var deep strings.Builder
	deep.WriteString("A: b\n")
	for i := range MaxDepth {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	mega := func(s string) string { return strings.Repeat(s, (4<<20)/len(s)) }
	field := func(name, s string) string { return name + ": " + strings.Repeat(s, (200<<10)/len(s)) + "\n\n" }
	for name, raw := range map[string]string{
		"CR":                    "A: b\n\n" + mega("\r"),
		"comments":              field("From", "("),
		"quotes":                field("From", "\"\\"),
		"colons":                field("From", "a : "),
		"brackets":              field("From", "<("),
		"encoded words":         field("Subject", "=?x?q?"),
		"parameters":            field("Content-Type", "a*1="),
		"identifiers":           field("References", "<"),
		"dates":                 field("Date", "1 jan"),
		"delimiters of nothing": mixed + mega("--\n"),
		"text at depth 20":      deep.String() + "\n" + mega("\n--b1x"),
		"no boundary at all":    mixed + mega("--b\nContent-Type: multipart/x\n\n"+strings.Repeat("--x\n", 5000)),
		"folded part":           mixed + "--b\nA: b\n" + mega(" x\n"),
		"junk in a part":        mixed + "--b\n" + mega(strings.Repeat("x\n", 58)+"To: x\n"),
		"padding":               "Content-Transfer-Encoding: base64\n\n" + mega("QQ=="),
		"soft line breaks":      "Content-Transfer-Encoding: quoted-printable\n\n\f" + mega("= \n"),
		"status blocks":         "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n" + mega("A:b\n\n"),
	} {
		start := time.Now()
		m := read(t, raw)
		if d := time.Since(start); d > 20*time.Second || len(m.Parts) > MaxParts {
			t.Errorf("%s: %v, %d parts", name, d, len(m.Parts))
		}
	}
}

// TestCodeBeforeWords: base64 that is padded ends there, also within a line.
func TestCodeBeforeWords(t *testing.T) {
	for body, want := range map[string]string{
		"ecO2dMOkIHZhYW4uCg== ignored":        "yötä vaan.\n",
		"SGVsbG8g\nd29ybGQ= [footer of list]": "Hello world",
		"SGVsbG8gd29ybGQ=\n":                  "Hello world",
		"a = b and c = d\n":                   "a = b and c = d\n",
	} {
		if got, _ := base64Body([]byte(body)); string(got) != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}

// TestAddressBelowWhiteSpace: a line of white space within a field of addresses
// does not end the header.
func TestAddressBelowWhiteSpace(t *testing.T) {
	m, err := Read([]byte("From: Mary Smith\r\n    \r\n\t<mary@example.net>\r\nSubject: x\r\n\r\nbody\r\n"))
	if err != nil || len(m.From) != 1 || m.From[0].Addr != "mary@example.net" || m.Subject != "x" || m.Text != "body\n" {
		t.Errorf("%v %+v", err, m)
	}
	m, err = Read([]byte("From: mary@example.net\r\n    \r\n\t<bob@example.net> is a friend\r\n"))
	if err != nil || len(m.From) != 1 || m.From[0].Addr != "mary@example.net" {
		t.Errorf("%v %+v", err, m)
	}
}
