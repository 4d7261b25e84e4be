package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"galley/inbox/mime"
	"galley/send/message"
	"galley/send/sendtest"
	"galley/send/servertest"
)

// TestInboxKilled is bar 47: 200 mails of every kind come in while the daemon is
// killed 20 times, at what it says to the mailbox, at its answers, and in
// between. Each mail has its effect once, and each answer is there; an answer
// that came twice is the same mail. With the servers there are ten mailboxes in
// Dovecot, so that 2,000 mails meet 200 kills.
func TestInboxKilled(t *testing.T) {
	t.Parallel()
	onEach(t, inboxKilled)
	if !whole() {
		return
	}
	for n := 2; n <= 10; n++ {
		t.Run(fmt.Sprint("dovecot ", n), func(t *testing.T) {
			servertest.Need(t, "dovecot")
			inboxKilled(t, footing{dovecot: true})
		})
	}
}

func inboxKilled(t *testing.T, on footing) {
	const kills, aLife = 20, 10
	r := newRig(t, on, crashConfig{connections: 1})
	r.wire()
	r.readers(onList, noFate)
	r.start()
	r.letOut()
	r.paper("Sent: #12 to " + crashThousands(onList) + " of " + crashThousands(onList))
	r.kill()
	r.kills = 0
	p := newPost(r)
	for range kills {
		early := r.rand.IntN(aLife + 1)
		p.post(early)
		r.start()
		done := r.killAt(1 + r.rand.IntN(40))
		p.post(aLife - early)
		r.burn(done)
	}
	r.start()
	for p.left() {
		r.until("the next proof", func() bool { return p.post(aLife) > 0 })
	}
	r.until("everything to be settled", p.settled)
	p.command("status") // with the next mail whatever still lies there is filed
	r.until("everything to be filed", func() bool { return p.settled() && p.filed() })
	p.check()
	t.Logf("%d mails, %d kills; %d answers, %d of them twice", r.count, r.kills, len(r.papers), r.again)
}

// crashWire stands between the daemon and its mailbox and hears what the
// daemon says; each piece of it is an event.
type crashWire struct {
	r  *rig
	to string
}

// wire puts a crashWire before the mailbox.
func (r *rig) wire() {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { l.Close() })
	w := &crashWire{r, "127.0.0.1:" + r.conf.imapPort}
	go w.serve(l)
	r.conf.imapPort = port(l.Addr().String())
	r.configure()
}

func (w *crashWire) serve(l net.Listener) {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", w.to)
		if err != nil { // a busy machine: the daemon tries again, and must be heard then
			from.Close()
			continue
		}
		go func() { io.Copy(from, to); from.Close() }()
		go w.hear(from, to)
	}
}

func (w *crashWire) hear(from, to net.Conn) {
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		w.r.mu.Lock()
		lose := w.r.happened()
		w.r.mu.Unlock()
		if lose {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// crashPost is the mail that comes in while the daemon lives and dies.
type crashPost struct {
	*rig
	jobs    []func()
	copies  map[int]sendtest.Accepted // of issue 12, by the number of the reader
	answers int                       // to proofs, still to be written
}

// The parts of the 200.
const (
	byToken, byWord, bounces, complaints = 30, 30, 30, 5 // a reader each
	joining                              = 10            // people who are no readers yet
	letters                              = 20            // and as many suggestions
	automatic, own                       = 10, 10
	drafts, commanded                    = 12, 11 // each draft's proof is answered
	onList                               = 1100   // so many that those who leave are no reason to ask the editor again
)

func newPost(r *rig) *crashPost {
	p := &crashPost{rig: r, copies: map[int]sendtest.Accepted{}, answers: drafts}
	for _, a := range r.copies {
		var n int
		if _, err := fmt.Sscanf(a.To[0], "reader%d@", &n); err != nil {
			r.t.Fatal(err)
		}
		p.copies[n] = a
	}
	reader := 0
	each := func(n int, job func(reader int)) {
		for range n {
			who := reader
			p.jobs = append(p.jobs, func() { job(who) })
			reader++
		}
	}
	each(byToken, p.leaveByToken)
	each(byWord, func(who int) { p.reply(who, "unsubscribe\n\nThank you!", nil) })
	each(bounces, func(who int) { p.bounce(who) })
	each(complaints, p.complain)
	each(joining, func(who int) {
		p.mail(fmt.Sprintf("newcomer%d@readers.example", who), "letter+subscribe@quiet.example", "subscribe", "subscribe\n", nil)
	})
	reader -= joining
	each(letters, func(who int) { p.reply(who, "The part about the binder made me smile.", nil) })
	reader -= letters
	each(letters, func(who int) { p.reply(who, fmt.Sprintf("Have you seen https://example.org/piece-%d ?", who), nil) })
	each(automatic-5, func(who int) {
		p.reply(who, "I am away until Monday.", func(m *message.Mail) { m.AutoSubmitted = "auto-replied" })
	})
	reader = 0
	each(automatic-5, func(who int) {
		p.reply(who, "I am away until Tuesday.", func(m *message.Mail) { m.AutoSubmitted = "auto-replied" })
	})
	each(own, func(who int) { p.deliver(p.copies[who].From, crashBox, p.copies[who].Octets) })
	for n := range drafts {
		p.jobs = append(p.jobs, func() { p.draft(bytes.ReplaceAll(demoDraft, []byte("#12"), fmt.Appendf(nil, "#%d", 21+n))) })
	}
	for n := range commanded - 1 { // the last one comes at the end
		p.jobs = append(p.jobs, func() { p.command([]string{"status", "help"}[n%2]) })
	}
	r.rand.Shuffle(len(p.jobs), func(i, k int) { p.jobs[i], p.jobs[k] = p.jobs[k], p.jobs[i] })
	return p
}

// command is an editor's word in a mail of its own.
func (p *crashPost) command(word string) { p.mail(crashEditor, crashBox, word, word+"\n", nil) }

func readerAddress(n int) string { return fmt.Sprintf("reader%04d@readers.example", n) }

// leaveByToken mails to the address of the List-Unsubscribe field, as mail
// programs do.
func (p *crashPost) leaveByToken(who int) {
	m, err := mime.Read(p.copies[who].Octets)
	if err != nil {
		p.t.Fatal(err)
	}
	_, to, _ := strings.Cut(m.Header.Get("List-Unsubscribe"), "<mailto:")
	to, _, _ = strings.Cut(to, ">")
	to, _, _ = strings.Cut(to, "?")
	p.mail(readerAddress(who), to, "unsubscribe", "unsubscribe\n", nil)
}

// reply answers a reader's own copy.
func (p *crashPost) reply(who int, words string, change func(*message.Mail)) {
	p.mail(readerAddress(who), crashBox, "Re: #12 - 21 Nov 2026", words+"\n", func(m *message.Mail) {
		m.InReplyTo = p.copies[who].MessageID
		if change != nil {
			change(m)
		}
	})
}

// bounce sends a copy back to its envelope sender.
func (p *crashPost) bounce(who int) {
	a := p.copies[who]
	p.deliver("", a.From, sendtest.DSN(a, a.To[0], sendtest.Failure{Status: "5.1.1", Diagnostic: "550 5.1.1 nobody of that name here"}))
}

// complain is a feedback report (RFC 5965) of a reader's provider.
func (p *crashPost) complain(who int) {
	head, _, _ := bytes.Cut(p.copies[who].Octets, []byte("\r\n\r\n"))
	report := fmt.Sprintf(`From: abuse desk <abuse@readers.example>
To: <%s>
Date: %s
Subject: complaint about a message
Message-ID: <complaint-%d@readers.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_part"

--=_part
Content-Type: text/plain; charset=us-ascii

One of our customers does not want this.

--=_part
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Complaints/1.0
Version: 1

--=_part
Content-Type: text/rfc822-headers

`, crashBox, time.Now().Format(time.RFC1123Z), who)
	raw := strings.ReplaceAll(report, "\n", "\r\n") + string(head) + "\r\n\r\n--=_part--\r\n"
	p.deliver("abuse@readers.example", crashBox, []byte(raw))
}

// post delivers up to n mails: answers to the proofs that have come, then
// what is left of the plan. It returns how many it delivered.
func (p *crashPost) post(n int) (posted int) {
	for ; posted < n && p.answerOne(); posted++ {
	}
	for ; posted < n && len(p.jobs) > 0; posted++ {
		p.jobs[0]()
		p.jobs = p.jobs[1:]
	}
	return posted
}

func (p *crashPost) left() bool { return len(p.jobs) > 0 || p.answers > 0 }

// answerOne answers the next proof: every other one is approved for a day
// that is far away, so that nothing more goes out here, the rest are held.
func (p *crashPost) answerOne() bool {
	p.mu.Lock()
	var next *crashPaper
	for _, paper := range p.papers {
		if !paper.answer && strings.HasPrefix(paper.Subject, "Proof 1 of #") {
			next = paper
			break
		}
	}
	p.mu.Unlock()
	if next == nil {
		return false
	}
	words := "hold"
	if p.answers--; p.answers%2 == 0 {
		words = "approve " + time.Now().AddDate(0, 2, 0).Format("2006-01-02") + " 09:00"
	}
	p.answer(next, words)
	return true
}

// settled tells that the daemon has nothing to do any more.
func (p *crashPost) settled() bool {
	return p.number(`SELECT count(*) FROM message WHERE state <> 'new'`) == p.count &&
		p.number(`SELECT (SELECT count(*) FROM draft WHERE state = 'new') + (SELECT count(*) FROM decision WHERE state = 'new')
			+ (SELECT count(*) FROM return WHERE state = 'new') + (SELECT count(*) FROM letter WHERE state = 'new')
			+ (SELECT count(*) FROM slip WHERE state <> 'sent')`) == 0
}

// filed tells that no mail lies in the inbox, by the server and by the books.
func (p *crashPost) filed() bool {
	inbox, err := p.imap.Messages("letter", "INBOX")
	if err != nil {
		p.t.Fatal(err)
	}
	return len(inbox) == 0 && p.number(`SELECT count(*) FROM arrival WHERE filed = 0`) == 0
}

// check counts every effect.
func (p *crashPost) check() {
	const before = 2 // mails of issue 12: its draft, and send now
	if p.count != before+200 {
		p.t.Errorf("%d mails were delivered", p.count)
	}
	const answers, off = 3 + 2*drafts + commanded + letters, bounces + complaints
	for query, want := range map[string]int{
		`message`: p.count, `message WHERE state = 'done'`: p.count, `arrival`: p.count,
		`message WHERE kind = 'unsubscribe'`: byToken + byWord, `message WHERE kind = 'bounce'`: bounces, `message WHERE kind = 'complaint'`: complaints,
		`message WHERE kind = 'subscribe'`: joining, `message WHERE kind = 'letter'`: letters, `message WHERE kind = 'suggestion'`: letters, `message WHERE kind = 'auto'`: automatic,
		`message WHERE kind = 'own'`: own, `message WHERE kind = 'draft'`: 1 + drafts, `message WHERE kind = 'answer'`: 1 + drafts, `message WHERE kind = 'command'`: commanded,
		`subscriber WHERE state = 'left'`: byToken + byWord, `subscriber WHERE state = 'suppressed'`: off, `subscriber WHERE state = 'active'`: onList - byToken - byWord - off,
		`consent WHERE what = 'left'`: byToken + byWord, `consent WHERE what = 'suppressed'`: off, `consent WHERE what = 'joined'`: onList,
		`return`: off, `return WHERE counted`: off, `delivery WHERE issue = 12 AND state = 'failed'`: bounces, `suppression`: off,
		`draft WHERE state = 'proofed' AND revision = 1`: 1 + drafts, `draft`: 1 + drafts, `issue`: 1 + drafts,
		`decision`: 1 + drafts + commanded, `(SELECT DISTINCT message FROM decision) d`: 1 + drafts + commanded,
		`issue WHERE state = 'approved'`: drafts / 2, `issue WHERE state = 'held'`: drafts / 2, `edition`: 1 + drafts/2,
		`suggestion`: letters, `vote`: letters, `letter`: letters, `letter WHERE state = 'passed'`: letters, `audit`: 4 + 2*drafts, `slip`: answers + byWord + joining, `slip WHERE state = 'sent'`: answers + byWord + joining, `slip WHERE kind = 'confirm'`: joining, `slip WHERE kind = 'farewell'`: byWord,
	} {
		if n := p.number(`SELECT count(*) FROM ` + query); n != want {
			p.t.Errorf("%d rows of %s, want %d", n, query, want)
		}
	}
	if len(p.papers) != answers {
		p.t.Errorf("%d different answers came, want %d", len(p.papers), answers)
	}
	if p.again > p.kills {
		p.t.Errorf("%d answers came twice in %d kills", p.again, p.kills)
	}
	p.checkFolders()
}

// checkFolders counts the mails where people see them: none is lost, none is
// there twice.
func (p *crashPost) checkFolders() {
	names, err := p.imap.Folders("letter")
	if err != nil {
		p.t.Fatal(err)
	}
	total, seen := 0, map[string]bool{}
	for _, name := range names {
		if name == "Sent" { // copies of what went out, which a kill may double
			continue
		}
		list, err := p.imap.Messages("letter", name)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, m := range list {
			total++
			seen[string(m.Raw)] = true
		}
	}
	if total != p.count || len(seen) != p.count {
		p.t.Errorf("the folders hold %d mails, %d different ones, want %d", total, len(seen), p.count)
	}
}
