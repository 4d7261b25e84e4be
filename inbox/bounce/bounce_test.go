package bounce

import (
	"strings"
	"testing"

	"galley/inbox/mime"
)

func judge(t *testing.T, raw string) Result {
	t.Helper()
	m, err := mime.Read([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return Read(m)
}

const dsnHead = "From: MAILER-DAEMON@mx.example.net\nTo: b-token@example.org\nSubject: Undelivered Mail Returned to Sender\n" +
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"

const returned = "\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <i129.token@example.org>\nTo: Bob <bob@example.net>\nList-Unsubscribe: <mailto:u-token@example.org>\nSubject: #129\n\nx\n--b--\n"

func TestStatus(t *testing.T) {
	for _, c := range []struct{ name, fields, recipient, action, class string }{
		{"user unknown", "Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n", "bob@example.net", "failed", Hard},
		{"alias", "Original-Recipient: rfc822;bob@example.net\nFinal-Recipient: rfc822;robert@inner.example.net\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 User unknown\n", "bob@example.net", "failed", Hard},
		{"mailbox full", "Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.2.2\n", "bob@example.net", "failed", Soft},
		{"expired", "Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 4.4.7\n", "bob@example.net", "failed", Soft},
		{"no such domain", "Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.4.4\nDiagnostic-Code: X-Postfix; Host or domain name not found\n", "bob@example.net", "failed", Domain},
		{"we are refused", "Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 550 5.7.1 blocked by our reputation list\n", "bob@example.net", "failed", Ours},
		{"we are refused under the name of the address", "Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 rejected as spam\n", "bob@example.net", "failed", Ours},
		{"words outrank x.0.0", "Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 552 mailbox is full\n", "bob@example.net", "failed", Soft},
		{"delayed", "Final-Recipient: rfc822; bob@example.net\nAction: delayed\nStatus: 5.1.1\n", "bob@example.net", "delayed", None},
		{"relayed", "Final-Recipient: rfc822; bob@example.net\nAction: relayed\nStatus: 2.0.0\n", "bob@example.net", "relayed", None},
		{"delivered", "Final-Recipient: rfc822; bob@example.net\nAction: delivered\nStatus: 2.0.0\n", "bob@example.net", "delivered", None},
	} {
		r := judge(t, dsnHead+c.fields+returned)
		if r.Kind != KindBounce || len(r.Reports) != 1 {
			t.Errorf("%s: %+v", c.name, r)
			continue
		}
		p := r.Reports[0]
		if p.Recipient != c.recipient || p.Action != c.action || p.Class != c.class || p.MessageID != "<i129.token@example.org>" {
			t.Errorf("%s: %+v, want %s %s %s", c.name, p, c.recipient, c.action, c.class)
		}
		if len(r.To) != 1 || r.To[0] != "bob@example.net" || len(r.Unsubscribe) != 1 {
			t.Errorf("%s: trace %v %v", c.name, r.To, r.Unsubscribe)
		}
	}
}

func TestFreeText(t *testing.T) {
	daemon := "From: MAILER-DAEMON@mx.example.net\nTo: b-token@example.org\n"
	for _, c := range []struct{ name, raw, kind, recipient, class string }{
		{"qmail", daemon + "Subject: failure notice\n\nHi. This is the qmail-send program.\n\n<bob@example.net>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <b@example.org>\nMessage-ID: <x@example.org>\nTo: bob@example.net\n\nspam\n", KindBounce, "bob@example.net", Hard},
		{"Exim", daemon + "X-Failed-Recipients: bob@example.net\nSubject: Mail delivery failed: returning message to sender\n\nThe following address(es) failed:\n\n  bob@example.net\n    mailbox is full: retry timeout exceeded\n", KindBounce, "bob@example.net", Soft},
		{"no word that is known", daemon + "Subject: failure notice\n\n<bob@example.net>:\nxyzzy\n", KindBounce, "bob@example.net", Soft},
		{"delay", daemon + "Subject: Warning: message delayed 24 hours\n\nYour message to bob@example.net could not be delivered yet: user unknown.\nDelivery attempts will continue to be made.\n", KindBounce, "bob@example.net", None},
		{"vacation", "From: Bob <bob@example.net>\nTo: b-token@example.org\nReturn-Path: <>\nAuto-Submitted: auto-replied\nSubject: Out of office: #129\n\nI am away. The mailbox bob@example.net is not read; user unknown to the sea.\n", KindNone, "", ""},
		{"a person answers a bounce", "From: Bob <bob@example.net>\nTo: ed@example.org\nSubject: Re: Undeliverable: #129\n\nHm, it says <ada@example.net>: user unknown, 550 5.1.1.\n", KindNone, "", ""},
		{"a letter", "From: Bob <bob@example.net>\nTo: ed@example.org\nSubject: #129\n\nMy mailbox was full, the message could not be delivered.\n", KindNone, "", ""},
	} {
		r := judge(t, c.raw)
		if r.Kind != c.kind || len(r.Reports) > 1 || c.kind != KindNone && len(r.Reports) != 1 {
			t.Errorf("%s: %+v", c.name, r)
			continue
		}
		if c.kind != KindNone && (r.Reports[0].Recipient != c.recipient || r.Reports[0].Class != c.class) {
			t.Errorf("%s: %+v, want %s %s", c.name, r.Reports[0], c.recipient, c.class)
		}
	}
}

func TestComplaints(t *testing.T) {
	head := "From: fbl@example.net\nTo: abuse@example.org\nSubject: complaint\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nx\n--b\nContent-Type: message/feedback-report\n\n"
	for _, c := range []struct{ name, fields, kind, who, class string }{
		{"abuse", "Feedback-Type: abuse\nOriginal-Rcpt-To: <bob@example.net>\n", KindComplaint, "bob@example.net", Complaint},
		{"redacted", "Feedback-Type: abuse\nRedacted-Address: redacted@\n", KindComplaint, "bob@example.net", Complaint},
		{"not spam", "Feedback-Type: not-spam\nOriginal-Rcpt-To: <bob@example.net>\n", KindReport, "bob@example.net", None},
		{"authentication", "Feedback-Type: auth-failure\nOriginal-Rcpt-To: <bob@example.net>\n", KindReport, "bob@example.net", None},
	} {
		r := judge(t, head+c.fields+returned)
		if r.Kind != c.kind || len(r.Reports) != 1 || r.Reports[0].Recipient != c.who || r.Reports[0].Class != c.class {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	mdn := strings.Replace(dsnHead, "delivery-status", "disposition-notification", 2)
	if r := judge(t, mdn+"Final-Recipient: rfc822;bob@example.net\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n"); r.Kind != KindReport {
		t.Errorf("a read receipt is %+v", r)
	}
}

// TestClassify is the table of classes.
func TestClassify(t *testing.T) {
	for _, c := range []struct{ status, words, class string }{
		{"5.1.0", "", Hard}, {"5.1.1", "", Hard}, {"5.1.3", "", Hard}, {"5.1.6", "", Hard}, {"5.1.10", "", Hard}, {"5.2.1", "", Hard},
		{"5.1.2", "", Domain}, {"5.4.4", "", Domain}, {"5.2.2", "", Soft}, {"4.2.2", "", Soft}, {"4.4.7", "", Soft},
		{"5.7.1", "", Ours}, {"5.7.26", "", Ours}, {"5.3.4", "", Ours}, {"5.5.1", "", Ours}, {"5.6.1", "", Ours},
		{"", "550 bob@example.net", Hard}, {"", "551 elsewhere", Hard}, {"", "553 bob", Hard}, {"", "550 blocked by policy", Ours},
		{"", "554 transaction failed", Ours}, {"", "552 what", Soft}, {"", "", Soft}, {"5.0.0", "", Soft},
		{"5.5.0", "user unknown", Hard}, {"5.1.1", "message looks like spam", Ours}, {"2.0.0", "", None},
		{"5.7.1", "user unknown", Hard}, {"5.7.515", "access denied", Ours},
	} {
		if got := Classify(c.status, c.words); got != c.class {
			t.Errorf("%q %q: %s, want %s", c.status, c.words, got, c.class)
		}
	}
}

// FuzzBounce: nothing panics, and what is not failed never suppresses.
func FuzzBounce(f *testing.F) {
	f.Add([]byte(dsnHead + "Final-Recipient: rfc822; bob@example.net\nAction: delayed\nStatus: 5.1.1\n" + returned))
	f.Add([]byte("From: MAILER-DAEMON@x.example\nSubject: failure notice\n\n<bob@example.net>:\n550 5.1.1 no such user\n\nReceived: x\nTo: y\nFrom: z\n"))
	f.Add([]byte("From: a@b.example\nSubject: AWS\n\n{\"notificationType\":\"Bounce\",\"emailAddress\":\"a@b.example\",\"status\":\"5.1.1\"}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := mime.Read(raw)
		if err != nil {
			return
		}
		r := Read(m)
		for _, p := range r.Reports {
			if p.Action != "" && p.Action != "failed" && p.Class != None {
				t.Fatalf("%s counts as %s", p.Action, p.Class)
			}
			if r.Kind == KindNone || p.Class == "" {
				t.Fatalf("a report without kind or class: %+v", r)
			}
		}
	})
}
