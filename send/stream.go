package send

import (
	"context"
	"errors"

	"galley/send/store"
)

// stream carries letters over a line that takes several at once, until the line
// or the letters end. As many as its window may be on their way or have results
// that are not on disk: so many copies a line can come twice after a crash. It
// returns the letter for which another line is needed.
func (w *worker) stream(ctx context.Context, line Wide, first *letter) (*letter, error) {
	var under []*letter // on their way, the oldest first
	cur, fresh := first, true
	for {
		if err := w.reap(); err != nil {
			return nil, err
		}
		var err error
		switch {
		case cur != nil && line.Reusable() && len(under)+len(w.owed) < line.Window():
			if under, err = w.push(line, under, cur, fresh); err == nil {
				cur, err = w.next(ctx, 0)
			}
		case len(under) > 0:
			err = w.pull(line, under[0], fresh)
			under, fresh = append(under[:0], under[1:]...), false
		case len(w.owed) > 0:
			err = w.settleOne()
		case cur != nil:
			return cur, nil
		default:
			if cur, err = w.next(ctx, idleLine); err == nil && cur == nil {
				return nil, nil
			}
		}
		if err != nil {
			return nil, err
		}
		if cur != nil && !w.e.may(cur.task) {
			if err := errors.Join(w.hand(cur, back(cur.task)), w.settled()); err != nil {
				return nil, err
			}
			cur = nil
		}
	}
}

// push sends a letter on its way, and tells which are under way then.
func (w *worker) push(line Wide, under []*letter, l *letter, fresh bool) ([]*letter, error) {
	start := w.e.q.clock()
	out, ok := line.Push(w.e.carry, l.env, l.octets)
	w.e.q.lap(wire, start)
	if ok {
		return append(under, l), nil
	}
	w.weigh(out, fresh)
	return under, w.hand(l, w.e.judge(l.task, out, store.Now()))
}

// pull waits for what became of the oldest letter and sends it to the books.
func (w *worker) pull(line Wide, l *letter, fresh bool) error {
	start := w.e.q.clock()
	out := line.Pull()
	w.e.q.lap(wire, start)
	w.weigh(out, fresh)
	return w.hand(l, w.e.judge(l.task, out, store.Now()))
}

// reap takes back the letters whose results are on disk, without waiting.
func (w *worker) reap() error {
	for len(w.owed) > 0 && len(w.owed[0].out.done) > 0 {
		if err := w.settleOne(); err != nil {
			return err
		}
	}
	return nil
}
