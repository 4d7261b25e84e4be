package send

import (
	"context"
	"testing"

	"galley/send/store"
	"galley/send/store/storetest"
)

// A run is not over while a copy is in any state but the last ones, also when
// it is another machine that holds it.
func TestUnsettledCopyKeepsTheRunOpen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := houseOn(t, db, 0)
		e := h.waitingRun(3)
		after := func(state State, due int) EditionState {
			t.Helper()
			var ed *Edition
			h.update(func(ctx context.Context, tx *store.Tx) (err error) {
				if _, err = tx.ExecContext(ctx, `UPDATE delivery SET state = 'sent', due = -1`); err != nil {
					return err
				}
				if _, err = tx.ExecContext(ctx, `UPDATE delivery SET state = $1, due = $2, epoch = 99 WHERE id = (SELECT min(id) FROM delivery)`, string(state), due); err != nil {
					return err
				}
				ed, err = editionByID(ctx, tx, 1)
				return err
			})
			if err := e.finish(t.Context(), ed); err != nil {
				t.Fatal(err)
			}
			h.update(func(ctx context.Context, tx *store.Tx) (err error) {
				ed, err = editionByID(ctx, tx, 1)
				return err
			})
			return ed.State
		}
		for _, state := range []State{Prepared, Pending, Claimed, Deferred, Ambiguous} {
			if got := after(state, 0); got != Sending {
				t.Fatalf("one copy is %s, and the run is %s", state, got)
			}
		}
		if got := after(Sent, -1); got != Done {
			t.Errorf("all are sent, and the run is %s", got)
		}
	})
}
