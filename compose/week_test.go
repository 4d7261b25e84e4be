package compose

import (
	"testing"
	"time"
)

// A slot every few weeks counts calendar weeks from the day that is given, in
// every zone, over ends of years and over clock changes.
func TestSlotEveryFewWeeks(t *testing.T) {
	for _, name := range []string{"America/Toronto", "Pacific/Apia", "Australia/Lord_Howe", "America/Santiago"} {
		for every := 2; every <= 5; every++ {
			s := &Slot{Weekday: time.Sunday, Hour: 9, Zone: zone(t, name), Every: every, First: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)}
			at := s.Next(time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC))
			met := false
			for n := 0; n < 400/every; n++ {
				next := s.Next(at)
				if days := next.Sub(at).Round(24 * time.Hour); days != time.Duration(7*every)*24*time.Hour {
					t.Fatalf("%s, every %d weeks: %s comes after %s", name, every, next, at)
				}
				if last := s.Last(next.Add(-time.Second)); !last.Equal(at) {
					t.Fatalf("%s, every %d weeks: before %s came %s and not %s", name, every, next, last, at)
				}
				if !s.Last(next).Equal(next) || !s.Of(next).Equal(next) {
					t.Fatalf("%s: %s is not the slot of its own week", name, next)
				}
				at = next
				met = met || s.Day(at) == "2021-01-03"
			}
			if !met {
				t.Errorf("%s, every %d weeks: no slot in the week of 1 January 2021", name, every)
			}
		}
	}
}

func TestSlotOfAWeek(t *testing.T) {
	s := &Slot{Weekday: time.Saturday, Hour: 9, Zone: zone(t, "America/Toronto")}
	for when, want := range map[string]string{
		"2022-07-11T00:00:00-04:00": "2022-07-16", "2022-07-17T23:59:00-04:00": "2022-07-16", "2022-07-18T00:30:00-04:00": "2022-07-23",
		"2022-07-18T03:30:00Z": "2022-07-16", // still Sunday in Toronto
	} {
		at, err := time.Parse(time.RFC3339, when)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Day(s.Of(at)); got != want {
			t.Errorf("the slot of the week of %s is %s, want %s", when, got, want)
		}
	}
	s.Every, s.First = 2, time.Date(2022, 7, 16, 0, 0, 0, 0, time.UTC)
	if at := s.Of(time.Date(2022, 7, 20, 12, 0, 0, 0, time.UTC)); !at.IsZero() {
		t.Errorf("a week without a slot has %s", at)
	}
}

func TestMuchChanged(t *testing.T) {
	for _, c := range []struct {
		was, is int
		want    bool
	}{{1604, 1700, false}, {1604, 1765, true}, {1604, 1443, true}, {1604, 1444, false}, {20, 22, false}, {20, 23, true}, {2, 0, false}, {0, 500, false}} {
		if muchChanged(c.was, c.is) != c.want {
			t.Errorf("from %d to %d: %v", c.was, c.is, !c.want)
		}
	}
}
