package main

import (
	"context"
	"slices"
	"time"

	"galley/inbox/mime"
	"galley/send"
	"galley/send/store"
)

const (
	// mostHeads is how many of the newest copies in Sent are looked at, and
	// lookBack how old they may be.
	mostHeads = 300
	lookBack  = 60 * 24 * time.Hour
	// lookPause is how long it waits before it looks again at a mailbox that
	// does not answer.
	lookPause = 5 * time.Second
)

// watched tells whether copies in Sent show what was done, so that readers get
// nothing before they were looked at.
func (k *keeper) watched() bool { return k.sent != "off" && k.desk != nil }

// lookBefore finds out whether the books are older than the mailbox
// (conversation.md section 8), and lets readers' mail go then. As long as the
// mailbox does not answer nothing goes to readers: nobody could stop it either.
func (k *keeper) lookBefore(ctx context.Context) {
	for ctx.Err() == nil {
		err := k.compare(ctx)
		if err == nil {
			k.queue.LetGo()
			return
		}
		k.log.Warn("readers' mail waits until the mailbox was looked at", "newsletter", k.newsletter, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(lookPause):
		}
	}
}

// compare looks for mails of ours in Sent that the books do not know. They are
// committed before they leave and copied after it, so whatever lies there is in
// books that are whole.
func (k *keeper) compare(ctx context.Context) error {
	heads, err := k.box.Heads(ctx, k.sent, "X-Loop", k.loop, store.Now().Add(-lookBack), mostHeads)
	if err != nil {
		return err
	}
	return k.db.Update(ctx, func(tx *store.Tx) error {
		after, err := k.queue.Confirmed(ctx, tx)
		if err != nil {
			return err
		}
		var found []send.Trace
		for _, raw := range heads {
			m, err := mime.Read(raw)
			if err != nil || !slices.Contains(m.Header.Raw("X-Loop"), k.loop) || !m.Date.After(after) {
				continue
			}
			kind, issue, unheard, err := k.desk.Unheard(ctx, tx, k.newsletter, m.MessageID)
			if err != nil {
				return err
			}
			if unheard {
				found = append(found, send.Trace{Newsletter: k.newsletter, Kind: kind, Issue: issue, Subject: m.Subject, At: m.Date})
			}
		}
		if len(found) > 0 {
			k.log.Warn("the books are older than the mailbox", "newsletter", k.newsletter, "mails", len(found), "last", found[len(found)-1].Subject)
		}
		return k.queue.Older(ctx, tx, found)
	})
}
