package compose

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"galley/send"
	"galley/send/message"
	"galley/send/store"
)

// Kinds of papers: the desk's mails that an editor may answer.
const (
	paperProof    = "proof"
	paperStarter  = "starter"
	paperReminder = "reminder"
	paperStopped  = "stopped"
	paperQuestion = "question"
	paperReport   = "report"
	paperCopy     = "copy"
	paperAnswer   = "answer"
)

// codeLife is how long a code lets mail out (trust.md 2.6).
const codeLife = 7 * 24 * time.Hour

// paper is one of the desk's mails as the books keep it.
type paper struct {
	ID         int64
	Newsletter string
	Kind       string
	Issue      int64 // row of the issue, 0 if none
	Revision   int
	Draft      int64 // row of the draft that a question is about
	Asks       string
	Editor     string
	Digest     string
	MessageID  string
	State      string
	Body       string
	HTML       string
	Readers    int // how many were on the list then, for a paper that lets an issue out
	Made       time.Time
	Expires    time.Time
}

const paperColumns = `id, newsletter, kind, coalesce(issue, 0), revision, coalesce(draft, 0), asks, editor, digest, message_id, state, body, html, readers, made, expires`

func scanPaper(row scanner) (*paper, error) {
	var p paper
	var made, expires int64
	err := row.Scan(&p.ID, &p.Newsletter, &p.Kind, &p.Issue, &p.Revision, &p.Draft, &p.Asks, &p.Editor,
		&p.Digest, &p.MessageID, &p.State, &p.Body, &p.HTML, &p.Readers, &made, &expires)
	if store.NotFound(err) {
		return nil, nil
	}
	p.Made, p.Expires = store.Instant(made), store.Instant(expires)
	return &p, err
}

func paperByID(ctx context.Context, tx *store.Tx, id int64) (*paper, error) {
	if id == 0 {
		return nil, nil
	}
	return scanPaper(tx.QueryRowContext(ctx, `SELECT `+paperColumns+` FROM proof WHERE id = $1`, id))
}

// use spends a paper's code. It fails when somebody else has been faster, or
// the text has changed meanwhile: a code lets one mail out, once.
func (p *paper) use(ctx context.Context, tx *store.Tx) (bool, error) {
	res, err := tx.ExecContext(ctx, `UPDATE proof SET state = 'used' WHERE id = $1 AND state = 'open' AND (expires = 0 OR expires > $2)`,
		p.ID, store.Micros(tx.Now()))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// voidPapers ends the codes of an issue: its text or its state has changed.
func voidPapers(ctx context.Context, tx *store.Tx, issue int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE proof SET state = 'void' WHERE issue = $1 AND state = 'open' AND code <> ''`, issue)
	return err
}

// Burn kills the code of a paper: somebody who is not its editor had it.
func (d *Desk) Burn(ctx context.Context, tx *store.Tx, paper int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE proof SET state = 'burnt' WHERE id = $1`, paper)
	return err
}

// newCode makes 128 random bits that survive every mail program: base32 in
// lower case.
func newCode() (string, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)), nil
}

// mail is one mail of the desk on its way to the books.
type mail struct {
	paper
	to          message.Address
	from        *message.Address // nil: the desk
	replyTo     *message.Address // nil: the desk, or the code's address
	code        string           // "" for a mail that lets nothing out
	number      int              // of the issue, for the Message-ID
	answers     string           // Message-ID of the mail that it answers
	subject     string
	text        string
	html        []byte
	look        mailView             // of the HTML part that post makes where html is nil
	inline      []message.Attachment // what html refers to as cid:
	attachments []message.Attachment
	below       string // a text that is not wrapped, under the words
	urgent      bool   // servers may refuse it: it is also laid into the mailbox
	inSubject   bool   // the code stands in the Subject, too
}

// post writes the paper's row and hands the mail to the press, in one
// transaction with whatever it reports.
func (d *Desk) post(ctx context.Context, tx *store.Tx, n *Newsletter, m *mail) error {
	token := m.code
	if token == "" {
		var err error
		if token, err = newCode(); err != nil {
			return err
		}
	}
	m.MessageID = fmt.Sprintf("<%s.%d.%d.%s@%s>", m.Kind, m.number, m.Revision, token, domainOf(n.From.Addr))
	if err := m.dress(n); err != nil {
		return err
	}
	if m.code != "" && m.Issue != 0 {
		var err error
		if m.Readers, err = d.Figures.Audience(ctx, tx, n.ID); err != nil {
			return err
		}
	}
	if m.code != "" {
		needed, err := codeInSubject(ctx, tx, n, m.to.Addr)
		if err != nil {
			return err
		}
		if needed || m.inSubject {
			m.subject += " [" + m.code + "]"
		}
	}
	if err := m.insert(ctx, tx, n); err != nil {
		return err
	}
	slip := &send.Slip{Newsletter: n.ID, Kind: m.Kind, To: m.to, Mail: m.message(n, tx.Now())}
	if m.urgent {
		slip.Kind = send.KindAlert
	}
	return d.Press.Post(ctx, tx, slip)
}

func (m *mail) insert(ctx context.Context, tx *store.Tx, n *Newsletter) error {
	hash, expires := "", int64(0)
	if m.code != "" {
		hash, expires = n.hash(m.code), store.Micros(tx.Now().Add(codeLife))
	}
	return tx.QueryRowContext(ctx, `INSERT INTO proof (newsletter, kind, issue, revision, draft, asks, editor, code, digest, message_id, state, body, html, readers, made, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12, $13, $14, $15) RETURNING id`,
		n.ID, m.Kind, nullable(m.Issue), m.Revision, nullable(m.Draft), m.Asks, m.to.Addr, hash, m.Digest, m.MessageID,
		m.text, string(m.html), m.Readers, store.Micros(tx.Now()), expires).Scan(&m.ID)
}

// message makes the mail itself. Its code stands in three places: the
// Reply-To, the Message-ID and a line of the body (conversation.md 2).
func (m *mail) message(n *Newsletter, now time.Time) *message.Mail {
	out := &message.Mail{
		From: n.From, To: []message.Address{m.to}, Subject: m.subject, Date: now, MessageID: m.MessageID,
		Fields:    []message.Field{{Name: "X-Loop", Value: n.Loop}},
		InReplyTo: m.answers, AutoSubmitted: "auto-generated", Text: []byte(m.text), HTML: m.html, Inline: m.inline, Attachments: m.attachments,
	}
	if m.answers != "" {
		out.AutoSubmitted, out.References = "auto-replied", []string{m.answers}
	}
	if m.from != nil {
		out.From = *m.from
	}
	out.ReplyTo = m.replyTo
	if m.code != "" {
		out.ReplyTo = &message.Address{Name: n.From.Name, Addr: n.Pattern.Address("approve", m.code)}
	}
	return out
}

func domainOf(addr string) string { return addr[strings.LastIndexByte(addr, '@')+1:] }

// Opening is what the desk knows about a mail that answers one of its own.
type Opening struct {
	Paper    string // kind of the paper that the mail answers, "" if none
	Proof    int64  // row of that paper, 0 if none
	Editor   string // whom the paper went to
	Issue    int    // number of its issue, 0 if none
	Revision int
	Current  bool   // it is about the newest revision
	Code     string // valid, stale, wrong or absent
	// MessageID is that of the paper.
	MessageID string
	// Shown are the domains that a no in answer to it takes back: a hello has
	// shown them, and they are not the editor's own.
	Shown []string
	// AsksDraft: it asks whether a text is the editor's. A yes to that lets no
	// mail out, only a proof to the editor.
	AsksDraft bool
	Body      string // the paper's text as it went out
	HTML      string // the same as HTML, "" if it had none
	Texts     []OpenText
	// Signatures are the lines of the sender's foot, known from earlier mails.
	Signatures []string
	// Edges are what servers put above and below the sender's mail.
	Edges []string
}

// OpenText is an issue in the making, or the empty form of one, to tell a
// revision from a note.
type OpenText struct {
	Issue    int
	Starter  bool
	Markdown string
}

// Query is how a mail may point back at the desk.
type Query struct {
	Newsletter string
	InReplyTo  string
	Codes      []string // whatever in the mail looks like a code
	Sender     string   // the strict From; codes in the Message-ID count only from their editor
}

// Open tells what a mail answers, how good its code is, and which texts are
// open. It changes nothing.
func (d *Desk) Open(ctx context.Context, tx *store.Tx, q Query) (*Opening, error) {
	n, ok := d.Newsletters[q.Newsletter]
	if !ok {
		return nil, fmt.Errorf("no newsletter %q", q.Newsletter)
	}
	o := &Opening{Code: "absent"}
	if len(q.Codes) > 0 {
		o.Code = "wrong"
	}
	p, err := d.find(ctx, tx, n, q)
	if err == nil && p != nil {
		err = o.describe(ctx, tx, p)
	}
	texts, err2 := openTexts(ctx, tx, n.ID)
	known, err3 := signatures(ctx, tx, n.ID, q.Sender, false)
	edges, err4 := signatures(ctx, tx, n.ID, q.Sender, true)
	if p != nil && strings.HasPrefix(p.Asks, asksSignature) && p.Editor == q.Sender {
		asked, err := d.askedFoot(ctx, tx, p)
		known, err3 = append(known, asked...), errors.Join(err3, err)
	}
	if p != nil && strings.HasPrefix(p.Asks, asksLines) {
		first, err := d.shownBy(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		o.Shown = foreignTo(p.Editor, first.Words.Greeting)
	}
	o.Texts, o.Signatures, o.Edges = texts, known, edges
	return o, errors.Join(err, err2, err3, err4)
}

// find looks for the paper by its code, then by the thread.
func (d *Desk) find(ctx context.Context, tx *store.Tx, n *Newsletter, q Query) (*paper, error) {
	for _, code := range q.Codes {
		p, err := scanPaper(tx.QueryRowContext(ctx, `SELECT `+paperColumns+` FROM proof WHERE newsletter = $1 AND code = $2`, n.ID, n.hash(code)))
		if err != nil || p != nil {
			return p, err
		}
	}
	if q.InReplyTo == "" {
		return nil, nil
	}
	p, err := scanPaper(tx.QueryRowContext(ctx, `SELECT `+paperColumns+` FROM proof WHERE newsletter = $1 AND message_id = $2`, n.ID, q.InReplyTo))
	if err != nil || p == nil || p.Editor == q.Sender {
		return p, err
	}
	return nil, nil // the thread counts only from the editor to whom the paper went
}

func (o *Opening) describe(ctx context.Context, tx *store.Tx, p *paper) error {
	if p.Asks == asksShow || p.Asks == asksHello {
		p.Kind = p.Asks
	}
	o.MessageID, o.AsksDraft = p.MessageID, p.Asks == asksDraft
	o.Paper, o.Proof, o.Editor, o.Revision, o.Body, o.HTML = p.Kind, p.ID, p.Editor, p.Revision, p.Body, p.HTML
	var coded bool
	if err := tx.QueryRowContext(ctx, `SELECT code <> '' FROM proof WHERE id = $1`, p.ID).Scan(&coded); err != nil {
		return err
	}
	current := true
	if p.Issue != 0 {
		i, err := issueByID(ctx, tx, p.Issue)
		if err != nil {
			return err
		}
		o.Issue, current = i.Number, i.Revision == p.Revision
	}
	o.Current = current
	switch {
	case !coded: // a report or an answer lets nothing out
	case p.State == "open" && current && tx.Now().Before(p.Expires):
		o.Code = "valid"
	default:
		o.Code = "stale"
	}
	return nil
}

func openTexts(ctx context.Context, tx *store.Tx, newsletter string) ([]OpenText, error) {
	drafts, err := readTexts(ctx, tx, false, `SELECT issue.number, draft.markdown FROM issue JOIN draft ON draft.issue = issue.id AND draft.revision = issue.revision
		WHERE issue.newsletter = $1 AND issue.state IN ('proofed', 'approved', 'held', 'sending', 'stopped') ORDER BY issue.number`, newsletter)
	if err != nil {
		return nil, err
	}
	starters, err := readTexts(ctx, tx, true, `SELECT number, body FROM starter WHERE newsletter = $1 AND number > 0
		AND NOT EXISTS (SELECT 1 FROM issue WHERE issue.newsletter = starter.newsletter AND issue.number = starter.number) ORDER BY number`, newsletter)
	return append(drafts, starters...), err
}

func readTexts(ctx context.Context, tx *store.Tx, starter bool, query, newsletter string) ([]OpenText, error) {
	rows, err := tx.QueryContext(ctx, query, newsletter)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []OpenText
	for rows.Next() {
		t := OpenText{Starter: starter}
		if err := rows.Scan(&t.Issue, &t.Markdown); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}
