package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"galley/inbox/mailbox"
	"galley/send"
	"galley/send/message"
	"galley/send/relay"
	"galley/send/store"
)

// checkCmd looks at everything that Galley depends on.
type checkCmd struct {
	Wait     time.Duration `default:"60s" help:"How long a mail may take to come back."`
	NoLoop   bool          `help:"Send no mail to see whether answers arrive."`
	Resolver string        `placeholder:"HOST:PORT" help:"Ask this DNS server and not the system's."`
	JSON     bool          `help:"Answer in JSON."`

	roots *x509.CertPool // of the web's certificates; nil: the system's
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

// Run looks at one thing after the other and tells each fault with its
// remedy. One that stands in the way of nothing else hides nothing else.
func (c *checkCmd) Run(e *env) error {
	cfg, err := Load(e.config)
	if err != nil {
		return err
	}
	all := []finding{{"configuration", stateOK, e.config + " has no faults", ""}}
	h, books, err := c.open(e.ctx, cfg)
	if err != nil {
		return err
	}
	defer h.close()
	all = append(all, books)
	hop := finding{Item: "smtp", State: stateOK, What: "mail goes straight to the readers' servers, as " + cfg.SMTP.Hello}
	if cfg.SMTP.Protocol != ProtocolMX {
		hop = checkRelay(e.ctx, h.relay)
	}
	all = append(all, hop)
	for i := range h.cfg.SMTP.Also {
		all = append(all, checkRelay(e.ctx, h.cfg.SMTP.Also[i].relay()))
	}
	for i, box := range h.boxes {
		n := &h.cfg.Newsletters[i]
		found := checkMailbox(e.ctx, n.ID, box)
		all = append(all, found)
		if len(h.queue.Newsletters[n.ID].Signers) == 0 {
			all = append(all, finding{"dkim of " + n.ID, stateWarning, "nothing signs its mail",
				"Give a [[dkim]] key for " + n.Address.Domain() + ", unless the next hop signs."})
		}
		if hop.State == stateOK && found.State == stateOK && !c.NoLoop {
			all = append(all, h.loop(e.ctx, n, box, c.Wait)...)
		} else {
			tried, err := h.canaries(e.ctx, n)
			if err != nil {
				return err
			}
			all = append(all, tried...)
		}
	}
	all = append(all, c.records(e.ctx, h)...)
	if books.State == stateFault {
		return c.tell(e, all)
	}
	work, err := h.checkWork(e.ctx)
	if err != nil {
		return err
	}
	return c.tell(e, append(all, work...))
}

// open builds the house. Where the books cannot be opened it stands on empty
// ones, so that the rest can be looked at.
func (c *checkCmd) open(ctx context.Context, cfg *Config) (*house, finding, error) {
	log := slog.New(slog.DiscardHandler)
	h, err := build(ctx, cfg, log)
	if err == nil {
		return h, finding{"database", stateOK, "opened, schema is current", ""}, nil
	}
	bad := finding{"database", stateFault, err.Error(), "Look at database in the configuration, and whether that server runs and lets us in."}
	folder, tmpErr := os.MkdirTemp("", "galley-check-")
	if tmpErr != nil {
		return nil, bad, errors.Join(err, tmpErr)
	}
	defer os.RemoveAll(folder) // the open file lives on until it is closed
	other := *cfg
	other.Database = NewSecret(filepath.Join(folder, "galley.db"))
	h, again := build(ctx, &other, log)
	if again != nil {
		return nil, bad, err // it was not the books
	}
	return h, bad, nil
}

// records asks the DNS about everything that receivers ask it about, and the
// web host.
func (c *checkCmd) records(ctx context.Context, h *house) []finding {
	ctx, cancel := context.WithTimeout(ctx, 2*checkTime)
	defer cancel()
	d := &dnsCheck{ctx: ctx, dns: resolver(cmp.Or(c.Resolver, h.cfg.Resolver)), cfg: h.cfg}
	if fault := d.silent(h.cfg.Newsletters[0].Address.Domain()); fault != nil {
		d.unanswered("dns", fault)
		return d.out
	}
	var signers []*message.Signer
	for i := range h.cfg.Newsletters {
		n := &h.cfg.Newsletters[i]
		own := h.queue.Newsletters[n.ID].Signers
		d.newsletter(n, own)
		for _, s := range own {
			if !slices.Contains(signers, s) {
				signers = append(signers, s)
				d.key(s)
			}
		}
	}
	d.reverse()
	d.site(c.roots)
	return d.out
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
func checkRelay(ctx context.Context, r *relay.Relay) finding {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	f := finding{Item: "smtp " + r.Addr, State: stateOK, What: "greets us and takes our login"}
	line, err := r.Line(ctx)
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
			unmet, err := h.desk.Unmet(ctx, tx, n.ID)
			if err != nil {
				return err
			}
			for _, e := range unmet {
				out = append(out, finding{"editor " + e, stateWarning, "has not answered the hello, so a first draft waits",
					"Reply to that mail with hello; galley issue hello sends another."})
			}
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
	set, folder := 0, ""
	for _, in := range h.inboxes {
		if in.Newsletter.ID == newsletter {
			folder = in.Newsletter.Folders.Quarantine
			if set, err = in.SetAside(ctx, tx); err != nil {
				return nil, err
			}
		}
	}
	if set > 0 {
		out = append(out, finding{"mailbox of " + newsletter, stateWarning, countWords(set, "message was", "messages were") + " set aside unread",
			"They lie in the folder " + folder + "."})
	}
	return out, nil
}
