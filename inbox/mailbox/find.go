package mailbox

import (
	"context"
	"slices"

	"github.com/emersion/go-imap/v2"
)

// Take looks for the message with a Message-ID in the mailbox's folder and in
// those of folders that exist, fetches it and deletes it. It uses a connection
// of its own, so that Next may wait meanwhile. It returns nil when the message
// is nowhere. A server without UIDPLUS is asked to mark it as deleted, and
// whoever empties the folder next empties it of this one too.
func (m *Mailbox) Take(ctx context.Context, messageID string, folders ...string) (*Message, error) {
	l, err := m.open(ctx)
	if err != nil {
		return nil, err
	}
	defer l.logout()
	names := []string{m.folder()}
	for _, f := range folders {
		name, err := l.name(ctx, f)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	for _, name := range slices.Compact(names) {
		msg, err := l.takeFrom(ctx, name, messageID, m.maxSize())
		if msg != nil || err != nil && !refused(err) {
			return msg, err
		}
	}
	return nil, nil
}

func (l *line) takeFrom(ctx context.Context, folder, messageID string, limit int64) (*Message, error) {
	var data *imap.SelectData
	err := l.do(ctx, "SELECT "+folder, commandTime, func() (err error) {
		data, err = l.c.Select(folder, nil).Wait()
		return err
	})
	if err != nil {
		return nil, err
	}
	var found *imap.SearchData
	err = l.do(ctx, "UID SEARCH", fetchTime, func() (err error) {
		found, err = l.c.UIDSearch(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: messageID}}}, nil).Wait()
		return err
	})
	if err != nil || len(found.AllUIDs()) == 0 {
		return nil, err
	}
	uid := uint32(found.AllUIDs()[0])
	heads, _, err := l.ask(ctx, []uint32{uid}, outline, limit, func(*piece) bool { return true })
	if err != nil {
		return nil, err
	}
	whole := &imap.FetchItemBodySection{}
	bodies, _, err := l.ask(ctx, []uint32{uid}, section(whole), limit, wholeBody())
	if err != nil || heads[uid] == nil || bodies[uid] == nil {
		return nil, err
	}
	h := heads[uid]
	msg := &Message{UIDValidity: data.UIDValidity, UID: uid, Flags: h.flags, Received: h.date, Size: h.size, Raw: bodies[uid].body}
	set := uidSet([]uint32{uid})
	if err := l.store(ctx, set, imap.FlagDeleted); err != nil || !l.caps.Has(imap.CapUIDPlus) {
		return msg, err
	}
	return msg, l.do(ctx, "UID EXPUNGE", commandTime, func() error { return l.c.UIDExpunge(set).Close() })
}
