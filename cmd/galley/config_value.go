package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones must be known on machines without a zone database
)

// Duration is a length of time as people write it: "10m", "24h", "2d".
type Duration time.Duration

// UnmarshalText reads a duration; days are 24 hours.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			*d = Duration(time.Duration(n) * 24 * time.Hour)
			return nil
		}
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is no length of time; write for example \"90s\", \"10m\", \"24h\" or \"2d\"", s)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the duration as UnmarshalText reads it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String writes the duration without the zeros at its end: "10m", not "10m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// Weekday is a day of the week, by its English name.
type Weekday time.Weekday

// UnmarshalText reads a weekday; case is not minded.
func (w *Weekday) UnmarshalText(text []byte) error {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(string(text), d.String()) {
			*w = Weekday(d)
			return nil
		}
	}
	return fmt.Errorf("%q is no weekday; write \"saturday\"", text)
}

// MarshalText writes the weekday in lower case.
func (w Weekday) MarshalText() ([]byte, error) {
	return []byte(strings.ToLower(time.Weekday(w).String())), nil
}

// Day is a day of the calendar.
type Day time.Time

// UnmarshalText reads "2026-01-03".
func (d *Day) UnmarshalText(text []byte) error {
	day, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is no day; write \"2026-01-03\"", text)
	}
	*d = Day(day)
	return nil
}

// MarshalText writes the day as UnmarshalText reads it.
func (d Day) MarshalText() ([]byte, error) {
	return []byte(time.Time(d).Format(time.DateOnly)), nil
}

// TimeOfDay is a time on the wall clock.
type TimeOfDay struct{ Hour, Minute int }

// UnmarshalText reads "09:00" or "9:00".
func (t *TimeOfDay) UnmarshalText(text []byte) error {
	at, err := time.Parse("15:04", string(text))
	if err != nil {
		return fmt.Errorf("%q is no time of day; write \"09:00\", up to \"23:59\"", text)
	}
	t.Hour, t.Minute = at.Hour(), at.Minute()
	return nil
}

// MarshalText writes the time of day.
func (t TimeOfDay) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%02d:%02d", t.Hour, t.Minute), nil
}

// Zone is a time zone of the IANA database.
type Zone struct{ *time.Location }

// UnmarshalText reads a zone's name. "Local" is refused: it means another
// hour on another machine.
func (z *Zone) UnmarshalText(text []byte) error {
	name := string(text)
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return fmt.Errorf("%q is no time zone; write for example \"America/Toronto\" or \"UTC\"", name)
	}
	z.Location = loc
	return nil
}

// MarshalText writes the zone's name.
func (z Zone) MarshalText() ([]byte, error) {
	if z.Location == nil {
		return nil, nil
	}
	return []byte(z.Location.String()), nil
}
