package send

import (
	"context"
	"strings"
	"time"

	"galley/send/store"
)

// Fault is something outside of Galley for which servers would refuse an
// issue: a record of its domain in the DNS, mostly.
type Fault struct {
	Item   string // what was looked at: "spf rct.example"
	What   string // what is wrong with it
	Remedy string // a sentence that says how to mend it
}

// Unfit is how the reason of an edition begins that was held because of such
// faults; they follow, parted by " | ".
const Unfit = "servers would refuse it, for the records of its domain are wrong: "

const (
	// mostUnproven is the size of a list for which nothing is looked at: the
	// big providers' rules for senders are about lists (bar 6).
	mostUnproven = 100
	// fitAhead is how long before its time an approved edition is looked at,
	// so that what is wrong can still be mended in time.
	fitAhead = time.Hour
	// askAgain is when a question that got no answer is asked again, as long
	// as the time of the edition has not come.
	askAgain = 5 * time.Minute
)

// looked is what Queue.Fit said of an edition and its time.
type looked struct {
	sendAt   time.Time
	at       time.Time // when it was asked
	answered bool      // false: nobody could say, and it goes
}

// inspector asks Queue.Fit about approved editions before they begin. Asking
// takes seconds and may take a minute, so it is nobody's turn but its own.
type inspector struct{ e *engine }

// run looks until ctx ends.
func (s inspector) run(ctx context.Context) error {
	if s.e.q.Fit == nil {
		return nil
	}
	for ctx.Err() == nil {
		if err := s.turn(ctx); err != nil && ctx.Err() == nil {
			s.e.q.Log.Error("send: is it fit to be sent", "error", err)
		}
		wait := idleTick
		if s.e.q.Tick > 0 {
			wait = s.e.q.Tick
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.e.unsure.Rang():
		}
		timer.Stop()
	}
	return nil
}

// turn looks at each edition whose time is near.
func (s inspector) turn(ctx context.Context) error {
	if s.e.q.away.Load() {
		return nil
	}
	var due []*Edition
	err := s.e.q.DB.View(ctx, func(tx *store.Tx) error {
		live, err := liveEditions(ctx, tx)
		for _, ed := range live {
			if err == nil && ed.State == Approved && ed.SendAt.Sub(tx.Now()) <= fitAhead && !s.e.isFit(ed) && s.e.q.Newsletters[ed.Newsletter] != nil {
				due = append(due, ed)
			}
		}
		return err
	})
	for _, ed := range due {
		if err == nil {
			err = s.look(ctx, ed)
		}
	}
	return err
}

// look asks about one edition, and holds it when something is wrong. When
// nobody can say, that is told in the log and holds nothing: a DNS server
// that is down is no fault of a record.
func (s inspector) look(ctx context.Context, ed *Edition) error {
	q, l := s.e.q, looked{sendAt: ed.SendAt, at: time.Now(), answered: true}
	concerns, err := s.concerns(ctx, ed)
	if err != nil {
		return err
	}
	if concerns {
		faults, err := q.Fit(ctx, ed.Newsletter)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			l.answered = false
			s.told(ed, err)
		case len(faults) > 0:
			return s.hold(ctx, ed, faults)
		}
	}
	s.e.mu.Lock()
	s.e.looked[ed.ID] = l
	s.e.mu.Unlock()
	q.bell.Ring()
	return nil
}

// concerns tells whether an edition goes to many and is the first of its issue:
// a new text for the rest of a run is not looked at again.
func (s inspector) concerns(ctx context.Context, ed *Edition) (yes bool, err error) {
	err = s.e.q.DB.View(ctx, func(tx *store.Tx) error {
		readers, err := s.e.q.Audience(ctx, tx, ed.Newsletter)
		if err != nil {
			return err
		}
		run, err := s.e.q.Progress(ctx, tx, ed.Newsletter, ed.Issue)
		yes = readers > mostUnproven && run != nil && run.Started.IsZero()
		return err
	})
	return yes, err
}

// told logs that nobody could say, once for each edition and time.
func (s inspector) told(ed *Edition, err error) {
	s.e.mu.Lock()
	before, asked := s.e.looked[ed.ID]
	s.e.mu.Unlock()
	if !asked || before.answered || !before.sendAt.Equal(ed.SendAt) {
		s.e.q.Log.Warn("send: whether servers would refuse it cannot be asked; it goes all the same", "newsletter", ed.Newsletter, "issue", ed.Issue, "error", err)
	}
}

// hold keeps an edition back. Whoever approves it again has it looked at again.
func (s inspector) hold(ctx context.Context, ed *Edition, faults []Fault) error {
	var all []string
	for _, f := range faults {
		all = append(all, f.Item+": "+strings.TrimSuffix(f.What, ".")+". "+f.Remedy)
	}
	reason := Unfit + strings.Join(all, " | ")
	s.e.q.Log.Warn("send: held", "newsletter", ed.Newsletter, "issue", ed.Issue, "why", reason)
	return s.e.q.DB.Update(ctx, func(tx *store.Tx) error {
		now, err := editionByID(ctx, tx, ed.ID)
		if err != nil || now.State != Approved {
			return err // an editor was quicker
		}
		s.e.q.ring(tx)
		return setEdition(ctx, tx, ed.ID, OnHold, reason)
	})
}

// isFit tells whether nothing is known against an edition for its time.
func (e *engine) isFit(ed *Edition) bool {
	if e.q.Fit == nil {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	l, asked := e.looked[ed.ID]
	if !asked || !l.sendAt.Equal(ed.SendAt) {
		return false
	}
	return l.answered || !store.Now().Before(ed.SendAt) || time.Since(l.at) < askAgain
}
