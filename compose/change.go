package compose

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"galley/send"
	"galley/send/message"
	"galley/send/store"
)

// changeText makes a new text out of the newest one by a small change; it is
// read like any other draft and brings a proof.
func (d *Desk) changeText(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	i, err := d.meant(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if i == nil || i.State.Closed() && !r.corrects(i) {
		return d.unclear(ctx, tx, r, i)
	}
	text, err := d.newestText(ctx, tx, i)
	if err != nil {
		return "", err
	}
	changed, why := applyChange(text, c)
	if why != nil {
		return r.tell(ctx, tx, d, "no-fit", map[string]any{"What": c.Word, "Why": r.n.phrase("fit-why", why), "Words": c.Line, "Open": d.standing(ctx, tx, r)})
	}
	return "changed", d.resubmit(ctx, tx, r, i, changed)
}

// formChange marks a draft that the desk made of an earlier one.
const formChange = "change"

// text is what a draft that was not read yet says.
func (r *draftRow) text() []byte {
	if r == nil {
		return nil
	}
	return r.Source
}

// newestText is the newest revision, or the change of it that waits to be read.
func (d *Desk) newestText(ctx context.Context, tx *store.Tx, i *Issue) ([]byte, error) {
	row, err := scanDraft(tx.QueryRowContext(ctx, `SELECT `+draftColumns+` FROM draft WHERE issue = $1 AND state = 'new' AND form = 'change' ORDER BY id DESC LIMIT 1`, i.ID))
	if err != nil || row != nil {
		return row.text(), err
	}
	if row, err = revisionOf(ctx, tx, i.ID, i.Revision); err != nil || row == nil {
		return nil, fmt.Errorf("revision %d of #%d: %v", i.Revision, i.Number, err)
	}
	return row.Markdown, nil
}

// applyChange does one change to a text; why names what keeps it from being
// done, as the catalogue's fit-why does.
func applyChange(text []byte, c Command) (out []byte, why map[string]any) {
	switch c.Word {
	case "title", "subtitle", "preheader":
		return setKey(text, c.Word, strings.Join(c.Args, " ")), nil
	case "delete":
		return replaceOnce(text, arg(c, 0), "")
	}
	return replaceOnce(text, arg(c, 0), arg(c, 1))
}

func arg(c Command, n int) string {
	if n < len(c.Args) {
		return c.Args[n]
	}
	return ""
}

// replaceOnce replaces words that stand in exactly one place; why names what
// keeps it from being done.
func replaceOnce(text []byte, old, new string) (changed []byte, why map[string]any) {
	if strings.TrimSpace(old) == "" {
		return nil, map[string]any{"Why": "no-words"}
	}
	switch n := bytes.Count(text, []byte(old)); n {
	case 1:
		return bytes.Replace(text, []byte(old), []byte(new), 1), nil
	case 0:
		if out, ok := replaceAlike(text, old, new); ok {
			return out, nil
		}
		return nil, map[string]any{"Why": "not-there"}
	default:
		return nil, map[string]any{"Why": "several-places", "Places": n}
	}
}

// alike are the letters that mail programs put for each other, and the marks
// of emphasis that a proof does not show.
var alike = strings.NewReplacer("'", "['’‘]", "’", "['’‘]", "‘", "['’‘]", `"`, `["“”„]`, "“", `["“”„]`, "”", `["“”„]`,
	"–", "(?:–|--?)", "—", "(?:—|--?-?)", "…", `(?:…|\.\.\.)`, `\.\.\.`, `(?:…|\.\.\.)`)

// replaceAlike replaces words that stand in exactly one place when white
// space, the kind of quotation marks and emphasis are not minded. The words
// that old and new begin and end with stay as they are in the text.
func replaceAlike(text []byte, old, new string) ([]byte, bool) {
	was, is := strings.Fields(old), strings.Fields(new)
	head := 0
	for head < min(len(was), len(is)) && was[head] == is[head] {
		head++
	}
	tail := 0
	for tail < min(len(was), len(is))-head && was[len(was)-1-tail] == is[len(is)-1-tail] {
		tail++
	}
	forms := make([]string, len(was))
	for n, w := range was {
		forms[n] = `[*_]{0,3}` + alike.Replace(regexp.QuoteMeta(w)) + `[*_]{0,3}`
	}
	const gap = `[ \t\x{a0}]*\n?[ \t\x{a0}]+|\n`
	join := func(part []string) string { return strings.Join(part, "(?:"+gap+")") }
	pattern := "(" + join(forms[:head]) + "(?:" + gap + "|))(" + join(forms[head:len(was)-tail]) + ")((?:" + gap + "|)" + join(forms[len(was)-tail:]) + ")"
	form, err := regexp.Compile(pattern)
	if err != nil { // longer than what a line of a mail may name
		return nil, false
	}
	hits := form.FindAllSubmatchIndex(text, 2)
	if len(hits) != 1 || len(was) == 0 {
		return nil, false
	}
	h := hits[0]
	return slices.Concat(text[:h[4]], []byte(strings.Join(is[head:len(is)-tail], " ")), text[h[5]:]), true
}

// setKey sets one key of the front matter, which a kept text always has.
func setKey(text []byte, key, value string) []byte {
	return setLine(text, key, fmt.Sprintf("%s: %q", key, value))
}

// setIssue writes the issue's number into the front matter.
func setIssue(text []byte, number int) []byte {
	return setLine(text, "issue", fmt.Sprintf("issue: %d", number))
}

func setLine(text []byte, key, line string) []byte {
	rows := strings.Split(string(text), "\n")
	if len(rows) == 0 || rows[0] != "---" {
		return []byte("---\n" + line + "\n---\n\n" + string(text))
	}
	for n := 1; n < len(rows); n++ {
		if rows[n] == "---" {
			rows = append(rows[:n], append([]string{line}, rows[n:]...)...)
			break
		}
		if strings.HasPrefix(rows[n], key+":") {
			rows[n] = line
			break
		}
	}
	return []byte(strings.Join(rows, "\n"))
}

// test posts the exact message, to the editor or to a friend.
func (d *Desk) test(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	i, err := d.meant(ctx, tx, r)
	if err != nil || i == nil {
		return d.orUnclear(ctx, tx, r, err)
	}
	to := r.n.addressOf(r.Editor)
	if len(c.Args) > 0 {
		if to, err = message.ParseAddress(c.Args[0]); err != nil {
			return r.tell(ctx, tx, d, "no-fit", map[string]any{"What": "test", "Why": r.n.phrase("fit-why", map[string]any{"Why": "no-address"}), "Words": c.Args[0], "Open": ""})
		}
	}
	if err := d.postCopy(ctx, tx, r.n, i, to, "test"); err != nil {
		return "", err
	}
	if to.Addr == r.Editor && r.batch == nil {
		return "test sent", nil // the copy itself is the answer
	}
	return r.tell(ctx, tx, d, "tested", map[string]any{"Number": i.Number, "Revision": i.Revision, "To": to.Addr, "Open": d.standing(ctx, tx, r)})
}

// orUnclear passes on a fault, or asks which issue was meant.
func (d *Desk) orUnclear(ctx context.Context, tx *store.Tx, r *decisionRow, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return d.unclear(ctx, tx, r, nil)
}

// postCopy posts the newest revision exactly as readers get it, but with
// links for leaving that do nothing: a copy may be passed on.
func (d *Desk) postCopy(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, to message.Address, kind string) error {
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil {
		return err
	}
	f, err := row.framed(ctx, tx)
	if err != nil {
		return err
	}
	m := &mail{paper: paper{Kind: paperCopy, Issue: i.ID, Revision: i.Revision, Asks: kind}, to: to, number: i.Number,
		subject: f.Subject, text: string(dead(f.Text, false)), html: dead(f.HTML, true), inline: f.Inline}
	return d.post(ctx, tx, n, m)
}

// asksShow marks the answer that shows a text: what is edited in its quote is
// a new draft.
const asksShow = "show"

// textBelow lays a text under a mail's own words.
func textBelow(file, text string) string {
	edge := strings.Repeat("-", 31)
	return "\n" + edge + " " + file + " " + edge + "\n" + text
}

// show posts the text of an issue, as an attachment and below the words.
func (d *Desk) show(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	i, err := d.meant(ctx, tx, r)
	if err != nil || i == nil {
		return d.orUnclear(ctx, tx, r, err)
	}
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil || row == nil {
		return d.orUnclear(ctx, tx, r, err)
	}
	file := fmt.Sprintf("%04d.md", i.Number)
	m := &mail{paper: paper{Kind: paperAnswer, Issue: i.ID, Revision: i.Revision, Asks: asksShow}, number: i.Number, below: textBelow(file, string(row.Markdown)),
		attachments: []message.Attachment{{Name: file, Type: "text/markdown; charset=utf-8", Data: row.Markdown}}}
	return r.mail(ctx, tx, d, "show", map[string]any{"Number": i.Number, "Revision": i.Revision, "File": file, "Open": d.standing(ctx, tx, r)}, m)
}

// failureLines is at most how many failures one answer lists.
const failureLines = 200

// failed lists who did not get an issue, with the servers' words.
func (d *Desk) failed(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	i, err := d.meant(ctx, tx, r)
	if err == nil && i == nil {
		i, err = d.last(ctx, tx, r.n)
	}
	if err != nil || i == nil {
		return d.orUnclear(ctx, tx, r, err)
	}
	failures, err := d.Figures.Failures(ctx, tx, r.n.ID, i.Number)
	if err != nil {
		return "", err
	}
	if i.Corrected != 0 { // some took the issue, and not its correction
		ofCorrection, err := d.Figures.Failures(ctx, tx, r.n.ID, send.Correction(i.Number))
		if err != nil {
			return "", err
		}
		failures = append(failures, ofCorrection...)
	}
	more := max(0, len(failures)-failureLines)
	var told []refusal
	for _, f := range failures[:len(failures)-more] {
		told = append(told, r.n.refusal(f))
	}
	return r.tell(ctx, tx, d, "failures", map[string]any{"Number": i.Number, "More": more, "Failures": told})
}

// last is the newest issue that went out; nil when none has.
func (d *Desk) last(ctx context.Context, tx *store.Tx, n *Newsletter) (*Issue, error) {
	sent, err := issuesIn(ctx, tx, n.ID, Sending, Stopped, Sent)
	if err != nil || len(sent) == 0 {
		return nil, err
	}
	return sent[len(sent)-1], nil
}
