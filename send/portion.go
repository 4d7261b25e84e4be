package send

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"galley/send/store"
)

// portion is which part of the limits is a machine's own: it is the rank-th,
// counted from 0, of so many that send from the same books. A provider counts
// what all of them send.
type portion struct{ rank, of int }

// part is the machine's part of n; the parts of all machines add up to n.
func (s portion) part(n int) int {
	if s.rank < n%s.of {
		return n/s.of + 1
	}
	return n / s.of
}

// split makes a machine's share of the limits its own, and tells whether it was
// another one before. The windows must be counted anew then.
func (p *pacer) split(s portion) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.portion == s {
		return false
	}
	p.portion, p.windows = s, nil
	p.pace = Pace{PerSecond: p.whole.PerSecond / float64(s.of), ToDomain: p.whole.ToDomain / float64(s.of)}
	for _, q := range p.whole.Quotas {
		q.Most = s.part(q.Most)
		p.pace.Quotas = append(p.pace.Quotas, q)
		p.windows = append(p.windows, &window{quota: q})
	}
	for _, n := range p.whole.WarmUp {
		p.pace.WarmUp = append(p.pace.WarmUp, s.part(n))
	}
	if len(p.pace.WarmUp) > 0 {
		p.windows = append(p.windows, &window{quota: Quota{Window: day}})
	}
	return true
}

// rest lets nothing go for a while.
func (p *pacer) rest(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = later(p.next, time.Now().Add(d))
}

// divide takes this machine's share of the limits, now that these other leases
// are alive.
func (e *engine) divide(ctx context.Context, others []int64) error {
	s := portion{of: len(others) + 1}
	for _, epoch := range others {
		if epoch < e.epoch {
			s.rank++
		}
	}
	if !e.pace.split(s) {
		return nil
	}
	e.q.Log.Info("send: machines that send", "machines", s.of)
	return e.pace.remember(ctx, e.q.DB, e.q.connections())
}

// join takes a share at the start. The others learn of it at their next turn,
// and until then send with a larger one.
func (e *engine) join(ctx context.Context) error {
	var others []int64
	err := e.q.DB.View(ctx, func(tx *store.Tx) (err error) {
		others, err = e.others(ctx, tx)
		return err
	})
	if err != nil || len(others) == 0 {
		return err
	}
	e.pace.rest(2 * max(busyTick, e.q.Tick))
	return e.divide(ctx, others)
}

// others lists the epochs of the other leases, in order.
func (e *engine) others(ctx context.Context, tx *store.Tx) ([]int64, error) {
	rows, err := tx.QueryContext(ctx, `SELECT epoch FROM lease WHERE name LIKE 'send-%' AND epoch <> $1 ORDER BY epoch`, e.epoch)
	all, err := collect(rows, err, func(row scanner) (epoch int64, err error) { return epoch, row.Scan(&epoch) })
	if err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	return all, nil
}

// ErrKey says that this machine would make tokens that no other one knows.
var ErrKey = errors.New("galley.key on this machine is not the one that these books were begun with; copy it from the machine that reads the mail")

// sameKey refuses a machine with a key of its own: whoever answered its copies
// or left by their links would be a stranger to the others. The books keep a
// hash of the first key, in which it cannot be seen.
func (e *engine) sameKey(ctx context.Context, tx *store.Tx) error {
	if e.q.DB.Dialect() == store.SQLite {
		return nil
	}
	ids := slices.Sorted(maps.Keys(e.q.Newsletters))
	if len(ids) == 0 {
		return nil
	}
	m := hmac.New(sha256.New, e.q.Newsletters[ids[0]].Keys.Secret) // all newsletters have the same
	m.Write([]byte("which key this is"))
	mine, first := hex.EncodeToString(m.Sum(nil)), ""
	_, err := tx.ExecContext(ctx, `INSERT INTO lease (name, epoch, holder, until) VALUES ('key', 0, $1, 0) ON CONFLICT (name) DO NOTHING`, mine)
	if err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	if err := tx.QueryRowContext(ctx, `SELECT holder FROM lease WHERE name = 'key'`).Scan(&first); err != nil || first == mine {
		return err
	}
	return ErrKey
}
