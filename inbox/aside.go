package inbox

import (
	"context"
	"time"

	"galley/compose"
	"galley/send/store"
)

// tellAside tells the editors what is in quarantine and was not told of yet,
// once a day at most: whoever sends much of it must not fill their mailboxes.
func (in *Inbox) tellAside(ctx context.Context) error {
	id := in.Newsletter.ID
	return in.DB.Update(ctx, func(tx *store.Tx) error {
		var last, waits int64
		err := tx.QueryRowContext(ctx, `SELECT coalesce(max(at), 0), (SELECT count(*) FROM message WHERE newsletter = $1 AND state = 'quarantine' AND told = 0)
			FROM seen WHERE newsletter = $1 AND kind = 'aside'`, id).Scan(&last, &waits)
		if err != nil || waits == 0 || tx.Now().Sub(store.Instant(last)) < 24*time.Hour {
			return err
		}
		list, err := in.untold(ctx, tx)
		if err != nil {
			return err
		}
		if err := in.Desk.SetAside(ctx, tx, id, list); err != nil {
			return err
		}
		if err := remember(ctx, tx, id, "aside", tx.Now().Format(time.RFC3339Nano), 0); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE message SET told = $1 WHERE newsletter = $2 AND state = 'quarantine' AND told = 0`, store.Micros(tx.Now()), id)
		return err
	})
}

// untold are the messages in quarantine that no editor has heard of.
func (in *Inbox) untold(ctx context.Context, tx *store.Tx) (out []compose.Aside, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT received, sender, subject, reason FROM message WHERE newsletter = $1 AND state = 'quarantine' AND told = 0 ORDER BY id`, in.Newsletter.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a compose.Aside
		var came int64
		if err := rows.Scan(&came, &a.Sender, &a.Subject, &a.Why); err != nil {
			return nil, err
		}
		a.Came = store.Instant(came)
		out = append(out, a)
	}
	return out, rows.Err()
}
