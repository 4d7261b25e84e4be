package send

import (
	"context"
	"fmt"

	"galley/send/message"
	"galley/send/store"
)

// enclose keeps the pictures of an edition with it: its words never change, and
// neither does what they show.
func enclose(ctx context.Context, tx *store.Tx, e *Edition) error {
	for _, a := range e.Inline {
		_, err := tx.ExecContext(ctx, `INSERT INTO enclosure (edition, cid, name, kind, data) VALUES ($1, $2, $3, $4, $5)`,
			e.ID, a.ContentID, a.Name, a.Type, bytesOf(a.Data))
		if err != nil {
			return fmt.Errorf("picture %s: %w", a.ContentID, err)
		}
	}
	return nil
}

// unclose reads the pictures of an edition. Their order is always the same, so
// that every copy has the same octets, after a restart too.
func (e *Edition) unclose(ctx context.Context, tx *store.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT cid, name, kind, data FROM enclosure WHERE edition = $1 ORDER BY cid`, e.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a message.Attachment
		if err := rows.Scan(&a.ContentID, &a.Name, &a.Type, &a.Data); err != nil {
			return err
		}
		e.Inline = append(e.Inline, a)
	}
	return rows.Err()
}
