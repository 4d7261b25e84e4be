package inbox

import (
	"context"
	"slices"
	"strings"
	"time"

	"galley/compose"
	"galley/inbox/intent"
	"galley/inbox/mime"
	"galley/inbox/trust"
	"galley/send/list"
	"galley/send/store"
)

// person deals with mail that no machine wrote: by the decision table when
// it comes from an editor or bears a code, as a reader's otherwise.
func (in *Inbox) person(ctx context.Context, l *letter, w *waiting) error {
	if seal := l.m.Sealed(); seal != "" {
		in.sealed(l, seal)
		return nil
	}
	if !in.wantsProof(l) {
		return in.reader(ctx, l) // nobody's proof is asked for, so a DNS that is down keeps no letter waiting
	}
	policy, err := in.policy(ctx, w.id, w.received)
	if err != nil {
		return err
	}
	l.proof = trust.Judge(ctx, l.raw, policy)
	codes := in.signed(l, l.claims.codes)
	if err := in.open(ctx, l, codes); err != nil {
		return err
	}
	if !l.proof.Editor && l.opening.Proof == 0 {
		return in.reader(ctx, l) // whatever looked like a code is none of ours
	}
	return in.judge(ctx, l, w, false)
}

// sealed hands on a mail that nobody can read here, as it came: its words do
// nothing, whoever wrote them, and are not lost.
func (in *Inbox) sealed(l *letter, seal string) {
	l.kind, l.reason = Letter, "sealed with "+seal
	why := compose.LetterWhy{Why: "sealed", Of: seal}
	l.effect = in.heard(l, intent.ReaderReading{Letter: true}, list.Subscriber{}, why)
}

// claims are what in a mail makes its sender matter.
type claims struct {
	editor bool     // it says that it is an editor's
	codes  []string // what may be a code
}

// claimed looks for them, once.
func (in *Inbox) claimed(l *letter) *claims {
	if l.claims == nil {
		l.claims = &claims{in.saysEditor(l.raw), codesIn(l.m, in.Newsletter)}
	}
	return l.claims
}

// wantsProof tells mail whose sender matters.
func (in *Inbox) wantsProof(l *letter) bool {
	c := in.claimed(l)
	return c.editor || len(c.codes) > 0
}

// saysEditor tells whether a mail claims, in a From that all programs read
// alike, to come from an editor. Any other From is a reader's.
func (in *Inbox) saysEditor(raw []byte) bool {
	addr, _, err := trust.StrictFrom(raw)
	return err == nil && slices.ContainsFunc(in.Newsletter.Editors, func(e Editor) bool { return strings.EqualFold(e.Addr, addr) })
}

// automatic deals with a machine's mail. It does nothing, but an editor is
// told when a mail with a good code looked automatic (conversation.md 6).
func (in *Inbox) automatic(ctx context.Context, l *letter, w *waiting) error {
	codes := in.claimed(l).codes
	if len(codes) == 0 {
		return nil
	}
	policy, err := in.policy(ctx, w.id, w.received)
	if err != nil {
		return err
	}
	l.proof = trust.Judge(ctx, l.raw, policy)
	if err := in.open(ctx, l, codes); err != nil {
		return err
	}
	kind, reason := l.kind, l.reason
	err = in.judge(ctx, l, w, true)
	l.kind, l.reason = kind, reason
	return err
}

// policy is what the judge of senders knows.
func (in *Inbox) policy(ctx context.Context, row int64, now time.Time) (trust.Policy, error) {
	n := in.Newsletter
	pinned, err := in.pinned(ctx)
	p := trust.Policy{AuthservIDs: in.believed(ctx, now), Keys: n.Keys, Now: now, DNS: in.DNS, Pinned: pinned}
	for _, e := range n.Editors {
		p.Editors = append(p.Editors, e.Addr)
	}
	p.Seen = func(hash string) bool {
		seen := true // a fault of the books proves nothing
		err := in.DB.View(ctx, func(tx *store.Tx) (err error) {
			seen, err = seenBefore(ctx, tx, n.ID, "dkim", hash, row)
			return err
		})
		return seen || err != nil
	}
	return p, err
}

// codeLen is the length of a code as newCode of compose makes it: 128 bits in
// base32, in lower case.
const codeLen = 26

// codeRuns lists the first words of a text that have the shape of a code and
// stand alone. It is a loop because it reads every mail whole.
func codeRuns(s string, most int) (out []string) {
	for from := 0; from+codeLen <= len(s) && len(out) < most; {
		last := from + codeLen - 1
		for last >= from && ofCode(s[last]) {
			last--
		}
		if last >= from { // no run of the length begins up to here
			from = last + 1
			continue
		}
		end := from + codeLen
		for end < len(s) && ofCode(s[end]) {
			end++
		}
		if end-from == codeLen {
			out = append(out, s[from:end])
		}
		from = end + 1
	}
	return out
}

func ofCode(c byte) bool { return c >= 'a' && c <= 'z' || c >= '2' && c <= '7' }

// codesIn lists whatever in a mail may be a code: in the addresses it came
// to, in its Subject and In-Reply-To, and in its text.
func codesIn(m *mime.Message, n *Newsletter) []string {
	var out []string
	for _, a := range KnownTo(n.Press).addressed(m) {
		if a.kind == "approve" {
			out = append(out, a.token)
		}
	}
	const most = 5 // a mail may quote several proofs; more is a guess
	for _, s := range []string{m.Subject, m.Text} {
		out = append(out, codeRuns(s, most)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// open asks the desk what the mail answers.
func (in *Inbox) open(ctx context.Context, l *letter, codes []string) error {
	return in.view(ctx, l, func(tx *store.Tx) (err error) {
		l.opening, err = in.Desk.Open(ctx, tx, compose.Query{Newsletter: in.Newsletter.ID,
			InReplyTo: l.m.InReplyTo, Codes: codes, Sender: l.proof.From})
		return err
	})
}

// judge applies the decision table and puts the mail in its tray.
func (in *Inbox) judge(ctx context.Context, l *letter, w *waiting, automated bool) error {
	paper, err := in.paper(ctx, l)
	if err != nil {
		return err
	}
	l.reading = intent.Read(in.mail(l, paper, w.received))
	if leaves(l.reading) {
		return in.reader(ctx, l)
	}
	if known, err := in.actedOn(ctx, l); err != nil || known {
		l.kind, l.reason = kindOf(l.reading, l.m), "its Message-ID was acted on before"
		return err
	}
	c := trust.Case{Automated: automated, Strict: l.proof.Strict && l.proof.Editor, E: l.proof.E, PGP: l.proof.PGP, Code: l.opening.Code,
		Intent: intention(l.reading), CodeAllowed: in.Newsletter.CodeAlone}
	if c.Code == "valid" && l.opening.AsksDraft && c.Intent == "approve" && l.reading.Commands[0].Word == intent.WordYes {
		c.Intent = "ask" // where nothing signs, every draft is confirmed by a yes (conversation.md section 5)
	}
	if c.Strict && l.opening.Editor != "" && l.opening.Editor != l.proof.From {
		c.Code = "absent" // a code is bound to the editor it was mailed to, so this one brought none
	}
	row, action := trust.Decide(c)
	l.kind, l.reason = kindOf(l.reading, l.m), "row "+row+": "+action+", "+because(c)
	return in.act(ctx, l, w, action)
}

// leaves tells the one word by which an editor leaves the list as a reader
// (conversation.md section 1); stop, pause and resume are the desk's.
func leaves(r intent.Reading) bool {
	return r.Kind == intent.KindCommands && len(r.Commands) == 1 && r.Commands[0].Word == intent.WordUnsubscribe
}

// actedOn tells whether an editor's mail of the same Message-ID and other
// octets was acted on already: a changed copy of a mail is no new mail
// (trust.md 2.2).
func (in *Inbox) actedOn(ctx context.Context, l *letter) (known bool, err error) {
	if l.m.MessageID == "" {
		return false, nil
	}
	err = in.view(ctx, l, func(tx *store.Tx) error {
		var n int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM message WHERE newsletter = $1 AND message_id = $2 AND id <> $3 AND state = 'done'
			AND kind IN ('draft', 'answer', 'command')`, in.Newsletter.ID, l.m.MessageID, l.row).Scan(&n)
		known = n > 0
		return err
	})
	return known, err
}

func because(c trust.Case) string {
	signed := ""
	if c.PGP == "pass" || c.PGP == "fail" {
		signed = ", OpenPGP " + c.PGP
	}
	return "sender " + c.E + signed + ", code " + c.Code + ", asks " + c.Intent
}

// paper is what the mail answers: one of the desk's mails, or a copy of an
// issue that went to the list.
func (in *Inbox) paper(ctx context.Context, l *letter) (intent.Paper, error) {
	switch l.opening.Paper {
	case "":
	case "copy":
		return intent.PaperIssue, nil
	case "answer":
		return intent.PaperOther, nil
	default:
		return intent.Paper(l.opening.Paper), nil
	}
	if l.m.InReplyTo == "" {
		return intent.PaperNone, nil
	}
	o, _, err := in.origin(ctx, l, l.m.InReplyTo)
	if err != nil || o.Delivery == 0 {
		return intent.PaperOther, err
	}
	return intent.PaperIssue, nil
}

// mail is the message as intent reads it.
func (in *Inbox) mail(l *letter, paper intent.Paper, now time.Time) intent.Mail {
	n := in.Newsletter
	out := intent.Mail{
		Subject: l.m.Subject, Text: l.m.Text, Reply: l.m.InReplyTo != "" || paper != intent.PaperNone, Paper: paper,
		Current: l.opening.Current, ToOthers: in.toOthers(l.m), Reaction: reaction(l.m), Quoted: l.opening.Body,
		QuotedHTML: mime.HTMLText(l.opening.HTML), Words: n.Words, Now: now, Zone: n.Zone, Slot: n.SlotHour,
		Signatures: l.opening.Signatures, Edges: l.opening.Edges, Desk: []string{n.Press.From.Name, n.Press.From.Addr, n.Address},
	}
	if l.opening.HTML == "" {
		out.QuotedHTML = ""
	}
	for _, e := range n.Editors {
		if e.Addr == l.proof.From {
			out.Names = append(out.Names, e.Name)
		}
	}
	for _, t := range l.opening.Texts {
		p := intent.Paper("draft")
		if t.Starter {
			p = intent.PaperStarter
		}
		out.Open = append(out.Open, intent.Text{Issue: t.Issue, Paper: p, Body: t.Markdown})
	}
	for i := range l.m.Parts {
		if p := &l.m.Parts[i]; p.Attached() {
			a := intent.Attachment{Name: p.Name, Type: p.Type}
			if textual(p) {
				a.Text = p.Text()
			}
			out.Attachments = append(out.Attachments, a)
		}
	}
	return out
}

// textual tells attachments that may hold a draft or a list.
func textual(p *mime.Part) bool {
	name := strings.ToLower(p.Name)
	for _, ext := range []string{".md", ".markdown", ".txt", ".csv"} {
		if strings.HasSuffix(name, ext) {
			return true
		}
	}
	return strings.HasPrefix(p.Type, "text/") && p.Type != "text/html"
}

// reaction recognises a thumb: Gmail mails it as a part of its own.
func reaction(m *mime.Message) bool {
	for _, p := range m.Parts {
		if p.Type == "text/vnd.google.email-reaction+json" {
			return true
		}
	}
	return false
}

// toOthers tells whether the mail also goes to somebody who is neither the
// newsletter nor an editor of it.
func (in *Inbox) toOthers(m *mime.Message) bool {
	for _, a := range slices.Concat(m.To, m.Cc) {
		_, _, ours := in.Newsletter.Press.Pattern.Parse(a.Addr)
		editor := slices.ContainsFunc(in.Newsletter.Editors, func(e Editor) bool { return strings.EqualFold(e.Addr, a.Addr) })
		if !ours && !editor && !strings.EqualFold(a.Addr, in.Newsletter.Address) {
			return true
		}
	}
	return false
}

// intention is the reading in the words of the decision table. What changes
// the text is a draft; what lets mail out is an approval.
func intention(r intent.Reading) string {
	switch r.Kind {
	case intent.KindDraft:
		return "draft"
	case intent.KindHold:
		return "hold"
	case intent.KindCommands:
		out := "ask"
		for _, c := range r.Commands {
			if c.Lets {
				return "approve"
			}
			switch {
			case holdsBack[c.Word]:
				return "hold"
			case changesText[c.Word]:
				out = "draft"
			}
		}
		return out
	}
	return "none"
}

// holdsBack are the words that leave slots out: they need proof or code, and
// not both.
var holdsBack = map[intent.Word]bool{intent.WordSkip: true, intent.WordPause: true}

var changesText = map[intent.Word]bool{"change": true, "delete": true, "title": true, "subtitle": true, "preheader": true, "use": true, "undo": true}

// kindOf names an editor's mail.
func kindOf(r intent.Reading, m *mime.Message) Kind {
	switch r.Kind {
	case intent.KindDraft:
		return Draft
	case intent.KindLinks:
		return Suggestion
	case intent.KindNothing:
		return Letter
	}
	if m.InReplyTo != "" {
		return Answer
	}
	return Command
}

// again is when a sender that could not be checked is checked again
// (trust.md 2.6 row 6); after a day it counts as not proven.
var again = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour}

// act is the decision table's right-hand side. A case is one call.
func (in *Inbox) act(ctx context.Context, l *letter, w *waiting, action string) error {
	switch action {
	case trust.Silence:
		if saysHello(l.reading) { // whoever can prove nothing and brings no code back is helped, too
			l.effect = in.decide(l, compose.Codeless)
		}
	case trust.Nothing, trust.Wrong:
		return nil
	case trust.Reader:
		return in.reader(ctx, l)
	case trust.Retry:
		return in.retry(l, w)
	case trust.Draft:
		l.effect = in.submit(l, false)
	case trust.Held:
		l.effect = in.submit(l, true)
	case trust.Execute, trust.Do, trust.Hold, trust.Note:
		l.effect = in.decide(l, compose.Execute)
	case trust.Explain:
		l.effect = in.decide(l, compose.Unproven)
	case trust.Proof:
		l.effect = in.decide(l, map[bool]compose.Ruling{true: compose.Codeless, false: compose.Stale}[l.opening.Code == "absent"])
	case trust.Notice:
		l.effect = in.once(l, "notice", in.decide(l, compose.Notice))
	case trust.Tell:
		l.reading = intent.Reading{Kind: intent.KindNothing}
		l.effect = in.once(l, "automatic", in.decide(l, compose.Automatic))
	case trust.Burn:
		l.effect = in.burn(l, compose.Leaked, false)
	case trust.HoldBurn:
		l.effect = in.burn(l, compose.Leaked, true)
	case trust.Quarantine, trust.HoldQuar:
		l.kind = Quarantine
		told := compose.Notice
		if l.proof.PGP == "fail" {
			told = compose.BadlySigned
		}
		l.effect = in.burn(l, told, action == trust.HoldQuar)
	}
	return nil
}

// retry looks at the mail again later: the DNS did not answer.
func (in *Inbox) retry(l *letter, w *waiting) error {
	age := l.now().Sub(w.received)
	for _, step := range again {
		if age < step {
			l.due = w.received.Add(step)
			return nil
		}
	}
	if age < 24*time.Hour {
		l.due = l.now().Add(4 * time.Hour)
		return nil
	}
	l.proof.E = "none"
	return in.judgeAgain(l, w)
}

func (l *letter) now() time.Time { return store.Now() }

func (in *Inbox) judgeAgain(l *letter, w *waiting) error {
	c := trust.Case{Strict: l.proof.Strict && l.proof.Editor, E: "none", Code: l.opening.Code, Intent: intention(l.reading), CodeAllowed: in.Newsletter.CodeAlone}
	row, action := trust.Decide(c)
	l.reason = "row " + row + " after a day without DNS: " + action
	return in.act(context.Background(), l, w, action)
}
