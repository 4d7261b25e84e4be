package send

import (
	"context"
	"fmt"
	"time"

	"galley/send/store"
)

// A mailbox that takes no mail now may take the next issue. It is given up
// after softRun issues in a row that span softSpan, or domainRun where the
// whole domain takes no mail. The measure is issues and not days: a weekly
// newsletter would forget each bounce before the next.
const (
	softRun    = 3
	softSpan   = 14 * day
	domainRun  = 2
	domainSpan = 7 * day // a day without DNS is not the end of a domain
)

// tire counts the issues in a row that a reader could not be given, and
// suppresses them when it is enough. It is called with the newest of them in
// the books. reply is the last server's words.
func (e *engine) tire(ctx context.Context, tx *store.Tx, newsletter string, subscriber int64, reply string) error {
	s, err := e.q.Readers.ByID(ctx, tx, newsletter, subscriber)
	if store.NotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT state, class, first FROM delivery
		WHERE subscriber = $1 AND newsletter = $2 AND first >= $3 ORDER BY first DESC, id DESC LIMIT 30`,
		subscriber, newsletter, store.Micros(s.Joined))
	past, err := collect(rows, err, func(row scanner) (p pastIssue, err error) {
		var first int64
		err = row.Scan(&p.state, &p.class, &first)
		p.at = store.Instant(first)
		return p, err
	})
	if err != nil || !tired(past) {
		return err
	}
	_, err = e.q.Readers.Suppress(ctx, tx, newsletter, s.Address, fmt.Sprintf("no mail was taken for several issues in a row: %s", reply))
	return err
}

// pastIssue is what became of one issue for one reader.
type pastIssue struct {
	state State
	class Class
	at    time.Time // of the first attempt
}

// tired judges a reader's issues, the newest first. What was taken ends the
// row; what failed because of us, or is still under way, says nothing.
func tired(past []pastIssue) bool {
	var newest time.Time
	soft, domain := 0, 0
	for _, p := range past {
		gone := p.state == Failed || p.state == Expired
		switch {
		case p.state == Sent:
			return false
		case !gone || p.class != ClassSoft && p.class != ClassDomain:
			continue
		}
		if soft++; p.class == ClassDomain {
			domain++
		}
		if newest.IsZero() {
			newest = p.at
		}
		span := newest.Sub(p.at)
		if soft >= softRun && span >= softSpan || domain == soft && domain >= domainRun && span >= domainSpan {
			return true
		}
	}
	return false
}
