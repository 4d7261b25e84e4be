package inbox

import (
	"context"
	"fmt"
	"galley/compose"
	"strings"
	"time"

	"galley/send/store"
)

// mostADay is how many letters and links of one address are passed on in a
// day; the rest is filed apart and counted (conversation.md section 1).
const mostADay = 10

// flooded tells whether a mail is one too many of its address, and makes it of
// that kind. A wish that was done beside (why) is never one, and what a person
// moved into Galley/Again was moved there to be read.
func (in *Inbox) flooded(ctx context.Context, tx *store.Tx, l *letter, why compose.LetterWhy) (bool, error) {
	if why.Why != "" || l.kind != Letter && l.kind != Suggestion || l.sender() == "" {
		return false, nil
	}
	var today, handled int
	err := tx.QueryRowContext(ctx, `SELECT count(*), (SELECT handled FROM message WHERE id = $1) FROM message
		WHERE newsletter = $2 AND lower(sender) = $3 AND received > $4 AND kind IN ('letter', 'suggestion') AND id <> $1`,
		l.row, in.Newsletter.ID, strings.ToLower(l.sender()), store.Micros(tx.Now().Add(-24*time.Hour))).Scan(&today, &handled)
	if err != nil || today < mostADay || handled > 0 {
		return false, err
	}
	l.kind, l.reason = Flood, fmt.Sprintf("more than %d mails of this address in a day", mostADay)
	return true, nil
}
