package inbox

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"galley/send/store"
)

// Kept tells which mails of a person the ledger keeps. The mails themselves
// are the person's own; that they are here is what is told.
func (in *Inbox) Kept(ctx context.Context, tx *store.Tx, address string) (lines []string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT received, kind, subject, message_id FROM message WHERE newsletter = $1 AND lower(sender) = $2 ORDER BY id`,
		in.Newsletter.ID, strings.ToLower(address))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var received int64
		var kind, subject, id string
		if err := rows.Scan(&received, &kind, &subject, &id); err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("%s  %s: %s  %s", store.Instant(received).Format("2006-01-02 15:04"), kind, subject, id))
	}
	return lines, rows.Err()
}

// Erase empties the mails in the ledger that are a person's or tell of them.
// Their digests stay, so that a mail which comes again is known as dealt
// with. Mail that waits for being read keeps its octets: ok is false, and the
// erasing has to be done again later.
func (in *Inbox) Erase(ctx context.Context, tx *store.Tx, address string) (ok bool, err error) {
	key := []byte(strings.ToLower(address))
	rows, err := tx.QueryContext(ctx, `SELECT id, state, sender, raw FROM message JOIN octets ON octets.message = id WHERE newsletter = $1`, in.Newsletter.ID)
	if err != nil {
		return false, err
	}
	ids, ok := []int64{}, true
	for rows.Next() {
		var id int64
		var state, sender string
		var raw []byte
		if err := rows.Scan(&id, &state, &sender, &raw); err != nil {
			rows.Close()
			return false, err
		}
		if !strings.EqualFold(sender, address) && !bytes.Contains(bytes.ToLower(raw), key) {
			continue
		}
		ids, ok = append(ids, id), ok && state != "new"
	}
	rows.Close()
	if err := rows.Err(); err != nil || !ok {
		return false, err
	}
	for _, id := range ids {
		_, err := tx.ExecContext(ctx, `UPDATE message SET sender = '', subject = '', message_id = '', reason = '' WHERE id = $1`, id)
		if err == nil {
			err = keep(ctx, tx, id, nil)
		}
		if err != nil {
			return false, fmt.Errorf("erasing message %d: %w", id, err)
		}
	}
	return true, nil
}
