package inbox

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galley/compose/corpora"
)

// BenchmarkUnfold reads mails as a mailbox of goal I1 holds them, one after
// the other, as far as that needs no books.
func BenchmarkUnfold(b *testing.B) {
	mails := commonMail(b)
	var octets int64
	for _, m := range mails {
		octets += int64(len(m))
	}
	b.SetBytes(octets / int64(len(mails)))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		unfold(&waiting{id: 1, raw: mails[n%len(mails)]})
	}
}

// commonMail is a thousand mails in the proportions of goal I1.
func commonMail(b *testing.B) (out [][]byte) {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(corpora.Dir(b), "bounces-sisimai/files/*/*.eml"))
	if err != nil || len(files) == 0 {
		b.Fatal("no bounces: ", err)
	}
	issue := strings.Repeat("<p>A paragraph of an issue, with <b>words</b> in it and a <a href=\"https://example.org/piece\">link</a>, as long as paragraphs are.</p>\n", 500)
	var file strings.Builder
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("a file "), 16_000))), 76) {
		file.Write(line)
		file.WriteByte('\n')
	}
	for n := range 1000 {
		head := fmt.Sprintf("Return-Path: <reader%[1]d@readers.example>\nFrom: Reader %[1]d <reader%[1]d@readers.example>\nTo: letter@quiet.example\nSubject: Re: #12 - 21 Nov 2026\nDate: Sun, 22 Nov 2026 09:00:00 +0000\nMessage-ID: <answer-%[1]d@readers.example>\nIn-Reply-To: <12.%[1]d@quiet.example>\nMIME-Version: 1.0\n", n)
		switch n % 20 {
		case 0, 2, 4, 6, 8, 10, 12, 14, 16, 18:
			out = append(out, []byte(head+"Content-Type: text/plain; charset=utf-8\n\nThe part about the binder made me smile.\n\nOn Sat, 21 Nov 2026, Quiet Machines wrote:\n> What to write on the back of a binder\n> and more of it\n"))
		case 1, 3, 7, 9:
			out = append(out, []byte(head+"Content-Type: text/html; charset=utf-8\n\n<div>What a fine issue, thank you!</div><div class=\"gmail_quote\">On Sat, 21 Nov 2026, Quiet Machines wrote:<blockquote type=\"cite\">"+issue+"</blockquote></div>\n"))
		case 5:
			out = append(out, []byte(head+"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHere is the photo.\n--b\nContent-Type: image/jpeg; name=photo.jpg\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\n"+file.String()+"--b--\n"))
		default:
			raw, err := os.ReadFile(files[n%len(files)])
			if err != nil {
				b.Fatal(err)
			}
			out = append(out, raw)
		}
	}
	for i := range out { // as IMAP gives them (RFC 9051 section 2.3.4)
		out[i] = bytes.ReplaceAll(bytes.ReplaceAll(out[i], []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}
	return out
}
