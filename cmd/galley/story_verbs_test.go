package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"time"

	"galley/inbox/mime"
	"galley/send/message"
	"galley/send/sendtest"
	"galley/send/store"
)

// verbs are all forms of lines. In what somebody writes " / " is a new line.
var verbs = []verb{
	given(`(\d+) readers`, func(s *story, w []string) { s.plan.readers = number(w[0]) }),
	given(`(\d+) connections?`, func(s *story, w []string) { s.plan.connections = number(w[0]) }),
	given(`servers that take (\S+) for a mail`, func(s *story, w []string) { s.plan.slow = s.span(w[0]) }),
	given(`servers that refuse us`, func(s *story, _ []string) { s.refuse.Store(true) }),
	given(`(\d+) of them at strict.example, which refuses us`, func(s *story, w []string) { s.plan.strict = number(w[0]); s.refuse.Store(true) }),
	given(`a starter (\S+) before the slot`, func(s *story, w []string) { s.plan.starter = w[0] }),
	given(`readers are told that their links have arrived`, func(s *story, _ []string) { s.plan.acknowledge = true }),
	given(`a grace of (\S+)`, func(s *story, w []string) { s.plan.grace = w[0] }),
	given(`addresses of the pattern (\S+)`, func(s *story, w []string) { s.plan.pattern = w[0] }),
	given(`no slot`, func(s *story, _ []string) { s.plan.slot = "" }),
	given(`approval by the code alone`, func(s *story, _ []string) { s.plan.approve = ApproveCode }),
	given(`(\d+) approvals`, func(s *story, w []string) { s.plan.approvals = number(w[0]) }),
	given(`(\w+) lives in (\S+)`, (*story).livesIn),
	given(`a second editor, Jon`, func(s *story, _ []string) { s.plan.editors = append(s.plan.editors, "Jon") }),
	given(`a second newsletter`, func(s *story, _ []string) { s.plan.second = true }),
	given(`a link with (\S+) that says nothing until (.+), and then that there is no such page`, (*story).answersLate),
	given(`web pages`, func(s *story, _ []string) { s.plan.web = true }),
	given(`a provider that signs nothing`, func(s *story, _ []string) { s.people["Ines"].signs = false }),
	given(`an OpenPGP key of hers in the file`, (*story).pinsKey),
	given(`a house that looks every (\S+)`, func(s *story, w []string) { s.plan.tick = s.span(w[0]) }),
	given(`it is (.+)`, (*story).sleepUntil),
	on(`it is (.+)`, (*story).sleepUntil),
	on(`(\S+) passe?s?`, (*story).sleep),
	on(`the servers take mail again`, func(s *story, _ []string) { s.refuse.Store(false) }),
	on(`the house restarts`, func(s *story, _ []string) { s.restart() }),
	on(`the house restarts (\d+) times until (.+)`, (*story).restartOften),
	on(`the house restarts every (\S+) until (.+)`, (*story).restartEvery),
	on(`the house is closed until (.+)`, (*story).closed),

	on(`(\w+) mails (\S+) as (attachment|text|cut text|HTML)(?: with Subject (.+))?`, (*story).mails),
	on(`(\w+) mails (\S+) with the word import`, (*story).mailsList),
	on(`(\w+) mails (\S+) as attachment to (\S+)`, (*story).mailsTo),
	on(`(\w+) mails (\S+) as (\w+)`, (*story).forges),
	on(`(\w+) mails (\S+) with the pictures? (.+)`, (*story).mailsWith),
	on(`which shows (\S+), (\d+) by (\d+)`, (*story).shows),
	on(`the copies of (#\d+) show (\S+), (\d+) by (\d+)`, (*story).copiesShow),
	on(`the page (\d+) shows (\d+) pictures`, (*story).pageShows),
	on(`([\w-]+) writes (\d+) times: (.+)`, (*story).writesOften),
	on(`([\w-]+) writes what her server calls spam: (.+)`, (*story).writesSpam),
	on(`([\w-]+) writes: (.+)`, (*story).writes),
	on(`(\w+) writes as (\w+): (.+)`, (*story).writesAs),
	on(`([\w-]+) replies: (.+)`, func(s *story, w []string) { s.reply(w[0], w[0], "", w[1]) }),
	on(`([\w-]+) replies to "([^"]+)" (without its thread|in its thread alone): (.+)`, (*story).repliesPartly),
	on(`(\w+) replies in HTML alone: (.+)`, (*story).repliesHTML),
	on(`([\w-]+) replies to "([^"]+)": (.+)`, func(s *story, w []string) { s.reply(w[0], w[0], w[1], w[2]) }),
	on(`([\w-]+) replies to (\w+)'s "([^"]+)": (.+)`, func(s *story, w []string) { s.reply(w[0], w[1], w[2], w[3]) }),
	on(`([\w-]+) replies to "([^"]+)" with (\S+)`, (*story).repliesText),
	on(`([\w-]+) replies to "([^"]+)" without its code: (.+)`, (*story).repliesCodeless),
	on(`(\w+) replies with the mail's pictures and a logo: (.+)`, (*story).repliesPictures),
	on(`(\w+) mails (\S+) signed with OpenPGP`, (*story).mailsSigned),
	on(`(\w+) replies to "([^"]+)", signed with (her|another) key: (.+)`, (*story).repliesSigned),
	on(`somebody mails the last proof what (\w+) signed before`, (*story).replaysSigned),
	on(`(\w+) replies with a signed part beneath: (.+)`, (*story).wrapsSigned),
	on(`(\w+) writes into the quote of "([^"]+)": "(.+)" instead of "(.+)"`, (*story).editsQuote),
	on(`(\w+) sends back (\S+) with "(.+)" instead of "(.+)"`, (*story).sendsBack),
	on(`(\w+) mails a text of (\d+) kB`, (*story).mailsMuch),
	on(`(\w+) reacts to "([^"]+)" with a thumb`, (*story).reacts),
	on(`(\w+)'s mailbox answers "([^"]+)" by itself`, (*story).vacation),

	on(`([\w-]+) gets: (.+)`, (*story).gets),
	on(`([\w-]+) gets a mail of its own: (.+)`, (*story).getsOwn),
	on(`([\w-]+) gets (?:her|his) copy of (#\d+)`, (*story).getsCopy),
	on(`which has (HTML|no HTML)`, (*story).hasHTML),
	on(`the house keeps (nothing of )?(\S+@\S+)`, (*story).keeps),
	on(`([\w-]+) gets nothing(?: more)?`, (*story).getsNothing),
	on(`which reads as (\S+)`, (*story).readsAs),
	on(`whose panel reads as (\S+)`, (*story).panelReadsAs),
	on(`whose page reads as (\S+)`, (*story).pageReadsAs),
	on(`which has the file (\S+)`, (*story).hasFile),

	on(`(nobody|\d+ readers?) ha(?:ve|s) (#\d+)`, (*story).have),
	on(`some readers have ((?:Correction: )?#\d+), not all`, (*story).someHave),
	on(`the copies of (#\d+) say: (.+)`, (*story).copiesSay),
	on(`(\d+) readers are on the list`, (*story).onList),
	on(`(\d+) readers join`, (*story).join),

	on(`([\w-]+) answers (#\d+): (.+)`, (*story).answers),
	on(`(\w+) writes to the address for leaving in (#\d+)`, (*story).leavesByMail),
	on(`(\w+) writes to the former address for leaving in (#\d+)`, (*story).leavesFormer),
	on(`(\w+) presses the button for leaving in (#\d+)`, (*story).leavesByButton),
	on(`(\w+) opens the page for leaving in (#\d+)`, (*story).opensPage),
	on(`a server returns (\w+)'s copy of (#\d+): (\d\.\d\.\d) (.+)`, (*story).returns),
	on(`the folder (\S+) holds: (.+)`, (*story).folderHolds),
	on(`(\w+) moves everything from (\S+) to (\S+)`, (*story).movesAll),
	on(`(\w+) forges a return of (\w+)'s copy of (#\d+)`, (*story).forgesReturn),
}

var toronto = func() *time.Location {
	zone, err := time.LoadLocation("America/Toronto")
	if err != nil {
		return time.UTC // the stories fail on their first date
	}
	return zone
}()

// livesIn sets the clock of somebody's mail program.
func (s *story) livesIn(w []string) {
	s.t.Helper()
	zone, err := time.LoadLocation(w[1])
	if err != nil {
		s.t.Fatal(err)
	}
	s.person(w[0]).zone = zone
}

func number(word string) int {
	n, _ := strconv.Atoi(word) // the form lets digits through only
	return n
}

// span reads a time such as 10m or 2h.
func (s *story) span(word string) time.Duration {
	s.t.Helper()
	d, err := time.ParseDuration(word)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

// instant reads a date such as "Saturday 8 January, 09:01". Years are those
// of the bubble, which begins on Saturday 1 January 2000.
func (s *story) instant(words string) time.Time {
	s.t.Helper()
	t, err := time.ParseInLocation("Monday 2 January, 15:04 2006", words+" 2000", toronto)
	if err != nil {
		s.t.Fatal(err)
	}
	if !strings.HasPrefix(words, t.Weekday().String()) {
		s.t.Fatalf("%s is a %s", words, t.Weekday())
	}
	return t
}

func (s *story) sleepUntil(w []string) {
	s.t.Helper()
	d := time.Until(s.instant(w[0]))
	if d < 0 {
		s.t.Fatalf("%s is over: it is %s", w[0], time.Now().In(toronto))
	}
	time.Sleep(d)
}

func (s *story) sleep(w []string) { time.Sleep(s.span(w[0])) }

func (s *story) restart() {
	s.end()
	s.start()
}

// restartOften closes and rebuilds the house at even intervals.
func (s *story) restartOften(w []string) {
	n := number(w[0])
	pause := time.Until(s.instant(w[1])) / time.Duration(n)
	for range n {
		time.Sleep(pause)
		s.restart()
	}
}

func (s *story) restartEvery(w []string) {
	n := time.Until(s.instant(w[1])) / s.span(w[0])
	s.restartOften([]string{strconv.Itoa(int(n)), w[1]})
}

func (s *story) closed(w []string) {
	s.end()
	s.sleepUntil(w)
	s.start()
}

func (s *story) person(name string) *person {
	s.t.Helper()
	p := s.people[name]
	if p == nil {
		s.t.Fatalf("nobody is called %s", name)
	}
	return p
}

// written undoes the " / " of a line; " / / " is an empty line.
func written(words string) string {
	return strings.ReplaceAll(strings.ReplaceAll(words, " / / ", "\n\n"), " / ", "\n")
}

func (s *story) mails(w []string) {
	by, text, subject := s.person(w[0]), s.draft(w[1]), w[3]
	if subject == "" {
		subject = "this week's"
	}
	m := s.begin(by, subject, text)
	switch w[2] {
	case "attachment":
		m.Text = []byte("Here it is.\n")
		m.Attachments = []message.Attachment{{Name: w[1], Type: "text/markdown; charset=utf-8", Data: []byte(text)}}
	case "cut text":
		m.Text = []byte(cut(text, 72))
	case "HTML":
		m.Text, m.HTML = nil, []byte(text)
	}
	s.world.post(by, m)
}

// cut breaks long lines as old mail programs do.
func cut(text string, width int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		for len(line) > width {
			at := strings.LastIndexByte(line[:width], ' ')
			if at <= 0 {
				break
			}
			b.WriteString(line[:at] + "\n")
			line = line[at+1:]
		}
		b.WriteString(line)
	}
	return b.String()
}

func (s *story) mailsTo(w []string) {
	by, text := s.person(w[0]), s.draft(w[1])
	m := s.begin(by, "this week's", "Here it is.\n")
	m.To[0].Addr = w[2]
	m.Attachments = []message.Attachment{{Name: w[1], Type: "text/markdown; charset=utf-8", Data: []byte(text)}}
	s.world.post(by, m)
}

// forges mails a text in somebody else's name, over the forger's provider.
func (s *story) forges(w []string) {
	by := s.person(w[0])
	m := s.begin(by, "this week's", s.draft(w[1]))
	m.From = s.person(w[2]).addr
	s.world.post(by, m)
}

func (s *story) writes(w []string) {
	by := s.person(w[0])
	s.world.post(by, s.begin(by, "(no subject)", written(w[1])+"\n"))
}

func (s *story) writesAs(w []string) {
	by := s.person(w[0])
	m := s.begin(by, "(no subject)", written(w[2])+"\n")
	m.From = s.person(w[1]).addr
	s.world.post(by, m)
}

// reply answers a mail that lies in owner's box, who may be somebody else.
func (s *story) reply(by, owner, subject, words string) {
	s.t.Helper()
	p := s.person(by)
	s.world.post(p, s.answer(p, s.found(s.person(owner), subject), written(words)))
}

func (s *story) repliesText(w []string) {
	s.reply(w[0], w[0], w[1], s.draft(w[2]))
}

// repliesHTML answers as programs do that write no plain text.
func (s *story) repliesHTML(w []string) {
	s.t.Helper()
	by := s.person(w[0])
	to := s.found(by, "")
	m := s.answer(by, to, "")
	m.Text, m.HTML = nil, []byte("<div dir=\"ltr\">"+w[1]+"</div><br><div class=\"gmail_quote\"><div class=\"gmail_attr\">On Mon, Jan 3, 2000 at 10:00 AM "+
		html.EscapeString(to.From[0].Name)+" wrote:<br></div><blockquote class=\"gmail_quote\">"+to.HTML+"</blockquote></div>")
	s.world.post(by, m)
}

// repliesCodeless answers from a mail program that loses every place of the
// code but the name of the thread's subject.
func (s *story) repliesCodeless(w []string) {
	by := s.person(w[0])
	m := s.begin(by, "Re: "+s.found(by, w[1]).Subject, written(w[2])+"\n")
	s.world.post(by, m)
}

// sendsBack mails a text again with a small correction.
func (s *story) sendsBack(w []string) {
	text := s.draft(w[1])
	if strings.Count(text, w[3]) != 1 {
		s.t.Fatalf("%q stands in %s %d times", w[3], w[1], strings.Count(text, w[3]))
	}
	s.texts[w[1]] = strings.Replace(text, w[3], w[2], 1)
	s.mails([]string{w[0], w[1], "attachment", ""})
}

// editsQuote answers as somebody does who writes into what the mail program
// quotes, and nothing above it.
func (s *story) editsQuote(w []string) {
	by := s.person(w[0])
	found := s.found(by, w[1])
	if !strings.Contains(found.Plain, w[3]) {
		s.t.Fatalf("%q is not in %q", w[3], found.Subject)
	}
	m := s.answer(by, found, "")
	m.Text = []byte(strings.Replace(string(m.Text), "> "+w[3], "> "+w[2], 1))
	s.world.post(by, m)
}

func (s *story) mailsMuch(w []string) {
	by := s.person(w[0])
	m := s.begin(by, "#12 at length", "Here it is.\n")
	line := "All work and no play makes a long letter.\n\n"
	m.Attachments = []message.Attachment{{Name: "0012.md", Type: "text/markdown; charset=utf-8", Data: []byte(strings.Repeat(line, number(w[1])*1000/len(line)))}}
	s.world.post(by, m)
}

// reacts mails what Gmail makes of a thumb.
func (s *story) reacts(w []string) {
	by := s.person(w[0])
	m := s.answer(by, s.found(by, w[1]), "")
	m.Text = []byte("\U0001F44D " + by.addr.Name + " reacted via Gmail\n")
	s.world.post(by, m)
}

// vacation answers as a mailbox does whose owner is away.
func (s *story) vacation(w []string) {
	by := s.person(w[0])
	m := s.answer(by, s.found(by, w[1]), "I am away until Monday.\n\napprove")
	m.AutoSubmitted = "auto-replied"
	s.world.post(by, m)
}

// gets waits for the next mail, which must have exactly this Subject. An
// answer must stand in the thread of a mail of that person.
func (s *story) gets(w []string) {
	s.t.Helper()
	p := s.person(w[0])
	if !waited(max(3*time.Minute, 3*s.plan.tick), func() bool { return s.next(p) != nil }) {
		s.t.Fatalf("%s does not get %q", p.name, w[1])
	}
	s.prefer(p, func(m *boxed) bool { return tokenless(m.Subject) == w[1] })
	m := s.next(p)
	p.read++
	s.seen = m
	if tokenless(m.Subject) != w[1] {
		s.t.Fatalf("%s gets %q and not %q:\n%s", p.name, m.Subject, w[1], m.Plain)
	}
	if m.InReplyTo != "" && !p.wrote[m.InReplyTo] {
		s.t.Errorf("%q answers %s, which %s never wrote", m.Subject, m.InReplyTo, p.name)
	}
	if exact := strings.HasPrefix(m.MessageID, "<copy."); p.asked && !exact && m.InReplyTo == "" {
		s.t.Errorf("%q answers %s and has no In-Reply-To", m.Subject, p.name)
	}
	p.asked = false
}

func (s *story) getsNothing(w []string) {
	s.t.Helper()
	time.Sleep(time.Minute)
	s.person(w[0]).asked = false
	if m := s.next(s.person(w[0])); m != nil {
		s.t.Errorf("%s gets %q:\n%s", w[0], m.Subject, m.Plain)
	}
}

func (s *story) hasFile(w []string) {
	s.t.Helper()
	for _, p := range s.seen.Parts {
		if p.Name == w[0] && p.Size > 0 {
			return
		}
	}
	s.t.Errorf("%q has no file %s", s.seen.Subject, w[0])
}

func (s *story) have(w []string) {
	s.t.Helper()
	want, _, _ := strings.Cut(w[0], " ")
	n := 0
	if want != "nobody" {
		n = number(want)
		waited(2*time.Minute, func() bool { return len(s.copies(w[1])) >= n })
	}
	copies := s.copies(w[1])
	if len(copies) != n {
		s.t.Errorf("%d readers have %s", len(copies), w[1])
	}
	for reader, n := range copies {
		if n != 1 {
			s.t.Errorf("%s has %d copies", reader, n)
		}
	}
}

func (s *story) someHave(w []string) {
	s.t.Helper()
	if n := len(s.copies(w[0])); n == 0 || n == s.plan.readers {
		s.t.Errorf("%d of %d have %s", n, s.plan.readers, w[0])
	}
}

func (s *story) copiesSay(w []string) {
	s.t.Helper()
	for _, a := range s.sink.Messages() {
		m, err := mime.Read(a.Octets)
		if err != nil || !s.delivery(a) || !strings.HasPrefix(m.Subject, w[0]+" ") {
			continue
		}
		if !strings.Contains(folded(marksOff.Replace(m.Plain)), folded(w[1])) {
			s.t.Errorf("the copy of %s does not say %q", a.To[0], w[1])
		}
	}
}

func (s *story) onList(w []string) {
	s.t.Helper()
	want, got := number(w[0]), 0
	waited(2*time.Minute, func() bool {
		s.view(func(ctx context.Context, tx *store.Tx) (err error) {
			got, err = s.house.queue.Audience(ctx, tx, "quiet")
			return err
		})
		return got == want
	})
	if got != want {
		s.t.Errorf("%d readers are on the list", got)
	}
}

// join puts more readers on the list.
func (s *story) join(w []string) {
	s.plan.readers += number(w[0])
	s.subscribe("quiet", s.plan.readers)
}

// copyOf is the copy of an issue that a reader got.
func (s *story) copyOf(name, issue string) (sendtest.Accepted, *boxed) {
	s.t.Helper()
	p := s.person(name)
	for _, a := range s.sink.Messages() {
		if a.To[0] != p.addr.Addr {
			continue
		}
		m, err := mime.Read(a.Octets)
		if err == nil && strings.HasPrefix(m.Subject, issue+" ") {
			return a, &boxed{Message: m, from: a.From, raw: a.Octets}
		}
	}
	s.t.Fatalf("%s has no copy of %s", name, issue)
	return sendtest.Accepted{}, nil
}

func (s *story) answers(w []string) {
	by := s.person(w[0])
	_, m := s.copyOf(w[0], w[1])
	s.world.post(by, s.answer(by, m, written(w[2])))
}

// leaving lists the URLs of a copy's List-Unsubscribe field.
func (s *story) leaving(name, issue string) (mailto, https string) {
	_, m := s.copyOf(name, issue)
	for part := range strings.SplitSeq(m.Header.Get("List-Unsubscribe"), ",") {
		u := strings.Trim(strings.TrimSpace(part), "<>")
		if strings.HasPrefix(u, "mailto:") {
			mailto = u
		} else {
			https = u
		}
	}
	return mailto, https
}

func (s *story) leavesByMail(w []string) {
	s.t.Helper()
	by := s.person(w[0])
	mailto, _ := s.leaving(w[0], w[1])
	u, err := url.Parse(mailto)
	if err != nil || u.Opaque == "" {
		s.t.Fatalf("List-Unsubscribe has no mailto: %q, %v", mailto, err)
	}
	subject := u.Query().Get("subject")
	if subject == "" {
		subject = "unsubscribe"
	}
	m := s.begin(by, subject, "")
	m.To[0].Addr = u.Opaque
	m.Text = []byte("\n")
	s.world.post(by, m)
}

// leavesByButton does what a mail program does for its own button: RFC 8058
// section 3.2.
func (s *story) leavesByButton(w []string) {
	s.t.Helper()
	_, page := s.leaving(w[0], w[1])
	r := httptest.NewRequest(http.MethodPost, page, strings.NewReader("List-Unsubscribe=One-Click"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	s.serves(r, http.StatusOK)
}

func (s *story) opensPage(w []string) {
	s.t.Helper()
	_, page := s.leaving(w[0], w[1])
	s.serves(httptest.NewRequest(http.MethodGet, page, nil), http.StatusOK)
}

func (s *story) serves(r *http.Request, status int) {
	s.t.Helper()
	pages, err := s.house.web(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	pages.Handler.ServeHTTP(answer, r)
	if answer.Code != status {
		s.t.Errorf("%s %s: %d", r.Method, r.URL, answer.Code)
	}
}

func (s *story) returns(w []string) {
	a, _ := s.copyOf(w[0], w[1])
	s.carry("", a.From, sendtest.DSN(a, a.To[0], sendtest.Failure{Status: w[2], Diagnostic: "550 " + w[2] + " " + w[3]}))
}

// forgesReturn makes up a delivery report: it knows the shape of our
// addresses, and no token.
func (s *story) forgesReturn(w []string) {
	a, _ := s.copyOf(w[1], w[2])
	local, domain, _ := strings.Cut(letterBox, "@")
	a.From = fmt.Sprintf("%s+b-%s@%s", local, strings.Repeat("a", 26), domain)
	a.MessageID, a.Octets = "<made-up@mallory.example>", []byte("Message-ID: <made-up@mallory.example>\r\nSubject: #12\r\n\r\n")
	s.carry("", a.From, sendtest.DSN(a, a.To[0], sendtest.Failure{Status: "5.1.1", Diagnostic: "550 5.1.1 no such mailbox"}))
}

// folderHolds wants the Subjects of the mails in a folder, parted by " / ".
func (s *story) folderHolds(w []string) {
	s.t.Helper()
	list, err := s.imap.Messages("letter", w[0])
	if err != nil {
		s.t.Fatal(err)
	}
	var got []string
	for _, m := range list {
		if parsed, err := mime.Read(m.Raw); err == nil {
			got = append(got, marksOff.Replace(parsed.Subject))
		}
	}
	if told := strings.Join(got, " / "); told != w[1] {
		s.t.Fatalf("%s holds: %s", w[0], told)
	}
}

// movesAll is somebody with a mail program in the newsletter's mailbox.
func (s *story) movesAll(w []string) {
	s.t.Helper()
	list, err := s.imap.Messages("letter", w[1])
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range list {
		if err := errors.Join(s.imap.Put("letter", w[2], m.Raw), s.imap.Remove("letter", w[1], m.UID)); err != nil {
			s.t.Fatal(err)
		}
	}
}
