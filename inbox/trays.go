package inbox

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"galley/compose"
	"galley/inbox/intent"
	"galley/inbox/mime"
	"galley/inbox/reply"
	"galley/send"
	"galley/send/list"
	"galley/send/store"
)

// effect is what a mail causes, written in the transaction that settles it.
type effect = func(ctx context.Context, tx *store.Tx) error

// submit hands a draft to the desk; held when nothing proves its sender.
func (in *Inbox) submit(l *letter, held bool) effect {
	return func(ctx context.Context, tx *store.Tx) error {
		if l.reading.Draft == nil { // change "…" to "…" and the like: new text by words
			return in.decide(l, compose.Execute)(ctx, tx)
		}
		if err := in.spend(ctx, tx, l); err != nil {
			return err
		}
		text, form := in.draftText(l)
		return in.Desk.Submit(ctx, tx, &compose.Draft{
			Newsletter: in.Newsletter.ID, Message: l.row, MessageID: l.m.MessageID, Editor: l.proof.From, Form: form,
			Subject: l.m.Subject, Answers: l.opening.Proof, Remark: l.reading.Draft.Remark, Source: text, Images: Pictures(l.m),
			Written: l.m.Date, Held: held, Corrects: l.reading.Correction,
		})
	}
}

// draftText is the draft as it is to be read. An attachment or a text comes
// through mime's choice of the surest form; what stands in a quote is known
// to intent only.
func (in *Inbox) draftText(l *letter) (text []byte, form string) {
	d := l.reading.Draft
	if d.Form == "attachment" || d.Form == "quote" {
		return []byte(d.Text), d.Form
	}
	if l.m.InReplyTo == "" { // an answer may quote, which only intent has cut away
		if text, form, _, _, ok := mime.DraftText(l.m); ok && form == mime.FormHTML {
			return []byte(intent.Bare(string(text), l.opening.Edges)), form
		}
	}
	return []byte(d.Text), d.Form
}

// decide hands an editor's words to the desk.
func (in *Inbox) decide(l *letter, ruling compose.Ruling) effect {
	return func(ctx context.Context, tx *store.Tx) error {
		words, ok := wordsOf(l.reading)
		if !ok && ruling == compose.Execute {
			return nil // his own letter, or thanks: filed, and no answer
		}
		if err := in.spend(ctx, tx, l); err != nil {
			return err
		}
		if l.reading.Kind == intent.KindLinks && ruling == compose.Execute {
			if err := in.Desk.Suggest(ctx, tx, in.editorsLinks(l)); err != nil {
				return err
			}
		}
		if ruling == compose.Execute && l.proof.Editor && l.proof.E == "pass" && len(l.reading.Known) > 0 {
			if err := in.Desk.Learn(ctx, tx, in.Newsletter.ID, l.proof.From, l.reading.Known); err != nil {
				return err
			}
		}
		words.File, words.Greeting = csvOf(l), in.greeting(l)
		if err := in.pin(ctx, tx, l, words.Greeting); err != nil {
			return err
		}
		if ruling == compose.Execute {
			if err := in.unpin(ctx, tx, l); err != nil {
				return err
			}
		}
		_, err := in.Desk.Decide(ctx, tx, &compose.Decision{
			Newsletter: in.Newsletter.ID, Message: l.row, MessageID: thread(l), Subject: l.m.Subject,
			Editor: in.editorOf(l), Proof: l.opening.Proof, Issue: l.reading.Correction, Ruling: ruling, Words: words, Clock: clockOf(l.m.Date),
		})
		return err
	}
}

// clockOf is the zone that a mail's Date names, as "+0200"; "" where it names
// none: programs write +0000 that do not tell theirs (RFC 5322 section 3.3).
func clockOf(date time.Time) string {
	if _, offset := date.Zone(); date.IsZero() || offset == 0 {
		return ""
	}
	return date.Format("-0700")
}

// csvOf is the list that comes with the word import.
func csvOf(l *letter) *compose.File {
	if !slices.ContainsFunc(l.reading.Commands, func(c intent.Command) bool { return c.Word == intent.WordImport }) {
		return nil
	}
	for i := range l.m.Parts {
		p := &l.m.Parts[i]
		if p.Attached() && (strings.HasSuffix(strings.ToLower(p.Name), ".csv") || p.Type == "text/csv") {
			return &compose.File{Name: p.Name, Text: p.Text()}
		}
	}
	return nil
}

// editorsLinks are links that an editor mails for the pool.
func (in *Inbox) editorsLinks(l *letter) *compose.Suggestion {
	out := &compose.Suggestion{Newsletter: in.Newsletter.ID, Message: l.row, Sender: l.proof.From, Name: l.name(), Note: l.reading.Note}
	for _, u := range l.reading.Links {
		out.Links = append(out.Links, compose.SuggestedLink{URL: u, Note: l.reading.Note})
	}
	return out
}

// editorOf is the configured editor whom the answer goes to: never the
// address of a stranger who came with an editor's code.
func (in *Inbox) editorOf(l *letter) string {
	if l.proof.Editor {
		return l.proof.From
	}
	return l.opening.Editor
}

// thread is the mail that the desk's answer answers: none unless it is proven
// to be the editor's, who does not have a forger's, and whose mail program
// would show the warning beneath a mail that the forger has named.
func thread(l *letter) string {
	if !l.proof.Editor || l.proof.PGP == "fail" || l.proof.E != "pass" && l.proof.PGP != "pass" && l.opening.Code != "valid" {
		return ""
	}
	return l.m.MessageID
}

// wordsOf is a reading as the desk keeps it. ok is false when the mail asks
// for no answer at all.
func wordsOf(r intent.Reading) (compose.Words, bool) {
	w := compose.Words{Note: r.Note, Nearest: r.Nearest, Beside: r.Other, Foot: r.Signature, Commands: spoken(r.Commands)}
	if r.Waits != nil {
		w.Withheld = spoken(r.Waits)
	}
	switch r.Kind {
	case intent.KindCommands, intent.KindHold: // what is not done is told beside what is
		w.Withheld = spoken(slices.Concat(r.Withheld, r.Changes))
	case intent.KindReaction:
		w.Told = "reaction"
	case intent.KindNothing:
		w.Told = "reminder-ok"
		return w, r.Note != ""
	case intent.KindLinks:
		w.Told = "links"
	case intent.KindChanges:
		w.Told, w.Commands, w.Withheld = "changes", spoken(r.Changes), spoken(r.Withheld)
	}
	return w, true
}

// spoken are commands as the desk keeps them.
func spoken(cmds []intent.Command) []compose.Command {
	var out []compose.Command
	for _, c := range cmds {
		out = append(out, compose.Command{Word: string(c.Word), Args: c.Args, In: c.In, At: c.At, Readings: c.Readings, Past: c.Past, Line: c.Line})
	}
	return out
}

// spend remembers the signatures that a mail was believed by, so that the
// same one proves nothing a second time.
func (in *Inbox) spend(ctx context.Context, tx *store.Tx, l *letter) error {
	for _, hash := range l.proof.Replay {
		if err := remember(ctx, tx, in.Newsletter.ID, "dkim", hash, l.row); err != nil {
			return err
		}
	}
	return nil
}

// burn kills the code that a stranger brought, holds if that is what the
// mail asked, and tells the editor.
func (in *Inbox) burn(l *letter, ruling compose.Ruling, hold bool) effect {
	return func(ctx context.Context, tx *store.Tx) error {
		if hold {
			if err := in.decide(l, compose.Execute)(ctx, tx); err != nil {
				return err
			}
		}
		if l.opening.Proof != 0 {
			if err := in.Desk.Burn(ctx, tx, l.opening.Proof); err != nil {
				return err
			}
		}
		told := *l
		told.reading = intent.Reading{Kind: intent.KindNote}
		if ruling == compose.Leaked {
			return in.decide(&told, ruling)(ctx, tx)
		}
		return in.once(&told, "alert", in.decide(&told, ruling))(ctx, tx)
	}
}

// once lets an effect happen once a day for an editor, so that a forger
// cannot fill the editor's mailbox with warnings.
func (in *Inbox) once(l *letter, what string, e effect) effect {
	return func(ctx context.Context, tx *store.Tx) error {
		day := in.editorOf(l) + " " + tx.Now().Format("2006-01-02")
		seen, err := seenBefore(ctx, tx, in.Newsletter.ID, what, day, -1)
		if err != nil || seen {
			return err
		}
		return errors.Join(remember(ctx, tx, in.Newsletter.ID, what, day, l.row), e(ctx, tx))
	}
}

// back finds what a bounce or a complaint is about, and hands it to send.
// Where no address bears a token the Message-ID of the returned mail serves:
// nobody can guess it. What is about none of our mails changes nothing and is
// kept for the editor (trust.md 1.4).
func (in *Inbox) back(ctx context.Context, l *letter) error {
	t := &l.tray
	for _, id := range t.Return.MessageIDs {
		if t.Delivery != 0 || t.Slip != 0 {
			break
		}
		o, _, err := in.origin(ctx, l, id)
		if err != nil {
			return err
		}
		t.Delivery, t.Slip = o.Delivery, o.Slip
	}
	if t.Delivery == 0 && t.Slip == 0 {
		l.reason += ", about no mail of ours"
		return nil
	}
	l.effect = func(ctx context.Context, tx *store.Tx) error {
		return in.Returns.Returned(ctx, tx, in.returned(l))
	}
	return nil
}

// returned is the report as send keeps it.
func (in *Inbox) returned(l *letter) *send.Return {
	r := &send.Return{Newsletter: in.Newsletter.ID, Delivery: l.tray.Delivery, Slip: l.tray.Slip, Message: l.row, Kind: string(l.kind)}
	if l.kind == Complaint {
		r.Class = send.ClassComplaint
	}
	if len(l.tray.Return.Reports) > 0 {
		rep := l.tray.Return.Reports[0]
		r.Recipient, r.Action, r.Status, r.Class, r.Reason = rep.Recipient, rep.Action, rep.Status, send.Class(rep.Class), rep.Reason
	}
	return r
}

// said is what a person wrote, without the issue that the mail quotes; a mail
// of nothing else, such as a forwarded article, is passed on whole.
func said(l *letter) string {
	if own := l.split().Own; strings.TrimSpace(own) != "" {
		return own
	}
	return l.m.Text
}

// reader deals with mail of people who are no editors, or whose mail does
// not prove that they are.
func (in *Inbox) reader(ctx context.Context, l *letter) error {
	if markedSpam(l.m) {
		l.kind, l.reason = Spam, "marked by the mailbox's server"
		return nil
	}
	sub, copied, err := in.who(ctx, l)
	if err != nil {
		return err
	}
	if done, err := in.consented(ctx, l, sub); done || err != nil {
		return err
	}
	if editor := in.strangersDraft(ctx, l); editor != "" {
		l.kind, l.reason = Quarantine, "looks like a draft, and comes from no editor"
		l.effect = in.askAbout(l, editor)
		return nil
	}
	r := readReader(l, sub.ID != 0, set(copied, string(intent.PaperIssue), ""), store.Now(), in.Newsletter.Zone)
	return in.wished(ctx, l, in.withoutOwn(r), sub)
}

// withoutOwn drops links to the newsletter's own pages, which a reader writes
// to say what the letter is about: a mail that has no others is one.
func (in *Inbox) withoutOwn(r intent.ReaderReading) intent.ReaderReading {
	own := in.Newsletter.Press.Host
	if own == "" || len(r.Links) == 0 {
		return r
	}
	r.Links = slices.DeleteFunc(slices.Clone(r.Links), func(u string) bool {
		rest, ok := strings.CutPrefix(u, own)
		return ok && (rest == "" || strings.ContainsAny(rest[:1], "/?#"))
	})
	r.Letter = r.Letter || len(r.Links) == 0
	return r
}

// heard does what a reader's mail asks, and hands on what it says: a link to
// the pool, words to the editor. why tells the editor what was done beside.
func (in *Inbox) heard(l *letter, r intent.ReaderReading, sub list.Subscriber, why compose.LetterWhy) effect {
	return func(ctx context.Context, tx *store.Tx) error {
		if flood, err := in.flooded(ctx, tx, l, why); err != nil || flood {
			return err
		}
		if l.kind == Suggestion {
			if err := in.Desk.Suggest(ctx, tx, in.suggestion(l, r, sub.ID != 0)); err != nil {
				return err
			}
			why = compose.LetterWhy{Why: "links-kept"}
		}
		if !r.Letter || in.Newsletter.Shared && l.kind == Letter { // the latter stays in the editor's own mailbox
			return nil
		}
		return in.Desk.Pass(ctx, tx, in.letter(l, r, sub, why))
	}
}

func (in *Inbox) suggestion(l *letter, r intent.ReaderReading, known bool) *compose.Suggestion {
	out := &compose.Suggestion{Newsletter: in.Newsletter.ID, Message: l.row, Sender: l.sender(), Name: l.name(),
		Note: r.Note, Consent: string(r.Consent), Words: r.ConsentWords, Credit: r.As,
		MessageID: l.m.MessageID, Known: known, Answered: r.Letter}
	own := l.split().Own
	for _, u := range r.Links {
		note := lineOf(own, u)
		if len(r.Links) == 1 {
			note = r.Note // all that was said is about it
		}
		out.Links = append(out.Links, compose.SuggestedLink{URL: u, Note: note})
	}
	return out
}

func (in *Inbox) letter(l *letter, r intent.ReaderReading, sub list.Subscriber, why compose.LetterWhy) *compose.Letter {
	return &compose.Letter{Newsletter: in.Newsletter.ID, Message: l.row, MessageID: l.m.MessageID, Sender: l.sender(), Name: l.name(),
		Subject: l.m.Subject, Body: said(l), Original: l.raw, Why: why, Consent: string(r.Consent), Words: r.ConsentWords, Since: sub.Joined}
}

// split takes a mail apart by the form that its text came in. The lines of a
// mail that waits to be settled would be most of its memory.
func split(m *mime.Message) reply.Parts {
	var parts reply.Parts
	if m.Plain == "" && m.HTML != "" {
		parts = reply.SplitLines(m.TakeLines())
	} else {
		parts = reply.Split(m.Text)
	}
	parts.Lines = nil
	return parts
}

// lineOf is what stands beside a link in its line, "" when nothing does.
func lineOf(text, link string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, link) {
			return intent.CutLinks(line, []string{link})
		}
	}
	return ""
}

// readReader reads a reader's own words.
func readReader(l *letter, onList bool, paper string, now time.Time, zone *time.Location) intent.ReaderReading {
	m, parts := l.m, l.split()
	rm := intent.ReaderMail{Subject: m.Subject, Own: parts.Own, Reply: m.InReplyTo != "", OnList: onList, Paper: intent.Paper(paper),
		Forwarded: parts.Forward != "", Now: now, Zone: zone}
	for _, a := range m.From {
		rm.Names = append(rm.Names, a.Name)
	}
	return intent.ReadReader(rm)
}

// readerKind names a reader's mail.
func readerKind(r intent.ReaderReading) (Kind, string) {
	switch r.Word {
	case intent.ReaderUnsubscribe:
		return Unsubscribe, set(r.Wish, "a clear wish to leave", "the word for leaving")
	case intent.ReaderSubscribe, intent.ReaderBack:
		return Subscribe, "asks for the newsletter"
	case intent.ReaderConfirm, intent.ReaderDecline:
		return Confirm, "answers a confirmation"
	case intent.ReaderNothing:
	default:
		return Command, "the reader's word " + string(r.Word)
	}
	if len(r.Links) > 0 {
		return Suggestion, "links in what the reader wrote"
	}
	return Letter, "words to the editor"
}

// who is the reader of a mail: the one whose copy it answers, else the one
// whose address it comes from; nobody when there is none. References do not count:
// they travel with a forwarded copy. copied tells that it answers a copy.
func (in *Inbox) who(ctx context.Context, l *letter) (sub list.Subscriber, copied bool, err error) {
	o, _, err := in.origin(ctx, l, l.m.InReplyTo)
	if err != nil {
		return sub, false, err
	}
	copied = o.Subscriber != 0
	addr, err := list.ParseAddress(l.sender())
	if err != nil && !copied {
		return sub, false, nil // no address, nobody on the list
	}
	err = in.view(ctx, l, func(tx *store.Tx) (err error) {
		if copied {
			sub, err = in.Readers.ByID(ctx, tx, in.Newsletter.ID, o.Subscriber)
		} else {
			sub, err = in.Readers.Find(ctx, tx, in.Newsletter.ID, addr)
		}
		if store.NotFound(err) {
			err = nil
		}
		return err
	})
	if sub.State != list.Active && !copied {
		sub = list.Subscriber{} // whoever has left and writes again is no reader
	}
	return sub, copied, err
}
