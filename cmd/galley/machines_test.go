package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galley/inbox/mime"
	"galley/send/store"
)

// machineMail is a mail that no person wrote: it names the newsletter's copy
// by {ID}, carries the code of a proof by {CODE}, and comes by a return path.
type machineMail struct{ name, path, raw string }

// away is how mailboxes say in ten languages that their owner is away.
var away = []struct{ subject, text string }{
	{"Automatic reply: #12 - 8 Jan 2000", "I am out of the office until Monday. In urgent cases: https://example.org/help"},
	{"Abwesenheitsnotiz: #12 - 8 Jan 2000", "Ich bin bis Montag nicht im Haus. Bitte abmelden Sie sich bei meiner Vertretung."},
	{"Réponse automatique : #12 - 8 Jan 2000", "Je suis absente jusqu'à lundi. https://example.org/aide"},
	{"Respuesta automática: #12 - 8 Jan 2000", "Estoy fuera de la oficina hasta el lunes."},
	{"Risposta automatica: #12 - 8 Jan 2000", "Sono fuori ufficio fino a lunedì."},
	{"Resposta automática: #12 - 8 Jan 2000", "Estou fora do escritório até segunda-feira."},
	{"Automatisch antwoord: #12 - 8 Jan 2000", "Ik ben tot maandag afwezig. stop"},
	{"Autosvar: #12 - 8 Jan 2000", "Jag är på semester till måndag."},
	{"Automatyczna odpowiedź: #12 - 8 Jan 2000", "Jestem na urlopie do poniedziałku."},
	{"自動応答: #12 - 8 Jan 2000", "月曜日まで不在にしております。"},
}

// marks are what programs write into the head of what they answer by
// themselves: Exchange, Gmail, Notes, Sieve, mail systems, old scripts.
var machineMarks = []struct{ name, head, path string }{
	{"RFC 3834", "Auto-Submitted: auto-replied\n", "m@machine.example"},
	{"a parameter", "Auto-Submitted: auto-replied; owner-email=\"m@machine.example\"\n", "m@machine.example"},
	{"Exchange", "X-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated\nX-MS-Exchange-Inbox-Rules-Loop: m@machine.example\n", ""},
	{"Exchange of old", "X-Auto-Response-Suppress: DR, OOF, AutoReply\n", "m@machine.example"},
	{"Gmail", "X-Autoreply: yes\nPrecedence: bulk\nAuto-Submitted: auto-replied\n", "m@machine.example"},
	{"Notes", "Precedence: auto_reply\nX-Mailer: Lotus Notes Release 8.5\n", "m@machine.example"},
	{"a null path", "", ""},
	{"cPanel", "X-Autorespond: away\nPrecedence: bulk\n", "m@machine.example"},
	{"vacation", "Precedence: junk\nX-Vacation: yes\n", "m@machine.example"},
	{"its Subject alone", "", "m@machine.example"},
}

// machines are 150 mails of machines and more (trust.md, bar 56).
func machines() []machineMail {
	var out []machineMail
	head := func(n int, from, to, subject, more string) string {
		return fmt.Sprintf("From: %s\nTo: %s\nSubject: %s\nDate: Fri, 7 Jan 2000 10:00:00 -0500\nMessage-ID: <machine-%d@machine.example>\nMIME-Version: 1.0\n%s", from, to, subject, n, more)
	}
	reply := "In-Reply-To: {ID}\nReferences: {ID}\n"
	plain := "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
	for _, a := range away {
		for _, mark := range machineMarks {
			n := len(out)
			raw := head(n, "Ada Reader <reader001@readers.example>", letterBox, a.subject, reply+mark.head+plain) + a.text + "\n\napprove\nunsubscribe\n"
			out = append(out, machineMail{"away, " + mark.name + ": " + a.subject, mark.path, raw})
		}
	}
	for n, kind := range []string{"failed", "delayed", "relayed", "expanded", "delivered"} {
		for _, from := range []string{"MAILER-DAEMON@mx.example", "postmaster@mx.example"} {
			raw := head(200+n, from, letterBox, "Delivery Status Notification", "Auto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nYour message could not be delivered. See https://mx.example/help\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; nobody@elsewhere.example\nAction: "+kind+"\nStatus: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\nSubject: hello\n\napprove\n--b--\n")
			out = append(out, machineMail{"a report of delivery: " + kind, "", raw})
		}
	}
	for n, v := range []string{"displayed", "deleted", "denied"} {
		raw := head(300+n, "reader001@readers.example", letterBox, "Read: #12 - 8 Jan 2000", reply+"Content-Type: multipart/report; report-type=disposition-notification; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nYour message was read. https://example.org/mdn\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;reader001@readers.example\nDisposition: manual-action/MDN-sent-manually; "+v+"\n\n--b--\n")
		out = append(out, machineMail{"a receipt: " + v, "reader001@readers.example", raw})
	}
	for n, kind := range []string{"abuse", "fraud", "virus", "other", "not-spam"} {
		raw := head(400+n, "fbl@provider.example", letterBox, "complaint", "Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nThis is an email abuse report.\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: "+kind+"\nUser-Agent: x/1\nVersion: 1\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <unknown@elsewhere.example>\nSubject: x\n\nx\n--b--\n")
		out = append(out, machineMail{"a complaint about no mail of ours: " + kind, "fbl@provider.example", raw})
	}
	for n, field := range []string{"List-Id: <dev.lists.example>", "List-Post: <mailto:dev@lists.example>", "List-Unsubscribe: <https://lists.example/u>", "Precedence: list", "Precedence: bulk"} {
		for k, words := range []string{"approve", "subscribe", "unsubscribe", "See https://example.org/list"} {
			raw := head(500+10*n+k, "dev@lists.example", letterBox, words, field+"\n"+plain) + words + "\n"
			out = append(out, machineMail{"a list: " + field, "dev-bounces@lists.example", raw})
		}
	}
	for n, from := range []string{"root@server.example (Cron Daemon)", "noreply@ci.example", "monitor@server.example"} {
		for k, mark := range []string{"Auto-Submitted: auto-generated", "Auto-Submitted: auto-notified", "Precedence: bulk", "Auto-Submitted: auto-generated\nX-Cron-Env: <SHELL=/bin/sh>"} {
			raw := head(600+10*n+k, from, letterBox, "Cron <root@server> /usr/bin/backup", mark+"\n"+plain) + "subscribe\nhttps://ci.example/build/3\n"
			out = append(out, machineMail{"cron and its like", "root@server.example", raw})
		}
	}
	return append(out, editorsMachines(head, reply, plain)...)
}

// editorsMachines are an editor's own programs, with a good code in the quote.
func editorsMachines(head func(int, string, string, string, string) string, reply, plain string) (out []machineMail) {
	for k, mark := range machineMarks[:6] {
		raw := head(700+k, "Ines Moreau <ines@ines.example>", letterBox, "Automatic reply: Proof 1 of #13", reply+mark.head+plain) + "I am away.\n\n> approve\n> {CODE}\n"
		out = append(out, machineMail{"an editor's program, " + mark.name, mark.path, raw})
	}
	return out
}

// TestMachinesAreNotAnswered gives the house 150 mails of machines: nothing
// is answered, and nothing happens (bar 56).
func TestMachinesAreNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{world: newWorld(t), texts: map[string]string{}}
		defer s.close()
		for n, line := range []string{"given it is Thursday 6 January, 17:00", "given a grace of 0s", "Ines mails 0012.md as attachment", "Ines gets: Proof 1 of #12: ready",
			"Ines replies: send now", "Ines gets: Approved: #12 goes now", "20 readers have #12", "Ines gets: Sent: #12 to 20 of 20"} {
			s.line(n+1, line)
		}
		before, answers := s.effects(), len(s.sink.Messages())
		_, mine := s.copyOf("Ada", "#12")
		all := machines()
		for _, m := range all {
			raw := strings.NewReplacer("{ID}", mine.MessageID, "{CODE}", strings.Repeat("a", 26)).Replace(m.raw)
			s.carry(m.path, letterBox, []byte(strings.ReplaceAll(raw, "\n", "\r\n")))
		}
		for _, a := range s.sink.Messages()[:1] { // our own issue, come back
			s.carry("", letterBox, a.Octets)
			all = append(all, machineMail{name: "our own issue"})
		}
		time.Sleep(10 * time.Minute)
		if after := s.effects(); after != before {
			t.Errorf("the books were %s and are %s", before, after)
		}
		for _, a := range s.sink.Messages()[answers:] {
			t.Errorf("%v gets %q", a.To, subjectOf(a.Octets))
		}
		kinds := s.kinds()
		for _, k := range []string{"letter", "suggestion", "draft", "answer", "command", "subscribe", "unsubscribe", "confirm"} {
			if k != "draft" && k != "answer" && kinds[k] > 0 {
				t.Errorf("%d mails of machines count as %s", kinds[k], k)
			}
		}
		t.Logf("%d mails of machines: 0 answers, 0 effects; %v", len(all), kinds)
		if len(all) < 150 {
			t.Errorf("%d are fewer than 150", len(all))
		}
	})
}

// effects are the rows that mail may cause, counted.
func (s *story) effects() string {
	var out []string
	s.view(func(ctx context.Context, tx *store.Tx) error {
		for _, table := range []string{"draft", "decision", "suggestion", "letter", "suppression"} {
			n := 0
			if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
				return err
			}
			out = append(out, fmt.Sprintf("%s %d", table, n))
		}
		n := 0
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM subscriber WHERE state = 'active'").Scan(&n)
		out = append(out, fmt.Sprintf("active %d", n))
		return err
	})
	return strings.Join(out, ", ")
}

// TestForgedSenders: whoever a mail claims to come from, it makes the house
// write to nobody but for confirmations, which are capped and quote nothing
// (bar 58).
func TestForgedSenders(t *testing.T) {
	t.Parallel()
	many := 400
	switch {
	case whole():
		many = 10_000
	case raceDetector:
		many = 150
	}
	synctest.Test(t, func(t *testing.T) {
		s := &story{world: newWorld(t), texts: map[string]string{}}
		defer s.close()
		s.line(1, "given it is Thursday 6 January, 17:00")
		s.line(2, "Ines mails 0012.md as attachment")
		s.line(3, "Ines gets: Proof 1 of #12: ready")
		before := len(s.sink.Messages())
		words := []string{"subscribe", "unsubscribe", "approve", "hold", "help", "status", "Where can I read more of this? zanzibar", "https://spam.example/zanzibar"}
		for n := range many {
			w := words[n%len(words)]
			raw := fmt.Sprintf("From: Victim %d <victim%d@forged.example>\r\nTo: %s\r\nSubject: %s zanzibar\r\nDate: Thu, 6 Jan 2000 17:10:00 -0500\r\nMessage-ID: <f%d@forged.example>\r\n\r\n%s\r\n", n, n, letterBox, w, n, w)
			s.carry(fmt.Sprintf("victim%d@forged.example", n), letterBox, []byte(raw))
		}
		time.Sleep(time.Hour)
		confirmations, others := 0, 0
		for _, a := range s.sink.Messages()[before:] {
			m, err := mime.Read(a.Octets)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case a.To[0] == "ines@ines.example": // letters are passed on, which answers nobody
			case strings.HasPrefix(m.Subject, "Please confirm"):
				confirmations++
				if strings.Contains(string(a.Octets), "zanzibar") {
					t.Fatalf("a confirmation quotes what was written:\n%s", a.Octets)
				}
			default:
				others++
				t.Errorf("%v gets %q", a.To, m.Subject)
			}
		}
		t.Logf("%d mails of forged senders: %d confirmations in an hour, %d other answers", many, confirmations, others)
		if confirmations > 100 || confirmations == 0 {
			t.Errorf("%d confirmations in an hour", confirmations)
		}
	})
}

// TestResponders: a machine that answers every mail like a person, and a
// house of the same kind, get no more than two mails in a day (bar 57).
func TestResponders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{world: newWorld(t), texts: map[string]string{}}
		defer s.close()
		s.line(1, "given it is Thursday 6 January, 17:00")
		s.line(2, "given a house that looks every 5m")
		s.line(3, "given a second newsletter")
		s.line(4, "Friend writes with Subject subscribe:")
		// In the name of the other newsletter, whose mailbox is a house too.
		s.carry(secondBox, letterBox, []byte("From: "+secondBox+"\r\nTo: "+letterBox+"\r\nSubject: subscribe\r\nDate: Thu, 6 Jan 2000 17:10:00 -0500\r\nMessage-ID: <a@notes.example>\r\n\r\nsubscribe\r\n"))
		answered, got := 0, map[string]int{}
		for range 24 * 6 {
			time.Sleep(10 * time.Minute)
			all := s.sink.Messages()
			for _, a := range all[answered:] {
				got[a.To[0]]++
				if a.To[0] != s.person("Friend").addr.Addr {
					continue
				}
				m, err := mime.Read(a.Octets)
				if err != nil {
					t.Fatal(err)
				}
				by := s.person("Friend")
				s.world.post(by, s.answer(by, &boxed{Message: m, from: a.From, raw: a.Octets}, "Thank you for your mail. Your ticket has the number 1234; we write again soon."))
			}
			answered = len(all)
		}
		t.Logf("mails in 24 hours: %v", got)
		for _, to := range []string{s.person("Friend").addr.Addr, secondBox, letterBox} {
			if got[to] > 2 {
				t.Errorf("%s got %d mails in 24 hours", to, got[to])
			}
		}
	})
}
