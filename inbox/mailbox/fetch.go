package mailbox

import (
	"cmp"
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	// fetchTime is how long one FETCH or SEARCH may take in all.
	fetchTime = 15 * time.Minute
	// rounds is how often a message is asked for that does not come whole.
	rounds = 3
	// headerSize is how much of the header of a too big message is fetched.
	headerSize = 256 << 10
)

// piece is what FETCH answers have told about one message.
type piece struct {
	uid     uint32
	flags   []string
	date    time.Time
	size    int64 // RFC822.SIZE, -1: not told
	body    []byte
	hasBody bool
}

// tray gathers FETCH answers by UID. The library gives an answer to the
// command when its UID comes first, and to the stray handler when the UID
// stands behind the literal or was answered before; both end here.
type tray struct {
	limit int64 // octets of a body that are kept; longer ones are passed over

	mu       sync.Mutex
	ready    sync.Cond // reading is zero
	got      map[uint32]*piece
	readings int // strays being read
}

func newTray(limit int64) *tray {
	t := &tray{limit: limit, got: map[uint32]*piece{}}
	t.ready.L = &t.mu
	return t
}

// stray takes a FETCH answer that the library could not place.
func (l *line) stray(msg *imapclient.FetchMessageData) {
	t := l.tray.Load()
	if t == nil {
		t = newTray(0)
	}
	t.mu.Lock()
	t.readings++
	t.mu.Unlock()
	t.add(msg) // of an error the command hears too
	t.mu.Lock()
	t.readings--
	t.ready.Broadcast()
	t.mu.Unlock()
}

// add reads one answer to its end; nothing else is read before that. After an
// error msg must not be touched: its Next would read on beside the library,
// which goes on too.
func (t *tray) add(msg *imapclient.FetchMessageData) error {
	p := &piece{size: -1}
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch it := item.(type) {
		case imapclient.FetchItemDataUID:
			p.uid = uint32(it.UID)
		case imapclient.FetchItemDataFlags:
			p.flags = names(it.Flags)
		case imapclient.FetchItemDataInternalDate:
			p.date = it.Time
		case imapclient.FetchItemDataRFC822Size:
			p.size = it.Size
		case imapclient.FetchItemDataBodySection:
			body, whole, err := literal(it.Literal, t.limit)
			if err != nil {
				return err
			}
			p.body, p.hasBody = body, whole
		}
	}
	t.mu.Lock()
	t.merge(p)
	t.mu.Unlock()
	return nil
}

func names(flags []imap.Flag) []string {
	list := make([]string, 0, len(flags))
	for _, f := range flags {
		list = append(list, string(f))
	}
	return list
}

// literal reads a body; it is not whole when there is none (NIL), or one that
// is too long. The error is that of a line that broke in the middle.
func literal(r imap.LiteralReader, limit int64) (body []byte, whole bool, err error) {
	if r == nil || r.Size() > limit {
		return nil, false, nil
	}
	body = make([]byte, r.Size())
	_, err = io.ReadFull(r, body)
	return body, err == nil, err
}

// merge adds what p tells to what is known of its message.
func (t *tray) merge(p *piece) {
	if p.uid == 0 || t.got == nil {
		return
	}
	old := t.got[p.uid]
	if old == nil {
		t.got[p.uid] = p
		return
	}
	if p.flags != nil {
		old.flags = p.flags
	}
	if !p.date.IsZero() {
		old.date = p.date
	}
	if p.size >= 0 {
		old.size = p.size
	}
	if p.hasBody {
		old.body, old.hasBody = p.body, true
	}
}

// settle waits until the strays are read. An answer with a literal was begun
// before the command ended, because the library reads nothing further until
// the literal is read; a later one is lost, and asked for again if it mattered.
func (t *tray) settle() map[uint32]*piece {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.readings > 0 {
		t.ready.Wait()
	}
	got := t.got
	t.got = nil
	return got
}

// fetch is one UID FETCH, streamed. Only one is ever in flight: with several,
// the library waits for the end of the first and the server for the reading
// of the second.
func (l *line) fetch(ctx context.Context, uids []uint32, options *imap.FetchOptions, limit int64) (map[uint32]*piece, error) {
	t := newTray(limit)
	l.tray.Store(t)
	defer l.tray.Store(nil)
	err := l.do(ctx, "UID FETCH", fetchTime, func() error {
		cmd := l.c.Fetch(uidSet(uids), options)
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			if err := t.add(msg); err != nil {
				l.Close()
				<-l.c.Closed() // without cmd.Close, which would read on
				return err
			}
		}
		return cmd.Close()
	})
	return t.settle(), err
}

func uidSet(uids []uint32) imap.UIDSet {
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	return set
}

// ask fetches uids until every one came whole, at most three times, the later
// times one by one, so that one bad message does not spoil a set. Those that
// are gone are missing from the answer; left are those that are there and
// never came whole. After an error the answer holds what came before it.
func (l *line) ask(ctx context.Context, uids []uint32, options *imap.FetchOptions, limit int64, whole func(*piece) bool) (got map[uint32]*piece, left []uint32, err error) {
	got = map[uint32]*piece{}
	for round := 0; round < rounds && len(uids) > 0; round++ {
		sets := [][]uint32{uids}
		if round > 0 {
			there, err := l.search(ctx, uidSet(uids))
			if err != nil {
				return got, nil, err
			}
			uids = there // the others were moved or expunged meanwhile
			sets = slices.Collect(slices.Chunk(uids, 1))
		}
		for _, set := range sets {
			pieces, err := l.fetch(ctx, set, options, limit)
			for _, uid := range set {
				if p := pieces[uid]; p != nil && whole(p) {
					got[uid] = p
				}
			}
			if err != nil && !refused(err) {
				return got, nil, err
			}
		}
		uids = slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool { return got[uid] != nil })
	}
	return got, uids, nil
}

// outline is what is asked of a message before its body: never ENVELOPE and
// BODYSTRUCTURE, whose answers the library does not always understand.
var outline = &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true}

func section(s *imap.FetchItemBodySection) *imap.FetchOptions {
	s.Peek = true // reading is for people: \Seen stays as it is
	return &imap.FetchOptions{UID: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{s}}
}

// take fetches the next messages of pending.
func (m *Mailbox) take(ctx context.Context) ([]Message, error) {
	w := &m.watch
	if w.window == 0 {
		w.window = batchCount
	}
	set := w.pending[:min(w.window, len(w.pending))]
	batch, rest, err := m.fetchSet(ctx, set)
	if err == nil || refused(err) {
		w.pending = merge(rest, w.pending[len(set):])
		w.window = min(2*w.window, batchCount)
		return batch, err
	}
	// The next FETCH is for one UID, to find the one that breaks the line.
	w.window = 1
	if len(set) == 1 && len(batch) == 0 && ctx.Err() == nil {
		m.strike(set[0], "a message breaks the connection")
	}
	return batch, err
}

// leaveOut is how long a message is left out at first; the time doubles up to
// the reconcile's.
const leaveOut = 5 * time.Minute

// strike notes that a message did not come. After three times it is left out
// for a while, so that the others come.
func (m *Mailbox) strike(uid uint32, why string) {
	w := &m.watch
	if w.strikes == nil {
		w.strikes, w.skip = map[uint32]int{}, map[uint32]time.Time{}
	}
	w.strikes[uid]++
	over := w.strikes[uid] - rounds
	if over < 0 {
		return
	}
	d := min(leaveOut<<min(over, 10), or(m.Reconcile, DefaultReconcile))
	w.skip[uid] = time.Now().Add(d)
	m.log().Warn(why+" and is left out for now", "uidvalidity", w.validity, "uid", uid, "for", d)
}

// overdue reports that a message was left out long enough.
func (w *watch) overdue(now time.Time) bool {
	for uid, until := range w.skip {
		if !now.Before(until) {
			delete(w.skip, uid)
			return true
		}
	}
	return false
}

// fetchSet fetches as many messages of set as fit into a batch; rest is what
// did not. What came before an error is in the batch.
func (m *Mailbox) fetchSet(ctx context.Context, set []uint32) (batch []Message, rest []uint32, err error) {
	l := m.watch.line
	heads, missing, err := m.outlines(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	small, big, rest := m.split(set, heads)
	m.watch.keepOutlines(rest, heads)
	whole := section(&imap.FetchItemBodySection{})
	bodies, left, err := l.ask(ctx, small, whole, m.maxSize(), wholeBody())
	batch = m.messages(small, heads, bodies, false)
	missing = append(missing, left...)
	if err == nil && len(big) > 0 {
		top := section(&imap.FetchItemBodySection{
			Specifier: imap.PartSpecifierHeader, Partial: &imap.SectionPartial{Size: headerSize},
		})
		bodies, left, err = l.ask(ctx, big, top, headerSize, func(p *piece) bool { return p.hasBody })
		batch = append(batch, m.messages(big, heads, bodies, true)...)
		missing = append(missing, left...)
	}
	for _, uid := range missing {
		m.incomplete(uid)
	}
	slices.SortFunc(batch, func(a, b Message) int { return cmp.Compare(a.UID, b.UID) })
	return batch, rest, err
}

// outlines asks for the outlines of set. Those of messages that did not fit
// into the last batch were told already, on this line.
func (m *Mailbox) outlines(ctx context.Context, set []uint32) (heads map[uint32]*piece, missing []uint32, err error) {
	w := &m.watch
	var ask []uint32
	known := w.heads
	w.heads = nil
	for _, uid := range set {
		if known[uid] == nil {
			ask = append(ask, uid)
		}
	}
	heads, missing, err = w.line.ask(ctx, ask, outline, 0, func(p *piece) bool { return p.size >= 0 })
	for _, uid := range set {
		if p := known[uid]; p != nil {
			heads[uid] = p
		}
	}
	return heads, missing, err
}

// keepOutlines keeps those of the messages that the next batch begins with.
func (w *watch) keepOutlines(rest []uint32, heads map[uint32]*piece) {
	w.heads = make(map[uint32]*piece, len(rest))
	for _, uid := range rest {
		if p := heads[uid]; p != nil {
			w.heads[uid] = p
		}
	}
}

// incomplete leaves out a message that was asked for three times.
func (m *Mailbox) incomplete(uid uint32) {
	if m.watch.strikes[uid] == 0 {
		m.strike(uid, "")
		m.strike(uid, "")
	}
	m.strike(uid, "a message did not come whole")
}

// split tells the messages to fetch now from those that are too big and from
// those that do not fit into this batch.
func (m *Mailbox) split(set []uint32, heads map[uint32]*piece) (small, big, rest []uint32) {
	var sum int64
	for i, uid := range set {
		p := heads[uid]
		switch {
		case p == nil:
		case p.size > m.maxSize():
			big = append(big, uid)
		case sum > 0 && sum+p.size > batchBytes:
			return small, big, set[i:]
		default:
			sum += p.size
			small = append(small, uid)
		}
	}
	return small, big, nil
}

// wholeBody accepts a body as long as RFC822.SIZE says. Some servers only
// estimate that size: a body that comes three times in another length, always
// the same, is accepted too, or such a message would never be read.
func wholeBody() func(*piece) bool {
	seen := map[uint32]map[int]int{}
	return func(p *piece) bool {
		if !p.hasBody || len(p.body) == 0 && p.size != 0 {
			return false
		}
		if int64(len(p.body)) == p.size {
			return true
		}
		if seen[p.uid] == nil {
			seen[p.uid] = map[int]int{}
		}
		seen[p.uid][len(p.body)]++
		return seen[p.uid][len(p.body)] == rounds
	}
}

func (m *Mailbox) messages(uids []uint32, heads, bodies map[uint32]*piece, tooBig bool) []Message {
	var list []Message
	for _, uid := range uids {
		h, b := heads[uid], bodies[uid]
		if b == nil {
			continue
		}
		list = append(list, Message{UIDValidity: m.watch.validity, UID: uid, Flags: h.flags,
			Received: h.date, Size: h.size, Raw: b.body, TooBig: tooBig})
	}
	return list
}
