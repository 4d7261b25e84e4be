package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"galley/compose"
	"galley/inbox/mailbox"
	"galley/send"
	"galley/send/store"
)

// sentFolder is where copies go of what went out (conversation.md section 7).
const sentFolder = "Sent"

// keeper lays copies of outgoing mail into a newsletter's mailbox: what the
// desk writes to editors and, of each issue, the first editor's copy go into
// Sent; an alert goes to where mail comes in, since the servers that refuse us
// may refuse it, too. Mail to readers is not kept: it bears their tokens. It is
// a courtesy: a copy that the server refuses is left out, and one that was laid
// down when the power went may be there twice.
type keeper struct {
	tick       time.Duration // how often it looks by itself; keepEvery when 0
	db         *store.DB
	queue      *send.Queue
	desk       *compose.Desk
	loop       string // what our mails say in X-Loop
	box        *mailbox.Mailbox
	newsletter string
	inbox      string
	sent       string // "off": no copies
	editors    []string
	log        *slog.Logger
	look       sync.Once // a start's look at what lies in Sent
}

// keepEvery is how long a copy may take to appear.
const keepEvery = 30 * time.Second

// run lays copies until ctx ends. While the mailbox is out of reach, as those
// who watch it have told, it does not try; any other fault is told once.
func (k *keeper) run(ctx context.Context) error {
	if k.watched() {
		k.look.Do(func() { k.lookBefore(ctx) })
	}
	tick := time.NewTicker(cmp.Or(k.tick, keepEvery))
	defer tick.Stop()
	told := ""
	for {
		if k.reachable() {
			err := k.step(ctx)
			if fault := fmt.Sprint(err); err != nil && ctx.Err() == nil && k.reachable() && fault != told {
				k.log.Warn("copies of sent mail", "newsletter", k.newsletter, "error", err)
				told = fault
			}
			if err == nil {
				told = ""
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// reachable is false from when the mailbox's watcher has met a fault until it
// is connected again.
func (k *keeper) reachable() bool {
	s := k.box.Status()
	return s.Connected || s.Err == ""
}

// step lays down all copies that are due.
func (k *keeper) step(ctx context.Context) error {
	for {
		var due []send.Outgoing
		err := k.db.View(ctx, func(tx *store.Tx) (err error) {
			due, err = k.queue.Uncopied(ctx, tx, k.newsletter, 20)
			return err
		})
		if err != nil || len(due) == 0 {
			return err
		}
		for _, o := range due {
			if err := k.keep(ctx, o); err != nil {
				return err
			}
		}
	}
}

// keep lays one copy down and notes it.
func (k *keeper) keep(ctx context.Context, o send.Outgoing) error {
	folder, flags := k.place(o)
	if folder != "" {
		err := k.box.Append(ctx, folder, o.Raw, flags...)
		var refused *mailbox.Refusal
		switch {
		case errors.As(err, &refused):
			k.log.Warn("a copy of sent mail is left out", "newsletter", k.newsletter, "slip", o.ID, "error", err)
		case err != nil:
			return err
		}
	}
	return k.db.Update(ctx, func(tx *store.Tx) error { return k.queue.Copied(ctx, tx, o.ID) })
}

// place is where a copy goes, "" for nowhere.
func (k *keeper) place(o send.Outgoing) (folder string, flags []string) {
	switch {
	case o.Kind == send.KindAlert && slices.Index(k.editors, o.Address) == 0:
		return k.inbox, []string{`\Flagged`}
	case k.sent == "off" || !slices.Contains(k.editors, o.Address):
		return "", nil
	case o.Kind == "copy" && o.Address != k.editors[0]:
		return "", nil
	}
	return k.sent, []string{`\Seen`}
}
