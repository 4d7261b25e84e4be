package door

import (
	"context"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"galley/send"
	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
	"galley/templates"
)

// view is what the catalogue's mails to readers are given.
type view struct {
	Name, Tagline, Signs, Weekday string
	Address                       string // the mailbox, for somebody who starts a mail of their own
	Token, Page                   string // of a mail that may be answered; Page is "" without a web
	Last, LastURL                 string // the last issue
	Wish, Until                   string
	New                           string // the address that somebody moves to, in part
	Kept                          []Kept
}

// kinds are the mails of the door, by their name in the catalogue, with the
// kind that the books show.
var kinds = map[string]string{
	"confirm": "confirm", "move": "confirm", "forget": "confirm", "leave": "way-out",
	"welcome": "welcome", "welcome-back": "welcome", "moved-here": "welcome", "moved-away": "farewell",
	"farewell": "farewell", "wish": "done", "moving": "done", "data": "data",
}

// buttons are the words that a mail may be answered with, as its button sends
// them; what stands on it is in the catalogue's reader-button.
var buttons = map[string]string{"confirm": "yes", "move": "yes", "forget": "yes", "farewell": "back", "moved-away": "back"}

// mail is one mail of the door on its way to the books.
type mail struct {
	name    string // in the catalogue
	to      list.Address
	person  string // the reader's own name, "" in mail that others may have caused
	kind    Kind   // of its token
	token   string
	answers string // Message-ID of the reader's own mail
	view    view
	file    *message.Attachment
}

// post writes a mail and hands it to the press.
func (d *Door) post(ctx context.Context, tx *store.Tx, n *Newsletter, m mail) error {
	if err := n.read(); err != nil {
		return err
	}
	s, err := n.slip(m.name, m.to, m.view.with(n, m))
	if err != nil {
		return err
	}
	out := s.Mail
	out.Date, out.To[0].Name = tx.Now(), m.person
	if m.answers != "" {
		out.InReplyTo, out.References, out.AutoSubmitted = m.answers, []string{m.answers}, "auto-replied"
	}
	if m.token != "" {
		out.MessageID = fmt.Sprintf("<%s.%s@%s>", m.kind, m.token, domainOf(n.From.Addr))
		out.ReplyTo = &message.Address{Name: n.From.Name, Addr: n.Pattern.Address(string(m.kind), m.token)}
	}
	if out.HTML, err = n.html(m, out.Subject, string(out.Text)); err != nil {
		return err
	}
	if m.file != nil {
		out.Attachments = []message.Attachment{*m.file}
	}
	return d.Press.Post(ctx, tx, s)
}

// sunday is a day to count the days of the week from.
var sunday = time.Date(2023, time.January, 1, 12, 0, 0, 0, time.UTC)

// read reads the catalogue, once.
func (n *Newsletter) read() error {
	n.words.once.Do(func() { n.words.speaker, n.words.err = templates.Read(n.Looks) })
	return n.words.err
}

// say writes one of the catalogue's sentences.
func (n *Newsletter) say(name string, data any) (string, error) {
	if err := n.read(); err != nil {
		return "", err
	}
	return n.words.speaker.Phrase(name, data)
}

// slip writes a mail's words.
func (n *Newsletter) slip(name string, to list.Address, v view) (*send.Slip, error) {
	if err := n.read(); err != nil {
		return nil, err
	}
	subject, text, err := n.words.speaker.Say("reader-"+name, v)
	if err != nil {
		return nil, err
	}
	addr := message.Address{Addr: to.String()}
	return &send.Slip{Newsletter: n.ID, Kind: kinds[name], To: addr, Mail: &message.Mail{
		From: n.From, To: []message.Address{addr}, Subject: subject, AutoSubmitted: "auto-generated",
		Fields: []message.Field{{Name: "X-Loop", Value: n.Loop()}}, Text: []byte(text),
	}}, nil
}

// with fills in what all mails know.
func (v view) with(n *Newsletter, m mail) view {
	v.Name, v.Tagline, v.Signs, v.Address = n.Name, n.Tagline, n.Signs, n.Pattern.Mailbox
	if n.Weekday != nil {
		v.Weekday = n.words.speaker.Date("Monday", sunday.AddDate(0, 0, int(*n.Weekday)))
	}
	v.Token = m.token
	if n.Host != "" && m.token != "" {
		v.Page = n.Page(m.kind, m.token)
	}
	return v
}

// Page is the address of the page that does what a mail with a token asks.
func (n *Newsletter) Page(kind Kind, token string) string {
	return n.Host + "/" + string(kind) + "/" + token
}

// mailto is the URL of a button that sends one word back. The token travels
// in the address and in the Subject.
func (n *Newsletter) mailto(m mail, subject, word string) string {
	// RFC 6068 section 2: a space is %20, a plus sign of an address may stand.
	return "mailto:" + n.Pattern.Address(string(m.kind), m.token) + "?subject=" + url.PathEscape("Re: "+subject) + "&body=" + url.PathEscape(word)
}

// html is the text of a mail as mail.html lays it out, with the button that
// sends its word back.
func (n *Newsletter) html(m mail, subject, text string) ([]byte, error) {
	blocks := templates.Blocks(text, "")
	if word := buttons[m.name]; word != "" && m.token != "" {
		label, err := templates.Phrase(n.Looks, "reader-button", m.name)
		if err != nil {
			return nil, err
		}
		for _, b := range blocks {
			for i := range b.Rows {
				if b.Kind == "words" && b.Rows[i].Word == word {
					b.Rows[i].URL, b.Rows[i].Label, b.Rows[i].Main = template.URL(n.mailto(m, subject, word)), label, true
				}
			}
		}
	}
	return templates.HTML(n.Looks, "mail.html", map[string]any{"Lang": n.lang(), "Title": n.Name, "Blocks": blocks, "Heading": "", "Edge": "", "CID": ""})
}

func (n *Newsletter) lang() string {
	if n.Lang == "" {
		return "en"
	}
	return n.Lang
}

func (n *Newsletter) zone() *time.Location {
	if n.Zone == nil {
		return time.UTC
	}
	return n.Zone
}

func domainOf(addr string) string { return strings.ToLower(addr[strings.LastIndexByte(addr, '@')+1:]) }

// confirmation asks an address. Nothing in it comes from whoever asked: no
// name, no words, no thread.
func (d *Door) confirmation(ctx context.Context, tx *store.Tx, n *Newsletter, r *row) error {
	m := mail{name: string(r.Kind), to: r.Address, kind: r.Kind}
	if r.Kind == Leave { // its page and its word are those of any copy
		s, err := d.List.ByID(ctx, tx, n.ID, r.Subscriber)
		if err != nil {
			return err
		}
		m.to, m.view.Page = s.Address, ""
		if n.Host != "" {
			m.view.Page = n.Host + "/u/" + n.Keys.Mint(send.KindUnsubscribe, s.ID)
		}
		return d.post(ctx, tx, n, m)
	}
	m.token = n.Keys.Mint(string(r.Kind), r.ID)
	return d.post(ctx, tx, n, m)
}

// welcome greets who has come, with how to leave, how to suggest and the
// last issue.
func (d *Door) welcome(ctx context.Context, tx *store.Tx, n *Newsletter, name string, s list.Subscriber, answers string) error {
	m := mail{name: name, to: s.Address, person: s.Name, answers: answers}
	last, err := d.Press.Latest(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	if last != nil {
		m.view.Last = last.Subject
		if n.Host != "" {
			m.view.LastURL = n.Host + n.ArchivePath + "/" + url.PathEscape(last.Slug)
		}
	}
	return d.post(ctx, tx, n, m)
}

// farewell tells who has left the way back.
func (d *Door) farewell(ctx context.Context, tx *store.Tx, n *Newsletter, name string, s list.Subscriber, answers string) error {
	id, err := d.insert(ctx, tx, Request{Newsletter: n.ID, Kind: Back, Address: s.Address, Subscriber: s.ID, Source: ByMail, Evidence: "the way back of a farewell"}, "asked")
	if err != nil {
		return err
	}
	return d.post(ctx, tx, n, mail{name: name, to: s.Address, person: s.Name, kind: Back, token: n.Keys.Mint(string(Back), id), answers: answers})
}

// moving tells a reader that the new address was asked, in the same words
// whether it was or not.
func (d *Door) moving(ctx context.Context, tx *store.Tx, n *Newsletter, r *row) error {
	s, err := d.List.ByID(ctx, tx, n.ID, r.Subscriber)
	if store.NotFound(err) || err == nil && s.State != list.Active {
		return nil
	}
	if err != nil {
		return err
	}
	return d.post(ctx, tx, n, mail{name: "moving", to: s.Address, person: s.Name, view: view{New: r.Address.Masked()}})
}
