package compose

import (
	"context"
	"fmt"
	"strings"

	"galley/send/store"
)

// Kept tells what the desk keeps of a reader: links and letters.
func (d *Desk) Kept(ctx context.Context, tx *store.Tx, newsletter, address string) (links, letters []string, err error) {
	key := strings.ToLower(address)
	links, err = rowsOf(tx.QueryContext(ctx, `SELECT vote.at, suggestion.url, vote.note, vote.consent, vote.words, vote.credit FROM vote
		JOIN suggestion ON suggestion.id = vote.suggestion WHERE suggestion.newsletter = $1 AND lower(vote.sender) = $2 ORDER BY vote.id`, newsletter, key))
	if err != nil {
		return nil, nil, err
	}
	letters, err = rowsOf(tx.QueryContext(ctx, `SELECT at, subject, body, consent, words, name FROM letter
		WHERE newsletter = $1 AND lower(sender) = $2 ORDER BY id`, newsletter, key))
	return links, letters, err
}

// rowsOf writes rows of an instant and five texts.
func rowsOf(rows *store.Rows, err error) (out []string, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		var head, text, consent, words, name string
		if err := rows.Scan(&at, &head, &text, &consent, &words, &name); err != nil {
			return nil, err
		}
		line := fmt.Sprintf("%s  %s  (%s", store.Instant(at).Format("2006-01-02 15:04"), head, consent)
		for _, s := range []string{words, name} {
			if s != "" {
				line += "; " + s
			}
		}
		out = append(out, line+")\n"+strings.TrimSpace(text))
	}
	return out, rows.Err()
}

// Erase removes what the desk keeps of a reader: letters, and what was said
// beside links; the links themselves are nobody's. telling are the
// Message-IDs of the mails to editors that told of it.
func (d *Desk) Erase(ctx context.Context, tx *store.Tx, newsletter, address string) (telling []string, err error) {
	key := strings.ToLower(address)
	// A letter and the mails that pass it on are written in one transaction,
	// so they bear the same instant.
	rows, err := tx.QueryContext(ctx, `SELECT message_id FROM proof WHERE newsletter = $1 AND (lower(body) LIKE $2 ESCAPE '!'
		OR made IN (SELECT at FROM letter WHERE newsletter = $3 AND lower(sender) = $4))`, newsletter, store.Containing(key), newsletter, key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		telling = append(telling, id)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, id := range telling {
		if _, err := tx.ExecContext(ctx, `UPDATE proof SET body = '', html = '' WHERE newsletter = $1 AND message_id = $2 AND kind <> 'proof'`, newsletter, id); err != nil {
			return nil, err
		}
	}
	for _, e := range []struct {
		text string
		args []any
	}{
		{`DELETE FROM letter WHERE newsletter = $1 AND lower(sender) = $2`, []any{newsletter, key}},
		{`DELETE FROM vote WHERE lower(sender) = $1 AND suggestion IN (SELECT id FROM suggestion WHERE newsletter = $2)`, []any{key, newsletter}},
		{`UPDATE decision SET words = '{}', result = '', subject = '' WHERE newsletter = $1 AND state = 'done' AND (lower(words) LIKE $2 ESCAPE '!' OR lower(result) LIKE $3 ESCAPE '!' OR lower(subject) LIKE $4 ESCAPE '!')`,
			[]any{newsletter, store.Containing(key), store.Containing(key), store.Containing(key)}},
	} {
		if _, err := tx.ExecContext(ctx, e.text, e.args...); err != nil {
			return nil, fmt.Errorf("erasing: %w", err)
		}
	}
	return telling, nil
}
