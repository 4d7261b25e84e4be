package send

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"galley/send/servertest"
	"galley/send/store"
	"galley/send/store/storetest"
)

// Whatever the number of machines, their parts of a limit add up to it.
func TestSharesAddUp(t *testing.T) {
	for of := 1; of < 8; of++ {
		for _, n := range []int{0, 1, 2, 50, 99, 1000} {
			sum := 0
			for rank := range of {
				sum += portion{rank, of}.part(n)
			}
			if sum != n {
				t.Errorf("the parts of %d machines add up to %d, not to %d", of, sum, n)
			}
		}
	}
}

// A machine that joins in the middle of an hour counts what the others have
// sent in it, and an hour's quota holds for both.
func TestQuotaOfTwoMachines(t *testing.T) {
	now := time.Date(2026, 11, 14, 9, 0, 0, 0, time.UTC)
	p := newPacer(Pace{Quotas: []Quota{{Most: 100, Window: time.Hour}}})
	left := make([]time.Time, 80)
	for i := range left {
		left[i] = now.Add(-time.Minute)
	}
	if !p.split(portion{rank: 1, of: 2}) || p.split(portion{rank: 1, of: 2}) {
		t.Error("split does not tell whether the share is another one")
	}
	p.count(now, now, left, 0)
	if _, ok := p.admit(now, "ada@mail.example", false); ok {
		t.Error("the 81st copy goes from a machine whose part is 50")
	}
	p.split(portion{of: 1})
	p.count(now, now, left, 4)
	for n := range 17 {
		if _, ok := p.admit(now, "ada@mail.example", false); ok != (n < 16) {
			t.Errorf("alone again: copy %d goes: %v", 85+n, ok)
		}
	}
}

// machine is a queue of another machine on the same books.
func (h *house) machine(books string) *Queue {
	h.t.Helper()
	db, err := store.Open(h.t.Context(), books)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { db.Close() })
	return &Queue{DB: db, Courier: h.script, Readers: h.list, Newsletters: h.q.Newsletters, Connections: h.q.Connections, Tick: h.q.Tick, Pace: h.q.Pace, Log: h.q.Log}
}

// running is a queue that runs until the test ends or stop is called.
type running struct {
	stop  context.CancelFunc
	ended chan struct{}
	err   error // what Run returned
}

func (h *house) running(q *Queue) *running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stop: cancel, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.err = q.Run(ctx)
	}()
	h.t.Cleanup(func() { r.stop(); <-r.ended })
	return r
}

// end stops a queue that is to have no fault.
func (h *house) end(r *running) {
	h.t.Helper()
	r.stop()
	if <-r.ended; r.err != nil {
		h.t.Error(r.err)
	}
}

// byMachine counts the copies by the epoch of the machine that sent them.
func (h *house) byMachine() (n []int) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT count(*) FROM delivery WHERE state = 'sent' GROUP BY epoch ORDER BY epoch`)
		n, err = collect(rows, err, func(row scanner) (k int, err error) { return k, row.Scan(&k) })
		return err
	})
	return n
}

// TestMachines is several machines on one PostgreSQL.
func TestMachines(t *testing.T) {
	servertest.Need(t, "postgres")
	pg := servertest.StartPostgres(t)
	for name, test := range map[string]func(*house, string){
		"the bell": theBell, "a limit": aLimit, "another key": anotherKey, "cut off": cutOff, "twice as fast": twiceAsFast,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			books := storetest.Schema(t, pg.URL)
			db, err := store.Open(t.Context(), books)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			test(houseOn(t, db, 0), books)
		})
	}
}

// What one machine publishes wakes another one, whose tick is an hour away; so
// does a halt.
func theBell(h *house, books string) {
	h.crowd(200)
	h.q.Tick = time.Hour
	other := h.machine(books)
	h.q.Tick = 0
	h.script.after = func(int) { time.Sleep(20 * time.Millisecond) }
	h.running(other)
	h.wait(10*time.Second, "it is there", func() bool { return h.leases() == 1 })
	time.Sleep(time.Second) // it has looked at the books, and sleeps
	h.publish(edition("The tide waits.", time.Now()))
	h.wait(10*time.Second, "the other machine sends", func() bool { return len(h.taken()) > 20 })
	h.halt(HaltStop)
	h.wait(5*time.Second, "the other machine stops", func() bool { return h.progress().Counts[Claimed] == 0 })
	if n := len(h.taken()); n == 200 || h.progress().State != Paused {
		h.t.Errorf("%d copies went, %+v", n, h.progress())
	}
}

// 100 a second are 100 a second of both together, and both work. When one ends
// the other has all.
func aLimit(h *house, books string) {
	const readers = 500
	h.crowd(readers)
	h.q.Pace.PerSecond = 100
	one, two := h.machine(books), h.machine(books)
	first := h.running(one)
	h.running(two)
	h.wait(10*time.Second, "both are there", func() bool { return h.leases() == 2 })
	time.Sleep(2500 * time.Millisecond) // they know of each other
	h.publish(edition("The tide waits.", time.Now()))
	h.wait(30*time.Second, "half of it is out", func() bool { return len(h.taken()) > readers/2 })
	h.end(first)
	h.wait(30*time.Second, "the run ends", h.done)
	h.expectTotal(readers)
	by := h.byMachine()
	h.t.Logf("at most %d copies in a second; by machine %v", most(h.instants(), time.Second), by)
	slices.Sort(by) // either may have been the first
	if n := most(h.instants(), time.Second); n > 110 || len(by) != 2 || by[0] < 60 || by[1] < 200 {
		h.t.Errorf("at most %d copies in a second; by machine %v", n, by)
	}
}

// twiceAsFast: where the next hop takes its time for a message, and each
// machine has four lines, two machines do the work of two.
func twiceAsFast(h *house, books string) {
	const readers = 480
	h.crowd(readers)
	h.script.after = func(int) { time.Sleep(60 * time.Millisecond) } // 66 a second and machine
	first := h.running(h.machine(books))
	rate := func() float64 {
		h.t.Helper()
		begin := len(h.taken())
		h.wait(30*time.Second, "copies go", func() bool { return len(h.taken()) > begin+20 })
		a := h.taken()
		h.wait(30*time.Second, "more copies go", func() bool { return len(h.taken()) > begin+170 })
		b := h.taken()
		return float64(len(b)-len(a)) / b[len(b)-1].at.Sub(a[len(a)-1].at).Seconds()
	}
	h.publish(edition("The tide waits.", time.Now()))
	one := rate()
	second := h.running(h.machine(books))
	two := rate()
	h.wait(30*time.Second, "the run ends", h.done)
	h.end(first)
	h.end(second)
	h.expectTotal(readers)
	h.t.Logf("one machine: %.0f a second, two: %.0f", one, two)
	if two < 1.7*one {
		h.t.Errorf("two machines send %.2f times as fast as one", two/one)
	}
}

// anotherKey: a machine that made a key of its own does not send.
func anotherKey(h *house, books string) {
	h.join("ada@mail.example")
	first := h.running(h.machine(books))
	h.publish(edition("The tide waits.", time.Now()))
	h.wait(10*time.Second, "the first machine sends", h.done)
	n := testNewsletter()
	n.Keys.Secret = []byte("a key that was made by accident")
	other := h.machine(books)
	other.Newsletters = map[string]*Newsletter{"harbour": n}
	if err := other.Run(h.t.Context()); !errors.Is(err, ErrKey) {
		h.t.Errorf("Run: %v", err)
	}
	h.end(first)
}

// cutOff: the way from one machine to the database falls silent in mid-run, as
// a network does that is unplugged. The other one has its copies when its lease
// has run out; when it is back it ends itself.
func cutOff(h *house, books string) {
	const readers = 600
	h.crowd(readers)
	way := newWay(h.t, books)
	one, two := h.machine(books), h.machine(way.url)
	theirs := &script{after: func(n int) {
		if time.Sleep(20 * time.Millisecond); n == 10 { // it has claimed many more
			way.mute()
		}
	}}
	two.Courier = theirs
	h.script.after = func(int) { time.Sleep(20 * time.Millisecond) }
	stays, fenced := h.running(one), h.running(two)
	h.t.Cleanup(way.speak) // before their ends are waited for
	h.wait(10*time.Second, "both are there", func() bool { return h.leases() == 2 })
	h.publish(edition("The tide waits.", time.Now()))
	h.wait(leaseLife+30*time.Second, "the run ends", h.done)
	h.wait(leaseLife+30*time.Second, "the lease is buried", func() bool { return h.leases() == 1 })
	way.speak()
	select {
	case <-fenced.ended:
	case <-time.After(20 * time.Second):
		h.t.Fatal("the machine that was cut off goes on")
	}
	if !isFenced(fenced.err) {
		h.t.Errorf("the machine that was cut off ends with %v", fenced.err)
	}
	h.end(stays)
	each := h.script.perReader()
	for to, n := range theirs.perReader() {
		each[to] += n
	}
	twice := len(h.script.copies) + len(theirs.copies) - len(each)
	h.t.Logf("%d readers: %d lost, %d twice", readers, readers-len(each), twice)
	if r := h.progress(); r.Counts[Sent] != readers || len(each) != readers || twice > two.connections() {
		h.t.Errorf("%d readers have a copy, %d twice; %v", len(each), twice, r.Counts)
	}
}

// leases counts the machines that count as alive.
func (h *house) leases() (n int) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM lease WHERE name LIKE 'send-%'`).Scan(&n)
	})
	return n
}

// way is the network between a machine and its database.
type way struct {
	url  string
	mu   sync.Mutex
	cond *sync.Cond
	dumb bool
}

func newWay(t testing.TB, books string) *way {
	t.Helper()
	u, err := url.Parse(books)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	to := u.Host
	u.Host = l.Addr().String()
	w := &way{url: u.String()}
	w.cond = sync.NewCond(&w.mu)
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", to)
			if err != nil {
				from.Close()
				continue
			}
			go w.carry(from, there)
			go w.carry(there, from)
		}
	}()
	return w
}

// carry brings octets one way, and waits with them while the way is mute.
func (w *way) carry(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		w.mu.Lock()
		for w.dumb {
			w.cond.Wait()
		}
		w.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				from.Close()
			}
			return
		}
	}
}

func (w *way) mute() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dumb = true
}

func (w *way) speak() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dumb = false
	w.cond.Broadcast()
}
