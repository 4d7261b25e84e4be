package inbox

import (
	"strings"
	"testing"

	"galley/inbox/mime"
	"galley/send"
)

func message(t *testing.T, head, body string) *mime.Message {
	t.Helper()
	m, err := mime.Read([]byte(strings.ReplaceAll("From: Ada <ada@lab.example>\nTo: news@rct.example\n"+head+"\n"+body, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Copies of one mail differ in the fields that servers put on top, and in
// nothing else.
func TestDigestIsBelowTheTrace(t *testing.T) {
	mail := "From: a@b.example\r\nReceived: kept, for it is not on top\r\n\r\nHello\r\n"
	same := []string{
		mail,
		"Return-Path: <x@y.example>\r\n" + mail,
		"Delivered-To: news@rct.example\r\nReceived: from a\r\n\tby b;\r\n Sat, 16 Jul 2022\r\n" + mail,
		"X-Original-To: x\nAuthentication-Results: mx; dkim=pass\n" + mail,
		"RECEIVED : from a\r\n" + mail,
	}
	for _, s := range same {
		if Digest([]byte(s)) != Digest([]byte(mail)) {
			t.Errorf("another digest for %q", s)
		}
	}
	for _, s := range []string{"", "\r\n", mail + " ", "X-Other: y\r\n" + mail, strings.Replace(mail, "kept", "lost", 1), "Received: a"} {
		if Digest([]byte(s)) == Digest([]byte(mail)) {
			t.Errorf("the same digest for %q", s)
		}
	}
}

// known is a newsletter of which the tests hold the keys.
func known() (Known, *send.Newsletter) {
	n := &send.Newsletter{ID: "rct", Name: "RCT", Pattern: send.Pattern{Mailbox: "news@rct.example"}, Keys: send.Keys{Secret: []byte("thirty-two octets of a test's key")}}
	k := KnownTo(n)
	k.Issued = func(id string) bool { return id == "<ours@rct.example>" }
	return k, n
}

func TestTell(t *testing.T) {
	k, n := known()
	leave := n.Pattern.Address(send.KindUnsubscribe, n.Keys.Mint(send.KindUnsubscribe, 7))
	bounce := n.Pattern.Address(send.KindBounce, n.Keys.Mint("b", 9))
	for _, c := range []struct {
		name, head string
		want       Kind
	}{
		{"a person", "Subject: hello\n", ""},
		{"a person at Fastmail", "Feedback-ID: i1:1:2:Fastmail\nSubject: hello\n", ""},
		{"a person at Proton", "Feedback-ID: 1:user:proton\nX-Pm-Message-ID: x\n", ""},
		{"a person at Outlook", "X-Auto-Response-Suppress: DR, OOF\nSubject: hello\n", ""},
		{"Auto-Submitted: no", "Auto-Submitted: no\n", ""},
		{"our own Message-ID", "Message-ID: <ours@rct.example>\n", Own},
		{"an answer to it", "In-Reply-To: <ours@rct.example>\n", ""},
		{"our X-Loop", "X-Loop: " + n.Loop() + "\n", Own},
		{"our List-Id", "List-Id: RCT <" + n.ListIdentifier() + ">\n", Own},
		{"a loop", strings.Repeat("Received: from a by b; Sat, 16 Jul 2022 09:00:00 +0000\n", 51), Own},
		{"vacation", "Auto-Submitted: auto-replied (vacation)\n", Auto},
		{"an answering machine", "X-Autoreply: yes\n", Auto},
		{"bulk", "Precedence: bulk\n", Auto},
		{"Exchange", "X-Auto-Response-Suppress: All\nIn-Reply-To: <ours@rct.example>\n", Auto},
		{"out of office", "Subject: Automatische Antwort: #130\nIn-Reply-To: <ours@rct.example>\n", Auto},
		{"words of it in a new mail", "Subject: Out of office furniture\n", ""},
		{"a list", "List-Id: <other.example>\nList-Post: <mailto:x@other.example>\n", List},
		{"the token for leaving", "Cc: " + leave + "\n", Unsubscribe},
		{"the same, automatic", "Cc: " + leave + "\nAuto-Submitted: auto-generated\n", Unsubscribe},
		{"the same, in capitals", "Delivered-To: " + strings.ToUpper(leave) + "\n", Unsubscribe},
		{"a token that is none", "Cc: news+unsub-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@rct.example\n", ""},
		{"a bounce's token from a mail system", "Return-Path: <>\nDelivered-To: " + bounce + "\nSubject: sorry\n", Bounce},
		{"the subscribe address", "Delivered-To: news+subscribe@rct.example\n", Subscribe},
	} {
		tray := Tell(message(t, c.head, "Words of a person.\n"), k)
		if tray.Kind != c.want {
			t.Errorf("%s: %q (%s), want %q", c.name, tray.Kind, tray.Reason, c.want)
		}
		if c.want == Unsubscribe && tray.Subscriber != 7 || c.want == Bounce && tray.Delivery != 9 {
			t.Errorf("%s: %+v", c.name, tray)
		}
	}
}

// Without keys no token is one of ours: what inspect knows without books.
func TestTellWithoutKeys(t *testing.T) {
	_, n := known()
	leave := n.Pattern.Address(send.KindUnsubscribe, n.Keys.Mint(send.KindUnsubscribe, 7))
	n.Keys = send.Keys{}
	if tray := Tell(message(t, "Cc: "+leave+"\n", "x\n"), KnownTo(n)); tray.Kind == Unsubscribe {
		t.Errorf("%+v", tray)
	}
}

// What looks like a code is found where mail programs leave it.
func TestCodesIn(t *testing.T) {
	_, n := known()
	in := &Newsletter{Press: n}
	const code = "k7qf3m2xw2da4hzt6npr5cvbye"
	for name, m := range map[string]*mime.Message{
		"the address": message(t, "Cc: news+approve-"+code+"@rct.example\n", "approve\n"),
		"a line":      message(t, "", "approve\n\n> Proof code:\n> "+code+"\n"),
		"the Subject": message(t, "Subject: approve "+code+"\n", "\n"),
	} {
		if got := codesIn(m, in); len(got) != 1 || got[0] != code {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := codesIn(message(t, "", "a word of incomprehensibilities in plain text\n"), in); len(got) != 0 {
		t.Errorf("found %q in plain words", got)
	}
}

func FuzzDigest(f *testing.F) {
	f.Add([]byte("Received: a\r\n b\r\nFrom: x\r\n\r\nbody"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rest := belowTrace(raw)
		if !strings.HasSuffix(string(raw), string(rest)) {
			t.Fatal("octets were changed")
		}
		if with := append([]byte("Received: more\r\n"), rest...); Digest(with) != Digest(rest) && len(rest) > 0 && rest[0] != ' ' && rest[0] != '\t' {
			t.Fatalf("a trace field changes the digest of %q", rest)
		}
	})
}
