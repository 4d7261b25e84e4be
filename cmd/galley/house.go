package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"galley/compose"
	"galley/inbox"
	"galley/inbox/mailbox"
	"galley/inbox/trust"
	"galley/send"
	"galley/send/door"
	"galley/send/list"
	"galley/send/message"
	"galley/send/relay"
	"galley/send/store"
	"galley/templates"
)

// house is all the parts, built back to front: the books, the list, the
// queue, the desk, the inboxes. It is the only place where they meet.
type house struct {
	cfg     *Config
	log     *slog.Logger
	db      *store.DB
	list    *list.List
	queue   *send.Queue
	desk    *compose.Desk
	door    *door.Door
	keepers []*keeper
	relay   *relay.Relay
	inboxes []*inbox.Inbox
	// unscrubbed tells that erased words may still lie in the database's log.
	unscrubbed bool
	sole       *store.Hold // no other daemon does everything on these books
	machine    string      // what tells this machine from others, "" when it is not to be told
	boxes      []*mailbox.Mailbox
	again      []*mailbox.Mailbox                                              // the folders whose mail is dealt with again
	dns        trust.DNS                                                       // the demo answers for itself
	fetch      func(ctx context.Context, url string) (compose.LinkPage, error) // nil: pages of suggestions are not looked at
}

// build opens the books and joins the parts. Nothing runs yet.
func build(ctx context.Context, cfg *Config, log *slog.Logger) (*house, error) {
	key, err := LoadKey(cfg.Data)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, cfg.Books())
	if err != nil {
		return nil, err
	}
	h := &house{cfg: cfg, log: log, db: db, dns: lookupTXT(resolver(cfg.Resolver)), list: &list.List{Key: key}}
	if h.machine, err = machineMark(ctx, db, cfg.Data, key); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := h.join(key); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return h, nil
}

// close closes the books.
func (h *house) close() error {
	for _, b := range append(h.boxes, h.again...) {
		b.Close()
	}
	return h.db.Close()
}

func (h *house) join(key []byte) error {
	signers, err := h.cfg.signers()
	if err != nil {
		return err
	}
	h.relay = h.cfg.SMTP.hop().relay()
	h.queue = &send.Queue{DB: h.db, Courier: h.cfg.SMTP.courier(h.relay, resolver(h.cfg.Resolver)), Readers: h.list, Connections: h.cfg.SMTP.Connections,
		Pace: h.cfg.SMTP.pace(), Unsure: send.Unsure(h.cfg.SMTP.Unsure),
		Newsletters: map[string]*send.Newsletter{}, Log: h.log}
	h.desk = &compose.Desk{DB: h.db, Press: h.queue, Figures: h.queue, Newsletters: map[string]*compose.Newsletter{}, Log: h.log}
	h.door = &door.Door{DB: h.db, List: h.list, Press: h.queue, Newsletters: map[string]*door.Newsletter{}, Key: key, Log: h.log}
	h.desk.People, h.desk.Door = h.list, h.door
	keys := send.Keys{Secret: key}
	for i := range h.cfg.Newsletters {
		n := &h.cfg.Newsletters[i]
		sn := n.press(h.cfg, keys, signers)
		h.queue.Newsletters[n.ID] = sn
		dn := n.desk(h.cfg, key)
		dn.Loop = sn.Loop()
		if err := dn.Check(); err != nil {
			return err
		}
		h.desk.Newsletters[n.ID] = dn
		h.door.Newsletters[n.ID] = n.door(sn)
		pgp, err := n.keys()
		if err != nil {
			return err
		}
		h.open(n, sn, pgp)
	}
	return h.door.Check()
}

// signers loads the DKIM keys; each signs for the newsletters under its
// domain.
func (c *Config) signers() ([]*message.Signer, error) {
	var out []*message.Signer
	for _, d := range c.DKIM {
		pem, err := os.ReadFile(d.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("dkim key: %w", err)
		}
		key, err := message.ParseKey(pem)
		if err != nil {
			return nil, fmt.Errorf("dkim key %s: %w", d.KeyFile, err)
		}
		out = append(out, &message.Signer{Domain: d.Domain, Selector: d.Selector, Key: key})
	}
	return out, nil
}

// hop is the first of the next hops.
func (s *SMTP) hop() *NextHop {
	return &NextHop{Host: s.Host, Port: s.Port, Security: s.Security, Login: s.Login, Hello: s.Hello, Messages: s.Messages, Window: s.Window,
		Protocol: s.Protocol, Weight: s.Weight}
}

// relay is a next hop as the configuration names it. The password is asked
// for at the first login and again whenever the relay logs in.
func (h *NextHop) relay() *relay.Relay {
	r := &relay.Relay{Addr: net.JoinHostPort(h.Host, fmt.Sprint(h.Port)), Security: relay.Security(h.Security),
		Hello: h.Hello, MaxMessages: h.Messages, Window: h.Window, LMTP: h.Protocol == ProtocolLMTP}
	if h.User != "" {
		secret := func(ctx context.Context) (string, error) {
			p, err := h.Login.Secret(ctx)
			return p.Reveal(), err
		}
		r.Auth = &relay.Auth{User: h.User, Mechanism: strings.ToUpper(h.Mechanism), Secret: secret}
		if m := r.Auth.Mechanism; m == "XOAUTH2" || m == "OAUTHBEARER" {
			r.Auth.Token = secret
		}
	}
	return r
}

// courier is the one next hop, or all of them with their weights, or the way
// straight to the readers' servers.
func (s *SMTP) courier(first *relay.Relay, dns relay.Resolver) send.Courier {
	if s.Protocol == ProtocolMX {
		return &relay.MX{Hello: s.Hello, Resolver: dns, MaxMessages: s.Messages}
	}
	if len(s.Also) == 0 {
		return first
	}
	p := &relay.Pool{Hops: []relay.Hop{{Courier: first, Weight: s.Weight}}}
	for i := range s.Also {
		p.Hops = append(p.Hops, relay.Hop{Courier: s.Also[i].relay(), Weight: s.Also[i].Weight})
	}
	return p
}

// pace is how fast copies may leave.
func (s *SMTP) pace() send.Pace {
	p := send.Pace{PerSecond: s.PerSecond, ToDomain: s.DomainPerSecond, WarmUp: s.WarmUp}
	if s.PerHour > 0 {
		p.Quotas = append(p.Quotas, send.Quota{Most: s.PerHour, Window: time.Hour})
	}
	if s.PerDay > 0 {
		p.Quotas = append(p.Quotas, send.Quota{Most: s.PerDay, Window: 24 * time.Hour})
	}
	return p
}

// host is the web address, "" without a web.
func (c *Config) host() string {
	if c.Web == nil {
		return ""
	}
	return c.Web.URL
}

// press is a newsletter as send sees it.
func (n *Newsletter) press(c *Config, keys send.Keys, signers []*message.Signer) *send.Newsletter {
	out := &send.Newsletter{ID: n.ID, Name: n.Name, From: message.Address{Name: n.From, Addr: n.Address.String()},
		Pattern: send.Pattern{Mailbox: n.Address.String(), Form: n.Pattern}, Keys: keys, Host: c.host(), ArchivePath: n.Archive}
	if n.ReplyTo != nil {
		out.ReplyTo = &message.Address{Name: n.ReplyTo.Name, Addr: n.ReplyTo.Address.String()}
	}
	for _, a := range n.Also {
		out.Also = append(out.Also, send.Pattern{Mailbox: a.String(), Form: n.Pattern})
	}
	for _, e := range n.Editors {
		out.Editors = append(out.Editors, e.Address.Key())
	}
	for _, s := range signers {
		if within(n.Address.Domain(), s.Domain) {
			out.Signers = append(out.Signers, s)
		}
	}
	return out
}

// desk is a newsletter as compose sees it.
func (n *Newsletter) desk(c *Config, key []byte) *compose.Newsletter {
	out := &compose.Newsletter{
		ID: n.ID, From: message.Address{Name: n.Name + " desk", Addr: n.Address.String()},
		Pattern: send.Pattern{Mailbox: n.Address.String(), Form: n.Pattern}, Grace: time.Duration(n.Grace), Key: key, Approvals: n.Approvals, Zone: time.UTC, Thanks: n.Thanks, Acknowledge: n.Acknowledge, Hello: n.Hello, CodeAlone: n.Approve == ApproveCode,
		Quarantine: n.IMAP.Folders.Quarantine, Again: n.IMAP.Folders.Again,
		Frame: compose.Frame{Name: n.Name, Tagline: n.Tagline, Host: c.host(), ArchivePath: n.Archive, PostalAddress: n.Postal,
			Lang: n.Lang, ReplyTo: n.Address.String(), Looks: templates.Speaking(templates.Look(n.Templates), n.Lang), HostPictures: n.Images == ImagesHost},
	}
	for _, s := range n.Sections {
		out.Frame.Sections = append(out.Frame.Sections, s.Name)
		out.Frame.Aliases = append(out.Frame.Aliases, s.Aliases...)
	}
	for _, e := range n.Editors {
		out.Editors = append(out.Editors, message.Address{Name: e.Name, Addr: e.Address.Key()})
	}
	if n.Slot != nil {
		out.Zone = n.Slot.Zone.Location
		out.Slot = &compose.Slot{Weekday: time.Weekday(n.Slot.Weekday), Hour: n.Slot.Time.Hour, Minute: n.Slot.Time.Minute, Zone: n.Slot.Zone.Location,
			Every: n.Slot.Every, First: time.Time(n.Slot.First), Starter: time.Duration(n.Slot.Starter)}
		for _, r := range n.Slot.Remind {
			out.Slot.Remind = append(out.Slot.Remind, time.Duration(r))
		}
	}
	return out
}

// door is a newsletter as its readers meet it who come and go. Its mails are
// signed with the first editor's first name.
func (n *Newsletter) door(sn *send.Newsletter) *door.Newsletter {
	out := &door.Newsletter{Newsletter: sn, Tagline: n.Tagline, Signs: n.Name, Lang: n.Lang, Looks: templates.Speaking(templates.Look(n.Templates), n.Lang)}
	if len(n.Editors) > 0 && n.Editors[0].Name != "" {
		out.Signs, _, _ = strings.Cut(n.Editors[0].Name, " ")
	}
	if n.Slot != nil {
		day := time.Weekday(n.Slot.Weekday)
		out.Weekday, out.Zone = &day, n.Slot.Zone.Location
	}
	return out
}

// open builds a newsletter's mailbox and its inbox. Galley/Again has a
// connection of its own, since IMAP watches one folder a connection.
func (h *house) open(n *Newsletter, sn *send.Newsletter, pgp []*trust.Key) {
	in := &inbox.Inbox{DB: h.db, Folder: n.IMAP.Folder, Desk: h.desk, Readers: h.list, Door: h.door, Returns: h.queue, Log: h.log,
		DNS: func(ctx context.Context, name string) ([]string, error) { return h.dns(ctx, name) }, Newsletter: n.inbox(sn)}
	in.Newsletter.Keys = pgp
	if len(n.Authserv) > 0 {
		in.Try = func(ctx context.Context, token string) error { return h.postLoop(ctx, n, token) }
	}
	box := n.IMAP.mailbox(h.log)
	box.Ledger = in.Ledger()
	again := n.IMAP.mailbox(h.log)
	again.Ledger, again.Folder, again.Make, again.Beside = in.AgainLedger(), n.IMAP.Folders.Again, true, true
	again.Dial = func(ctx context.Context) (net.Conn, error) { // wherever the other one is found
		if box.Dial != nil {
			return box.Dial(ctx)
		}
		return new(net.Dialer).DialContext(ctx, "tcp", box.Addr)
	}
	in.Source, in.Again = box, again
	h.boxes = append(h.boxes, box)
	h.again = append(h.again, again)
	h.inboxes = append(h.inboxes, in)
	k := &keeper{db: h.db, queue: h.queue, desk: h.desk, loop: sn.Loop(), box: box, newsletter: n.ID, inbox: n.IMAP.Folder, sent: n.IMAP.Sent, log: h.log}
	for _, e := range n.Editors {
		k.editors = append(k.editors, e.Address.Key())
	}
	h.keepers = append(h.keepers, k)
}

// mailbox is a connection to the newsletter's mailbox.
func (m *IMAP) mailbox(log *slog.Logger) *mailbox.Mailbox {
	return &mailbox.Mailbox{Addr: net.JoinHostPort(m.Host, fmt.Sprint(m.Port)), Security: mailbox.Security(m.Security), User: m.User,
		Mechanism: m.Mechanism, Folder: m.Folder, Idle: time.Duration(m.Idle), Poll: time.Duration(m.Poll),
		Reconcile: time.Duration(m.Reconcile), Log: log,
		Password: func(ctx context.Context) (string, error) {
			p, err := m.Login.Secret(ctx)
			return p.Reveal(), err
		}}
}

// inbox is a newsletter as the inbox sees it.
func (n *Newsletter) inbox(sn *send.Newsletter) *inbox.Newsletter {
	out := &inbox.Newsletter{ID: n.ID, Address: n.Address.Key(), Press: sn,
		Authserv: n.Authserv, AuthservUnchecked: n.Unchecked, CodeAlone: n.Approve == ApproveCode, Shared: n.IMAP.Shared, Words: n.Words, Zone: time.UTC,
		SlotHour: 9 * time.Hour, Folders: inbox.Folders(n.IMAP.Folders)}
	for _, e := range n.Editors {
		out.Editors = append(out.Editors, inbox.Editor{Name: e.Name, Addr: e.Address.Key()})
	}
	if n.Slot != nil {
		out.Zone = n.Slot.Zone.Location
		out.SlotHour = time.Duration(n.Slot.Time.Hour)*time.Hour + time.Duration(n.Slot.Time.Minute)*time.Minute
	}
	return out
}

// dnsTime bounds one question: a mail may ask several, and is given 30 s.
const dnsTime = 4 * time.Second

// lookupTXT asks a resolver for the records of a name.
func lookupTXT(r *net.Resolver) trust.DNS {
	return func(ctx context.Context, name string) ([]string, error) {
		ctx, cancel := context.WithTimeout(ctx, dnsTime)
		defer cancel()
		return r.LookupTXT(ctx, strings.TrimSuffix(name, "."))
	}
}
