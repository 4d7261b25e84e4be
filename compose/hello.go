package compose

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"galley/send/store"
)

// asksHello is what the hello asks; asksLines whether the lines that its
// answer has shown are no signature.
const (
	asksHello = "hello"
	asksLines = "hello lines "
)

// What stands in the note of a draft that waits for its editor's hello.
const (
	waitsForHello         = "waits for hello"
	unprovenWaitsForHello = "unproven, waits for hello"
)

// How an answer to the hello proves itself.
const (
	ByDKIM   = "dkim"   // by the signature of a domain
	ByServer = "server" // by the word of the mailbox's own server
	ByPGP    = "pgp"    // by an OpenPGP key of the configuration
)

// The places in which a code may come back.
const (
	PlaceAddress = "address"
	PlaceThread  = "thread"
	PlaceText    = "text"
	PlaceSubject = "subject"
)

// Greeting is what an answer to the hello has shown (conversation.md section 8).
type Greeting struct {
	Coded     bool     `json:"coded"`               // a good code has come back
	By        string   `json:"by,omitempty"`        // ByDKIM, ByServer, ByPGP, "" for nothing
	Domains   []string `json:"domains,omitempty"`   // that sign, and are pinned
	Places    []string `json:"places,omitempty"`    // in which the code has come back
	Renamed   bool     `json:"renamed,omitempty"`   // it answers a Message-ID that is not ours
	Signature []string `json:"signature,omitempty"` // lines under the word
	Banner    string   `json:"banner,omitempty"`    // what a server puts above, as it stands there
	Foot      string   `json:"foot,omitempty"`      // what one puts below
	Rest      []string `json:"rest,omitempty"`      // lines that are not learnt
}

// greet says hello to every editor whom the desk has not met, once at the
// first start that knows the editor, and once more when the code of that mail
// has run out. After that the desk speaks of it only when it is written to.
func (d *Desk) greet(ctx context.Context) error {
	var todo []greeted
	err := d.DB.View(ctx, func(tx *store.Tx) error {
		met, err := d.greetings(ctx, tx)
		for id, n := range d.Newsletters {
			for _, e := range n.Editors {
				g := met[greeted{newsletter: id, editor: e.Addr}]
				again := g.times == 1 && tx.Now().Sub(g.asked) >= codeLife
				if n.Hello && g.said.IsZero() && (g.times == 0 || again) {
					todo = append(todo, greeted{newsletter: id, editor: e.Addr})
				}
			}
		}
		return err
	})
	for _, g := range todo {
		n := d.Newsletters[g.newsletter]
		err = errors.Join(err, d.DB.Update(ctx, func(tx *store.Tx) error { return d.sayHello(ctx, tx, n, g.editor, "", &hello{}) }))
	}
	return err
}

// greeted names an editor of a newsletter.
type greeted struct{ newsletter, editor string }

// met is what the books know of an editor's hello.
type met struct {
	asked, said time.Time
	times       int
}

func (d *Desk) greetings(ctx context.Context, tx *store.Tx) (map[greeted]met, error) {
	rows, err := tx.QueryContext(ctx, `SELECT newsletter, editor, asked, times, said FROM greeting`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[greeted]met{}
	for rows.Next() {
		var key greeted
		var asked, said int64
		var m met
		if err := rows.Scan(&key.newsletter, &key.editor, &asked, &m.times, &said); err != nil {
			return nil, err
		}
		m.asked, m.said = store.Instant(asked), store.Instant(said)
		out[key] = m
	}
	return out, rows.Err()
}

// Unmet lists the editors of a newsletter who were greeted and have not said
// hello, and whose first draft waits for it.
func (d *Desk) Unmet(ctx context.Context, tx *store.Tx, newsletter string) (out []string, err error) {
	n := d.Newsletters[newsletter]
	if n == nil || !n.Hello {
		return nil, nil
	}
	all, err := d.greetings(ctx, tx)
	for _, e := range n.Editors {
		g := all[greeted{newsletter, e.Addr}]
		known := true
		if err == nil && g.times > 0 && g.said.IsZero() {
			known, err = d.knows(ctx, tx, n, e.Addr)
		}
		if !known {
			out = append(out, e.Addr)
		}
	}
	return out, err
}

// hello is what one mail that asks for the word has to say beside it.
type hello struct {
	Why       string // "", draft, lost, leaked, stale, asked
	Subject   string // of the draft that waits
	inSubject bool   // the code stands in the Subject, too
}

// sayHello mails an editor a hello. Its code lets nothing out: it shows that
// whoever brings it back has read the editor's mailbox. It stays good for
// several answers, one from each device.
func (d *Desk) sayHello(ctx context.Context, tx *store.Tx, n *Newsletter, editor, answers string, h *hello) error {
	code, err := newCode()
	if err != nil {
		return err
	}
	to := n.addressOf(editor)
	subject, text, err := say(n.Frame.Looks, "hello", map[string]any{"Why": h.Why, "Draft": h.Subject, "Code": code,
		"Name": firstName(to.Name), "Newsletter": n.Frame.Name, "Address": n.From.Addr})
	if err != nil {
		return err
	}
	m := &mail{paper: paper{Kind: paperQuestion, Asks: asksHello}, to: to, code: code, answers: answers, subject: subject, text: text, inSubject: h.inSubject}
	if err := d.post(ctx, tx, n, m); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO greeting (newsletter, editor, asked, times) VALUES ($1, $2, $3, 1)
		ON CONFLICT (newsletter, editor) DO UPDATE SET asked = excluded.asked, times = greeting.times + 1`, n.ID, to.Addr, store.Micros(tx.Now()))
	return err
}

// mayGreet bounds the hellos that mail without proof can cause: whoever writes
// in an editor's name must not be able to flood the editor.
func mayGreet(ctx context.Context, tx *store.Tx, n *Newsletter, editor string) (bool, error) {
	var asked int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM proof WHERE newsletter = $1 AND editor = $2 AND asks = $3 AND made > $4`,
		n.ID, editor, asksHello, store.Micros(tx.Now().Add(-24*time.Hour))).Scan(&asked)
	return asked <= askedADay, err
}

// greetUnproven answers a hello that neither proves its sender nor brings a
// code: its editor may be the one who cannot.
func (d *Desk) greetUnproven(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	if ok, err := mayGreet(ctx, tx, r.n, r.Editor); err != nil || !ok {
		return "hello again: not more than three a day", err
	}
	return d.greetAgain(ctx, tx, r, &hello{Why: "lost", inSubject: true})
}

// greetAgain answers a hello that brought no good code.
func (d *Desk) greetAgain(ctx context.Context, tx *store.Tx, r *decisionRow, h *hello) (string, error) {
	return "hello again: " + h.Why, d.sayHello(ctx, tx, r.n, r.Editor, r.MessageID, h)
}

// hello takes the answer to a hello: what it has shown is kept, a draft that
// came first is read now, and the editor is told what works.
func (d *Desk) hello(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	g := r.Words.Greeting
	switch {
	case r.Editor == "":
		return d.greetAll(ctx, tx, r)
	case g == nil:
		return d.greetAgain(ctx, tx, r, &hello{Why: "lost", inSubject: true})
	case !g.Coded:
		return d.greetAgain(ctx, tx, r, &hello{Why: "stale"})
	}
	only := len(g.Places) == 1 && g.Places[0] == PlaceSubject
	now := store.Micros(tx.Now())
	_, err := tx.ExecContext(ctx, `INSERT INTO greeting (newsletter, editor, asked, times, said, subject) VALUES ($1, $2, $3, 0, $4, $5)
		ON CONFLICT (newsletter, editor) DO UPDATE SET said = excluded.said, subject = greeting.subject OR excluded.subject`,
		r.n.ID, r.Editor, now, now, only)
	if err != nil {
		return "", err
	}
	drafts, err := d.releaseDrafts(ctx, tx, r)
	if err != nil {
		return "", err
	}
	if err := errors.Join(d.Learn(ctx, tx, r.n.ID, r.Editor, g.Signature), d.learnEdges(ctx, tx, r, g)); err != nil {
		return "", err
	}
	return d.tellGreeted(ctx, tx, r, g, drafts)
}

// greetAll says hello to every editor once more: the operator asks for it.
func (d *Desk) greetAll(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	var to []string
	for _, e := range r.n.Editors {
		if err := d.sayHello(ctx, tx, r.n, e.Addr, "", &hello{Why: "asked"}); err != nil {
			return "", err
		}
		to = append(to, e.Addr)
	}
	return r.tell(ctx, tx, d, "hello-sent", map[string]any{"To": to})
}

// learnEdges keeps what servers put above and below an editor's mail, in one
// line: each device breaks the same block elsewhere.
func (d *Desk) learnEdges(ctx context.Context, tx *store.Tx, r *decisionRow, g *Greeting) error {
	for _, block := range []string{g.Banner, g.Foot} {
		if block = inOneLine(block); block == "" {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO signature (newsletter, editor, line, edge, at) VALUES ($1, $2, $3, TRUE, $4) ON CONFLICT DO NOTHING`,
			r.n.ID, r.Editor, block, store.Micros(tx.Now()))
		if err != nil {
			return err
		}
	}
	return nil
}

// inOneLine is a text with single blanks between its words.
func inOneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// released counts the drafts that waited for a hello: those that are read now,
// and those that nothing proves, which are asked about as any other is.
type released struct{ Read, Asked int64 }

func (d *Desk) releaseDrafts(ctx context.Context, tx *store.Tx, r *decisionRow) (out released, err error) {
	for _, w := range []struct {
		note, state string
		count       *int64
	}{{waitsForHello, "new", &out.Read}, {unprovenWaitsForHello, "held", &out.Asked}} {
		done, err := tx.ExecContext(ctx, `UPDATE draft SET state = $1, note = '' WHERE newsletter = $2 AND editor = $3 AND state = 'held' AND note = $4`,
			w.state, r.n.ID, r.Editor, w.note)
		if err != nil {
			return out, err
		}
		if *w.count, err = done.RowsAffected(); err != nil {
			return out, err
		}
	}
	tx.AfterCommit(d.drafts.Ring)
	tx.AfterCommit(d.bell.Ring)
	return out, nil
}

// tellGreeted says in plain words what works, and what to do about the rest.
func (d *Desk) tellGreeted(ctx context.Context, tx *store.Tx, r *decisionRow, g *Greeting, drafts released) (string, error) {
	has := map[string]bool{}
	for _, p := range g.Places {
		has[p] = true
	}
	domain := domainOf(r.Editor)
	foreign := len(foreignTo(r.Editor, g)) > 0
	data := map[string]any{"Open": d.standing(ctx, tx, r), "Name": firstName(r.n.nameOf(r.Editor)), "G": g, "Has": has, "Domain": domain,
		"Foreign": foreign, "CodeAlone": r.n.CodeAlone, "Drafts": drafts, "Learnt": len(g.Signature) > 0 || g.Banner != "" || g.Foot != ""}
	m := &mail{paper: paper{Kind: paperAnswer}}
	if data["Learnt"] == true || foreign {
		m.paper = paper{Kind: paperQuestion, Asks: asksLines + strconv.FormatInt(r.ID, 10)}
	}
	return r.mail(ctx, tx, d, "hello-answer", data, m)
}

// answerLines forgets what a hello has shown, when the editor says that it is
// no signature; a yes says what the desk does anyhow.
func (d *Desk) answerLines(ctx context.Context, tx *store.Tx, r *decisionRow, yes bool) (string, error) {
	first, err := d.shownBy(ctx, tx, r.paper)
	if err != nil || first.Words.Greeting == nil {
		return "", err
	}
	g := first.Words.Greeting
	if !yes {
		for _, l := range append([]string{inOneLine(g.Banner), inOneLine(g.Foot)}, g.Signature...) {
			if _, err := tx.ExecContext(ctx, `DELETE FROM signature WHERE newsletter = $1 AND editor = $2 AND line = $3`, r.n.ID, r.Editor, l); err != nil {
				return "", err
			}
		}
	}
	return r.tell(ctx, tx, d, "hello-lines", map[string]any{"Open": d.standing(ctx, tx, r), "Yes": yes, "Domains": foreignTo(r.Editor, g)})
}

// shownBy is the answer to a hello whose lines and domains a paper asks about.
func (d *Desk) shownBy(ctx context.Context, tx *store.Tx, p *paper) (*decisionRow, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(p.Asks, asksLines), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("question %d asks %q", p.ID, p.Asks)
	}
	return d.decisionByID(ctx, tx, id)
}

// foreignTo are the domains of a greeting that sign for an editor without being
// the editor's own: a provider's, or whoever had the code and said to be.
func foreignTo(editor string, g *Greeting) (out []string) {
	if g == nil {
		return nil
	}
	domain := domainOf(editor)
	for _, s := range g.Domains {
		if s != domain && !strings.HasSuffix(domain, "."+s) {
			out = append(out, s)
		}
	}
	return out
}

// knows tells whether the desk has met an editor: by a hello, or by a draft
// that became a proof, as in books that are older than the hello. An issue in
// the making must not stand still for it.
func (d *Desk) knows(ctx context.Context, tx *store.Tx, n *Newsletter, editor string) (bool, error) {
	if _, ok := n.editor(editor); !ok || !n.Hello {
		return true, nil // the operator's, or nobody is asked
	}
	var known int
	err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM greeting WHERE newsletter = $1 AND editor = $2 AND said > 0)
		+ (SELECT count(*) FROM draft WHERE newsletter = $1 AND editor = $2 AND state = 'proofed')`, n.ID, editor).Scan(&known)
	return known > 0, err
}

// helloFirst keeps a draft whose editor has not said hello yet, and asks for
// it. waits is false when the draft can be read.
func (d *Desk) helloFirst(ctx context.Context, id int64) (waits bool, err error) {
	err = d.DB.Update(ctx, func(tx *store.Tx) error {
		row, err := draftByID(ctx, tx, id)
		if err != nil || row == nil || row.Sender != "" {
			return err
		}
		n := d.Newsletters[row.Newsletter]
		if n == nil {
			return nil // readDraft complains
		}
		known, err := d.knows(ctx, tx, n, row.Editor)
		if err != nil || known {
			return err
		}
		waits = true
		note := waitsForHello
		if row.State == "held" {
			note = unprovenWaitsForHello
		}
		if err := closeDraft(ctx, tx, id, "held", note); err != nil {
			return err
		}
		if ok, err := mayGreet(ctx, tx, n, row.Editor); err != nil || !ok && note == unprovenWaitsForHello {
			return err
		}
		return d.sayHello(ctx, tx, n, row.Editor, row.MessageID, &hello{Why: "draft", Subject: row.Subject})
	})
	return waits, err
}

// codeInSubject tells that an editor's mail brings a code back in the Subject
// alone (conversation.md section 2).
func codeInSubject(ctx context.Context, tx *store.Tx, n *Newsletter, editor string) (yes bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT subject FROM greeting WHERE newsletter = $1 AND editor = $2`, n.ID, editor).Scan(&yes)
	if store.NotFound(err) {
		return false, nil
	}
	return yes, err
}
