package send

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"galley/send/list"
	"galley/send/store"
)

// What happened to one weekly issue, a letter a week:
//
//	o taken                      S taken, and a soft report came back
//	s refused, mailbox full      H taken, and a hard report came back
//	t refused for now, for ever  D taken, and a report of delay came back
//	h refused, no such address   C taken, and the reader complained
//	d refused, no such domain    N taken, and the report says no such domain
//	p refused because of us      X taken, and the same soft report came ten times
//
// Before a week: - the reader leaves, + the reader joins anew, and "!" means
// that the hard report about the issue before comes now.
var histories = []struct {
	weeks string
	end   list.State
	why   string
}{
	{"oooooo", list.Active, "all is well"},
	{"h", list.Suppressed, "the address does not exist"},
	{"oooH", list.Suppressed, "the address does not exist any more"},
	{"ss", list.Active, "two issues are not three"},
	{"sss", list.Suppressed, "three in a row over 14 days"},
	{"ssos", list.Active, "one that is taken resets"},
	{"soss", list.Active, "soft, ok, soft, soft"},
	{"sossS", list.Suppressed, "three in a row behind one that was taken"},
	{"SSS", list.Suppressed, "reports count as refusals do"},
	{"SSo", list.Active, "reports, and then one that stays taken"},
	{"Xo", list.Active, "one delivery counts once, whatever number of reports"},
	{"XX", list.Active, "two issues, twenty reports"},
	{"tt", list.Active, "expired twice"},
	{"ttt", list.Suppressed, "expired three times"},
	{"sSt", list.Suppressed, "three kinds of soft"},
	{"d", list.Active, "the domain is gone, once"},
	{"dd", list.Suppressed, "the domain is gone, and a week later too"},
	{"dod", list.Active, "the domain came back"},
	{"dN", list.Suppressed, "the domain is gone, by refusal and by report"},
	{"pppppppppp", list.Active, "we are refused, ten times: never counts for the reader"},
	{"spsps", list.Suppressed, "refusals of us say nothing in between"},
	{"DDDD", list.Active, "delay is no bounce"},
	{"oC", list.Suppressed, "a complaint"},
	{"o-+!o", list.Active, "a late report about a copy of before the reader joined anew"},
}

// Bar 64: 24 scripted histories of weekly issues.
func TestHistories(t *testing.T) {
	if testing.Short() {
		t.Skip("ten weeks of ticks are long")
	}
	simulate(t, 0, func(h *house) {
		h.q.Tick = 30 * time.Minute
		weeks := 0
		for i, v := range histories {
			h.join(address(i))
			weeks = max(weeks, len(strings.Trim(v.weeks, "")))
		}
		for i := range 40 { // refusals of us are a small part of all replies
			h.join(fmt.Sprintf("well%02d@mail.example", i))
		}
		play := plays()
		for week := range weeks {
			h.week(week, play)
		}
		for i, v := range histories {
			h.update(func(ctx context.Context, tx *store.Tx) error {
				s, err := h.list.ByID(ctx, tx, "harbour", h.ids[address(i)])
				if s.State != v.end {
					t.Errorf("%q (%s): %s, want %s", v.weeks, v.why, s.State, v.end)
				}
				return err
			})
		}
	})
}

func address(i int) string { return fmt.Sprintf("history%02d@mail.example", i) }

// plays splits the histories: what happens before each week, and in it.
func plays() (all [][]string) {
	for _, v := range histories {
		weeks := []string{}
		before := ""
		for _, c := range v.weeks {
			if strings.ContainsRune("-+!", c) {
				before += string(c)
				continue
			}
			weeks = append(weeks, before+string(c))
			before = ""
		}
		all = append(all, weeks)
	}
	return all
}

// week sends one issue and lets happen what the plays say.
func (h *house) week(week int, play [][]string) {
	start := time.Now()
	in := func(to string) (who int, act string) {
		for i := range play {
			if to == address(i) && week < len(play[i]) {
				return i, play[i][week]
			}
		}
		return -1, "o"
	}
	for i := range play {
		_, act := in(address(i))
		h.before(i, week, act)
	}
	h.script.fate = func(e Envelope, try int) Outcome {
		_, act := in(e.To)
		return fateOf(act[len(act)-1])
	}
	e := edition(fmt.Sprintf("Week %d.", week), start)
	e.Issue, e.Slug = 100+week, fmt.Sprintf("%d", 100+week)
	h.publish(e)
	ended := func() bool { return h.issue(e.Issue).State == Done }
	h.until(6*24*time.Hour, "the run ends", ended)
	for i := range play {
		_, act := in(address(i))
		h.after(i, e.Issue, act[len(act)-1])
	}
	h.until(24*time.Hour, "the reports are read", h.reportsRead)
	time.Sleep(time.Until(start.Add(7 * 24 * time.Hour)))
}

func (h *house) issue(n int) (r *Run) {
	h.update(func(ctx context.Context, tx *store.Tx) (err error) {
		r, err = h.q.Progress(ctx, tx, "harbour", n)
		return err
	})
	return r
}

func (h *house) reportsRead() bool {
	var waiting int
	h.update(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM return WHERE state = 'new'`).Scan(&waiting)
	})
	return waiting == 0
}

// before lets a reader leave and join, and late reports come.
func (h *house) before(i, week int, act string) {
	for _, c := range act[:len(act)-1] {
		switch c {
		case '-':
			h.leave(address(i))
		case '+':
			h.join(address(i))
		case '!':
			h.report(i, 100+week-1, "bounce", ClassHard, "failed", "5.1.1", 1)
		}
	}
}

// after lets reports about the issue come.
func (h *house) after(i, issue int, act byte) {
	switch act {
	case 'S':
		h.report(i, issue, "bounce", ClassSoft, "failed", "5.2.2", 1)
	case 'X':
		h.report(i, issue, "bounce", ClassSoft, "failed", "5.2.2", 10)
	case 'H':
		h.report(i, issue, "bounce", ClassHard, "failed", "5.1.1", 1)
	case 'N':
		h.report(i, issue, "bounce", ClassDomain, "failed", "5.4.4", 1)
	case 'D':
		h.report(i, issue, "bounce", ClassSoft, "delayed", "4.4.1", 1)
	case 'C':
		h.report(i, issue, "complaint", ClassComplaint, "", "", 1)
	}
}

func (h *house) report(i, issue int, kind string, class Class, action, status string, times int) {
	h.update(func(ctx context.Context, tx *store.Tx) error {
		var delivery int64
		err := tx.QueryRowContext(ctx, `SELECT id FROM delivery WHERE subscriber = $1 AND issue = $2`, h.ids[address(i)], issue).Scan(&delivery)
		for range times {
			if err == nil {
				err = h.q.Returned(ctx, tx, &Return{Newsletter: "harbour", Delivery: delivery, Kind: kind, Class: class, Action: action, Status: status,
					Reason: "a report", Recipient: address(i)})
			}
		}
		return err
	})
}

func fateOf(act byte) Outcome {
	refuse := func(v Verdict, code int, status, words string) Outcome {
		return Outcome{Verdict: v, Stage: StageRcpt, Code: code, Enhanced: status, Transcript: fmt.Sprint(code, " ", status, " ", words)}
	}
	switch act {
	case 's':
		return refuse(Never, 554, "5.2.2", "mailbox full")
	case 't':
		return refuse(Later, 451, "4.2.2", "mailbox full")
	case 'h':
		return refuse(Never, 550, "5.1.1", "no such user")
	case 'd':
		return refuse(Never, 550, "5.4.4", "no such domain")
	case 'p':
		return refuse(Never, 550, "5.7.1", "blocked by policy")
	}
	return accepted()
}
