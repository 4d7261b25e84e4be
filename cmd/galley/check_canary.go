package main

import (
	"bytes"
	"context"
	"net/mail"

	"galley/inbox"
	"galley/send/store"
)

// tried notes that the mail of a check leaves, which tries the mail server as
// the daemon's own does.
func (h *house) tried(ctx context.Context, n *Newsletter, token string) error {
	return h.db.Update(ctx, func(tx *store.Tx) error { return h.inboxOf(n.ID).Tried(ctx, tx, token) })
}

// came notes what has become of the judgements that it bore.
func (h *house) came(ctx context.Context, n *Newsletter, id string, raw []byte) error {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil // what cannot be read has shown nothing
	}
	return h.db.Update(ctx, func(tx *store.Tx) error {
		return h.inboxOf(n.ID).Came(ctx, tx, id, m.Header["Authentication-Results"])
	})
}

// canaries tells from the books whether the mail servers' word counts, for a
// check that sends no mail.
func (h *house) canaries(ctx context.Context, n *Newsletter) (out []finding, err error) {
	if n.Unchecked || len(n.Authserv) == 0 {
		return nil, nil
	}
	var all []inbox.Canary
	err = h.db.View(ctx, func(tx *store.Tx) (err error) {
		all, err = h.inboxOf(n.ID).Canaries(ctx, tx)
		return err
	})
	for _, c := range all {
		f := finding{"authserv_ids of " + n.ID, stateOK, c.Authserv + " takes forged judgements away, as was seen on " + c.Sent.Format("2 January 2006"), ""}
		switch {
		case c.Forged:
			f.State, f.What = stateFault, c.Authserv+" let a forged judgement in its own name in on "+c.Sent.Format("2 January 2006")+", so its word does not count"
			f.Remedy = "Have the server delete Authentication-Results of that name from mail that comes in (RFC 8601 section 5), and run galley check."
		case !c.Fresh(store.Now()):
			f.State, f.What = stateWarning, "it was not seen in the last 30 days that "+c.Authserv+" takes forged judgements away, so its word does not count"
			f.Remedy = "Run galley check without --no-loop, or let galley serve run: it tries the server every week."
		}
		out = append(out, f)
	}
	return out, err
}
