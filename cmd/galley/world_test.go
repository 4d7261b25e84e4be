package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"galley/inbox/inboxtest"
	"galley/inbox/mime"
	"galley/send"
	"galley/send/list"
	"galley/send/message"
	"galley/send/sendtest"
	"galley/send/servertest"
	"galley/send/store"
)

// world is a whole house in a bubble of fake time, with everything around it
// in memory: the mailbox server, the servers of all others, and the people.
type world struct {
	t      *testing.T
	dir    string
	plan   plan
	house  *house
	imap   *inboxtest.Server
	wire   *sendtest.Memory
	sink   *sendtest.Sink
	key    crypto.Signer // signs for the people's providers
	people map[string]*person
	log    bytes.Buffer
	stop   func()
	refuse atomic.Bool                        // the readers' servers refuse us
	gone   atomic.Pointer[string]             // whose mailbox its server has closed
	busy   atomic.Bool                        // strict.example puts everything off
	lost   atomic.Bool                        // the next hop is not there
	dnsIs  dnsOfWorld                         // what is asked before a send to many
	faults func(sendtest.Step) sendtest.Fault // what else goes wrong; nil: nothing
	heard  func(sendtest.Accepted)            // told of every mail that is taken; nil: nobody is

	subjects []string // of the mails that the sink has taken, in its order

	written int    // mails of the people
	machine string // on which the house runs
	fenced  bool   // another process has taken over, and the house ends by itself

	mu sync.Mutex // guards the people's boxes, and subjects
}

// plan is how the house of a story differs from the usual one.
type plan struct {
	strict               int  // of the readers, how many are at strict.example, which alone may refuse us
	acknowledge          bool // readers are told that their links have arrived
	readers, connections int
	slow                 time.Duration // each reader's server takes that long
	grace, slot, approve string        // lines of the configuration
	pgp                  string        // an OpenPGP key in the configuration
	starter              string        // how long before the slot the empty form comes
	pattern              string        // address_pattern, "" for the default
	books                string        // URL of a database; "" is SQLite
	editors              []string
	unsure               string // what becomes of a copy that may have arrived; "" for the default
	approvals            int
	second               bool // a second newsletter in the same house
	web                  bool
	listed               []string // people who read the newsletter too
	words                []string // further words of the editor's language
	tick                 time.Duration
	rest                 time.Duration   // how often all but the queue look; 0: at every tick
	looks                bool            // the DNS is asked before a send to many
	sent                 string          // the folder of copies, "" for the usual one
	firstDay             bool            // the editors have not said hello yet
	alone                bool            // nobody writes, and nothing looks whether anybody does
	links                *lateWeb        // asked whether links are alive; nil: nobody is
	foreign              map[string]bool // the catalogue is a marked one; these words people write themselves
}

// person is somebody with a mailbox. Mail of the house comes into the box.
type person struct {
	name  string
	addr  message.Address
	signs bool           // the provider signs what is submitted
	zone  *time.Location // of the mail program's clock; nil: it tells none
	// signedBy is the domain that it signs with, "" for the person's own.
	signedBy string
	box      []*boxed
	read     int             // how many mails of the box the story has looked at
	wrote    map[string]bool // Message-IDs of the mails in the person's name
	asked    bool            // the person's last mail had no answer yet
}

// boxed is a mail that lies in somebody's box.
type boxed struct {
	*mime.Message
	sent *mime.Message // as it came; nil when the story reads it so
	from string        // of the envelope
	raw  []byte
	came time.Time
}

const (
	letterBox = "letter@quiet.example"
	secondBox = "notes@quiet.example"
)

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), people: map[string]*person{}}
	w.plan = plan{readers: 20, connections: 1, grace: "10m", starter: "0s", approve: ApproveProof, editors: []string{"Ines"}, tick: 30 * time.Second,
		slot: "weekday = \"Saturday\"\ntime = \"09:00\"\nzone = \"America/Toronto\"\nremind = [\"24h\", \"2h\"]\n"}
	w.key = ed25519.NewKeyFromSeed([]byte("the key of all the providers' :-)"[:32]))
	for _, p := range []*person{
		{name: "Ines", addr: message.Address{Name: "Ines Moreau", Addr: "ines@ines.example"}, signs: true},
		{name: "Jon", addr: message.Address{Name: "Jon Abara", Addr: "jon@jon.example"}, signs: true},
		{name: "Mallory", addr: message.Address{Name: "Mallory", Addr: "mallory@mallory.example"}, signs: true},
		{name: "Ada", addr: message.Address{Name: "Ada Reader", Addr: "reader001@readers.example"}},
		{name: "Ben", addr: message.Address{Name: "Ben Reader", Addr: "reader002@readers.example"}},
		{name: "Nora", addr: message.Address{Name: "Nora Lind", Addr: "nora@home.example"}},
		{name: "Nora-at-work", addr: message.Address{Name: "Nora Lind", Addr: "nora@work.example"}},
		{name: "Friend", addr: message.Address{Addr: "friend@elsewhere.example"}},
	} {
		p.wrote = map[string]bool{}
		w.people[p.name] = p
	}
	return w
}

// open starts the servers and the house, and fills the list.
func (w *world) open() {
	w.imap = inboxtest.New(inboxtest.Options{Users: map[string]string{"letter": servertest.Password, "notes": servertest.Password}})
	w.wire = sendtest.NewMemory(0)
	w.sink = sendtest.New(sendtest.Options{OnAccept: w.accepted, Slow: w.plan.slow, Fault: w.fault})
	go w.sink.Serve(w.wire)
	w.configure()
	w.start()
	for _, id := range w.newsletters() {
		w.subscribe(id, w.plan.readers)
	}
	w.enlist()
	synctest.Wait() // what comes before the first look into the mailbox would be left alone
}

// fault is a policy against us, of the kind that no reader is to blame for.
func (w *world) fault(s sendtest.Step) (f sendtest.Fault) {
	from := "readers.example"
	if w.plan.strict > 0 {
		from = "strict.example"
	}
	if w.refuse.Load() && s.Stage == sendtest.StageRcpt && domainOf(s.To) == from {
		f.Reply = "550 5.7.26 mail from quiet.example is not authenticated"
	}
	if w.busy.Load() && s.Stage == sendtest.StageRcpt && domainOf(s.To) == "strict.example" {
		f.Reply = "451 4.7.1 busy, try again later"
	}
	if gone := w.gone.Load(); gone != nil && s.Stage == sendtest.StageRcpt && s.To == *gone {
		f.Reply = "550 5.1.1 no such mailbox"
	}
	if w.lost.Load() && s.Stage == sendtest.StageMail { // it ends in good order: what it has taken is with it
		return sendtest.Fault{Reply: "421 4.3.2 shutting down", Close: true}
	}
	if w.faults != nil {
		return w.faults(s)
	}
	return f
}

func (w *world) newsletters() []string {
	if w.plan.second {
		return []string{"quiet", "notes"}
	}
	return []string{"quiet"}
}

// close ends the house and the servers.
func (w *world) close() {
	if w.imap == nil {
		return
	}
	w.end()
	checkDiscreet(w.t, w.log.String(), w.dir)
	w.sink.Close()
	w.wire.Close()
	w.imap.Close()
}

// start builds the house on the books that are there, and lets it live.
func (w *world) start() {
	w.t.Helper()
	cfg := w.cfg()
	log := cfg.logger(&locked{w: &w.log}, []byte("the key of this world's log"))
	h, err := build(w.t.Context(), cfg, log)
	if err != nil {
		w.t.Fatal(err)
	}
	h.dns, h.relay.Dial = w.dns, w.dialHop
	if w.plan.looks {
		h.queue.Fit = w.dnsIs.fit
	}
	h.machine = markOf(w.machine, []byte("the machines of this world"))
	h.queue.Alone = true // whoever waits at a real server's socket stops the bubble's time
	rest := cmp.Or(w.plan.rest, w.plan.tick)
	h.queue.Tick, h.desk.Tick, h.door.Tick = w.plan.tick, rest, rest
	if w.plan.links != nil {
		h.desk.Prober = w.plan.links
	}
	for i, b := range h.boxes {
		b.Dial, h.inboxes[i].Tick = w.imap.Dial, rest
		if w.plan.tick > time.Hour { // an idle year has half a million minutes
			b.Poll, b.Idle = w.plan.tick, w.plan.tick
			h.again[i].Poll, h.again[i].Idle = w.plan.tick, w.plan.tick
		}
	}
	parts := []daemonPart{{"send", h.runQueue}, {"desk", h.desk.Run}, {"door", h.door.Run}, {"records", h.keepRecords}}
	if w.plan.alone {
		parts, h.inboxes, h.keepers = parts[:3], nil, nil
	}
	for _, in := range h.inboxes {
		parts = append(parts, daemonPart{"inbox " + in.Newsletter.ID, in.Run})
	}
	for _, k := range h.keepers {
		if k.watched() {
			h.queue.Withhold()
		}
		if w.plan.tick > time.Hour {
			k.tick = w.plan.tick
		}
		parts = append(parts, daemonPart{"sent " + k.newsletter, k.run})
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- supervise(ctx, log, parts) }()
	w.house = h
	w.stop = func() {
		cancel()
		if err := <-ended; err != nil && !(w.fenced && errors.Is(err, send.ErrFenced)) {
			w.t.Error(err)
		}
		if err := h.close(); err != nil {
			w.t.Error(err)
		}
	}
}

// end ends the house; the world goes on.
func (w *world) end() {
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

// locked lets several goroutines write one log.
type locked struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func (w *world) cfg() *Config {
	w.t.Helper()
	cfg, err := Load(filepath.Join(w.dir, "galley.toml"))
	if err != nil {
		w.t.Fatal(err)
	}
	return cfg
}

// configure writes the configuration as an operator would.
func (w *world) configure() {
	w.t.Helper()
	var c strings.Builder
	if w.plan.books != "" {
		fmt.Fprintf(&c, "database = %q\n", w.plan.books)
	}
	if w.plan.web {
		c.WriteString("[web]\nurl = \"https://quiet.example\"\n\n")
	}
	fmt.Fprintf(&c, "[smtp]\nhost = \"127.0.0.1\"\nport = 25\nsecurity = \"plain\"\nconnections = %d\nunsure = %q\n\n", w.plan.connections, cmp.Or(w.plan.unsure, string(send.Resend)))
	w.newsletter(&c, "quiet", "Quiet Machines", letterBox)
	if w.plan.second {
		w.newsletter(&c, "notes", "Margin Notes", secondBox)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "galley.toml"), []byte(c.String()), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) newsletter(c *strings.Builder, id, name, address string) {
	var editors []string
	for _, e := range w.plan.editors {
		editors = append(editors, fmt.Sprintf("%q", w.people[e].addr.Name+" <"+w.people[e].addr.Addr+">"))
	}
	user, _, _ := strings.Cut(address, "@")
	language := ""
	if w.plan.foreign != nil {
		language = fmt.Sprintf("lang = \"eo\"\ntemplates = %q\n", w.dir)
	}
	fmt.Fprintf(c, `[[newsletter]]
id = %q
name = %q
address = %q
postal_address = "3 Harbour Lane, Example Town"
editors = [%s]
approve = %q
grace = %q
acknowledge = %v
hello = %v
%saddress_pattern = %q
pgp = [%s]
also = ["letter@former.example"]

[newsletter.imap]
host = "127.0.0.1"
port = 143
security = "plain"
user = %q
password = %q
sent = %q

`, id, name, address, strings.Join(editors, ", "), w.plan.approve, w.plan.grace, w.plan.acknowledge, w.plan.firstDay, language, cmp.Or(w.plan.pattern, send.DefaultForm), w.plan.pgp, user, servertest.Password, cmp.Or(w.plan.sent, sentFolder))
	if len(w.plan.words) > 0 {
		c.WriteString("[newsletter.words]\n" + strings.Join(w.plan.words, "\n") + "\n\n")
	}
	if w.plan.approvals > 0 {
		text := strings.Replace(c.String(), "approve = ", fmt.Sprintf("approvals = %d\napprove = ", w.plan.approvals), 1)
		c.Reset()
		c.WriteString(text)
	}
	if w.plan.slot != "" {
		fmt.Fprintf(c, "[newsletter.slot]\n%s\nstarter = %q\n", w.plan.slot, w.plan.starter)
	}
}

// subscribe puts n readers on a list.
func (w *world) subscribe(newsletter string, n int) {
	w.t.Helper()
	w.update(func(ctx context.Context, tx *store.Tx) error {
		for i := range n {
			a, err := list.ParseAddress(w.reader(i + 1))
			if err != nil {
				return err
			}
			if _, _, err := w.house.list.Add(ctx, tx, newsletter, a, "", tx.Now(), "a story"); err != nil {
				return err
			}
		}
		return nil
	})
}

// reader is the address of the n-th reader, counted from 1.
func (w *world) reader(n int) string {
	fate := ""
	if w.plan.slow > 0 {
		fate = "slow+"
	}
	if n > w.plan.readers-w.plan.strict {
		return fmt.Sprintf("%sreader%03d@strict.example", fate, n)
	}
	return fmt.Sprintf("%sreader%03d@readers.example", fate, n)
}

func (w *world) update(f func(context.Context, *store.Tx) error) {
	w.t.Helper()
	if err := w.house.db.Update(w.t.Context(), func(tx *store.Tx) error { return f(w.t.Context(), tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) view(f func(context.Context, *store.Tx) error) {
	w.t.Helper()
	if err := w.house.db.View(w.t.Context(), func(tx *store.Tx) error { return f(w.t.Context(), tx) }); err != nil {
		w.t.Fatal(err)
	}
}

// dns answers for the keys of the people's providers.
func (w *world) dns(_ context.Context, name string) ([]string, error) {
	for p := range maps.Values(w.people) {
		if p.signs && strings.TrimSuffix(name, ".") == "s1._domainkey."+domainOf(p.addr.Addr) {
			return []string{message.TXT(w.key)}, nil
		}
	}
	if strings.HasPrefix(name, "s1._domainkey.provider.") { // signs in its own name whatever its customers send
		return []string{message.TXT(w.key)}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func domainOf(addr string) string { return addr[strings.LastIndexByte(addr, '@')+1:] }

// accepted is what the servers of this world do with what the house sends.
func (w *world) accepted(a sendtest.Accepted) {
	if w.heard != nil {
		w.heard(a)
	}
	for _, to := range a.To {
		w.carry(a.From, to, a.Octets)
	}
}

// carry brings a message to a box: the newsletters', or a person's. The
// copies of readers without a name stay at the sink.
func (w *world) carry(from, to string, raw []byte) {
	local, domain, _ := strings.Cut(strings.ToLower(to), "@")
	local, _, _ = strings.Cut(local, "+")
	if domain == domainOf(letterBox) || domain == "former.example" {
		if strings.HasSuffix(w.plan.pattern, "@domain") {
			local, _, _ = strings.Cut(letterBox, "@") // all that comes to the domain lies in one mailbox
		}
		head := fmt.Sprintf("Return-Path: <%s>\r\nDelivered-To: %s\r\nReceived: from mx.example by quiet.example with ESMTP; %s\r\n",
			from, to, time.Now().Format(time.RFC1123Z))
		if err := w.imap.Deliver(local, append([]byte(head), raw...)); err != nil {
			w.t.Error(err)
		}
		return
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(w.people)), func(p *person) bool { return p.addr.Addr == to }) {
		return
	}
	m, err := mime.Read(raw)
	if err != nil {
		w.t.Error(err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for p := range maps.Values(w.people) {
		if p.addr.Addr == to {
			read := m
			if w.plan.foreign != nil {
				read = w.unmarked(m)
			}
			p.box = append(p.box, &boxed{Message: read, sent: m, from: from, raw: raw, came: time.Now()})
		}
	}
}

// post submits a mail of a person to its recipient, over the person's own
// provider, which signs for its own domain.
func (w *world) post(by *person, m *message.Mail) {
	w.t.Helper()
	w.postTo(by, m, m.To[0].Addr)
}

// postTo submits a mail to one recipient, who need not stand in its To.
func (w *world) postTo(by *person, m *message.Mail, to string) {
	w.t.Helper()
	raw, err := m.Bytes()
	if err != nil {
		w.t.Fatal(err)
	}
	if domain := cmp.Or(by.signedBy, domainOf(by.addr.Addr)); by.signs {
		field, err := (&message.Signer{Domain: domain, Selector: "s1", Key: w.key}).Sign(raw, time.Now())
		if err != nil {
			w.t.Fatal(err)
		}
		raw = append(field, raw...)
	}
	by.asked = true
	for _, p := range w.people {
		if p.addr == m.From {
			p.wrote[m.MessageID] = true
		}
	}
	w.carry(by.addr.Addr, to, raw)
}

// begin is a new mail of a person's to the newsletter.
func (w *world) begin(by *person, subject, text string) *message.Mail {
	w.written++
	date := time.Now()
	if by.zone != nil {
		date = date.In(by.zone)
	}
	return &message.Mail{From: by.addr, To: []message.Address{{Addr: letterBox}}, Subject: subject, Date: date,
		MessageID: fmt.Sprintf("<%s-%d@%s>", strings.ToLower(by.name), w.written, domainOf(by.addr.Addr)), Text: []byte(text)}
}

// answer is a reply as mail programs write it: to the Reply-To, with the
// quote below.
func (w *world) answer(by *person, to *boxed, words string) *message.Mail {
	m := w.begin(by, "Re: "+to.asSent().Subject, words+"\n\n"+quoted(to))
	m.InReplyTo, m.References = to.MessageID, []string{to.MessageID}
	switch {
	case len(to.ReplyTo) > 0:
		m.To[0].Addr = to.ReplyTo[0].Addr
	case len(to.From) > 0:
		m.To[0].Addr = to.From[0].Addr
	}
	return m
}

// asSent is the mail as its reader's program has it.
func (m *boxed) asSent() *mime.Message {
	if m.sent != nil {
		return m.sent
	}
	return m.Message
}

func quoted(m *boxed) string {
	var b strings.Builder
	fmt.Fprintf(&b, "On %s, %s wrote:\n", m.Date.Format("Mon, 2 Jan 2006 at 15:04"), m.From[0].Name)
	for line := range strings.Lines(m.asSent().Plain) {
		b.WriteString(strings.TrimRight("> "+line, " \n") + "\n")
	}
	return b.String()
}

// waited waits until something has happened; false when it has not in d.
func waited(d time.Duration, happened func() bool) bool {
	for end := time.Now().Add(d); !happened(); time.Sleep(time.Second) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// next is the first mail in a person's box that the story has not looked at.
func (w *world) next(p *person) *boxed {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.read == len(p.box) {
		return nil
	}
	return p.box[p.read]
}

// prefer lets one mail be the next that the story looks at, if it came at the
// same instant as the next: what the house posts at one time from two desks
// has no order.
func (w *world) prefer(p *person, wanted func(*boxed) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := p.read; i < len(p.box) && p.box[i].came.Equal(p.box[p.read].came); i++ {
		if m := p.box[i]; wanted(m) {
			p.box = slices.Insert(slices.Delete(p.box, i, i+1), p.read, m)
			return
		}
	}
}

// found is the newest mail in a person's box with such a beginning of the
// Subject; the last one looked at when beginning is "".
func (w *world) found(p *person, beginning string) *boxed {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range slices.Backward(p.box[:p.read]) {
		if strings.HasPrefix(m.Subject, beginning) {
			return m
		}
	}
	w.t.Fatalf("%s has no mail %q", p.name, beginning)
	return nil
}

// copies counts the copies of an issue that each reader got, by address.
func (w *world) copies(number string) map[string]int {
	n := map[string]int{}
	all := w.sink.Messages()
	subjects := w.subjectsOf(all)
	for i, a := range all {
		if strings.HasPrefix(subjects[i], number+" ") && w.delivery(a) {
			n[a.To[0]]++
		}
	}
	return n
}

// subjectsOf lists the Subjects of what the sink has taken. Each mail is read
// once: a story of a year would read the whole year again every second.
func (w *world) subjectsOf(all []sendtest.Accepted) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range all[min(len(w.subjects), len(all)):] {
		w.subjects = append(w.subjects, marksOff.Replace(subjectOf(a.Octets)))
	}
	return w.subjects[:len(all)]
}

func subjectOf(raw []byte) string {
	m, err := mime.Read(raw)
	if err != nil {
		return ""
	}
	return m.Subject
}

// delivery tells a reader's copy from the desk's mails by its return path.
func (w *world) delivery(a sendtest.Accepted) bool {
	for _, n := range w.house.queue.Newsletters {
		if n.Pattern.Form == send.NoForm && bytes.Contains(a.Octets, []byte("\r\nList-Id:")) {
			return true // its return path is the mailbox itself
		}
		if _, token, ok := n.Pattern.Parse(a.From); ok {
			if delivery, _, _ := n.Bounced(token); delivery != 0 {
				return true
			}
		}
	}
	return false
}
