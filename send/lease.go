package send

import (
	"context"
	"fmt"
	"os"
	"time"

	"galley/send/store"
)

// A lease that is not renewed for leaseLife is dead, and so are its claims.
// One whose process has no session with the database any more is dead when two
// looks, deadLook apart, say so: a database that was started anew has lost
// everybody's session for a moment.
const (
	leaseLife  = 30 * time.Second
	leaseRenew = 10 * time.Second
	deadLook   = 2500 * time.Millisecond
)

// take takes a lease with a new epoch. SQLite has one writing process, which
// the lock of the data directory sees to: every lease that is there belongs to
// a dead one. On PostgreSQL others may live.
func (e *engine) take(ctx context.Context) error {
	return e.q.DB.Update(ctx, func(tx *store.Tx) error {
		if e.q.DB.Dialect() == store.SQLite {
			if _, err := tx.ExecContext(ctx, `DELETE FROM lease WHERE name LIKE 'send-%'`); err != nil {
				return err
			}
		}
		host, _ := os.Hostname() // only for people who read the books
		err := tx.QueryRowContext(ctx, `INSERT INTO lease (name, epoch, holder, until)
			VALUES ('send', 1, '', 0) ON CONFLICT (name) DO UPDATE SET epoch = lease.epoch + 1 RETURNING epoch`).Scan(&e.epoch)
		if err != nil {
			return fmt.Errorf("lease: %w", err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO lease (name, epoch, holder, until) VALUES ($1, $2, $3, $4)`,
			e.lease(), e.epoch, fmt.Sprintf("%s %d", host, os.Getpid()), store.Micros(tx.Now().Add(leaseLife)))
		if err != nil {
			return fmt.Errorf("lease: %w", err)
		}
		if err := e.sameKey(ctx, tx); err != nil {
			return err
		}
		if err := capDue(ctx, tx); err != nil {
			return err
		}
		return revive(ctx, tx)
	})
}

func (e *engine) lease() string { return leaseName(e.epoch) }

func leaseName(epoch int64) string { return fmt.Sprintf("send-%d", epoch) }

// renew keeps the lease alive, buries dead ones and frees their claims. When
// this lease itself is gone, somebody else has taken over.
func (e *engine) renew(ctx context.Context) error {
	return e.q.DB.Update(ctx, func(tx *store.Tx) error {
		if err := e.heedClock(ctx, tx); err != nil {
			return err
		}
		if err := e.q.lookHome(ctx, tx); err != nil { // an editor may have answered another machine
			return err
		}
		done, err := tx.ExecContext(ctx, `UPDATE lease SET until = $1 WHERE name = $2`,
			store.Micros(tx.Now().Add(leaseLife)), e.lease())
		if err != nil {
			return fmt.Errorf("lease: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return ErrFenced
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM lease WHERE name LIKE 'send-%' AND until < $1`, store.Micros(tx.Now()))
		if err != nil {
			return fmt.Errorf("lease: %w", err)
		}
		return revive(ctx, tx)
	})
}

// bury looks for leases whose process has gone without giving them back, and
// frees their claims long before the lease runs out. It does nothing on SQLite.
func (e *engine) bury(ctx context.Context) error {
	if e.q.DB.Dialect() == store.SQLite {
		return nil
	}
	var living []int64
	err := e.q.DB.Update(ctx, func(tx *store.Tx) error {
		others, err := e.others(ctx, tx)
		if err != nil {
			return err
		}
		living = living[:0]
		suspects := map[int64]time.Time{}
		for _, epoch := range others {
			held, err := tx.Held(ctx, epoch)
			if err != nil {
				return err
			}
			since, suspect := e.suspects[epoch]
			switch {
			case held:
			case !suspect:
				suspects[epoch] = time.Now()
			case time.Since(since) < deadLook:
				suspects[epoch] = since
			default:
				if _, err := tx.ExecContext(ctx, `DELETE FROM lease WHERE name = $1`, leaseName(epoch)); err != nil {
					return err
				}
				continue
			}
			living = append(living, epoch)
		}
		e.suspects = suspects
		if len(living) == len(others) {
			return nil
		}
		return revive(ctx, tx)
	})
	if err != nil {
		return err
	}
	return e.divide(ctx, living)
}

// revive makes the claims of dead leases due again: their result was never
// committed, so they go once more with the same octets (kill points K2 to K4).
func revive(ctx context.Context, tx *store.Tx) error {
	const dead = ` SET state = 'pending', due = 0, changed = $1
		WHERE state = 'claimed' AND epoch NOT IN (SELECT epoch FROM lease WHERE name LIKE 'send-%')`
	for _, those := range []string{
		`UPDATE slip` + dead,
		// All editions are named, so that the index finds the few among all copies.
		`UPDATE delivery` + dead + ` AND edition IN (SELECT id FROM edition) AND due >= 0`,
	} {
		if _, err := tx.ExecContext(ctx, those, store.Micros(tx.Now())); err != nil {
			return fmt.Errorf("claims of the dead: %w", err)
		}
	}
	return dropLeft(ctx, tx)
}

// dropLeft drops what came back to a cancelled edition: it was claimed when the
// others were dropped (cancel), and the process that had it died.
func dropLeft(ctx context.Context, tx *store.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE delivery SET state = 'cancelled', changed = $1
		WHERE edition IN (SELECT id FROM edition WHERE state = 'cancelled') AND state = 'pending' AND due >= 0`, store.Micros(tx.Now()))
	if err != nil {
		return fmt.Errorf("claims of the dead: %w", err)
	}
	return nil
}

// release ends the lease.
func (e *engine) release(ctx context.Context) error {
	return e.q.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM lease WHERE name = $1`, e.lease()); err != nil {
			return fmt.Errorf("lease: %w", err)
		}
		return revive(ctx, tx)
	})
}
