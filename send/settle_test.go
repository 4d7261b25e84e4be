package send

import (
	"testing"

	"galley/send/store"
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
