package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"galley/compose/lint"
	"galley/send/store"
)

// Suggestion is what one mail suggests: its links stay together under one
// number.
type Suggestion struct {
	Newsletter string
	Message    int64
	Sender     string // bare address
	Name       string // as the sender writes it
	Links      []SuggestedLink
	Note       string // words of the mail that stand beside no link
	Section    string // that the mail or its tag names, "" if none
	Consent    string // named, anonymous, private; "" is anonymous until asked
	Words      string // the words of the consent
	Credit     string // the name that was asked for
	MessageID  string // of the sender's mail, for a question in its thread
	Known      bool   // the sender is on the list, so may be written to
	Answered   bool   // the mail is a letter too, which the editor answers
}

// SuggestedLink is one link and the words around it.
type SuggestedLink struct{ URL, Note string }

// Suggest keeps links for the editor. A link that is known already gets
// another vote; one mail votes once.
func (d *Desk) Suggest(ctx context.Context, tx *store.Tx, in *Suggestion) error {
	entry, part := 0, 0
	for _, l := range in.Links {
		canonical := lint.Canonical(l.URL)
		id, err := suggestionOf(ctx, tx, in.Newsletter, canonical)
		if err != nil {
			return err
		}
		if id == 0 {
			if entry == 0 {
				if entry, err = nextEntry(ctx, tx, in.Newsletter); err != nil {
					return err
				}
			}
			if len(in.Links) > 1 {
				part++
			}
			if id, err = insertSuggestion(ctx, tx, in, l, canonical, d.sectionIn(in, l), entry, part); err != nil {
				return err
			}
		}
		if err := vote(ctx, tx, in, l, id); err != nil {
			return err
		}
	}
	tx.AfterCommit(d.pages.Ring)
	return d.acknowledge(ctx, tx, in)
}

// sectionIn is the section that the words around a link name: "a nice one
// for your Random section".
func (d *Desk) sectionIn(in *Suggestion, l SuggestedLink) string {
	n := d.Newsletters[in.Newsletter]
	if in.Section != "" || n == nil {
		return in.Section
	}
	note := strings.ToLower(l.Note + " " + in.Note)
	for _, name := range n.sections() {
		if strings.Contains(note, strings.ToLower(name)) {
			return name
		}
	}
	return ""
}

// suggestionOf finds a link by its canonical address. One that was used or
// declined is there too: it is voted for again and comes to no new number.
func suggestionOf(ctx context.Context, tx *store.Tx, newsletter, canonical string) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT id FROM suggestion WHERE newsletter = $1 AND canonical = $2`, newsletter, canonical).Scan(&id)
	if store.NotFound(err) {
		err = nil
	}
	return id, err
}

// nextEntry is the next number; a number means one mail's links for good.
func nextEntry(ctx context.Context, tx *store.Tx, newsletter string) (n int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT coalesce(max(entry), 0) + 1 FROM suggestion WHERE newsletter = $1`, newsletter).Scan(&n)
	return n, err
}

func insertSuggestion(ctx context.Context, tx *store.Tx, in *Suggestion, l SuggestedLink, canonical, section string, entry, part int) (id int64, err error) {
	published := 0
	err = tx.QueryRowContext(ctx, `SELECT coalesce(max(issue), 0) FROM link WHERE newsletter = $1 AND canonical = $2`, in.Newsletter, canonical).Scan(&published)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO suggestion (newsletter, entry, part, canonical, url, section, state, published, made, changed)
		VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8, $9) RETURNING id`,
		in.Newsletter, entry, part, canonical, l.URL, section, published, store.Micros(tx.Now()), store.Micros(tx.Now())).Scan(&id)
	return id, err
}

// vote counts a sender once for a link, with the words of the first mail.
func vote(ctx context.Context, tx *store.Tx, in *Suggestion, l SuggestedLink, id int64) error {
	consent := in.Consent
	if consent == "" {
		consent = "anonymous"
	}
	said := int64(0)
	if in.Words != "" {
		said = store.Micros(tx.Now())
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO vote (suggestion, message, sender, name, note, consent, words, credit, message_id, known, consented, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (suggestion, sender) DO NOTHING`,
		id, nullable(in.Message), in.Sender, in.Name, l.Note, consent, in.Words, in.Credit, in.MessageID, in.Known, said, store.Micros(tx.Now()))
	return err
}

// waitingLink is a suggestion as the editor sees it.
type waitingLink struct {
	ID                    int64
	Entry, Part           int
	URL, Title, Author    string // URL is the canonical one, which carries no tracking
	Section               string
	State                 string
	Published             int // the issue that had it, 0 if none
	Votes                 int
	Note, Consent, Credit string // of the first vote
	Name                  string
	FromEditor            bool
	n                     *Newsletter // in whose words it is told
}

// Number is how the editor names the link: 221, or 221b.
func (w *waitingLink) Number() string {
	if w.Part == 0 {
		return fmt.Sprint(w.Entry)
	}
	return fmt.Sprintf("%d%s", w.Entry, letter(w.Part))
}

// letter is a for 1, z for 26, aa for 27.
func letter(n int) string {
	s := ""
	for ; n > 0; n = (n - 1) / 26 {
		s = string(rune('a'+(n-1)%26)) + s
	}
	return s
}

// Item is the link as a ready Markdown item.
func (w *waitingLink) Item() string {
	title := w.Title
	if title == "" {
		title = w.URL
	}
	item := "[" + strings.NewReplacer("[", `\[`, "]", `\]`).Replace(title) + "](" + w.URL + ")"
	if w.Author != "" {
		item += " - " + w.Author
	}
	return item
}

// Line is the link in one line of the panel.
func (w *waitingLink) Line() string {
	title := w.Title
	if title == "" {
		title = hostOf(w.URL)
	}
	if w.Author != "" {
		title += " - " + w.Author
	}
	line := strings.TrimRight(title, ".") + ". " + w.From()
	return line + w.before()
}

// From says who suggested the link, as far as they may be told apart.
func (w *waitingLink) From() string { return w.n.phrase("link-from", w) }

// before tells that an earlier issue had the link.
func (w *waitingLink) before() string {
	if w.Published == 0 {
		return ""
	}
	return " " + w.n.phrase("link-before", w.Published)
}

func hostOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

const waitingColumns = `s.id, s.entry, s.part, s.canonical, s.title, s.author, s.section, s.state, s.published,
	(SELECT count(*) FROM vote WHERE vote.suggestion = s.id), v.note, v.consent, v.credit, v.name, v.sender`

const waitingFrom = ` FROM suggestion s JOIN vote v ON v.id = (SELECT min(id) FROM vote WHERE vote.suggestion = s.id) WHERE s.newsletter = $1`

func (d *Desk) scanWaiting(n *Newsletter, row scanner) (*waitingLink, error) {
	w := waitingLink{n: n}
	var sender string
	err := row.Scan(&w.ID, &w.Entry, &w.Part, &w.URL, &w.Title, &w.Author, &w.Section, &w.State, &w.Published,
		&w.Votes, &w.Note, &w.Consent, &w.Credit, &w.Name, &sender)
	if w.Credit == "" {
		w.Credit = w.Name
	}
	_, w.FromEditor = n.editor(sender)
	return &w, err
}

// waiting lists the links that wait, oldest first.
func (d *Desk) waiting(ctx context.Context, tx *store.Tx, n *Newsletter) ([]*waitingLink, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+waitingColumns+waitingFrom+` AND s.state = 'waiting' ORDER BY s.entry, s.part`, n.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*waitingLink
	for rows.Next() {
		w, err := d.scanWaiting(n, rows)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, rows.Err()
}

// LinkPage is what a link's page says of itself.
type LinkPage struct{ Title, Author, Site string }

// FetchPages looks at the pages of new links until ctx ends, so that the
// editor gets ready items. A page that cannot be fetched is not
// asked for again, and its link is a suggestion all the same.
func (d *Desk) FetchPages(ctx context.Context, fetch func(context.Context, string) (LinkPage, error)) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		if err := d.fetchDue(ctx, fetch); err != nil && ctx.Err() == nil {
			d.Log.Error("desk: pages of suggestions", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-d.pages.Rang():
		}
	}
}

func (d *Desk) fetchDue(ctx context.Context, fetch func(context.Context, string) (LinkPage, error)) error {
	ids, err := d.ids(ctx, `SELECT id FROM suggestion WHERE looked = 0 AND state = 'waiting' ORDER BY id LIMIT 20`)
	for _, id := range ids {
		err = errors.Join(err, d.fetchOne(ctx, id, fetch))
	}
	return err
}

func (d *Desk) fetchOne(ctx context.Context, id int64, fetch func(context.Context, string) (LinkPage, error)) error {
	var url string
	err := d.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT url FROM suggestion WHERE id = $1`, id).Scan(&url)
	})
	if err != nil {
		return err
	}
	page, ferr := fetch(ctx, url)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if ferr != nil {
		d.Log.Info("desk: a suggestion's page was not read", "error", ferr)
	}
	return d.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE suggestion SET title = $1, author = $2, site = $3, looked = $4 WHERE id = $5`,
			oneLine(page.Title), oneLine(page.Author), oneLine(page.Site), store.Micros(tx.Now()), id)
		return err
	})
}

// sections are the names of the newsletter's usual sections.
func (n *Newsletter) sections() []string {
	names := append([]string{"Random"}, n.Frame.Sections...)
	// The longest first: "Random Numbers" is not "Random".
	slices.SortStableFunc(names, func(a, b string) int { return len(b) - len(a) })
	return names
}
