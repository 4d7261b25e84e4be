package send

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"galley/send/store"
)

const (
	busyTick = 500 * time.Millisecond
	idleTick = 2 * time.Second
	// drainTime is how long letters in flight may take when Run is to end.
	drainTime = 30 * time.Second
)

// engine is one Run of a Queue.
type engine struct {
	q        *Queue
	epoch    int64
	hard     context.Context // when it ends nothing more is written: the process is as good as dead
	carry    context.Context // letters in flight; outlives the end of Run by drainTime
	gate     gate
	pace     *pacer
	slips    chan *task
	tasks    chan *task
	hungry   store.Bell
	unsure   store.Bell // an edition waits for the word of Queue.Fit
	results  chan *result
	drained  chan struct{}       // closed when no worker is left
	turned   time.Time           // when the last full turn began
	suspects map[int64]time.Time // leases whose process had no session when it was looked for
	fronts   map[int64]front     // by edition

	mu       sync.Mutex
	claimed  map[*task]bool // not yet settled
	presses  map[int64]*press
	breakers map[int64]*breaker
	totals   map[int64]int
	looked   map[int64]looked // what Queue.Fit said, by edition
}

// Run sends until ctx ends, and then lets the letters in flight come to their
// end. It returns nil then, ErrFenced when another process has taken over, and
// an error when the lease cannot be had.
func (q *Queue) Run(ctx context.Context) error { return q.run(ctx, context.WithoutCancel(ctx)) }

// run is Run with a second context whose end is the end of the process.
func (q *Queue) run(ctx, hard context.Context) error {
	hard, kill := context.WithCancelCause(hard)
	defer kill(nil)
	ctx, halt := context.WithCancel(ctx)
	defer halt()
	defer context.AfterFunc(hard, halt)()
	e := q.engine(hard)
	if err := e.take(hard); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	alive, err := q.DB.Hold(hard, e.epoch)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	var held sync.WaitGroup
	defer held.Wait()
	holding, letGo := context.WithCancel(hard)
	defer letGo()
	held.Go(func() { alive.Keep(holding) })
	if !q.Alone {
		held.Go(func() { q.DB.Listen(holding, q.wake) })
	}
	var stopCarry context.CancelFunc
	if err := e.pace.remember(hard, q.DB, 0); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if err := e.join(hard); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	e.carry, stopCarry = context.WithCancel(hard)
	defer stopCarry()
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(drainTime, stopCarry)
	})
	defer stop()
	return e.work(ctx, kill)
}

func (q *Queue) engine(hard context.Context) *engine {
	n := q.connections()
	return &engine{q: q, hard: hard, pace: newPacer(q.Pace), slips: make(chan *task, 4*n), tasks: make(chan *task, claimWindow(n)), results: make(chan *result, n),
		drained: make(chan struct{}), claimed: map[*task]bool{}, fronts: map[int64]front{}, presses: map[int64]*press{}, breakers: map[int64]*breaker{}, totals: map[int64]int{}, looked: map[int64]looked{}}
}

// claimWindow is how many deliveries may be claimed and not begun. A claim costs a
// commit, so many are claimed at once; those of a process that dies go again
// without a second copy.
func claimWindow(connections int) int { return min(max(20*connections, 40), 1000) }

func (q *Queue) connections() int {
	if q.Connections > 0 {
		return q.Connections
	}
	return 10
}

// work runs the parts and ends them in order: first nothing more is claimed,
// then the workers finish, then the committer.
func (e *engine) work(ctx context.Context, kill context.CancelCauseFunc) error {
	soft, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	var errs []error
	part := func(wg *sync.WaitGroup, f func() error) {
		wg.Go(func() {
			if err := f(); err != nil && !errors.Is(err, context.Canceled) {
				mu.Lock()
				defer mu.Unlock()
				if len(errs) == 0 { // the others only say that this one happened
					errs = append(errs, err)
				}
				kill(err)
				stop()
			}
		})
	}
	var feeders, workers, committer sync.WaitGroup
	part(&committer, e.commit)
	part(&feeders, func() error { return e.tend(soft) })
	part(&feeders, func() error { return e.watch(soft) })
	part(&feeders, func() error { return (&sealer{e: e}).run(soft) })
	part(&feeders, func() error { return inspector{e}.run(soft) })
	for range e.q.connections() {
		part(&workers, func() error { return (&worker{e: e}).run(soft) })
	}
	feeders.Wait()
	workers.Wait()
	close(e.drained)
	committer.Wait()
	if e.hard.Err() == nil {
		if err := e.release(e.hard); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// tend keeps the lease, brings editions forward, draws the consequences of
// returns and claims what is due.
func (e *engine) tend(ctx context.Context) error {
	renewed := time.Now()
	for ctx.Err() == nil {
		if time.Since(renewed) >= leaseRenew {
			if err := e.renew(ctx); isFenced(err) {
				return err
			} else if err == nil {
				renewed = time.Now()
			}
		}
		e.turned = time.Now()
		busy := e.turn(ctx, e.bury, e.forward, e.feed)
		for e.rest(ctx, busy) {
			busy = e.turn(ctx, e.feed)
		}
	}
	return nil
}

// turn does once what is due. A fault of the books is told and tried again.
func (e *engine) turn(ctx context.Context, work ...func(context.Context) error) (busy bool) {
	for _, f := range work {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			e.q.Log.Error("send: the books", "error", err)
		}
	}
	return e.busy()
}

// busy tells whether anything is claimed and not settled.
func (e *engine) busy() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.claimed) > 0
}

// rest waits for the bell or the next tick, or for workers that only want to
// be fed: then it returns true.
func (e *engine) rest(ctx context.Context, busy bool) (hungry bool) {
	tick := idleTick
	if busy || len(e.suspects) > 0 {
		tick = busyTick
	}
	if e.q.Tick > 0 {
		tick = e.q.Tick
	}
	timer := time.NewTimer(tick)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-e.q.bell.Rang():
	case <-e.hungry.Rang():
		return time.Since(e.turned) < tick
	}
	return false
}

// feed claims as much as the workers can take soon.
func (e *engine) feed(ctx context.Context) error {
	slips, room := cap(e.slips)-len(e.slips), cap(e.tasks)-len(e.tasks)
	width := e.gate.width(max(slips, room))
	if width == 1 && e.busy() {
		return nil // one is enough to try the next hop, and the first that was taken
	}
	room = min(room, e.pace.allowance(time.Now(), room))
	tasks, err := e.claim(ctx, min(slips, width), min(room, width))
	if err != nil {
		return err
	}
	e.mu.Lock()
	for _, t := range tasks {
		e.claimed[t] = true
	}
	e.mu.Unlock()
	for _, t := range tasks {
		if t.slip {
			e.slips <- t // there is room: only this goroutine fills it
		} else {
			e.tasks <- t
		}
	}
	return nil
}

// pop gives a worker a task, a slip before a delivery.
func (e *engine) pop(ctx context.Context, wait time.Duration) *task {
	if ctx.Err() != nil {
		return nil
	}
	select {
	case t := <-e.slips:
		return t
	default:
	}
	if len(e.tasks) <= cap(e.tasks)/2 {
		e.hungry.Ring()
	}
	if wait == 0 {
		select {
		case t := <-e.tasks:
			return t
		default:
			return nil
		}
	}
	var late <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case t := <-e.slips:
		return t
	case t := <-e.tasks:
		return t
	case <-late:
	case <-ctx.Done():
	}
	return nil
}

// forget takes a settled task off the watch. After the last one there may be
// a run to end.
func (e *engine) forget(t *task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if delete(e.claimed, t); len(e.claimed) == 0 {
		e.q.bell.Ring()
	}
}

// may tells whether a task may begin: its edition is not halted, its reader
// has not left.
func (e *engine) may(t *task) bool {
	return t.slip || !t.gone.Load() && e.q.open(t.edition)
}

// watch looks at the books every half second while something is claimed, so
// that who left and what was halted, by whatever process, is not begun.
func (e *engine) watch(ctx context.Context) error {
	tick := time.NewTicker(e.watchTick())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-e.q.look.Rang():
		}
		if err := e.glance(ctx); err != nil && ctx.Err() == nil {
			e.q.Log.Error("send: looking at the books", "error", err)
		}
	}
}

func (e *engine) watchTick() time.Duration {
	if e.q.Tick > 0 {
		return e.q.Tick
	}
	return busyTick
}

// glance brings what is in memory up to date with the books. A halt that
// comes while it looks is newer than what it saw.
func (e *engine) glance(ctx context.Context) error {
	mine, editions := e.inHand()
	halts := e.q.known(editions)
	if len(editions) == 0 {
		return nil
	}
	err := e.q.DB.View(ctx, func(tx *store.Tx) error {
		for id := range editions {
			var s EditionState
			if err := tx.QueryRowContext(ctx, `SELECT state FROM edition WHERE id = $1`, id).Scan(&s); err != nil {
				return err
			}
			editions[id] = s != Sending
			if err := e.heed(ctx, tx, id); err != nil {
				return err
			}
		}
		return e.notice(ctx, tx, mine)
	})
	if err == nil && !e.q.learn(editions, halts) {
		e.q.look.Ring()
	}
	return err
}

// inHand lists the deliveries that are claimed, and their editions.
func (e *engine) inHand() (mine []*task, editions map[int64]bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	editions = map[int64]bool{}
	for t := range e.claimed {
		if !t.slip {
			mine = append(mine, t)
			editions[t.edition] = true
		}
	}
	return mine, editions
}

// press returns the compiled edition.
func (e *engine) press(id int64) (*press, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.presses[id]; p != nil {
		return p, nil
	}
	var ed *Edition
	err := e.q.DB.View(e.hard, func(tx *store.Tx) (err error) {
		if ed, err = editionByID(e.hard, tx, id); err != nil {
			return err
		}
		c, err := counts(e.hard, tx, ed.Newsletter, ed.Issue)
		for _, n := range c {
			e.totals[id] += n
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	n, err := e.q.newsletter(ed.Newsletter)
	if err != nil {
		return nil, err
	}
	p, err := newPress(ed, n)
	if err == nil {
		e.presses[id] = p
	}
	return p, err
}

func (e *engine) breaker(edition int64) *breaker {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.breakers[edition]
	if b == nil {
		b = &breaker{}
		e.breakers[edition] = b
	}
	return b
}

// waitsFor tells why a task waits although its edition goes: its provider
// refuses us. It is "" when it does not.
func (e *engine) waitsFor(t *task) string {
	if t.slip {
		return ""
	}
	return e.breaker(t.edition).closed(provider(t.to.Addr))
}

func (e *engine) total(edition int64) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.totals[edition]
}

// hopRefused closes the gate after a fault of the line. The third time that the
// next hop refuses us for good, everything on its way is paused.
func (e *engine) hopRefused(o Outcome) {
	if e.gate.news(o.Verdict) {
		e.q.Log.Warn("send: the next hop does not take mail", "stage", o.Stage, "reply", o.Transcript)
	}
	if e.gate.fault(o.Verdict == Never) < 3 || o.Verdict != Never {
		return
	}
	reason := "the next hop refuses us at " + string(o.Stage) + ": " + o.Transcript
	err := e.q.DB.Update(e.hard, func(tx *store.Tx) error {
		live, err := liveEditions(e.hard, tx)
		for _, ed := range live {
			if err == nil && ed.State == Sending {
				err = e.pause(e.hard, tx, ed.ID, reason)
			}
		}
		return err
	})
	if err != nil {
		e.q.Log.Error("send: pausing", "error", err)
	}
}

func isFenced(err error) bool { return errors.Is(err, ErrFenced) }

// sleep waits, and tells whether ctx lasted.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
