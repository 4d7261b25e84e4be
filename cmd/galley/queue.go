package main

import (
	"encoding/json"
	"fmt"
	"time"

	"galley/send"
	"galley/send/store"
)

// queueCmd shows what waits to leave.
type queueCmd struct {
	Newsletter string `short:"n" placeholder:"ID" help:"Which newsletter, where the configuration has several."`
	JSON       bool   `help:"Answer in JSON."`
	Failed     int    `placeholder:"N" help:"List who did not get issue N, with the servers' words."`
}

// waitingRow is a group of deliveries or slips that wait.
type waitingRow struct {
	Newsletter string `json:"newsletter"`
	Issue      int    `json:"issue,omitempty"` // 0: mails of the desk
	State      string `json:"state"`
	Count      int    `json:"count"`
	Due        string `json:"due,omitempty"`
	Reply      string `json:"reply,omitempty"`
}

// failureRow is a reader who did not get an issue, or not yet.
type failureRow struct {
	Address  string `json:"address"`
	State    string `json:"state"`
	Class    string `json:"class,omitempty"`
	Reply    string `json:"reply,omitempty"`
	Attempts int    `json:"attempts"`
	Due      string `json:"due,omitempty"`
}

// Run prints what waits, by newsletter, issue and state.
func (c *queueCmd) Run(e *env) error {
	h, n, err := (&issueCmd{Newsletter: c.Newsletter}).open(e)
	if err != nil {
		return err
	}
	defer h.close()
	if c.Failed != 0 {
		return c.failures(e, h, n)
	}
	var waiting []send.Waiting
	err = h.db.View(e.ctx, func(tx *store.Tx) (err error) {
		waiting, err = h.queue.Waiting(e.ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	rows := []waitingRow{}
	for _, w := range waiting {
		rows = append(rows, waitingRow{w.Newsletter, w.Issue, string(w.State), w.Count, stamp(w.Due), w.Reply})
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(rows)
	}
	if len(rows) == 0 {
		fmt.Fprintln(e.stdout, "Nothing waits.")
	}
	for _, r := range rows {
		what := "desk mails"
		if r.Issue != 0 {
			what = fmt.Sprintf("#%d", r.Issue)
		}
		fmt.Fprintf(e.stdout, "%-12s %-10s %7d %-10s %s  %s\n", r.Newsletter, what, r.Count, r.State, r.Due, r.Reply)
	}
	return nil
}

func (c *queueCmd) failures(e *env, h *house, n *Newsletter) error {
	rows := []failureRow{}
	err := h.db.View(e.ctx, func(tx *store.Tx) error {
		failures, err := h.queue.Failures(e.ctx, tx, n.ID, c.Failed)
		for _, f := range failures {
			rows = append(rows, failureRow{f.Address, string(f.State), string(f.Class), f.Reply, f.Attempts, stamp(f.Due)})
		}
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(rows)
	}
	for _, r := range rows {
		fmt.Fprintf(e.stdout, "%s\n  %s after %d tries: %s\n", r.Address, r.State, r.Attempts, r.Reply)
	}
	if len(rows) == 0 {
		fmt.Fprintf(e.stdout, "Nobody failed in #%d.\n", c.Failed)
	}
	return nil
}

// stamp writes an instant for people and scripts alike; "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
