package send

import (
	"context"
	"fmt"

	"galley/send/store"
)

const editionColumns = `id, newsletter, issue, revision, digest, slug, title, subtitle, date, subject, preheader,
	html, text, web, feed, head, state, reason, send_at, prepared, frozen, ended`

// scanner is a row of one query, or one of many.
type scanner interface{ Scan(...any) error }

func scanEdition(row scanner) (*Edition, error) {
	var e Edition
	var sendAt, prepared, frozen, ended int64
	err := row.Scan(&e.ID, &e.Newsletter, &e.Issue, &e.Revision, &e.Digest, &e.Slug, &e.Title, &e.Subtitle, &e.Date,
		&e.Subject, &e.Preheader, &e.HTML, &e.Text, &e.Web, &e.Feed, &e.head, &e.State, &e.Reason, &sendAt, &prepared, &frozen, &ended)
	e.SendAt, e.Prepared = store.Instant(sendAt), store.Instant(prepared)
	e.Frozen, e.Ended = store.Instant(frozen), store.Instant(ended)
	return &e, err
}

// newest returns the newest edition of an issue, nil when there is none.
func newest(ctx context.Context, tx *store.Tx, newsletter string, issue int) (*Edition, error) {
	e, err := scanEdition(tx.QueryRowContext(ctx, `SELECT `+editionColumns+` FROM edition
		WHERE newsletter = $1 AND issue = $2 ORDER BY id DESC LIMIT 1`, newsletter, issue))
	if store.NotFound(err) {
		return nil, nil
	}
	return e, err
}

// liveEditions lists the editions of which something is to be done, without
// their words.
func liveEditions(ctx context.Context, tx *store.Tx) ([]*Edition, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, newsletter, issue, state, send_at, prepared, sealed FROM edition
		WHERE state IN ('approved', 'sending') ORDER BY id`)
	return collect(rows, err, func(row scanner) (*Edition, error) {
		var e Edition
		var sendAt, prepared int64
		err := row.Scan(&e.ID, &e.Newsletter, &e.Issue, &e.State, &sendAt, &prepared, &e.sealed)
		e.SendAt, e.Prepared = store.Instant(sendAt), store.Instant(prepared)
		return &e, err
	})
}

func editionByID(ctx context.Context, tx *store.Tx, id int64) (*Edition, error) {
	e, err := scanEdition(tx.QueryRowContext(ctx, `SELECT `+editionColumns+` FROM edition WHERE id = $1`, id))
	if err == nil {
		err = e.unclose(ctx, tx)
	}
	if err != nil {
		return nil, fmt.Errorf("edition %d: %w", id, err)
	}
	return e, nil
}

func insertEdition(ctx context.Context, tx *store.Tx, e *Edition) error {
	e.State = Approved
	err := tx.QueryRowContext(ctx, `INSERT INTO edition
		(newsletter, issue, revision, digest, slug, title, subtitle, date, subject, preheader, html, text, web, feed, head, state, send_at, changed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) RETURNING id`,
		e.Newsletter, e.Issue, e.Revision, e.Digest, e.Slug, e.Title, e.Subtitle, e.Date, e.Subject, e.Preheader,
		bytesOf(e.HTML), bytesOf(e.Text), bytesOf(e.Web), bytesOf(e.Feed), e.head, e.State, store.Micros(e.SendAt), store.Micros(tx.Now())).Scan(&e.ID)
	if err != nil {
		return err
	}
	return enclose(ctx, tx, e)
}

// bytesOf keeps an empty part from becoming NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// setEdition changes the state of an edition by the table of legal moves.
func setEdition(ctx context.Context, tx *store.Tx, id int64, next EditionState, reason string) error {
	var now EditionState
	if err := tx.QueryRowContext(ctx, `SELECT state FROM edition WHERE id = $1`, id).Scan(&now); err != nil {
		return fmt.Errorf("edition %d: %w", id, err)
	}
	if err := now.to(next); err != nil {
		return fmt.Errorf("edition %d: %w", id, err)
	}
	ended := int64(0)
	if next == Done || next == Cancelled {
		ended = store.Micros(tx.Now())
	}
	_, err := tx.ExecContext(ctx, `UPDATE edition SET state = $1, reason = $2, ended = $3, changed = $4 WHERE id = $5`,
		next, reason, ended, store.Micros(tx.Now()), id)
	return err
}

// collect reads all rows of a query.
func collect[T any](rows *store.Rows, err error, read func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
