package inbox

import (
	"context"
	"errors"

	"galley/inbox/mailbox"
	"galley/send/store"
)

// What is filed at once: so many messages are moved by one command, and a
// round is noted in one transaction.
const (
	filedTogether = 200
	filedInARound = 1000
)

// arrival is a message in a folder, to be put away.
type arrival struct {
	uidvalidity, uid uint32
	kind             Kind
}

// fileAll puts away what is settled. It is a courtesy to those who read
// along: what fails is tried at the next message. What was moved into
// Galley/Again and has no folder of its own goes back to where mail comes in.
func (in *Inbox) fileAll(ctx context.Context, to Source, g *Ledger) {
	for {
		all, err := g.unfiled(ctx)
		if err == nil && len(all) > 0 {
			err = in.fileRound(ctx, to, g, all)
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, mailbox.ErrOutOfReach) {
			in.Log.Warn("inbox: filing", "newsletter", in.Newsletter.ID, "error", err)
		}
		if err != nil || len(all) < filedInARound {
			return
		}
	}
}

// fileRound moves arrivals, those for one folder together, and notes which are
// put away. Whatever has an error keeps none of the others waiting but those
// that come after it.
func (in *Inbox) fileRound(ctx context.Context, to Source, g *Ledger, all []arrival) error {
	var done []arrival
	var fault error
	for len(all) > 0 && fault == nil {
		var set []arrival
		set, all = in.together(all)
		uids := make([]uint32, len(set))
		for i, a := range set {
			uids[i] = a.uid
		}
		if !in.stays(set[0].kind) {
			fault = to.Done(ctx, set[0].uidvalidity, uids, in.folderOf(g, set[0].kind))
		}
		if fault == nil {
			done = append(done, set...)
		}
	}
	if err := g.filed(ctx, done); err != nil {
		return err
	}
	return fault
}

// together takes out of arrivals the first one and those that share its way.
func (in *Inbox) together(all []arrival) (set, rest []arrival) {
	of := in.Newsletter.Folders.Of
	for _, a := range all {
		same := a.uidvalidity == all[0].uidvalidity && of(a.kind) == of(all[0].kind) && in.stays(a.kind) == in.stays(all[0].kind)
		if same && len(set) < filedTogether {
			set = append(set, a)
		} else {
			rest = append(rest, a)
		}
	}
	return set, rest
}

func (in *Inbox) folderOf(g *Ledger, k Kind) string {
	folder := in.Newsletter.Folders.Of(k)
	if g.again && folder == "" {
		return in.Folder
	}
	return folder
}

// unfiled are arrivals whose message is settled but which lie in the folder
// still.
func (g *Ledger) unfiled(ctx context.Context) (out []arrival, err error) {
	err = g.in.DB.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT arrival.uidvalidity, arrival.uid, message.kind FROM arrival JOIN message ON message.id = arrival.message
			WHERE arrival.newsletter = $1 AND arrival.mailbox = $2 AND arrival.filed = 0 AND message.state <> 'new' ORDER BY arrival.uid LIMIT $3`,
			g.in.Newsletter.ID, g.folder, filedInARound)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a arrival
			if err := rows.Scan(&a.uidvalidity, &a.uid, &a.kind); err != nil {
				return err
			}
			out = append(out, a)
		}
		return rows.Err()
	})
	return out, err
}

// filed notes that arrivals were put away; their messages stay in the books.
func (g *Ledger) filed(ctx context.Context, done []arrival) error {
	if len(done) == 0 {
		return nil
	}
	return g.in.DB.Update(ctx, func(tx *store.Tx) error {
		for _, a := range done {
			_, err := tx.ExecContext(ctx, `UPDATE arrival SET filed = $1 WHERE newsletter = $2 AND mailbox = $3 AND uidvalidity = $4 AND uid = $5`,
				store.Micros(tx.Now()), g.in.Newsletter.ID, g.folder, int64(a.uidvalidity), int64(a.uid))
			if err != nil {
				return err
			}
		}
		return nil
	})
}
