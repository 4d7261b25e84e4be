package compose

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"strings"
	"time"

	"galley/compose/markdown"
	"galley/send/message"
	"galley/send/store"
	"galley/templates"
)

// proofView is what the panel of a proof shows, in text and in HTML.
type proofView struct {
	was    State     // of the issue before this revision
	wasAt  time.Time // when it was to go
	first  string    // a sentence that must be read first
	answer string    // Message-ID of the mail that the proof answers; "" = the draft's own

	Number, Revision, Next, Before int
	State                          string   // ready, approved, error, late (the approval) or passed (the time)
	Have, Maybe, Rest              int      // of a stopped issue: who has it, may have it, and waits
	Lacks                          []string // lines of another editor that this text has not
	LacksOf                        string   // whose they are
	Beside                         []string // the other issues in the making
	Paused                         bool     // with Goes "": there is a slot, but not now
	Time, Until                    string   // when its time was, and to which hour an approval still counts

	Was                    int // the revision that was approved
	First                  string
	Told                   string // of the other words of the mail that it answers
	Goes                   string // when it goes once approved, "" without a slot
	Readers                int
	Sendable               bool
	Errors, Remarks        []markdown.Finding
	Subject, Preview, Size string
	Changes                []change
	More                   int
	Repairs                []string
	Remark, Form           string
	Waiting                int // links that wait; the first of them are Links
	Links                  []*waitingLink
	LinkNumbers            []string
	Code                   string
	Title, Head            string
	Buttons                []button
}

// button is one mailto link of the panel.
type button struct {
	Label, Word string
	URL         template.URL
	Main        bool
}

// prove posts a proof of the newest revision to every editor, each with a
// code of their own.
func (d *Desk) prove(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, row *draftRow, v *proofView) error {
	f, err := row.framed(ctx, tx)
	if err != nil {
		return err
	}
	if err := d.fillProof(ctx, tx, n, i, row, v); err != nil {
		return err
	}
	v.findings(n, f)
	for _, e := range n.Editors {
		v.Told = ""
		if e.Addr == row.Editor {
			v.Told = row.Told
		}
		if err := d.proveTo(ctx, tx, n, i, row, f, v, e); err != nil {
			return err
		}
	}
	return nil
}

// proveAgain posts the newest proof once more, with a new code, to one
// editor: the bytes are those that were kept with the revision.
func (d *Desk) proveAgain(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue, first string) error {
	n := r.n
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil {
		return err
	}
	f, err := row.framed(ctx, tx)
	if err != nil {
		return err
	}
	v := &proofView{first: first, answer: r.MessageID, was: i.State}
	if r.batch != nil && len(r.batch.parts) > 0 && r.batch.sheet.code == "" { // the proof is the answer to all of the mail's words
		v.Told, r.batch.parts = r.batch.read(), nil
	}
	if err := d.fillProof(ctx, tx, n, i, row, v); err != nil {
		return err
	}
	v.findings(n, f)
	return d.proveTo(ctx, tx, n, i, row, f, v, n.addressOf(r.Editor))
}

func (d *Desk) fillProof(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, row *draftRow, v *proofView) error {
	readers, err := d.Figures.Audience(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	t, err := d.ownTime(ctx, tx, n, i)
	if err != nil {
		return err
	}
	v.Number, v.Revision, v.Next, v.Was = i.Number, i.Revision, i.Revision+1, i.Approved
	v.Readers, v.Sendable, v.First, v.Form, v.Remark = readers, row.Sendable, v.first, row.Form, row.Remark
	v.Goes, v.Paused = t.goes(tx.Now(), n), n.Slot != nil
	if v.answer == "" {
		v.answer = row.MessageID
	}
	v.State = "ready"
	switch {
	case v.was == Approved && i.Approved == i.Revision:
		v.State, v.Goes = "approved", n.when(i.SendAt, tx.Now())
	case v.was == Approved:
		v.State = "late"
		if v.wasAt.After(tx.Now()) {
			v.Goes = n.phrase("goes-in-on", map[string]any{"In": n.span(v.wasAt.Sub(tx.Now())), "On": n.when(v.wasAt, tx.Now())})
		}
	case row.Errors > 0:
		v.State = "error"
	case !t.Late.IsZero():
		v.State, v.Time, v.Until = "passed", n.nearDay(t.Late, tx.Now(), true), t.until(n)
	}
	if err := d.fillRest(ctx, tx, n, i, v); err != nil {
		return err
	}
	if err := d.fillWaiting(ctx, tx, n, row, v); err != nil {
		return err
	}
	open, err := inMaking(ctx, tx, n)
	if err != nil {
		return err
	}
	if v.Beside, err = d.besides(ctx, tx, n, open, i.Number); err != nil {
		return err
	}
	return v.compare(ctx, tx, i)
}

// compare lists the lines that changed since the revision before.
func (v *proofView) compare(ctx context.Context, tx *store.Tx, i *Issue) error {
	v.Before = i.Revision - 1
	if v.Before < 1 {
		return nil
	}
	old, err := revisionOf(ctx, tx, i.ID, v.Before)
	cur, err2 := revisionOf(ctx, tx, i.ID, i.Revision)
	if err := errors.Join(err, err2); err != nil || old == nil || cur == nil {
		return err
	}
	const shown = 10
	v.Changes = diff(string(old.Markdown), string(cur.Markdown))
	if len(v.Changes) > shown {
		v.More, v.Changes = len(v.Changes)-shown, v.Changes[:shown]
	}
	return nil
}

func (v *proofView) findings(n *Newsletter, r *frozen) {
	v.Errors, v.Remarks = nil, nil
	for _, f := range r.Findings {
		if f.Level == markdown.Error {
			v.Errors = append(v.Errors, f)
		} else {
			v.Remarks = append(v.Remarks, f)
		}
	}
	for _, rep := range r.Repairs {
		v.Repairs = append(v.Repairs, n.phrase("repaired-line", rep))
	}
	v.Subject, v.Preview = r.Subject, r.Preheader
	v.Size = n.phrase("size", map[string]any{"KB": (r.Sizes.HTML + 999) / 1000, "Words": r.Sizes.Words, "Links": r.Sizes.Links, "Images": r.Sizes.Images})
}

// proveTo posts the proof to one editor.
func (d *Desk) proveTo(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, row *draftRow, r *frozen, v *proofView, to message.Address) error {
	code, err := newCode()
	if err != nil {
		return err
	}
	v.Code = code
	subject, text, err := say(n.Frame.Looks, "proof", v)
	if err != nil {
		return err
	}
	v.Title, v.Head, _ = strings.Cut(text, "\n")
	v.buttons(n, subject)
	html, err := v.html(n, r.HTML)
	if err != nil {
		return err
	}
	answers := v.answer
	if to.Addr != row.Editor && v.answer == row.MessageID {
		answers = "" // the draft's thread is in its author's mailbox only
	}
	return d.post(ctx, tx, n, &mail{
		paper: paper{Kind: paperProof, Issue: i.ID, Revision: i.Revision, Digest: row.Digest},
		to:    to, code: code, number: i.Number, answers: answers, subject: subject,
		text: text + "\n" + string(dead(r.Text, false)), html: html, inline: r.Inline,
	})
}

// buttons makes the mailto links. Their Subject is that of an answer, and
// their address carries the code.
func (v *proofView) buttons(n *Newsletter, subject string) {
	link := func(word string) template.URL { return n.wordLink(v.Code, subject, word) }
	v.Buttons = nil
	words := []string{"hold", "test", "help"}
	if len(v.Errors) == 0 {
		word := "approve"
		if v.Goes == "" || v.State == "approved" {
			word = "send now"
		}
		words = append([]string{word}, words...)
	}
	for _, word := range words {
		v.Buttons = append(v.Buttons, button{n.phrase("button", word), word, link(word), len(v.Buttons) == 0})
	}
}

// html lays the panel above the issue, which stays as readers get it.
func (v *proofView) html(n *Newsletter, issue []byte) ([]byte, error) {
	panel, err := templates.HTML(n.Frame.Looks, "panel.html", v)
	if err != nil {
		return nil, err
	}
	issue = dead(issue, true)
	body := bytes.Index(issue, []byte("<body"))
	if body < 0 {
		return nil, errors.New("issue.html has no <body>")
	}
	open := body + bytes.IndexByte(issue[body:], '>') + 1
	return bytes.Join([][]byte{issue[:open], panel, issue[open:]}, nil), nil
}

// dead replaces the slots of a rendering: a proof may be forwarded, and nobody
// may leave the list by it. What is a reader's own shows its fallback.
func dead(b []byte, isHTML bool) []byte {
	b = message.Fallbacks(b, isHTML)
	return bytes.ReplaceAll(b, []byte(message.SlotUnsubscribe), []byte("https://example.invalid/each-reader-has-an-own-link-here"))
}
