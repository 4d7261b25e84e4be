package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"galley/inbox/mime"
	"galley/send"
	"galley/send/message"
	"galley/send/sendtest"
	"galley/send/servertest"
	"galley/send/store"
)

// rig is the world outside a daemon that is going to be killed: its mailbox
// server and its next hop, which live on, and its configuration, whose folder
// holds the books. The daemon is another process; only SIGKILL, SMTP, IMAP
// and the books connect it with the test.
type rig struct {
	t      *testing.T
	dir    string
	rand   *rand.Rand
	conf   crashConfig
	imap   postOffice
	on     footing
	sink   *sendtest.Sink
	d      *daemon
	env    []string // further variables of the daemon's
	opened bool     // a daemon was ready
	h      *house   // the parts, joined in the test's own process, while it looks into the books

	kills int
	woken int64         // the mail after which a frozen machine woke; 0: none did
	waits time.Duration // the longest time from a start to the first MAIL
	count int           // mails delivered to the newsletter

	mu     sync.Mutex
	copies []sendtest.Accepted // of issues
	papers []*crashPaper       // mails to the editor, each once
	again  int                 // mails to the editor that came once more
	first  time.Time           // of the first MAIL since the daemon was started
	data   int                 // DATA commands; what comes by BDAT has none
	slow   time.Duration       // how long the next hop thinks about a message
	fuse   func() (lose bool)  // runs at each event, before anything comes of it
	event  chan struct{}
}

// crashPaper is a mail of the desk in the editor's mailbox.
type crashPaper struct {
	*mime.Message
	digest [32]byte
	answer bool // it was answered
}

// crashConfig is what the configuration says, and how the next hop behaves.
type crashConfig struct {
	name, from, tagline, postal, selector string
	connections, window                   int // window 0 is 1
	imapPort                              string
	slow                                  time.Duration // before each answer of the next hop
}

const (
	crashBox    = "letter@quiet.example"
	crashEditor = "ines@ines.example"
	crashWait   = 30 * time.Second
)

// newRig starts the servers and writes the configuration. The seed of its
// random numbers is told, so that a failure can be played again.
func newRig(t *testing.T, on footing, conf crashConfig) *rig {
	t.Helper()
	if testing.Short() {
		t.Skip("kills processes for seconds")
	}
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir(), conf: conf, on: on, slow: 2 * time.Millisecond, event: make(chan struct{}, 1)}
	r.rand = rand.New(rand.NewPCG(crashSeed(t), 0))
	r.open()
	var err error
	r.sink, err = sendtest.Start("127.0.0.1:0", sendtest.Options{OnAccept: r.accepted, Fault: r.step, Chunking: conf.window > 1, Delay: conf.slow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.sink.Close() })
	t.Cleanup(r.end)
	r.writeKey("dkim.pem")
	r.conf.selector = "first"
	r.configure()
	return r
}

// crashSeed is that of GALLEY_CRASH_SEED, or a new one.
func crashSeed(t *testing.T) uint64 {
	seed := rand.Uint64()
	if s := os.Getenv("GALLEY_CRASH_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("to play this again: GALLEY_CRASH_SEED=%d", seed)
	return seed
}

// end kills the last daemon and looks at what all of them logged.
func (r *rig) end() {
	if r.d != nil {
		r.shut()
		r.d.kill()
		r.d.bury()
	}
	if !r.on.falls {
		checkLog(r.t, r.config())
	}
}

func (r *rig) config() string { return filepath.Join(r.dir, "galley.toml") }

// configure writes the configuration as r.conf has it.
func (r *rig) configure() {
	r.t.Helper()
	c := r.conf
	put(r.t, r.config(), fmt.Sprintf(`check_links = false
check_dns = false
database = %q

[smtp]
host = "127.0.0.1"
port = %s
security = "plain"
connections = %d
window = %d

[[dkim]]
domain = "quiet.example"
selector = %q
key_file = "dkim.pem"

[[newsletter]]
id = "quiet"
name = %q
from = %q
tagline = %q
address = %q
postal_address = %q
templates = "looks"
editors = ["Ines Moreau <%s>"]
approve = "code"
hello = false
authserv_ids = ["mx.test"]
authserv_unchecked = true
grace = "0s"

[newsletter.imap]
host = "127.0.0.1"
port = %s
security = "plain"
user = "letter"
password = %q
`, r.on.books, port(r.sink.Addr()), c.connections, max(c.window, 1), c.selector, cmp.Or(c.name, "Quiet Machines"), cmp.Or(c.from, "Ines of Quiet Machines"), c.tagline, crashBox,
		cmp.Or(c.postal, "3 Harbour Lane, Example Town"), crashEditor, c.imapPort, servertest.Password), 0o600)
	if err := os.MkdirAll(filepath.Join(r.dir, "looks"), 0o700); err != nil {
		r.t.Fatal(err)
	}
}

// writeKey makes a new key for signing. RSA signs the same octets the same
// way, as Ed25519 does.
func (r *rig) writeKey(file string) string {
	r.t.Helper()
	key, _, err := message.GenerateKeys()
	if err != nil {
		r.t.Fatal(err)
	}
	pem, err := message.FormatKey(key)
	if err != nil {
		r.t.Fatal(err)
	}
	put(r.t, filepath.Join(r.dir, file), string(pem), 0o600)
	return message.TXT(key)
}

// galley runs another command of the program beside the daemon, in a process
// of its own.
func (r *rig) galley(stdin string, args ...string) string {
	r.t.Helper()
	cmd := program(r.t, r.config(), args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("galley %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// readers puts people on the list; fate gives the beginning of the local part
// of the n-th, which tells the sink what to do.
func (r *rig) readers(n int, fate func(n int) string) {
	r.t.Helper()
	var csv strings.Builder
	csv.WriteString("address,date\n")
	for i := range n {
		fmt.Fprintf(&csv, "%sreader%04d@readers.example,2024-03-09\n", fate(i), i)
	}
	r.galley(csv.String(), "list", "import", "-")
}

func noFate(int) string { return "" }

// start begins the next life of the daemon.
func (r *rig) start() {
	r.t.Helper()
	r.shut()
	r.mu.Lock()
	r.first = time.Time{}
	r.mu.Unlock()
	r.d = startDaemon(r.t, r.config(), r.env)
	if !r.opened { // what lies in the mailbox before the first start is left alone
		r.until("the daemon is ready", func() bool {
			log, err := os.ReadFile(daemonLog(r.config()))
			return err == nil && bytes.Contains(log, []byte("msg=ready"))
		})
		r.opened = true
	}
}

// kill ends the life of the daemon, which may be dead already.
func (r *rig) kill() {
	r.shut() // so that the next one finds the books as the dead one left them
	r.d.kill()
	r.d.bury()
	r.kills++
}

// killAt lays a fuse: at the n-th event from now on the daemon is killed, in
// one of several ways. The channel is closed then. An event is a message that
// the next hop takes, and what the daemon says to a mailbox behind a crashWire.
func (r *rig) killAt(n int) <-chan struct{} {
	done := make(chan struct{})
	d, seen := r.d, 0
	how, after := r.rand.IntN(4), time.Duration(r.rand.IntN(8000))*time.Microsecond
	r.mu.Lock()
	defer r.mu.Unlock()
	end := func() { d.kill(); close(done) }
	r.fuse = func() bool {
		if seen++; seen != n {
			return false
		}
		switch how {
		case 0, 1: // before the answer leaves; or what was said is lost too
			end()
		case 2: // while the answer travels
			go end()
		default: // between two transactions, or in one
			time.AfterFunc(after, end)
		}
		return how == 1
	}
	return done
}

// burn waits until the fuse has burnt down, and buries the daemon.
func (r *rig) burn(done <-chan struct{}) {
	r.t.Helper()
	select {
	case <-done:
		r.kill()
	case <-time.After(crashWait):
		r.t.Fatalf("kill %d: what it waits for did not happen in %v", r.kills+1, crashWait)
	}
}

// step notes the first MAIL of a life, and has the next hop think.
func (r *rig) step(s sendtest.Step) sendtest.Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case s.Stage == sendtest.StageDot:
		return sendtest.Fault{Delay: r.slow}
	case s.Stage == sendtest.StageData:
		r.data++
	case s.Stage == sendtest.StageMail && r.first.IsZero():
		r.first = time.Now()
	}
	return sendtest.Fault{}
}

// think sets how long the next hop thinks about a message.
func (r *rig) think(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slow = d
}

// accepted is what the servers of this world do with what the daemon sends.
func (r *rig) accepted(a sendtest.Accepted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.To[0] != crashEditor {
		r.copies = append(r.copies, a)
	} else {
		r.toEditor(a)
	}
	r.happened()
}

func (r *rig) toEditor(a sendtest.Accepted) {
	m, err := mime.Read(a.Octets)
	if err != nil {
		r.t.Error(err)
		return
	}
	for _, p := range r.papers {
		if p.MessageID == m.MessageID {
			if r.again++; p.digest != unsigned(a.Octets) {
				r.t.Errorf("%q came twice, and differs", m.Subject)
			}
			return
		}
	}
	r.papers = append(r.papers, &crashPaper{Message: m, digest: unsigned(a.Octets)})
}

// happened burns the fuse and wakes whoever waits. r.mu is held.
func (r *rig) happened() (lose bool) {
	if r.fuse != nil {
		lose = r.fuse()
	}
	select {
	case r.event <- struct{}{}:
	default:
	}
	return lose
}

// until waits for something to be so, as long as anything happens. The books
// of another process ring no bell here, so they are looked at again and again.
func (r *rig) until(what string, so func() bool) {
	r.t.Helper()
	end := time.Now().Add(crashWait)
	for !so() {
		if time.Now().After(end) {
			r.t.Fatalf("nothing happened for %v, and still not %s", crashWait, what)
		}
		if !r.d.alive() {
			r.t.Fatalf("the daemon ended by itself before %s", what)
		}
		select {
		case <-r.event:
			end = time.Now().Add(crashWait)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// firstMail waits for the first MAIL of this life and keeps the longest time.
func (r *rig) firstMail() {
	r.t.Helper()
	var at time.Time
	r.until("the first MAIL after a start", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		at = r.first
		return !at.IsZero()
	})
	r.waits = max(r.waits, at.Sub(r.d.began))
}

// sent is how many copies of issues the readers' servers have taken.
func (r *rig) sent() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.copies)
}

// paper waits for a mail of the desk whose Subject begins so.
func (r *rig) paper(beginning string) *crashPaper {
	r.t.Helper()
	var found *crashPaper
	r.until("a mail to the editor: "+beginning, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, p := range r.papers {
			if strings.HasPrefix(p.Subject, beginning) && !p.answer {
				found = p
			}
		}
		return found != nil
	})
	return found
}

// look reads the books, which another process writes.
func (r *rig) look(f func(ctx context.Context, tx *store.Tx) error) {
	r.t.Helper()
	if r.h == nil {
		cfg, err := Load(r.config())
		if err != nil {
			r.t.Fatal(err)
		}
		if r.h, err = build(r.t.Context(), cfg, slog.New(slog.DiscardHandler)); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := r.h.db.View(r.t.Context(), func(tx *store.Tx) error { return f(r.t.Context(), tx) }); err != nil {
		r.t.Fatal(err)
	}
}

// shut closes the books in this process.
func (r *rig) shut() {
	if r.h == nil {
		return
	}
	if err := r.h.close(); err != nil {
		r.t.Error(err)
	}
	r.h = nil
}

// number reads one number out of the books.
func (r *rig) number(query string, args ...any) (n int) {
	r.t.Helper()
	r.look(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, query, args...).Scan(&n)
	})
	return n
}

// run is how far issue 12 has come.
func (r *rig) run() (run *send.Run) {
	r.t.Helper()
	r.look(func(ctx context.Context, tx *store.Tx) (err error) {
		run, err = r.h.queue.Progress(ctx, tx, "quiet", 12)
		return err
	})
	return run
}
