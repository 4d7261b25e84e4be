package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"galley/compose"
	"galley/inbox/intent"
	"galley/send"
	"galley/send/store"
	"galley/templates"
)

// issueCmd speaks with the desk from the command line, in the words of an
// editor's mail.
type issueCmd struct {
	Newsletter string `short:"n" placeholder:"ID" help:"Which newsletter, where the configuration has several."`

	Show   issueShow   `cmd:"" help:"Where the issues stand, with the figures of their runs."`
	Import issueImport `cmd:"" help:"Read past issues (Markdown with front matter) into the archive. Nobody is mailed."`
	Say    issueSay    `cmd:"" default:"withargs" help:"An editor's words: approve, approve saturday 9:00, send now, hold, stop, resume, cancel, yes, no, test, status, who failed, help."`
}

// open joins the parts without running them.
func (c *issueCmd) open(e *env) (*house, *Newsletter, error) {
	cfg, err := Load(e.config)
	if err != nil {
		return nil, nil, err
	}
	n, ok := cfg.Newsletter(c.Newsletter)
	if !ok {
		return nil, nil, fmt.Errorf("%s: which newsletter? %s; name one with --newsletter", e.config, ids(cfg))
	}
	h, err := build(e.ctx, cfg, slog.New(slog.DiscardHandler))
	return h, n, err
}

// issueSay is one line of an editor.
type issueSay struct {
	Words []string `arg:"" help:"The words; a number behind # names the issue: approve #130."`
}

// operatorPatience is how long the command waits for a running daemon to do
// what it was told.
const operatorPatience = 15 * time.Second

// Run hands the words to the desk and prints its answer. A running daemon
// does the work; without one it is done here.
func (c *issueSay) Run(e *env, i *issueCmd) error {
	h, n, err := i.open(e)
	if err != nil {
		return err
	}
	defer h.close()
	d, err := c.decision(h, n)
	if err != nil {
		return err
	}
	var id int64
	err = h.db.Update(e.ctx, func(tx *store.Tx) (err error) {
		id, err = h.desk.Decide(e.ctx, tx, d)
		return err
	})
	if err != nil {
		return err
	}
	answer, err := h.await(e, id)
	if err == nil {
		fmt.Fprintln(e.stdout, strings.TrimRight(answer, "\n"))
	}
	return err
}

// elsewhere are the words that bring or take a file, by the command that
// does it where there are files.
var elsewhere = map[intent.Word]string{
	intent.WordListCSV: "galley list export, which writes it",
	intent.WordImport:  "galley list import FILE for readers, and galley issue import DIR for past issues",
}

// decision reads the words as a mail's line is read.
func (c *issueSay) decision(h *house, n *Newsletter) (*compose.Decision, error) {
	number, words := 0, c.Words
	for k, w := range words {
		if v, err := strconv.Atoi(strings.TrimPrefix(w, "#")); err == nil && strings.HasPrefix(w, "#") {
			number, words = v, slices.Delete(slices.Clone(words), k, k+1)
			break
		}
	}
	line := strings.Join(words, " ")
	zone := h.desk.Newsletters[n.ID].Zone
	cmd, ok := intent.Line(line, intent.Clock{Now: store.Now(), Zone: zone}, intent.PaperProof)
	if !ok {
		return nil, fmt.Errorf("%q is no word of the desk; galley issue help lists them", line)
	}
	if instead := elsewhere[cmd.Word]; instead != "" {
		return nil, fmt.Errorf("%s: at the command line it is done with %s", cmd.Word, instead)
	}
	w := compose.Words{Commands: []compose.Command{{Word: string(cmd.Word), Args: cmd.Args, At: cmd.At, Readings: cmd.Readings, Past: cmd.Past, Line: line}}}
	return &compose.Decision{Newsletter: n.ID, Issue: number, Ruling: compose.Execute, Words: w}, nil
}

// await waits until the decision is carried out, and carries it out itself
// when no daemon holds the data folder.
func (h *house) await(e *env, id int64) (string, error) {
	end := time.Now().Add(operatorPatience)
	for {
		done, answer, err := h.result(e, id)
		if err != nil || done {
			return answer, err
		}
		if release, err := lock(h.cfg.Data); err == nil {
			err = h.desk.Step(e.ctx)
			release()
			if err != nil {
				return "", err
			}
			continue
		}
		if time.Now().After(end) {
			return "", errors.New("the words are in the books, but the daemon has not carried them out yet; its log tells why")
		}
		select {
		case <-e.ctx.Done():
			return "", e.ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (h *house) result(e *env, id int64) (done bool, answer string, err error) {
	err = h.db.View(e.ctx, func(tx *store.Tx) (err error) {
		done, answer, err = h.desk.Result(e.ctx, tx, id)
		return err
	})
	return done, answer, err
}

// issueShow tells where the issues stand.
type issueShow struct {
	Number int  `arg:"" optional:"" help:"One issue; without it those in the making and the last that went out."`
	JSON   bool `help:"Answer in JSON."`
}

// standing is an issue as a script would want it.
type standing struct {
	Number   int            `json:"number"`
	Title    string         `json:"title"`
	State    string         `json:"state"`
	Revision int            `json:"revision"`
	SendAt   string         `json:"send_at,omitempty"`
	Readers  int            `json:"readers"`
	Counts   map[string]int `json:"counts,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Timeline []happening    `json:"timeline,omitempty"` // of an issue that was asked for by its number
}

// happening is something that happened to an issue.
type happening struct {
	At   string `json:"at"`
	Who  string `json:"who"`
	What string `json:"what"`
	Note string `json:"note,omitempty"`
}

// Run prints one line an issue, or one JSON array.
func (c *issueShow) Run(e *env, i *issueCmd) error {
	h, n, err := i.open(e)
	if err != nil {
		return err
	}
	defer h.close()
	all := []standing{}
	err = h.db.View(e.ctx, func(tx *store.Tx) error {
		issues, err := h.desk.Issues(e.ctx, tx, n.ID)
		if err != nil {
			return err
		}
		for k, is := range issues {
			last := k == len(issues)-1
			if c.Number != 0 && is.Number != c.Number || c.Number == 0 && is.State == compose.Sent && !last {
				continue
			}
			run, err := h.queue.Progress(e.ctx, tx, n.ID, is.Number)
			if err != nil {
				return err
			}
			row := standingOf(is, run)
			if c.Number != 0 {
				if row.Timeline, err = h.timeline(e, tx, n, is.Number); err != nil {
					return err
				}
			}
			all = append(all, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.Number != 0 && len(all) == 0 {
		return fmt.Errorf("there is no issue #%d; galley issue show lists those in the making and the last one", c.Number)
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(all)
	}
	return printStandings(e.stdout, all)
}

// timeline is what happened to an issue, in the newsletter's own time.
func (h *house) timeline(e *env, tx *store.Tx, n *Newsletter, number int) ([]happening, error) {
	events, err := h.desk.Timeline(e.ctx, tx, n.ID, number)
	var all []happening
	for _, ev := range events {
		at := ev.At.In(h.desk.Newsletters[n.ID].Zone).Format(time.RFC3339)
		all = append(all, happening{At: at, Who: ev.Who, What: ev.What, Note: ev.Note})
	}
	return all, err
}

func standingOf(i *compose.Issue, run *send.Run) standing {
	s := standing{Number: i.Number, Title: i.Title, State: string(i.State), Revision: i.Revision}
	if !i.SendAt.IsZero() {
		s.SendAt = i.SendAt.Format(time.RFC3339)
	}
	if run == nil {
		return s
	}
	s.Readers, s.Reason, s.Counts = run.Total, run.Reason, map[string]int{}
	for state, n := range run.Counts {
		s.Counts[string(state)] = n
	}
	return s
}

func printStandings(w io.Writer, all []standing) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "No issue is in the making, and none has gone out.")
		return err
	}
	for _, s := range all {
		fmt.Fprintf(w, "#%d  %s  %q  proof %d", s.Number, s.State, s.Title, s.Revision)
		if s.SendAt != "" {
			fmt.Fprintf(w, "  %s", s.SendAt)
		}
		fmt.Fprintln(w)
		if s.Readers > 0 {
			fmt.Fprintf(w, "     %s: %s\n", templates.Count(s.Readers, "reader", "readers"), countsLine(s.Counts))
		}
		if s.Reason != "" {
			fmt.Fprintf(w, "     %s\n", strings.ReplaceAll(s.Reason, "\n", "\n     "))
		}
		for _, t := range s.Timeline {
			fmt.Fprintf(w, "     %s  %-12s %s\n", t.At, t.What, strings.TrimSpace(t.Who+"  "+t.Note))
		}
	}
	return nil
}

// countsLine lists the states in the order of a delivery's life.
func countsLine(counts map[string]int) string {
	var out []string
	for _, s := range []send.State{send.Sent, send.Prepared, send.Pending, send.Claimed, send.Deferred, send.Ambiguous, send.Held,
		send.Failed, send.Expired, send.Suppressed, send.Dropped} {
		if n := counts[string(s)]; n > 0 {
			out = append(out, fmt.Sprintf("%s %s", templates.Thousands(n), s))
		}
	}
	return strings.Join(out, ", ")
}

// issueImport reads past issues.
type issueImport struct {
	Dir  string `arg:"" optional:"" type:"existingdir" help:"Folder of .md files."`
	JSON bool   `help:"Answer in JSON."`
}

// Run imports each file by itself: one that has a fault is named, and the
// others are taken.
func (c *issueImport) Run(e *env, i *issueCmd) error {
	if c.Dir == "" {
		return fmt.Errorf("import: of what? At the command line it is done with %s", elsewhere[intent.WordImport])
	}
	h, n, err := i.open(e)
	if err != nil {
		return err
	}
	defer h.close()
	files, err := markdownFiles(c.Dir)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s holds no .md files", c.Dir)
	}
	taken, known, faults := 0, 0, map[string]string{}
	m := e.meter("issues", len(files))
	for k, file := range files {
		m.at(k)
		text, err := os.ReadFile(file)
		if err == nil {
			_, err = h.desk.Import(e.ctx, n.ID, text, h.queue)
		}
		switch {
		case err == nil:
			taken++
		case errors.Is(err, compose.ErrKnown):
			known++
		default:
			faults[filepath.Base(file)] = err.Error()
		}
	}
	m.end()
	return c.tell(e, taken, known, faults)
}

func markdownFiles(dir string) (files []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.EqualFold(filepath.Ext(path), ".md") {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

func (c *issueImport) tell(e *env, taken, known int, faults map[string]string) error {
	if c.JSON {
		err := json.NewEncoder(e.stdout).Encode(map[string]any{"taken": taken, "known": known, "faults": faults})
		if err != nil || len(faults) == 0 {
			return err
		}
		return errFaults
	}
	for _, file := range slices.Sorted(maps.Keys(faults)) {
		fmt.Fprintf(e.stderr, "%s: %s\n", file, faults[file])
	}
	fmt.Fprintf(e.stdout, "%d issues taken into the archive, %d known before, %d with faults.\n", taken, known, len(faults))
	if len(faults) > 0 {
		return errFaults
	}
	return nil
}
