package intent

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Moment is a time as it was said.
type Moment struct {
	Readings []time.Time // one; or several between which the editor is asked
	Day      bool        // only a day was said; the hour is the slot's
	Past     bool        // the first reading is over
}

// When reads a time: "now", "in 2 hours", "tomorrow", "saturday 9:00",
// "2026-12-05 09:00", "5 december", "noon". A day alone means the slot's
// hour. What can be read in two ways ("05/06 9:00", "saturday" on a Saturday
// after the hour) comes back with all its readings. ok is false for anything
// else: no word is passed over.
func When(s string, c Clock) (m Moment, ok bool) {
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Slot == 0 {
		c.Slot = 9 * time.Hour
	}
	w := whenWords(s)
	if len(w) == 0 || len(w) > 8 {
		return m, false
	}
	if t, ok := relative(w, c); ok {
		return Moment{Readings: []time.Time{t}}, true
	}
	clock, rest, timed, ok := takeClock(w)
	if !ok {
		return m, false
	}
	if !timed {
		clock = c.Slot
	}
	days, ok := readDay(rest, c, clock)
	if !ok {
		return m, false
	}
	return moment(days, clock, !timed, c), true
}

// whenWords splits into lower-case words without the small ones.
func whenWords(s string) []string {
	var out []string
	for _, w := range strings.Fields(strings.ToLower(strings.ReplaceAll(s, ",", " "))) {
		switch w {
		case "at", "on", "the", "of", "this", "o'clock", "um", "am,":
		default:
			out = append(out, w)
		}
	}
	return out
}

// relative is now, and in so many minutes, hours, days or weeks.
func relative(w []string, c Clock) (time.Time, bool) {
	if len(w) == 1 && w[0] == "now" {
		return c.Now, true
	}
	if len(w) != 3 || w[0] != "in" {
		return time.Time{}, false
	}
	n, err := strconv.Atoi(w[1])
	if w[1] == "a" || w[1] == "an" || w[1] == "one" {
		n, err = 1, nil
	}
	if err != nil || n < 1 || n > 1000 {
		return time.Time{}, false
	}
	switch strings.TrimSuffix(w[2], "s") {
	case "minute", "min":
		return c.Now.Add(time.Duration(n) * time.Minute), true
	case "hour", "hr", "h":
		return c.Now.Add(time.Duration(n) * time.Hour), true
	case "day":
		return sameClock(c, n), true
	case "week":
		return sameClock(c, 7*n), true
	}
	return time.Time{}, false
}

// sameClock is the same wall-clock time some days on.
func sameClock(c Clock, days int) time.Time {
	l := c.Now.In(c.Zone)
	since := time.Duration(l.Hour())*time.Hour + time.Duration(l.Minute())*time.Minute
	return local(l.Year(), l.Month(), l.Day()+days, since, c.Zone)
}

var (
	clock24  = regexp.MustCompile(`^([01]?\d|2[0-3])(?::|h|\.)([0-5]\d)(?:h|uhr)?$`)
	clockH   = regexp.MustCompile(`^([01]?\d|2[0-3])(?:h|uhr)$`)
	clock12  = regexp.MustCompile(`^(1[0-2]|0?[1-9])(?:[:.]([0-5]\d))?(am|pm|a\.m\.|p\.m\.)$`)
	halfOnly = regexp.MustCompile(`^(am|pm|a\.m\.|p\.m\.)$`)
)

// takeClock finds the one time of day among words. ok is false for two.
func takeClock(w []string) (clock time.Duration, rest []string, found, ok bool) {
	w = joinHalves(w)
	for _, word := range w {
		d, is := clockOf(word)
		if !is {
			rest = append(rest, word)
			continue
		}
		if found {
			return 0, nil, false, false
		}
		clock, found = d, true
	}
	return clock, rest, found, true
}

// joinHalves makes one word of "9 am".
func joinHalves(w []string) []string {
	var out []string
	for _, word := range w {
		if len(out) > 0 && halfOnly.MatchString(word) {
			out[len(out)-1] += word
			continue
		}
		out = append(out, word)
	}
	return out
}

// clockOf reads one word as a time of day.
func clockOf(w string) (time.Duration, bool) {
	switch w {
	case "noon", "midday":
		return 12 * time.Hour, true
	}
	if g := clock12.FindStringSubmatch(w); g != nil {
		h := atoi(g[1]) % 12
		if g[3][0] == 'p' {
			h += 12
		}
		return hours(h, atoi(g[2])), true
	}
	if g := clock24.FindStringSubmatch(w); g != nil {
		return hours(atoi(g[1]), atoi(g[2])), true
	}
	if g := clockH.FindStringSubmatch(w); g != nil {
		return hours(atoi(g[1]), 0), true
	}
	return 0, false
}

func hours(h, m int) time.Duration {
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
}

// atoi is for digits that a pattern has found.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// day is a date and whether it is the person's own: one said with its year is
// never moved.
type day struct {
	y     int
	m     time.Month
	d     int
	every int // the date comes again: 7 every week, 1 every year, 0 never
}

// readDay reads the words that name a day; none is today.
func readDay(w []string, c Clock, clock time.Duration) ([]day, bool) {
	l := c.Now.In(c.Zone)
	today := day{l.Year(), l.Month(), l.Day(), 0}
	switch len(w) {
	case 0:
		return []day{today}, true
	case 1:
		if w[0] == "today" {
			return []day{today}, true
		}
		if w[0] == "tomorrow" {
			today.d++
			return []day{today}, true
		}
		if n, ok := weekdays[strings.TrimSuffix(w[0], ".")]; ok {
			ahead := (int(n) - int(l.Weekday()) + 7) % 7
			today.d += ahead
			today.every = 7
			return []day{today}, true
		}
		return numericDay(w[0], l.Year())
	case 2:
		if n, ok := weekdays[w[1]]; ok && w[0] == "next" {
			// Next Saturday is this one to some and the one after to others.
			ahead := (int(n)-int(l.Weekday())+6)%7 + 1
			first, second := today, today
			first.d += ahead
			second.d += ahead + 7
			return []day{first, second}, true
		}
	}
	return wordyDay(w, l.Year())
}

var (
	isoDay   = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})$`)
	slashDay = regexp.MustCompile(`^(\d{1,2})/(\d{1,2})(?:/(\d{4}))?$`)
	dotDay   = regexp.MustCompile(`^(\d{1,2})\.(\d{1,2})\.(\d{4})?$`)
	ordinal  = regexp.MustCompile(`^(\d{1,2})(?:st|nd|rd|th|\.)?$`)
)

// numericDay reads dates in digits, and a month alone as its first day.
func numericDay(w string, year int) ([]day, bool) {
	if g := isoDay.FindStringSubmatch(w); g != nil {
		return dates(day{atoi(g[1]), time.Month(atoi(g[2])), atoi(g[3]), 0})
	}
	if g := dotDay.FindStringSubmatch(w); g != nil {
		return dates(dated(year, g[3], g[2], g[1]))
	}
	if g := slashDay.FindStringSubmatch(w); g != nil {
		both, ok := dates(dated(year, g[3], g[2], g[1]))
		other, ok2 := dates(dated(year, g[3], g[1], g[2]))
		if g[1] == g[2] || !ok2 {
			return both, ok
		}
		return append(other, both...), true
	}
	if m, ok := months[strings.TrimSuffix(w, ".")]; ok {
		return []day{{year, m, 1, 1}}, true
	}
	return nil, false
}

// dated makes a day; without a year the date comes every year.
func dated(year int, y, m, d string) day {
	if y == "" {
		return day{year, time.Month(atoi(m)), atoi(d), 1}
	}
	return day{atoi(y), time.Month(atoi(m)), atoi(d), 0}
}

// dates lets only days through that the calendar has.
func dates(d day) ([]day, bool) {
	t := time.Date(d.y, d.m, d.d, 12, 0, 0, 0, time.UTC)
	if d.y < 1970 || d.y > 9999 || t.Month() != d.m || t.Day() != d.d {
		// The 29th of February is a day of some other year.
		return nil, false
	}
	return []day{d}, true
}

// wordyDay reads "saturday 5 december", "december 5 2026", "10th january".
func wordyDay(w []string, year int) ([]day, bool) {
	named, hasName := weekdays[w[0]]
	if hasName {
		w = w[1:]
	}
	var out []day
	switch len(w) {
	case 1:
		if !hasName {
			return nil, false
		}
		found, ok := numericDay(w[0], year)
		if !ok {
			return nil, false
		}
		out = found
	case 2, 3:
		d, ok := monthDay(w, year)
		if !ok {
			return nil, false
		}
		out = []day{d}
	default:
		return nil, false
	}
	if hasName {
		out = onWeekday(out, named)
	}
	return out, len(out) > 0
}

// monthDay reads a day and a month in either order, and a year.
func monthDay(w []string, year int) (day, bool) {
	every := 1
	if len(w) == 3 {
		y, err := strconv.Atoi(w[2])
		if err != nil || y < 1970 || y > 9999 {
			return day{}, false
		}
		year, every = y, 0
	}
	a, b := w[0], strings.TrimSuffix(w[1], ".")
	if m, ok := months[strings.TrimSuffix(a, ".")]; ok {
		a, b = b, m.String()
	}
	g := ordinal.FindStringSubmatch(a)
	m, ok := months[strings.ToLower(b)]
	if g == nil || !ok {
		return day{}, false
	}
	if _, ok := dates(day{year, m, atoi(g[1]), every}); !ok {
		return day{}, false
	}
	return day{year, m, atoi(g[1]), every}, true
}

// onWeekday keeps the days that are the weekday they are called; a date that
// comes every year is looked for in the next one too.
func onWeekday(days []day, named time.Weekday) []day {
	var out []day
	for _, d := range days {
		for y := d.y; y <= d.y+d.every && y <= d.y+1; y++ {
			if time.Date(y, d.m, d.d, 12, 0, 0, 0, time.UTC).Weekday() == named {
				d.y, d.every = y, 0
				out = append(out, d)
				break
			}
		}
	}
	return out
}

// halfYear parts a date that was missed by mistake from one of next year.
const halfYear = 183 * 24 * time.Hour

// moment turns days into instants. A day of the week or of the year that is
// over is offered with the next one of its kind behind it.
func moment(days []day, clock time.Duration, dayOnly bool, c Clock) Moment {
	m := Moment{Day: dayOnly}
	for _, d := range days {
		t := local(d.y, d.m, d.d, clock, c.Zone)
		// Two ways to read a date are enough to ask about; its year is not
		// a third.
		if d.every == 1 && (c.Now.Sub(t) > halfYear || len(days) > 1 && !t.After(c.Now)) {
			t = local(d.y+1, d.m, d.d, clock, c.Zone)
		}
		if t.After(c.Now) {
			m.Readings = append(m.Readings, t)
			continue
		}
		m.Past = m.Past || len(m.Readings) == 0
		m.Readings = append(m.Readings, t)
		switch {
		case d.every == 7:
			m.Readings = append(m.Readings, local(d.y, d.m, d.d+7, clock, c.Zone))
		case d.every == 1:
			m.Readings = append(m.Readings, local(d.y+1, d.m, d.d, clock, c.Zone))
		}
	}
	return m
}

// local is a wall-clock time as an instant: an hour that does not exist is
// the first instant after the gap, one that comes twice is the first
// (trust.md 3.4). time.Date alone goes either way (finding M11).
func local(y int, mo time.Month, d int, clock time.Duration, zone *time.Location) time.Time {
	h, mi := int(clock/time.Hour), int(clock%time.Hour/time.Minute)
	t := time.Date(y, mo, d, h, mi, 0, 0, zone)
	start, end := t.ZoneBounds()
	if t.Hour() != h || t.Minute() != mi { // a gap
		if time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC).Before(time.Date(y, mo, d, h, mi, 0, 0, time.UTC)) {
			return end // it went back to before the gap
		}
		return start
	}
	if start.IsZero() || t.Sub(start) > 3*time.Hour {
		return t
	}
	_, now := t.Zone()
	_, before := start.Add(-time.Second).Zone()
	if first := t.Add(-time.Duration(before-now) * time.Second); before > now && first.Before(start) {
		return first
	}
	return t
}

// weekdays and months in English, with the short forms.
var (
	weekdays = map[string]time.Weekday{"sunday": 0, "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6,
		"sun": 0, "mon": 1, "tue": 2, "tues": 2, "wed": 3, "thu": 4, "thur": 4, "thurs": 4, "fri": 5, "sat": 6}
	months = map[string]time.Month{"january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6, "july": 7, "august": 8,
		"september": 9, "october": 10, "november": 11, "december": 12, "jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7,
		"aug": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11, "dec": 12}
)
