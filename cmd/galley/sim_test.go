package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galley/send"
	"galley/send/message"
	"galley/send/sendtest"
	"galley/send/store"
	"galley/send/store/storetest"
)

// TestSimulation is bar 26: the whole house in a bubble, with faults at every
// step that hang on nothing but the seed, over fourteen days. The invariants
// are looked at after every event. GALLEY_SIM_SEEDS and GALLEY_SIM_READERS make
// it long (10000 and 200), GALLEY_SIM_FIRST begins at another seed; so
// GALLEY_SIM_SEEDS=1 GALLEY_SIM_FIRST=n plays one again. A clock that jumps is
// the matter of TestClockJumps.
func TestSimulation(t *testing.T) {
	storetest.WatchCommits()
	t.Parallel() // beside those that wait for servers
	seeds, readers := 2, 30
	if whole() {
		seeds = 20
	}
	seeds, readers = number0("GALLEY_SIM_SEEDS", seeds), number0("GALLEY_SIM_READERS", readers)
	first := number0("GALLEY_SIM_FIRST", 1)
	var sum simFigures
	var mu sync.Mutex
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed < first+seeds; seed++ {
			t.Run(strconv.Itoa(seed), func(t *testing.T) {
				t.Parallel()
				f, _ := simulate(t, uint64(seed), readers)
				mu.Lock()
				defer mu.Unlock()
				sum.add(f)
			})
		}
	})
	t.Logf("%d seeds of %d readers: %+v", seeds, readers, sum)
	if !t.Failed() && seeds >= 20 && (sum.Lost == 0 || sum.Kills == 0 || sum.Doubles == 0 || sum.Left == 0 || sum.Failed == 0) {
		t.Errorf("the faults did not happen: %+v", sum)
	}
}

// TestSimulationReplays plays seeds again: they must come out the same to the
// last event and its instant, or a seed that fails could not be looked into.
func TestSimulationReplays(t *testing.T) {
	storetest.WatchCommits()
	t.Parallel() // beside those that wait for servers
	seeds, times := 2, 2
	if whole() {
		seeds, times = 20, 3
	}
	first := number0("GALLEY_SIM_FIRST", 1)
	for seed := first; seed < first+seeds; seed++ {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			_, want := simulate(t, uint64(seed), 30)
			for range times - 1 {
				if _, got := simulate(t, uint64(seed), 30); !slices.Equal(got, want) {
					t.Fatalf("seed %d came out another way:\n%s", seed, firstDifference(got, want))
				}
			}
		})
	}
}

// firstDifference shows where two histories part.
func firstDifference(got, want []string) string {
	n := 0
	for n < min(len(got), len(want)) && got[n] == want[n] {
		n++
	}
	around := func(all []string) string {
		return strings.Join(all[min(max(0, n-3), len(all)):min(n+4, len(all))], "\n")
	}
	return fmt.Sprintf("at event %d\n--- once\n%s\n--- again\n%s", n, around(want), around(got))
}

func number0(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// simFigures count what happened, to tell that it did.
type simFigures struct {
	Copies, Doubles, Lost, Kills, Fences, Left, Failed, Expired, Cancelled, BrokenCommits int
}

func (f *simFigures) add(o simFigures) {
	f.Copies, f.Doubles, f.Lost, f.Kills, f.Fences = f.Copies+o.Copies, f.Doubles+o.Doubles, f.Lost+o.Lost, f.Kills+o.Kills, f.Fences+o.Fences
	f.Left, f.Failed, f.Expired = f.Left+o.Left, f.Failed+o.Failed, f.Expired+o.Expired
	f.Cancelled, f.BrokenCommits = f.Cancelled+o.Cancelled, f.BrokenCommits+o.BrokenCommits
}

// sim is a world with faults.
type sim struct {
	*world
	seed  uint64
	began time.Time
	simFigures

	mu       sync.Mutex
	tries    map[string]uint64
	calm     bool             // no more faults
	dead     int64            // connections up to this one belong to a process that was killed
	gone     map[string]int64 // when a reader left, in microseconds
	approved map[string]bool  // marks of the texts that were approved
	first    map[string]sendtest.Accepted
	events   []simEvent
	rows     int // deliveries of #12
	again    int // copies by killed or fenced processes that may come twice
}

const simLines = 3

// simulate plays a seed and gives what happened, in figures and event by event.
func simulate(t *testing.T, seed uint64, readers int) (f simFigures, events []string) {
	synctest.Test(t, func(t *testing.T) {
		s := &sim{world: newWorld(t), seed: seed, tries: map[string]uint64{}, gone: map[string]int64{}, approved: map[string]bool{}, first: map[string]sendtest.Accepted{}}
		s.dir = memoryDir(t)
		defer s.close()
		s.plan.readers, s.plan.connections, s.plan.grace = readers, simLines, "0s"
		s.plan.tick = 20 * time.Second // before anything goes to readers the bells say enough
		s.faults, s.heard = s.fate, s.took
		s.open()
		synctest.Wait()
		s.began = time.Now()
		s.play()
		if t.Failed() {
			t.Logf("seed %d: GALLEY_SIM_SEEDS=1 GALLEY_SIM_FIRST=%d plays it again\n%s\n%s", seed, seed, strings.Join(s.told()[max(0, len(s.events)-20):], "\n"), tail(s.log.String(), 30))
		}
		s.Copies = len(s.sink.Messages())
		f, events = s.simFigures, s.told()
	})
	return f, events
}

// memoryDir is a folder of t in memory where there is one: what a disk does is
// the matter of other tests, and here there are many seeds.
func memoryDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "galley")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// roll is a number under n that hangs on the seed and what it is for alone.
func (s *sim) roll(n uint64, of ...any) uint64 {
	sum := sha256.Sum256(fmt.Appendln(fmt.Append(nil, s.seed, "|"), of...))
	return binary.BigEndian.Uint64(sum[:]) % n
}

// fate is what goes wrong at a step: by reader, try and stage; before a reader
// is named, by the instant.
func (s *sim) fate(p sendtest.Step) sendtest.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case p.Conn <= s.dead:
		return sendtest.Fault{Close: true}
	case s.calm:
		return sendtest.Fault{}
	case p.Stage == sendtest.StageConnect, p.Stage == sendtest.StageEHLO:
		return s.lineFate(s.roll(1000, p.Stage, time.Since(s.began)))
	case p.Stage != sendtest.StageRcpt && p.Stage != sendtest.StageData && p.Stage != sendtest.StageDot:
		return sendtest.Fault{}
	}
	key := string(p.Stage) + " " + p.To
	s.tries[key]++
	f := s.letterFate(p.Stage, domainOf(p.To) == "readers.example", s.roll(1000, key, s.tries[key]))
	if p.Stage == sendtest.StageRcpt && s.roll(60, "doomed", p.To) == 0 && domainOf(p.To) == "readers.example" {
		f = sendtest.Fault{Reply: "451 4.3.0 never"}
	}
	if f.Delay == 0 { // no two letters share an instant
		f.Delay = time.Duration(s.roll(400_000_000, "delay", key, s.tries[key])) + time.Millisecond
	}
	if f.Take {
		s.Lost++
	}
	if f != (sendtest.Fault{Delay: f.Delay}) {
		s.note("%s try %d: %q close %v stall %v take %v", key, s.tries[key], f.Reply, f.Close, f.Stall, f.Take)
	}
	return f
}

func (s *sim) lineFate(n uint64) sendtest.Fault {
	switch {
	case n < 40:
		return sendtest.Fault{Close: true}
	case n < 60:
		return sendtest.Fault{Reply: "421 4.3.2 come back later", Close: true}
	case n < 65:
		return sendtest.Fault{Stall: true}
	}
	return sendtest.Fault{}
}

func (s *sim) letterFate(stage sendtest.Stage, reader bool, n uint64) sendtest.Fault {
	switch {
	case n < 15:
		return sendtest.Fault{Close: true}
	case n < 18:
		return sendtest.Fault{Stall: true}
	case n < 50:
		return sendtest.Fault{Reply: "451 4.3.0 local trouble"}
	case n < 60 && stage == sendtest.StageRcpt && reader:
		return sendtest.Fault{Reply: "550 5.1.1 nobody of that name here"}
	case n < 70 && stage == sendtest.StageRcpt && reader:
		return sendtest.Fault{Reply: "552 5.2.2 full"}
	case n < 80 && stage == sendtest.StageDot:
		return sendtest.Fault{Close: true, Take: true}
	case n < 83 && stage == sendtest.StageDot:
		return sendtest.Fault{Stall: true, Take: true}
	}
	return sendtest.Fault{}
}

// simEvent is something that happened, and when.
type simEvent struct {
	at   time.Duration
	what string
}

func (e simEvent) String() string { return fmt.Sprint(e.at, "  ", e.what) }

// note keeps an event with its instant. s.mu is held.
func (s *sim) note(format string, args ...any) {
	s.events = append(s.events, simEvent{time.Since(s.began), fmt.Sprintf(format, args...)})
}

// told is what happened, in the order of time. Of events at one instant none is
// the first: the lines of a house open together.
func (s *sim) told() (all []string) {
	slices.SortFunc(s.events, func(a, b simEvent) int { return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.what, b.what)) })
	for _, e := range s.events {
		all = append(all, e.String())
	}
	return all
}

// took looks at each mail that a server takes.
func (s *sim) took(a sendtest.Accepted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(a.To) != 1 || domainOf(a.To[0]) != "readers.example" {
		s.note("%q for %s", subjectOf(a.Octets), a.To)
		return
	}
	s.note("copy for %s", a.To[0])
	body := string(a.Octets)
	mark, _, _ := strings.Cut(body[max(0, strings.Index(body, "MARK-")):], ".")
	if !s.approved[mark] { // G4, G6
		s.t.Errorf("seed %d: a copy of a text that nobody approved: %q", s.seed, mark)
	}
	if left, ok := s.gone[a.To[0]]; ok && time.Now().UnixMicro()-left > 2_000_000 { // G3: a second to begin, and up to one for RCPT, DATA and dot
		s.t.Errorf("seed %d: %s left %d ms before the copy", s.seed, a.To[0], (time.Now().UnixMicro()-left)/1000)
	}
	before, twice := s.first[a.To[0]]
	if s.first[a.To[0]] = a; !twice {
		return
	}
	s.Doubles++
	if before.Digest != a.Digest || before.MessageID != a.MessageID || a.MessageID == "" { // G2
		s.t.Errorf("seed %d: two copies for %s differ", s.seed, a.To[0])
	}
}

// check looks at the invariants that the books show.
func (s *sim) check() {
	s.t.Helper()
	var rows, begun, slots int
	s.view(func(ctx context.Context, tx *store.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM delivery WHERE issue = 12),
			(SELECT count(*) FROM audit WHERE what = 'begun'), (SELECT count(*) FROM slot WHERE state = 'used')`).Scan(&rows, &begun, &slots)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if rows < s.rows { // G1
		s.t.Errorf("seed %d: %d rows, %d before", s.seed, rows, s.rows)
	}
	s.rows = rows
	if begun > 1 || slots > 1 { // G5
		s.t.Errorf("seed %d: begun %d times, %d slots used", s.seed, begun, slots)
	}
	if s.Doubles > s.Lost+s.again { // G2
		s.t.Errorf("seed %d: %d copies came twice, %d replies were lost and %d may by kills", s.seed, s.Doubles, s.Lost, s.again)
	}
}

// play is fourteen days in the life of the house.
func (s *sim) play() {
	s.letOut()
	for k := range 8 + int(s.roll(6, "events")) {
		time.Sleep(time.Duration(s.roll(12_000_000_000, "wait", k)) + time.Second)
		synctest.Wait()
		s.event(k, s.roll(100, "event", k))
		s.check()
		if s.t.Failed() {
			return
		}
	}
	s.imap.Heal()
	s.say("resume #12")
	time.Sleep(time.Minute)
	s.plan.alone = true // days have many polls, and no more mail
	s.plan.rest = 12 * time.Hour
	s.restart(2 * time.Hour)
	for d := range 6 {
		time.Sleep(23*time.Hour + time.Duration(s.roll(uint64(2*time.Hour), "day", d)))
		synctest.Wait()
		if s.roll(3, "event of the day", d) == 0 {
			s.kill()
		}
		s.check()
	}
	s.mu.Lock()
	s.calm = true
	s.mu.Unlock()
	s.plan.rest = 24 * time.Hour
	s.restart(6 * time.Hour)
	time.Sleep(8 * 24 * time.Hour)
	synctest.Wait()
	s.check()
	s.ends()
}

// letOut has two texts proofed and the second approved.
func (s *sim) letOut() {
	ines := s.people["Ines"]
	for n, mark := range []string{"MARK-one", "MARK-two"} {
		if n == 1 {
			s.mu.Lock()
			s.approved[mark] = true
			s.mu.Unlock()
		}
		text, err := os.ReadFile("testdata/drafts/0012.md")
		if err != nil {
			s.t.Fatal(err)
		}
		m := s.begin(ines, "#12", "The draft.\n")
		m.Attachments = []message.Attachment{{Name: "0012.md", Type: "text/markdown; charset=utf-8", Data: append(text, "\n\n"+mark+". It waits for nobody.\n"...)}}
		s.post(ines, m)
		proof := s.paperFor(fmt.Sprintf("Proof %d of #12", n+1))
		if proof != nil && n == 1 {
			s.plan.rest = 5003 * time.Millisecond // the bells ring anyway, and no two looks share an instant
			s.restart(0)                          // from here on the queue looks as often as in life
			s.post(ines, s.answer(ines, proof, "send now"))
		}
	}
	if !waited(time.Hour, s.begun) {
		s.t.Fatalf("seed %d: the issue that was approved never began", s.seed)
	}
	time.Sleep(s.plan.rest) // the desk may have looked just before it began, or just after
}

// begun tells whether the copies for readers are on their way. The mail that says so
// to the editor may be late by hours; what is to break the run must not wait for
// it.
func (s *sim) begun() (yes bool) {
	s.view(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM edition WHERE issue = 12 AND state IN ('sending', 'done'))`).Scan(&yes)
	})
	return yes
}

// paperFor waits for a mail to the editor.
func (s *sim) paperFor(beginning string) (m *boxed) {
	s.t.Helper()
	ines := s.people["Ines"]
	if !waited(6*time.Hour, func() bool { // it may be refused several times
		s.world.mu.Lock()
		defer s.world.mu.Unlock()
		for _, b := range ines.box {
			if strings.HasPrefix(b.Subject, beginning) {
				m = b
			}
		}
		return m != nil
	}) {
		for _, b := range ines.box {
			s.t.Logf("the editor has %q", b.Subject)
		}
		s.t.Fatalf("seed %d: the editor never got %q", s.seed, beginning)
	}
	return m
}

// event does one of the things that happen to a house.
func (s *sim) event(k int, n uint64) {
	s.mu.Lock()
	s.note("event %d", n)
	s.mu.Unlock()
	switch {
	case n < 25:
		for j := range 3 {
			s.leave(s.reader(1 + int(s.roll(uint64(s.plan.readers), "who", k, j))))
		}
	case n < 40:
		s.kill()
	case n < 48:
		s.restart(s.plan.tick)
	case n < 60:
		s.breakCommits(time.Duration(1+s.roll(8, "broken", k)) * time.Second)
	case n < 70:
		s.secondScheduler(time.Duration(3+s.roll(20, "second", k)) * time.Second)
	case n < 78:
		s.imap.Reset()
	case n < 84:
		s.imap.Mute()
	case n < 97:
		s.say("hold #12")
		time.Sleep(time.Duration(2+s.roll(60, "hold", k)) * time.Second)
		s.say("resume #12")
	default:
		s.say("cancel #12")
		time.Sleep(5 * time.Second)
		s.say("yes #12")
		s.Cancelled++
	}
}

// leave takes a reader off the list, as the page for leaving does.
func (s *sim) leave(addr string) {
	id := int64(0)
	s.update(func(ctx context.Context, tx *store.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT id FROM subscriber WHERE address = $1 AND state = 'active'`, addr).Scan(&id)
		if store.NotFound(err) {
			return nil
		}
		if err == nil {
			_, err = s.house.list.Leave(ctx, tx, "quiet", id, "a simulation")
		}
		return err
	})
	if id != 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.gone[addr] = time.Now().UnixMicro()
		s.Left++
	}
}

// say is a word of the operator's, who needs no mail for it.
func (s *sim) say(words string) {
	n, _ := s.house.cfg.Newsletter("")
	d, err := (&issueSay{Words: strings.Fields(words)}).decision(s.house, n)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.update(func(ctx context.Context, tx *store.Tx) error {
		_, err := s.house.desk.Decide(ctx, tx, d)
		return err
	})
}

// restart ends the house as a service is ended, and starts it again.
func (s *sim) restart(tick time.Duration) {
	s.end()
	s.plan.tick = tick
	s.start()
}

// kill goes on with the books as they lie on the disk at this instant, as if
// the process had been killed. What it has on the wire goes nowhere any more.
func (s *sim) kill() {
	image := memoryDir(s.t)
	if err := os.CopyFS(image, os.DirFS(s.dir)); err != nil {
		s.t.Fatal(err)
	}
	os.Remove(image + "/galley.db-shm") // it is made anew out of the log
	filepath.WalkDir(image, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = os.Chmod(path, 0o600) // a copy is open to all
		}
		return err
	})
	s.mu.Lock()
	s.dead = s.sink.Stats().Connections
	s.Kills++
	s.again += simLines
	s.mu.Unlock()
	s.end()
	s.dir = image
	s.start()
}

// secondScheduler runs another queue on the same books, past the lock of the
// data folder: it takes the lease, and the house ends by itself (bar 34). Each
// of them may have a letter in flight on each line when it falls.
func (s *sim) secondScheduler(d time.Duration) {
	before := s.epoch()
	s.mu.Lock()
	s.again += 2 * simLines
	s.mu.Unlock()
	h, err := build(s.t.Context(), s.cfg(), s.house.queue.Log)
	if err != nil {
		s.t.Fatal(err)
	}
	h.relay.Dial, h.queue.Tick, h.machine = s.wire.Dial, s.plan.tick, s.house.machine
	ctx, cancel := context.WithTimeout(s.t.Context(), d)
	defer cancel()
	if err := h.runQueue(ctx); err != nil {
		s.t.Error(err)
	}
	if err := h.close(); err != nil {
		s.t.Error(err)
	}
	s.Fences += int(s.epoch() - before)
	s.fenced = true
	s.restart(s.plan.tick)
	s.fenced = false
}

func (s *sim) epoch() (n int64) {
	s.view(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT epoch FROM lease WHERE name = 'send'`).Scan(&n)
	})
	return n
}

// breakCommits lets no transaction be committed for a while.
func (s *sim) breakCommits(d time.Duration) {
	broken := storetest.BreakCommits(s.dir+"/galley.db", func() bool { return true })
	time.Sleep(d)
	s.BrokenCommits += broken()
}

// ends checks that everybody's row has come to an end, and that what the books
// say is what the servers saw (G1).
func (s *sim) ends() {
	s.t.Helper()
	s.view(func(ctx context.Context, tx *store.Tx) error {
		run, err := s.house.queue.Progress(ctx, tx, "quiet", 12)
		if err != nil || run == nil || run.Waiting() > 0 || run.Counts[send.Held] > 0 && s.Cancelled == 0 {
			s.t.Errorf("seed %d: at the end: %+v, %v", s.seed, run, err)
			return err
		}
		s.Failed, s.Expired = run.Counts[send.Failed], run.Counts[send.Expired]
		if run.Total != s.rows || run.Counts[send.Sent] > len(s.first) {
			s.t.Errorf("seed %d: %v of %d rows, %d readers have a copy", s.seed, run.Counts, s.rows, len(s.first))
		}
		rows, err := tx.QueryContext(ctx, `SELECT address, state, attempts FROM delivery ORDER BY address`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var addr, state string
			var attempts int
			if err := rows.Scan(&addr, &state, &attempts); err != nil {
				return err
			}
			if _, has := s.first[addr]; state == "sent" && !has {
				s.t.Errorf("seed %d: %s is in the books as sent and has no copy", s.seed, addr)
			}
			s.mu.Lock()
			s.note("%s %s %d", addr, state, attempts)
			s.mu.Unlock()
		}
		return rows.Err()
	})
}
