package send

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"galley/send/store"
)

// Signing ahead: an RSA signature costs hundreds of times what the rest of a
// copy does, so those of an approved edition are made while it waits for its
// time, and lie in the table seal until they are used. A seal fits the octets
// that it was made for and no others (message.SpliceSealed): a stale one costs
// a signature and can do no harm.

// sealPage is how many copies are signed between two looks at the books.
const sealPage = 200

// sealer makes the seals of one edition after the other and clears away those
// of which the edition is over, one page a turn.
type sealer struct {
	e    *engine
	now  *sealing
	done map[int64]time.Time // editions that are sealed, and for which time
	made map[string]bool     // prints that were begun: each once, so that two machines with unlike keys cannot undo each other for ever
}

// sealing is the edition that is being sealed.
type sealing struct {
	edition int64
	at      time.Time // the date is signed too
	press   *press
	print   string
	after   int64 // the last delivery that has its seal
}

// run seals until ctx ends.
func (s *sealer) run(ctx context.Context) error {
	s.done, s.made = map[int64]time.Time{}, map[string]bool{}
	for {
		more, err := s.turn(ctx)
		if err != nil && ctx.Err() == nil {
			s.e.q.Log.Error("send: signing ahead", "error", err)
		}
		wait := idleTick
		if s.e.q.Tick > 0 {
			wait = s.e.q.Tick
		}
		if more && err == nil {
			wait = 0
		}
		if !sleep(ctx, wait) {
			return nil
		}
	}
}

// turn does one page of work and tells whether there is more.
func (s *sealer) turn(ctx context.Context) (more bool, err error) {
	ed, over, err := s.look(ctx)
	if err != nil {
		return false, err
	}
	if ed == nil {
		return s.clear(ctx, over)
	}
	n := s.e.q.Newsletters[ed.Newsletter]
	if err := s.take(ctx, ed, n); err != nil {
		return false, err
	}
	if s.now.print != ed.sealed {
		return s.begin(ctx, ed)
	}
	tasks, err := s.page(ctx)
	if err != nil {
		return false, err
	}
	if err := s.keep(ctx, tasks, sealAll(s.now.press, n, tasks)); err != nil {
		return false, err
	}
	if len(tasks) < sealPage {
		s.done[ed.ID], s.now = ed.SendAt, nil
	}
	return true, nil
}

// look finds an edition whose deliveries are prepared and not all signed, and
// one that is over and has seals; nil and 0 say that there is none.
func (s *sealer) look(ctx context.Context) (unsealed *Edition, over int64, err error) {
	err = s.e.q.DB.View(ctx, func(tx *store.Tx) error {
		live, err := liveEditions(ctx, tx)
		if err != nil {
			return err
		}
		for _, ed := range live {
			n := s.e.q.Newsletters[ed.Newsletter]
			waits := ed.State == Approved && !ed.Prepared.IsZero() && tx.Now().Before(ed.SendAt)
			if unsealed == nil && waits && n != nil && len(n.Signers) > 0 && !s.done[ed.ID].Equal(ed.SendAt) {
				unsealed = ed
			}
		}
		err = tx.QueryRowContext(ctx, `SELECT id FROM edition WHERE sealed <> '' AND state IN ('done', 'cancelled', 'withdrawn')
			ORDER BY id LIMIT 1`).Scan(&over)
		if store.NotFound(err) {
			return nil
		}
		return err
	})
	return unsealed, over, err
}

// take compiles an approved edition, unless it is in hand already.
func (s *sealer) take(ctx context.Context, ed *Edition, n *Newsletter) error {
	if s.now != nil && s.now.edition == ed.ID && s.now.at.Equal(ed.SendAt) {
		return nil
	}
	var whole *Edition
	err := s.e.q.DB.View(ctx, func(tx *store.Tx) (err error) {
		whole, err = editionByID(ctx, tx, ed.ID)
		return err
	})
	if err != nil {
		return err
	}
	p, err := newPress(whole, n)
	if err != nil {
		return err
	}
	print, err := p.rich.Print(n.Signers)
	s.now = &sealing{edition: ed.ID, at: whole.SendAt, press: p, print: print}
	return err
}

// begin throws away what was signed for another time or with other keys, and
// says in the books what the new seals are made of.
func (s *sealer) begin(ctx context.Context, ed *Edition) (more bool, err error) {
	if s.made[s.now.print] {
		s.done[ed.ID] = ed.SendAt
		return true, nil
	}
	if more, err := s.drop(ctx, ed.ID); err != nil || more {
		return more, err
	}
	s.made[s.now.print] = true
	return true, s.mark(ctx, ed.ID, s.now.print)
}

func (s *sealer) mark(ctx context.Context, edition int64, print string) error {
	return s.e.q.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE edition SET sealed = $1 WHERE id = $2`, print, edition)
		return err
	})
}

// page takes the next deliveries that have no seal.
func (s *sealer) page(ctx context.Context) (tasks []*task, err error) {
	err = s.e.q.DB.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, newsletter, issue, subscriber, address, name FROM delivery
			WHERE edition = $1 AND state = 'prepared' AND NOT plain AND due = 0 AND id > $2
				AND NOT EXISTS (SELECT 1 FROM seal WHERE seal.edition = $3 AND seal.delivery = delivery.id)
			ORDER BY id LIMIT $4`, s.now.edition, s.now.after, s.now.edition, sealPage)
		tasks, err = collect(rows, err, func(row scanner) (*task, error) {
			t := &task{edition: s.now.edition}
			return t, row.Scan(&t.id, &t.newsletter, &t.issue, &t.subscriber, &t.to.Addr, &t.to.Name)
		})
		return err
	})
	return tasks, err
}

// sealAll signs a page on all processors. A copy that cannot be written gets
// an empty seal; it fails, with its reason, when it is to go.
func sealAll(p *press, n *Newsletter, tasks []*task) [][]byte {
	seals := make([][]byte, len(tasks))
	next := make(chan int, len(tasks))
	for i := range tasks {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			m := newMinter(n)
			for i := range next {
				slots, _ := m.copy(p, tasks[i])
				seal, err := p.rich.Seal([]byte{}, slots, n.Signers)
				if err != nil {
					seal = []byte{}
				}
				seals[i] = seal
			}
		})
	}
	wg.Wait()
	return seals
}

// keep stores a page, unless the edition was given another print meanwhile.
func (s *sealer) keep(ctx context.Context, tasks []*task, seals [][]byte) error {
	if len(tasks) == 0 {
		return nil
	}
	err := s.e.q.DB.Update(ctx, func(tx *store.Tx) error {
		var print string
		err := tx.QueryRowContext(ctx, `SELECT sealed FROM edition WHERE id = $1`, s.now.edition).Scan(&print)
		if err != nil || print != s.now.print {
			return err
		}
		for i, t := range tasks {
			_, err := tx.ExecContext(ctx, `INSERT INTO seal (edition, delivery, octets) VALUES ($1, $2, $3) ON CONFLICT (edition, delivery) DO NOTHING`,
				t.edition, t.id, seals[i])
			if err != nil {
				return fmt.Errorf("seal of delivery %d: %w", t.id, err)
			}
		}
		return nil
	})
	if err == nil {
		s.now.after = tasks[len(tasks)-1].id
	}
	return err
}

// drop removes a page of an edition's seals and tells whether there are more.
func (s *sealer) drop(ctx context.Context, edition int64) (more bool, err error) {
	const page = 2000
	err = s.e.q.DB.Update(ctx, func(tx *store.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM seal WHERE edition = $1 AND delivery IN
			(SELECT delivery FROM seal WHERE edition = $2 ORDER BY delivery LIMIT $3)`, edition, edition, page)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		more = n == page
		return err
	})
	return more, err
}

// clear removes a page of the seals of an edition that is over, if there is one.
func (s *sealer) clear(ctx context.Context, over int64) (more bool, err error) {
	if over == 0 {
		return false, nil
	}
	if more, err := s.drop(ctx, over); err != nil || more {
		return more, err
	}
	delete(s.done, over)
	return true, s.mark(ctx, over, "")
}

// SignAhead prepares and signs an approved issue now, and returns when all its
// copies are signed. Run does the same by itself, in the background. progress
// is told how many are.
func (q *Queue) SignAhead(ctx context.Context, newsletter string, issue int, progress func(signed int)) error {
	e := q.engine(ctx)
	if err := e.forward(ctx); err != nil {
		return err
	}
	s := &sealer{e: e, done: map[int64]time.Time{}, made: map[string]bool{}}
	for signed := 0; ; signed += sealPage {
		progress(signed)
		more, err := s.turn(ctx)
		if err != nil || !more {
			return err
		}
	}
}
