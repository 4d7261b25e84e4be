package compose

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"galley/send/message"
	"galley/send/store"
)

// Letter is a reader's mail that says something to the editor.
type Letter struct {
	Newsletter string
	Message    int64
	MessageID  string
	Sender     string // bare address: the editor's answer goes there
	Name       string
	Subject    string
	Body       string    // what the reader wrote
	Original   []byte    // the whole mail as it came, attached for those who want to see it
	Why        LetterWhy // what Galley did with it beside passing it on
	Consent    string
	Words      string
	Since      time.Time // since when the sender is on the list; zero if not
}

// LetterWhy is what was done with a letter beside passing it on, as the
// catalogue's block letter-why names it, and about what; empty for nothing.
type LetterWhy struct{ Why, Of string }

// Pass hands a letter on to the editors, once: as plain text, under the
// reader's name, with the reader's address as Reply-To.
func (d *Desk) Pass(ctx context.Context, tx *store.Tx, in *Letter) error {
	n := d.Newsletters[in.Newsletter]
	if n == nil {
		return fmt.Errorf("no newsletter %q in the configuration", in.Newsletter)
	}
	consent := in.Consent
	if consent == "" {
		consent = "anonymous"
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO letter (newsletter, message, sender, name, subject, body, why, consent, words, state, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (newsletter, message) DO UPDATE SET why = excluded.why, state = excluded.state, at = excluded.at`, // dealt with again
		n.ID, in.Message, in.Sender, in.Name, in.Subject, in.Body, in.Why.Why, consent, in.Words, "passed", store.Micros(tx.Now()))
	if err != nil {
		return err
	}
	for _, e := range n.Editors {
		err = errors.Join(err, d.passTo(ctx, tx, n, in, e))
	}
	return err
}

func (d *Desk) passTo(ctx context.Context, tx *store.Tx, n *Newsletter, in *Letter, to message.Address) error {
	_, head, err := say(n.Frame.Looks, "letter", map[string]any{"Name": in.who(), "Since": n.since(in.Since), "Why": n.phrase("letter-why", in.Why),
		"Consent": in.Consent, "Words": in.Words})
	if err != nil {
		return err
	}
	m := &mail{paper: paper{Kind: paperAnswer, Asks: "letter"}, to: to, subject: oneLine(in.Subject), text: strings.TrimSpace(head) + "\n\n" + in.Body}
	if m.subject == "" {
		m.subject = n.phrase("no-subject", nil)
	}
	if len(in.Original) > 0 {
		// message/rfc822 may not be encoded (RFC 2046 section 5.2.1), and a
		// reader's mail may hold any octets.
		m.attachments = []message.Attachment{{Name: "letter.eml", Type: "application/octet-stream", Data: in.Original}}
	}
	from := n.From
	from.Name = n.phrase("by-way-of", map[string]any{"Who": in.who(), "Name": n.Frame.Name})
	m.from = &from
	if reader, err := message.ParseAddress(in.Sender); err == nil {
		reader.Name = in.Name
		m.replyTo = &reader
	}
	return d.post(ctx, tx, n, m)
}

// who is the reader's name, or their address where they write none.
func (in *Letter) who() string {
	if name := oneLine(in.Name); name != "" {
		return name
	}
	return in.Sender
}

func (n *Newsletter) since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return n.date("month-year", t)
}

// lettersSince answers with all letters since the last issue.
func (d *Desk) lettersSince(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	last, err := d.last(ctx, tx, r.n)
	if err != nil {
		return "", err
	}
	var from int64
	if last != nil {
		from = store.Micros(last.SendAt)
	}
	rows, err := tx.QueryContext(ctx, `SELECT name, sender, subject, body, consent, at FROM letter WHERE newsletter = $1 AND at > $2 ORDER BY id`, r.n.ID, from)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	type line struct{ Who, Sender, Subject, Body, Consent, When string }
	var letters []line
	for rows.Next() {
		var l line
		var at int64
		if err := rows.Scan(&l.Who, &l.Sender, &l.Subject, &l.Body, &l.Consent, &at); err != nil {
			return "", err
		}
		l.When, l.Body = r.n.date("day", store.Instant(at)), strings.TrimSpace(l.Body)
		letters = append(letters, l)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil { // closed: the answer asks the books too
		return "", err
	}
	apart, err := d.apart(ctx, tx, r.n)
	if err != nil {
		return "", err
	}
	return r.tell(ctx, tx, d, "letters", map[string]any{"Letters": letters, "Apart": apart, "Open": d.standing(ctx, tx, r)})
}
