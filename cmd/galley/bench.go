package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"galley/send/sendtest"
	"galley/send/store"
)

// benchCmd measures how fast issues leave, and what it takes to lose one.
type benchCmd struct {
	Recipients  int           `default:"20000" placeholder:"N" help:"How many readers get a copy (${default})."`
	Connections int           `default:"10" placeholder:"N" help:"Lines to the next hop at once (${default})."`
	Size        int           `default:"55" placeholder:"KB" help:"How big a copy is, about (${default})."`
	Sign        string        `default:"rsa" enum:"none,rsa,ed25519,both" help:"Which DKIM keys sign: none, rsa, ed25519, both (${default})."`
	Inline      bool          `help:"Sign each copy when it goes. Without it the issue is signed ahead, as an approved one is."`
	Database    string        `placeholder:"URL|FILE" help:"The books: an empty PostgreSQL database, or a new file (default: SQLite in a temporary folder)."`
	Relay       string        `placeholder:"HOST:PORT" help:"A next hop of your own, in plain text, in place of the built-in one. It gets the mail!"`
	Delay       time.Duration `placeholder:"TIME" help:"How long the built-in next hop waits before each answer."`
	Kill        int           `placeholder:"N" help:"Kill the sender (SIGKILL) and start it again that many times, then count what came twice or never."`
	Window      int           `default:"1" placeholder:"N" help:"Copies on their way at once over one line, by BDAT (${default})."`
	Against     int           `placeholder:"N" help:"Measure N times in turn with the go-smtp client and, where it is installed, Postfix's smtp-source, and tell the ratios."`
	JSON        bool          `help:"Answer in JSON."`

	Sender benchSender `cmd:"" hidden:"" help:"The half that sends; galley bench starts it."`
	Yard   benchYard   `cmd:"" hidden:"" help:"The go-smtp client; galley bench starts it."`
	Go     benchGo     `cmd:"" hidden:"" default:"1" help:"Measure."`
}

// benchGo is galley bench itself, beside its hidden other half.
type benchGo struct{}

// Run builds a world, sends through it, and tells the figures.
func (*benchGo) Run(e *env, c *benchCmd) error {
	if err := c.sound(); err != nil {
		return err
	}
	if c.Against > 0 {
		return c.against(e)
	}
	b := &bench{benchCmd: c, env: e}
	defer b.close()
	if err := b.build(); err != nil {
		return err
	}
	if err := b.send(); err != nil {
		return err
	}
	figures, err := b.figures()
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(e.stdout).Encode(figures)
	} else {
		_, err = io.WriteString(e.stdout, figures.String())
	}
	if err == nil && !figures.kept() {
		err = errFaults
	}
	return err
}

// bench is one measurement: the books, the next hop and the senders that were
// started, one after the other.
type bench struct {
	*benchCmd
	*env
	dir    string
	books  string // URL or path
	db     *store.DB
	sink   *sendtest.Sink
	tally  *tally
	next   string // address of the next hop
	runs   []senderFigures
	killed int
	began  time.Time
	took   time.Duration
}

func (b *bench) close() {
	if b.sink != nil {
		b.sink.Close()
	}
	if b.db != nil {
		b.db.Close()
	}
	if b.dir != "" {
		os.RemoveAll(b.dir)
	}
}

// sound tells what does not go together.
func (c *benchCmd) sound() error {
	if c.Recipients < 1 || c.Connections < 1 || c.Window < 1 || c.Size < 1 || c.Kill < 0 {
		return errors.New("bench: recipients, connections, window and size are at least 1")
	}
	if c.Against > 0 && (c.Relay != "" || c.Kill > 0 || c.Database != "") {
		return errors.New("bench: a comparison makes its own next hops and books; leave out --relay, --kill and --database")
	}
	if c.Relay != "" && c.Kill > 0 {
		return errors.New("bench: only the built-in next hop can count what came twice; leave out --relay or --kill")
	}
	return nil
}

// build makes the books with their readers and an issue, and the next hop.
func (b *bench) build() error {
	var err error
	if b.dir, err = os.MkdirTemp("", "galley-bench-"); err != nil {
		return err
	}
	if b.books = b.Database; b.books == "" {
		b.books = filepath.Join(b.dir, "bench.db")
	}
	if b.db, err = store.Open(b.ctx, b.books); err != nil {
		return err
	}
	if err := b.onlyOurs(); err != nil {
		return err
	}
	if err := b.nextHop(); err != nil {
		return err
	}
	if err := b.readers(); err != nil {
		return err
	}
	return b.issue()
}

// onlyOurs refuses books with anybody's mail in them: the senders of a bench
// would take it for their own.
func (b *bench) onlyOurs() error {
	return b.db.View(b.ctx, func(tx *store.Tx) error {
		var used bool
		err := tx.QueryRowContext(b.ctx, `SELECT EXISTS (SELECT 1 FROM edition) OR EXISTS (SELECT 1 FROM slip) OR EXISTS (SELECT 1 FROM subscriber)`).Scan(&used)
		if err == nil && used {
			err = fmt.Errorf("bench: the books at %s are in use; give it a database or a file of its own", b.books)
		}
		return err
	})
}

func (b *bench) nextHop() error {
	if b.next = b.Relay; b.next != "" {
		return nil
	}
	b.tally = newTally(b.Recipients, b.Kill > 0)
	keep := sendtest.KeepCounts
	if b.Kill > 0 {
		keep = sendtest.KeepDigests
	}
	var err error
	b.sink, err = sendtest.Start("127.0.0.1:0", sendtest.Options{Keep: keep, Chunking: true, Delay: b.Delay, OnAccept: b.tally.take})
	if err == nil {
		b.next = b.sink.Addr()
	}
	return err
}

// send runs senders until every reader has a copy. All but the last are killed
// when a share of the copies has been taken.
func (b *bench) send() error {
	m := b.meter("copies", b.Recipients)
	defer m.end()
	b.began = time.Now()
	defer func() { b.took = time.Since(b.began) }()
	for ; b.killed < b.Kill; b.killed++ {
		at := b.Recipients * (b.killed + 1) / (b.Kill + 1)
		if done, err := b.oneSender(m, at); err != nil || done {
			return err
		}
	}
	_, err := b.oneSender(m, 0)
	return err
}

// oneSender starts a sender and waits for its end, or kills it when that many
// copies have been taken. done tells that it came to its end by itself.
func (b *bench) oneSender(m *meter, at int) (done bool, err error) {
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	if b.killed > 0 {
		b.tally.restarted()
	}
	s, err := b.start(ctx)
	if err != nil {
		return false, err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	reached := b.tally.reach(at)
	for {
		select {
		case <-tick.C:
			m.at(b.tally.readers())
		case <-reached:
			return false, s.kill()
		case err := <-s.ended:
			if err != nil {
				return false, fmt.Errorf("bench: the sender: %w\n%s", err, s.complaints.String())
			}
			b.runs = append(b.runs, s.figures())
			return true, nil
		}
	}
}
