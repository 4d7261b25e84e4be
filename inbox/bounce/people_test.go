package bounce

import (
	"strings"
	"testing"
)

// letters are about delivery, and written by people.
var letters = []struct{ subject, text string }{
	{"Problem with the newsletter", "I could not open the link in #129, the page does not exist any more."},
	{"Problems with your mail", "Your last mail was rejected by my filter. bob@work.example.net is my new address."},
	{"Issue 129 was not delivered", "It was not delivered to me, bob@example.net: user unknown is what my provider says."},
	{"Undeliverable?", "You say that my address bob@example.net is undeliverable. It works, please keep me!"},
	{"Error in issue 129", "The address in the article does not exist (info@museum.example.net)."},
	{"Error sending my reply", "I got: 550 5.1.1 user unknown <ed@example.org>. So once more."},
	{"Your system bounced", "<bob@example.net>:\nis the address that I want. It was not listed."},
	{"Nicht zugestellt", "Die Ausgabe wurde nicht zugestellt. Die Adresse bob@example.net existiert nicht mehr, sagt man mir."},
	{"配信エラーについて", "先週号が届きませんでした。アドレスは bob@example.net です。"},
	{"退信问题", "我朋友 bob@example.net 的邮箱收到了退信,用户不存在。"},
	{"complaint about message from last week", "I disagree with it."},
	{"User unknown", "A poem of that name: https://poems.example.net/1. The account does not exist."},
}

// TestPeopleWriteAboutDelivery: a mail whose envelope or name is a person's is
// no bounce, whatever it says, and nobody leaves the list by it.
func TestPeopleWriteAboutDelivery(t *testing.T) {
	for _, head := range []string{
		"Return-Path: <bob@example.net>\nFrom: Bob <bob@example.net>\n",
		"From: Bob <bob@example.net>\n", // a server that keeps no envelope
		"Return-Path: <SRS0=x=example.net=bob@relay.example.com>\nFrom: Bob <bob@example.net>\nIn-Reply-To: <i129.token@example.org>\n",
		"From: The Society <noreply@mail.example.net>\n",
	} {
		for _, l := range letters {
			r := judge(t, head+"To: ed@example.org\nSubject: "+l.subject+"\n\n"+l.text+"\n")
			if r.Kind != KindNone {
				t.Errorf("%s%s: %+v", head, l.subject, r)
			}
		}
	}
}

// TestAutomaticAnswersOfPeople have the null path, as bounces do, and may say
// that an address is no more.
func TestAutomaticAnswersOfPeople(t *testing.T) {
	for _, mark := range []string{"Auto-Submitted: auto-replied\n", "Auto-Submitted: auto-generated\n", "X-Autoreply: yes\n", "Precedence: bulk\n"} {
		for _, l := range append(letters[:2:2], []struct{ subject, text string }{
			{"#129", "I am away. Mail to bob@example.net cannot be delivered until Monday; ada@example.net helps."},
			{"Bob has left", "Bob no longer works here and bob@example.net is disabled. Write to ada@example.net."},
			{"Neue Adresse", "Die Adresse bob@example.net existiert nicht mehr, bitte an ada@example.net."},
			{"#129 unread", "My mailbox is full. bob@example.net is unavailable: user unknown."},
		}...) {
			if strings.HasPrefix(l.subject, "Problem") && !strings.Contains(mark, "auto-replied") {
				continue // a title, the null path and nothing of a person: a bounce may look so
			}
			r := judge(t, "Return-Path: <>\nFrom: Bob <bob@example.net>\nTo: b-token@example.org\nIn-Reply-To: <i129.token@example.org>\n"+mark+"Subject: "+l.subject+"\n\n"+l.text+"\n")
			if r.Kind != KindNone {
				t.Errorf("%s%s: %+v", mark, l.subject, r)
			}
		}
	}
}

// TestMachinesWithoutAName: what gives our mail back under a title is a bounce
// although its sender has no name of a machine.
func TestMachinesWithoutAName(t *testing.T) {
	text := "Your mail to the following could not be delivered:\n\n<bob@example.net>: 550 user unknown\n\n--- The header of your message:\n\nReceived: from mail.example.org by in1.example.net\nMessage-ID: <i129.token@example.org>\nFrom: ed@example.org\nTo: bob@example.net\n"
	for name, head := range map[string]string{
		"its own path": "Return-Path: <in1@example.net>\nFrom: in1@edge.example.net\nSubject: Mail could not be delivered\n",
		"no path":      "From: in1@edge.example.net\nSubject: Mail could not be delivered\n",
		"no title":     "Return-Path: <>\nFrom: in1@edge.example.net\nSubject: #129\n",
		"no name":      "Subject: Mail could not be delivered\n",
		"a guard":      "From: Mail_AntiVirus_Guard@example.net\nSubject: Mail could not be delivered\n",
	} {
		r := judge(t, head+"To: b-token@example.org\n\n"+text)
		if r.Kind != KindBounce || len(r.Reports) != 1 || r.Reports[0].Recipient != "bob@example.net" || r.Reports[0].Class != Hard {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
