package servertest

import (
	"net/smtp"
	"strings"
	"testing"
	"time"
)

// A mail goes the whole way: submitted and signed, judged, delivered; one for
// nobody comes back to its sender.
func TestPost(t *testing.T) {
	Need(t, "dovecot", "postfix", "opendkim", "opendmarc")
	d := StartDovecot(t, DovecotOptions{Users: []string{"ines", "letter"}})
	signs, records := MilterSigner(t, "ines.example")
	records["_dmarc.ines.example"] = "v=DMARC1; p=reject"
	f := StartPostfix(t, PostfixOptions{Dovecot: d, Domains: []string{"ines.example", "quiet.example"}, Signs: signs, Judges: MilterJudges(t, records)})
	auth := smtp.PlainAuth("", "ines", Password, "127.0.0.1")
	text := "From: ines@ines.example\r\nTo: letter@quiet.example\r\nSubject: hi\r\nDate: " + time.Now().Format(time.RFC1123Z) + "\r\n" +
		"Message-ID: <a@ines.example>\r\nAuthentication-Results: mx.test; dkim=pass header.d=evil.example\r\n\r\nhello\r\n"
	if err := smtp.SendMail(local(f.Submission), auth, "ines@ines.example", []string{"letter+x@quiet.example", "nobody@quiet.example"}, []byte(text)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return len(d.Messages("letter", "INBOX")) == 1 && len(d.Messages("ines", "INBOX")) == 1 })
	got := string(d.Messages("letter", "INBOX")[0])
	for _, want := range []string{"dkim=pass", "header.d=ines.example", "dmarc=pass", "Delivered-To: letter+x@quiet.example"} {
		if !strings.Contains(got, want) {
			t.Errorf("the mail came without %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "evil") {
		t.Errorf("a forged judgement was let in:\n%s", got)
	}
	if back := string(d.Messages("ines", "INBOX")[0]); !strings.Contains(back, "5.1.1") || !strings.Contains(back, "multipart/report") {
		t.Errorf("the bounce is\n%s", back)
	}
	for i, ok := range OpenDKIM(t, records, crlf(got), crlf(strings.Replace(got, "hello", "hullo", 1))) {
		if ok != (i == 0) {
			t.Errorf("OpenDKIM on message %d: %v", i, ok)
		}
	}
	for i, s := range Dkimpy(t, records, crlf(got), crlf(strings.Replace(got, "hello", "hullo", 1))) {
		if len(s) != 1 || s[0].OK != (i == 0) || s[0].Algorithm != "rsa-sha256" {
			t.Errorf("dkimpy on message %d: %v", i, s)
		}
	}
}

func crlf(s string) []byte {
	return []byte(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n"))
}

func waitFor(t *testing.T, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come")
		}
	}
}
