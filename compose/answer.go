package compose

import (
	"context"
	"slices"
	"strings"

	"galley/send/message"
	"galley/send/store"
)

// A mail gets one answer, also when it says several words (conversation.md,
// the second of the two rules on top). While such a mail is carried out, what
// each word has to say is collected, and goes out together: first the state,
// then what was done, what not and why, then what may be said next. Where a
// word made a new text, its proof is the answer and says the rest on top.

// batch is the answer to one mail's words while it grows.
type batch struct {
	word  string // the one that is being done
	parts []reply
	draft int64 // the text that the words made; 0 if none
	sheet *mail // whose code and files the answer carries; nil so far
}

// reply is what one word has to say.
type reply struct {
	Word, Subject, Text string
	Done                bool
}

// refusals of the catalogue: the mails that say that a word was not done.
var notDone = map[string]bool{"no-fit": true, "too-late": true, "note": true, "unknown-word": true, "no-undo": true, "no-schedule": true,
	"not-approved": true, "when": true, "import-none": true, "import-faulty": true, "import-nobody": true, "nothing-held": true,
	"which-resume": true, "list-changed": true, "after-change": true, "beside-hold": true, "beside-words": true, "in-the-quote": true, "one-question": true}

// inOrder puts the words that hold back first, since they may have to wait
// for copies that are on their way, and those that let mail out last.
func inOrder(commands []Command) []Command {
	rank := func(c Command) int {
		switch {
		case holds[c.Word]:
			return 0
		case lets[c.Word]:
			return 2
		}
		return 1
	}
	out := slices.Clone(commands)
	slices.SortStableFunc(out, func(a, b Command) int { return rank(a) - rank(b) })
	return out
}

// several carries out the words of a mail that says more than one.
func (d *Desk) several(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	b := &batch{}
	r.batch = b
	defer func() { r.batch = nil }()
	var results []string
	for n, c := range inOrder(r.Words.Commands) {
		b.word = c.Word
		result, err := d.doBeside(ctx, tx, r, c)
		if err != nil {
			return "", err
		}
		if n == 0 && result == later {
			return later, nil
		}
		results = append(results, result)
	}
	for _, c := range r.Words.Withheld {
		b.word = c.Word
		if _, err := r.tell(ctx, tx, d, r.Words.why(c), map[string]any{"Word": c.Word, "Line": c.Line, "Made": b.draft != 0}); err != nil {
			return "", err
		}
	}
	if err := d.together(ctx, tx, r); err != nil {
		return "", err
	}
	if r.Editor == "" {
		return b.read(), nil
	}
	return strings.Join(results, "; "), nil
}

// why names the reason for which a word was withheld beside the others.
func (w Words) why(c Command) string {
	among := func(words map[string]bool) bool {
		return slices.ContainsFunc(w.Commands, func(c Command) bool { return words[c.Word] })
	}
	switch {
	case among(holds):
		return "beside-hold"
	case !lets[c.Word]:
		return "in-the-quote"
	case among(changes):
		return "after-change"
	}
	return "beside-words"
}

// doBeside does one word of several. A text that was changed has not been
// seen, so no word of the same mail lets it out or shows it; and a word that
// holds is stronger than one that lets out.
func (d *Desk) doBeside(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	said := r.Words.Commands
	changed := r.batch.draft != 0 || slices.ContainsFunc(said, func(c Command) bool { return changes[c.Word] })
	held := slices.ContainsFunc(said, func(c Command) bool { return holds[c.Word] })
	switch {
	case lets[c.Word] && held:
		return r.tell(ctx, tx, d, "beside-hold", map[string]any{"Word": c.Word})
	case changed && (c.Word == "list csv" || c.Word == "import"):
		return r.tell(ctx, tx, d, "one-question", map[string]any{"Word": c.Word})
	case changed && (lets[c.Word] || c.Word == "test" || c.Word == "show"):
		return r.tell(ctx, tx, d, "after-change", map[string]any{"Word": c.Word, "Made": r.batch.draft != 0})
	}
	return d.do(ctx, tx, r, c)
}

// keep takes what a word has to say into the answer. It says false for a
// mail that must go by itself, since it bears a second code.
func (b *batch) keep(name, subject, text string, m *mail) bool {
	if m.code != "" && b.sheet != nil && b.sheet.code != "" {
		return false
	}
	switch files := b.files(); {
	case b.sheet == nil, m.code != "":
		m.attachments, b.sheet = append(files, m.attachments...), m
	default:
		b.sheet.attachments = append(files, m.attachments...)
		b.sheet.below += m.below
	}
	b.parts = append(b.parts, reply{b.word, subject, text, !notDone[name]})
	return true
}

func (b *batch) files() []message.Attachment {
	if b.sheet == nil {
		return nil
	}
	return b.sheet.attachments
}

// together posts what was collected, or gives it to the proof that is to be
// the answer.
func (d *Desk) together(ctx context.Context, tx *store.Tx, r *decisionRow) error {
	b := r.batch
	if len(b.parts) == 0 || r.Editor == "" {
		return nil
	}
	if b.draft != 0 && b.sheet.Kind != paperQuestion {
		_, err := tx.ExecContext(ctx, `UPDATE draft SET told = told || $1 WHERE id = $2`, b.read()+"\n", b.draft)
		return err
	}
	words := map[bool][]string{}
	for _, p := range b.parts {
		words[p.Done] = append(words[p.Done], p.Word)
	}
	data := map[string]any{"Open": d.standing(ctx, tx, r), "Parts": b.sorted(), "Done": words[true], "Failed": words[false], "Subject": ""}
	m := b.sheet
	if m.code != "" {
		data["Subject"] = m.subject
	}
	subject, text, err := say(r.n.Frame.Looks, "several", data)
	if err != nil {
		return err
	}
	m.subject, m.text = subject, text+m.below
	return d.post(ctx, tx, r.n, m)
}

// sorted are the parts as they are read: what was done, what was not, and
// last the one whose code the answer carries, with the words that it takes.
func (b *batch) sorted() []reply {
	out := slices.Clone(b.parts)
	rank := func(p reply) int {
		switch {
		case b.sheet.code != "" && p.Subject == b.sheet.subject:
			return 2
		case !p.Done:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(out, func(a, b reply) int { return rank(a) - rank(b) })
	return out
}

// read is the parts as text, for a terminal and for the top of a proof.
func (b *batch) read() string {
	var out []string
	for _, p := range b.sorted() {
		text := strings.TrimSpace(p.Text)
		if b.draft != 0 && b.sheet.code != "" && p.Subject == b.sheet.subject {
			text, _, _ = strings.Cut(text, "\n\n") // its words and its code are the proof's now
		}
		out = append(out, p.Subject+"\n"+text)
	}
	return strings.Join(out, "\n\n") + "\n"
}
