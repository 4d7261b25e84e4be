package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"galley/compose"
	"galley/inbox/bounce"
	"galley/inbox/mailbox"
	"galley/inbox/mime"
	"galley/inbox/trust"
	"galley/send"
	"galley/send/door"
	"galley/send/list"
	"galley/send/store"
)

// Source is a mailbox, as the inbox sees it. Next blocks until there are
// messages that the ledger does not know, or Stir was called; Done files those
// that were dealt with, and is called between two calls of Next.
type Source interface {
	Next(ctx context.Context) ([]mailbox.Message, error)
	Done(ctx context.Context, uidvalidity uint32, uids []uint32, folder string) error
	Stir()
}

// Desk is compose, as the inbox sees it. Submit, Decide and Burn write rows
// of the desk's own tables inside the inbox's transaction and do nothing else.
type Desk interface {
	Open(ctx context.Context, tx *store.Tx, q compose.Query) (*compose.Opening, error)
	Submit(ctx context.Context, tx *store.Tx, d *compose.Draft) error
	Decide(ctx context.Context, tx *store.Tx, d *compose.Decision) (int64, error)
	Burn(ctx context.Context, tx *store.Tx, paper int64) error
	Learn(ctx context.Context, tx *store.Tx, newsletter, editor string, lines []string) error
	Suggest(ctx context.Context, tx *store.Tx, s *compose.Suggestion) error
	Consent(ctx context.Context, tx *store.Tx, newsletter, inReplyTo, sender string) (bool, error)
	Consented(ctx context.Context, tx *store.Tx, newsletter, inReplyTo, consent, words, as string) error
	Pass(ctx context.Context, tx *store.Tx, l *compose.Letter) error
	SetAside(ctx context.Context, tx *store.Tx, newsletter string, list []compose.Aside) error
}

// Readers is the list, as the inbox sees it.
type Readers interface {
	ByID(ctx context.Context, tx *store.Tx, newsletter string, id int64) (list.Subscriber, error)
	Find(ctx context.Context, tx *store.Tx, newsletter string, addr list.Address) (list.Subscriber, error)
}

// Door is send/door, as the inbox sees it.
type Door interface {
	Ask(ctx context.Context, tx *store.Tx, r door.Request) error
	Answer(ctx context.Context, tx *store.Tx, a door.Answer) (door.Done, error)
	Obey(ctx context.Context, tx *store.Tx, newsletter string, id int64, w door.Wish, until time.Time, messageID, evidence string) error
	Depart(ctx context.Context, tx *store.Tx, newsletter string, id int64, how door.How, messageID, evidence string) (bool, error)
	Closed(ctx context.Context, tx *store.Tx, newsletter string, kind door.Kind, a list.Address) (string, error)
}

// Returns is send, as the inbox sees it.
type Returns interface {
	Returned(ctx context.Context, tx *store.Tx, r *send.Return) error
	Issued(ctx context.Context, tx *store.Tx, newsletter, messageID string) (send.Issued, bool, error)
}

// Newsletter is what the inbox knows of the newsletter whose mailbox it
// reads.
type Newsletter struct {
	ID       string
	Address  string           // the mailbox's own
	Press    *send.Newsletter // reads our own addresses and tokens
	Editors  []Editor
	Authserv []string     // trusted authserv-ids (RFC 8601 section 2.5)
	Keys     []*trust.Key // the editors' OpenPGP keys, pinned by fingerprint
	// AuthservUnchecked: their word counts although nobody tries whether they
	// take forged ones away.
	AuthservUnchecked bool
	CodeAlone         bool                // approve = "code": no signature is asked for
	Words             map[string][]string // further words of the editor's language
	Zone              *time.Location
	SlotHour          time.Duration // the slot's time of day, which a day alone means
	Folders           Folders
	// Shared: the mailbox is an editor's own. Only mail to the newsletter's
	// address is taken up, and letters stay where they are.
	Shared bool
}

// Editor is a person who may command.
type Editor struct{ Name, Addr string }

// Inbox reads one newsletter's mailbox. Its zero value needs every field but
// Folders and DNS; without DNS nothing is proven by a signature.
type Inbox struct {
	DB         *store.DB
	Newsletter *Newsletter
	Folder     string // "INBOX"
	Source     Source
	Again      Source // the folder whose mail is dealt with again; nil: there is none
	Desk       Desk
	Readers    Readers
	Door       Door
	Returns    Returns
	DNS        trust.DNS
	// Try sends the newsletter a mail with this token and with judgements in
	// the names of its servers (postLoop of cmd/galley); nil: none is sent.
	Try  func(ctx context.Context, token string) error
	Tick time.Duration // how often left-over mail is looked for; 2 s when 0
	Log  *slog.Logger

	sorting turn        // one window at a time, in order
	bell    store.Bell  // there is something to sort
	backlog atomic.Bool // more than a window of it, and filing would only be in the way
	since   time.Time   // when Run began
}

// Run takes mail in and sorts it until ctx ends.
func (in *Inbox) Run(ctx context.Context) error {
	in.since = time.Now()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var beside sync.WaitGroup
	beside.Go(func() { in.keepSorting(ctx) })
	beside.Go(func() { in.keepCanary(ctx) })
	ends := make(chan error, 2)
	beside.Go(func() { ends <- in.keepTaking(ctx, in.Source, in.Ledger()) })
	if in.Again != nil {
		beside.Go(func() { ends <- in.keepTaking(ctx, in.Again, in.AgainLedger()) })
	}
	err := <-ends
	cancel()
	beside.Wait()
	return err
}

// keepTaking is the mailbox's side: store what came, and file what was dealt
// with. While much comes, or waits to be sorted, the filing waits.
func (in *Inbox) keepTaking(ctx context.Context, from Source, g *Ledger) error {
	if err := g.start(ctx); err != nil {
		return fmt.Errorf("inbox %s: starting: %w", in.Newsletter.ID, err)
	}
	for much := false; ; {
		if !much && !in.backlog.Load() {
			in.fileAll(ctx, from, g)
		}
		batch, err := from.Next(ctx)
		if err != nil {
			return err
		}
		much = len(batch) > windowCount
		if len(batch) == 0 {
			continue
		}
		if err := g.take(ctx, batch); err != nil {
			return fmt.Errorf("inbox %s: storing: %w", in.Newsletter.ID, err)
		}
	}
}

// stir has what was settled filed.
func (in *Inbox) stir() {
	in.Source.Stir()
	if in.Again != nil {
		in.Again.Stir()
	}
}

// keepSorting deals with what was stored, with what a restart or a slow DNS has
// left over, and tells what was set aside.
func (in *Inbox) keepSorting(ctx context.Context) {
	tick := time.NewTicker(cmp.Or(in.Tick, 2*time.Second))
	defer tick.Stop()
	for {
		n, err := in.sort(ctx)
		if n > 0 {
			in.stir()
		}
		if err == nil {
			err = in.tellAside(ctx)
		}
		if err != nil && ctx.Err() == nil {
			in.Log.Error("inbox", "newsletter", in.Newsletter.ID, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-in.bell.Rang():
		}
	}
}

// maxTries is how often a message is tried before it is set aside
// (trust.md 2.3), and maxTime how long one try may take.
const (
	maxTries = 3
	maxTime  = 30 * time.Second
)

// Sort deals with every message that is due, oldest first.
func (in *Inbox) Sort(ctx context.Context) error {
	_, err := in.sort(ctx)
	return err
}

// sort is Sort, and says how many messages it looked at.
func (in *Inbox) sort(ctx context.Context) (n int, err error) {
	if err := in.sorting.take(ctx); err != nil {
		return 0, err
	}
	defer in.sorting.end()
	defer in.backlog.Store(false)
	for ctx.Err() == nil {
		ws, err := in.nextWaiting(ctx, 0)
		if err != nil || len(ws) == 0 {
			return n, err
		}
		done, err := in.sortFrom(ctx, ws)
		n += done
		if err != nil {
			return n, err
		}
	}
	return n, ctx.Err()
}

// sortOne reads a message and writes what it causes. A message that fails or
// kills the reader three times is set aside whole.
func (in *Inbox) sortOne(ctx context.Context, w *waiting) error {
	if !w.tried && w.tries >= maxTries {
		l := &letter{kind: Quarantine, reason: fmt.Sprintf("could not be read in %d tries", w.tries)}
		return in.finish(ctx, w, l)
	}
	if w.faults >= maxFaults {
		l := &letter{kind: Quarantine, reason: fmt.Sprintf("could not be written down in %d tries", w.faults)}
		return in.finish(ctx, w, l)
	}
	if rest := steady - time.Since(in.since); !w.tried && w.tries == maxTries-1 && rest > 0 {
		return in.putBehind(ctx, w, rest)
	}
	if !w.tried {
		if err := in.try(ctx, []*waiting{w}); err != nil {
			return err
		}
	}
	l, err := in.read(ctx, w)
	if err == nil {
		err = in.finish(ctx, w, l)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // told to stop: nobody's fault
		return errors.Join(err, in.untry(context.WithoutCancel(ctx), []*waiting{w}))
	}
	in.Log.Error("inbox", "newsletter", in.Newsletter.ID, "message", w.id, "fault", w.faults+1, "error", err)
	return in.putOff(ctx, w)
}

// read decides what one message causes, within the time of one try.
func (in *Inbox) read(parent context.Context, w *waiting) (*letter, error) {
	ctx, cancel := context.WithTimeout(parent, maxTime)
	defer cancel()
	l, err := in.guarded(ctx, func(ctx context.Context) (*letter, error) { return in.examine(ctx, w) })
	var failed *failure
	switch {
	case parent.Err() != nil:
		return nil, parent.Err()
	case errors.As(err, &failed):
		return &letter{kind: Quarantine, reason: failed.reason}, nil
	}
	return l, err
}

// failure is what a message did to its reader.
type failure struct{ reason string }

func (f *failure) Error() string { return f.reason }

// guarded runs f until ctx ends, and survives its panics: they are the fault
// of one message and must not stop the others.
func (in *Inbox) guarded(ctx context.Context, f func(context.Context) (*letter, error)) (*letter, error) {
	type answer struct {
		l   *letter
		err error
	}
	c := make(chan answer, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				c <- answer{nil, &failure{fmt.Sprintf("reading it failed: %v", p)}}
			}
		}()
		l, err := f(ctx)
		c <- answer{l, err}
	}()
	select {
	case a := <-c:
		return a.l, a.err
	case <-ctx.Done():
		return nil, &failure{"reading took longer than 30 seconds"}
	}
}

// finish writes a message's effects and that it is dealt with, in one
// transaction.
func (in *Inbox) finish(ctx context.Context, w *waiting, l *letter) error {
	err := in.DB.Update(ctx, func(tx *store.Tx) error { return write(ctx, tx, w, l) })
	if err == nil {
		in.logged(w, l)
	}
	return err
}

// write writes what a message causes, and that it is dealt with.
func write(ctx context.Context, tx *store.Tx, w *waiting, l *letter) error {
	if !l.due.IsZero() {
		return postpone(ctx, tx, w.id, l.due)
	}
	if l.effect != nil {
		if err := l.effect(ctx, tx); err != nil {
			return err
		}
	}
	return settle(ctx, tx, w.id, l)
}

// logged says what a message was.
func (in *Inbox) logged(w *waiting, l *letter) {
	if l.due.IsZero() {
		in.Log.Info("inbox", "newsletter", in.Newsletter.ID, "message", w.id, "kind", string(l.kind), "why", l.reason)
	}
}

// view looks into the books as they are when the letter's turn comes: those
// before it in its window may have changed them.
func (in *Inbox) view(ctx context.Context, l *letter, look func(tx *store.Tx) error) error {
	if l.tx != nil {
		return look(l.tx)
	}
	return in.DB.View(ctx, look)
}

// examine reads a message and decides what it causes. It changes nothing.
func (in *Inbox) examine(ctx context.Context, w *waiting) (*letter, error) {
	l := unfold(w)
	return l, in.place(ctx, l, w)
}

// unfold reads what a message is by itself, for which no book is asked.
func unfold(w *waiting) *letter {
	l := &letter{row: w.id, raw: w.raw}
	m, err := mime.Read(w.raw)
	if err != nil {
		l.kind, l.reason = Quarantine, err.Error()
		return l
	}
	l.m, l.report = m, bounce.Read(m)
	if l.report.Kind == "" && Automatic(m) == "" {
		l.split()
	}
	return l
}

// place puts a message into its tray and says what it causes.
func (in *Inbox) place(ctx context.Context, l *letter, w *waiting) error {
	if l.m == nil {
		return nil
	}
	if foreign, err := in.foreign(ctx, l); err != nil || foreign {
		l.kind, l.reason = Foreign, "not to the newsletter"
		return err
	}
	var fault error
	l.tray = tell(l.m, &l.report, in.known(ctx, l, &fault))
	if fault != nil {
		return fault
	}
	l.kind, l.reason = l.tray.Kind, l.tray.Reason
	switch l.kind {
	case "":
		return in.person(ctx, l, w)
	case Own:
		return in.own(ctx, l)
	case Auto:
		return in.automatic(ctx, l, w)
	case Bounce, Complaint:
		return in.back(ctx, l)
	case Unsubscribe:
		return in.tokened(ctx, l)
	case Subscribe:
		return in.toSubscribe(ctx, l)
	case Confirm:
		return in.answered(ctx, l)
	}
	return nil
}

// own deals with our own mail: an alert that was laid into the mailbox stays
// where people look.
func (in *Inbox) own(ctx context.Context, l *letter) error {
	if l.effect = in.came(l.m); l.effect != nil {
		return nil
	}
	o, ours, err := in.origin(ctx, l, l.m.MessageID)
	if ours && o.Kind == send.KindAlert {
		l.kind, l.reason = Alert, "laid here by Galley"
	}
	return err
}

// known is what this newsletter knows of itself. A fault of the books while
// telling mail apart goes to fault: the message waits and is tried again.
func (in *Inbox) known(ctx context.Context, l *letter, fault *error) Known {
	k := KnownTo(in.Newsletter.Press)
	k.Issued = func(id string) bool {
		_, ours, err := in.origin(ctx, l, id)
		if err != nil {
			*fault = err
		}
		return ours
	}
	return k
}

// KnownTo is what a newsletter's addresses and tokens tell without the books.
func KnownTo(n *send.Newsletter) Known {
	return Known{Address: n.ParseAddress, Leaver: n.Leaver, Bounced: n.Bounced, Keys: n.Keys, ListID: n.ListIdentifier(), Loop: n.Loop()}
}

// origin is the mail of ours that bears a Message-ID.
func (in *Inbox) origin(ctx context.Context, l *letter, id string) (o send.Issued, ours bool, err error) {
	if id == "" {
		return o, false, nil
	}
	err = in.view(ctx, l, func(tx *store.Tx) error {
		o, ours, err = in.Returns.Issued(ctx, tx, in.Newsletter.ID, id)
		return err
	})
	return o, ours, err
}
