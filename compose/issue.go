package compose

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"galley/compose/markdown"
	"galley/send/store"
)

// State is where an issue stands between the editor's first mail and the
// last report. It is written in the database and in logs as it reads here.
type State string

const (
	// Proofed: a proof of the newest revision is with the editors; nothing is scheduled.
	Proofed State = "proofed"
	// Approved: the newest revision is approved and goes at SendAt.
	Approved State = "approved"
	// Held: an editor keeps it back; nothing goes before it is approved again.
	Held State = "held"
	// Sending: readers are getting it; its text is frozen.
	Sending State = "sending"
	// Stopped: some readers have it, the rest wait for an editor's word.
	Stopped State = "stopped"
	// Sent: every reader who was to get it has an outcome, or a retry that runs by itself.
	Sent State = "sent"
	// Cancelled: an editor dropped it; a new draft of the same number begins again.
	Cancelled State = "cancelled"
)

// moves is the table of legal moves of an issue (trust.md 3.3).
var moves = map[State][]State{
	"":        {Proofed, Sent /* imported from an archive */},
	Proofed:   {Proofed, Approved, Held, Sent /* the mailbox shows that it went out */, Cancelled},
	Approved:  {Proofed, Approved, Held, Sending, Sent, Cancelled},
	Held:      {Proofed, Approved, Held, Sent /* as above */, Cancelled},
	Sending:   {Stopped, Sent},
	Stopped:   {Stopped /* a new text for the rest */, Sending, Sent, Cancelled},
	Sent:      {},
	Cancelled: {Proofed},
}

// to is the only way an issue's state changes.
func (s State) to(t State) (State, error) {
	if !slices.Contains(moves[s], t) {
		return s, fmt.Errorf("issue: no move from %q to %q", s, t)
	}
	return t, nil
}

// Frozen tells that readers have a text or are getting it.
func (s State) Frozen() bool { return s == Sending || s == Stopped || s == Sent }

// Issue is one number of a newsletter in the making.
type Issue struct {
	ID         int64
	Newsletter string
	Number     int
	State      State
	Revision   int // the newest revision; 0 before the first
	Approved   int // the revision that was approved last; 0 if none
	Title      string
	SendAt     time.Time // when it goes, or went; zero before an approval
	Chosen     bool      // an editor named the time, so the slot does not move it
	Slot       string    // the day of the slot that it uses up, as 2006-01-02; "" if none
	Readers    int       // how many were on the list when it was approved
	Copied     bool      // the editors have the first copy
	Reported   int       // reports sent: 0, 1 after the run, 2 a day later
	Corrected  int       // the mailed correction: none, or where it stands as correctionGoes and those beside it say
	Refused    string    // the providers that refuse us, as the editors were told: each with a space behind it
	Figures    string    // the figures of the last report, to see whether a second is worth a mail
}

const issueColumns = `id, newsletter, number, state, revision, approved, title, send_at, chosen, slot, readers, copied, reported, figures, refused, corrected`

type scanner interface{ Scan(...any) error }

func scanIssue(row scanner) (*Issue, error) {
	var i Issue
	var sendAt, copied int64
	err := row.Scan(&i.ID, &i.Newsletter, &i.Number, &i.State, &i.Revision, &i.Approved, &i.Title,
		&sendAt, &i.Chosen, &i.Slot, &i.Readers, &copied, &i.Reported, &i.Figures, &i.Refused, &i.Corrected)
	i.SendAt, i.Copied = store.Instant(sendAt), copied != 0
	return &i, err
}

// issueByNumber finds an issue; nil when there is none.
func issueByNumber(ctx context.Context, tx *store.Tx, newsletter string, number int) (*Issue, error) {
	i, err := scanIssue(tx.QueryRowContext(ctx,
		`SELECT `+issueColumns+` FROM issue WHERE newsletter = $1 AND number = $2`, newsletter, number))
	if store.NotFound(err) {
		return nil, nil
	}
	return i, err
}

func issueByID(ctx context.Context, tx *store.Tx, id int64) (*Issue, error) {
	return scanIssue(tx.QueryRowContext(ctx, `SELECT `+issueColumns+` FROM issue WHERE id = $1`, id))
}

// issuesIn lists a newsletter's issues in the given states, lowest number
// first; all of them when no state is given.
func issuesIn(ctx context.Context, tx *store.Tx, newsletter string, states ...State) ([]*Issue, error) {
	rows, err := tx.QueryContext(ctx,
		`SELECT `+issueColumns+` FROM issue WHERE newsletter = $1 ORDER BY number`, newsletter)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*Issue
	for rows.Next() {
		i, err := scanIssue(rows)
		if err != nil {
			return nil, err
		}
		if len(states) == 0 || slices.Contains(states, i.State) {
			out = append(out, i)
		}
	}
	return out, rows.Err()
}

// nextNumber is one more than the highest number that the newsletter knows.
func nextNumber(ctx context.Context, tx *store.Tx, newsletter string) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT coalesce(max(number), 0) FROM issue WHERE newsletter = $1`, newsletter).Scan(&n)
	return n + 1, err
}

// newIssue writes the first row of an issue.
func newIssue(ctx context.Context, tx *store.Tx, newsletter string, number int, s State) (*Issue, error) {
	i := &Issue{Newsletter: newsletter, Number: number, State: s}
	err := tx.QueryRowContext(ctx,
		`INSERT INTO issue (newsletter, number, state, changed) VALUES ($1, $2, $3, $4) RETURNING id`,
		newsletter, number, s, store.Micros(tx.Now())).Scan(&i.ID)
	return i, err
}

// move changes an issue's state and leaves a line in the audit. The row must
// still be in the state and revision that i was read with: whoever came
// first has won.
func (i *Issue) move(ctx context.Context, tx *store.Tx, to State, who, what string) error {
	next, err := i.State.to(to)
	if err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, `UPDATE issue SET state = $1, changed = $2 WHERE id = $3 AND state = $4`,
		next, store.Micros(tx.Now()), i.ID, i.State)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("issue %d changed meanwhile (%d rows): %w", i.Number, n, err)
	}
	if next == Held { // somebody has doubts: the same people are asked again
		if err := forgetApprovals(ctx, tx, i); err != nil {
			return err
		}
	}
	was := i.State
	i.State = next
	_, err = tx.ExecContext(ctx,
		`INSERT INTO audit (newsletter, issue, at, who, what, revision, was, became) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		i.Newsletter, i.ID, store.Micros(tx.Now()), who, what, i.Revision, was, next)
	return err
}

// schedule writes the time of an approved issue, and the slot that it uses up.
func (i *Issue) schedule(ctx context.Context, tx *store.Tx, t turn, readers int) error {
	i.SendAt, i.Chosen, i.Slot, i.Approved, i.Readers, i.Copied = t.At, t.Chosen, t.Slot, i.Revision, readers, false
	_, err := tx.ExecContext(ctx,
		`UPDATE issue SET send_at = $1, chosen = $2, slot = $3, approved = $4, readers = $5, copied = 0 WHERE id = $6`,
		store.Micros(t.At), t.Chosen, t.Slot, i.Approved, readers, i.ID)
	return err
}

// forget takes back what was approved and for when: a new text of a dropped
// number begins from nothing.
func (i *Issue) forget(ctx context.Context, tx *store.Tx) error {
	i.SendAt, i.Chosen, i.Slot, i.Approved, i.Copied = time.Time{}, false, "", 0, false
	_, err := tx.ExecContext(ctx, `UPDATE issue SET send_at = 0, chosen = $1, slot = '', approved = 0, copied = 0 WHERE id = $2`, false, i.ID)
	return err
}

// NumberOf is the number that a draft bears: its issue key, or the #129 at
// the head of its title; 0 when it bears none.
func NumberOf(f markdown.Front) int {
	if f.Issue != 0 {
		return f.Issue
	}
	if m := numbered.FindStringSubmatch(oneLine(f.Title)); m != nil {
		n, _ := strconv.Atoi(m[1]) // at most six digits
		return n
	}
	return 0
}
