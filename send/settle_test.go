package send

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"galley/send/store"
	"galley/send/store/storetest"
)

// What was sent leaves the index of what is due, and nothing else does.
func TestSentLeavesTheIndex(t *testing.T) {
	h := newHouse(t, 0)
	e := h.waitingRun(4)
	tasks, err := e.claim(t.Context(), 0, 4)
	if err != nil || len(tasks) != 4 {
		t.Fatal(len(tasks), err)
	}
	for i, s := range []State{Sent, Sent, Failed} { // the fourth stays claimed
		v := verdict{state: s, charged: true, first: 1, class: ClassNone, outcome: accepted()}
		if err := e.commitGroup([]*result{{t: tasks[i], v: v, done: make(chan error, 1)}}); err != nil {
			t.Fatal(err)
		}
	}
	var due, sent int
	err = h.q.DB.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT count(*), count(CASE state WHEN 'sent' THEN 1 END) FROM delivery WHERE due >= 0`).Scan(&due, &sent)
	})
	if err != nil || due != 2 || sent != 0 {
		t.Errorf("%d of 4 are in the index, of those %d sent; want the failed and the claimed (%v)", due, sent, err)
	}
}

// A group whose copies were answered in several ways is written whole: each
// attempt has its own words, the row of what was taken says nothing any more of a
// refusal before, and what the queue keeps of its reader tells the words.
func TestManyAnswers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const readers = 50
		h := houseOn(t, db, 0)
		e := h.waitingRun(readers)
		h.update(func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO attempt (delivery, edition, number, at, verdict, reply)
				SELECT id, edition, 1, 5, 'later', 'later' FROM delivery WHERE id % 5 = 0`)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE delivery SET attempts = 1, first = 5, code = 451, status = '4.7.1', class = 'soft', reply = 'later' WHERE id % 5 = 0`)
			return err
		})
		tasks, err := e.claim(t.Context(), 0, readers)
		if err != nil || len(tasks) != readers {
			t.Fatal(len(tasks), err)
		}
		var group []*result
		var want []string
		for i, task := range tasks {
			o := Outcome{Verdict: Accepted, Stage: StageDot, Code: 250 + i%3/2, Enhanced: "2.0.0", Transcript: fmt.Sprintf("250 taken as %d", task.id)}
			v := verdict{state: Sent, charged: true, first: task.first, class: ClassNone, outcome: o}
			if i%7 == 6 {
				o = Outcome{Verdict: Later, Stage: StageRcpt, Code: 452, Enhanced: "4.2.2", Transcript: fmt.Sprintf("452 full %d", task.id)}
				v = verdict{state: Deferred, charged: true, first: 9, class: ClassSoft, outcome: o, due: store.Now()}
			}
			group = append(group, &result{t: task, v: v, at: store.Now(), done: make(chan error, 1)})
			want = append(want, fmt.Sprint(task.id, v.state, task.attempts+1, o.Verdict, o.Stage, o.Code, o.Enhanced, o.Transcript))
		}
		e.epoch++ // another machine has them
		theirs := &result{t: tasks[0], v: group[0].v, at: store.Now(), done: make(chan error, 1)}
		if err := e.commitGroup([]*result{theirs}); !errors.Is(err, ErrFenced) {
			t.Fatalf("a copy that another claim holds was settled: %v", err)
		}
		e.epoch--
		if err := e.commitGroup(group); err != nil {
			t.Fatal(err)
		}
		var got []string
		h.update(func(ctx context.Context, tx *store.Tx) error {
			rows, err := tx.QueryContext(ctx, `SELECT d.id, d.state, d.attempts, a.number, a.verdict, a.stage, a.code, a.status, a.reply, d.code, d.reply, d.first
				FROM delivery d JOIN attempt a ON a.delivery = d.id AND a.edition = d.edition AND a.at > 5 ORDER BY d.id`)
			got, err = collect(rows, err, func(row scanner) (string, error) {
				var id, attempts, number, code, kept, first int64
				var state, verdict, stage, status, reply, words string
				err := row.Scan(&id, &state, &attempts, &number, &verdict, &stage, &code, &status, &reply, &kept, &words, &first)
				if attempts != number || first == 0 || (id%5 == 0) != (first == 5) && state == "sent" || state == "sent" && (kept != 0 || words != "") || state != "sent" && (kept != code || words != reply) {
					t.Errorf("delivery %d: %d attempts, attempt %d; the row says %d %q, first %d", id, attempts, number, kept, words, first)
				}
				return fmt.Sprint(id, state, attempts, verdict, stage, int(code), status, reply), err
			})
			return err
		})
		if slices.Sort(want); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("the books have\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		h.update(func(ctx context.Context, tx *store.Tx) error {
			lines, err := h.q.Kept(ctx, tx, "harbour", tasks[4].subscriber) // refused once before
			if err == nil && (len(lines) != 1 || !strings.Contains(lines[0], fmt.Sprintf("sent  250 taken as %d", tasks[4].id))) {
				t.Errorf("kept of the fifth reader: %q", lines)
			}
			return err
		})
	})
}
