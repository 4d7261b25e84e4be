package send

import (
	"context"
	"errors"
	"fmt"
	"time"

	"galley/send/message"
	"galley/send/store"
)

// idleLine is how long a line is kept open when there is nothing to carry.
const idleLine = 5 * time.Second

// patience is how long a body waits at the next hop for its final dot, while
// the result before it cannot be written. Servers wait five minutes (RFC 5321
// section 4.5.3.2.7); a dot behind that would be lost, and the copy in doubt.
const patience = 2 * time.Minute

// letter is a task with its envelope and its octets.
type letter struct {
	*task
	env    Envelope
	msg    []byte // what is its own of the octets
	cuts   []int
	octets Octets
	out    result
}

// worker carries letters over one line at a time. It holds at most one letter
// ahead, whose envelope travels behind the final dot of the one before, and
// whose body goes while the result of that one is written.
type worker struct {
	e     *engine
	spare []*letter // used again: one in flight, one ahead
	mint  *minter
	kept  *task     // a task that may not go at once, while another is to go first
	owed  []*letter // those whose results are on their way to the books, the oldest first

	opened time.Time // when the line was
}

// run carries letters until nothing more may begin or a result cannot be
// written.
func (w *worker) run(ctx context.Context) error {
	for {
		first, err := w.next(ctx, -1)
		if err != nil || first == nil {
			return err
		}
		for first != nil {
			if first, err = w.connect(ctx, first); err != nil {
				return err
			}
		}
	}
}

// connect opens a line and carries letters over it as long as it lasts. It
// returns the letter for which another line is needed.
func (w *worker) connect(ctx context.Context, first *letter) (*letter, error) {
	e := w.e
	if !e.gate.enter() {
		return nil, w.settle(first, back(first.task))
	}
	start := e.q.clock()
	line, err := e.q.Courier.Line(e.carry)
	e.q.lap(wire, start)
	w.opened = time.Now()
	if err != nil {
		e.hopRefused(outcomeOf(err))
		return nil, w.settle(first, back(first.task))
	}
	defer line.Close()
	defer e.gate.leave()
	if wide, ok := line.(Wide); ok && wide.Window() > 1 {
		return w.stream(ctx, wide, first)
	}
	cur := first
	for fresh := true; cur != nil; fresh = false {
		cur, err = w.deliver(ctx, line, cur, fresh)
		if err != nil || !line.Reusable() {
			return cur, errors.Join(err, w.settled())
		}
		if cur == nil {
			if err = w.settled(); err == nil {
				cur, err = w.next(ctx, idleLine)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// deliver sends one letter, announces the next behind it, and returns that one
// with the result of the first on its way to the books. While the result of
// the letter before is, the body goes ahead; its final dot waits.
func (w *worker) deliver(ctx context.Context, line Line, cur *letter, fresh bool) (*letter, error) {
	start := w.e.q.clock()
	out, ok := line.Begin(w.e.carry, cur.env, cur.octets)
	if ok && len(w.owed) > 0 {
		line.Lead()
	}
	w.e.q.lap(wire, start)
	if !ok {
		return nil, w.report(cur, out, fresh)
	}
	next, err := w.next(ctx, 0)
	if err != nil {
		return nil, err
	}
	waited := time.Now()
	if err := w.settled(); err != nil {
		return nil, err
	}
	if !w.e.may(cur.task) || time.Since(waited) > patience {
		return nil, w.leave(line, cur, next)
	}
	var ahead *Envelope
	if next != nil {
		ahead = &next.env
	}
	start = w.e.q.clock()
	out = line.End(ahead)
	w.e.q.lap(wire, start)
	if err := w.report(cur, out, fresh); err != nil {
		return nil, err
	}
	if next != nil && !w.e.may(next.task) {
		return nil, w.leave(line, next)
	}
	return next, nil
}

// report draws the consequences of an outcome and sends it on its way to the
// books.
func (w *worker) report(l *letter, out Outcome, fresh bool) error {
	if err := w.settled(); err != nil { // a letter that was refused before its dot
		return err
	}
	w.weigh(out, fresh)
	return w.hand(l, w.e.judge(l.task, out, store.Now()))
}

// leave closes a line before the final dot of letters that may not go: their
// envelopes may be out and a body, but nobody takes a mail without its end.
func (w *worker) leave(line Line, letters ...*letter) error {
	if err := line.Close(); err != nil {
		w.e.q.Log.Debug("send: closing a line", "error", err)
	}
	for _, l := range letters {
		if l == nil {
			continue
		}
		if err := w.settle(l, back(l.task)); err != nil {
			return err
		}
	}
	return nil
}

// weigh tells the gate what an outcome says about the next hop. A line that
// has carried something may end without a fault: servers limit the messages
// of a connection.
func (w *worker) weigh(out Outcome, fresh bool) {
	switch {
	case out.Verdict == Unknown:
		w.e.gate.unknown()
	case ownFault(out), !out.Again.IsZero(): // says nothing about the next hop
	case out.Transport && (fresh || out.Verdict == Never):
		w.e.hopRefused(out)
	case !out.Transport:
		if after, again := w.e.gate.fine(w.opened); again {
			w.e.q.Log.Info("send: the next hop takes mail again", "after", after.Round(time.Second))
		}
	}
}

// next takes a letter that may go. Without one it waits: not at all when wait
// is 0, as long as Run lasts when it is negative. nil says that there is none.
func (w *worker) next(ctx context.Context, wait time.Duration) (*letter, error) {
	for {
		start := w.e.q.clock()
		t := w.kept
		if t != nil && ctx.Err() != nil {
			return nil, nil // the end of Run frees what was claimed
		}
		if w.kept = nil; t == nil {
			t = w.e.pop(ctx, wait)
		}
		start = w.e.q.lap(unfilled, start)
		if t == nil {
			return nil, nil
		}
		if wait == 0 && !t.slip && !w.e.pace.clear(time.Now(), t.to.Addr) {
			w.kept = t
			return nil, nil
		}
		if why := w.e.waitsFor(t); why != "" && w.e.may(t) {
			if err := w.e.settle(t, parked(t, why, store.Now())); err != nil {
				return nil, err
			}
			continue
		}
		if !w.e.may(t) || !w.admitted(ctx, t) {
			if err := w.e.settle(t, back(t)); err != nil {
				return nil, err
			}
			continue
		}
		l, err := w.write(t)
		w.e.q.lap(making, start)
		if err == nil {
			return l, nil
		}
		if err := w.e.settle(t, unwritable(t, err)); err != nil {
			return nil, err
		}
	}
}

// admitted waits until the pace lets a task go. A task that has to wait longer
// than the horizon goes back, to be claimed when its time comes.
func (w *worker) admitted(ctx context.Context, t *task) bool {
	wait, ok := w.e.pace.admit(time.Now(), t.to.Addr, t.slip)
	if !ok {
		t.due = max(t.due, store.Micros(store.Now().Add(wait)))
		return false
	}
	return wait == 0 || sleep(ctx, wait) && w.e.may(t)
}

// write makes the octets of a task.
func (w *worker) write(t *task) (*letter, error) {
	n, err := w.e.q.newsletter(t.newsletter)
	if err != nil {
		return nil, err
	}
	l := w.letter(t)
	if t.slip {
		l.env = Envelope{From: n.returnPath(t), To: t.to.Addr}
		l.msg, err = sign(l.msg, t.raw, n.Signers)
		l.octets = append(l.octets, Stretch{Own: l.msg})
		return l, err
	}
	p, err := w.e.press(t.edition)
	if err != nil {
		return nil, err
	}
	if w.mint == nil || w.mint.n != n {
		w.mint = newMinter(n)
	}
	slots, from := w.mint.copy(p, t)
	l.env = Envelope{From: from, To: t.to.Addr}
	var sealed bool
	f := p.form(t.plain)
	if l.msg, l.cuts, sealed, err = f.Apart(l.msg, l.cuts, slots, n.Signers, t.seal); err != nil {
		return l, err
	}
	if sealed {
		w.e.q.sealed.Add(1)
	}
	l.octets = interleave(l.octets, l.msg, l.cuts, f.shared)
	return l, nil
}

// letter gives an empty letter for a task, with the memory of an old one.
func (w *worker) letter(t *task) *letter {
	k := len(w.spare)
	if k == 0 {
		return &letter{task: t, out: result{done: make(chan error, 1)}}
	}
	l := w.spare[k-1]
	w.spare = w.spare[:k-1]
	l.task, l.msg, l.cuts, l.octets = t, l.msg[:0], l.cuts[:0], l.octets[:0]
	return l
}

// sign puts the signatures before a slip.
func sign(buf, raw []byte, signers []*message.Signer) ([]byte, error) {
	for _, s := range signers {
		field, err := s.Sign(raw, store.Now())
		if err != nil {
			return nil, err
		}
		buf = append(buf, field...)
	}
	return append(buf, raw...), nil
}

// hand gives the committer what became of a letter.
func (w *worker) hand(l *letter, v verdict) error {
	l.out.t, l.out.v, l.out.at = l.task, v, store.Now()
	if err := w.e.hand(&l.out); err != nil {
		return err
	}
	w.owed = append(w.owed, l)
	return nil
}

// settled waits until all results that are on their way are on disk. An error
// says that they are not, and that nothing more may be sent.
func (w *worker) settled() error {
	for len(w.owed) > 0 {
		if err := w.settleOne(); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) settleOne() error {
	l := w.owed[0]
	w.owed = append(w.owed[:0], w.owed[1:]...)
	start := w.e.q.clock()
	err := w.e.written(&l.out)
	if w.e.q.lap(books, start); err == nil {
		w.spare = append(w.spare, l)
	}
	return err
}

// settle commits what became of a letter and takes its buffer back.
func (w *worker) settle(l *letter, v verdict) error {
	if err := w.hand(l, v); err != nil {
		return err
	}
	return w.settled()
}

// outcomeOf turns the error of a line that could not be had into an outcome.
func outcomeOf(err error) Outcome {
	var r *Refusal
	if errors.As(err, &r) {
		o := r.Outcome
		o.Transport = true
		return o
	}
	return Outcome{Verdict: Later, Stage: StageConnect, Transcript: fmt.Sprint(err), Transport: true}
}
