package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"galley/send"
	"galley/templates"
)

const (
	// mostDestinations are as many rows as fit a screen; the rest is one row.
	mostDestinations = 20
	// screen is how many columns a terminal has at least.
	screen = 80
)

// stands says of a state where a copy is.
var stands = map[send.State]string{
	send.Prepared:  "wait for the hour of the issue",
	send.Pending:   "wait for their turn",
	send.Claimed:   "on their way to the server",
	send.Ambiguous: "may have arrived",
	send.Held:      "kept back until galley queue retry",
}

// print tells the queue to a person.
func (s *queueState) print(w io.Writer) error {
	if len(s.Waiting) == 0 {
		_, err := fmt.Fprintln(w, "Nothing waits.")
		return err
	}
	for _, r := range s.Runs {
		fmt.Fprintf(w, "%s #%d is being sent: %s of %s taken", r.Newsletter, r.Issue, templates.Thousands(r.Taken), templates.Thousands(r.Readers))
		if r.Seconds > 0 && s.Sending {
			fmt.Fprintf(w, ", %s a second, %s to go", paceOf(r.PerSecond), span(time.Duration(r.Seconds)*time.Second))
		}
		fmt.Fprintln(w, ".")
	}
	if !s.Sending {
		fmt.Fprintln(w, "No daemon is at work: nothing leaves until galley serve runs.")
	}
	for _, r := range s.Waiting {
		r.line(w)
	}
	if len(s.Destinations) > 0 {
		fmt.Fprintf(w, "\n%s", s.table())
	}
	return nil
}

// paceOf writes a rate: tenths count where it is slow.
func paceOf(perSecond float64) string {
	if perSecond >= 100 {
		return templates.Thousands(int(perSecond))
	}
	return strconv.FormatFloat(perSecond, 'f', 1, 64)
}

// span writes a time in whole seconds without noughts at its end: 2h, 1m30s.
func span(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// line is one state of an issue, and what it means.
func (r *waitingRow) line(w io.Writer) {
	what := "desk mails"
	if r.Issue != 0 {
		what = fmt.Sprintf("#%d", r.Issue)
	}
	if r.Issue < 0 {
		what = fmt.Sprintf("to #%d", -r.Issue) // a correction
	}
	means := stands[send.State(r.State)]
	if send.State(r.State) == send.Deferred {
		means = "due now" // put off once, and let go by hand
		if r.Due != "" {
			means = "next try " + r.Due
		}
	}
	fmt.Fprintf(w, "%-12s %-10s %9s %-9s  %s\n", r.Newsletter, what, templates.Thousands(r.Count), r.State, means)
}

// table is the qshape of the queue: destinations down, ages across, and below
// it what the servers say that put us off. Columns are as wide as their widest
// cell, and what is left of the screen is for the names.
func (s *queueState) table() string {
	rows := s.rows()
	widths, names := make([]int, 1+len(send.Ages)), len("waiting for")
	for k := range widths {
		widths[k] = len(append([]string{"all"}, send.Ages[:]...)[k])
		for _, r := range rows {
			widths[k] = max(widths[k], len(r.cell(k)))
			names = max(names, len(r.Domain))
		}
	}
	room := screen
	for _, w := range widths {
		room -= 2 + w
	}
	names = min(names, max(room, 16))
	var b strings.Builder
	line := func(name string, cell func(k int) string) {
		if len(name) > names { // its end tells most
			name = "…" + name[len(name)-names+1:]
		}
		b.WriteString(name + strings.Repeat(" ", names-len([]rune(name))))
		for k, w := range widths {
			fmt.Fprintf(&b, "  %*s", w, cell(k))
		}
		b.WriteByte('\n')
	}
	line("waiting for", func(k int) string { return append([]string{"all"}, send.Ages[:]...)[k] })
	for _, r := range rows {
		line(r.Domain, r.cell)
	}
	return b.String() + s.said()
}

// rows are the rows of the table: the sum, the largest destinations, and the
// sum of those that are not named.
func (s *queueState) rows() []destinationRow {
	total, others := destinationRow{Domain: "ALL", Ages: map[string]int{}}, destinationRow{Domain: "others", Ages: map[string]int{}}
	named := s.Destinations[:min(len(s.Destinations), mostDestinations)]
	for k, d := range s.Destinations {
		total.take(d)
		if k >= mostDestinations {
			others.take(d)
		}
	}
	rows := append([]destinationRow{total}, named...)
	if others.Total > 0 {
		rows = append(rows, others)
	}
	return rows
}

// said are the servers' words, by domain.
func (s *queueState) said() string {
	var b strings.Builder
	for _, d := range s.Destinations[:min(len(s.Destinations), mostDestinations)] {
		if d.Reply == "" {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n  %s\n", d.Domain, d.Reply)
		if d.Due != "" {
			fmt.Fprintf(&b, "  next try %s\n", d.Due)
		}
	}
	return b.String()
}

func (d *destinationRow) take(o destinationRow) {
	d.Total += o.Total
	for age, n := range o.Ages {
		d.Ages[age] += n
	}
}

// cell is what stands in a column: the sum in the first, an age in each other.
func (d *destinationRow) cell(k int) string {
	if k == 0 {
		return strconv.Itoa(d.Total)
	}
	if n := d.Ages[send.Ages[k-1]]; n > 0 {
		return strconv.Itoa(n)
	}
	return "."
}
