package compose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"galley/compose/lint"
	"galley/compose/markdown"
	"galley/send"
	"galley/send/message"
	"galley/send/store"
)

// draftRow is a draft as the books keep it.
type draftRow struct {
	ID         int64
	Newsletter string
	MessageID  string
	Editor     string
	Sender     string // the address it came from when that is not the editor's
	Form       string
	Subject    string
	Answers    int64
	Fresh      bool
	Remark     string
	Images     string
	Told       string // what its proof says first to its author, of other words of the same mail
	Source     []byte
	Written    time.Time
	Received   time.Time
	State      string
	Issue      int64
	Revision   int
	Digest     string
	Errors     int
	Sendable   bool
	Markdown   []byte
	edition    []byte
}

const draftColumns = `id, newsletter, message_id, editor, sender, form, subject, answers, fresh, remark, images, told, source, written, received, state,
	coalesce(issue, 0), revision, digest, errors, sendable, markdown, edition`

func scanDraft(row scanner) (*draftRow, error) {
	var r draftRow
	var written, received int64
	err := row.Scan(&r.ID, &r.Newsletter, &r.MessageID, &r.Editor, &r.Sender, &r.Form, &r.Subject, &r.Answers, &r.Fresh, &r.Remark, &r.Images,
		&r.Told, &r.Source, &written, &received, &r.State, &r.Issue, &r.Revision, &r.Digest, &r.Errors, &r.Sendable, &r.Markdown, &r.edition)
	if store.NotFound(err) {
		return nil, nil
	}
	r.Written, r.Received = store.Instant(written), store.Instant(received)
	return &r, err
}

func draftByID(ctx context.Context, tx *store.Tx, id int64) (*draftRow, error) {
	return scanDraft(tx.QueryRowContext(ctx, `SELECT `+draftColumns+` FROM draft WHERE id = $1`, id))
}

// revisionOf is the draft that became revision of issue; nil if none.
func revisionOf(ctx context.Context, tx *store.Tx, issue int64, revision int) (*draftRow, error) {
	return scanDraft(tx.QueryRowContext(ctx, `SELECT `+draftColumns+` FROM draft WHERE issue = $1 AND revision = $2`, issue, revision))
}

// frozen is the part of a rendering that readers may get; it is kept with
// the draft, so that what is approved are the bytes that were proofed.
type frozen struct {
	Slug, Title, Subtitle, Date, Subject, Preheader string
	HTML, Text, Web, Feed                           []byte
	Inline                                          []message.Attachment
	Waiting                                         []string // links that had not answered
	Links                                           []published
	Findings                                        []markdown.Finding // for the panel, as the rest below
	Repairs                                         []markdown.Repair
	Sizes                                           lint.Sizes
}

// published is one link of an issue, for the archive of links.
type published struct{ Canonical, URL, Title, Author, Section string }

func (r *draftRow) frozen() (*frozen, error) {
	var f frozen
	if err := json.Unmarshal(r.edition, &f); err != nil {
		return nil, fmt.Errorf("draft %d: its rendering: %w", r.ID, err)
	}
	return &f, nil
}

// edition is what the press gets of an approved draft.
func (r *draftRow) toEdition(ctx context.Context, tx *store.Tx, i *Issue, at time.Time) (*send.Edition, error) {
	f, err := r.framed(ctx, tx)
	if err != nil {
		return nil, err
	}
	return &send.Edition{
		Newsletter: i.Newsletter, Issue: i.Number, Revision: r.Revision, Digest: r.Digest,
		Slug: f.Slug, Title: f.Title, Subtitle: f.Subtitle, Date: f.Date,
		Subject: f.Subject, Preheader: f.Preheader, HTML: f.HTML, Text: f.Text, Web: f.Web, Feed: f.Feed,
		Inline: f.Inline, SendAt: at,
	}, nil
}

// ids lists the rows of a query that asks for ids.
func (d *Desk) ids(ctx context.Context, query string, args ...any) ([]int64, error) {
	var out []int64
	err := d.DB.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			out = append(out, id)
		}
		return rows.Err()
	})
	return out, err
}

// readDrafts turns each new draft into a revision and its proof, or into an
// answer that says why not.
func (d *Desk) readDrafts(ctx context.Context) error {
	ids, err := d.ids(ctx, `SELECT id FROM draft WHERE state = 'new' AND due <= $1 ORDER BY id`, store.Micros(store.Now()))
	for _, id := range ids {
		e := unharmed(func() error {
			waits, err := d.helloFirst(ctx, id)
			if err == nil && !waits {
				err = d.readDraft(ctx, id)
			}
			return err
		})
		if e != nil {
			err = errors.Join(err, d.faulty(ctx, "draft", id, e))
		}
	}
	return err
}

// home is where a draft belongs.
type home struct {
	draft  *draftRow
	issue  *Issue // nil: the first revision of number
	number int
	title  string // of the issue so far
	day    string // of the slot whose empty form began it, "" without one
	next   int    // the number that a new issue is expected to have
}

func (d *Desk) readDraft(ctx context.Context, id int64) error {
	var h home
	var n *Newsletter
	err := d.DB.View(ctx, func(tx *store.Tx) (err error) {
		if h.draft, err = draftByID(ctx, tx, id); err != nil {
			return err
		}
		if n = d.Newsletters[h.draft.Newsletter]; n == nil {
			return fmt.Errorf("no newsletter %q in the configuration", h.draft.Newsletter)
		}
		return h.find(ctx, tx, n)
	})
	if err != nil {
		return err
	}
	if err := d.fitImages(ctx, n.ID); err != nil {
		return err
	}
	r, rerr := d.render(ctx, n, &h)
	return d.DB.Update(ctx, func(tx *store.Tx) error {
		if rerr != nil {
			return d.unreadable(ctx, tx, n, &h, rerr)
		}
		return d.revise(ctx, tx, n, &h, r)
	})
}

// find decides which issue a draft belongs to: the number it bears, else the
// issue of the paper it answers, else the open one with which it shares a
// third of its text, else the next number.
func (h *home) find(ctx context.Context, tx *store.Tx, n *Newsletter) (err error) {
	h.number = NumberOf(markdown.Read(h.source()).Front)
	if h.draft.Issue != 0 || h.number == 0 && h.draft.Answers != 0 {
		if err := h.findAnswered(ctx, tx); err != nil {
			return err
		}
	}
	if h.number == 0 {
		if h.number, err = sharing(ctx, tx, n.ID, string(h.draft.Source)); err != nil {
			return err
		}
	}
	if h.next, err = nextNumber(ctx, tx, n.ID); err != nil {
		return err
	}
	if h.number == 0 {
		h.number = h.next
	}
	if h.issue, err = issueByNumber(ctx, tx, n.ID, h.number); err != nil {
		return err
	}
	if h.issue != nil {
		h.title = h.issue.Title
	}
	h.day, err = startedFor(ctx, tx, n.ID, h.number)
	return err
}

func (h *home) findAnswered(ctx context.Context, tx *store.Tx) error {
	issue := h.draft.Issue // known to a change, which the desk made itself
	if issue == 0 {
		p, err := paperByID(ctx, tx, h.draft.Answers)
		if err == nil && p != nil && p.Kind == paperStarter {
			h.number, h.title, _, err = starterOf(ctx, tx, p)
			return err
		}
		if err != nil || p == nil || p.Issue == 0 {
			return err
		}
		issue = p.Issue
	}
	i, err := issueByID(ctx, tx, issue)
	if err == nil {
		h.number = i.Number
	}
	return err
}

// source is the draft as compose/markdown reads it. The Subject of a new
// mail serves as title; an answer's Subject is the desk's own and does not.
func (h *home) source() markdown.Source {
	s := markdown.Source{Text: h.draft.Source, Date: h.draft.Written, Exact: h.draft.Form == "attachment" || h.draft.Form == formChange}
	if h.draft.Fresh {
		s.Subject = h.draft.Subject
	}
	return s
}

func (d *Desk) render(ctx context.Context, n *Newsletter, h *home) (*Rendered, error) {
	src := h.source()
	src.Day, src.Date = h.day, src.Date.In(n.Zone)
	if src.Subject == "" {
		src.Subject = h.title
	}
	f := n.frame(ctx, d.DB, h.number)
	if h.issue == nil {
		f.Next = h.next
	}
	if err := d.DB.View(ctx, func(tx *store.Tx) error { return h.pictures(ctx, tx, &f) }); err != nil {
		return nil, err
	}
	if err := d.listen(ctx, n, h, &f); err != nil {
		return nil, err
	}
	r, err := Render(ctx, src, h.number, f)
	if err == nil && d.Prober != nil {
		err = r.Reach(ctx, d.Prober)
	}
	return r, err
}

// frame is the newsletter's frame with its memory of published links.
func (n *Newsletter) frame(ctx context.Context, db *store.DB, number int) Frame {
	f := n.Frame
	f.Published = func(canonical string) (issue int, found bool) {
		err := db.View(ctx, func(tx *store.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT issue FROM link WHERE newsletter = $1 AND canonical = $2 AND issue <> $3 ORDER BY issue DESC LIMIT 1`,
				n.ID, canonical, number).Scan(&issue)
		})
		return issue, err == nil
	}
	return f
}

// revise writes the new revision, takes back an approval that it makes void,
// and posts a proof to every editor. The issue is read anew: it may have
// begun to go out while the draft was rendered.
func (d *Desk) revise(ctx context.Context, tx *store.Tx, n *Newsletter, h *home, r *Rendered) error {
	if err := d.abreast(ctx, tx, n); err != nil {
		return err
	}
	i, err := issueByNumber(ctx, tx, n.ID, h.number)
	if err != nil {
		return err
	}
	if i != nil && i.State == Sent && h.draft.Issue == 0 {
		return d.askNext(ctx, tx, n, h, i, r)
	}
	if i != nil && i.State == Sent {
		return d.correct(ctx, tx, n, h, i, r)
	}
	if i != nil && i.State.Closed() {
		return d.refuse(ctx, tx, n, h, i)
	}
	if older, err := d.keepOlder(ctx, tx, n, h, i, r); older || err != nil {
		return err
	}
	if i == nil {
		if i, err = newIssue(ctx, tx, n.ID, h.number, Proofed); err != nil {
			return err
		}
	}
	was, wasAt := i.State, i.SendAt
	if err := d.writeRevision(ctx, tx, h.draft, i, r); err != nil {
		return err
	}
	if was == Approved || was == Held {
		if err := d.Press.Halt(ctx, tx, n.ID, i.Number, send.HaltWithdraw); err != nil {
			return err
		}
	}
	to := Proofed
	if was == Stopped {
		to = Stopped // those who have it have it; the proof is for the rest
	}
	if err := i.move(ctx, tx, to, h.draft.Editor, "draft"); err != nil {
		return err
	}
	v := &proofView{was: was, wasAt: wasAt}
	if v.Lacks, v.LacksOf, err = d.lacking(ctx, tx, n, i, h.draft); err != nil {
		return err
	}
	return d.prove(ctx, tx, n, i, h.draft, v)
}

// writeRevision makes the draft the newest revision of i.
func (d *Desk) writeRevision(ctx context.Context, tx *store.Tx, row *draftRow, i *Issue, r *Rendered) error {
	edition, err := json.Marshal(freeze(r))
	if err != nil {
		return err
	}
	revision, err := nextRevision(ctx, tx, i)
	if err != nil {
		return err
	}
	i.Revision = revision
	row.Issue, row.Revision, row.Digest, row.Errors, row.Sendable = i.ID, i.Revision, r.Digest, r.Errors(), r.Sendable()
	row.Markdown, row.edition = r.Markdown, edition
	_, err = tx.ExecContext(ctx, `UPDATE draft SET state = 'proofed', issue = $1, revision = $2, digest = $3, errors = $4, sendable = $5, markdown = $6, edition = $7 WHERE id = $8`,
		row.Issue, row.Revision, row.Digest, row.Errors, row.Sendable, row.Markdown, edition, row.ID)
	if err != nil {
		return err
	}
	i.Title = r.Title
	_, err = tx.ExecContext(ctx, `UPDATE issue SET revision = $1, title = $2, subtitle = $3, slug = $4, date = $5 WHERE id = $6`,
		i.Revision, r.Title, r.Doc.Front.Subtitle, r.Slug, r.Date, i.ID)
	return errors.Join(err, voidPapers(ctx, tx, i.ID), waitFor(ctx, tx, row.ID, r.Waiting, lookAgainIn))
}

// freeze keeps of a rendering what readers and the archive of links need.
func freeze(r *Rendered) *frozen {
	f := &frozen{Slug: r.Slug, Title: r.Title, Subtitle: r.Doc.Front.Subtitle, Date: r.Date, Subject: r.Subject,
		Preheader: r.Preheader, HTML: r.HTML, Text: r.Text, Web: r.Web, Feed: r.Feed, Inline: emptied(r.Inline), Waiting: r.Waiting,
		Findings: r.Findings, Repairs: r.Draft.Repairs, Sizes: r.Sizes}
	for _, s := range r.Doc.Sections {
		for _, item := range s.Items {
			for _, l := range item.Links {
				f.Links = append(f.Links, published{Canonical: lint.Canonical(l.URL), URL: l.URL, Title: l.Title, Author: l.Author, Section: s.Title})
			}
		}
	}
	return f
}

// refuse answers a text for an issue that is out or on its way.
func (d *Desk) refuse(ctx context.Context, tx *store.Tx, n *Newsletter, h *home, i *Issue) error {
	next, err := nextNumber(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	if err := closeDraft(ctx, tx, h.draft.ID, "refused", fmt.Sprintf("#%d: %s", i.Number, i.State)); err != nil {
		return err
	}
	return d.tellAuthor(ctx, tx, n, h.draft, "refused", map[string]any{"Number": i.Number, "State": string(i.State), "Next": next})
}

// unreadable answers a text of which no issue can be made.
func (d *Desk) unreadable(ctx context.Context, tx *store.Tx, n *Newsletter, h *home, why error) error {
	if err := closeDraft(ctx, tx, h.draft.ID, "refused", why.Error()); err != nil {
		return err
	}
	return d.tellAuthor(ctx, tx, n, h.draft, "unreadable",
		map[string]any{"Subject": strings.TrimSpace(h.draft.Subject), "Why": n.wrong(why)})
}

func closeDraft(ctx context.Context, tx *store.Tx, id int64, state, note string) error {
	_, err := tx.ExecContext(ctx, `UPDATE draft SET state = $1, note = $2 WHERE id = $3`, state, note, id)
	return err
}

// tell posts one of the catalogue's mails that carries no code to an editor.
func (d *Desk) tell(ctx context.Context, tx *store.Tx, n *Newsletter, editor, answers, name string, data any) error {
	subject, text, err := say(n.Frame.Looks, name, data)
	if err != nil {
		return err
	}
	return d.post(ctx, tx, n, &mail{paper: paper{Kind: paperAnswer}, to: n.addressOf(editor), answers: answers, subject: subject, text: text})
}

// tellAuthor answers a text that became no proof, with whatever its proof was
// to say of other words.
func (d *Desk) tellAuthor(ctx context.Context, tx *store.Tx, n *Newsletter, row *draftRow, name string, data any) error {
	subject, text, err := say(n.Frame.Looks, name, data)
	if err != nil {
		return err
	}
	if row.Told != "" {
		text += "\n" + row.Told
	}
	return d.post(ctx, tx, n, &mail{paper: paper{Kind: paperAnswer}, to: n.addressOf(row.Editor), answers: row.MessageID, subject: subject, text: text})
}

// addressOf is an editor's address with the name of the configuration; the
// operator at the command line has none, and the first editor is told.
func (n *Newsletter) addressOf(editor string) message.Address {
	if e, ok := n.editor(editor); ok {
		return e
	}
	return n.Editors[0]
}
