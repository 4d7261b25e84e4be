package send

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"galley/send/list"
	"galley/send/store"
)

// ErrSending says that an issue is on its way: its words cannot be replaced
// before it is stopped.
var ErrSending = errors.New("the issue is being sent; stop it first")

// ErrFenced says that another process has taken over the queue.
var ErrFenced = errors.New("another process has taken over the queue; this one stops sending")

// Readers is the list of readers, as the queue sees it.
type Readers interface {
	// Recipients gives up to n of those who get the next issue, in order of
	// their ids, from the one behind after on.
	Recipients(ctx context.Context, tx *store.Tx, newsletter string, after int64, n int) ([]list.Subscriber, error)
	// ByID gives one person, whatever their state; store.NotFound tells of nobody.
	ByID(ctx context.Context, tx *store.Tx, newsletter string, id int64) (list.Subscriber, error)
	// Gone gives those of ids who get no issue any more, or were erased.
	Gone(ctx context.Context, tx *store.Tx, newsletter string, ids []int64) ([]int64, error)
	Count(ctx context.Context, tx *store.Tx, newsletter string) (list.Counts, error)
	// Suppress keeps an address from ever being mailed again. It may be called
	// twice; done tells of the first time.
	Suppress(ctx context.Context, tx *store.Tx, newsletter string, a list.Address, reason string) (done bool, err error)
}

// Queue takes editions and slips in and sends them out. Its zero value needs
// DB, Courier, Readers, Newsletters and Log.
type Queue struct {
	DB          *store.DB
	Courier     Courier
	Readers     Readers
	Newsletters map[string]*Newsletter
	Connections int           // lines at once; 10 when 0, since relays limit
	Pace        Pace          // how fast copies may leave
	Unsure      Unsure        // what becomes of a copy that may have arrived; Resend when empty
	Tick        time.Duration // how often the books are looked at while a run goes; 500 ms when 0
	Log         *slog.Logger
	Spent       *Spent // where the time goes, for who measures; nil: nobody does
	// Fit looks for reasons to refuse a newsletter's mail, before an issue goes
	// to more than a hundred; an error says that nobody could be asked. It is
	// called outside of transactions and may take a minute. nil: nobody looks.
	Fit func(ctx context.Context, newsletter string) ([]Fault, error)
	// Alone says that no other process works on these books, so that nobody
	// else's bell is listened for; the next tick would find its rows.
	Alone bool

	bell    store.Bell
	look    store.Bell
	mu      sync.Mutex
	closed  map[int64]bool // editions of which nothing more may begin
	halts   int            // how often one was closed
	sealed  atomic.Int64   // copies for which a seal was used
	away    atomic.Bool    // on a machine, or with books, that no editor has confirmed
	looking atomic.Int64   // how many mailboxes were not looked at yet
	machine string         // what Arrive was told
}

// Unsure is what becomes of a copy whose line broke after its final dot.
type Unsure string

const (
	// Resend sends it again after ten minutes, with the same octets and
	// Message-ID: nobody is left out, somebody may get it twice.
	Resend Unsure = "resend"
	// Hold sends nothing more: nobody gets it twice, somebody may get none.
	// Failures lists them by name.
	Hold Unsure = "hold"
)

// newsletter finds a newsletter of the configuration.
func (q *Queue) newsletter(id string) (*Newsletter, error) {
	n := q.Newsletters[id]
	if n == nil {
		return nil, fmt.Errorf("newsletter %q is not in the configuration; put it back to send its mail", id)
	}
	return n, nil
}

// ring wakes Run when the transaction is on disk, here and on every machine.
func (q *Queue) ring(tx *store.Tx) {
	tx.AfterCommit(q.wake)
	tx.Tell()
}

func (q *Queue) wake() {
	q.bell.Ring()
	q.look.Ring()
}

// Publish takes an approved edition and sets its ID. The same digest again
// for the same issue is the same edition: it gets the time, and goes on if it
// was held or paused. Another digest takes the place of the one before, for
// those readers who have no copy yet. ErrSending refuses that while the issue
// is on its way.
func (q *Queue) Publish(ctx context.Context, tx *store.Tx, e *Edition) error {
	n, err := q.newsletter(e.Newsletter)
	if err != nil {
		return err
	}
	before, err := newest(ctx, tx, e.Newsletter, e.Issue)
	if err != nil {
		return err
	}
	if before != nil && before.Digest == e.Digest && before.State != Withdrawn && before.State != Cancelled {
		return q.again(ctx, tx, e, before)
	}
	if before != nil && before.State == Sending {
		return fmt.Errorf("issue %d: %w", e.Issue, ErrSending)
	}
	if e.head, err = n.freeze(e); err != nil {
		return fmt.Errorf("issue %d: %w", e.Issue, err)
	}
	if err := insertEdition(ctx, tx, e); err != nil {
		return fmt.Errorf("issue %d: %w", e.Issue, err)
	}
	q.ring(tx)
	return q.replace(ctx, tx, e)
}

// again publishes the edition that is there already.
func (q *Queue) again(ctx context.Context, tx *store.Tx, e, before *Edition) error {
	e.ID = before.ID
	next, sendAt := before.State, before.SendAt
	switch before.State {
	case Approved, OnHold:
		next, sendAt = Approved, e.SendAt
	case Paused:
		next = Sending
	}
	if next == before.State && sendAt.Equal(before.SendAt) {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE edition SET state = $1, reason = '', send_at = $2, changed = $3 WHERE id = $4`,
		next, store.Micros(sendAt), store.Micros(tx.Now()), e.ID)
	q.ring(tx)
	return err
}

// replace puts e in the place of the editions before it: who has no copy yet
// gets this one. Whose copy may have arrived gets no second one.
func (q *Queue) replace(ctx context.Context, tx *store.Tx, e *Edition) error {
	now := store.Micros(tx.Now())
	_, err := tx.ExecContext(ctx, `UPDATE edition SET state = 'withdrawn', changed = $1
		WHERE newsletter = $2 AND issue = $3 AND id <> $4 AND state IN ('approved', 'held', 'paused', 'cancelled')`,
		now, e.Newsletter, e.Issue, e.ID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE delivery SET state = 'held', changed = $1
		WHERE newsletter = $2 AND issue = $3 AND state = 'ambiguous'`, now, e.Newsletter, e.Issue)
	if err != nil {
		return err
	}
	return adopt(ctx, tx, e, Prepared)
}

// adopt gives e the rows of the issue that wait under an earlier edition. Whom
// an operator took out of the issue stays out.
func adopt(ctx context.Context, tx *store.Tx, e *Edition, state State) error {
	_, err := tx.ExecContext(ctx, `UPDATE delivery
		SET edition = $1, state = $2, attempts = 0, due = 0, first = 0, code = 0, status = '', class = '', reply = '', changed = $3
		WHERE newsletter = $4 AND issue = $5 AND edition <> $6 AND (state IN ('prepared', 'pending', 'deferred') OR state = 'cancelled' AND class <> 'hand')`,
		e.ID, state, store.Micros(tx.Now()), e.Newsletter, e.Issue, e.ID)
	return err
}

// Halt does what an editor wishes for a whole issue. What does not fit its
// state changes nothing.
func (q *Queue) Halt(ctx context.Context, tx *store.Tx, newsletter string, issue int, how Halt) error {
	e, err := newest(ctx, tx, newsletter, issue)
	if err != nil || e == nil {
		return err
	}
	if how == HaltResume {
		if err := unblame(ctx, tx, e); err != nil {
			return err
		}
	}
	next, fits := halts[how][e.State]
	if !fits {
		q.ring(tx)
		return nil
	}
	if how != HaltResume {
		q.close(e.ID) // at once, not only when the row is on disk: silence is safe
		tx.AfterCommit(func() { q.close(e.ID) })
	}
	q.ring(tx)
	if err := setEdition(ctx, tx, e.ID, next, ""); err != nil {
		return err
	}
	if next == Cancelled {
		return cancel(ctx, tx, e)
	}
	return nil
}

// cancel drops the rows that nobody has begun.
func cancel(ctx context.Context, tx *store.Tx, e *Edition) error {
	_, err := tx.ExecContext(ctx, `UPDATE delivery SET state = CASE state WHEN 'ambiguous' THEN 'held' ELSE 'cancelled' END, changed = $1
		WHERE newsletter = $2 AND issue = $3 AND state IN ('prepared', 'pending', 'deferred', 'ambiguous')`,
		store.Micros(tx.Now()), e.Newsletter, e.Issue)
	return err
}

// Reschedule gives an approved or held issue another time.
func (q *Queue) Reschedule(ctx context.Context, tx *store.Tx, newsletter string, issue int, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE edition SET send_at = $1, changed = $2
		WHERE newsletter = $3 AND issue = $4 AND state IN ('approved', 'held')`,
		store.Micros(at), store.Micros(tx.Now()), newsletter, issue)
	q.ring(tx)
	return err
}

// Post takes a slip and sets its ID. A Message-ID that was posted before is
// the same slip: nothing is sent twice.
func (q *Queue) Post(ctx context.Context, tx *store.Tx, s *Slip) error {
	n, err := q.newsletter(s.Newsletter)
	if err != nil {
		return err
	}
	m := *s.Mail
	if m.MessageID == "" {
		m.MessageID = "<" + s.Kind + "." + strings.ToLower(rand.Text()) + "@" + n.domain() + ">"
		s.Mail.MessageID = m.MessageID
	}
	raw, err := m.Bytes()
	if err != nil {
		return fmt.Errorf("slip %s to %s: %w", s.Kind, s.To.Addr, err)
	}
	now := store.Micros(tx.Now())
	err = tx.QueryRowContext(ctx, `INSERT INTO slip (newsletter, kind, message_id, address, raw, state, made, changed)
		VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7) ON CONFLICT (newsletter, message_id) DO NOTHING RETURNING id`,
		s.Newsletter, s.Kind, m.MessageID, s.To.Addr, raw, now, now).Scan(&s.ID)
	if store.NotFound(err) {
		return tx.QueryRowContext(ctx, `SELECT id FROM slip WHERE newsletter = $1 AND message_id = $2`,
			s.Newsletter, m.MessageID).Scan(&s.ID)
	}
	q.ring(tx)
	return err
}

// close lets nothing more of an edition begin, until Run has seen in the books
// that it is on its way.
func (q *Queue) close(edition int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed == nil {
		q.closed = map[int64]bool{}
	}
	q.closed[edition] = true
	q.halts++
}

// open tells whether copies of an edition may begin.
func (q *Queue) open(edition int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.closed[edition]
}

// known adds the closed editions to a set and returns the number of halts.
func (q *Queue) known(editions map[int64]bool) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	for id := range q.closed {
		editions[id] = true
	}
	return q.halts
}

// learn takes what the books say about editions, unless one was halted since
// the books were opened. What is open again may be claimed.
func (q *Queue) learn(closed map[int64]bool, halts int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.halts != halts {
		return false
	}
	for id, shut := range closed {
		if shut {
			continue
		}
		if delete(closed, id); q.closed[id] {
			q.bell.Ring()
		}
	}
	q.closed = closed
	return true
}
