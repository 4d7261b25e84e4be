package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galley/send"
	"galley/send/list"
	"galley/send/sendtest"
	"galley/send/servertest"
	"galley/send/store"
	"galley/send/store/storetest"
)

// greatRun is the whole house in a bubble with an issue to ten thousand: from
// the draft in the mailbox over the real client to a server that does what a
// test says. Without GALLEY_SERVERS there are three hundred readers.
type greatRun struct {
	*sim
	size int
}

const greatLines = 8

// overBooks plays a great run on SQLite and, where servers are wanted, on
// PostgreSQL (bar 41).
func overBooks(t *testing.T, play func(g *greatRun), set func(p *plan)) {
	t.Helper()
	for _, books := range []string{"sqlite", "postgres"} {
		t.Run(books, func(t *testing.T) {
			t.Parallel()
			url := ""
			if books == "postgres" {
				url = storetest.Schema(t, servertest.StartPostgres(t).URL)
			}
			synctest.Test(t, func(t *testing.T) {
				g := &greatRun{sim: &sim{world: newWorld(t), approved: map[string]bool{}}, size: 300}
				if whole() {
					g.size = 10_000
				}
				g.dir = memoryDir(t)
				g.plan.books, g.plan.connections, g.plan.grace, g.plan.readers = url, greatLines, "0s", 0
				g.plan.tick, g.plan.rest = 20*time.Second, 5*time.Second
				set(&g.plan)
				defer g.close()
				g.open()
				g.fill()
				play(g)
			})
		})
	}
}

// fill puts the readers on the list as an import does.
func (g *greatRun) fill() {
	var csv strings.Builder
	csv.WriteString("address\n")
	for n := range g.size {
		csv.WriteString(g.address(n) + "\n")
	}
	if r, err := g.house.list.Import(g.t.Context(), g.house.db, "quiet", "a test", strings.NewReader(csv.String()), nil); err != nil || r.Added != g.size {
		g.t.Fatal(r, err)
	}
}

func (g *greatRun) address(n int) string { return fmt.Sprintf("r%d@readers.example", n) }

// reader is the number of an address, -1 of somebody else's.
func (g *greatRun) reader(addr string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(addr, "r"), "@readers.example"))
	if err != nil {
		return -1
	}
	return n
}

func (g *greatRun) run() *send.Run {
	g.t.Helper()
	var r *send.Run
	g.view(func(ctx context.Context, tx *store.Tx) (err error) {
		r, err = g.house.queue.Progress(ctx, tx, "quiet", 12)
		return err
	})
	return r
}

// until waits for a state of the run.
func (g *greatRun) until(what string, ok func(r *send.Run) bool) *send.Run {
	g.t.Helper()
	for end := time.Now().Add(24 * time.Hour); ; time.Sleep(10 * time.Second) {
		switch r := g.run(); {
		case r != nil && ok(r):
			return r
		case time.Now().After(end):
			g.t.Fatalf("not in a day: %s: %+v", what, r)
		}
	}
}

// copies are what each reader got, in order.
func (g *greatRun) copies() [][]sendtest.Accepted {
	all := make([][]sendtest.Accepted, g.size)
	for _, a := range g.sink.Messages() {
		if n := g.reader(a.To[0]); n >= 0 {
			all[n] = append(all[n], a)
		}
	}
	return all
}

// TestLostRepliesOfTenThousand is bar 29: of each hundredth copy the server
// takes the octets and closes the line without a word. Whoever resends sends
// just these a second time, ten minutes later at the soonest and octet by octet
// the same; whoever holds sends nobody anything twice, and the queue lists them.
func TestLostRepliesOfTenThousand(t *testing.T) {
	for _, unsure := range []send.Unsure{send.Resend, send.Hold} {
		t.Run(string(unsure), func(t *testing.T) {
			t.Parallel()
			overBooks(t, func(g *greatRun) {
				dropped := map[string]bool{}
				g.faults = func(p sendtest.Step) (f sendtest.Fault) {
					g.mu.Lock()
					defer g.mu.Unlock()
					if p.Stage == sendtest.StageDot && g.reader(p.To)%100 == 17 && !dropped[p.To] {
						dropped[p.To] = true
						return sendtest.Fault{Take: true, Close: true}
					}
					return f
				}
				g.letOut()
				g.lostReplies(unsure, dropped)
			}, func(p *plan) { p.unsure = string(unsure) })
		})
	}
}

func (g *greatRun) lostReplies(unsure send.Unsure, dropped map[string]bool) {
	drops, state, doubles := g.size/100, send.Ambiguous, 1
	if unsure == send.Hold {
		state, doubles = send.Held, 0
	}
	first := g.until("all were tried once", func(r *send.Run) bool { return r.Counts[send.Sent]+r.Counts[state] == g.size })
	if first.Counts[state] != drops || len(dropped) != drops {
		g.t.Errorf("%d replies were lost of %d, and the books say %v", len(dropped), drops, first.Counts)
	}
	listed := g.listed()
	for addr := range dropped {
		if listed[addr] != string(state) {
			g.t.Fatalf("%s is listed as %q", addr, listed[addr])
		}
	}
	if len(listed) != drops {
		g.t.Errorf("%d readers are listed, not %d", len(listed), drops)
	}
	g.restart(time.Minute)
	last := g.until("the run ends", func(r *send.Run) bool { return r.State == send.Done })
	if want := g.size - drops*(1-doubles); last.Counts[send.Sent] != want {
		g.t.Errorf("at the end the books say %v", last.Counts)
	}
	for n, all := range g.copies() {
		want := 1
		if dropped[g.address(n)] {
			want += doubles
		}
		if len(all) != want {
			g.t.Fatalf("%s has %d copies", g.address(n), len(all))
		}
		if want == 2 && (all[0].Digest != all[1].Digest || all[0].MessageID != all[1].MessageID || all[1].Time.Sub(all[0].Time) < 10*time.Minute) {
			g.t.Fatalf("%s has another second copy after %v", g.address(n), all[1].Time.Sub(all[0].Time))
		}
	}
}

// listed is what the operator is shown of who has no copy for certain: the state
// by address.
func (g *greatRun) listed() map[string]string {
	g.t.Helper()
	var out bytes.Buffer
	n, _ := g.house.cfg.Newsletter("")
	if err := (&queueShow{Failed: 12}).failures(&env{ctx: g.t.Context(), stdout: &out}, g.house, n, true); err != nil {
		g.t.Fatal(err)
	}
	var rows []failureRow
	if err := json.Unmarshal(out.Bytes(), &rows); err != nil {
		g.t.Fatal(err)
	}
	all := map[string]string{}
	for _, r := range rows {
		all[r.Address] = r.State
	}
	return all
}

// TestLeaversOfTenThousand is bar 35: while an issue goes, every tenth reader
// leaves, bounces or is forgotten, at random instants. From a second after that
// stands in the books no server hears MAIL for them, and everybody else gets one
// copy.
func TestLeaversOfTenThousand(t *testing.T) {
	overBooks(t, func(g *greatRun) {
		g.gone = map[string]int64{}
		g.faults = func(p sendtest.Step) (f sendtest.Fault) {
			switch {
			case g.reader(p.To) < 0:
			case p.Stage == sendtest.StageRcpt: // MAIL came at the same instant
				g.mu.Lock()
				defer g.mu.Unlock()
				if at, ok := g.gone[p.To]; ok && time.Now().UnixMicro()-at > 1_000_000 {
					g.t.Errorf("MAIL for %s, who was gone %d ms before", p.To, (time.Now().UnixMicro()-at)/1000)
				}
			case p.Stage == sendtest.StageDot:
				f.Delay = g.slow()
			}
			return f
		}
		g.letOut()
		g.leavers()
	}, func(*plan) {})
}

// slow is how long a server takes for a copy, so that the run takes a minute.
func (g *greatRun) slow() time.Duration { return greatLines * time.Minute / time.Duration(g.size) }

func (g *greatRun) leavers() {
	before := g.before()
	dice := rand.New(rand.NewPCG(12, 35))
	every := 50 * time.Second / time.Duration(g.size/10)
	for k, n := range dice.Perm(g.size)[:g.size/10] {
		time.Sleep(time.Duration(dice.Int64N(int64(2 * every))))
		g.goes(k%3, g.address(n), before[g.address(n)])
	}
	g.restart(time.Minute)
	last := g.until("the run ends", func(r *send.Run) bool { return r.State == send.Done })
	none := 0
	for n, all := range g.copies() {
		switch _, gone := g.gone[g.address(n)]; {
		case len(all) == 1:
		case len(all) == 0 && gone:
			none++
		default:
			g.t.Fatalf("%s, gone %v, has %d copies", g.address(n), gone, len(all))
		}
	}
	if last.Total != g.size || last.Counts[send.Suppressed] != none || last.Counts[send.Sent] != g.size-none {
		g.t.Errorf("%d were left out, and the books say %v", none, last.Counts)
	}
	if len(g.gone) != g.size/10 || none < g.size/40 {
		g.t.Errorf("%d went, %d of them before their copy: too few to show anything", len(g.gone), none)
	}
	g.t.Logf("%d went, %d of them before their copy", len(g.gone), none)
}

// goer is a reader with the copy of the issue before.
type goer struct{ subscriber, delivery int64 }

// before writes the issue before into the books: what comes back while an issue
// goes are copies of the last one.
func (g *greatRun) before() map[string]goer {
	all := map[string]goer{}
	g.update(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO edition (newsletter, issue, revision, digest, subject, html, text, web, feed, state, send_at, changed)
			SELECT newsletter, 11, 1, 'the one before', subject, html, text, web, feed, 'done', send_at, changed FROM edition WHERE issue = 12`)
		if err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `INSERT INTO delivery (newsletter, issue, edition, subscriber, address, state, first, changed)
			SELECT d.newsletter, 11, e.id, d.subscriber, d.address, 'sent', d.changed, d.changed FROM delivery d, edition e
			WHERE d.issue = 12 AND e.issue = 11 RETURNING address, subscriber, id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var addr string
			var one goer
			if err := rows.Scan(&addr, &one.subscriber, &one.delivery); err != nil {
				return err
			}
			all[addr] = one
		}
		return rows.Err()
	})
	return all
}

// goes has a reader leave by the page, be returned as unknown, or be forgotten.
func (g *greatRun) goes(how int, addr string, one goer) {
	a, err := list.ParseAddress(addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.update(func(ctx context.Context, tx *store.Tx) (err error) {
		switch how {
		case 0:
			_, err = g.house.list.Leave(ctx, tx, "quiet", one.subscriber, "a test")
		case 1:
			err = g.house.queue.Returned(ctx, tx, &send.Return{Newsletter: "quiet", Delivery: one.delivery, Kind: "bounce", Class: send.ClassHard,
				Action: "failed", Status: "5.1.1", Reason: "550 5.1.1 nobody of that name", Recipient: addr})
		default:
			err = g.house.door.Grant(ctx, tx, "quiet", a, one.subscriber, "a test")
		}
		return err
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gone[addr] = time.Now().UnixMicro()
}
