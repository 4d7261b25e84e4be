package send

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"galley/send/store"
)

// ErrUnderWay says that a mail to somebody is on the wire just now.
var ErrUnderWay = errors.New("a mail to this address is on its way; it is looked at again")

// Kept tells what the queue keeps of a reader: which issues went and how.
func (q *Queue) Kept(ctx context.Context, tx *store.Tx, newsletter string, subscriber int64) ([]string, error) {
	// What was said of a copy that was taken stands with its attempt.
	rows, err := tx.QueryContext(ctx, `SELECT issue, address, state, CASE state WHEN 'sent' THEN
			COALESCE((SELECT attempt.reply FROM attempt WHERE attempt.delivery = delivery.id ORDER BY at DESC LIMIT 1), '') ELSE reply END, changed
		FROM delivery WHERE newsletter = $1 AND subscriber = $2 ORDER BY issue`, newsletter, subscriber)
	return collect(rows, err, func(row scanner) (string, error) {
		var issue int
		var address, state, reply string
		var at int64
		err := row.Scan(&issue, &address, &state, &reply, &at)
		return fmt.Sprintf("%s  #%d to %s: %s  %s", store.Instant(at).Format("2006-01-02 15:04"), issue, address, state, reply), err
	})
}

// Erase removes an address from the books of what was sent: from its
// deliveries, whose rows stay for the figures, and from the mails that were
// posted to it or, as their Message-IDs say, tell of it. ErrUnderWay asks to
// come again.
func (q *Queue) Erase(ctx context.Context, tx *store.Tx, newsletter, address string, subscriber int64, telling []string) error {
	var wire int
	err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM delivery WHERE subscriber = $1 AND newsletter = $2 AND state = 'claimed')
		+ (SELECT count(*) FROM slip WHERE newsletter = $3 AND lower(address) = $4 AND state = 'claimed')`,
		subscriber, newsletter, newsletter, strings.ToLower(address)).Scan(&wire)
	if err != nil {
		return err
	}
	if wire > 0 {
		return ErrUnderWay
	}
	// SQLite would rather walk through all deliveries of the newsletter than
	// through the few of a reader; it has no index for a computed newsletter.
	const theirs = ` FROM delivery WHERE subscriber = $1 AND newsletter || '' = $2)`
	for _, text := range []string{
		`UPDATE attempt SET reply = '' WHERE delivery IN (SELECT id` + theirs,
		`DELETE FROM seal WHERE (edition, delivery) IN (SELECT edition, id` + theirs,
		`UPDATE return SET reason = '' WHERE delivery IN (SELECT id` + theirs,
		`UPDATE delivery SET address = '', name = '', reply = '', state = CASE WHEN state IN ('prepared', 'pending', 'deferred') THEN 'suppressed'
			WHEN state = 'ambiguous' THEN 'held' ELSE state END WHERE subscriber = $1 AND newsletter || '' = $2`,
	} {
		if _, err := tx.ExecContext(ctx, text, subscriber, newsletter); err != nil {
			return fmt.Errorf("erasing: %w", err)
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM slip WHERE newsletter = $1 AND lower(address) = $2`, newsletter, strings.ToLower(address))
	if err != nil {
		return fmt.Errorf("erasing: %w", err)
	}
	return q.eraseSlips(ctx, tx, newsletter, address, telling)
}

// eraseSlips empties mails to others that tell of an address, such as a letter
// that was passed on to the editor. One that has not left yet is waited for: it
// would be kept afterwards.
func (q *Queue) eraseSlips(ctx context.Context, tx *store.Tx, newsletter, address string, telling []string) error {
	key := []byte(strings.ToLower(address))
	rows, err := tx.QueryContext(ctx, `SELECT id, message_id, raw, state IN ('sent', 'failed', 'expired') FROM slip WHERE newsletter = $1`, newsletter)
	told := map[string]bool{}
	for _, id := range telling {
		told[id] = true
	}
	waits := false
	ids, err := collect(rows, err, func(row scanner) (int64, error) {
		var id int64
		var messageID string
		var raw []byte
		var settled bool
		err := row.Scan(&id, &messageID, &raw, &settled)
		if !told[messageID] && !bytes.Contains(bytes.ToLower(raw), key) {
			id = 0
		}
		waits = waits || id != 0 && !settled
		return id, err
	})
	if err == nil && waits {
		return ErrUnderWay
	}
	for _, id := range ids {
		if id != 0 && err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE slip SET raw = $1, reply = '' WHERE id = $2`, []byte{}, id)
		}
	}
	return err
}
