package list

import (
	"encoding/csv"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
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
		out = append(out, cells)
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
		i := &importer{l: &List{}, now: now, records: newRecords(strings.NewReader(s))}
		if i.header() != nil {
			return
		}
		batch, more, err := i.ahead()
		if err != nil || i.report.Read != len(batch)+i.report.Away+i.report.Faulty && !more {
			t.Fatalf("%+v, %d people, %v", i.report, len(batch), err)
		}
		for _, p := range batch {
			if p.address.IsZero() || p.joined.After(now.Add(48*time.Hour)) || strings.ContainsAny(p.name, "\r\n\x00") || p.away {
				t.Fatalf("%+v", p)
			}
		}
	})
}
