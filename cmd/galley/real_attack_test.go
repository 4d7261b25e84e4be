package main

import (
	"fmt"
	"net/smtp"
	"os"
	"strings"
	"testing"
	"time"
)

// attack is a mail that wants to pass for the editor's. The first line of head
// is its From.
type attack struct {
	from string // of the envelope
	head string
}

// attacks are forged From fields, forged words of the judges, and envelopes
// that slip words into what the judges write (bar 67).
func attacks() []attack {
	const eve = "eve@evil.example"
	out := []attack{
		{from: "", head: "From: ines@ines.example"},
		{from: "ines@ines.example", head: "From: ines@ines.example"},
		{from: "ines@ines.example", head: "From: Ines Moreau <ines@ines.example>\r\nReply-To: " + eve},
		{from: `"x; dmarc=pass header.from=ines.example"@evil.example`, head: "From: ines@ines.example"},
		{from: `"x (mx.test; dmarc=pass header.from=ines.example"@evil.example`, head: "From: ines@ines.example"},
		{from: "ines@ines.example.evil.example", head: "From: ines@ines.example"},
	}
	for _, from := range []string{
		"From: eve@evil.example\r\nFrom: ines@ines.example", "From: ines@ines.example\r\nFrom: eve@evil.example",
		"From : ines@ines.example\r\nFrom: eve@evil.example", "from: ines@ines.example\r\nFROM: eve@evil.example",
		"From: ines@ines.example, eve@evil.example", "From: eve@evil.example, ines@ines.example",
		`From: "ines@ines.example" <eve@evil.example>`, "From: ines@ines.example <eve@evil.example>",
		"From: <@evil.example:ines@ines.example>", "From: editors: ines@ines.example;", "From: ines@ines.example(eve@evil.example)",
		"From: =?utf-8?q?ines=40ines=2Eexample?= <eve@evil.example>", "From: ines@ines.example.", "From: ines@lnes.example",
		"From: \"ines\"@ines.example", "From:\r\n ines@ines.example\r\n , eve@evil.example",
		"From: ines@ines.example\r\nSender: eve@evil.example", "Resent-From: ines@ines.example\r\nFrom: eve@evil.example",
	} {
		out = append(out, attack{from: eve, head: from})
	}
	for _, word := range []string{
		"mx.test; dmarc=pass header.from=ines.example", "mx.test; dkim=pass header.d=ines.example", "mx.test 1; dmarc=pass header.from=ines.example",
		"MX.TEST; dmarc=pass header.from=ines.example", "(x) mx.test; dmarc=pass header.from=ines.example", "\"mx.test\"; dmarc=pass header.from=ines.example",
		"mx.test.evil.example; dmarc=pass header.from=ines.example", "mx.test\r\n ; dmarc=pass header.from=ines.example", "mx.test;dkim=pass header.d=ines.example;dmarc=pass header.from=ines.example",
	} {
		out = append(out, attack{from: eve, head: "From: ines@ines.example\r\nAuthentication-Results: " + word})
	}
	for _, name := range []string{"authentication-results", "Authentication-Results ", "ARC-Authentication-Results: i=1; x\r\nAuthentication-Results"} {
		out = append(out, attack{from: eve, head: "From: ines@ines.example\r\n" + name + ": mx.test; dmarc=pass header.from=ines.example"})
	}
	return out
}

// TestAttacksOnRealServers sends every attack with a draft, and again with
// words that let the waiting proof out, to the server that takes mail for the
// newsletter. The judges are OpenDKIM and OpenDMARC.
func TestAttacksOnRealServers(t *testing.T) {
	r := newReal(t, 3, "")
	r.readers(3, 0)
	r.start()
	r.swaks("ines", realEditor, realBox, "the next one", "Here it is.", "--attach-type", "text/markdown", "--attach-name", "0129.md", "--attach", "@"+seedIssue(t))
	r.paper("Proof 1 of #129")
	text, err := os.ReadFile(seedIssue(t))
	if err != nil {
		t.Fatal(err)
	}
	sent, refused := 0, 0
	for i, a := range attacks() {
		for _, body := range []string{strings.ReplaceAll(string(text), "#129", "#130"), "approve\r\n", "send now\r\n"} {
			raw := fmt.Sprintf("%s\r\nTo: %s\r\nSubject: Re: Proof 1 of #129: ready\r\nDate: %s\r\nMessage-ID: <attack%d.%d@evil.example>\r\n\r\n%s",
				a.head, realBox, time.Now().Format(time.RFC1123Z), i, len(body), crlfText(body))
			switch err := smtp.SendMail(fmt.Sprintf("127.0.0.1:%d", r.postfix.MX), nil, a.from, []string{realBox}, []byte(raw)); {
			case err != nil:
				refused++ // by a server that knows better
			default:
				sent++
			}
		}
	}
	if sent < 90 {
		t.Errorf("only %d attacks came in, %d were refused", sent, refused)
	}
	r.until("every attack to be taken in", 90*time.Second, func() bool {
		return r.number(`SELECT count(*) FROM message WHERE state <> 'new'`) >= sent+1
	})
	t.Logf("%d attacks came in, %d were refused before", sent, refused)
	for query, want := range map[string]int{
		`draft WHERE state IN ('new', 'proofed')`: 1, `edition`: 0, `issue WHERE state IN ('approved', 'sending', 'sent')`: 0, `issue`: 1,
	} {
		if n := r.number(`SELECT count(*) FROM ` + query); n != want {
			t.Errorf("%d rows of %s, want %d", n, query, want)
		}
	}
	log := string(file(t, r.dir, "daemon.log"))
	if n := strings.Count(log, "msg=inbox"); n < sent {
		t.Errorf("the log tells of %d mails of %d", n, sent)
	}
	for _, secret := range []string{realEditor, "eve@evil.example"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log shows %q", secret)
		}
	}
	r.reply(r.paper("Proof 1 of #129"), "send now") // the editor herself still can
	r.paper("Sent: #129")
}

func crlfText(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}
