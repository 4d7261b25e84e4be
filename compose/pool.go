package compose

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"galley/send/store"
)

// numbered links: 221, 221b; and the names of sections in "use 214 in Random".
var linkNumber = regexp.MustCompile(`^(\d{1,9})([a-z]{0,2})$`)

// named finds the links that an editor's numbers mean, in the order that was
// written. A number of several links means them all. missing lists what means
// none.
func (d *Desk) named(ctx context.Context, tx *store.Tx, n *Newsletter, numbers []string) (links []*waitingLink, missing []string, err error) {
	for _, number := range numbers {
		m := linkNumber.FindStringSubmatch(strings.ToLower(strings.Trim(number, " ,.")))
		if m == nil {
			missing = append(missing, number)
			continue
		}
		entry, _ := strconv.Atoi(m[1]) // nine digits at most
		found, err := d.linksOf(ctx, tx, n, entry, m[2])
		if err != nil {
			return nil, nil, err
		}
		if len(found) == 0 {
			missing = append(missing, number)
		}
		links = append(links, found...)
	}
	return links, missing, nil
}

func (d *Desk) linksOf(ctx context.Context, tx *store.Tx, n *Newsletter, entry int, part string) ([]*waitingLink, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+waitingColumns+waitingFrom+` AND s.entry = $2 ORDER BY s.part`, n.ID, entry)
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
		if part == "" || part == letter(w.Part) {
			out = append(out, w)
		}
	}
	return out, rows.Err()
}

// putAway declines links, or keeps them for another week; the answer says
// their titles.
func (d *Desk) putAway(ctx context.Context, tx *store.Tx, r *decisionRow, c Command, state string) (string, error) {
	links, missing, err := d.named(ctx, tx, r.n, c.Args)
	if err != nil {
		return "", err
	}
	if len(missing) > 0 || len(links) == 0 {
		return d.noSuchLink(ctx, tx, r, c, missing)
	}
	for _, l := range links {
		if err := setSuggestion(ctx, tx, l.ID, state, 0); err != nil {
			return "", err
		}
	}
	told, untold := 0, []*waitingLink(nil)
	if c.In == kindly {
		if told, untold, err = d.sayNo(ctx, tx, r.n, links); err != nil {
			return "", err
		}
	}
	return r.tell(ctx, tx, d, "put-away-links", map[string]any{"Later": state == "later", "Links": linkLines(links), "Open": d.standing(ctx, tx, r),
		"Told": told, "Untold": linkLines(untold)})
}

func (d *Desk) noSuchLink(ctx context.Context, tx *store.Tx, r *decisionRow, c Command, missing []string) (string, error) {
	return r.tell(ctx, tx, d, "no-fit", map[string]any{"What": c.Word, "Why": r.n.phrase("fit-why", map[string]any{"Why": "no-link"}),
		"Words": strings.Join(missing, ", "), "Open": d.standing(ctx, tx, r)})
}

func setSuggestion(ctx context.Context, tx *store.Tx, id int64, state string, issue int) error {
	_, err := tx.ExecContext(ctx, `UPDATE suggestion SET state = $1, issue = $2, changed = $3 WHERE id = $4`, state, issue, store.Micros(tx.Now()), id)
	return err
}

func linkLines(links []*waitingLink) []string {
	var out []string
	for _, l := range links {
		out = append(out, l.Number()+"  "+l.Item())
	}
	return out
}

// use puts waiting links at the end of a section: a new text, which brings a
// proof.
func (d *Desk) use(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	i, err := d.meant(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if i == nil || i.State.Closed() {
		return d.unclear(ctx, tx, r, i)
	}
	links, missing, err := d.named(ctx, tx, r.n, c.Args)
	if err != nil {
		return "", err
	}
	if len(missing) > 0 || len(links) == 0 {
		return d.noSuchLink(ctx, tx, r, c, missing)
	}
	text, err := d.newestText(ctx, tx, i)
	if err != nil {
		return "", err
	}
	section := c.In
	if section == "" {
		section = links[0].Section
	}
	changed, ok := intoSection(string(text), section, links)
	if !ok {
		return r.tell(ctx, tx, d, "no-fit", map[string]any{"What": c.Word, "Why": r.n.phrase("fit-why", map[string]any{"Why": "no-section"}), "Words": section, "Open": d.standing(ctx, tx, r)})
	}
	for _, l := range links {
		if err := setSuggestion(ctx, tx, l.ID, "used", i.Number); err != nil {
			return "", err
		}
	}
	return "used", d.resubmit(ctx, tx, r, i, []byte(changed))
}

var heading = regexp.MustCompile(`^##\s+(.+?)\s*#*\s*$`)

// intoSection puts links at the end of the section with that heading, before
// the rule that closes it. Without a name it is the last section but the
// sign-off that has items, which is where one-liners go.
func intoSection(text, section string, links []*waitingLink) (string, bool) {
	rows := strings.Split(text, "\n")
	at := slices.IndexFunc(rows, func(row string) bool {
		m := heading.FindStringSubmatch(row)
		return m != nil && strings.EqualFold(strings.TrimSpace(m[1]), strings.TrimSpace(section))
	})
	if at < 0 {
		return "", false
	}
	end := at + 1
	for end < len(rows) && !heading.MatchString(rows[end]) {
		end++
	}
	for end > at+1 && (strings.TrimSpace(rows[end-1]) == "" || ruleLine.MatchString(rows[end-1])) {
		end--
	}
	var items []string
	for _, l := range links {
		items = append(items, "", l.Item())
	}
	return strings.Join(slices.Insert(rows, end, items...), "\n"), true
}

var ruleLine = regexp.MustCompile(`^\s*([-*_])(\s*[-*_]){2,}\s*$`)

// suggestions answers with all links that wait, as ready Markdown items.
func (d *Desk) suggestions(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	links, err := d.waiting(ctx, tx, r.n)
	if err != nil {
		return "", err
	}
	return r.tell(ctx, tx, d, "suggestions", map[string]any{"Links": links, "Open": d.standing(ctx, tx, r)})
}

// panelLinks is how many waiting links a proof shows at most.
const panelLinks = 5

func (d *Desk) fillWaiting(ctx context.Context, tx *store.Tx, n *Newsletter, row *draftRow, v *proofView) error {
	f, err := row.frozen()
	if err != nil {
		return err
	}
	links, err := d.waiting(ctx, tx, n)
	if err != nil {
		return err
	}
	elsewhere, err := d.offered(ctx, tx, n, v.Number)
	if err != nil {
		return err
	}
	links = slices.DeleteFunc(without(links, f.Links), func(w *waitingLink) bool { return elsewhere(w.URL) })
	v.Waiting = len(links)
	v.Links = links[:min(len(links), panelLinks)]
	for _, l := range v.Links {
		v.LinkNumbers = append(v.LinkNumbers, l.Number())
	}
	return nil
}

// offered tells of a link whether the proof of an issue need not name it as
// waiting: it stands in the text of another issue in the making, or stood in
// the starter of this one, where the editor kept it or took it out.
func (d *Desk) offered(ctx context.Context, tx *store.Tx, n *Newsletter, number int) (func(canonical string) bool, error) {
	open, err := issuesIn(ctx, tx, n.ID, Proofed, Approved, Held)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, i := range open {
		if i.Number == number {
			continue
		}
		row, err := revisionOf(ctx, tx, i.ID, i.Revision)
		if err != nil || row == nil {
			return nil, fmt.Errorf("revision %d of #%d: %v", i.Revision, i.Number, err)
		}
		f, err := row.frozen()
		if err != nil {
			return nil, err
		}
		for _, l := range f.Links {
			taken[l.Canonical] = true
		}
	}
	var starter string
	err = tx.QueryRowContext(ctx, `SELECT body FROM starter WHERE newsletter = $1 AND number = $2 ORDER BY day DESC LIMIT 1`, n.ID, number).Scan(&starter)
	if err != nil && !store.NotFound(err) {
		return nil, err
	}
	return func(canonical string) bool {
		return taken[canonical] || strings.Contains(starter, "("+canonical+")")
	}, nil
}

// credit records under which name a reader is thanked.
func (d *Desk) credit(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	links, missing, err := d.named(ctx, tx, r.n, c.Args[:min(1, len(c.Args))])
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(strings.Join(c.Args[min(1, len(c.Args)):], " "))
	if len(links) == 0 || name == "" {
		return d.noSuchLink(ctx, tx, r, c, missing)
	}
	for _, l := range links {
		_, e := tx.ExecContext(ctx, `UPDATE vote SET consent = 'named', credit = $1, words = $2 WHERE id = (SELECT min(id) FROM vote WHERE suggestion = $3)`,
			name, "the editor: "+c.Line, l.ID)
		err = errors.Join(err, e)
	}
	if err != nil {
		return "", err
	}
	return r.tell(ctx, tx, d, "credited", map[string]any{"Number": links[0].Number(), "Name": name, "Open": d.standing(ctx, tx, r)})
}

// resubmit keeps a text that the desk made of an earlier one; it is read like
// any other draft and brings a proof.
func (d *Desk) resubmit(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, text []byte) error {
	told, err := supersede(ctx, tx, i)
	if err != nil {
		return fmt.Errorf("the change before: %w", err)
	}
	in := &Draft{Newsletter: r.n.ID, MessageID: r.MessageID, Editor: r.Editor, Form: formChange, Source: text, Written: r.received}
	if err := d.keepDraft(ctx, tx, in, i); err != nil {
		return err
	}
	var id int64
	err = tx.QueryRowContext(ctx, `UPDATE draft SET told = $1 WHERE id = (SELECT max(id) FROM draft WHERE issue = $2) RETURNING id`, told, i.ID).Scan(&id)
	if r.batch != nil {
		r.batch.draft = id
	}
	return err
}

// supersede drops a change that was not read yet, since the one that follows
// holds it too. What its mail was to be told stays to be told.
func supersede(ctx context.Context, tx *store.Tx, i *Issue) (told string, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE draft SET state = 'dropped', note = 'changed further' WHERE issue = $1 AND state = 'new' AND form = 'change' RETURNING told`, i.ID).Scan(&told)
	if store.NotFound(err) {
		err = nil
	}
	return told, err
}
