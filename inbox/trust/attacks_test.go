package trust

import (
	"context"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

// border is what the editor's own mail server puts on top of whatever comes:
// the truth about it, which is that nothing proves it.
const border = "Received: from evil.example by mx.grid.example with ESMTP; Mon, 3 Jan 2000 10:00:00 +0000\r\n"

// forgedFrom are From fields that some reader takes for the editor's, on mail
// that evil.example has signed as its own and the border says so.
var forgedFrom = []string{
	"From: eve@evil.example\r\nFrom: ada@lab.example", "From: ada@lab.example\r\nFrom: eve@evil.example",
	"From : ada@lab.example\r\nFrom: eve@evil.example", "From\t: ada@lab.example\r\nFrom: eve@evil.example",
	"from: ada@lab.example\r\nFROM: eve@evil.example", "From: ada@lab.example, eve@evil.example",
	"From: eve@evil.example, ada@lab.example", "From: <ada@lab.example> <eve@evil.example>",
	"From: eve@evil.example <ada@lab.example>, x@evil.example", "From: \"ada@lab.example\" <eve@evil.example>",
	"From: ada@lab.example <eve@evil.example>", "From: <@evil.example:ada@lab.example>",
	"From: editors: ada@lab.example;", "From: ada@lab.example(eve@evil.example)",
	"From: (<eve@evil.example>) ada@lab.example", "From: =?utf-8?q?ada=40lab=2Eexample?= <eve@evil.example>",
	"From: =?utf-8?q?ada=40lab=2Eexample?=", "From: ada@lab.example\x00@evil.example", "From: ada@lab.example\rX: y",
	"From: ada@lab.example.evil.example", "From: ada@Iab.example", "From: ada@lab.example.", "From: ada@l\u0430b.example",
	"From: \"ada\"@lab.example", "From: ada%lab.example@evil.example", "From: ada@lab.example@evil.example",
	"From:\r\n ada@lab.example\r\n , eve@evil.example", "Fr\r\n om: ada@lab.example\r\nFrom: eve@evil.example",
	"Sender: eve@evil.example\r\nFrom: ada@lab.example", "Resent-From: ada@lab.example\r\nFrom: eve@evil.example",
	"From: ada@lab.example\r\nSender: eve@evil.example\r\nSender: ada@lab.example", "X: y\r\n\tFrom: ada@lab.example\r\nFrom: eve@evil.example",
	"From: ada@lab.example\ufeff", "From: ada@l\u00adab.example", "From: ada@ｌａｂ.example", "From: ada@lab。example",
	"X: y\rFrom: eve@evil.example\r\nFrom: ada@lab.example", "X: y\x00From: eve@evil.example\r\nFrom: ada@lab.example",
	"X: y\r\n \r\n\t\r\nFrom: ada@lab.example", "X: y\r\n\r\r\nFrom: ada@lab.example",
}

// forgedWord are Authentication-Results that a forger brings or bends; each
// stands below the border's Received, or is what the border wrote about a
// MAIL FROM of the forger's choice (finding M5).
var forgedWord = []string{
	"mx.evil.example; dmarc=pass header.from=lab.example", "mx.grid.example.evil.example; dmarc=pass header.from=lab.example",
	"mx.grid.example; spf=pass smtp.mailfrom=\"x; dmarc=pass header.from=lab.example\"@evil.example",
	"mx.grid.example; spf=pass (x; dmarc=pass header.from=lab.example) smtp.mailfrom=evil.example",
	"mx.grid.example; spf=pass ((x) ; dmarc=pass header.from=lab.example (y)) smtp.mailfrom=evil.example",
	"mx.grid.example; spf=pass (\\); dmarc=pass header.from=lab.example) smtp.mailfrom=evil.example",
	"mx.grid.example; spf=pass smtp.mailfrom=\"\\\"; dmarc=pass header.from=lab.example\"@evil.example",
	"mx.grid.example; dkim=pass header.d=evil.example header.from=lab.example", "mx.grid.example; dkim=pass header.d=lab.example.evil.example",
	"mx.grid.example; dkim=pass header.d=\"lab.example\" header.d=evil.example", "mx.grid.example; dkim=pass header.i=@evil.example",
	"mx.grid.example; dmarc=pass header.from=evil.example", "mx.grid.example; dmarc=pass header.from=evil.example header.from=lab.example",
	"mx.grid.example; dmarc=fail header.from=lab.example; dmarc=pass header.from=lab.example",
	"mx.grid.example; dmarc=pass header.from=lab.example; dmarc=fail header.from=lab.example",
	"mx.grid.example 2; dmarc=pass header.from=lab.example", "mx.grid.example; spf=pass smtp.mailfrom=lab.example",
	"mx.grid.example; auth=pass smtp.auth=ada@lab.example", "mx.grid.example; arc=pass header.from=lab.example",
	"mx.grid.example; dmarc=\"pass\" header.from=lab.example", "mx.grid.example; dmarc=pass reason=header.from=lab.example",
	"mx.grid.example; dmarc (=) pass header.from=lab.example; x", "mx.grid.example dmarc=pass header.from=lab.example",
	"; dmarc=pass header.from=lab.example", "mx.grid.example;; dmarc=pass header.from=lab.example",
	"mx.grid.example; dmarc=passable header.from=lab.example", "mx.grid.example; none; dmarc=pass header.from=lab.example",
	"mx.grid.example; dmarc=pass header.from=lab.example\x00", "mx.grid.example; x=y\r\n; dmarc=pass header.from=lab.example",
}

// TestOwnAttacks are the attacks of our own on the sender's proof (bar 67): by
// none of them does a mail prove itself the editor's.
func TestOwnAttacks(t *testing.T) {
	p := Policy{Editors: []string{"ada@lab.example"}, AuthservIDs: []string{"mx.grid.example"}, Now: time.Now(), DNS: zone(map[string]string{})}
	rest := "\r\nTo: news@grid.example\r\nSubject: approve\r\nDate: " + time.Now().Format(time.RFC1123Z) + "\r\nMessage-ID: <1@evil.example>\r\n\r\napprove\r\n"
	judge := func(mail string) Evidence { return Judge(context.Background(), []byte(mail), p) }
	truth := "Authentication-Results: mx.grid.example; dmarc=pass header.from=lab.example\r\n"
	if ev := judge(truth + border + "From: ada@lab.example" + rest); ev.E != "pass" || !ev.Strict || !ev.Editor {
		t.Fatalf("what the border says of the editor's mail is not believed: %+v", ev)
	}
	for _, from := range forgedFrom {
		says := "Authentication-Results: mx.grid.example; dkim=pass header.d=evil.example; dmarc=pass header.from=evil.example\r\n"
		for _, head := range []string{says + border, truth + border} { // the second: a border that was misled itself
			if ev := judge(head + from + rest); ev.E == "pass" && ev.Strict && ev.Editor {
				t.Errorf("%q is believed: %+v", from, ev)
			}
		}
	}
	for _, word := range forgedWord {
		if ev := judge("Authentication-Results: " + word + "\r\n" + border + "From: ada@lab.example" + rest); ev.E == "pass" {
			t.Errorf("%q is believed: %+v", word, ev)
		}
	}
	if ev := judge(truth + "From: ada@lab.example" + rest); ev.E == "pass" {
		t.Errorf("a mail laid into the mailbox by APPEND is believed: %+v", ev)
	}
	t.Logf("%d attacks", 2*len(forgedFrom)+len(forgedWord)+1)
}

// result is a resinfo of RFC 8601 that says pass, once comments and quoted
// strings are out of the way: an independent reading, which takes no care of
// what the rest of a field means.
var resultPass = regexp.MustCompile(`(?i)^[ \t\r\n]*[a-z0-9][a-z0-9_-]*[ \t\r\n]*(/[ \t\r\n]*[0-9]+[ \t\r\n]*)?=[ \t\r\n]*pass([ \t\r\n]|$)`)

// strictPasses counts the passes of the independent reading.
func strictPasses(s string) int {
	flat, closed := blank(s)
	if !closed {
		return 0
	}
	n := 0
	for _, part := range strings.Split(flat, ";")[1:] {
		if resultPass.MatchString(part) {
			n++
		}
	}
	return n
}

// TestNoPassBesideTheGrammar is bar 68: no field has a pass that a strict
// reading does not have.
func TestNoPassBesideTheGrammar(t *testing.T) {
	pieces := []string{"mx.grid.example", ";", ";", "; ", " ", "dmarc", "spf", "dkim", "=", "pass", "fail", "=pass", "dmarc=pass", " header.from=", "lab.example", "smtp.mailfrom=",
		"\"", "\"", "(", ")", "\\", "@", "\r\n ", "\r\n", "1", "/1", "reason=", "none", "x", "\x00", "ü", "header.d=", "<", ",", "policy.", "."}
	r := rand.New(rand.NewPCG(1, 2))
	rounds, passes := 1_000_000, 0
	if testing.Short() {
		rounds = 20_000
	}
	for range rounds {
		var b strings.Builder
		b.WriteString("mx.grid.example; ")
		for range 1 + r.IntN(14) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		passes += checkPasses(t, b.String())
	}
	t.Logf("%d fields, %d of them with a pass", rounds, passes)
	if passes < rounds/1000 {
		t.Error("the fields hardly ever pass: they prove nothing")
	}
}

// checkPasses compares the two readings; 1 when there is a pass in ours.
func checkPasses(t *testing.T, field string) int {
	t.Helper()
	_, results, err := ParseAuthResults(field)
	got := 0
	for _, res := range results {
		if res.Result == "pass" {
			got++
		}
	}
	if err != nil || got == 0 {
		return 0 // no pass that could be one too many
	}
	if want := strictPasses(field); got > want {
		t.Fatalf("%q has %d passes, a strict reading %d", field, got, want)
	}
	return 1
}

// FuzzJudge: no octets make a judge fail, and what is not signed and not
// vouched for proves nothing.
func FuzzJudge(f *testing.F) {
	for _, from := range forgedFrom {
		f.Add([]byte(border + from + "\r\n\r\nx"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		ev := Judge(context.Background(), raw, Policy{Editors: []string{"ada@lab.example"}, DNS: zone(map[string]string{})})
		if ev.E == "pass" {
			t.Fatalf("%+v", ev)
		}
	})
}
