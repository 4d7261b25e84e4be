package send

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"galley/send/store"
	"galley/send/store/storetest"
)

// A machine claims on from where it ended, and sees what came back before that
// when nothing else is left, or after frontAge.
func TestClaimsGoOnWhereTheyEnded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := houseOn(t, db, 0)
		e := h.waitingRun(40)
		claim := func() (ids []int64) {
			t.Helper()
			tasks, err := e.claim(t.Context(), 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, task := range tasks {
				ids = append(ids, task.id)
			}
			slices.Sort(ids)
			return ids
		}
		giveBack := func(id int64) {
			h.update(func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE delivery SET state = 'pending' WHERE id = $1`, id)
				return err
			})
		}
		first := claim()
		giveBack(first[3])
		if second := claim(); len(second) != 10 || second[0] != first[9]+1 {
			t.Errorf("the second claim has %v behind %v", second, first)
		}
		e.fronts[1] = front{due: e.fronts[1].due, id: e.fronts[1].id, seen: time.Now().Add(-frontAge)}
		if third := claim(); len(third) != 10 || third[0] != first[3] {
			t.Errorf("an old front: %v without %d", third, first[3])
		}
		giveBack(first[4])
		if last := claim(); len(last) != 10 || slices.Contains(last, first[4]) {
			t.Errorf("while others wait: %v", last)
		}
		if left := claim(); len(left) != 2 || left[0] != first[4] {
			t.Errorf("at the end: %v, want %d and the last one", left, first[4])
		}
		if none := claim(); len(none) != 0 {
			t.Errorf("claimed twice: %v", none)
		}
	})
}

// Behind nine tenths of an issue that are claimed, the next claim reads hardly
// more of the books than the first one did, and nothing reads all copies (bar 40).
func TestClaimReadsLittle(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const readers, page = 10_000, 100
		h := houseOn(t, db, 0)
		e := h.waitingRun(readers)
		if db.Dialect() == store.SQLite {
			h.searches(earliest)
			h.searches(earliestPending, 1)
			h.searches(unsettled, "harbour", 1, 0)
			h.searches(claimText(&store.Tx{}, true), 1, 1, 1, "pending", -1, 0, 1, 1)
			return
		}
		var first int
		for n := range readers * 9 / 10 / page {
			reads := h.reads(e, page)
			if n == 0 {
				first = reads
			} else if reads > first+20 { // one for every ninety rows would be 100
				t.Fatalf("claim %d reads %d pages to find %d rows, the first one %d", n+1, reads, page, first)
			}
			if _, err := e.claim(t.Context(), 0, page); err != nil {
				t.Fatal(err)
			}
		}
		for _, text := range []string{earliest, strings.ReplaceAll(earliestPending, "$1", "1"),
			strings.NewReplacer("$1", "'harbour'", "$2", "1", "$3", "0").Replace(unsettled)} {
			whole := h.explain(text).find(func(p *planned) bool { return p.Node == "Seq Scan" && p.Table == "delivery" })
			if whole != nil {
				t.Errorf("all copies are read for: %s", text)
			}
		}
	})
}

// searches checks that SQLite walks through no table of copies.
func (h *house) searches(text string, args ...any) {
	h.t.Helper()
	err := h.q.DB.View(h.t.Context(), func(tx *store.Tx) error {
		rows, err := tx.QueryContext(h.t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
		_, err = collect(rows, err, func(row scanner) (step string, err error) {
			var n int
			err = row.Scan(&n, &n, &n, &step)
			if strings.HasPrefix(step, "SCAN delivery") || strings.HasPrefix(step, "SCAN slip") || strings.Contains(step, "TEMP B-TREE") {
				h.t.Errorf("%s in: %s", step, text)
			}
			return step, err
		})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// explain has PostgreSQL tell how it runs a statement and what that reads, and
// takes back what it did.
func (h *house) explain(text string, args ...any) *planned {
	h.t.Helper()
	var out []struct{ Plan planned }
	enough := errors.New("enough")
	err := h.q.DB.Update(h.t.Context(), func(tx *store.Tx) error {
		var plan []byte
		if err := tx.QueryRowContext(h.t.Context(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+text, args...).Scan(&plan); err != nil {
			return err
		}
		return errors.Join(enough, json.Unmarshal(plan, &out))
	})
	if !errors.Is(err, enough) || len(out) != 1 {
		h.t.Fatal(err, out)
	}
	return &out[0].Plan
}

// reads is how many pages the next claim of so many rows reads to find them.
func (h *house) reads(e *engine, n int) (pages int) {
	h.t.Helper()
	f, known := e.front(1)
	if !known {
		f = atFront
	}
	var text string
	h.update(func(_ context.Context, tx *store.Tx) error { text = claimText(tx, true); return nil })
	plan := h.explain(text, e.epoch, 1, 1, "pending", f.due, f.id, store.Micros(store.Now()), n)
	found := plan.find(func(p *planned) bool { return p.Index == "delivery_due" })
	if found == nil {
		h.t.Fatalf("the index of what is due is not used: %+v", plan)
	}
	return found.Hit + found.Read
}

// planned is a step of a plan of PostgreSQL.
type planned struct {
	Node  string    `json:"Node Type"`
	Table string    `json:"Relation Name"`
	Index string    `json:"Index Name"`
	Hit   int       `json:"Shared Hit Blocks"`
	Read  int       `json:"Shared Read Blocks"`
	Plans []planned `json:"Plans"`
}

func (p *planned) find(is func(*planned) bool) *planned {
	if is(p) {
		return p
	}
	for i := range p.Plans {
		if found := p.Plans[i].find(is); found != nil {
			return found
		}
	}
	return nil
}
