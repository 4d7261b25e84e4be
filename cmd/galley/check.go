package main

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"galley/inbox/mailbox"
	"galley/send"
	"galley/send/message"
	"galley/send/store"
)

// checkCmd looks at everything that Galley depends on.
type checkCmd struct {
	JSON bool `help:"Answer in JSON."`
}

// finding is one thing that was looked at.
type finding struct {
	Item   string `json:"item"`
	State  string `json:"state"` // ok, warning or fault
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
}

// The states of a finding. Only a fault makes the exit code 1.
const (
	stateOK      = "ok"
	stateWarning = "warning"
	stateFault   = "fault"
)

// checkTime bounds each look at a server.
const checkTime = 30 * time.Second

// Run checks one thing after the other and tells each fault with its remedy.
func (c *checkCmd) Run(e *env) error {
	cfg, err := Load(e.config)
	if err != nil {
		return err
	}
	h, err := build(e.ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer h.close()
	all := []finding{{"configuration", stateOK, e.config + " has no faults", ""}, {"database", stateOK, "opened, schema is current", ""}}
	all = append(all, h.checkRelay(e.ctx))
	for i, box := range h.boxes {
		all = append(all, checkMailbox(e.ctx, h.cfg.Newsletters[i].ID, box))
		all = append(all, h.checkKeys(e.ctx, &h.cfg.Newsletters[i])...)
	}
	work, err := h.checkWork(e.ctx)
	if err != nil {
		return err
	}
	return c.tell(e, append(all, work...))
}

func (c *checkCmd) tell(e *env, all []finding) error {
	faults := false
	for _, f := range all {
		faults = faults || f.State == stateFault
	}
	if c.JSON {
		if err := json.NewEncoder(e.stdout).Encode(all); err != nil {
			return err
		}
	} else {
		for _, f := range all {
			fmt.Fprintf(e.stdout, "%-8s %s: %s\n", f.State, f.Item, f.What)
			if f.Remedy != "" {
				fmt.Fprintf(e.stdout, "         %s\n", f.Remedy)
			}
		}
	}
	if faults {
		return errFaults
	}
	return nil
}

// checkRelay opens a line to the next hop and closes it: greeting, TLS and
// login all happen, and no mail.
func (h *house) checkRelay(ctx context.Context) finding {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	f := finding{Item: "smtp " + h.relay.Addr, State: stateOK, What: "greets us and takes our login"}
	line, err := h.relay.Line(ctx)
	if err == nil {
		line.Close()
		return f
	}
	f.State, f.What = stateFault, err.Error()
	f.Remedy = "Look at host, port and security under [smtp]; a plain port is 25, STARTTLS mostly 587, TLS 465."
	var refused *send.Refusal
	if errors.As(err, &refused) && refused.Outcome.Stage == send.StageAuth {
		f.Remedy = "Look at user and password under [smtp]; some providers want a password made for programs."
	}
	return f
}

// checkMailbox logs in and looks at the folder.
func checkMailbox(ctx context.Context, id string, box *mailbox.Mailbox) finding {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	f := finding{Item: "imap of " + id, State: stateOK}
	r, err := box.Check(ctx)
	if err != nil {
		f.State, f.What = stateFault, err.Error()
		f.Remedy = "Look at host, port, security, user and password under [newsletter.imap]."
		return f
	}
	f.What = fmt.Sprintf("logged in, %s holds %s", r.Folder, countWords(int(r.Messages), "message", "messages"))
	var lacks []string
	for _, have := range []struct {
		ok   bool
		name string
	}{{r.Idle, "IDLE: new mail is seen at the next poll"}, {r.Move || r.UIDPlus, "MOVE and UIDPLUS: mail is marked and not filed"}} {
		if !have.ok {
			lacks = append(lacks, have.name)
		}
	}
	if len(lacks) > 0 {
		f.What += "; without " + strings.Join(lacks, "; without ")
	}
	return f
}

func countWords(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// checkKeys compares each DKIM key with its record in the DNS.
func (h *house) checkKeys(ctx context.Context, n *Newsletter) []finding {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	sn := h.queue.Newsletters[n.ID]
	if len(sn.Signers) == 0 {
		return []finding{{"dkim of " + n.ID, stateWarning, "nothing signs its mail",
			"Give a [[dkim]] key for " + n.Address.Domain() + ", unless the next hop signs."}}
	}
	var out []finding
	for _, s := range sn.Signers {
		out = append(out, h.checkKey(ctx, s))
	}
	return out
}

func (h *house) checkKey(ctx context.Context, s *message.Signer) finding {
	name := s.Selector + "._domainkey." + s.Domain
	f := finding{Item: "dkim " + name, State: stateOK, What: "the record holds our key"}
	want := message.TXT(s.Key)
	records, err := h.dns(ctx, name)
	var missing *net.DNSError
	switch {
	case errors.As(err, &missing) && missing.IsNotFound:
		f.State, f.What, f.Remedy = stateFault, "there is no record", "Publish TXT "+name+"  "+want
	case err != nil:
		f.State, f.What = stateWarning, "the DNS did not answer: "+err.Error()
	case !holdsKey(records, s.Key):
		f.State, f.What, f.Remedy = stateFault, "the record holds another key", "Publish TXT "+name+"  "+want
	}
	return f
}

// holdsKey compares the p= tags, since a record may say more than ours does.
func holdsKey(records []string, key crypto.Signer) bool {
	want := keyTag(message.TXT(key))
	for _, r := range records {
		if got := keyTag(r); got != "" && got == want {
			return true
		}
	}
	return false
}

func keyTag(record string) string {
	for part := range strings.SplitSeq(record, ";") {
		if name, value, ok := strings.Cut(part, "="); ok && strings.TrimSpace(name) == "p" {
			return strings.Join(strings.Fields(value), "")
		}
	}
	return ""
}

// checkWork tells what the editor cannot be told by mail: desk mails that
// failed, runs that wait for somebody, mail that was set aside.
func (h *house) checkWork(ctx context.Context) ([]finding, error) {
	var out []finding
	err := h.db.View(ctx, func(tx *store.Tx) error {
		lost, err := h.queue.LostSlips(ctx, tx)
		if err != nil {
			return err
		}
		for _, s := range lost {
			out = append(out, finding{"desk mail to " + s.Address, stateFault, s.Kind + " did not arrive: " + s.Reply,
				"The editor was not told. Mend the address or the next hop, and ask again with: galley issue status"})
		}
		for _, n := range h.cfg.Newsletters {
			work, err := h.checkIssues(ctx, tx, n.ID)
			if err != nil {
				return err
			}
			out = append(out, work...)
		}
		return nil
	})
	return out, err
}

func (h *house) checkIssues(ctx context.Context, tx *store.Tx, newsletter string) ([]finding, error) {
	issues, err := h.desk.Issues(ctx, tx, newsletter)
	if err != nil {
		return nil, err
	}
	var out []finding
	for _, i := range issues {
		run, err := h.queue.Progress(ctx, tx, newsletter, i.Number)
		if err != nil {
			return nil, err
		}
		if run != nil && run.Reason != "" {
			out = append(out, finding{fmt.Sprintf("issue #%d", i.Number), stateFault, "it waits: " + run.Reason,
				fmt.Sprintf("When that is mended: galley issue resume '#%d'", i.Number)})
		}
	}
	set := 0
	for _, in := range h.inboxes {
		if in.Newsletter.ID == newsletter {
			if set, err = in.SetAside(ctx, tx); err != nil {
				return nil, err
			}
		}
	}
	if set > 0 {
		out = append(out, finding{"mailbox of " + newsletter, stateWarning, countWords(set, "message was", "messages were") + " set aside unread",
			"They lie in the folder Galley/Quarantine."})
	}
	return out, nil
}
