package compose

import (
	"context"
	"fmt"
	"strings"

	"galley/send/store"
)

// apart is what was filed apart since the last issue, for one line to the
// editor (conversation.md section 1).
type apart struct {
	Count       int
	List, Since string
	Folder      string // where they lie
}

// apart counts the mails that were filed apart since the last issue; nil when
// there are none, so that nothing is said.
func (d *Desk) apart(ctx context.Context, tx *store.Tx, n *Newsletter) (*apart, error) {
	last, err := d.last(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	out, from := &apart{Folder: n.Quarantine}, int64(0)
	if last != nil {
		out.Since, from = fmt.Sprintf("#%d", last.Number), store.Micros(last.SendAt)
	}
	var parts []string
	for _, kind := range []string{"spam", "flood", "huge"} { // the inbox's kinds
		var count int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM message WHERE newsletter = $1 AND kind = $2 AND received > $3`, n.ID, kind, from).Scan(&count)
		if err != nil {
			return nil, err
		}
		if count == 0 {
			continue
		}
		words, _, err := say(n.Frame.Looks, "apart-"+kind, count)
		if err != nil {
			return nil, err
		}
		out.Count += count
		parts = append(parts, words)
	}
	if out.Count == 0 {
		return nil, nil
	}
	out.List = strings.Join(parts, ", ")
	return out, nil
}
