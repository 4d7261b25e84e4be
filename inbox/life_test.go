package inbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galley/compose"
	"galley/inbox/inboxtest"
	"galley/inbox/mailbox"
	"galley/send"
	"galley/send/door"
	"galley/send/list"
	"galley/send/store"
)

// rig is an inbox on a mailbox server in memory; the stages behind it only
// note what they are given.
type rig struct {
	t    *testing.T
	imap *inboxtest.Server
	db   *store.DB
	in   *Inbox
	desk *notes
	try  func(ctx context.Context, token string) error // Inbox.Try
	stop func()
}

const rigBox = "letter@quiet.example"

// bubble runs a test in fake time.
func bubble(t *testing.T, options inboxtest.Options, test func(r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, imap: inboxtest.New(options), desk: &notes{}}
		db, err := store.Open(t.Context(), t.TempDir()+"/galley.db")
		if err != nil {
			t.Fatal(err)
		}
		r.db = db
		defer func() {
			r.end()
			r.imap.Close()
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(r)
	})
}

// start opens the inbox and waits until it is at rest.
func (r *rig) start(change ...func(*Newsletter)) {
	n := &Newsletter{ID: "quiet", Address: rigBox, Zone: time.UTC, Folders: DefaultFolders(),
		Press:   &send.Newsletter{ID: "quiet", Pattern: send.Pattern{Mailbox: rigBox}, Keys: send.Keys{Secret: []byte("k")}},
		Editors: []Editor{{"Ines", "ines@ines.example"}}}
	for _, c := range change {
		c(n)
	}
	r.in = &Inbox{DB: r.db, Newsletter: n, Folder: "INBOX", Desk: r.desk, Readers: nobody{}, Door: r.desk, Returns: r.desk, Log: slog.New(slog.DiscardHandler),
		DNS: func(ctx context.Context, name string) ([]string, error) { return r.desk.dns(ctx, name) }}
	box := func(g *Ledger, folder string) *mailbox.Mailbox {
		return &mailbox.Mailbox{Addr: "imap.example:993", Security: mailbox.Plain, User: "galley", Dial: r.imap.Dial, Folder: folder, Make: folder != "INBOX",
			Password: func(context.Context) (string, error) { return "secret", nil }, Ledger: g}
	}
	inbox, again := box(r.in.Ledger(), "INBOX"), box(r.in.AgainLedger(), n.Folders.Again)
	r.in.Source, r.in.Again = inbox, again
	r.in.Tick, r.in.Try = 30*time.Second, r.try
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.in.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			r.t.Error(err)
		}
		inbox.Close()
		again.Close()
	}
	synctest.Wait()
}

func (r *rig) end() {
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
}

// passed are the Subjects of the letters that were passed on.
func (r *rig) passed() []string {
	r.desk.mu.Lock()
	defer r.desk.mu.Unlock()
	return slices.Clone(r.desk.passed)
}

// aside is what the editors were told of mails set aside, a list a mail.
func (r *rig) aside() [][]compose.Aside {
	r.desk.mu.Lock()
	defer r.desk.mu.Unlock()
	return slices.Clone(r.desk.aside)
}

// breaks lets no letter of these Subjects be passed on from now on.
func (r *rig) breaks(subjects ...string) {
	r.desk.mu.Lock()
	defer r.desk.mu.Unlock()
	r.desk.broken = map[string]bool{}
	for _, s := range subjects {
		r.desk.broken[s] = true
	}
}

func (r *rig) deliver(raw string) {
	r.t.Helper()
	if err := r.imap.Deliver("galley", []byte(strings.ReplaceAll(raw, "\n", "\r\n"))); err != nil {
		r.t.Fatal(err)
	}
}

// holds are the Subjects in a folder.
func (r *rig) holds(folder string, want ...string) {
	r.t.Helper()
	list, err := r.imap.Messages("galley", folder)
	if err != nil && len(want) > 0 {
		r.t.Fatal(err)
	}
	var got []string
	for _, m := range list {
		_, rest, _ := strings.Cut(string(m.Raw), "Subject: ")
		subject, _, _ := strings.Cut(rest, "\r\n")
		got = append(got, subject)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.t.Errorf("%s holds %q, want %q", folder, got, want)
	}
}

// rows counts the messages of the books by a condition.
func (r *rig) rows(where string) (n int) {
	r.t.Helper()
	err := r.db.View(context.Background(), func(tx *store.Tx) error {
		return tx.QueryRowContext(context.Background(), `SELECT count(*) FROM message WHERE `+where).Scan(&n)
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

func letterOf(subject string) string {
	return "From: Ada <" + strings.ReplaceAll(subject, " ", ".") + "@readers.example>\nTo: " + rigBox + "\nSubject: " + subject + "\nMessage-ID: <" + strings.ReplaceAll(subject, " ", ".") + "@readers.example>\n\nIt made me smile.\n"
}

// notes is the desk and the press: they note what comes.
type notes struct {
	mu      sync.Mutex
	passed  []string // Subjects of letters
	aside   [][]compose.Aside
	broken  map[string]bool // letters that cannot be passed on
	blind   map[string]int  // Message-IDs that the books fail on, and how often they did
	lookups func(ctx context.Context, name string) ([]string, error)
}

func (n *notes) dns(ctx context.Context, name string) ([]string, error) {
	if n.lookups == nil {
		return nil, errors.New("no DNS")
	}
	return n.lookups(ctx, name)
}

func (n *notes) Open(context.Context, *store.Tx, compose.Query) (*compose.Opening, error) {
	return &compose.Opening{Code: "absent"}, nil
}
func (n *notes) Submit(context.Context, *store.Tx, *compose.Draft) error { return nil }
func (n *notes) Decide(context.Context, *store.Tx, *compose.Decision) (int64, error) {
	return 1, nil
}
func (n *notes) Learn(context.Context, *store.Tx, string, string, []string) error { return nil }
func (n *notes) Ask(context.Context, *store.Tx, door.Request) error               { return nil }
func (n *notes) Answer(context.Context, *store.Tx, door.Answer) (door.Done, error) {
	return door.Done{}, nil
}
func (n *notes) Obey(context.Context, *store.Tx, string, int64, door.Wish, time.Time, string, string) error {
	return nil
}
func (n *notes) Depart(context.Context, *store.Tx, string, int64, door.How, string, string) (bool, error) {
	return false, nil
}
func (n *notes) Closed(context.Context, *store.Tx, string, door.Kind, list.Address) (string, error) {
	return "", nil
}
func (n *notes) Burn(context.Context, *store.Tx, int64) error                  { return nil }
func (n *notes) Suggest(context.Context, *store.Tx, *compose.Suggestion) error { return nil }
func (n *notes) Consent(context.Context, *store.Tx, string, string, string) (bool, error) {
	return false, nil
}
func (n *notes) Consented(context.Context, *store.Tx, string, string, string, string, string) error {
	return nil
}
func (n *notes) Returned(context.Context, *store.Tx, *send.Return) error { return nil }
func (n *notes) Issued(_ context.Context, tx *store.Tx, _, id string) (send.Issued, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.blind[id]; ok {
		n.blind[id]++
		return send.Issued{}, false, errors.New("the books fail")
	}
	return send.Issued{}, false, nil
}

func (n *notes) Pass(_ context.Context, _ *store.Tx, l *compose.Letter) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken[l.Subject] {
		return fmt.Errorf("the letter %s cannot be passed on", l.Subject)
	}
	n.passed = append(n.passed, l.Subject)
	return nil
}

func (n *notes) SetAside(_ context.Context, _ *store.Tx, _ string, list []compose.Aside) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.aside = append(n.aside, list)
	return nil
}

// nobody is an empty list of readers.
type nobody struct{}

func (nobody) ByID(context.Context, *store.Tx, string, int64) (list.Subscriber, error) {
	return list.Subscriber{}, nil
}
func (nobody) Find(context.Context, *store.Tx, string, list.Address) (list.Subscriber, error) {
	return list.Subscriber{}, nil
}

// A message that people move into Galley/Again is dealt with again, in the
// same row; one that they put back is known.
func TestAgain(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.start()
		r.deliver(letterOf("one"))
		time.Sleep(5 * time.Minute)
		r.holds("Galley/Letters", "one")
		r.move("Galley/Letters", "Galley/Again")
		time.Sleep(5 * time.Minute)
		r.holds("Galley/Again")
		r.holds("Galley/Letters", "one")
		if len(r.passed()) != 2 || r.rows("handled = 1") != 1 || r.rows("1 = 1") != 1 {
			t.Errorf("passed on %q, %d rows handled again", r.passed(), r.rows("handled = 1"))
		}
		r.move("Galley/Letters", "INBOX")
		time.Sleep(2 * time.Hour)
		r.holds("INBOX", "one")
		if len(r.passed()) != 2 {
			t.Errorf("what was put back was dealt with again: %q", r.passed())
		}
	})
}

// move is what a person does with a mail program.
func (r *rig) move(from, to string) {
	r.t.Helper()
	list, err := r.imap.Messages("galley", from)
	if err != nil || len(list) != 1 {
		r.t.Fatal(len(list), err)
	}
	if err := r.imap.Put("galley", to, list[0].Raw); err != nil {
		r.t.Fatal(err)
	}
	if err := r.imap.Remove("galley", from, list[0].UID); err != nil {
		r.t.Fatal(err)
	}
}

// In an editor's own mailbox only mail to the newsletter is taken up, nothing
// of the rest is kept, and letters stay where they are.
func TestSharedMailbox(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.start(func(n *Newsletter) { n.Shared = true })
		r.deliver(letterOf("to the newsletter"))
		r.deliver("From: mum@home.example\nTo: ines@ines.example\nSubject: private\nMessage-ID: <p@home.example>\n\nhttps://home.example/photos\n")
		r.deliver("From: x@y.example\nTo: letter+subscribe@quiet.example\nSubject: plus\n\nsubscribe\n")
		time.Sleep(5 * time.Minute)
		r.holds("INBOX", "private", "to the newsletter")
		r.holds("Galley/Readers", "plus")
		if len(r.passed()) != 0 || r.rows("kind = 'foreign' AND subject = '' AND sender = '' AND (SELECT length(raw) FROM octets WHERE octets.message = message.id) = 0") != 1 {
			t.Errorf("passed on %q, %d foreign rows", r.passed(), r.rows("kind = 'foreign'"))
		}
		list, _ := r.imap.Messages("galley", "INBOX")
		for _, m := range list {
			if len(m.Flags) > 0 {
				t.Errorf("marked: %q", m.Flags)
			}
		}
	})
}

// The folders have the names that the configuration gives them, also the one
// whose mail is dealt with again; none of ours is made beside them.
func TestFoldersOfOtherNames(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.start(func(n *Newsletter) {
			n.Folders = Folders{"Von uns", "Links", "Post/Briefe", "Zurück", "Leser", "Maschinen", "Ungelesen", "Noch einmal"}
		})
		r.deliver(letterOf("hello"))
		r.deliver(strings.Replace(letterOf("buy"), "\n\n", "\nX-Spam-Flag: YES\n\n", 1))
		r.deliver(strings.Replace(letterOf("away"), "\n\n", "\nAuto-Submitted: auto-replied\n\n", 1))
		time.Sleep(5 * time.Minute)
		r.holds("INBOX")
		r.holds("Post/Briefe", "hello")
		r.holds("Ungelesen", "buy")
		r.holds("Maschinen", "away")
		r.move("Post/Briefe", "Noch einmal")
		time.Sleep(5 * time.Minute)
		r.holds("Noch einmal")
		r.holds("Post/Briefe", "hello")
		if want := []string{"hello", "hello"}; !slices.Equal(r.passed(), want) {
			t.Errorf("passed on %q, want %q", r.passed(), want)
		}
		names, err := r.imap.Folders("galley")
		if err != nil || slices.ContainsFunc(names, func(s string) bool { return strings.HasPrefix(s, "Galley") }) {
			t.Errorf("the folders are %q, %v", names, err)
		}
	})
}

// A sealed mail does nothing, whoever wrote it, and goes to the editors whole.
func TestSealedMail(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.start()
		r.deliver("From: ines@ines.example\nTo: " + rigBox + "\nSubject: sealed\n\n-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----\n")
		time.Sleep(time.Minute)
		if !slices.Equal(r.passed(), []string{"sealed"}) || r.rows("kind = 'letter' AND reason = 'sealed with OpenPGP'") != 1 {
			t.Errorf("passed on %q", r.passed())
		}
	})
}
