package mailbox

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Security is how the connection is protected.
type Security string

const (
	// TLS from the first octet (RFC 8314 section 3). The default.
	TLS Security = "tls"
	// StartTLS upgrades a plain connection; a server without it is refused.
	StartTLS Security = "starttls"
	// Plain is no protection; only to loopback addresses and pipes.
	Plain Security = "plain"
)

// The defaults of a Mailbox whose fields are zero, and the size of a batch.
const (
	DefaultIdle      = 9 * time.Minute
	DefaultPoll      = time.Minute
	DefaultReconcile = time.Hour
	DefaultMaxSize   = 25 << 20
	DefaultFolder    = "INBOX"

	batchCount = 200
	batchBytes = 1 << 20
)

// Message is one message of the mailbox, as the server gave it.
type Message struct {
	UIDValidity, UID uint32
	Flags            []string
	Received         time.Time // INTERNALDATE
	Size             int64     // RFC822.SIZE, octets
	Raw              []byte    // the whole message; only its header when TooBig
	TooBig           bool      // Size is over MaxSize: the body was not fetched
}

// Ledger says which messages are known. It is asked by the mailbox and
// answered from the owner's tables; an error of it ends Next.
type Ledger interface {
	// Since is the instant from which mail counts in a folder that was never
	// opened; zero says that it was, or that all mail before the opening is
	// old.
	Since(ctx context.Context) (time.Time, error)
	// Begin is told that the folder was opened under a UIDVALIDITY, and top,
	// the highest UID that it may hold by now; all up to floor came before
	// Since. It is told so more than once.
	Begin(ctx context.Context, uidvalidity, floor, top uint32) error
	// Cursor is the highest UID taken in under this UIDVALIDITY, 0 if none.
	Cursor(ctx context.Context, uidvalidity uint32) (uid uint32, err error)
	// Unknown are those of uids (ascending, at most 1,000) that were not
	// taken in under this UIDVALIDITY.
	Unknown(ctx context.Context, uidvalidity uint32, uids []uint32) ([]uint32, error)
}

// Mailbox is one folder of one IMAP account. Fields are set before the first
// call and not changed after it. Next and Done are called from one goroutine;
// Append, Check, Status, Stir and Close from any.
type Mailbox struct {
	Addr     string                                    // host:port
	Security Security                                  // "" is TLS
	TLS      *tls.Config                               // nil: the system's roots
	User     string                                    // the login name
	Password func(ctx context.Context) (string, error) // asked anew at each login; a token with the two OAuth mechanisms

	// Mechanism is "" for PLAIN or LOGIN as the server offers, or one of
	// "plain", "login", "xoauth2", "oauthbearer".
	Mechanism string

	Folder string // "" is INBOX; a slash parts its levels, whatever the server writes
	Make   bool   // the folder is made when it is missing

	// Dial opens the raw connection; nil dials Addr. TLS is put on top of it.
	Dial func(ctx context.Context) (net.Conn, error)

	Idle      time.Duration // an IDLE is renewed after this time
	Poll      time.Duration // the folder is looked at after this time, IDLE or not; over 5 min a half-open line is noticed late
	Reconcile time.Duration // all UIDs are compared with the ledger after this time

	MaxSize int64 // octets; over it only the header is fetched
	Ledger  Ledger
	Log     *slog.Logger // nil: silent

	// Beside says that another Mailbox watches the same server and tells when
	// it is lost: this one logs only what the server refuses it.
	Beside bool

	mu     sync.Mutex // guards what follows
	status Status
	closed bool
	stop   context.CancelCauseFunc // ends the call that is running, nil if none
	stirs  chan struct{}           // Stir was called; made by the first who asks

	looked    chan struct{} // closed when the first look has ended; made by the first who asks
	lookEnded bool

	watch watch // of the goroutine that calls Next and Done
}

// watch is what Next remembers between calls. None of it is needed for
// correctness: a new Mailbox finds everything again by the ledger.
type watch struct {
	line     *line             // nil: not connected
	validity uint32            // UIDVALIDITY of the folder as last selected
	due      due               // the look that comes next
	pending  []uint32          // UIDs that the ledger does not know, ascending
	heads    map[uint32]*piece // outlines of those that come next, where they are known
	out      []uint32          // UIDs of the batch handed out last
	window   int               // UIDs to ask for at once, up to batchCount; 0 is that
	fresh    bool              // the folder was selected just now
	woken    bool              // the look that comes next was announced
	hollow   int               // announcements in a row that brought nothing
	opened   bool              // a connection was logged

	strikes map[uint32]int       // how often a UID did not come
	skip    map[uint32]time.Time // until when it is left out

	polled, reconciled time.Time
	fails              int       // faults in a row
	retry              time.Time // no connection before this instant
	fault              error     // the last one
	told               string    // the sort of fault that was logged, "" if none
	lost               time.Time // since when there are faults
}

// Status is what a mailbox says about itself.
type Status struct {
	Connected bool
	Since     time.Time // of this connection or of the loss of the last one
	Seen      time.Time // when the server last answered a look at the folder
	Err       string    // the last fault, "" when all is well
}

// Status tells how the mailbox is. It never waits for the network.
func (m *Mailbox) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status
}

// Looked is closed once the first look at the folder has ended, well or not:
// Status tells how.
func (m *Mailbox) Looked() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.firstLook()
}

// firstLook is the channel of Looked; mu is held.
func (m *Mailbox) firstLook() chan struct{} {
	if m.looked == nil {
		m.looked = make(chan struct{})
	}
	return m.looked
}

// hasLooked closes it; mu is held.
func (m *Mailbox) hasLooked() {
	if c := m.firstLook(); !m.lookEnded {
		m.lookEnded = true
		close(c)
	}
}

// Close ends a running Next or Done with net.ErrClosed and closes the
// connection. Later calls fail with net.ErrClosed. It may be called twice.
func (m *Mailbox) Close() error {
	if l := m.shut(); l != nil {
		l.logout()
	}
	return nil
}

// Stir has a Next that waits for mail come back with none, so that its caller
// can call Done; one that finds mail is not disturbed. A call that comes
// before the waiting counts, too.
func (m *Mailbox) Stir() {
	select {
	case m.stirred() <- struct{}{}:
	default:
	}
}

func (m *Mailbox) stirred() chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stirs == nil {
		m.stirs = make(chan struct{}, 1)
	}
	return m.stirs
}

// shut refuses all further calls and takes out the line, if it is at rest.
func (m *Mailbox) shut() *line {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	if m.stop != nil {
		m.stop(net.ErrClosed) // the call drops the line on its way out
		return nil
	}
	l := m.watch.line
	m.watch.line = nil
	return l
}

// enter begins a call of Next or Done: its context also ends with Close.
func (m *Mailbox) enter(ctx context.Context) (context.Context, func(), error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, nil, net.ErrClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	m.stop = cancel
	return ctx, func() { m.leave(cancel) }, nil
}

func (m *Mailbox) leave(cancel context.CancelCauseFunc) {
	cancel(nil)
	m.mu.Lock()
	m.stop = nil
	closed := m.closed
	m.mu.Unlock()
	if closed {
		m.drop()
	}
}

func (m *Mailbox) log() *slog.Logger {
	if m.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return m.Log.With("mailbox", m.User)
}

func (m *Mailbox) folder() string {
	if m.Folder == "" {
		return DefaultFolder
	}
	return m.Folder
}

func (m *Mailbox) maxSize() int64 {
	if m.MaxSize <= 0 {
		return DefaultMaxSize
	}
	return m.MaxSize
}

func or(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}
