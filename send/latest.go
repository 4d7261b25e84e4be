package send

import (
	"context"

	"galley/send/store"
)

// Latest is the last issue that went out, without its bodies; nil when there
// is none.
func (q *Queue) Latest(ctx context.Context, tx *store.Tx, newsletter string) (*Edition, error) {
	e := &Edition{Newsletter: newsletter}
	err := tx.QueryRowContext(ctx, `SELECT id, issue, slug, title, subject, date`+published+` ORDER BY issue DESC LIMIT 1`, newsletter).
		Scan(&e.ID, &e.Issue, &e.Slug, &e.Title, &e.Subject, &e.Date)
	if store.NotFound(err) {
		return nil, nil
	}
	return e, err
}
