package mailbox

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"
)

// due is which look at the folder comes next.
type due int

const (
	dueNothing due = iota // the IDLE was renewed, nothing more
	dueNew                // what is above the cursor
	duePoll               // the folder is selected anew, then what is above the cursor
	dueAll                // the folder is selected anew, then every UID against the ledger
)

// The pauses between two attempts to connect. Bar 52 of the trust design
// gives a server that is back 60 s; a login that was refused may wait longer,
// because servers lock accounts.
const (
	firstPause = time.Second
	linePause  = 40 * time.Second
	loginPause = 5 * time.Minute
	// steady is how long a line must hold before its faults are forgotten.
	steady = time.Minute
)

// Next blocks until there are messages that the ledger does not know and
// returns them in the order of their UIDs, at most 200 or 1 MiB at once (one
// message may be larger). It reconnects by itself and gives up on no fault of
// the server; those are in Status and the log. It returns ctx's error when ctx
// ends, net.ErrClosed after Close, and a fault of the Ledger as it is; after
// Stir it returns none.
//
// What was returned must be in the ledger before the next call, or is
// returned again.
func (m *Mailbox) Next(ctx context.Context) ([]Message, error) {
	ctx, leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	for {
		batch, err := m.step(ctx)
		var own *ledgerError
		switch {
		case len(batch) > 0:
			m.hand(batch)
			return batch, nil
		case ctx.Err() != nil:
			m.dropIfDead(err)
			return nil, context.Cause(ctx)
		case err == errStirred:
			return nil, nil
		case errors.As(err, &own):
			return nil, own.err
		case err != nil:
			m.broke(err)
			sleep(ctx, time.Until(m.watch.retry))
		}
	}
}

// ledgerError is a fault of the owner's tables: his to handle.
type ledgerError struct{ err error }

func (e *ledgerError) Error() string { return e.err.Error() }

// step does one thing: connect, look, fetch or wait.
func (m *Mailbox) step(ctx context.Context) ([]Message, error) {
	w := &m.watch
	if err := m.ensure(ctx); err != nil {
		return nil, err
	}
	if err := m.again(ctx); err != nil {
		return nil, err
	}
	if len(w.pending) > 0 {
		return m.take(ctx)
	}
	if w.due == dueNothing {
		return nil, m.wait(ctx)
	}
	if err := m.look(ctx); err != nil {
		return nil, err
	}
	w.due = dueNothing
	return nil, nil
}

// hand remembers what is given out; the next call asks whether it arrived.
func (m *Mailbox) hand(batch []Message) {
	w := &m.watch
	for _, msg := range batch {
		w.out = append(w.out, msg.UID)
	}
	w.fails = 0
	w.due = max(w.due, dueNew) // the server had time to receive more
}

// again puts back what was handed out and never reached the ledger.
func (m *Mailbox) again(ctx context.Context) error {
	w := &m.watch
	if len(w.out) == 0 {
		return nil
	}
	lost, err := m.unknown(ctx, w.out)
	if err != nil {
		return err
	}
	w.out = nil
	w.pending = merge(lost, w.pending)
	return nil
}

// ensure connects and selects the folder unless that is so already.
func (m *Mailbox) ensure(ctx context.Context) error {
	w := &m.watch
	if w.line != nil && !w.line.closed() {
		return nil
	}
	if w.line != nil {
		return w.line.fault("mailbox", errClosed)
	}
	l, err := m.open(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	w.line = l
	m.mu.Unlock()
	w.pending, w.heads = nil, nil
	w.due = dueAll // RFC 9051 section 2.3.1.1: UIDVALIDITY may be another now
	if err := m.selectFolder(ctx); err != nil {
		return err
	}
	m.connected()
	return nil
}

// broke notes a fault and when to try again. The line is given up, because
// its state is no longer known.
func (m *Mailbox) broke(err error) {
	w := &m.watch
	if w.line != nil && time.Since(w.line.since) >= steady {
		w.fails = 0
	}
	longest := linePause
	var login *loginError
	if errors.As(err, &login) {
		longest = loginPause
	}
	w.retry = time.Now().Add(pause(w.fails, longest, time.Now()))
	w.fails++
	w.fault = err
	m.drop()
	m.disconnected(err)
	m.tell(err)
}

// tell logs a fault, once for as long as its sort stays the same: an hour
// without a server is one line, and not one a try.
func (m *Mailbox) tell(err error) {
	w, sort := &m.watch, sortOf(err)
	if w.told == "" {
		w.lost = time.Now()
	}
	if sort == w.told || m.Beside && sort == lineFault {
		return
	}
	w.told = sort
	m.log().Warn("the mailbox is out of reach", "err", kind(err))
}

// lineFault is the sort of all faults that are no word of the server's: a
// connection that breaks is mostly followed by others that are refused.
const lineFault = "line"

func sortOf(err error) string {
	var login *loginError
	var no *Refusal
	switch {
	case errors.As(err, &login):
		return "login"
	case errors.As(err, &no):
		return no.Command + " " + no.Code
	}
	return lineFault
}

// pause is how long to wait after so many faults in a row: doubled each time,
// and anything between half of it and the whole, so that many installations
// do not come back at the same instant. The nanosecond of the fault decides,
// which is another one everywhere but in a simulation that is played again.
func pause(fails int, longest time.Duration, at time.Time) time.Duration {
	d := min(firstPause<<min(fails, 20), longest)
	h := fnv.New64a()
	fmt.Fprint(h, fails, at.UnixNano())
	return d/2 + time.Duration(h.Sum64()%uint64(d/2+1))
}

// connected notes that the mailbox answers.
func (m *Mailbox) connected() {
	w := &m.watch
	switch {
	case w.told != "":
		m.log().Info("the mailbox is open again", "folder", m.folder(), "uidvalidity", w.validity, "after", time.Since(w.lost).Round(time.Second))
	case !w.opened:
		m.log().Info("the mailbox is open", "folder", m.folder(), "uidvalidity", w.validity)
	}
	w.told, w.fault, w.opened = "", nil, true
	now := time.Now()
	m.mu.Lock()
	m.status = Status{Connected: true, Since: w.line.since, Seen: now}
	m.mu.Unlock()
}

func (m *Mailbox) disconnected(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.status.Connected || m.status.Since.IsZero() {
		m.status.Since = time.Now()
	}
	m.status.Connected = false
	m.status.Err = kind(err)
	m.hasLooked()
}

func (m *Mailbox) dropIfDead(err error) {
	if l := m.watch.line; l != nil && l.dead(err) {
		m.drop()
	}
}

// drop closes the line, politely if it still works.
func (m *Mailbox) drop() {
	m.mu.Lock()
	l := m.watch.line
	m.watch.line = nil
	m.mu.Unlock()
	if l == nil {
		return
	}
	l.Close()
	<-l.c.Closed()
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// ErrOutOfReach says that there is no connection, and none is tried just now.
// Next has logged why.
var ErrOutOfReach = errors.New("the mailbox is out of reach")

// ready is a line for Done. It does not dial while Next would be pausing.
func (m *Mailbox) ready(ctx context.Context) (*line, error) {
	w := &m.watch
	if w.line == nil && time.Now().Before(w.retry) {
		return nil, fmt.Errorf("%w: %w", ErrOutOfReach, w.fault)
	}
	err := m.ensure(ctx)
	if err == nil {
		return w.line, nil
	}
	if ctx.Err() != nil {
		m.drop()
		return nil, context.Cause(ctx)
	}
	m.broke(err)
	return nil, fmt.Errorf("%w: %w", ErrOutOfReach, err)
}
