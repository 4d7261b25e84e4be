package mime

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// FuzzRead: any octets give a message in valid UTF-8 within the budgets, or a
// refusal; nothing panics.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"From: a@example.org\nSubject: =?utf-8?q?x=C3?= =?utf-8?q?=A4?=\n\nhello\n",
		"From a\nFrom: \"x\" <a@b> (c\nTo: g: a, b@c;;\nContent-Type: multipart/mixed; boundary=--x\n\n----x\nContent-Type: text/html\n\n<p>a<blockquote>b\n----x--\n",
		"Content-Type: text/plain; charset=utf-7; format=flowed; delsp=yes\n\n> +AOQ- \n> b\n",
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nx\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: a\n\nFinal-Recipient: rfc822;x@y\n",
		"A: b\r\rbody", "From:0@\x80\n\n", "X: y\nContent-Transfer-Encoding: base64\n\nTGk=*\n-- \nlist", "a: b\n \n\tc\nTo: d\n\n",
		"A: b\njunk\n c\nTo: d\n\n", "Content-Type: multipart/digest; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b-c\nContent-Transfer-Encoding: base64\n\nLS1iLWMKCng=\n--b\n",
		"Content-Type: text/plain; name*0*=utf-8''%e4; name*1=b; charset=iso-2022-kr\n\n\x1b$)C\x0e0!\x0f",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		m, err := Read(raw)
		if !bytes.Equal(raw, before) {
			t.Fatal("what was read was changed")
		}
		if err != nil {
			if _, ok := err.(*Refusal); !ok {
				t.Fatalf("error is no refusal: %v", err)
			}
			return
		}
		if len(m.Parts) > MaxParts || m.Header.Len() > MaxFields {
			t.Fatalf("%d parts, %d fields", len(m.Parts), m.Header.Len())
		}
		draft, _, _, _, _ := DraftText(m)
		for _, s := range []string{m.Text, m.Plain, m.HTML, m.Subject, string(draft)} {
			if !utf8.ValidString(s) {
				t.Fatalf("invalid UTF-8: %q", s)
			}
		}
		for _, a := range append(append(m.From, m.To...), m.Cc...) {
			if !utf8.ValidString(a.Name) || !utf8.ValidString(a.Addr) {
				t.Fatalf("invalid UTF-8 in %q", a)
			}
		}
	})
}
