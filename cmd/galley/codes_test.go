package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galley/send/message"
	"galley/send/sendtest"
	"galley/send/store"
)

// inStory tells the first lines of a story, and goes on in Go.
func inStory(t *testing.T, lines []string, f func(s *story)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &story{world: newWorld(t), texts: map[string]string{}}
		defer s.close()
		for n, line := range lines {
			s.line(n+1, line)
		}
		f(s)
		if t.Failed() {
			t.Logf("the house says:\n%s", tail(s.log.String(), 20))
		}
	})
}

// proofed are the lines of a house in which one proof waits, and no weekly
// slot lets anything out by itself.
var proofed = []string{"given it is Monday 3 January, 10:00", "given no slot", "Ines mails 0012.md as attachment", "Ines gets: Proof 1 of #12: ready"}

// proofOf is the newest proof of an issue that lies in Ines's box.
func (s *story) proofOf(issue string) *boxed {
	s.t.Helper()
	ines := s.person("Ines")
	s.mu.Lock()
	ines.read = len(ines.box)
	s.mu.Unlock()
	for n := ines.read - 1; n >= 0; n-- {
		if m := ines.box[n]; strings.HasPrefix(m.Subject, "Proof ") && strings.Contains(m.Subject, " of "+issue+":") {
			return m
		}
	}
	s.t.Fatalf("no proof of %s", issue)
	return nil
}

// approvals counts how often an issue has been approved, ever.
func (s *story) approvals(number int) (n int) {
	s.t.Helper()
	s.view(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM audit JOIN issue ON issue.id = audit.issue
			WHERE issue.number = $1 AND audit.became = 'approved'`, number).Scan(&n)
	})
	return n
}

// stateOf is the state of the code in a mail of the desk's.
func (s *story) stateOf(m *boxed) (state string) {
	s.t.Helper()
	s.view(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT state FROM proof WHERE message_id = $1`, m.MessageID).Scan(&state)
	})
	return state
}

// farAway approves for a time that no test comes to.
const farAway = "approve 2000-12-02 09:00"

// TestOneCodeOneApproval: a hundred answers that come at the same moment with
// the same code approve once (trust.md bar 70).
func TestOneCodeOneApproval(t *testing.T) {
	inStory(t, proofed, func(s *story) {
		ines, proof := s.person("Ines"), s.proofOf("#12")
		var all sync.WaitGroup
		for range 100 {
			raw := s.signedBy(ines, s.answer(ines, proof, farAway))
			all.Go(func() { s.carry(ines.addr.Addr, proof.ReplyTo[0].Addr, raw) })
		}
		all.Wait()
		time.Sleep(2 * time.Minute)
		if n := s.approvals(12); n != 1 {
			t.Errorf("%d approvals of 100 answers with one code", n)
		}
		if n := s.kinds()["answer"]; n < 100 {
			t.Errorf("%d of 101 mails were read as answers: %v", n, s.kinds())
		}
		if state := s.stateOf(proof); state != "used" {
			t.Errorf("the code is %s", state)
		}
	})
}

// signedBy is a mail as the person's own provider hands it on.
func (w *world) signedBy(by *person, m *message.Mail) []byte {
	w.t.Helper()
	raw, err := m.Bytes()
	if err != nil {
		w.t.Fatal(err)
	}
	field, err := (&message.Signer{Domain: domainOf(by.addr.Addr), Selector: "s1", Key: w.key}).Sign(raw, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return append(field, raw...)
}

// TestDraftRacesApproval: a new text and an approval of the one before come
// in every order and at many distances. What is approved is always what the
// proof showed that bore the code (trust.md bar 70).
func TestDraftRacesApproval(t *testing.T) {
	worlds := 1
	if whole() {
		worlds = 8 // side by side: a world of a thousand revisions is slow
	}
	for world := range worlds {
		t.Run(fmt.Sprint(world), func(t *testing.T) {
			t.Parallel()
			draftRacesApproval(t, map[bool]int{true: 125, false: 24}[whole()])
		})
	}
}

func draftRacesApproval(t *testing.T, rounds int) {
	inStory(t, proofed, func(s *story) {
		ines, answered, text := s.person("Ines"), map[string]bool{}, s.draft("0012.md")
		for n := range rounds {
			proof := s.proofOf("#12")
			answered[proof.MessageID] = true
			approval := s.signedBy(ines, s.answer(ines, proof, farAway))
			m := s.begin(ines, "this week's", "Here it is.\n")
			m.Attachments = []message.Attachment{{Name: "0012.md", Type: "text/markdown; charset=utf-8", Data: fmt.Appendf(nil, "%s\n\nRound %d of the text.\n", text, n)}}
			draft := s.signedBy(ines, m)
			ahead := time.Duration(n%12) * 5 * time.Millisecond
			var both sync.WaitGroup
			both.Go(func() {
				time.Sleep(ahead * time.Duration(n%2))
				s.carry(ines.addr.Addr, proof.ReplyTo[0].Addr, approval)
			})
			both.Go(func() {
				time.Sleep(ahead * time.Duration(1-n%2))
				s.carry(ines.addr.Addr, letterBox, draft)
			})
			both.Wait()
			time.Sleep(10 * time.Second)
		}
		s.approvedAsProofed(answered)
		n := s.approvals(12)
		t.Logf("%d rounds: in %d the approval came first, in %d the text", rounds, n, rounds-n)
		if n == 0 || n == rounds {
			t.Errorf("all %d rounds went the same way", rounds)
		}
	})
}

// approvedAsProofed wants for every approved text a used code that was mailed
// with the very same text.
func (s *story) approvedAsProofed(answered map[string]bool) {
	s.t.Helper()
	s.view(func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT edition.revision, edition.digest, coalesce(proof.digest, ''), coalesce(proof.message_id, '')
			FROM edition LEFT JOIN proof ON proof.revision = edition.revision AND proof.state = 'used' WHERE edition.issue = 12`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var revision int
			var approved, shown, by string
			if err := rows.Scan(&revision, &approved, &shown, &by); err != nil {
				return err
			}
			if approved != shown || !answered[by] {
				s.t.Errorf("revision %d is approved as %q; its code was mailed with %q in %s", revision, approved, shown, by)
			}
		}
		return rows.Err()
	})
}

// deadCodes are the ways in which a code is no good, and how one comes to be so.
var deadCodes = []struct {
	name  string
	issue string // the issue that the words are about
	lines []string
	by    string // the proof whose code is used
}{
	{"used", "#12", []string{"Ines replies: " + farAway, "Ines gets: Approved: #12 goes Saturday 2 December, 09:00", "Ines writes: hold", "Ines gets: Held: #12 does not go"}, "Proof 1 of #12"},
	{"expired", "#12", []string{"the house is closed until Monday 10 January, 11:00"}, "Proof 1 of #12"},
	{"another issue's", "#13", []string{"Ines mails 0013.md as attachment", "Ines gets: Proof 1 of #13: ready"}, "Proof 1 of #12"},
	{"another revision's", "#12", []string{`Ines sends back 0012.md with "This is a binder" instead of "It turned out to be a ring binder"`, "Ines gets: Proof 2 of #12: ready"}, "Proof 1 of #12"},
}

// TestDeadCodes: codes that are used up, too old, or of another issue or
// revision approve nothing, in 100 mails of each (trust.md bar 70).
func TestDeadCodes(t *testing.T) {
	words := []string{farAway, "approve", "send now", "approve anyway"}
	for _, c := range deadCodes {
		t.Run(c.name, func(t *testing.T) {
			inStory(t, append(proofed[:len(proofed):len(proofed)], c.lines...), func(s *story) {
				ines, proof := s.person("Ines"), s.found(s.person("Ines"), c.by)
				number := 12
				if c.issue == "#13" {
					number = 13
				}
				before := s.approvals(number)
				for n := range 100 {
					m := s.answer(ines, proof, words[n%len(words)])
					m.Subject = "Re: " + strings.Replace(proof.Subject, "#12", c.issue, 1)
					if n%3 == 0 { // a mail program that forgets its threads
						m.InReplyTo, m.References = "", nil
					}
					s.carry(ines.addr.Addr, m.To[0].Addr, s.signedBy(ines, m))
				}
				time.Sleep(2 * time.Minute)
				if n := s.approvals(number) - before; n != 0 {
					t.Errorf("%d approvals", n)
				}
				if n := s.kinds()["answer"] + s.kinds()["command"]; n < 100 {
					t.Errorf("only %d of 100 were taken for an editor's words: %v", n, s.kinds())
				}
			})
		})
	}
}

// TestMachinesBringCodes: an out-of-office answer or a delivery report with a
// live code approves nothing, and the code stays good (trust.md bar 71).
func TestMachinesBringCodes(t *testing.T) {
	inStory(t, proofed, func(s *story) {
		ines, proof := s.person("Ines"), s.proofOf("#12")
		n := 0
		for _, a := range away {
			for _, mark := range machineMarks {
				m := s.answer(ines, proof, farAway) // bare, for words beside it would stop it too
				m.Subject = strings.Replace(a.subject, "#12 - 8 Jan 2000", proof.Subject, 1)
				head := strings.ReplaceAll(mark.head, "\n", "\r\n")
				s.carry(mark.path, m.To[0].Addr, append([]byte(head), s.signedBy(ines, m)...))
				n++
			}
		}
		for _, a := range s.to(ines.addr.Addr) {
			if subjectOf(a.Octets) != proof.Subject {
				continue
			}
			for k, to := range []string{a.From, proof.ReplyTo[0].Addr, letterBox} {
				f := sendtest.Failure{Status: "5.1.1", Diagnostic: "550 5.1.1 no such mailbox", Full: true, At: time.Now().Add(time.Duration(k) * time.Minute)}
				s.carry("", to, sendtest.DSN(a, ines.addr.Addr, f))
				n++
			}
		}
		time.Sleep(2 * time.Minute)
		if got := s.approvals(12); got != 0 || n < 103 {
			t.Errorf("%d approvals by %d mails of machines", got, n)
		}
		if state := s.stateOf(proof); state != "open" {
			t.Fatalf("the code is %s", state)
		}
		s.world.post(ines, s.answer(ines, proof, farAway))
		time.Sleep(time.Minute)
		if got := s.approvals(12); got != 1 {
			t.Errorf("%d approvals by her own answer", got)
		}
	})
}

// passOn forwards a mail on to the newsletter, in the form of one program.
func (s *story) passOn(by *person, m *boxed, words, form string) *message.Mail {
	block := fmt.Sprintf("From: %s <%s>\nDate: %s\nSubject: %s\nTo: %s\nReply-To: %s\n\n%s",
		m.From[0].Name, m.From[0].Addr, m.Date.Format(time.RFC1123Z), m.Subject, m.To[0].Addr, m.ReplyTo[0].Addr, m.Plain)
	return s.begin(by, "Fwd: "+m.Subject, words+"\n\n"+form+"\n"+block)
}

var forwardForms = []string{"---------- Forwarded message ---------", "Begin forwarded message:\n", "-----Original Message-----", "-------- Weitergeleitete Nachricht --------"}

// TestForwardsBringCodes: a proof that a stranger passes on approves nothing
// and kills its code; the editor gets a new one. Her own forward is an answer
// by the wrong button, and counts (conversation.md section 5, trust.md bar 71).
func TestForwardsBringCodes(t *testing.T) {
	for k, form := range forwardForms {
		t.Run(strings.Trim(form, "-: \n"), func(t *testing.T) {
			inStory(t, proofed, func(s *story) {
				ines, proof := s.person("Ines"), s.proofOf("#12")
				stranger := s.person([]string{"Mallory", "Friend", "Ada", "Jon"}[k])
				s.world.post(stranger, s.passOn(stranger, proof, farAway, form))
				time.Sleep(2 * time.Minute)
				fresh := s.proofOf("#12")
				if n, state := s.approvals(12), s.stateOf(proof); n != 0 || state != "burnt" || fresh == proof {
					t.Fatalf("a stranger's forward: %d approvals, the code is %s, a new proof: %v", n, state, fresh != proof)
				}
				s.world.post(ines, s.answer(ines, proof, farAway))
				time.Sleep(2 * time.Minute)
				if n := s.approvals(12); n != 0 {
					t.Errorf("the dead code approves")
				}
				fresh = s.proofOf("#12")
				s.world.post(ines, s.passOn(ines, fresh, farAway, form))
				time.Sleep(2 * time.Minute)
				if n, state := s.approvals(12), s.stateOf(fresh); n != 1 || state != "used" {
					t.Errorf("her own forward: %d approvals, the code is %s", n, state)
				}
			})
		})
	}
}
