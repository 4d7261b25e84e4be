package inbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"galley/send/store"
)

// A window is what is read side by side and settled in one transaction at
// most: so many messages, of so many octets (one may be larger).
const (
	windowCount  = 50
	windowOctets = 512 << 10
)

// windowTime is how long the deciding and writing of a window may take: its
// transaction keeps all other writers waiting. What takes longer is dealt with
// one by one.
const windowTime = 5 * time.Second

// waiting is a message that was not dealt with yet.
type waiting struct {
	id       int64
	tries    int
	tried    bool // this attempt is counted already
	faults   int
	raw      []byte
	received time.Time
}

// alone tells a message that was tried before, or whose effect could not be
// written: it may be the one that killed its neighbours.
func (w *waiting) alone() bool { return w.tries > 0 || w.faults > 0 }

// nextWaiting are the oldest messages behind one that are due, in order. One
// that must be alone is.
func (in *Inbox) nextWaiting(ctx context.Context, behind int64) (out []*waiting, err error) {
	err = in.DB.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, tries, faults, raw, received FROM message JOIN octets ON octets.message = id
			WHERE newsletter = $1 AND state = 'new' AND due <= $2 AND id > $3 ORDER BY id LIMIT $4`, in.Newsletter.ID, store.Micros(tx.Now()), behind, windowCount)
		if err != nil {
			return err
		}
		defer rows.Close()
		for size := 0; rows.Next(); {
			w := &waiting{}
			var received int64
			if err := rows.Scan(&w.id, &w.tries, &w.faults, &w.raw, &received); err != nil {
				return err
			}
			w.received = store.Instant(received)
			last := w.alone()
			if size += len(w.raw); size > windowOctets {
				last = true
			}
			if last && len(out) > 0 {
				return nil
			}
			out = append(out, w)
			if last {
				return nil
			}
		}
		return rows.Err()
	})
	return out, err
}

// suspicion is how long a message that was being read when the program died
// lets the others go first, by the number of its tries. The first try may have
// been that of a whole window. A program that dies again and again for another
// reason would else set aside one innocent message after the other.
var suspicion = [maxTries]time.Duration{0, 10 * time.Second}

// steady is how long the program must have lived before the last try of a
// message: one that somebody kills every few seconds dies in the hands of
// innocent mail, too.
const steady = 10 * time.Second

// putBehind has a message wait for its next try.
func (in *Inbox) putBehind(ctx context.Context, w *waiting, pause time.Duration) error {
	return in.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE message SET due = $1 WHERE id = $2 AND state = 'new'`, store.Micros(tx.Now().Add(pause)), w.id)
		return err
	})
}

// try counts an attempt before it is made, so that a message that kills the
// program is known after the restart.
func (in *Inbox) try(ctx context.Context, ws []*waiting) error {
	err := in.DB.Update(ctx, func(tx *store.Tx) error { return countTry(ctx, tx, ws) })
	if err == nil {
		tried(ws)
	}
	return err
}

func countTry(ctx context.Context, tx *store.Tx, ws []*waiting) error {
	for _, w := range ws {
		due := tx.Now().Add(suspicion[w.tries])
		if _, err := tx.ExecContext(ctx, `UPDATE message SET tries = $1, due = $2 WHERE id = $3 AND state = 'new'`, w.tries+1, store.Micros(due), w.id); err != nil {
			return err
		}
	}
	return nil
}

// tried notes that an attempt was counted.
func tried(ws []*waiting) {
	for _, w := range ws {
		w.tries++
		w.tried = true
	}
}

// window is messages whose attempt is counted, being read.
type window struct {
	ws   []*waiting
	read chan []*letter // by one send
}

// begin has messages read, as far as that needs nothing but themselves.
func (in *Inbox) begin(ctx context.Context, ws []*waiting) *window {
	w := &window{ws, make(chan []*letter, 1)}
	go func() { w.read <- in.readAll(ctx, ws) }()
	return w
}

// sortFrom deals with a window and those behind it, in the order of their
// messages, until one must be dealt with alone. While a window is settled the
// next one is read, and the attempts of the one after it are counted.
func (in *Inbox) sortFrom(ctx context.Context, ws []*waiting) (n int, err error) {
	if len(ws) == 1 {
		return 1, in.sortOne(ctx, ws[0])
	}
	var lane []*window
	defer func() {
		if len(ws) > 0 && ws[0].tried {
			lane = append(lane, &window{ws: ws})
		}
		for _, w := range lane { // told to stop, or a fault of the books: nobody's fault
			err = errors.Join(err, in.untry(context.WithoutCancel(ctx), w.ws))
		}
	}()
	for err == nil && ctx.Err() == nil && (len(ws) > 0 || len(lane) > 0) {
		if len(lane) < 2 && len(ws) > 0 {
			if err = in.try(ctx, ws); err != nil {
				return n, err
			}
		} else {
			n += len(lane[0].ws)
			if err = in.settleWindow(ctx, lane[0], ws); err != nil {
				return n, err
			}
			lane = lane[1:]
		}
		if len(ws) > 0 {
			lane = append(lane, in.begin(ctx, ws))
			ws, err = in.nextWaiting(ctx, ws[len(ws)-1].id)
			in.backlog.Store(len(ws) > 0)
			if len(ws) == 1 && ws[0].alone() {
				ws = nil
			}
		}
	}
	return n, errors.Join(err, ctx.Err())
}

// settleWindow deals with a window and counts the attempts of another. Those
// whose sender must be proven, which may take the time of a few questions to
// the DNS, are dealt with alone; those between them share a transaction.
func (in *Inbox) settleWindow(ctx context.Context, w *window, ahead []*waiting) error {
	letters := <-w.read
	for len(letters) > 0 {
		n := 0
		for n < len(letters) && letters[n] != nil {
			n++
		}
		if n == 0 || in.settleTogether(ctx, w.ws[:n], letters[:n], ahead) != nil {
			n = max(n, 1)
			if err := in.sortEach(ctx, w.ws[:n]); err != nil {
				return err
			}
		} else {
			ahead = nil
		}
		w.ws, letters = w.ws[n:], letters[n:]
	}
	if len(ahead) > 0 {
		return in.try(ctx, ahead)
	}
	return nil
}

func (in *Inbox) sortEach(ctx context.Context, ws []*waiting) error {
	for _, w := range ws {
		if err := in.sortOne(ctx, w); err != nil {
			return fmt.Errorf("message %d: %w", w.id, err)
		}
	}
	return nil
}

// readAll reads messages side by side. One that must be dealt with alone is
// nil: whose sender has to be proven, and whoever made its reader fail.
func (in *Inbox) readAll(ctx context.Context, ws []*waiting) []*letter {
	out := make([]*letter, len(ws))
	next := make(chan int, len(ws))
	for i := range ws {
		next <- i
	}
	close(next)
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(ws)) {
		all.Go(func() {
			for i := range next {
				out[i] = in.readBeside(ctx, ws[i])
			}
		})
	}
	all.Wait()
	return out
}

// readBeside reads one message of a window. Whatever goes wrong is for its own
// try to tell.
func (in *Inbox) readBeside(parent context.Context, w *waiting) *letter {
	ctx, cancel := context.WithTimeout(parent, maxTime)
	defer cancel()
	l, err := in.guarded(ctx, func(context.Context) (*letter, error) { return unfold(w), nil })
	if err != nil || l.m != nil && in.wantsProof(l) {
		return nil
	}
	return l
}

// settleTogether decides what messages cause and writes it, all in one
// transaction, each on what those before it have changed, and counts the
// attempts of others. After an error nothing has happened.
func (in *Inbox) settleTogether(parent context.Context, ws []*waiting, read []*letter, ahead []*waiting) error {
	ctx, cancel := context.WithTimeout(parent, windowTime)
	defer cancel()
	done := make([]*letter, len(ws))
	_, err := in.guarded(ctx, func(ctx context.Context) (*letter, error) {
		return nil, in.DB.Update(ctx, func(tx *store.Tx) error {
			for i, w := range ws {
				l := *read[i] // the transaction may be run again
				l.tx = tx
				if err := in.place(ctx, &l, w); err != nil {
					return err
				}
				if err := write(ctx, tx, w, &l); err != nil {
					return err
				}
				done[i] = &l
			}
			return countTry(ctx, tx, ahead)
		})
	})
	if err != nil {
		return err
	}
	tried(ahead)
	for i, l := range done {
		in.logged(ws[i], l)
	}
	return nil
}
