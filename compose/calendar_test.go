package compose

import (
	"galley/templates"
	"testing"
	"time"
	_ "time/tzdata"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// The twelve cases of the clock: gaps go to the first instant after them,
// hours that come twice to the first of the two.
func TestWallClockAtClockChanges(t *testing.T) {
	for _, c := range []struct{ zone, asked, want string }{
		{"Europe/Berlin", "2026-03-29 02:30", "2026-03-29T03:00:00+02:00"},
		{"Europe/Berlin", "2026-10-25 02:30", "2026-10-25T02:30:00+02:00"},
		{"Europe/Berlin", "2026-10-25 03:00", "2026-10-25T03:00:00+01:00"},
		{"America/New_York", "2026-03-08 02:30", "2026-03-08T03:00:00-04:00"},
		{"America/New_York", "2026-11-01 01:30", "2026-11-01T01:30:00-04:00"},
		{"Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-04T02:30:00+11:00"},
		{"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-05T01:45:00+11:00"},
		{"America/Santiago", "2026-09-06 00:30", "2026-09-06T01:00:00-03:00"},
		{"America/Santiago", "2026-04-04 23:30", "2026-04-04T23:30:00-03:00"},
		{"America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04T01:00:00-02:00"},
		{"Pacific/Apia", "2011-12-30 09:00", "2011-12-31T00:00:00+14:00"},
		{"America/Toronto", "2022-07-16 09:00", "2022-07-16T09:00:00-04:00"},
	} {
		day, err := time.Parse("2006-01-02 15:04", c.asked)
		if err != nil {
			t.Fatal(err)
		}
		got := wallClock(day.Year(), day.Month(), day.Day(), day.Hour(), day.Minute(), zone(t, c.zone))
		if got.Format(time.RFC3339) != c.want {
			t.Errorf("%s in %s is %s, want %s", c.asked, c.zone, got.Format(time.RFC3339), c.want)
		}
	}
}

// One slot a week for ten years, in zones of every kind, on the hour but for
// hours that the clocks leave out.
func TestSlotComesOnceAWeek(t *testing.T) {
	for _, name := range []string{
		"UTC", "Europe/Berlin", "Europe/London", "Europe/Moscow", "Europe/Istanbul", "America/New_York",
		"America/Toronto", "America/St_Johns", "America/Sao_Paulo", "America/Santiago", "America/Havana",
		"America/Asuncion", "America/Anchorage", "America/Caracas", "Africa/Cairo", "Africa/Casablanca",
		"Africa/Lagos", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Gaza", "Asia/Tokyo",
		"Asia/Shanghai", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Apia", "Pacific/Chatham",
		"Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Honolulu",
	} {
		s := &Slot{Weekday: time.Friday, Hour: 9, Zone: zone(t, name)}
		at := time.Date(2016, 1, 1, 0, 0, 0, 0, s.Zone).Add(-time.Hour)
		weeks := map[[2]int]bool{}
		for at = s.Next(at); at.Year() < 2026; at = s.Next(at) {
			year, week := at.ISOWeek()
			if weeks[[2]int{year, week}] {
				t.Fatalf("%s: two slots in week %d of %d", name, week, year)
			}
			weeks[[2]int{year, week}] = true
			if at.Weekday() != time.Friday || at.Hour() != 9 || at.Minute() != 0 {
				t.Errorf("%s: slot at %s", name, at)
			}
		}
		if len(weeks) != 522 && len(weeks) != 521 && len(weeks) != 523 {
			t.Errorf("%s: %d slots in ten years", name, len(weeks))
		}
	}
}

func TestNextIsAfterAndNeverTheSameSlot(t *testing.T) {
	s := &Slot{Weekday: time.Saturday, Hour: 9, Zone: zone(t, "America/Toronto")}
	at := s.Next(time.Date(2022, 7, 16, 12, 59, 59, 0, time.UTC))
	if got := at.UTC().Format(time.RFC3339); got != "2022-07-16T13:00:00Z" {
		t.Errorf("a second before the slot the next is %s", got)
	}
	if got := s.Next(at).UTC().Format(time.RFC3339); got != "2022-07-23T13:00:00Z" {
		t.Errorf("at the slot itself the next is %s", got)
	}
}

func TestWords(t *testing.T) {
	n := &Newsletter{Zone: zone(t, "America/Toronto"), Frame: Frame{Looks: templates.Look("")}}
	at := time.Date(2022, 7, 16, 13, 0, 0, 0, time.UTC)
	if got := n.when(at, at); got != "Saturday 16 July, 09:00 in Toronto" {
		t.Error(got)
	}
	if got := n.when(at, at.AddDate(1, 0, 0)); got != "Saturday 16 July 2022, 09:00 in Toronto" {
		t.Error(got)
	}
	vienna, auckland := zone(t, "Europe/Vienna"), zone(t, "Pacific/Auckland")
	for place, want := range map[*time.Location]string{n.Zone: "Saturday 16 July, 09:00 in Toronto", zone(t, "America/New_York"): "Saturday 16 July, 09:00 in Toronto",
		vienna: "Saturday 16 July, 09:00 in Toronto (15:00 where you are)", auckland: "Saturday 16 July, 09:00 in Toronto (Sunday, 01:00 where you are)"} {
		if got := n.whenFor(at, at, place); got != want {
			t.Errorf("for %s it is %q", place, got)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1604: "1,604", 1234567: "1,234,567", -1604: "-1,604"} {
		if got := templates.Thousands(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
	for d, want := range map[time.Duration]string{time.Minute: "one minute", 10 * time.Minute: "ten minutes", 38 * time.Minute: "38 minutes", 90 * time.Minute: "90 minutes", 2 * time.Hour: "two hours", 72 * time.Hour: "three days"} {
		if got := n.span(d); got != want {
			t.Errorf("%v is written %s", d, got)
		}
	}
}
