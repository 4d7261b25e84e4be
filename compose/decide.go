package compose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"galley/send/store"
)

// decisionRow is an editor's answer as the books keep it.
type decisionRow struct {
	ID        int64
	MessageID string
	Subject   string
	Editor    string
	Ruling    Ruling
	Number    int
	Words     Words
	paper     *paper
	n         *Newsletter
	received  time.Time
	clock     *time.Location // the zone of the mail's own Date; nil when unknown
	batch     *batch         // while several words of one mail are carried out
}

// carryOut does what the editors' answers ask, each in one transaction with
// the mail that says so.
func (d *Desk) carryOut(ctx context.Context) error {
	ids, err := d.ids(ctx, `SELECT id FROM decision WHERE state = 'new' AND due <= $1 ORDER BY id`, store.Micros(store.Now()))
	for _, id := range ids {
		if e := unharmed(func() error { return d.DB.Update(ctx, func(tx *store.Tx) error { return d.decide(ctx, tx, id) }) }); e != nil {
			err = errors.Join(err, d.faulty(ctx, "decision", id, e))
		}
	}
	return err
}

func (d *Desk) decisionByID(ctx context.Context, tx *store.Tx, id int64) (*decisionRow, error) {
	r := &decisionRow{ID: id}
	var newsletter, words, clock string
	var proof, received int64
	err := tx.QueryRowContext(ctx, `SELECT newsletter, message_id, subject, editor, proof, issue, ruling, words, received, clock FROM decision WHERE id = $1`, id).
		Scan(&newsletter, &r.MessageID, &r.Subject, &r.Editor, &proof, &r.Number, &r.Ruling, &words, &received, &clock)
	if err != nil {
		return nil, err
	}
	if r.n = d.Newsletters[newsletter]; r.n == nil {
		return nil, fmt.Errorf("no newsletter %q in the configuration", newsletter)
	}
	r.received = store.Instant(received)
	if at, err := time.Parse("-0700", clock); err == nil {
		r.clock = at.Location()
	}
	if err := json.Unmarshal([]byte(words), &r.Words); err != nil {
		return nil, err
	}
	if r.paper, err = paperByID(ctx, tx, proof); err == nil && r.Editor == "" {
		err = r.findQuestion(ctx, tx)
	}
	return r, err
}

// findQuestion finds what the operator's yes or no answers: the newest open
// question.
func (r *decisionRow) findQuestion(ctx context.Context, tx *store.Tx) (err error) {
	if len(r.Words.Commands) != 1 || r.Words.Commands[0].Word != "yes" && r.Words.Commands[0].Word != "no" {
		return nil
	}
	r.paper, err = scanPaper(tx.QueryRowContext(ctx, `SELECT `+paperColumns+` FROM proof WHERE newsletter = $1 AND kind = 'question' AND asks <> $2 AND state = 'open' ORDER BY id DESC LIMIT 1`, r.n.ID, asksHello))
	return err
}

func (d *Desk) decide(ctx context.Context, tx *store.Tx, id int64) error {
	r, err := d.decisionByID(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := d.abreast(ctx, tx, r.n); err != nil {
		return err
	}
	if wait, err := r.mustWait(ctx, tx); err != nil || wait {
		return err
	}
	result, err := d.rule(ctx, tx, r)
	if err != nil || result == later {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE decision SET state = 'done', result = $1 WHERE id = $2`, result, id)
	first, _, _ := strings.Cut(result, "\n")
	d.Log.Info("desk", "decision", id, "ruling", string(r.Ruling), "words", r.Words.spoken(), "result", first)
	return err
}

// mustWait tells that an earlier answer is still being carried out, or an
// earlier text being read, which a word that lets mail out must not overtake:
// a stop is not over before it has counted who has the issue, and a new text
// makes the approval of the old one void.
func (r *decisionRow) mustWait(ctx context.Context, tx *store.Tx) (bool, error) {
	if !slices.ContainsFunc(r.Words.Commands, func(c Command) bool { return lets[c.Word] }) {
		return false, nil
	}
	var before int
	err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM decision WHERE newsletter = $1 AND id < $2 AND state = 'new' AND received > $3)
		+ (SELECT count(*) FROM draft WHERE newsletter = $1 AND state = 'new' AND received <= $4 AND received > $3)`,
		r.n.ID, r.ID, store.Micros(tx.Now().Add(-2*settleTime)), store.Micros(r.received)).Scan(&before)
	return before > 0, err
}

// asksOnly tells that a decision is one word and nothing beside it.
func (r *decisionRow) asksOnly(word string) bool {
	w := r.Words
	return len(w.Commands) == 1 && w.Commands[0].Word == word && w.Beside == "" && len(w.Foot) == 0
}

// rewrite keeps the words of a decision anew.
func (r *decisionRow) rewrite(ctx context.Context, tx *store.Tx) error {
	words, err := json.Marshal(r.Words)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE decision SET words = $1 WHERE id = $2`, string(words), r.ID)
	}
	return err
}

// spoken lists the words of a decision for the log.
func (w Words) spoken() string {
	var out []string
	for _, c := range w.Commands {
		out = append(out, c.Word)
	}
	return strings.Join(out, " ")
}

// rule does what the sender's proof allows (trust.md 2.6), and answers.
func (d *Desk) rule(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	switch r.Ruling {
	case Execute:
		return d.execute(ctx, tx, r)
	case Unproven:
		return r.tell(ctx, tx, d, "unproven", map[string]any{"Editor": r.Editor})
	case Notice:
		return r.tell(ctx, tx, d, "notice", map[string]any{"Editor": r.Editor, "Subject": r.Subject})
	case BadlySigned:
		return r.tell(ctx, tx, d, "badly-signed", map[string]any{"Editor": r.Editor, "Subject": r.Subject})
	case Automatic:
		return r.tell(ctx, tx, d, "automatic", map[string]any{"Subject": r.Subject})
	case Leaked:
		r.MessageID = "" // the answer goes to the editor and not into the stranger's thread
		if r.paper != nil && r.paper.Asks == asksDraft {
			tx.AfterCommit(d.bell.Ring)
			return "asked again", closeDraft(ctx, tx, r.paper.Draft, "held", "")
		}
		if r.paper != nil && r.paper.Asks == asksMachine {
			return "asked again", d.askMachineOf(ctx, tx, r.n)
		}
		if r.paper != nil && r.paper.Asks == asksHello {
			return d.greetAgain(ctx, tx, r, &hello{Why: "leaked"})
		}
		return d.again(ctx, tx, r, "leaked")
	case Stale:
		return d.again(ctx, tx, r, "stale-code")
	case Codeless:
		if r.asksOnly("hello") {
			return d.greetUnproven(ctx, tx, r)
		}
		if r.paper != nil && r.paper.Kind == paperStarter && r.asksOnly("approve") {
			return d.proveStarter(ctx, tx, r)
		}
		if schedules, both, err := d.meansSchedule(ctx, tx, r); err != nil || r.asksOnly("resume") && (schedules || both) {
			if err != nil {
				return "", err
			}
			return d.execute(ctx, tx, r) // it lets no mail out
		}
		return d.again(ctx, tx, r, "codeless")
	}
	return "", fmt.Errorf("unknown ruling %q", r.Ruling)
}

// freshAnHour is how many proofs an editor gets in an hour for answers whose
// code did not count; those after a leaked code do not count.
const freshAnHour = 3

// again posts the newest proof of the issue that was meant, with a new code.
func (d *Desk) again(ctx context.Context, tx *store.Tx, r *decisionRow, why string) (string, error) {
	i, err := d.meant(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if i == nil || i.State.Frozen() && !i.forRest() || i.State == Cancelled {
		return d.unclear(ctx, tx, r, i)
	}
	var fresh int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM proof WHERE issue = $1 AND editor = $2 AND kind = 'proof' AND made > $3`,
		i.ID, r.Editor, store.Micros(tx.Now().Add(-time.Hour))).Scan(&fresh)
	if err != nil {
		return "", err
	}
	if fresh > freshAnHour && why != "leaked" {
		return "too many proofs in an hour: not answered", nil
	}
	if why == "stale-code" && r.paper != nil && r.paper.Revision != i.Revision {
		why = "old-proof"
	}
	old := 0
	if r.paper != nil {
		old = r.paper.Revision
	}
	first, err := phrase(r.n.Frame.Looks, why, map[string]any{"Old": old, "Number": i.Number, "Editor": r.Editor})
	if err != nil {
		return "", err
	}
	if why == "leaked" {
		if err := voidPapers(ctx, tx, i.ID); err != nil {
			return "", err
		}
	}
	return first, d.proveAgain(ctx, tx, r, i, first)
}

// meant is the issue that an answer is about: the one it names, that of the
// paper it answers, or the only one that is open; nil when that is not clear.
func (d *Desk) meant(ctx context.Context, tx *store.Tx, r *decisionRow) (*Issue, error) {
	if r.Number != 0 {
		return issueByNumber(ctx, tx, r.n.ID, r.Number)
	}
	if r.paper != nil && r.paper.Issue != 0 {
		return issueByID(ctx, tx, r.paper.Issue)
	}
	open, err := issuesIn(ctx, tx, r.n.ID, Proofed, Approved, Held, Sending, Stopped)
	if err != nil || len(open) != 1 {
		return nil, err
	}
	return open[0], nil
}

// execute carries out the words of a proven editor.
func (d *Desk) execute(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	w := r.Words
	switch {
	case w.Told == "reaction":
		return d.tellOnce(ctx, tx, r, "reaction")
	case w.Told == "reminder-ok":
		return d.readReminder(ctx, tx, r)
	case w.Told == "changes":
		return d.askChange(ctx, tx, r)
	case len(w.Foot) > 0 && len(w.Withheld) > 0:
		return d.askSignature(ctx, tx, r)
	case w.Told == "links":
		return r.tell(ctx, tx, d, "links", map[string]any{"Open": d.standing(ctx, tx, r)})
	case len(w.Commands) == 0 || len(w.Foot) > 0:
		return d.note(ctx, tx, r)
	}
	if len(w.Commands)+len(w.Withheld) > 1 {
		return d.several(ctx, tx, r)
	}
	return d.do(ctx, tx, r, w.Commands[0])
}

// wordAnyway lets an issue out although its proof shows errors.
const wordAnyway = "approve anyway"

// lets are the words that let mail out, changes those that make a new text,
// holds those that keep an issue back.
var (
	holds   = map[string]bool{"hold": true, "stop": true, "wait": true, "cancel": true}
	lets    = map[string]bool{"approve": true, wordAnyway: true, "send": true, "resume": true, "yes": true}
	changes = map[string]bool{"change": true, "delete": true, "title": true, "subtitle": true, "preheader": true, "use": true, "use version": true, "undo": true}
)

// do carries out one word. A case is one call.
func (d *Desk) do(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	switch c.Word {
	case "approve", wordAnyway, "send":
		return d.approve(ctx, tx, r, c)
	case "resume":
		return d.resume(ctx, tx, r, c)
	case "yes", "no":
		return d.answerQuestion(ctx, tx, r, c)
	case "hold", "stop", "wait":
		return d.hold(ctx, tx, r, false)
	case "cancel":
		return d.hold(ctx, tx, r, true)
	case "skip":
		return d.skip(ctx, tx, r, c)
	case "pause":
		return d.pause(ctx, tx, r, c)
	case "change", "delete", "title", "subtitle", "preheader":
		return d.changeText(ctx, tx, r, c)
	case "use":
		return d.use(ctx, tx, r, c)
	case "use version":
		return d.useVersion(ctx, tx, r, c)
	case "undo":
		return d.undo(ctx, tx, r)
	case "decline":
		return d.putAway(ctx, tx, r, c, "declined")
	case "later":
		return d.putAway(ctx, tx, r, c, "later")
	case "ask":
		return d.ask(ctx, tx, r, c)
	case "credit":
		return d.credit(ctx, tx, r, c)
	case "suggestions":
		return d.suggestions(ctx, tx, r)
	case "letters":
		return d.lettersSince(ctx, tx, r)
	case "test":
		return d.test(ctx, tx, r, c)
	case "show":
		return d.show(ctx, tx, r)
	case "add", "remove", "forget", "release":
		return d.people(ctx, tx, r, c)
	case "list":
		return d.listWord(ctx, tx, r, c)
	case "list csv":
		return d.askCSV(ctx, tx, r)
	case "import":
		return d.askImport(ctx, tx, r)
	case "status":
		return d.status(ctx, tx, r)
	case "who failed":
		return d.failed(ctx, tx, r)
	case "help":
		return d.help(ctx, tx, r)
	case "hello":
		return d.hello(ctx, tx, r)
	}
	return r.tell(ctx, tx, d, "unknown-word", map[string]any{"Word": c.Word, "Line": c.Line, "Open": d.standing(ctx, tx, r)})
}

// when writes an instant for the editor whose mail is answered: in the
// newsletter's zone, and by the clock of the mail where that differs.
func (r *decisionRow) when(t, now time.Time) string { return r.n.whenFor(t, now, r.clock) }

// tell answers with one of the catalogue's mails and returns its Subject.
func (r *decisionRow) tell(ctx context.Context, tx *store.Tx, d *Desk, name string, data map[string]any) (string, error) {
	return r.mail(ctx, tx, d, name, data, &mail{paper: paper{Kind: paperAnswer}})
}

// mail answers with one of the catalogue's mails on m's paper. An answer
// that may be answered with a releasing word gets a code.
func (r *decisionRow) mail(ctx context.Context, tx *store.Tx, d *Desk, name string, data map[string]any, m *mail) (string, error) {
	if m.Kind == paperStopped || m.Kind == paperQuestion || m.Kind == paperReminder {
		code, err := newCode()
		if err != nil {
			return "", err
		}
		m.code, data["Code"] = code, code
	}
	b := r.batch
	if b != nil {
		if m.Kind == paperQuestion && b.sheet != nil && b.sheet.code != "" { // one yes cannot answer two
			return r.tell(ctx, tx, d, "one-question", map[string]any{"Word": b.word})
		}
		data["Several"], data["Open"] = true, ""
	}
	subject, text, err := say(r.n.Frame.Looks, name, data)
	if err != nil {
		return "", err
	}
	m.subject, m.text, m.answers, m.to = subject, text, r.MessageID, r.n.addressOf(r.Editor)
	if b != nil && b.keep(name, subject, text, m) {
		return subject, nil
	}
	if r.Editor == "" && m.Kind == paperAnswer && len(m.attachments) == 0 {
		return subject + "\n\n" + text, nil // the operator reads it in the terminal
	}
	m.text += m.below
	return subject, d.post(ctx, tx, r.n, m)
}

// mailAll tells every editor what one of them has done. The one whose mail
// did it gets it as an answer.
func (r *decisionRow) mailAll(ctx context.Context, tx *store.Tx, d *Desk, name string, data map[string]any, m mail) (string, error) {
	if err := r.mailOthers(ctx, tx, d, name, data, m); err != nil {
		return "", err
	}
	return r.mail(ctx, tx, d, name, data, &m)
}

// mailOthers tells all editors but the one whose mail it was.
func (r *decisionRow) mailOthers(ctx context.Context, tx *store.Tx, d *Desk, name string, data map[string]any, m mail) error {
	own := r.n.addressOf(r.Editor)
	for _, e := range r.n.Editors {
		if e == own {
			continue
		}
		other, copied := *r, m
		other.Editor, other.MessageID, other.batch = e.Addr, "", nil
		delete(data, "Several")
		if _, err := other.mail(ctx, tx, d, name, data, &copied); err != nil {
			return err
		}
	}
	return nil
}

// note answers a mail that was not understood, or whose releasing word did
// not stand alone.
func (d *Desk) note(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	w := r.Words
	if w.Beside == strings.Join(w.Foot, "\n") {
		w.Beside = "" // the foot is all that stood there, and is asked about
	}
	return r.tell(ctx, tx, d, "note", map[string]any{"Open": d.standing(ctx, tx, r), "Note": w.Note, "Nearest": w.Nearest,
		"Beside": w.Beside, "Foot": w.Foot})
}

// line is what the editor wrote, for an answer that quotes it.
func (r *decisionRow) line() string {
	var out []string
	for _, c := range r.Words.Commands {
		out = append(out, c.Line)
	}
	return strings.Join(append(out, r.Words.Note), "\n")
}

// tellOnce answers only the first time, as a thumb is told about once.
func (d *Desk) tellOnce(ctx context.Context, tx *store.Tx, r *decisionRow, name string) (string, error) {
	var told int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM decision WHERE newsletter = $1 AND editor = $2 AND state = 'done' AND result LIKE $3`,
		r.n.ID, r.Editor, name+":%").Scan(&told)
	if err != nil || told > 0 {
		return name + ": told before", err
	}
	subject, err := r.tell(ctx, tx, d, name, map[string]any{})
	return name + ": " + subject, err
}

func (d *Desk) readReminder(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	i, err := d.meant(ctx, tx, r)
	if err != nil || i == nil {
		return "reminder read", err
	}
	return r.tell(ctx, tx, d, "reminder-ok", map[string]any{"Number": i.Number, "Open": d.standing(ctx, tx, r)})
}

// answerQuestion is yes or no to the question on the paper.
func (d *Desk) answerQuestion(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	if r.paper == nil || r.paper.Kind != paperQuestion || r.paper.Asks == asksHello {
		return d.unclear(ctx, tx, r, nil)
	}
	if ok, err := r.paper.use(ctx, tx); err != nil || !ok {
		return "question answered before", err
	}
	switch r.paper.Asks {
	case asksDraft, asksNext:
		return d.answerDraft(ctx, tx, r, c.Word == "yes")
	case "drop":
		return d.answerDrop(ctx, tx, r, c.Word == "yes")
	case asksMachine:
		return d.answerMachine(ctx, tx, r, c.Word == "yes")
	case asksCorrection:
		return d.answerCorrection(ctx, tx, r, c.Word == "yes")
	case asksChange:
		return d.answerChange(ctx, tx, r, c.Word == "yes")
	}
	if r.paper.Asks == asksCSV {
		return d.answerCSV(ctx, tx, r, c.Word == "yes")
	}
	if strings.HasPrefix(r.paper.Asks, asksImport) {
		return d.answerImport(ctx, tx, r, c.Word == "yes")
	}
	if strings.HasPrefix(r.paper.Asks, asksLines) {
		return d.answerLines(ctx, tx, r, c.Word == "yes")
	}
	if strings.HasPrefix(r.paper.Asks, asksSignature) {
		return d.answerSignature(ctx, tx, r, c.Word == "yes")
	}
	return "", fmt.Errorf("question %d asks %q", r.paper.ID, r.paper.Asks)
}

func (d *Desk) answerDraft(ctx context.Context, tx *store.Tx, r *decisionRow, yes bool) (string, error) {
	if yes {
		// The proof answers this mail when the text came from elsewhere.
		_, err := tx.ExecContext(ctx, `UPDATE draft SET message_id = $1 WHERE id = $2 AND message_id = ''`, r.MessageID, r.paper.Draft)
		tx.AfterCommit(d.drafts.Ring)
		return "draft taken", errors.Join(err, closeDraft(ctx, tx, r.paper.Draft, "new", "confirmed"))
	}
	row, err := draftByID(ctx, tx, r.paper.Draft)
	if err != nil {
		return "", err
	}
	if err := closeDraft(ctx, tx, row.ID, "dropped", "the editor did not send it"); err != nil {
		return "", err
	}
	return r.tell(ctx, tx, d, "put-away", map[string]any{"Subject": row.Subject})
}
