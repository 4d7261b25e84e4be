package compose

import (
	"context"
	"slices"
	"strings"
	"time"

	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
)

// kindly is how the editor asks for a kind no: "decline 216 kindly".
const kindly = "kindly"

// The small mails to readers about their links.
const (
	asksKindNo    = "kind no"
	asksLinksKept = "links kept"
)

// willing is the reader at an address who may be mailed about links: on the
// list, no editor, and without the wish for quiet.
func (d *Desk) willing(ctx context.Context, tx *store.Tx, n *Newsletter, sender string) (list.Address, bool, error) {
	addr, err := list.ParseAddress(sender)
	if _, editor := n.editor(sender); err != nil || editor || d.People == nil {
		return addr, false, nil // what is no address is on no list
	}
	sub, err := d.People.Find(ctx, tx, n.ID, addr)
	if store.NotFound(err) {
		return addr, false, nil
	}
	return addr, err == nil && sub.State == list.Active && !sub.Quiet, err
}

// refused is a reader whose links are declined with a kind no.
type refused struct {
	addr            list.Address
	name, messageID string
	titles          []string
}

// sayNo sends the first to suggest each link a kind no, one mail a reader. It
// counts them, and lists the links of which nobody was told.
func (d *Desk) sayNo(ctx context.Context, tx *store.Tx, n *Newsletter, links []*waitingLink) (told int, untold []*waitingLink, err error) {
	var readers []*refused
	for _, l := range links {
		v, err := firstVote(ctx, tx, l.ID)
		if err != nil {
			return 0, nil, err
		}
		addr, ok, err := d.willing(ctx, tx, n, v.sender)
		if err != nil {
			return 0, nil, err
		}
		if !ok {
			untold = append(untold, l)
			continue
		}
		at := slices.IndexFunc(readers, func(r *refused) bool { return r.addr.Key() == addr.Key() })
		if at < 0 {
			at, readers = len(readers), append(readers, &refused{addr: addr, name: oneLine(v.name), messageID: v.messageID})
		}
		title := l.Title
		if title == "" {
			title = l.URL
		}
		readers[at].titles = append(readers[at].titles, title)
	}
	for _, r := range readers {
		data := map[string]any{"Name": firstName(r.name), "Titles": r.titles, "Newsletter": n.Frame.Name}
		if err := d.wordTo(ctx, tx, n, r.addr, r.name, r.messageID, asksKindNo, "kind-no", data); err != nil {
			return 0, nil, err
		}
	}
	return len(readers), untold, nil
}

// wordTo mails a reader a few words about their links, in their thread.
func (d *Desk) wordTo(ctx context.Context, tx *store.Tx, n *Newsletter, to list.Address, name, answers, asks, words string, data map[string]any) error {
	data["Signed"], _, _ = strings.Cut(n.Editors[0].Name, " ")
	subject, text, err := say(n.Frame.Looks, words, data)
	if err != nil {
		return err
	}
	from := n.From
	from.Name = n.Frame.Name
	return d.post(ctx, tx, n, &mail{paper: paper{Kind: paperAnswer, Asks: asks}, from: &from, to: message.Address{Name: name, Addr: to.String()},
		answers: answers, subject: subject, text: text})
}

// acknowledge tells a reader that their links have arrived, where the
// configuration wants it: to those on the list, for links alone, once a day at
// most, which keeps two machines from talking with each other. It repeats
// nothing of what was written (conversation.md section 1).
func (d *Desk) acknowledge(ctx context.Context, tx *store.Tx, in *Suggestion) error {
	n := d.Newsletters[in.Newsletter]
	if n == nil || !n.Acknowledge || in.Answered {
		return nil
	}
	addr, ok, err := d.willing(ctx, tx, n, in.Sender)
	if err != nil || !ok {
		return err
	}
	var today int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM proof WHERE newsletter = $1 AND editor = $2 AND asks = $3 AND made > $4`,
		n.ID, addr.String(), asksLinksKept, store.Micros(tx.Now().Add(-24*time.Hour))).Scan(&today)
	if err != nil || today > 0 {
		return err
	}
	name := oneLine(in.Name)
	return d.wordTo(ctx, tx, n, addr, name, in.MessageID, asksLinksKept, "links-kept", map[string]any{"Name": firstName(name), "Newsletter": n.Frame.Name,
		"Links": len(in.Links), "Thanks": n.Thanks})
}
