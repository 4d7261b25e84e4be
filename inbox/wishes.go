package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"galley/compose"
	"galley/inbox/intent"
	"galley/send/door"
	"galley/send/list"
	"galley/send/store"
)

// tokened takes off the reader to whose address for leaving a mail came,
// also when a machine wrote it. What a person wrote beside is a letter.
func (in *Inbox) tokened(ctx context.Context, l *letter) error {
	sub, err := in.subscriber(ctx, l)
	if err != nil {
		return err
	}
	var r intent.ReaderReading
	if Automatic(l.m) == "" && !markedSpam(l.m) {
		r = readReader(l, true, "", store.Now(), in.Newsletter.Zone)
		r.Letter = (r.Letter || len(r.Links) > 0) && (r.Note != "" || r.Word != intent.ReaderNothing)
	}
	l.effect = func(ctx context.Context, tx *store.Tx) error {
		_, err := in.Door.Depart(ctx, tx, in.Newsletter.ID, l.tray.Subscriber, door.ByButton, l.m.MessageID,
			in.evidence(l, "by the address of the List-Unsubscribe field"))
		return errors.Join(err, in.heard(l, r, sub, compose.LetterWhy{Why: "left"})(ctx, tx))
	}
	return nil
}

// subscriber is the person whose token a mail came to; the zero one when they
// were erased.
func (in *Inbox) subscriber(ctx context.Context, l *letter) (sub list.Subscriber, err error) {
	err = in.view(ctx, l, func(tx *store.Tx) error {
		sub, err = in.Readers.ByID(ctx, tx, in.Newsletter.ID, l.tray.Subscriber)
		if store.NotFound(err) {
			err = nil
		}
		return err
	})
	return sub, err
}

// evidence is what is kept of a wish: how it was said, and in which mail.
func (in *Inbox) evidence(l *letter, how string) string {
	return how + "; message " + l.m.MessageID
}

// words are a reader's own words, short enough to be kept as evidence.
func words(l *letter) string {
	own := strings.Join(strings.Fields(l.split().Own), " ")
	if own == "" {
		own = strings.TrimSpace(l.m.Subject)
	}
	if r := []rune(own); len(r) > 100 {
		own = string(r[:100]) + "…"
	}
	return fmt.Sprintf("%q", own)
}

// toSubscribe deals with mail to the +subscribe address: coming to it is
// asking, whatever it says; only another of the readers' words outranks that.
func (in *Inbox) toSubscribe(ctx context.Context, l *letter) error {
	sub, _, err := in.who(ctx, l)
	if err != nil {
		return err
	}
	r := readReader(l, sub.ID != 0, "", store.Now(), in.Newsletter.Zone)
	if r.Word == intent.ReaderNothing {
		letter := strings.TrimSpace(l.split().Own) != ""
		r = intent.ReaderReading{Word: intent.ReaderSubscribe, Letter: letter, Note: r.Note, Consent: r.Consent, ConsentWords: r.ConsentWords}
	}
	return in.wished(ctx, l, r, sub)
}

// papers say how the answer to one of the door's mails is read.
var papers = map[door.Kind]intent.Paper{
	door.Join: intent.PaperConfirmation, door.Move: intent.PaperConfirmation, door.Forget: intent.PaperConfirmation, door.Back: intent.PaperFarewell,
}

// answered deals with an answer to one of the door's mails. Its first word
// decides; what is neither yes nor no confirms nothing and is a letter.
func (in *Inbox) answered(ctx context.Context, l *letter) error {
	p := l.tray.Paper
	sub, _, err := in.who(ctx, l)
	if err != nil {
		return err
	}
	r := readReader(l, sub.ID != 0, string(papers[p.Kind]), store.Now(), in.Newsletter.Zone)
	if p.Kind == door.Forget && r.Word == intent.ReaderConfirm && strings.TrimSpace(l.split().Own) == "" {
		r = intent.ReaderReading{Letter: true} // what cannot be undone wants a word
	}
	switch r.Word {
	case intent.ReaderConfirm, intent.ReaderDecline, intent.ReaderBack:
		l.effect = in.answer(l, r, sub)
	default:
		return in.wished(ctx, l, r, sub)
	}
	return nil
}

// answer hands a yes or a no to the door. One that comes when the question is
// gone asks anew: its writer has waited long enough.
func (in *Inbox) answer(l *letter, r intent.ReaderReading, sub list.Subscriber) effect {
	return func(ctx context.Context, tx *store.Tx) error {
		yes := r.Word != intent.ReaderDecline
		done, err := in.Door.Answer(ctx, tx, door.Answer{Newsletter: in.Newsletter.ID, Paper: l.tray.Paper, Yes: yes, Name: l.name(),
			MessageID: l.m.MessageID, Evidence: in.evidence(l, "by mail, "+words(l))})
		if errors.Is(err, door.ErrGone) {
			return in.tooLate(l, r, sub, yes)(ctx, tx)
		}
		if err != nil {
			return err
		}
		why := compose.LetterWhy{Why: map[bool]string{true: "answered-yes", false: "answered-no"}[yes], Of: string(done.Kind)}
		return in.heard(l, r, sub, why)(ctx, tx)
	}
}

func (in *Inbox) tooLate(l *letter, r intent.ReaderReading, sub list.Subscriber, yes bool) effect {
	return func(ctx context.Context, tx *store.Tx) error {
		a, err := list.ParseAddress(l.sender())
		if !yes || err != nil {
			return in.heard(l, r, sub, compose.LetterWhy{})(ctx, tx)
		}
		kind := door.Join
		if l.tray.Paper.Kind == door.Forget {
			kind = door.Forget
		}
		return errors.Join(in.Door.Ask(ctx, tx, in.request(l, kind, a)), in.heard(l, r, sub, compose.LetterWhy{})(ctx, tx))
	}
}

func (in *Inbox) request(l *letter, kind door.Kind, a list.Address) door.Request {
	return door.Request{Newsletter: in.Newsletter.ID, Kind: kind, Address: a, Source: door.ByMail,
		Evidence: in.evidence(l, fmt.Sprintf("by mail from %s, %s", l.sender(), words(l)))}
}

// wishes are the readers' words that are done at once.
var wishes = map[intent.ReaderWord]door.Wish{intent.ReaderPause: door.Pause, intent.ReaderResume: door.Resume,
	intent.ReaderTextOnly: door.TextOnly, intent.ReaderWithHTML: door.WithHTML, intent.ReaderQuiet: door.Quiet}

// wished does the readers' word of a mail, and passes on what else it says.
// A wish that cannot be done, such as that of somebody who is not on the
// list, is a letter: no real person goes without an answer.
func (in *Inbox) wished(ctx context.Context, l *letter, r intent.ReaderReading, sub list.Subscriber) error {
	l.kind, l.reason = readerKind(r)
	w, atOnce := wishes[r.Word]
	switch {
	case r.Word == intent.ReaderUnsubscribe:
		in.leaves(l, r, sub)
	case r.Word == intent.ReaderSubscribe:
		in.asksIn(l, r, sub)
	case atOnce && sub.ID != 0:
		l.effect = func(ctx context.Context, tx *store.Tx) error {
			err := in.Door.Obey(ctx, tx, in.Newsletter.ID, sub.ID, w, r.Until, l.m.MessageID, in.evidence(l, words(l)))
			return errors.Join(err, in.heard(l, r, sub, compose.LetterWhy{Why: "wish-done", Of: string(w)})(ctx, tx))
		}
	case r.Word == intent.ReaderMove && sub.ID != 0:
		in.moves(l, r, sub)
	case r.Word == intent.ReaderForget || r.Word == intent.ReaderMyData:
		return in.concerns(ctx, l, r, sub)
	case r.Word != intent.ReaderNothing:
		in.undone(l, r, sub, compose.LetterWhy{Why: "wish-not-on-list", Of: string(r.Word)})
	default:
		l.effect = in.heard(l, r, sub, compose.LetterWhy{})
	}
	return nil
}

// undone passes on a wish that was not done.
func (in *Inbox) undone(l *letter, r intent.ReaderReading, sub list.Subscriber, why compose.LetterWhy) {
	l.kind, l.reason = Letter, strings.TrimSpace(why.Why+" "+why.Of)
	r.Letter = true
	l.effect = in.heard(l, r, sub, why)
}

func (in *Inbox) leaves(l *letter, r intent.ReaderReading, sub list.Subscriber) {
	if sub.ID == 0 {
		in.undone(l, r, sub, compose.LetterWhy{Why: "leave-not-on-list"})
		return
	}
	l.effect = func(ctx context.Context, tx *store.Tx) error {
		_, err := in.Door.Depart(ctx, tx, in.Newsletter.ID, sub.ID, door.InWords, l.m.MessageID, in.evidence(l, "in words, "+words(l)))
		return errors.Join(err, in.heard(l, r, sub, compose.LetterWhy{Why: "left"})(ctx, tx))
	}
}

// asksIn has an address asked to confirm. Who writes for themselves and can
// not be asked is passed on to the editor; who asks for somebody else learns
// nothing.
func (in *Inbox) asksIn(l *letter, r intent.ReaderReading, sub list.Subscriber) {
	own, err := list.ParseAddress(l.sender())
	a := own
	if r.Address != "" {
		a, err = list.ParseAddress(r.Address)
	}
	if err != nil {
		in.undone(l, r, sub, compose.LetterWhy{Why: "join-no-address"})
		return
	}
	l.effect = func(ctx context.Context, tx *store.Tx) error {
		closed, err := in.Door.Closed(ctx, tx, in.Newsletter.ID, door.Join, a)
		if err != nil {
			return err
		}
		told, why := r, compose.LetterWhy{Why: "join-asked"}
		if closed != "" && closed != door.AskedToday && a.Key() == own.Key() {
			told.Letter, why = true, compose.LetterWhy{Why: "join-closed", Of: closed}
		}
		return errors.Join(in.Door.Ask(ctx, tx, in.request(l, door.Join, a)), in.heard(l, told, sub, why)(ctx, tx))
	}
}

func (in *Inbox) moves(l *letter, r intent.ReaderReading, sub list.Subscriber) {
	to, err := list.ParseAddress(r.Address)
	if err != nil {
		in.undone(l, r, sub, compose.LetterWhy{Why: "move-no-address"})
		return
	}
	l.effect = func(ctx context.Context, tx *store.Tx) error {
		req := in.request(l, door.Move, to)
		req.Subscriber = sub.ID
		return errors.Join(in.Door.Ask(ctx, tx, req), in.heard(l, r, sub, compose.LetterWhy{Why: "move-asked"})(ctx, tx))
	}
}

// concerns deals with a wish about all that is kept, which somebody who has
// left may have too. The answer goes to the address itself.
func (in *Inbox) concerns(ctx context.Context, l *letter, r intent.ReaderReading, sub list.Subscriber) error {
	kind := door.Data
	if r.Word == intent.ReaderForget {
		kind = door.Forget
	}
	if sub.ID == 0 {
		var err error
		if sub, err = in.onBooks(ctx, l); err != nil {
			return err
		}
	}
	if sub.ID == 0 {
		in.undone(l, r, sub, compose.LetterWhy{Why: "wish-never-on-list", Of: string(r.Word)})
		return nil
	}
	l.effect = func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(in.Door.Ask(ctx, tx, in.request(l, kind, sub.Address)), in.heard(l, r, sub, compose.LetterWhy{Why: "wish", Of: string(r.Word)})(ctx, tx))
	}
	return nil
}

// onBooks is the person with the address that a mail comes from, wherever
// they stand; the zero one when there is none.
func (in *Inbox) onBooks(ctx context.Context, l *letter) (sub list.Subscriber, err error) {
	a, err := list.ParseAddress(l.sender())
	if err != nil {
		return sub, nil
	}
	err = in.view(ctx, l, func(tx *store.Tx) error {
		sub, err = in.Readers.Find(ctx, tx, in.Newsletter.ID, a)
		if store.NotFound(err) {
			err = nil
		}
		return err
	})
	return sub, err
}
