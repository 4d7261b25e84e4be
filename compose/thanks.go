package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
)

// thanked is a reader whose links stand in an issue.
type thanked struct {
	sender, name, messageID string
	titles                  []string
	credits                 []string // the names under which the reader may be thanked, none for "a reader"
	private                 bool
}

// thank sends each reader of whom a link was used one mail when the run has
// ended, so that it never arrives before the issue (conversation.md section 1).
// It goes only to those on the list who have not asked for quiet.
func (d *Desk) thank(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) error {
	if !n.Thanks || d.People == nil {
		return nil
	}
	readers, err := toThank(ctx, tx, n, i)
	if err != nil || len(readers) == 0 {
		return err
	}
	row, err := revisionOf(ctx, tx, i.ID, i.Approved)
	if err != nil || row == nil {
		return err
	}
	for _, r := range readers {
		err = errors.Join(err, d.thankOne(ctx, tx, n, i, r, string(row.Markdown)))
	}
	return err
}

// toThank gathers the first to suggest each link that was used in an issue,
// one entry a reader.
func toThank(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) (out []*thanked, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT v.sender, v.name, v.message_id, v.consent, v.credit, s.title, s.url FROM suggestion s JOIN vote v ON v.suggestion = s.id
		WHERE s.newsletter = $1 AND s.state = 'used' AND s.issue = $2 ORDER BY v.id`, n.ID, i.Number)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var sender, name, id, consent, credit, title, url string
		if err := rows.Scan(&sender, &name, &id, &consent, &credit, &title, &url); err != nil {
			return nil, err
		}
		if _, editor := n.editor(sender); editor {
			continue
		}
		at := slices.IndexFunc(out, func(t *thanked) bool { return strings.EqualFold(t.sender, sender) })
		if at < 0 {
			at, out = len(out), append(out, &thanked{sender: sender, name: oneLine(name), messageID: id})
		}
		t := out[at]
		if title == "" {
			title = url
		}
		t.titles = append(t.titles, title)
		t.private = t.private || consent == "private"
		if consent == "named" {
			if credit == "" {
				credit = t.name
			}
			t.credits = append(t.credits, credit)
		}
	}
	return out, rows.Err()
}

func (d *Desk) thankOne(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, t *thanked, text string) error {
	addr, err := list.ParseAddress(t.sender)
	if err != nil {
		return nil // what is no address is on no list
	}
	sub, err := d.People.Find(ctx, tx, n.ID, addr)
	if store.NotFound(err) {
		return nil
	}
	var before int
	if err == nil {
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM proof WHERE newsletter = $1 AND issue = $2 AND editor = $3 AND asks = 'thanks'`, n.ID, i.ID, addr.String()).Scan(&before)
	}
	if err != nil || before > 0 || sub.State != list.Active || sub.Quiet {
		return err
	}
	first, _, _ := strings.Cut(n.Editors[0].Name, " ")
	data := map[string]any{"Name": firstName(t.name), "Number": i.Number, "Titles": t.titles, "With": t.with(n, text), "Signed": first, "Archive": ""}
	if n.Frame.Host != "" {
		data["Archive"] = fmt.Sprintf("%s%s/%04d", n.Frame.Host, n.Frame.ArchivePath, i.Number)
	}
	subject, body, err := say(n.Frame.Looks, "thanks", data)
	if err != nil {
		return err
	}
	from := n.From
	from.Name = n.Frame.Name
	return d.post(ctx, tx, n, &mail{paper: paper{Kind: paperAnswer, Issue: i.ID, Asks: "thanks"}, number: i.Number, from: &from,
		to: message.Address{Name: t.name, Addr: addr.String()}, answers: t.messageID, subject: subject, text: body})
}

// with is how the issue thanks the reader: by the name that stands in it, as
// "a reader", or with no word of it.
func (t *thanked) with(n *Newsletter, text string) string {
	if t.private {
		return ""
	}
	for _, c := range t.credits {
		if c != "" && strings.Contains(text, c) {
			return `"` + c + `"`
		}
	}
	if len(t.credits) > 0 {
		return "" // the editor left the name out
	}
	return n.phrase("a-reader", nil)
}
