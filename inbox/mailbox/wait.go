package mailbox

import (
	"context"
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// errStirred ends the waiting of a Next that Stir has called back.
var errStirred = errors.New("called back")

// wait returns when there is something to look at, which it leaves in due:
// the server announced mail, or the poll or the reconcile is due. Without
// IDLE only the clock says so. With errStirred nothing is to be looked at, and
// the line is in order.
func (m *Mailbox) wait(ctx context.Context) error {
	w := &m.watch
	limit := min(time.Until(w.polled.Add(or(m.Poll, DefaultPoll))),
		time.Until(w.reconciled.Add(or(m.Reconcile, DefaultReconcile))))
	err := error(nil)
	w.woken = false
	switch {
	case limit <= 0:
	case len(m.stirred()) > 0: // without an IDLE that ends at once
		<-m.stirred()
		return errStirred
	case w.line.caps.Has(imap.CapIdle):
		w.woken, err = m.idle(ctx, min(limit, or(m.Idle, DefaultIdle)))
	default:
		err = m.rest(ctx, limit)
	}
	if err == nil && ctx.Err() == nil {
		w.due = m.afterWait()
	} else if w.woken {
		w.due = dueNew // what was announced is not announced again
	}
	return err
}

func (m *Mailbox) afterWait() due {
	w := &m.watch
	switch now := time.Now(); {
	case w.overdue(now):
		return dueAll
	case !now.Before(w.reconciled.Add(or(m.Reconcile, DefaultReconcile))):
		return dueAll
	case !now.Before(w.polled.Add(or(m.Poll, DefaultPoll))):
		return duePoll
	case w.woken:
		return dueNew
	}
	return dueNothing
}

// idle holds an IDLE for at most limit (RFC 2177) and says whether the server
// announced mail. The library would renew it after 28 minutes, which many
// gateways do not wait for.
func (m *Mailbox) idle(ctx context.Context, limit time.Duration) (woken bool, err error) {
	l := m.watch.line
	var cmd *imapclient.IdleCommand
	err = l.do(ctx, "IDLE", commandTime, func() (err error) {
		cmd, err = l.c.Idle()
		return err
	})
	if refused(err) {
		delete(l.caps, imap.CapIdle) // promised and not kept: poll
		return false, nil
	}
	if err != nil {
		return false, err
	}
	l.allow(limit + silence)
	woken, err = m.listen(ctx, limit)
	if woken && m.watch.hollow >= maxHollow {
		sleep(ctx, firstPause) // a server that announces nothing all the time
	}
	if end := l.endIdle(ctx, cmd); end != nil && (err == nil || err == errStirred) {
		return woken, end
	}
	return woken, err
}

// maxHollow is how many announcements in a row may bring nothing before the
// next one is taken slowly. A single one is no fault: what it told of was found
// by another look, or another program took it away.
const maxHollow = 3

// listen waits for an announcement, a call of Stir, the limit, the end of ctx
// or of the line.
func (m *Mailbox) listen(ctx context.Context, limit time.Duration) (woken bool, err error) {
	l := m.watch.line
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-l.wake:
		return true, nil
	case <-m.stirred():
		return false, errStirred
	case <-timer.C:
	case <-ctx.Done():
	case <-l.c.Closed():
		return false, l.fault("IDLE", errClosed)
	}
	return false, nil
}

// endIdle says DONE and hears the answer. When ctx is over it has a moment
// for that, so that the line stays in use.
func (l *line) endIdle(ctx context.Context, cmd *imapclient.IdleCommand) error {
	limit := commandTime
	if ctx.Err() != nil {
		ctx, limit = context.WithoutCancel(ctx), farewell
	}
	return l.do(ctx, "DONE", limit, func() error {
		if err := cmd.Close(); err != nil {
			return err
		}
		return cmd.Wait()
	})
}

// rest waits without IDLE.
func (m *Mailbox) rest(ctx context.Context, d time.Duration) error {
	l := m.watch.line
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-m.stirred():
		return errStirred
	case <-ctx.Done():
	case <-l.c.Closed():
		return l.fault("mailbox", errClosed)
	}
	return nil
}
