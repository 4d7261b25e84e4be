package send

import (
	"context"
	"testing"
	"time"
)

// An issue is cancelled while the process that has claimed some of its copies
// is frozen, and dies: what it had claimed is dropped with the rest, and does
// not wait under a cancelled edition for ever.
func TestCancelledUnderADeadProcess(t *testing.T) {
	simulate(t, 50, func(h *house) {
		hard, die := context.WithCancel(h.t.Context())
		h.script.after = func(n int) {
			if n == 10 {
				die() // the results of the last lines are not written any more
			}
		}
		h.publish(edition("The tide waits.", time.Now()))
		h.q.run(h.t.Context(), hard)
		if n := h.progress().Counts[Claimed]; n == 0 {
			h.t.Fatal("nothing was claimed when the process died")
		}
		h.again()
		h.halt(HaltCancel)
		h.until(time.Minute, "every row has come to an end", func() bool { return h.progress().Waiting() == 0 })
		if r := h.progress(); r.Counts[Sent]+r.Counts[Dropped] != 50 || r.Counts[Dropped] == 0 || len(h.script.copies) > 10+h.q.Connections {
			h.t.Errorf("%d copies went; %v", len(h.script.copies), r.Counts)
		}
	})
}
