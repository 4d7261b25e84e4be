package list

import (
	"encoding/csv"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"galley/send/store"
)

// readAll reads every record, with the number of faults.
func readAll(t testing.TB, text string) (out [][]string, faults int) {
	t.Helper()
	r := newRecords(strings.NewReader(text))
	for last := 0; ; {
		cells, err := r.read()
		if err == io.EOF {
			return out, faults
		}
		if r.line <= last || r.line > strings.Count(text, "\n")+1 {
			t.Fatalf("line %d after %d of %q", r.line, last, text)
		}
		last = r.line
		if err != nil {
			faults++
			continue
		}
		out = append(out, slices.Clone(cells))
	}
}

func TestOneOpenQuoteLosesOneRecord(t *testing.T) {
	got, faults := readAll(t, "a,b\n\"c,d\ne,f\n\"g\nh\",i\n")
	want := [][]string{{"a", "b"}, {"e", "f"}, {"g\nh", "i"}}
	if !reflect.DeepEqual(got, want) || faults != 1 {
		t.Errorf("got %q and %d faults, want %q", got, faults, want)
	}
}

// Whatever encoding/csv accepts is read alike; nothing ends the reading early.
func FuzzRecords(f *testing.F) {
	for _, s := range []string{"a,b\nc,d\n", "\"a\"\"b\",c\r\n\r\nd", "\"x\ny\",z\n", "\"open\nx,y\n", "a\"b,c\n\"d\"e\n", ",,\n\n\"\"", "\ufeffemail\nx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, faults := readAll(t, s)
		r := csv.NewReader(strings.NewReader(s))
		r.FieldsPerRecord = -1
		want, err := r.ReadAll()
		if err != nil || strings.Contains(s, "\r") || len(s) > maxRecord || strings.Count(s, "\n") > 99 {
			return // bare quotes and odd line ends are read more kindly here
		}
		if faults > 0 || len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: got %q and %d faults, want %q", s, got, faults, want)
		}
	})
}

// No header and no record makes the reader fall over, and what it takes for
// a person has an address and a time.
func FuzzPeople(f *testing.F) {
	f.Add("email,name,date\nada@example.org,Ada,2023-01-01\n")
	f.Add("Email Address;First Name;CONFIRM_TIME;status\n a@b.example ;x;2020-01-02 10:00:00;active\n")
	f.Add("\ufeffe-mail\tname\nx@y.example\t'=1\n")
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		in, err := newReader(strings.NewReader(s), now)
		if err != nil {
			return
		}
		var got portion
		in.next(t.Context(), &got)
		if got.err != nil || got.read != len(got.people)+got.away+got.faulty && !got.more {
			t.Fatalf("%+v", got)
		}
		for _, p := range got.people {
			if p.address.IsZero() || p.joined > store.Micros(now.Add(48*time.Hour)) || strings.ContainsAny(p.name, "\r\n\x00") {
				t.Fatalf("%+v", p)
			}
			if again, err := ParseAddress(p.address.String()); err != nil || again != p.address || p.key != p.address.Key() {
				t.Fatalf("%+v is read as %v, %v", p, again, err)
			}
		}
	})
}

// A file's dates are tried in the form of the one before first, so no text may
// be read in two forms as two instants.
func TestDatesHaveOneMeaning(t *testing.T) {
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("", 3600), time.FixedZone("", -9*3600-1800), time.FixedZone("CET", 3600), time.FixedZone("", 14*3600)} {
		for _, at := range []time.Time{time.Date(2024, 3, 9, 14, 5, 6, 789_000_000, zone), time.Date(2021, 11, 12, 0, 0, 0, 0, zone)} {
			for _, form := range dates {
				text := at.Format(form)
				var first int64
				for _, other := range dates {
					l := layout{form: other}
					got, err := l.instant(text, at.AddDate(1, 0, 0))
					if first == 0 {
						first = got
					}
					if err != nil || got != first {
						t.Errorf("%q after a date as %q: %v, %v; otherwise %v", text, other, store.Instant(got), err, store.Instant(first))
					}
				}
			}
		}
	}
}

// A person of a portion does not keep the line that they came from.
func TestPeopleAreKeptApart(t *testing.T) {
	for _, who := range []string{"Ada@example.org", "ada@example.org", "ada@EXAMPLE.org"} {
		line := who + ",Ada," + strings.Repeat("long ", 1000)
		l := layout{address: []int{0}, name: []int{1}, width: 3}
		p, away, err := l.read(strings.Split(line, ","), time.Time{})
		p.keep()
		if away || err != nil || p.key != "ada@example.org" || p.name != "Ada" || !strings.EqualFold(p.address.String(), "ada@example.org") {
			t.Fatalf("%+v, %v", p, err)
		}
		from, to := uintptr(unsafe.Pointer(unsafe.StringData(line))), uintptr(len(line))
		for _, s := range []string{p.address.s, p.key, p.name} {
			if at := uintptr(unsafe.Pointer(unsafe.StringData(s))); at >= from && at < from+to {
				t.Errorf("%q keeps its line", s)
			}
		}
	}
}
