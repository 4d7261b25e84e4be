package compose

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"galley/send"
	"galley/send/message"
	"galley/send/store"
)

// Press is send, as the desk sees it. Each method writes rows of send's own
// tables inside the desk's transaction and does nothing else.
type Press interface {
	Publish(ctx context.Context, tx *store.Tx, e *send.Edition) error
	Halt(ctx context.Context, tx *store.Tx, newsletter string, issue int, how send.Halt) error
	Correct(ctx context.Context, tx *store.Tx, e *send.Edition) error
	MoveIn(ctx context.Context, tx *store.Tx) error
	Silent() bool // readers get nothing now, whatever is approved
	Post(ctx context.Context, tx *store.Tx, s *send.Slip) error
}

// Figures is what the desk asks about a list and a run.
type Figures interface {
	Audience(ctx context.Context, tx *store.Tx, newsletter string) (int, error)
	Progress(ctx context.Context, tx *store.Tx, newsletter string, issue int) (*send.Run, error)
	Failures(ctx context.Context, tx *store.Tx, newsletter string, issue int) ([]send.Failure, error)
	Away(ctx context.Context, tx *store.Tx) (send.Away, error)
	Tallies(ctx context.Context, tx *store.Tx, newsletter string, most int) ([]send.Tally, error)
	Came(ctx context.Context, tx *store.Tx, newsletter string, issue int) (bounces, complaints int, err error)
	Pulse(ctx context.Context, tx *store.Tx, r *send.Run) (perSecond float64, left time.Duration, err error)
}

// Newsletter is what the desk knows of one newsletter. It is built from the
// configuration and never changes.
type Newsletter struct {
	ID      string
	From    message.Address // the desk's own address, with the name editors see
	Pattern send.Pattern    // how the addresses that it hands out are made
	Editors []message.Address
	// Approvals is how many people must approve an issue; 0 is one.
	Approvals int
	Frame     Frame
	Slot      *Slot // nil: every approval names its time
	Zone      *time.Location
	Thanks    bool // readers whose links were used get a mail of thanks
	Hello     bool // every editor is asked to say hello, and a first draft waits for it
	CodeAlone bool // approve = "code": what the answer to a hello says of it
	// Acknowledge tells readers that their links have arrived.
	Acknowledge bool
	Grace       time.Duration // between the editors' first copy and everybody else's
	Key         []byte        // keys the hashes of codes
	Loop        string        // what our mails say in X-Loop
	// Quarantine and Again are the folders that mails to the editors name.
	Quarantine, Again string
}

// Desk is the part of Galley that talks with editors. Its zero value needs
// DB, Press, Figures, Newsletters and Log.
type Desk struct {
	DB          *store.DB
	Press       Press
	Figures     Figures
	People      People
	Door        Door
	Newsletters map[string]*Newsletter
	Tick        time.Duration // how often Run looks by itself; 2 s when 0
	Prober      Prober        // looks whether links are alive; nil: nobody does
	Log         *slog.Logger
	bell        store.Bell
	drafts      store.Bell
	pages       store.Bell
}

// Draft is an editor's text as the inbox hands it in.
type Draft struct {
	Newsletter string
	Message    int64  // the inbox's row, 0 when it did not come by mail
	MessageID  string // of the editor's mail, for the answer's thread
	Editor     string // the address that proved itself
	Form       string // attachment, front matter, text, html or quote: which part of the mail counted
	Subject    string
	Answers    int64  // the desk's own paper that the mail answers, 0 if none
	Remark     string // what stood beside the text
	Source     []byte
	Images     []Enclosed // the pictures that came with it
	Written    time.Time  // the mail's own Date
	Held       bool       // nothing proves the sender: asked about before it is read
	From       string     // with Held: the address it came from when that is not the editor's
	Corrects   int        // the issue already sent of which this is the corrected text, 0 if none
}

// Command is one word of an editor's mail, already understood.
type Command struct {
	Word     string      `json:"word"`
	Args     []string    `json:"args,omitempty"`
	In       string      `json:"in,omitempty"`       // the section that the line names; kindly, of decline
	At       time.Time   `json:"at,omitzero"`        // the time that the line names
	Readings []time.Time `json:"readings,omitempty"` // two or more: the line can be read in several ways
	Past     bool        `json:"past,omitempty"`     // the time named is over
	Line     string      `json:"line,omitempty"`     // as it was written
}

// Words is what an editor's mail asks beside drafts.
type Words struct {
	Commands []Command `json:"commands,omitempty"`
	Note     string    `json:"note,omitempty"`     // what was not understood
	Nearest  string    `json:"nearest,omitempty"`  // the word that Note resembles
	Beside   string    `json:"beside,omitempty"`   // other words, which keep a releasing one from being done
	Foot     []string  `json:"foot,omitempty"`     // lines that may be a signature
	Withheld []Command `json:"withheld,omitempty"` // what is not done before a question is answered
	Told     string    `json:"told,omitempty"`     // why nothing was done: reaction, reminder-ok
	File     *File     `json:"file,omitempty"`     // a list that came with the mail
	Greeting *Greeting `json:"greeting,omitempty"` // what an answer to the hello has shown
}

// Ruling is what the sender's proof allows a mail to do (trust.md 2.6).
type Ruling string

const (
	// Execute: do what the mail asks.
	Execute Ruling = "execute"
	// Unproven: the code is good but nothing proves the domain, and the
	// configuration does not allow a code alone.
	Unproven Ruling = "unproven"
	// Stale: the code was used, has expired, or is of another revision.
	Stale Ruling = "stale"
	// Codeless: the sender is proven but no code came back.
	Codeless Ruling = "codeless"
	// Leaked: somebody else came with a good code; it is dead.
	Leaked Ruling = "leaked"
	// Automatic: a machine's mail came with a good code; the editor is told.
	Automatic Ruling = "automatic"
	// Notice: an unproven mail asked for nothing to be let out; the editor is told.
	Notice Ruling = "notice"
	// BadlySigned: a mail in the editor's name bore an OpenPGP signature that
	// is not of the pinned key; the editor is told.
	BadlySigned Ruling = "badly-signed"
)

// Decision is an editor's answer as the inbox hands it in.
type Decision struct {
	Newsletter string
	Message    int64
	MessageID  string
	Subject    string
	Editor     string // a configured address, never the From of a forger
	Proof      int64  // the paper it answers, 0 if none
	Issue      int    // the issue it names, 0 if none (the command line names one)
	Ruling     Ruling
	Words      Words
	Clock      string // the zone of the mail's Date, as "+0200"; "" when it tells none
}

// Submit keeps a draft; Run reads it later.
func (d *Desk) Submit(ctx context.Context, tx *store.Tx, in *Draft) error {
	return d.keepDraft(ctx, tx, in, nil)
}

// keepDraft writes a draft's row. A change that the desk makes itself knows
// its issue already; every other draft is read before it has one.
func (d *Desk) keepDraft(ctx context.Context, tx *store.Tx, in *Draft, i *Issue) error {
	state, issue := "new", int64(0)
	if in.Held {
		state = "held"
	}
	if i == nil && in.Corrects != 0 {
		sent, err := issueByNumber(ctx, tx, in.Newsletter, in.Corrects)
		if err != nil {
			return err
		}
		i = sent // nil: there is no such issue, and the text is like any other
	}
	if i != nil {
		issue = i.ID
	}
	images, err := d.keepImages(ctx, tx, in.Newsletter, in.Images)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO draft (newsletter, message, message_id, editor, sender, form, subject, answers, fresh, remark, source, written, received, state, issue, images)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		in.Newsletter, nullable(in.Message), in.MessageID, in.Editor, in.From, in.Form, in.Subject, in.Answers, in.Answers == 0 && i == nil,
		in.Remark, in.Source, store.Micros(in.Written), store.Micros(tx.Now()), state, nullable(issue), images)
	tx.AfterCommit(d.drafts.Ring)
	tx.AfterCommit(d.bell.Ring)
	return err
}

// Decide keeps an editor's answer; Run carries it out later.
func (d *Desk) Decide(ctx context.Context, tx *store.Tx, in *Decision) (int64, error) {
	words, err := json.Marshal(in.Words)
	if err != nil {
		return 0, err
	}
	var id int64
	err = tx.QueryRowContext(ctx, `INSERT INTO decision (newsletter, message, message_id, subject, editor, proof, issue, ruling, words, received, clock, state)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'new') RETURNING id`,
		in.Newsletter, nullable(in.Message), in.MessageID, in.Subject, in.Editor, in.Proof, in.Issue, in.Ruling,
		string(words), store.Micros(tx.Now()), in.Clock).Scan(&id)
	tx.AfterCommit(d.bell.Ring)
	return id, err
}

// Result is what came of a decision: done is false until Run has carried it
// out, and words is the answer's first line.
func (d *Desk) Result(ctx context.Context, tx *store.Tx, id int64) (done bool, words string, err error) {
	var state string
	err = tx.QueryRowContext(ctx, `SELECT state, result FROM decision WHERE id = $1`, id).Scan(&state, &words)
	return state == "done", words, err
}

func nullable(id int64) store.NullInt64 { return store.NullInt64{Int64: id, Valid: id != 0} }

// Run does the desk's work until ctx ends: it reads drafts, carries out
// answers, keeps the calendar and writes the reports. A fault of the books
// is logged and tried again; no mail is lost by it. Drafts are read beside the
// rest, since asking the web about their links takes time, and a word that
// holds must not wait for it.
func (d *Desk) Run(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.keep(ctx, &d.drafts, d.askAround)
	}()
	d.keep(ctx, &d.bell, d.attend)
	<-done
	return ctx.Err()
}

// keep does a piece of work at every tick and ring until ctx ends.
func (d *Desk) keep(ctx context.Context, b *store.Bell, work func(context.Context) error) {
	tick := time.NewTicker(cmp.Or(d.Tick, 2*time.Second))
	defer tick.Stop()
	for {
		if err := work(ctx); err != nil && ctx.Err() == nil {
			d.Log.Error("desk", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-b.Rang():
		}
	}
}

// Step does all the work that is due now, once.
func (d *Desk) Step(ctx context.Context) error {
	if err := d.askAround(ctx); err != nil {
		return err
	}
	return d.attend(ctx)
}

// attend does all that is due but the reading of drafts. A fault in one kind
// of work does not keep the others from being done.
func (d *Desk) attend(ctx context.Context) error {
	var err error
	for _, work := range []func(context.Context) error{d.greet, d.askMachine, d.askHeld, d.carryOut, d.followRuns, d.keepCalendar} {
		err = errors.Join(err, work(ctx))
	}
	return err
}

// hash turns a code into what the books keep of it.
func (n *Newsletter) hash(code string) string {
	m := hmac.New(sha256.New, n.Key)
	m.Write([]byte("code\x00" + code))
	return hex.EncodeToString(m.Sum(nil))
}

// editor finds the configured editor with this address.
func (n *Newsletter) editor(addr string) (message.Address, bool) {
	for _, e := range n.Editors {
		if e.Addr == addr {
			return e, true
		}
	}
	return message.Address{}, false
}

// Issues lists the issues of a newsletter that the books know, lowest number
// first.
func (d *Desk) Issues(ctx context.Context, tx *store.Tx, newsletter string) ([]*Issue, error) {
	return issuesIn(ctx, tx, newsletter)
}
