package compose

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"galley/send/door"
	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
)

// People is the list, as the desk sees it.
type People interface {
	Find(ctx context.Context, tx *store.Tx, newsletter string, a list.Address) (list.Subscriber, error)
	History(ctx context.Context, tx *store.Tx, newsletter string, id int64) ([]list.Consent, error)
	Suppression(ctx context.Context, tx *store.Tx, newsletter string, a list.Address) (list.SuppressedError, bool, error)
	Release(ctx context.Context, tx *store.Tx, newsletter string, a list.Address, evidence string) (bool, error)
	LeaveAddress(ctx context.Context, tx *store.Tx, newsletter string, a list.Address, evidence string) (bool, error)
	Count(ctx context.Context, tx *store.Tx, newsletter string) (list.Counts, error)
	Moved(ctx context.Context, tx *store.Tx, newsletter string, since time.Time) (joined, left int, err error)
	ImportIn(ctx context.Context, tx *store.Tx, newsletter, source string, r io.Reader) (list.Report, error)
	Preview(ctx context.Context, tx *store.Tx, newsletter string, r io.Reader) (list.Report, error)
	ExportIn(ctx context.Context, tx *store.Tx, newsletter string, w io.Writer) (int, error)
}

// Door is where readers come in and go out, as the desk sees it.
type Door interface {
	Ask(ctx context.Context, tx *store.Tx, r door.Request) error
	Closed(ctx context.Context, tx *store.Tx, newsletter string, kind door.Kind, a list.Address) (string, error)
	Grant(ctx context.Context, tx *store.Tx, newsletter string, a list.Address, subscriber int64, evidence string) error
}

// File is a list that came with a mail.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// What the questions about a list ask, with the decision that brought it.
const (
	asksCSV    = "list csv"
	asksImport = "import "
)

// people does an editor's word about some addresses, and tells what became
// of each.
func (d *Desk) people(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	var lines []string
	for _, s := range c.Args {
		a, err := list.ParseAddress(s)
		if err != nil {
			lines = append(lines, s+": "+r.n.phrase("person", map[string]any{"What": "no-address"}))
			continue
		}
		what, err := d.person(ctx, tx, r, c.Word, a)
		if err != nil {
			return "", err
		}
		lines = append(lines, a.String()+": "+what)
	}
	return r.tell(ctx, tx, d, "people", map[string]any{"Word": c.Word, "Lines": lines, "Open": d.standing(ctx, tx, r)})
}

// person does one word about one address and says what became of it, in the
// catalogue's words.
func (d *Desk) person(ctx context.Context, tx *store.Tx, r *decisionRow, word string, a list.Address) (string, error) {
	s, err := d.People.Find(ctx, tx, r.n.ID, a)
	known := err == nil
	if err != nil && !store.NotFound(err) {
		return "", err
	}
	v := map[string]any{"Word": word, "Address": a.String()}
	say := func(what string) (string, error) {
		v["What"] = what
		return phrase(r.n.Frame.Looks, "person", v)
	}
	switch word {
	case "add":
		return d.invite(ctx, tx, r, a, known && s.State == list.Active, v, say)
	case "remove":
		left, err := d.People.LeaveAddress(ctx, tx, r.n.ID, a, r.by("removed"))
		if err != nil {
			return "", err
		}
		return say(map[bool]string{true: "removed", false: "absent"}[left])
	case "forget":
		if err := d.Door.Grant(ctx, tx, r.n.ID, a, s.ID, r.by("asked to erase")); err != nil {
			return "", err
		}
		return say("erased")
	}
	done, err := d.People.Release(ctx, tx, r.n.ID, a, r.by("released"))
	if err != nil {
		return "", err
	}
	return say(map[bool]string{true: "released", false: "not shut"}[done])
}

// by is what is kept of an editor's word.
func (r *decisionRow) by(did string) string {
	if r.Editor == "" {
		return did + " by the operator"
	}
	return did + " by an editor, " + r.Editor
}

// invite has an address asked whether it wants the newsletter. An editor may
// know why one is not asked, which nobody else may.
func (d *Desk) invite(ctx context.Context, tx *store.Tx, r *decisionRow, a list.Address, active bool, v map[string]any, say func(string) (string, error)) (string, error) {
	if active {
		return say("already")
	}
	shut, is, err := d.People.Suppression(ctx, tx, r.n.ID, a)
	if err != nil {
		return "", err
	}
	if is {
		v["Reason"], v["Since"] = shut.Reason, r.n.date("day-year", shut.At)
		return say("suppressed")
	}
	why, err := d.Door.Closed(ctx, tx, r.n.ID, door.Join, a)
	if err != nil {
		return "", err
	}
	if why != "" {
		v["Reason"] = why
		return say("closed")
	}
	err = d.Door.Ask(ctx, tx, door.Request{Newsletter: r.n.ID, Kind: door.Join, Address: a, Source: door.ByEditor, Evidence: r.by("asked for")})
	if err != nil {
		return "", err
	}
	return say("asked")
}

// listWord answers with the figures of the list, or with all that happened
// with the addresses that are named.
func (d *Desk) listWord(ctx context.Context, tx *store.Tx, r *decisionRow, c Command) (string, error) {
	if len(c.Args) == 0 {
		n, err := d.People.Count(ctx, tx, r.n.ID)
		if err != nil {
			return "", err
		}
		return r.tell(ctx, tx, d, "list", map[string]any{"N": n, "Total": n.Active + n.Paused, "Open": d.standing(ctx, tx, r)})
	}
	type one struct {
		Address, State, Since, Shut string
		Past                        []string
	}
	var all []one
	for _, s := range c.Args {
		a, err := list.ParseAddress(s)
		if err != nil {
			all = append(all, one{Address: s, State: "no address"})
			continue
		}
		o := one{Address: a.String(), State: "not on the books"}
		p, err := d.People.Find(ctx, tx, r.n.ID, a)
		if err == nil {
			o.State, o.Since = string(p.State), r.n.date("day-year", p.Changed)
			var past []list.Consent
			past, err = d.People.History(ctx, tx, r.n.ID, p.ID)
			for _, h := range past {
				o.Past = append(o.Past, h.At.In(r.n.Zone).Format("2006-01-02 15:04")+"  "+h.What+": "+h.Evidence)
			}
		}
		if err != nil && !store.NotFound(err) {
			return "", err
		}
		shut, is, err := d.People.Suppression(ctx, tx, r.n.ID, a)
		if err != nil {
			return "", err
		}
		if is {
			o.Shut = shut.Reason
		}
		all = append(all, o)
	}
	return r.tell(ctx, tx, d, "history", map[string]any{"People": all, "Open": d.standing(ctx, tx, r)})
}

// askCSV asks before the whole list leaves the house.
func (d *Desk) askCSV(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	n, err := d.People.Count(ctx, tx, r.n.ID)
	if err != nil {
		return "", err
	}
	return r.mail(ctx, tx, d, "csv-asked", map[string]any{"N": n, "Total": n.Active + n.Paused + n.Left + n.Suppressed},
		&mail{paper: paper{Kind: paperQuestion, Asks: asksCSV}})
}

// answerCSV mails the list to the editor who said yes, and to nobody else.
func (d *Desk) answerCSV(ctx context.Context, tx *store.Tx, r *decisionRow, yes bool) (string, error) {
	if !yes {
		return r.tell(ctx, tx, d, "csv-kept", map[string]any{})
	}
	var b bytes.Buffer
	n, err := d.People.ExportIn(ctx, tx, r.n.ID, &b)
	if err != nil {
		return "", err
	}
	name := r.n.ID + "-" + tx.Now().In(r.n.Zone).Format("2006-01-02") + ".csv"
	m := &mail{paper: paper{Kind: paperAnswer, Asks: asksCSV}, attachments: []message.Attachment{{Name: name, Type: "text/csv; charset=utf-8", Data: b.Bytes()}}}
	return r.mail(ctx, tx, d, "csv-sent", map[string]any{"Count": n, "File": name}, m)
}

// askImport counts who would join and who stays away, and asks.
func (d *Desk) askImport(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	if r.Words.File == nil {
		return r.tell(ctx, tx, d, "import-none", map[string]any{"Open": d.standing(ctx, tx, r)})
	}
	rep, err := d.People.Preview(ctx, tx, r.n.ID, strings.NewReader(r.Words.File.Text))
	if err != nil {
		return r.tell(ctx, tx, d, "import-faulty", map[string]any{"File": r.Words.File.Name, "Why": r.n.wrong(err)})
	}
	v := map[string]any{"R": rep, "File": r.Words.File.Name, "Faults": r.n.faults(rep)}
	if rep.Added == 0 {
		return r.tell(ctx, tx, d, "import-nobody", v)
	}
	return r.mail(ctx, tx, d, "import-asked", v, &mail{paper: paper{Kind: paperQuestion, Asks: asksImport + strconv.FormatInt(r.ID, 10)}})
}

// answerImport takes the file of the mail that the question was about, or
// drops it; it is not kept either way.
func (d *Desk) answerImport(ctx context.Context, tx *store.Tx, r *decisionRow, yes bool) (string, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(r.paper.Asks, asksImport), 10, 64)
	if err != nil {
		return "", fmt.Errorf("question %d: %w", r.paper.ID, err)
	}
	before, err := d.decisionByID(ctx, tx, id)
	if err != nil {
		return "", err
	}
	file := before.Words.File
	before.Words.File = nil
	if err := before.rewrite(ctx, tx); err != nil {
		return "", err
	}
	if !yes || file == nil {
		return r.tell(ctx, tx, d, "import-dropped", map[string]any{})
	}
	rep, err := d.People.ImportIn(ctx, tx, r.n.ID, file.Name+", "+r.by("mailed"), strings.NewReader(file.Text))
	if err != nil {
		return "", err
	}
	n, err := d.People.Count(ctx, tx, r.n.ID)
	if err != nil {
		return "", err
	}
	return r.tell(ctx, tx, d, "imported", map[string]any{"R": rep, "Total": n.Active + n.Paused})
}
