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
func (n *notes) Issued(context.Context, *store.Tx, string, string) (send.Issued, bool, error) {
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

// What lay in the mailbox before the first start is left alone, also when the
// mailbox is made anew and shows it under other numbers.
func TestBeforeTheFirstStart(t *testing.T) {
	bubble(t, inboxtest.Options{UIDValidity: 7}, func(r *rig) {
		r.deliver(letterOf("old"))
		time.Sleep(time.Hour)
		r.start()
		r.deliver(letterOf("new"))
		time.Sleep(5 * time.Minute)
		r.holds("INBOX", "old")
		r.holds("Galley/Letters", "new")
		if !slices.Equal(r.passed(), []string{"new"}) || r.rows("1 = 1") != 1 {
			t.Errorf("passed on: %q, %d rows", r.passed(), r.rows("1 = 1"))
		}
		r.end()
		r.deliver(letterOf("while down"))
		r.start()
		time.Sleep(5 * time.Minute)
		if !slices.Equal(r.passed(), []string{"new", "while down"}) {
			t.Errorf("passed on: %q", r.passed())
		}
	})
}

// What comes after the first start counts, also while nobody has seen the
// mailbox yet: its server is away at first.
func TestSinceTheFirstStart(t *testing.T) {
	bubble(t, inboxtest.Options{UIDValidity: 7}, func(r *rig) {
		r.deliver(letterOf("old"))
		time.Sleep(time.Hour)
		r.imap.Down()
		r.start()
		time.Sleep(time.Minute)
		r.deliver(letterOf("new"))
		time.Sleep(50 * time.Hour)
		r.deliver(letterOf("newer"))
		time.Sleep(time.Hour)
		r.imap.Heal()
		time.Sleep(5 * time.Minute)
		r.holds("INBOX", "old")
		if want := []string{"new", "newer"}; !slices.Equal(r.passed(), want) || r.rows("1 = 1") != len(want) {
			t.Errorf("passed on %q, want %q, of %d", r.passed(), want, r.rows("1 = 1"))
		}
	})
}

// Among what lies in the mailbox at the first opening the dates decide, since
// people move old mail about; behind it everything is new.
func TestOldMailAmongNew(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.imap.Down()
		r.start()
		ctx, began := context.Background(), time.Now()
		g := r.in.Ledger()
		if err := g.Begin(ctx, 7, 1, 4); err != nil {
			t.Fatal(err)
		}
		var batch []mailbox.Message
		for uid, after := range map[uint32]time.Duration{2: time.Second, 3: -time.Hour, 4: 0, 5: -time.Hour} {
			raw := []byte(strings.ReplaceAll(letterOf(fmt.Sprint("letter ", uid)), "\n", "\r\n"))
			batch = append(batch, mailbox.Message{UIDValidity: 7, UID: uid, Received: began.Add(after).Truncate(time.Second), Raw: raw})
		}
		if left, err := g.Unknown(ctx, 7, []uint32{1, 2, 3, 4, 5}); err != nil || !slices.Equal(left, []uint32{2, 3, 4, 5}) {
			t.Errorf("unknown are %d, %v", left, err)
		}
		slices.SortFunc(batch, func(a, b mailbox.Message) int { return int(a.UID) - int(b.UID) })
		if err := g.take(ctx, batch); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if want := []string{"letter 2", "letter 4", "letter 5"}; !slices.Equal(r.passed(), want) {
			t.Errorf("passed on %q, want %q", r.passed(), want)
		}
	})
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

// Poison among good mail (bar 53): what cannot be read is set aside whole, the
// others are dealt with in order, the editor is told once a day, and a restart
// does not begin again.
func TestPoison(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		const mails, every = 200, 20
		tries, release := map[string]int{}, make(chan struct{})
		defer close(release)
		r.desk.lookups = func(ctx context.Context, name string) ([]string, error) {
			r.desk.mu.Lock()
			tries[name]++
			r.desk.mu.Unlock()
			if strings.HasPrefix(name, "stall") {
				<-release // a parser that hangs does not look at its deadline
			}
			panic("a parser's mistake")
		}
		r.start()
		var want []string
		for i := range mails {
			switch {
			case i%every == 0 && i < 2*every:
				r.deliver(poison("stall", i))
			case i%every == 0:
				r.deliver(poison("panic", i))
			default:
				want = append(want, fmt.Sprintf("letter %d", i))
				r.deliver(letterOf(want[len(want)-1]))
			}
		}
		time.Sleep(time.Hour)
		if !slices.Equal(r.passed(), want) {
			t.Errorf("%d letters passed on, want %d in order", len(r.passed()), len(want))
		}
		if n := r.rows("state = 'quarantine'"); n != mails/every {
			t.Errorf("%d in quarantine, want %d", n, mails/every)
		}
		list, err := r.imap.Messages("galley", "Galley/Quarantine")
		if err != nil || len(list) != mails/every {
			t.Errorf("%d in Galley/Quarantine: %v", len(list), err)
		}
		r.end()
		r.start()
		time.Sleep(25 * time.Hour)
		for name, n := range tries {
			if n > maxTries {
				t.Errorf("%s was tried %d times", name, n)
			}
		}
		told := 0
		for _, list := range r.aside() {
			told += len(list)
		}
		if told != mails/every || len(r.aside()) > 2 {
			t.Errorf("told of %d mails in %d mails", told, len(r.aside()))
		}
	})
}

// poison is a mail in the editor's name whose signature leads the reader into
// a trap.
func poison(trap string, n int) string {
	return fmt.Sprintf("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=ines.example; s=%s%d; h=from:to:subject:date;\n bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\nFrom: ines@ines.example\nTo: %s\nSubject: poison %d\n\nhello\n", trap, n, rigBox, n)
}

// What a mail asks and can never be written down holds up nobody, and ends.
func TestEffectThatAlwaysFails(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.breaks("bad")
		r.start()
		r.deliver(letterOf("bad"))
		r.deliver(letterOf("good"))
		time.Sleep(time.Minute)
		if !slices.Equal(r.passed(), []string{"good"}) {
			t.Errorf("passed on: %q", r.passed())
		}
		time.Sleep(6 * time.Hour)
		r.holds("Galley/Quarantine", "bad")
		if len(r.aside()) != 1 || len(r.aside()[0]) != 1 || !strings.Contains(r.aside()[0][0].Why, "could not be written down") {
			t.Errorf("told: %+v", r.aside())
		}
	})
}

// A passing fault of the books costs nothing.
func TestEffectThatFailsForAWhile(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.breaks("late")
		r.start()
		r.deliver(letterOf("late"))
		time.Sleep(10 * time.Minute)
		r.breaks()
		time.Sleep(time.Hour)
		r.holds("Galley/Letters", "late")
		if !slices.Equal(r.passed(), []string{"late"}) {
			t.Errorf("passed on: %q", r.passed())
		}
	})
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
