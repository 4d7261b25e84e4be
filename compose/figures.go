package compose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"galley/compose/picture"
	"galley/send"
	"galley/send/message"
	"galley/send/store"
)

// tally is all that a report counts. Its readers are each counted in exactly
// one of Taken, Trying, Parked, Maybe, Failed, Left and Dropped.
type tally struct {
	Total, Taken, Trying, Parked, Maybe, Failed, Left, Dropped int
	Reasons                                                    []reason // why copies failed, the most frequent first
	Next                                                       string   // when one is tried again
	Refuses                                                    string   // the providers for which the parked wait
	Bounces, Complaints                                        int      // of the taken: what came back; of all: who called it spam
	Joined, Away                                               int      // who came and left since it went
	Wrote, Letters, Links                                      int      // readers who wrote since, and what
	Readers                                                    int
	Past                                                       []send.Tally // the issues up to this one, the oldest first
}

// reason is one kind of failure: a class of send, or "expired".
type reason struct {
	Class string
	Count int
}

// issuesShown is how many issues the picture of a report goes back.
const issuesShown = 12

// count reads all that a report says from the books, in one transaction with
// the mail that says it.
func (d *Desk) count(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, run *send.Run) (*tally, error) {
	t := n.outcomes(run)
	failures, err := d.Figures.Failures(ctx, tx, n.ID, i.Number)
	t.explain(failures, n.Zone)
	var err2, err3, err4, err5 error
	t.Bounces, t.Complaints, err2 = d.Figures.Came(ctx, tx, n.ID, i.Number)
	t.Joined, t.Away, err3 = d.People.Moved(ctx, tx, n.ID, run.Started)
	t.Readers, err4 = d.Figures.Audience(ctx, tx, n.ID)
	t.Past, err5 = d.Figures.Tallies(ctx, tx, n.ID, issuesShown)
	t.Past = slices.DeleteFunc(t.Past, func(p send.Tally) bool { return p.Issue > i.Number })
	return t, errors.Join(err, err2, err3, err4, err5, t.wrote(ctx, tx, n.ID, run.Started))
}

// outcomes are the figures of a run's copies alone.
func (n *Newsletter) outcomes(run *send.Run) *tally {
	c := run.Counts
	return &tally{Total: run.Total, Taken: c[send.Sent], Trying: run.Waiting() - run.Parked - c[send.Ambiguous] + c[send.Held], Parked: run.Parked, Refuses: n.refusing(run),
		Maybe: c[send.Ambiguous], Failed: lost(run), Left: c[send.Suppressed], Dropped: c[send.Dropped]}
}

// wrote counts the letters and the links that came since an issue went.
func (t *tally) wrote(ctx context.Context, tx *store.Tx, newsletter string, since time.Time) error {
	at := store.Micros(since)
	return tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM letter WHERE newsletter = $1 AND at >= $2),
		(SELECT count(*) FROM suggestion WHERE newsletter = $3 AND made >= $4),
		(SELECT count(*) FROM (SELECT sender FROM letter WHERE newsletter = $5 AND at >= $6
			UNION SELECT vote.sender FROM vote JOIN suggestion ON suggestion.id = vote.suggestion WHERE suggestion.newsletter = $7 AND vote.at >= $8) AS who)`,
		newsletter, at, newsletter, at, newsletter, at, newsletter, at).Scan(&t.Letters, &t.Links, &t.Wrote)
}

// explain sorts the failures by their kind, and finds the next attempt.
func (t *tally) explain(failures []send.Failure, zone *time.Location) {
	kinds := map[string]int{}
	var next time.Time
	for _, f := range failures {
		switch {
		case f.State == send.Expired:
			kinds["expired"]++
		case f.State == send.Failed:
			kinds[string(f.Class)]++
		case f.State == send.Deferred && f.Class == send.ClassOurs && t.Parked > 0: // waits for resume
		case f.State == send.Deferred && (next.IsZero() || f.Due.Before(next)):
			next = f.Due
		}
	}
	for class, count := range kinds {
		t.Reasons = append(t.Reasons, reason{class, count})
	}
	slices.SortFunc(t.Reasons, func(a, b reason) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Class, b.Class))
	})
	if !next.IsZero() {
		t.Next = next.In(zone).Format("15:04")
	}
}

// lost counts the readers who will not get the issue.
func lost(run *send.Run) int { return run.Counts[send.Failed] + run.Counts[send.Expired] }

// told is what of a tally makes a second report worth a mail. Readers who
// joined are not: they are news of the list, and not of this issue.
func (t *tally) told() string {
	return fmt.Sprint(t.Taken, t.Trying+t.Parked, t.Maybe, t.Failed, t.Left, t.Dropped, t.Bounces, t.Complaints, t.Away, t.Letters, t.Links)
}

// finalReport comes a day later, and only when a figure has changed.
func (d *Desk) finalReport(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, run *send.Run) error {
	return d.reportRun(ctx, tx, n, i, run, "final", 2)
}

// reportRun mails the figures of a run to every editor, unless they are those
// of the report before.
func (d *Desk) reportRun(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, run *send.Run, name string, nth int) error {
	t, err := d.count(ctx, tx, n, i, run)
	if err != nil {
		return err
	}
	if nth > 1 && t.told() == i.Figures {
		_, err := tx.ExecContext(ctx, `UPDATE issue SET reported = $1 WHERE id = $2`, nth, i.ID)
		return err
	}
	m, err := t.mail(n, i, run, name, tx.Now())
	if err != nil {
		return err
	}
	for _, e := range n.Editors {
		each := *m
		each.to = e
		if err := d.post(ctx, tx, n, &each); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE issue SET reported = $1, figures = $2 WHERE id = $3`, nth, t.told(), i.ID)
	return err
}

// reportView is what the catalogue is given of a report.
type reportView struct {
	*tally
	Number            int
	From, To, Archive string
	Stopped           bool
	Alt               string
	CID               string // "" while one issue alone makes no picture
	Width, Height     int
}

// mail writes a report: the figures as text, and the same beside a picture.
func (t *tally) mail(n *Newsletter, i *Issue, run *send.Run, name string, now time.Time) (*mail, error) {
	clock := func(at time.Time) string { return at.In(n.Zone).Format("15:04") }
	end := run.Ended
	if end.IsZero() {
		end = now
	}
	v := &reportView{tally: t, Number: i.Number, From: clock(run.Started), To: clock(end), Stopped: run.State == send.Cancelled}
	if n.Frame.Host != "" {
		v.Archive = fmt.Sprintf("%s%s/%04d", n.Frame.Host, n.Frame.ArchivePath, i.Number)
	}
	subject, text, err := say(n.Frame.Looks, name, v)
	if err != nil {
		return nil, err
	}
	m := &mail{paper: paper{Kind: paperReport, Issue: i.ID, Revision: i.Revision}, number: i.Number, subject: subject, text: text}
	if err := v.draw(m, n); err != nil {
		return nil, err
	}
	m.look = mailView{CID: v.CID, Alt: v.Alt, Width: v.Width, Height: v.Height}
	return m, nil
}

// draw makes the picture, as soon as there are two issues to compare.
func (v *reportView) draw(m *mail, n *Newsletter) (err error) {
	if len(v.Past) < 2 {
		return nil
	}
	columns := make([]picture.Column, len(v.Past))
	for k, p := range v.Past {
		columns[k] = picture.Column{Label: fmt.Sprintf("#%d", p.Issue), Whole: p.Total, Part: p.Taken, Lost: p.Lost}
	}
	png, err := picture.Chart(columns)
	if err != nil {
		return err
	}
	v.CID, v.Width, v.Height = "figures@galley", picture.ChartWidth, picture.ChartHeight
	m.inline = []message.Attachment{{Name: "figures.png", Type: "image/png", ContentID: v.CID, Data: png}}
	v.Alt, err = phrase(n.Frame.Looks, "report-picture", v)
	return err
}
