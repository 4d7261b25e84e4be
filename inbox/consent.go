package inbox

import (
	"context"
	"galley/compose"

	"galley/inbox/intent"
	"galley/send/list"
	"galley/send/store"
)

// consented deals with the answer to "May we name you?". What is no answer to
// it is read as any other mail; done is false then.
func (in *Inbox) consented(ctx context.Context, l *letter, sub list.Subscriber) (done bool, err error) {
	if l.m.InReplyTo == "" {
		return false, nil
	}
	err = in.view(ctx, l, func(tx *store.Tx) error {
		done, err = in.Desk.Consent(ctx, tx, in.Newsletter.ID, l.m.InReplyTo, l.sender())
		return err
	})
	if err != nil || !done {
		return false, err
	}
	r := readReader(l, sub.ID != 0, string(intent.PaperConsent), store.Now(), in.Newsletter.Zone)
	if r.Consent == intent.ConsentNone || r.Word != intent.ReaderNothing || len(r.Links) > 0 {
		return false, nil
	}
	l.kind, l.reason = Confirm, "says how to be thanked: "+string(r.Consent)
	l.effect = func(ctx context.Context, tx *store.Tx) error {
		if err := in.Desk.Consented(ctx, tx, in.Newsletter.ID, l.m.InReplyTo, string(r.Consent), r.ConsentWords, r.As); err != nil || !r.Letter {
			return err
		}
		return in.Desk.Pass(ctx, tx, in.letter(l, r, sub, compose.LetterWhy{Why: "name-answered"}))
	}
	return true, nil
}
