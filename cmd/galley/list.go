package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"galley/send/door"
	"galley/send/list"
	"galley/send/store"
)

// listCmd is everything about the people on the list. It works beside a
// running daemon, which sees what it did at its next look.
type listCmd struct {
	Newsletter string `short:"n" placeholder:"ID" help:"Which newsletter, where the configuration has several."`
	JSON       bool   `help:"Answer in JSON."`

	Add    listAdd    `cmd:"" help:"Put people on the list who asked for it."`
	Remove listRemove `cmd:"" help:"Take people off the list."`
	Ask    listAsk    `cmd:"" help:"Have addresses asked whether they want the newsletter; the daemon mails them."`
	Forget listForget `cmd:"" help:"Erase all that is kept of addresses but the fingerprint that keeps them off; the daemon does it."`
	Show   listShow   `cmd:"" help:"Count the list, or show one person with all that happened."`
	Import listImport `cmd:"" help:"Take a CSV file: address, name, date of consent; those of Buttondown, Mailchimp, Substack, listmonk and Ghost are known."`
	Export listExport `cmd:"" help:"Write everybody as CSV to the standard output."`
}

// desk is the list that a command works on.
type desk struct {
	*env
	json bool
	id   string // of the newsletter
	db   *store.DB
	list *list.List
}

// open finds the newsletter and opens the books.
func (c *listCmd) open(e *env) (*desk, error) {
	cfg, err := Load(e.config)
	if err != nil {
		return nil, err
	}
	n, ok := cfg.Newsletter(c.Newsletter)
	if !ok {
		return nil, fmt.Errorf("%s: which newsletter? %s; name one with --newsletter", e.config, ids(cfg))
	}
	key, err := LoadKey(cfg.Data)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(e.ctx, cfg.Books())
	if err != nil {
		return nil, err
	}
	return &desk{e, c.JSON, n.ID, db, &list.List{Key: key}}, nil
}

func ids(c *Config) string {
	var out []string
	for _, n := range c.Newsletters {
		out = append(out, n.ID)
	}
	return "there is " + strings.Join(out, ", ")
}

// say writes an answer for a script or for a person.
func (d *desk) say(v any, format string, args ...any) error {
	if d.json {
		return json.NewEncoder(d.stdout).Encode(v)
	}
	_, err := fmt.Fprintf(d.stdout, format+"\n", args...)
	return err
}

// result is what became of one address.
type result struct {
	Address string `json:"address"`
	Result  string `json:"result"` // added, already, removed, absent, suppressed, faulty
	What    string `json:"what,omitempty"`
}

// each does something for every address in a transaction of its own, and
// ends with errFaults when any of them could not be done.
func (d *desk) each(addresses []string, do func(tx *store.Tx, a list.Address) (result, error)) error {
	bad := false
	for _, s := range addresses {
		var r result
		a, err := list.ParseAddress(s)
		if err != nil {
			r = result{s, "faulty", err.Error()}
		} else if err = d.db.Update(d.ctx, func(tx *store.Tx) (err error) { r, err = do(tx, a); return err }); err != nil {
			var shut *list.SuppressedError
			if !errors.As(err, &shut) {
				return err
			}
			r = result{a.String(), "suppressed", err.Error() + ": galley list add --release"}
		}
		bad = bad || r.What != ""
		if err := d.say(r, "%s", r); err != nil {
			return err
		}
	}
	if bad {
		return errFaults
	}
	return nil
}

// String is the result for a person.
func (r result) String() string {
	if r.What != "" {
		return r.What
	}
	return r.Address + ": " + map[string]string{
		"added": "is on the list", "already": "was on the list already", "removed": "is off the list", "absent": "was not on the list",
		"asked": "is asked to confirm by the daemon", "erasing": "is erased by the daemon within a minute",
	}[r.Result]
}

// listAdd puts people on the list.
type listAdd struct {
	Addresses []string `arg:"" name:"address" help:"Who asked for the newsletter."`
	Name      string   `help:"Their name, with one address."`
	Evidence  string   `default:"added by an operator" help:"How you know that they asked for it (${default}); it is kept."`
	Release   bool     `help:"Also where the address is suppressed: you know that it works and that its owner wants the newsletter."`
}

// Run adds each address; a suppressed one stays off unless it is released.
func (c *listAdd) Run(e *env, l *listCmd) error {
	if c.Name != "" && len(c.Addresses) > 1 {
		return errors.New("--name goes with one address")
	}
	d, err := l.open(e)
	if err != nil {
		return err
	}
	defer d.db.Close()
	return d.each(c.Addresses, func(tx *store.Tx, a list.Address) (result, error) {
		if c.Release {
			if _, err := d.list.Release(d.ctx, tx, d.id, a, c.Evidence); err != nil {
				return result{}, err
			}
		}
		_, added, err := d.list.Add(d.ctx, tx, d.id, a, c.Name, tx.Now(), c.Evidence)
		return result{Address: a.String(), Result: pick(added, "added", "already")}, err
	})
}

// listRemove takes people off the list.
type listRemove struct {
	Addresses []string `arg:"" name:"address" help:"Who leaves."`
	Evidence  string   `default:"removed by an operator" help:"Why (${default}); it is kept."`
}

// Run takes each address off; who is not on the list is no fault.
func (c *listRemove) Run(e *env, l *listCmd) error {
	d, err := l.open(e)
	if err != nil {
		return err
	}
	defer d.db.Close()
	return d.each(c.Addresses, func(tx *store.Tx, a list.Address) (result, error) {
		left, err := d.list.LeaveAddress(d.ctx, tx, d.id, a, c.Evidence)
		return result{Address: a.String(), Result: pick(left, "removed", "absent")}, err
	})
}

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// door hands requests to the daemon, in the words of the desk.
func (d *desk) door() *door.Door {
	return &door.Door{DB: d.db, List: d.list, Key: d.list.Key, Newsletters: map[string]*door.Newsletter{d.id: {}}}
}

// listAsk has people asked to confirm.
type listAsk struct {
	Addresses []string `arg:"" name:"address" help:"Who is asked."`
}

// Run keeps a request for each address; why one would not be asked is told.
func (c *listAsk) Run(e *env, l *listCmd) error {
	d, err := l.open(e)
	if err != nil {
		return err
	}
	defer d.db.Close()
	return d.each(c.Addresses, func(tx *store.Tx, a list.Address) (result, error) {
		why, err := d.door().Closed(d.ctx, tx, d.id, door.Join, a)
		if err != nil || why != "" {
			return result{Address: a.String(), Result: "closed", What: a.String() + " is not asked: " + why}, err
		}
		err = d.door().Ask(d.ctx, tx, door.Request{Newsletter: d.id, Kind: door.Join, Address: a, Source: door.ByEditor, Evidence: "asked for by the operator"})
		return result{Address: a.String(), Result: "asked"}, err
	})
}

// listForget erases people.
type listForget struct {
	Addresses []string `arg:"" name:"address" help:"Who is erased."`
}

// Run grants the erasing of each address.
func (c *listForget) Run(e *env, l *listCmd) error {
	d, err := l.open(e)
	if err != nil {
		return err
	}
	defer d.db.Close()
	return d.each(c.Addresses, func(tx *store.Tx, a list.Address) (result, error) {
		s, err := d.list.Find(d.ctx, tx, d.id, a)
		if err != nil && !store.NotFound(err) {
			return result{}, err
		}
		err = d.door().Grant(d.ctx, tx, d.id, a, s.ID, "asked to erase by the operator")
		return result{Address: a.String(), Result: "erasing"}, err
	})
}

// listShow counts the list or shows one person.
type listShow struct {
	Address string `arg:"" optional:"" help:"Whose history is shown."`
}

// Run shows what is on the books.
func (c *listShow) Run(e *env, l *listCmd) error {
	d, err := l.open(e)
	if err != nil {
		return err
	}
	defer d.db.Close()
	if c.Address == "" {
		return d.count()
	}
	a, err := list.ParseAddress(c.Address)
	if err != nil {
		return err
	}
	return d.person(a)
}

func (d *desk) count() error {
	var n list.Counts
	err := d.db.View(d.ctx, func(tx *store.Tx) (err error) {
		n, err = d.list.Count(d.ctx, tx, d.id)
		return err
	})
	if err != nil {
		return err
	}
	return d.say(n, "%s: %d on the list, %d left, %d suppressed", d.id, n.Active, n.Left, n.Suppressed)
}

// shown is one person with their history.
type shown struct {
	*list.Subscriber
	Suppressed bool           `json:"suppressed"`
	History    []list.Consent `json:"history"`
}

func (d *desk) person(a list.Address) error {
	v := shown{History: []list.Consent{}}
	err := d.db.View(d.ctx, func(tx *store.Tx) (err error) {
		if v.Suppressed, err = d.list.IsSuppressed(d.ctx, tx, d.id, a); err != nil {
			return err
		}
		s, err := d.list.Find(d.ctx, tx, d.id, a)
		if store.NotFound(err) {
			return nil
		}
		if err == nil {
			v.Subscriber = &s
			v.History, err = d.list.History(d.ctx, tx, d.id, s.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := d.say(v, "%s", v.text(a)); err != nil {
		return err
	}
	if v.Subscriber == nil && !v.Suppressed {
		return errFaults
	}
	return nil
}

func (v shown) text(a list.Address) string {
	var b strings.Builder
	switch {
	case v.Subscriber != nil:
		fmt.Fprintf(&b, "%s %s, since %s", v.Address, v.State, v.Joined.Format(time.DateOnly))
		if v.Name != "" {
			fmt.Fprintf(&b, ", %s", v.Name)
		}
	case v.Suppressed:
		fmt.Fprintf(&b, "%s suppressed, and not on the books otherwise", a)
	default:
		fmt.Fprintf(&b, "%s is not on the books", a)
	}
	for _, h := range v.History {
		fmt.Fprintf(&b, "\n%s  %-10s  %s", h.At.Format("2006-01-02 15:04"), h.What, h.Evidence)
	}
	return b.String()
}

// listImport takes a CSV file.
type listImport struct {
	File string `arg:"" help:"The CSV file, with the names of the columns on top; - is the standard input."`
}

// Run imports the file and tells what became of every line of it.
func (c *listImport) Run(e *env, l *listCmd) error {
	in, name := e.stdin, "standard input"
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return unwrapPath(err, c.File)
		}
		defer f.Close()
		in, name = f, filepath.Base(c.File)
	}
	d, err := l.open(e)
	if err != nil {
		return err
	}
	defer d.db.Close()
	return d.take(in, name)
}

func (d *desk) take(in io.Reader, name string) error {
	m := d.meter("records", 0)
	progress := func(read int) {
		if m.at(read); m.w == nil && read >= 10_000 { // nobody watches: a log wants lines
			fmt.Fprintf(d.stderr, "%d records\n", read)
		}
	}
	rep, err := d.list.Import(d.ctx, d.db, d.id, name, in, progress)
	m.end()
	if d.json {
		err = errors.Join(err, d.say(rep, ""))
	} else if err == nil || rep.Read > 0 {
		for _, f := range rep.Faults {
			fmt.Fprintf(d.stdout, "%s:%d: %s\n", name, f.Line, f.What)
		}
		err = errors.Join(err, d.say(nil, "%s", reported(rep)))
	}
	if err == nil && rep.Faulty > 0 {
		return errFaults
	}
	return err
}

// reported is an import's figures in words; they add up.
func reported(r list.Report) string {
	return fmt.Sprintf("%s: %d added, %d on the list already, %d had left, %d suppressed, %d away by the file's own word, %d faulty",
		countWords(r.Read, "record", "records"), r.Added, r.Already, r.Left, r.Suppressed, r.Away, r.Faulty)
}

// listExport writes the list.
type listExport struct{}

// Run writes everybody as CSV.
func (listExport) Run(e *env, l *listCmd) error {
	d, err := l.open(e)
	if err != nil {
		return err
	}
	defer d.db.Close()
	return d.list.Export(d.ctx, d.db, d.id, e.stdout)
}
