package compose

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"galley/send/message"
	"galley/send/store"
)

// asksConsent marks the question to a reader how to thank for a link; it
// names the reader's vote.
const asksConsent = "consent "

// asked is a reader's vote for a link, as `ask` needs it.
type asked struct {
	id                               int64
	sender, name, messageID, consent string
	words                            string
	known                            bool
}

// ask sends the reader who suggested a link one question: how to be thanked
// (conversation.md section 1). It goes only to those on the list, once for all
// links of a mail, and repeats nothing of what was written.
func (d *Desk) ask(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	links, missing, err := d.named(ctx, tx, r.n, c.Args)
	if err != nil {
		return "", err
	}
	if len(missing) > 0 || len(links) == 0 {
		return d.noSuchLink(ctx, tx, r, c, missing)
	}
	var done []string
	for _, l := range links {
		v, err := firstVote(ctx, tx, l.ID)
		if err != nil {
			return "", err
		}
		if why := v.silence(l.FromEditor); why != "" {
			if len(done) > 0 && v.consent == "asked" {
				continue // of the same mail as the one before
			}
			return r.tell(ctx, tx, d, "no-fit", map[string]any{"What": c.Word, "Why": r.n.phrase("fit-why", map[string]any{"Why": why}), "Words": l.Number() + "  " + l.Item(), "Open": d.standing(ctx, tx, r)})
		}
		if err := d.askReader(ctx, tx, r.n, v, l); err != nil {
			return "", err
		}
		done = append(done, l.Number()+"  "+l.Item())
	}
	return r.tell(ctx, tx, d, "asked", map[string]any{"Links": done, "Open": d.standing(ctx, tx, r)})
}

// silence names why a reader is not asked, as the catalogue's fit-why does; "" when nothing speaks against it.
func (v asked) silence(fromEditor bool) string {
	switch {
	case fromEditor:
		return "own-link"
	case v.consent == "asked":
		return "asked-before"
	case v.words != "":
		return "said-" + v.consent
	case !v.known:
		return "unknown"
	}
	return ""
}

func firstVote(ctx context.Context, tx *store.Tx, suggestion int64) (v asked, err error) {
	err = tx.QueryRowContext(ctx, `SELECT id, sender, name, message_id, consent, words, known FROM vote WHERE suggestion = $1 ORDER BY id LIMIT 1`, suggestion).
		Scan(&v.id, &v.sender, &v.name, &v.messageID, &v.consent, &v.words, &v.known)
	return v, err
}

func (d *Desk) askReader(ctx context.Context, tx *store.Tx, n *Newsletter, v asked, l *waitingLink) error {
	to, err := message.ParseAddress(v.sender)
	if err != nil {
		return err
	}
	to.Name = oneLine(v.name)
	title := l.Title
	if title == "" {
		title = l.URL
	}
	first, _, _ := strings.Cut(n.Editors[0].Name, " ")
	subject, text, err := say(n.Frame.Looks, "may-we-name-you", map[string]any{"Name": firstName(to.Name), "Full": to.Name, "Newsletter": n.Frame.Name, "Title": title, "Signed": first})
	if err != nil {
		return err
	}
	from := n.From
	from.Name = n.Frame.Name
	err = d.post(ctx, tx, n, &mail{paper: paper{Kind: paperAnswer, Asks: asksConsent + strconv.FormatInt(v.id, 10)}, to: to, from: &from,
		answers: v.messageID, subject: subject, text: text})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE vote SET consent = 'asked' WHERE sender = $1 AND words = '' AND message_id = $2`, v.sender, v.messageID)
	return err
}

func firstName(name string) string {
	first, _, _ := strings.Cut(name, " ")
	return first
}

// Consent tells whether a mail answers the question how to thank its sender.
func (d *Desk) Consent(ctx context.Context, tx *store.Tx, newsletter, inReplyTo, sender string) (bool, error) {
	p, err := scanPaper(tx.QueryRowContext(ctx, `SELECT `+paperColumns+` FROM proof WHERE newsletter = $1 AND message_id = $2`, newsletter, inReplyTo))
	return p != nil && strings.HasPrefix(p.Asks, asksConsent) && strings.EqualFold(p.Editor, sender), err
}

// Consented keeps what a reader says about being named, with its words and
// date, for all links of the mail that was asked about. consent is named,
// anonymous or private; as is the name that was asked for, "" for their own.
func (d *Desk) Consented(ctx context.Context, tx *store.Tx, newsletter, inReplyTo, consent, words, as string) error {
	p, err := scanPaper(tx.QueryRowContext(ctx, `SELECT `+paperColumns+` FROM proof WHERE newsletter = $1 AND message_id = $2`, newsletter, inReplyTo))
	if err != nil || p == nil {
		return errors.Join(err, fmt.Errorf("no question %s", inReplyTo))
	}
	vote, err := strconv.ParseInt(strings.TrimPrefix(p.Asks, asksConsent), 10, 64)
	if err != nil {
		return fmt.Errorf("question %d asks %q", p.ID, p.Asks)
	}
	_, err = tx.ExecContext(ctx, `UPDATE vote SET consent = $1, words = $2, credit = $3, consented = $4
		WHERE sender = (SELECT sender FROM vote WHERE id = $5) AND message_id = (SELECT message_id FROM vote WHERE id = $5)`,
		consent, words, as, store.Micros(tx.Now()), vote)
	return err
}
