package compose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"galley/send"
	"galley/send/store"
)

// standing is where the newsletter stands, in one sentence: of the issue
// that a mail is about, else of each in the making. It is "" when
// nothing is, and when the books cannot be read, since it only adds to an
// answer.
func (d *Desk) standing(ctx context.Context, tx *store.Tx, r *decisionRow) string {
	i, err := d.meant(ctx, tx, r)
	if err != nil {
		return ""
	}
	if i == nil {
		all, err := d.standings(ctx, tx, r.n)
		if err != nil {
			return ""
		}
		return all
	}
	return i.standing(tx.Now(), r.n)
}

// standing says where an issue stands.
func (i *Issue) standing(now time.Time, n *Newsletter) string {
	return n.phrase("standing", i.stands(now, n))
}

// stands is what the catalogue's sentences say of an issue.
func (i *Issue) stands(now time.Time, n *Newsletter) map[string]any {
	return map[string]any{"State": string(i.State), "Number": i.Number, "Revision": i.Revision, "When": n.when(i.SendAt, now)}
}

// status answers with what is scheduled, the list and the last figures.
func (d *Desk) status(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	open, err := issuesIn(ctx, tx, r.n.ID, Proofed, Approved, Held, Sending, Stopped)
	readers, err2 := d.Figures.Audience(ctx, tx, r.n.ID)
	last, err3 := d.last(ctx, tx, r.n)
	if err := errors.Join(err, err2, err3); err != nil {
		return "", err
	}
	apart, err := d.apart(ctx, tx, r.n)
	if err != nil {
		return "", err
	}
	data := map[string]any{"Short": r.n.phrase("status-of", map[string]any{"State": ""}), "Readers": readers, "Slot": "", "Last": "", "Apart": apart}
	var lines []string
	for _, i := range open {
		line, err := d.underWay(ctx, tx, r.n, i)
		if err != nil {
			return "", err
		}
		if len(lines) == 0 {
			data["Short"] = cmp.Or(strings.TrimSuffix(line, "."), r.n.phrase("status-of", i.stands(tx.Now(), r.n)))
		}
		line = cmp.Or(line, i.standing(tx.Now(), r.n))
		if len(open) > 1 {
			if line, err = d.called(ctx, tx, r.n, i, line); err != nil {
				return "", err
			}
		}
		lines = append(lines, line)
	}
	data["Issues"] = lines
	next, err := d.freeSlot(ctx, tx, r.n, tx.Now())
	if err != nil {
		return "", err
	}
	if data["Paused"] = r.n.Slot != nil; !next.IsZero() {
		data["Slot"] = r.when(next, tx.Now())
	}
	if last != nil {
		run, err := d.Figures.Progress(ctx, tx, r.n.ID, last.Number)
		if err != nil {
			return "", err
		}
		if run != nil {
			data["Last"] = r.n.phrase("last-figures", map[string]any{"Number": last.Number, "Taken": run.Counts[send.Sent], "Total": run.Total, "Lost": lost(run)})
		}
	}
	return r.tell(ctx, tx, d, "status", data)
}

// help answers with the words, and with what they would do now.
func (d *Desk) help(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	readers, err := d.Figures.Audience(ctx, tx, r.n.ID)
	letters, err2 := d.lettersCount(ctx, tx, r.n)
	links, err3 := d.waiting(ctx, tx, r.n)
	next, err4 := d.freeSlot(ctx, tx, r.n, tx.Now())
	i, err5 := d.meant(ctx, tx, r)
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		return "", err
	}
	short := func(t time.Time) string { return r.n.date("hour", t) }
	data := map[string]any{"Open": d.standing(ctx, tx, r), "Goes": "", "Number": 0, "Slot": "", "Readers": readers, "Letters": letters, "Waiting": len(links)}
	if !next.IsZero() {
		data["Slot"] = short(next)
	}
	if i != nil && (i.State == Proofed || i.State == Held) {
		t, err := d.ownTime(ctx, tx, r.n, i)
		if err != nil {
			return "", err
		}
		if data["Number"], data["Revision"] = i.Number, i.Revision; !t.Late.IsZero() {
			data["Goes"] = t.soon(r.n)
		} else if !t.At.IsZero() {
			data["Goes"] = short(t.At)
		}
	}
	return r.tell(ctx, tx, d, "help", data)
}

// lastTries is how long after its time an issue is followed although its last
// report is written: a copy is tried for five days, and a server that refuses
// us on the last of them must be told of.
const lastTries = 7 * 24 * time.Hour

// followRuns keeps the issues in step with their runs: it posts the first
// copy, sees a run begin and end, and writes the reports.
func (d *Desk) followRuns(ctx context.Context) error {
	ids, err := d.ids(ctx, `SELECT id FROM issue WHERE state IN ('approved', 'sending', 'stopped') OR state = 'sent' AND (reported < 2 AND send_at > 0 OR send_at > $1 OR corrected IN (1, 3)) ORDER BY id`,
		store.Micros(store.Now().Add(-lastTries)))
	for _, id := range ids {
		if e := d.DB.Update(ctx, func(tx *store.Tx) error { return d.follow(ctx, tx, id) }); e != nil {
			err = errors.Join(err, fmt.Errorf("issue row %d: %w", id, e))
		}
	}
	return err
}

// abreast brings a newsletter's issues in step with their runs before anybody
// acts on them: a run may have begun or ended since Run last looked, and an
// issue that readers have must not be taken for one that nobody has.
func (d *Desk) abreast(ctx context.Context, tx *store.Tx, n *Newsletter) error {
	moving, err := issuesIn(ctx, tx, n.ID, Approved, Sending)
	for _, i := range moving {
		run, e := d.Figures.Progress(ctx, tx, n.ID, i.Number)
		if e == nil && run != nil && !run.Started.IsZero() {
			e = d.follow(ctx, tx, i.ID)
		}
		err = errors.Join(err, e)
	}
	return err
}

func (d *Desk) follow(ctx context.Context, tx *store.Tx, id int64) error {
	i, err := issueByID(ctx, tx, id)
	if err != nil {
		return err
	}
	n := d.Newsletters[i.Newsletter]
	if n == nil {
		return nil // its newsletter left the configuration; the rows wait
	}
	if err := d.followCorrection(ctx, tx, n, i); err != nil {
		return err
	}
	run, err := d.Figures.Progress(ctx, tx, n.ID, i.Number)
	if err != nil || run == nil {
		return err
	}
	switch {
	case i.State == Approved && run.State == send.OnHold && strings.HasPrefix(run.Reason, send.Unfit):
		return d.unfit(ctx, tx, n, i, run)
	case i.State == Approved && run.State == send.OnHold && run.Reason != "":
		return d.late(ctx, tx, n)
	case i.State == Approved && run.Started.IsZero():
		return d.firstCopy(ctx, tx, n, i)
	case i.State == Approved:
		return d.begun(ctx, tx, n, i)
	case i.State == Sending && run.State == send.Approved:
		return d.ownCopies(ctx, tx, n, i) // a new text for the rest, within its grace time
	case (i.State == Sending || i.State == Sent) && i.unheard(run) != nil:
		return d.refused(ctx, tx, n, i, *i.unheard(run))
	case i.State == Sending && (run.Out || run.Final()):
		return d.over(ctx, tx, n, i, run)
	case i.State == Sending && run.State == send.Paused:
		return d.paused(ctx, tx, n, i, run)
	case i.State == Sent && run.State == send.Paused && i.Refused == "":
		return d.refusedLate(ctx, tx, n, i, run)
	case i.State == Sent && i.Reported == 1 && tx.Now().Sub(i.SendAt) > 24*time.Hour && len(run.Refusals) == 0 && (run.Out || run.Final()):
		return d.finalReport(ctx, tx, n, i, run)
	}
	return nil
}

// mostLate is how late an issue goes by itself; send puts a later one on hold.
const mostLate = 12 * time.Hour

// firstCopy posts the editors' own copy the grace time before all others.
func (d *Desk) firstCopy(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) error {
	if d.Press.Silent() { // the others would not follow
		return nil
	}
	if tx.Now().Before(i.SendAt.Add(-max(n.Grace, leastLook))) || tx.Now().After(i.SendAt.Add(mostLate)) {
		return nil
	}
	if held, err := d.holdChanged(ctx, tx, n, i); err != nil || held {
		return err
	}
	if tx.Now().Before(i.SendAt.Add(-n.Grace)) {
		return nil
	}
	return d.ownCopies(ctx, tx, n, i)
}

// ownCopies posts the editors' copies, unless they have them.
func (d *Desk) ownCopies(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) error {
	if i.Copied || n.Grace == 0 {
		return nil
	}
	for _, e := range n.Editors {
		if err := d.postCopy(ctx, tx, n, i, e, "first"); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE issue SET copied = $1 WHERE id = $2`, store.Micros(tx.Now()), i.ID)
	return err
}

// begun freezes the issue, uses up its slot, and files its links.
func (d *Desk) begun(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) error {
	if err := i.move(ctx, tx, Sending, "schedule", "begun"); err != nil {
		return err
	}
	if err := d.ownCopies(ctx, tx, n, i); err != nil { // a late run begins before its first copy
		return err
	}
	if i.Slot != "" {
		if err := useSlot(ctx, tx, n, i); err != nil {
			return err
		}
	}
	row, err := revisionOf(ctx, tx, i.ID, i.Approved)
	if err != nil || row == nil {
		return fmt.Errorf("revision %d of #%d: %v", i.Approved, i.Number, err)
	}
	f, err := row.frozen()
	if err != nil {
		return err
	}
	return fileLinks(ctx, tx, n.ID, i.Number, f.Links)
}

// useSlot notes that an issue has taken its slot.
func useSlot(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO slot (newsletter, day, issue, state, at) VALUES ($1, $2, $3, 'used', $4)
		ON CONFLICT (newsletter, day) DO UPDATE SET issue = excluded.issue, state = 'used', at = excluded.at`,
		n.ID, i.Slot, i.Number, store.Micros(tx.Now()))
	return err
}

// fileLinks keeps what was published where. A link that waited, and that the
// editor took without the word for it, waits no longer.
func fileLinks(ctx context.Context, tx *store.Tx, newsletter string, issue int, links []published) error {
	for _, l := range links {
		_, err := tx.ExecContext(ctx, `INSERT INTO link (newsletter, canonical, issue, url, title, author, section) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (newsletter, canonical, issue) DO NOTHING`, newsletter, l.Canonical, issue, l.URL, l.Title, l.Author, l.Section)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE suggestion SET state = 'used', issue = $1, changed = $2 WHERE newsletter = $3 AND canonical = $4 AND state IN ('waiting', 'later')`,
			issue, store.Micros(tx.Now()), newsletter, l.Canonical)
		if err != nil {
			return err
		}
	}
	return nil
}

// over closes the issue when every reader had a first answer, and reports.
func (d *Desk) over(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, run *send.Run) error {
	if err := i.move(ctx, tx, Sent, "schedule", "over"); err != nil {
		return err
	}
	return errors.Join(d.reportRun(ctx, tx, n, i, run, "report", 1), d.thank(ctx, tx, n, i))
}

// paused tells every editor that servers refuse us (trust.md 3.3: breaker).
func (d *Desk) paused(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, run *send.Run) error {
	if err := i.move(ctx, tx, Stopped, "breaker", run.Reason); err != nil {
		return err
	}
	return d.alert(ctx, tx, n, i, run)
}

// refusedLate tells of servers that refuse us when only retries were left: the
// issue stays sent, and resume tries those again who wait.
func (d *Desk) refusedLate(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, run *send.Run) error {
	if _, err := tx.ExecContext(ctx, `UPDATE issue SET refused = 'all ' WHERE id = $1`, i.ID); err != nil {
		return err
	}
	return d.alert(ctx, tx, n, i, run)
}

func (d *Desk) alert(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, run *send.Run) error {
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil {
		return err
	}
	share, replies := refusals(run.Reason)
	data := map[string]any{"Number": i.Number, "Waiting": rest(run), "Share": share, "Replies": replies}
	for _, e := range n.Editors {
		r := &decisionRow{n: n, Editor: e.Addr}
		m := &mail{paper: paper{Kind: paperStopped, Issue: i.ID, Revision: i.Revision, Digest: row.Digest}, number: i.Number, urgent: true}
		if _, err := r.mail(ctx, tx, d, "alert", data, m); err != nil {
			return err
		}
	}
	return nil
}

// refusals takes the words of servers out of a run's reason, each of them
// once; share is how many replies were refusals, "" when that is not said.
func refusals(reason string) (share string, replies []string) {
	said, breaker := strings.CutPrefix(reason, "servers refuse us: ")
	share, said, found := strings.Cut(said, ". ")
	if !breaker || !found {
		return "", []string{reason}
	}
	for reply := range strings.SplitSeq(said, " | ") {
		if !slices.Contains(replies, reply) {
			replies = append(replies, reply)
		}
	}
	return share, replies
}
