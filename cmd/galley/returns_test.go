package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"galley/send/list"
	"galley/send/sendtest"
	"galley/send/store"
)

// sentOut are the lines of a house whose issue has gone to six readers.
var sentOut = []string{"given it is Friday 7 January, 08:00", "given a grace of 0s", "given 6 readers", "given no slot",
	"Ines mails 0012.md as attachment", "Ines gets: Proof 1 of #12: ready", "Ines replies: send now",
	"Ines gets: Approved: #12 goes now", "6 readers have #12", "Ines gets: Sent: #12 to 6 of 6"}

// readerCopy is the copy of #12 that the n-th reader got, counted from 1.
func (s *story) readerCopy(n int) sendtest.Accepted {
	s.t.Helper()
	for _, a := range s.sink.Messages() {
		if a.To[0] == s.reader(n) && s.delivery(a) {
			return a
		}
	}
	s.t.Fatalf("reader %d has no copy", n)
	return sendtest.Accepted{}
}

// standing is where the n-th reader stands.
func (s *story) standing(n int) (state list.State) {
	s.t.Helper()
	s.view(func(ctx context.Context, tx *store.Tx) error {
		a, err := list.ParseAddress(s.reader(n))
		if err != nil {
			return err
		}
		r, err := s.house.list.Find(ctx, tx, "quiet", a)
		state = r.State
		return err
	})
	return state
}

// afterwards is all that a return may change: the readers, their deliveries
// and who is never to be mailed again.
func (s *story) afterwards() string {
	s.t.Helper()
	out := s.books()
	s.view(func(ctx context.Context, tx *store.Tx) error {
		var deliveries string
		err := tx.QueryRowContext(ctx, `SELECT count(*) || ' failed, ' || (SELECT count(*) FROM suppression) || ' suppressed' FROM delivery WHERE state = 'failed'`).Scan(&deliveries)
		out += deliveries
		return err
	})
	return out
}

// forgedReturns are delivery reports by somebody who knows the shape of our
// addresses, and at most a copy of another reader's.
func forgedReturns(victim, other sendtest.Accepted) map[string]sendtest.Accepted {
	local, domain, _ := strings.Cut(victim.From, "@")
	flipped := []byte(local)
	mac := &flipped[len(flipped)-8] // the number of the delivery stands in front
	*mac = map[bool]byte{true: 'b', false: 'a'}[*mac == 'a']
	madeUp := victim
	madeUp.MessageID, madeUp.Octets = "<made-up@mallory.example>", []byte("Message-ID: <made-up@mallory.example>\r\nSubject: #12\r\n\r\nhello\r\n")
	out := map[string]sendtest.Accepted{}
	for name, from := range map[string]string{"no token": letterBox, "a bad MAC": string(flipped) + "@" + domain,
		"a cut token": local[:len(local)-1] + "@" + domain, "the token of another delivery": other.From} {
		a := madeUp
		a.From = from
		out[name] = a
	}
	out["the right token with another's name"] = other // with its whole copy
	return out
}

// TestForgedReturns: delivery reports without a token of the very reader's
// whom they name change nothing, and a good one counts once (trust.md bar 63).
func TestForgedReturns(t *testing.T) {
	inStory(t, sentOut, func(s *story) {
		victim, other := s.readerCopy(3), s.readerCopy(4)
		hard := sendtest.Failure{Status: "5.1.1", Diagnostic: "550 5.1.1 no such mailbox"}
		before, n := s.afterwards(), 0
		for name, a := range forgedReturns(victim, other) {
			for k := range 10 {
				f := hard
				f.Full, f.At = k%2 == 1, time.Now().Add(time.Duration(k)*time.Minute)
				s.carry("", a.From, sendtest.DSN(a, victim.To[0], f))
				n++
			}
			time.Sleep(2 * time.Minute)
			if after := s.afterwards(); after != before {
				t.Errorf("%s: the books were\n%s\nand are\n%s", name, before, after)
			}
		}
		if got := s.kinds()["bounce"]; got != n {
			t.Errorf("%d of %d reports were read as such: %v", got, n, s.kinds())
		}
		for k := range 10 { // the same report as servers repeat it: each time a mail of its own
			f := hard
			f.At = time.Now().Add(time.Duration(k) * time.Minute)
			s.carry("", victim.From, sendtest.DSN(victim, victim.To[0], f))
		}
		soft := s.readerCopy(5)
		for k := range 10 {
			f := sendtest.Failure{Status: "5.2.2", Diagnostic: "552 5.2.2 mailbox is full", At: time.Now().Add(time.Duration(k) * time.Minute)}
			s.carry("", soft.From, sendtest.DSN(soft, soft.To[0], f))
		}
		time.Sleep(2 * time.Minute)
		after := s.afterwards()
		if !strings.HasSuffix(after, "2 failed, 1 suppressed") || s.standing(3) != list.Suppressed || s.standing(5) != list.Active {
			t.Errorf("ten times the same hard and ten times the same soft report:\n%s", after)
		}
	})
}

// complaintForms are how providers report a reader's complaint (RFC 5965): one
// names the address, one blacks it out everywhere, one keeps the head of the
// mail only, with its local parts gone.
var complaintForms = []struct {
	name, fields string
	redact       func(raw, address string) string
}{
	{"by name", "Feedback-Type: abuse\r\nUser-Agent: FirstProvider-FBL/1.0\r\nVersion: 0.1\r\nOriginal-Mail-From: <{FROM}>\r\nOriginal-Rcpt-To: <{TO}>\r\nReported-Domain: quiet.example\r\n",
		func(raw, _ string) string { return raw }},
	{"addresses blacked out", "Feedback-Type: abuse\r\nUser-Agent: SecondLoop\r\nVersion: 1\r\nRedacted-Address: redacted\r\nRedacted-Address: redacted@\r\n",
		func(raw, address string) string {
			return strings.ReplaceAll(raw, address, "redacted@"+domainOf(address))
		}},
	{"by the envelope alone", "Feedback-Type: abuse\r\nUser-Agent: ThirdReports/2\r\nVersion: 1\r\nOriginal-Mail-From: <{FROM}>\r\nSource-IP: 192.0.2.7\r\n",
		func(string, string) string {
			return "From: Quiet Machines <letter@quiet.example>\r\nTo: undisclosed-recipients:;\r\nSubject: #12\r\n\r\n"
		}},
}

// complaint is a feedback report about a copy.
func complaint(n int, fields, copied string) []byte {
	return fmt.Appendf(nil, "From: feedback <fbl@provider%d.example>\r\nTo: <%s>\r\nSubject: FW: a complaint\r\nDate: Fri, 7 Jan 2000 10:00:00 -0500\r\nMessage-ID: <arf-%d@provider%d.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\r\n\r\n"+
		"--b\r\nContent-Type: text/plain\r\n\r\nThis is a report of an email that a recipient does not want.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n%s\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n%s\r\n--b--\r\n", n, letterBox, n, n, fields, copied)
}

// TestComplaints: whose provider complains is off the list within a minute, by
// the token, gets no further mail and comes back by no import (trust.md bar 65).
func TestComplaints(t *testing.T) {
	inStory(t, sentOut, func(s *story) {
		file := "email\n"
		for k, c := range complaintForms {
			a := s.readerCopy(k + 1)
			fields := strings.NewReplacer("{FROM}", a.From, "{TO}", a.To[0]).Replace(c.fields)
			s.carry("fbl@provider.example", letterBox, complaint(k, fields, c.redact(string(a.Octets), a.To[0])))
			file += a.To[0] + "\n"
		}
		sent := len(s.sink.Messages())
		time.Sleep(time.Minute)
		for k := range 6 {
			want := map[bool]list.State{true: list.Suppressed, false: list.Active}[k < len(complaintForms)]
			if got := s.standing(k + 1); got != want {
				t.Errorf("reader %d is %s after a minute, want %s; mails: %v", k+1, got, want, s.kinds())
			}
		}
		s.update(func(ctx context.Context, tx *store.Tx) error {
			r, err := s.house.list.ImportIn(ctx, tx, "quiet", "a file of old", strings.NewReader(file))
			if err == nil && (r.Read != len(complaintForms) || r.Suppressed != len(complaintForms) || r.Added != 0) {
				t.Errorf("the import: %+v", r)
			}
			return err
		})
		for n, line := range []string{"Ines mails 0013.md as attachment", "Ines gets: Proof 1 of #13: ready", "Ines replies: send now", "Ines gets: Approved: #13 goes now", "3 readers have #13"} {
			s.line(n+100, line)
		}
		time.Sleep(10 * time.Minute)
		for _, a := range s.sink.Messages()[sent:] {
			for k := range complaintForms {
				if a.To[0] == s.reader(k+1) {
					t.Errorf("%s: %s still gets %q", complaintForms[k].name, a.To[0], subjectOf(a.Octets))
				}
			}
		}
	})
}
