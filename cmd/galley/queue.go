package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"galley/send"
	"galley/send/store"
	"galley/templates"
)

// queueCmd shows what waits to leave, and lets an operator meddle with it.
type queueCmd struct {
	Newsletter string `short:"n" placeholder:"ID" help:"Which newsletter, where the configuration has several."`
	JSON       bool   `help:"Answer in JSON."`

	Show  queueShow  `cmd:"" default:"withargs" help:"What waits, by destination and age."`
	Retry queueRetry `cmd:"" help:"Let go now what was put off or held by hand."`
	Hold  queueHold  `cmd:"" help:"Keep copies back until a retry."`
	Drop  queueDrop  `cmd:"" help:"Take copies out of the queue for good."`
}

// queueShow prints the queue.
type queueShow struct {
	Failed int  `placeholder:"N" help:"List who did not get issue N, with the servers' words."`
	Watch  bool `help:"Show how an issue goes until it is out."`
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

// destinationRow is what waits for one domain; ages are headed by send.Ages.
type destinationRow struct {
	Domain string         `json:"domain"`
	Total  int            `json:"total"`
	Ages   map[string]int `json:"ages"`
	Due    string         `json:"due,omitempty"`
	Reply  string         `json:"reply,omitempty"`
}

// runRow is an issue that is being sent.
type runRow struct {
	Newsletter string  `json:"newsletter"`
	Issue      int     `json:"issue"`
	Taken      int     `json:"taken"`
	Readers    int     `json:"readers"`
	PerSecond  float64 `json:"per_second"`
	Seconds    int     `json:"seconds_to_go"`
}

// queueState is all that the queue command tells.
type queueState struct {
	Sending      bool             `json:"sending"` // a process is there that sends
	Runs         []runRow         `json:"runs"`
	Waiting      []waitingRow     `json:"waiting"`
	Destinations []destinationRow `json:"destinations"`
}

// failureRow is a reader who did not get an issue, or not yet.
type failureRow struct {
	Address  string `json:"address"`
	State    string `json:"state"`
	Class    string `json:"class,omitempty"`
	Why      string `json:"why"` // in the words of the desk
	Reply    string `json:"reply,omitempty"`
	Attempts int    `json:"attempts"`
	Due      string `json:"due,omitempty"`
}

// Run prints what goes, what waits and for whom.
func (c *queueShow) Run(e *env, q *queueCmd) error {
	h, n, err := (&issueCmd{Newsletter: q.Newsletter}).open(e)
	if err != nil {
		return err
	}
	defer h.close()
	switch {
	case c.Failed != 0:
		return c.failures(e, h, n, q.JSON)
	case c.Watch:
		return h.watchRun(e, n)
	}
	state, err := h.queueState(e)
	if err != nil {
		return err
	}
	if q.JSON {
		return json.NewEncoder(e.stdout).Encode(state)
	}
	return state.print(e.stdout)
}

// queueState reads the queue out of the books, at one instant.
func (h *house) queueState(e *env) (*queueState, error) {
	s := &queueState{Runs: []runRow{}, Waiting: []waitingRow{}, Destinations: []destinationRow{}}
	return s, h.db.View(e.ctx, func(tx *store.Tx) error {
		waiting, err := h.queue.Waiting(e.ctx, tx)
		if err != nil {
			return err
		}
		if s.Sending, err = h.queue.Manned(e.ctx, tx); err != nil {
			return err
		}
		for k, w := range waiting {
			s.Waiting = append(s.Waiting, waitingRow{w.Newsletter, w.Issue, string(w.State), w.Count, stamp(w.Due), w.Reply})
			if first := k == 0 || waiting[k-1].Newsletter != w.Newsletter || waiting[k-1].Issue != w.Issue; first && w.Issue != 0 {
				if err := h.addRun(e, tx, s, w); err != nil {
					return err
				}
			}
		}
		shape, err := h.queue.Shape(e.ctx, tx)
		for _, d := range shape {
			row := destinationRow{d.Domain, d.Total, map[string]int{}, stamp(d.Due), d.Reply}
			for k, n := range d.ByAge {
				row.Ages[send.Ages[k]] = n
			}
			s.Destinations = append(s.Destinations, row)
		}
		return err
	})
}

func (h *house) addRun(e *env, tx *store.Tx, s *queueState, w send.Waiting) error {
	r, err := h.queue.Progress(e.ctx, tx, w.Newsletter, w.Issue)
	if err != nil || r == nil || r.State != send.Sending {
		return err
	}
	rate, left, err := h.queue.Pulse(e.ctx, tx, r)
	s.Runs = append(s.Runs, runRow{w.Newsletter, w.Issue, r.Counts[send.Sent], r.Total, rate, int(left.Seconds())})
	return err
}

func (c *queueShow) failures(e *env, h *house, n *Newsletter, asJSON bool) error {
	rows := []failureRow{}
	err := h.db.View(e.ctx, func(tx *store.Tx) error {
		if r, err := h.queue.Progress(e.ctx, tx, n.ID, c.Failed); err != nil || r == nil {
			return cmp.Or(err, fmt.Errorf("there is no issue #%d that was approved; galley issue show lists the issues", c.Failed))
		}
		failures, err := h.queue.Failures(e.ctx, tx, n.ID, c.Failed)
		for _, f := range failures {
			why, err := h.desk.Refused(n.ID, f)
			if err != nil {
				return err
			}
			rows = append(rows, failureRow{f.Address, string(f.State), string(f.Class), why, f.Reply, f.Attempts, stamp(f.Due)})
		}
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(e.stdout).Encode(rows)
	}
	for _, r := range rows {
		fmt.Fprintf(e.stdout, "%s\n  %s after %s: %s\n", r.Address, r.State, templates.Count(r.Attempts, "try", "tries"), r.Why)
		if r.Reply != "" {
			fmt.Fprintf(e.stdout, "  %s\n", r.Reply)
		}
	}
	if len(rows) == 0 {
		fmt.Fprintf(e.stdout, "Nobody failed in #%d.\n", c.Failed)
	}
	return nil
}

// watchRun shows an issue's progress until its first pass is over.
func (h *house) watchRun(e *env, n *Newsletter) error {
	var m *meter
	for number := 0; ; {
		state, err := h.queueState(e)
		if err != nil {
			return err
		}
		var now *runRow
		for k := range state.Runs {
			if r := &state.Runs[k]; r.Newsletter == n.ID && (number == 0 || r.Issue == number) {
				now = r
			}
		}
		if now == nil {
			return state.print(e.stdout)
		}
		if m == nil {
			number, m = now.Issue, e.meter("copies", now.Readers)
			defer m.end()
			m.from = now.Taken
		}
		m.at(now.Taken)
		select {
		case <-e.ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// queueRetry, queueHold and queueDrop are the three things done by hand.
type (
	queueRetry struct {
		chosen
		Twice bool `help:"Also whose copy may have arrived: they may get it twice."`
	}
	queueHold struct{ chosen }
	queueDrop struct{ chosen }
)

// chosen says whose mail is meant.
type chosen struct {
	Who []string `arg:"" help:"An address, a domain, an issue by its number, or all; an issue together with one of the others."`
}

// Run lets go.
func (c *queueRetry) Run(e *env, q *queueCmd) error {
	return q.byHand(e, c.chosen, send.HandRetry, c.Twice)
}

// Run keeps back.
func (c *queueHold) Run(e *env, q *queueCmd) error {
	return q.byHand(e, c.chosen, send.HandHold, false)
}

// Run takes out.
func (c *queueDrop) Run(e *env, q *queueCmd) error {
	return q.byHand(e, c.chosen, send.HandDrop, false)
}

// choice reads the words: all is said in full, since an empty choice would be
// the same.
func (c chosen) choice(newsletter string) (send.Choice, error) {
	out := send.Choice{Newsletter: newsletter}
	for _, w := range c.Who {
		number, err := strconv.Atoi(strings.TrimPrefix(w, "#")) // to a shell a bare # begins a comment
		switch {
		case err == nil && number > 0 && out.Issue == 0:
			out.Issue = number
		case w == "all":
		case strings.Contains(w, ".") && out.Who == "":
			out.Who = w
		default:
			return out, fmt.Errorf("%q is no address, no domain, no number of an issue and not all; name one address or domain and one issue at most", w)
		}
	}
	return out, nil
}

// handledRow is the answer to something done by hand.
type handledRow struct {
	Copies int `json:"copies"`
	Slips  int `json:"desk_mails"`
	Flying int `json:"on_their_way"`
	Unsure int `json:"may_have_arrived"`
}

var errNothing = errors.New("nothing of that waits; galley queue shows what does")

func (c *queueCmd) byHand(e *env, who chosen, hand send.Hand, twice bool) error {
	h, n, err := (&issueCmd{Newsletter: c.Newsletter}).open(e)
	if err != nil {
		return err
	}
	defer h.close()
	choice, err := who.choice(n.ID)
	if err != nil {
		return err
	}
	choice.Twice = twice
	var done send.Handled
	err = h.db.Update(e.ctx, func(tx *store.Tx) (err error) {
		done, err = h.queue.ByHand(e.ctx, tx, choice, hand)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(handledRow(done))
	}
	return tellHandled(e.stdout, hand, done)
}

// tellHandled says what was done, and what was left alone and why.
func tellHandled(w io.Writer, hand send.Hand, h send.Handled) error {
	if h.Copies+h.Slips+h.Flying+h.Unsure == 0 {
		return errNothing
	}
	did := map[send.Hand]string{send.HandRetry: "due now", send.HandHold: "held until a retry", send.HandDrop: "dropped"}[hand]
	fmt.Fprintf(w, "%s", templates.Count(h.Copies, "copy", "copies"))
	if h.Slips > 0 {
		fmt.Fprintf(w, " and %s of the desk", templates.Count(h.Slips, "mail", "mails"))
	}
	fmt.Fprintf(w, " %s.\n", did)
	if h.Flying > 0 {
		fmt.Fprintf(w, "%s on the way to a server just now and left alone.\n", templates.Count(h.Flying, "copy is", "copies are"))
	}
	if h.Unsure > 0 && hand == send.HandRetry {
		fmt.Fprintf(w, "%s may have arrived and left alone; --twice sends again.\n", templates.Count(h.Unsure, "copy", "copies"))
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
