package mailbox

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
)

// selectFolder selects the folder anew and starts over when its UIDVALIDITY
// is another. It is done at every poll: a folder that was renamed away and
// made again is not noticed on a selected one.
func (m *Mailbox) selectFolder(ctx context.Context) error {
	w := &m.watch
	data, err := m.openFolder(ctx)
	if err != nil {
		return err
	}
	if data.UIDValidity == 0 {
		return errors.New("the server gives no UIDVALIDITY for " + m.folder() +
			", so messages cannot be told apart: use another folder or server")
	}
	w.polled, w.fresh = time.Now(), true
	if data.UIDValidity == w.validity {
		return nil
	}
	if w.validity != 0 {
		m.log().Warn("the folder was made anew and is read from the start",
			"folder", m.folder(), "was", w.validity, "uidvalidity", data.UIDValidity)
	}
	if err := m.begin(ctx, data); err != nil {
		return err
	}
	w.validity = data.UIDValidity
	w.pending, w.out, w.heads = nil, nil, nil
	w.strikes, w.skip = nil, nil
	w.due = dueAll
	return nil
}

// openFolder selects the folder. One that is to be made is, and its name is
// then in the server's writing.
func (m *Mailbox) openFolder(ctx context.Context) (data *imap.SelectData, err error) {
	l, name := m.watch.line, m.folder()
	if m.Make {
		if name, err = l.name(ctx, name); err != nil {
			return nil, err
		}
	}
	open := func() error {
		return l.do(ctx, "SELECT "+name, commandTime, func() (err error) {
			data, err = l.c.Select(name, nil).Wait()
			return err
		})
	}
	if m.Make {
		return data, l.into(ctx, name, open)
	}
	return data, open()
}

// begin tells the ledger what the folder holds already. A server without
// UIDNEXT (RFC 9051 section 7.1 demands it) is asked for the UIDs themselves.
func (m *Mailbox) begin(ctx context.Context, data *imap.SelectData) error {
	top := uint32(data.UIDNext)
	if top > 0 {
		top--
	} else {
		uids, err := m.watch.line.search(ctx, nil)
		if err != nil {
			return err
		}
		if len(uids) > 0 {
			top = uids[len(uids)-1]
		}
	}
	floor, err := m.floor(ctx, top)
	if err != nil {
		return err
	}
	if err := m.Ledger.Begin(ctx, data.UIDValidity, floor, top); err != nil {
		return &ledgerError{err}
	}
	return nil
}

// floor is the highest UID up to which all mail came before that counts; top
// when none came since. The server's SINCE knows days alone, in whatever zone
// (RFC 9051 section 6.4.4), so the two days before are looked through.
func (m *Mailbox) floor(ctx context.Context, top uint32) (uint32, error) {
	since, err := m.Ledger.Since(ctx)
	if err != nil {
		return 0, &ledgerError{err}
	}
	if since.IsZero() || top == 0 {
		return top, nil
	}
	since = since.Truncate(time.Second) // as INTERNALDATE is told
	l := m.watch.line
	uids, err := l.searchFor(ctx, &imap.SearchCriteria{Since: since.UTC().AddDate(0, 0, -1)})
	if err != nil {
		return 0, err
	}
	for part := range slices.Chunk(uids, 1000) {
		heads, left, err := l.ask(ctx, part, outline, 0, func(p *piece) bool { return !p.date.IsZero() })
		if err != nil {
			return 0, err
		}
		for _, uid := range part {
			if h := heads[uid]; h != nil && !h.date.Before(since) || slices.Contains(left, uid) {
				return min(uid-1, top), nil
			}
		}
	}
	return top, nil
}

// look finds the UIDs that the ledger does not know.
func (m *Mailbox) look(ctx context.Context) error {
	w := &m.watch
	if w.due >= duePoll && !w.fresh {
		if err := m.selectFolder(ctx); err != nil {
			return err
		}
	}
	w.fresh = false
	select { // what is announced from now on needs another look
	case <-w.line.wake:
	default:
	}
	uids, err := m.candidates(ctx)
	if err != nil {
		return err
	}
	w.pending, err = m.unknown(ctx, uids)
	if err != nil {
		return err
	}
	w.pending = slices.DeleteFunc(w.pending, func(uid uint32) bool { return time.Now().Before(w.skip[uid]) })
	switch {
	case len(w.pending) > 0:
		w.hollow = 0
	case w.woken:
		w.hollow++
	}
	w.woken = false
	m.seen()
	return nil
}

func (m *Mailbox) seen() {
	m.mu.Lock()
	m.status.Seen = time.Now()
	m.hasLooked()
	m.mu.Unlock()
}

// candidates are the UIDs to compare with the ledger: all, or those above
// the highest that was taken in.
func (m *Mailbox) candidates(ctx context.Context) ([]uint32, error) {
	w := &m.watch
	if w.due == dueAll {
		uids, err := w.line.search(ctx, nil)
		if err == nil && time.Since(w.reconciled) >= or(m.Reconcile, DefaultReconcile) {
			w.reconciled = time.Now()
		}
		return uids, err
	}
	cursor, err := m.Ledger.Cursor(ctx, w.validity)
	if err != nil {
		return nil, &ledgerError{err}
	}
	if cursor == math.MaxUint32 {
		return nil, nil
	}
	uids, err := w.line.search(ctx, imap.UIDSet{{Start: imap.UID(cursor + 1)}})
	// n:* always names the last message (RFC 9051 section 9, seq-range).
	return slices.DeleteFunc(uids, func(uid uint32) bool { return uid <= cursor }), err
}

// search is UID SEARCH for those of set that are there, ascending; nil is ALL.
func (l *line) search(ctx context.Context, set imap.UIDSet) ([]uint32, error) {
	criteria := &imap.SearchCriteria{}
	if set != nil {
		criteria.UID = []imap.UIDSet{set}
	}
	return l.searchFor(ctx, criteria)
}

// searchFor is UID SEARCH, ascending.
func (l *line) searchFor(ctx context.Context, criteria *imap.SearchCriteria) ([]uint32, error) {
	var data *imap.SearchData
	err := l.do(ctx, "UID SEARCH", fetchTime, func() (err error) {
		data, err = l.c.UIDSearch(criteria, nil).Wait()
		return err
	})
	if err != nil {
		return nil, err
	}
	var uids []uint32
	for _, uid := range data.AllUIDs() {
		uids = append(uids, uint32(uid))
	}
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

// unknown asks the ledger in portions that fit into one SQL statement.
func (m *Mailbox) unknown(ctx context.Context, uids []uint32) ([]uint32, error) {
	var all []uint32
	for part := range slices.Chunk(uids, 1000) {
		some, err := m.Ledger.Unknown(ctx, m.watch.validity, part)
		if err != nil {
			return nil, &ledgerError{err}
		}
		all = append(all, some...)
	}
	return merge(all, nil), nil
}

// merge is the union of two sets of UIDs, ascending.
func merge(a, b []uint32) []uint32 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
