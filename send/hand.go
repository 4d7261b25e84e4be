package send

import (
	"context"
	"fmt"
	"strings"

	"galley/send/store"
)

// Hand is what an operator does to copies that wait.
type Hand string

// The three things that can be done by hand.
const (
	HandRetry Hand = "retry" // what was put off, or held by hand, goes now
	HandHold  Hand = "hold"  // what waits is kept back until a retry
	HandDrop  Hand = "drop"  // what waits never goes
)

// ClassHand marks a copy that was held or dropped by hand. It blames nobody.
const ClassHand Class = "hand"

// Choice says which of the waiting mails of a newsletter are meant. Its zero
// fields leave nothing out.
type Choice struct {
	Newsletter string
	Issue      int    // 0: every issue, and the desk's own mails too
	Who        string // an address, or a domain; "": everybody
	Twice      bool   // retry also whose copy may have arrived: they may get it twice
}

// Handled is what became of a Choice.
type Handled struct {
	Copies int // of issues
	Slips  int // mails of the desk
	Flying int // on their way just now, and left alone
	Unsure int // may have arrived, and left alone
}

// pattern is what an address of the choice is LIKE.
func (c Choice) pattern() string {
	who := strings.ToLower(c.Who)
	switch escaped := strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(who); {
	case who == "":
		return "%"
	case strings.HasPrefix(who, "@"):
		return "%" + escaped
	case strings.Contains(who, "@"):
		return escaped
	default:
		return "%@" + escaped
	}
}

// chosen is the WHERE of a Choice: $1 its newsletter, $2 and $3 its issue, $4
// its pattern.
const chosen = ` WHERE newsletter = $1 AND ($2 = 0 OR issue = $3) AND lower(address) LIKE $4 ESCAPE '!'`

func (c Choice) args() []any {
	return []any{c.Newsletter, int64(c.Issue), int64(c.Issue), c.pattern()}
}

// byHand are the changes of deliveries: the states they leave, and what they
// become. The reason of a hold or drop is its class; a copy that may have
// arrived is held and not dropped, as a cancelled issue has it.
var byHand = map[Hand]string{
	HandRetry: `UPDATE delivery SET state = 'deferred', class = CASE class WHEN 'hand' THEN '' ELSE class END, due = 0, changed = $5` + chosen + `
		AND edition IN (SELECT id FROM edition WHERE state IN ('sending', 'paused', 'done'))
		AND (state = 'deferred' OR state = 'held' AND class = 'hand' OR $6 = 1 AND state IN ('held', 'ambiguous'))`,
	HandHold: `UPDATE delivery SET class = CASE state WHEN 'ambiguous' THEN class ELSE 'hand' END, state = 'held', changed = $5` + chosen + `
		AND edition IN (SELECT id FROM edition WHERE state IN ('sending', 'paused')) AND $6 >= 0
		AND state IN ('pending', 'deferred', 'ambiguous')`,
	HandDrop: `UPDATE delivery SET class = CASE state WHEN 'ambiguous' THEN class ELSE 'hand' END,
			state = CASE state WHEN 'ambiguous' THEN 'held' ELSE 'cancelled' END, changed = $5` + chosen + ` AND $6 >= 0
		AND (state IN ('prepared', 'pending', 'deferred', 'ambiguous') OR state = 'held' AND class = 'hand')`,
}

// ByHand does what an operator wishes to the mails that wait. What is on its
// way to a server is left alone, and so is what may have arrived, unless Twice
// is set: a second copy is the operator's to send, never ours.
func (q *Queue) ByHand(ctx context.Context, tx *store.Tx, c Choice, hand Hand) (h Handled, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(CASE state WHEN 'claimed' THEN 1 END),
		count(CASE WHEN state = 'ambiguous' OR state = 'held' AND class <> 'hand' THEN 1 END) FROM delivery`+chosen,
		c.args()...).Scan(&h.Flying, &h.Unsure)
	if err != nil {
		return h, fmt.Errorf("the queue: %w", err)
	}
	twice := int64(0)
	if c.Twice {
		twice, h.Unsure = 1, 0
	}
	done, err := tx.ExecContext(ctx, byHand[hand], append(c.args(), store.Micros(tx.Now()), twice)...)
	if err != nil {
		return h, fmt.Errorf("the queue: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return h, err
	}
	h.Copies = int(n)
	if h.Slips, err = slipsByHand(ctx, tx, c, hand); err != nil {
		return h, fmt.Errorf("the queue: %w", err)
	}
	if hand == HandRetry {
		err = reopen(ctx, tx, c)
	}
	q.ring(tx)
	return h, err
}

// slipsByHand retries or drops mails of the desk. They have no state of being
// held: somebody waits for each of them.
func slipsByHand(ctx context.Context, tx *store.Tx, c Choice, hand Hand) (int, error) {
	set := map[Hand]string{
		HandRetry: `state = 'deferred', due = 0`,
		HandDrop:  `state = 'expired', due = 0, reply = 'dropped by hand'`,
	}[hand]
	if set == "" || c.Issue != 0 {
		return 0, nil
	}
	done, err := tx.ExecContext(ctx, `UPDATE slip SET `+set+`, changed = $1
		WHERE newsletter = $2 AND lower(address) LIKE $3 ESCAPE '!' AND state IN ('pending', 'deferred')`,
		store.Micros(tx.Now()), c.Newsletter, c.pattern())
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// reopen lets a run go on that was over, when a row of it was taken up again.
func reopen(ctx context.Context, tx *store.Tx, c Choice) error {
	rows, err := tx.QueryContext(ctx, `SELECT id FROM edition WHERE newsletter = $1 AND ($2 = 0 OR issue = $3) AND state = 'done'
		AND EXISTS (SELECT 1 FROM delivery WHERE delivery.edition = edition.id AND delivery.state = 'deferred' AND delivery.due >= 0)`,
		c.Newsletter, int64(c.Issue), int64(c.Issue))
	ids, err := collect(rows, err, func(row scanner) (id int64, err error) { return id, row.Scan(&id) })
	for _, id := range ids {
		if err == nil {
			err = setEdition(ctx, tx, id, Sending, "")
		}
	}
	return err
}
