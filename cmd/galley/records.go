package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"galley/inbox"
	"galley/send"
	"galley/send/door"
	"galley/send/store"
)

// errLater says that erasing has to wait for a mail that is being read.
var errLater = errors.New("a mail of this person is being read; it is looked at again")

// keepRecords carries out what readers may ask about all that is kept of
// them. Every room keeps something, and only the house itself knows them all.
func (h *house) keepRecords(ctx context.Context) error {
	every := h.door.Tick
	if every == 0 {
		every = 2 * time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := h.records(ctx); err != nil && ctx.Err() == nil {
			h.log.Error("records", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// records does what was granted, each request in one transaction.
func (h *house) records(ctx context.Context) error {
	due, err := h.door.Due(ctx)
	if err != nil {
		return err
	}
	for _, g := range due {
		err := h.db.Update(ctx, func(tx *store.Tx) error {
			if g.Kind == door.Data {
				return h.sendData(ctx, tx, g)
			}
			return h.erase(ctx, tx, g)
		})
		switch {
		case errors.Is(err, errLater), errors.Is(err, send.ErrUnderWay):
		case err != nil:
			return fmt.Errorf("request %d: %w", g.ID, err)
		default:
			h.unscrubbed = h.unscrubbed || g.Kind == door.Forget
		}
	}
	if !h.unscrubbed {
		return nil
	}
	err = h.db.Scrub(ctx)
	h.unscrubbed = err != nil
	return err
}

// erase removes a person from every room. What stays is a keyed hash of the
// address, which keeps it off the list.
func (h *house) erase(ctx context.Context, tx *store.Tx, g door.Granted) error {
	addr := g.Address.String()
	if in := h.inboxOf(g.Newsletter); in != nil {
		ok, err := in.Erase(ctx, tx, addr)
		if err != nil {
			return err
		}
		if !ok {
			return errLater
		}
	}
	telling, err := h.desk.Erase(ctx, tx, g.Newsletter, addr)
	if err != nil {
		return err
	}
	if err := h.queue.Erase(ctx, tx, g.Newsletter, addr, g.Subscriber, telling); err != nil {
		return err
	}
	return errors.Join(h.list.Erase(ctx, tx, g.Newsletter, g.Address), h.door.Erase(ctx, tx, g.Newsletter, g.Address))
}

func (h *house) inboxOf(newsletter string) *inbox.Inbox {
	for _, in := range h.inboxes {
		if in.Newsletter.ID == newsletter {
			return in
		}
	}
	return nil
}

// sendData gathers what every room keeps of a person.
func (h *house) sendData(ctx context.Context, tx *store.Tx, g door.Granted) error {
	list, err := h.list.Kept(ctx, tx, g.Newsletter, g.Address)
	asked, err2 := h.door.Kept(ctx, tx, g.Newsletter, g.Address)
	issues, err3 := h.queue.Kept(ctx, tx, g.Newsletter, g.Subscriber)
	links, letters, err4 := h.desk.Kept(ctx, tx, g.Newsletter, g.Address.String())
	var mails []string
	var err5 error
	if in := h.inboxOf(g.Newsletter); in != nil {
		mails, err5 = in.Kept(ctx, tx, g.Address.String())
	}
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		return err
	}
	return h.door.SendData(ctx, tx, g, []door.Kept{
		{What: "subscription", Lines: list}, {What: "requests", Lines: asked}, {What: "issues", Lines: issues},
		{What: "links", Lines: links}, {What: "letters", Lines: letters}, {What: "mails", Lines: mails},
	})
}
