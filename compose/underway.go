package compose

import (
	"context"
	"fmt"
	"math"
	"time"

	"galley/send"
	"galley/send/store"
)

// underWay says how far an issue has come that is being sent, with its speed
// and the time that remains; "" for any other.
func (d *Desk) underWay(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) (string, error) {
	if i.State != Sending {
		return "", nil
	}
	run, err := d.Figures.Progress(ctx, tx, n.ID, i.Number)
	if err != nil || run == nil {
		return "", err
	}
	rate, left, err := d.Figures.Pulse(ctx, tx, run)
	if err != nil {
		return "", err
	}
	data := map[string]any{"Number": i.Number, "Taken": run.Counts[send.Sent], "Total": run.Total, "Rate": "", "Left": ""}
	if rate > 0 && left > 0 {
		data["Rate"], data["Left"] = n.speed(rate), n.roughly(left)
	}
	return phrase(n.Frame.Looks, "under-way", data)
}

// speed writes copies a second so that a slow one is not 0.
func (n *Newsletter) speed(rate float64) string {
	if rate < 9.95 {
		return fmt.Sprintf("%.1f", rate)
	}
	return n.thousands(int(math.Round(rate)))
}

// roughly writes how long something takes, as people would.
func (n *Newsletter) roughly(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return n.phrase("roughly", map[string]any{"Unit": "second", "N": max(1, int(d/time.Second))})
	case d < 90*time.Minute:
		return n.phrase("roughly", map[string]any{"Unit": "minute", "N": int((d + 30*time.Second) / time.Minute)})
	}
	return n.phrase("roughly", map[string]any{"Unit": "hour", "N": int((d + 30*time.Minute) / time.Hour)})
}
