package compose

import (
	"strings"
	"time"
)

// Slot is the time at which an issue goes, every week or every few: a
// wall-clock hour in a named zone, which it keeps when the clocks change.
type Slot struct {
	Weekday      time.Weekday
	Hour, Minute int
	Zone         *time.Location
	Every        int             // weeks from one slot to the next; 0 is 1
	First        time.Time       // with Every: a day of the week in which a slot falls
	Starter      time.Duration   // how long before the slot the empty form comes; 0 never
	Remind       []time.Duration // how long before the slot the desk reminds, longest first
}

// Next is the first instant of the slot that lies after t.
func (s *Slot) Next(t time.Time) time.Time {
	local := t.In(s.Zone)
	// Two days back, since a gap in the calendar may have moved the slot of
	// a day that seems to be over.
	for back := -2; ; back++ {
		day := time.Date(local.Year(), local.Month(), local.Day()+back, 12, 0, 0, 0, time.UTC)
		if day.Weekday() != s.Weekday || !s.inTurn(day) {
			continue
		}
		if at := s.On(day); at.After(t) {
			return at
		}
	}
}

// Last is the newest slot that does not lie after t.
func (s *Slot) Last(t time.Time) time.Time {
	last := time.Time{}
	for at := s.Next(t.AddDate(0, 0, -7*max(s.Every, 1)-3)); !at.After(t); at = s.Next(at) {
		last = at
	}
	return last
}

// inTurn tells the weeks in which a slot falls. Weeks begin on Monday, as
// ISO 8601 has them.
func (s *Slot) inTurn(day time.Time) bool {
	return s.Every < 2 || (week(day)-week(s.First))%s.Every == 0
}

// week numbers the weeks since Monday 5 January 1970, by the day's own
// calendar.
func week(day time.Time) int {
	utc := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
	days := int(utc.Unix()/(24*60*60)) - 4
	if days < 0 {
		days -= 6 // Go divides towards zero
	}
	return days / 7
}

// Of is the slot in the calendar week of t; the zero time when none falls in
// it.
func (s *Slot) Of(t time.Time) time.Time {
	local := t.In(s.Zone)
	back := (int(local.Weekday()) + 6) % 7 // days since Monday
	for day := range 7 {
		d := time.Date(local.Year(), local.Month(), local.Day()-back+day, 12, 0, 0, 0, time.UTC)
		if d.Weekday() == s.Weekday && s.inTurn(d) {
			return s.On(d)
		}
	}
	return time.Time{}
}

// Instant is the slot on a day as Day names it.
func (s *Slot) Instant(day string) time.Time {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}
	}
	return s.On(d)
}

// On is the slot's instant on the calendar day of d, read in d's own zone.
func (s *Slot) On(d time.Time) time.Time {
	return wallClock(d.Year(), d.Month(), d.Day(), s.Hour, s.Minute, s.Zone)
}

// Day names the local calendar day of the slot at t, as 2006-01-02: the key
// under which a slot is used once.
func (s *Slot) Day(t time.Time) string { return t.In(s.Zone).Format(time.DateOnly) }

// wallClock is the instant at which clocks in zone show the given time. An
// hour that does not exist becomes the first instant that does; of an hour
// that comes twice it is the first. time.Date promises neither: it answers
// an hour too early in New York and the day before in Santiago.
func wallClock(year int, month time.Month, day, hour, minute int, zone *time.Location) time.Time {
	want := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	before, after := offset(want.Add(-24*time.Hour), zone), offset(want.Add(24*time.Hour), zone)
	early, late := want.Add(-before), want.Add(-after)
	if late.Before(early) {
		early, late = late, early
	}
	for _, t := range []time.Time{early, late} {
		if t.Add(offset(t, zone)).Equal(want) {
			return t.In(zone)
		}
	}
	// In a gap the old offset points behind the jump, so the jump is where
	// the zone that holds there begins.
	start, _ := want.Add(-before).In(zone).ZoneBounds()
	return start
}

func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// when writes an instant as the desk's mails do: "Saturday 16 July, 09:00 in
// Toronto", with the year where it is not the year of now.
func (n *Newsletter) when(t, now time.Time) string { return n.whenFor(t, now, nil) }

// whenFor is when, with the hour where the reader is, if that is another one.
func (n *Newsletter) whenFor(t, now time.Time, yours *time.Location) string {
	local := t.In(n.Zone)
	data := map[string]any{"At": local, "Year": local.Year() != now.In(n.Zone).Year(), "Place": Place(n.Zone), "Yours": ""}
	if yours != nil {
		data["Yours"] = n.elsewhere(local, t.In(yours))
	}
	return n.phrase("instant", data)
}

// elsewhere is the hour of another place, with the weekday where that differs;
// "" when its clocks show the same.
func (n *Newsletter) elsewhere(here, there time.Time) string {
	switch {
	case here.Format(time.DateTime) == there.Format(time.DateTime):
		return ""
	case here.YearDay() == there.YearDay():
		return there.Format("15:04")
	}
	return n.phrase("weekday-hour", there)
}

// Place is the town that a zone is named after: "Toronto" for
// America/Toronto.
func Place(zone *time.Location) string {
	name := zone.String()
	return strings.ReplaceAll(name[strings.LastIndexByte(name, '/')+1:], "_", " ")
}

// span writes a duration in words of the size that a person would use: "ten
// minutes".
func (n *Newsletter) span(d time.Duration) string {
	unit, many := "minute", 0
	switch d = d.Round(time.Minute); {
	case d >= 48*time.Hour:
		unit, many = "day", int(d/(24*time.Hour))
	case d >= 2*time.Hour:
		unit, many = "hour", int(d/time.Hour)
	default:
		many = int(d / time.Minute)
	}
	return n.phrase("span", map[string]any{"Unit": unit, "N": many})
}
