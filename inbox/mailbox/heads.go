package mailbox

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2"
)

// maxHead is how long a header may be (trust.md 2.4).
const maxHead = 256 << 10

// Heads gives the headers of the newest messages of a folder, up to most, that
// came since a day and whose field holds a value. It uses a connection of its
// own and changes nothing. A folder that is not there has none.
func (m *Mailbox) Heads(ctx context.Context, folder, field, value string, since time.Time, most int) ([][]byte, error) {
	l, err := m.open(ctx)
	if err != nil {
		return nil, err
	}
	defer l.logout()
	name, err := l.name(ctx, folder)
	if err != nil {
		return nil, err
	}
	err = l.do(ctx, "EXAMINE "+name, commandTime, func() error {
		_, err := l.c.Select(name, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	if refused(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found *imap.SearchData
	err = l.do(ctx, "UID SEARCH", fetchTime, func() (err error) {
		found, err = l.c.UIDSearch(&imap.SearchCriteria{Since: since, Header: []imap.SearchCriteriaHeaderField{{Key: field, Value: value}}}, nil).Wait()
		return err
	})
	if err != nil {
		return nil, err
	}
	var uids []uint32
	for _, uid := range found.AllUIDs() {
		uids = append(uids, uint32(uid))
	}
	uids = uids[max(0, len(uids)-most):]
	if len(uids) == 0 {
		return nil, nil
	}
	heads, _, err := l.ask(ctx, uids, section(&imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader}), maxHead, wholeBody())
	var out [][]byte
	for _, uid := range uids {
		if h := heads[uid]; h != nil {
			out = append(out, h.body)
		}
	}
	return out, err
}
