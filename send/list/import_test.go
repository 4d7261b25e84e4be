package list_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"galley/send/list"
	"galley/send/servertest"
	"galley/send/store"
	"galley/send/store/storetest"
)

// take imports text and checks that the figures add up.
func take(t testing.TB, db *store.DB, text string) list.Report {
	t.Helper()
	rep, err := books.Import(t.Context(), db, news, "people.csv", strings.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	sum(t, rep)
	return rep
}

func sum(t testing.TB, r list.Report) {
	t.Helper()
	if r.Read != r.Added+r.Already+r.Left+r.Suppressed+r.Away+r.Faulty || r.Faulty < len(r.Faults) {
		t.Errorf("the figures do not add up: %+v", r)
	}
}

func all(t testing.TB, db *store.DB) (out []string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		people, err := books.All(t.Context(), tx, news, 0, 100_000)
		for _, s := range people {
			out = append(out, fmt.Sprintf("%s|%s|%s|%s", s.Address, s.Name, s.State, s.Joined.Format(time.RFC3339)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The columns are those of the hosts' exports, the people are made up.
func TestImportKnowsTheBigHosts(t *testing.T) {
	for host, c := range map[string]struct {
		csv  string
		want []string
		away int
	}{
		"buttondown": {"email_address,notes,metadata,tags,referrer_url,type,creation_date,source,unsubscription_date\n" +
			"ada@example.org,,{},\"a,b\",,regular,2021-03-05T12:33:11.123456Z,organic,\n" +
			"eve@example.org,,{},,,unactivated,2021-03-05T12:33:11Z,organic,\n" +
			"bob@example.org,,{},,,unsubscribed,2021-03-05T12:33:11Z,organic,2022-01-01T00:00:00Z\n",
			[]string{"ada@example.org||active|2021-03-05T12:33:11Z"}, 2},
		"mailchimp": {"Email Address,First Name,Last Name,State,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LAST_CHANGED,UNSUB_TIME,TAGS\n" +
			"ada@example.org,Ada,Lovelace,CA,3,2020-01-01 09:00:00,192.0.2.1,2020-01-02 10:00:00,192.0.2.1,2023-05-05 00:00:00,,\"\"\"x\"\"\"\n" +
			"bob@example.org,Bob,,NY,2,2020-01-01 09:00:00,192.0.2.1,,,2023-05-05 00:00:00,2021-07-01 08:00:00,\n" +
			"cy@example.org,,Young,,2,2020-01-01 09:00:00,192.0.2.1,,,,,\n",
			[]string{"ada@example.org|Ada Lovelace|active|2020-01-02T10:00:00Z", "cy@example.org|Young|active|2020-01-01T09:00:00Z"}, 1},
		"substack": {"email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n" +
			"ada@example.org,false,,other,false,2022-02-03T04:05:06.000Z,\n" +
			"bob@example.org,true,,yearly,true,2022-02-03T04:05:06.000Z,\n",
			[]string{"ada@example.org||active|2022-02-03T04:05:06Z"}, 1},
		"listmonk": {"uuid,email,name,attributes,status,created_at,updated_at\n" +
			"11111111-2222-3333-4444-555555555555,ada@example.org,Ada L,\"{\"\"city\"\": \"\"London\"\"}\",enabled,2023-04-05 06:07:08.9+00:00,2023-04-05\n" +
			"11111111-2222-3333-4444-555555555556,bob@example.org,Bob,{},blocklisted,2023-04-05 06:07:08+00,2023-04-05\n",
			[]string{"ada@example.org|Ada L|active|2023-04-05T06:07:08Z"}, 1},
		"ghost": {"id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n" +
			"64aa,ada@example.org,Ada,,true,false,,2023-04-05T06:07:08.000Z,,\"x,y\",\n" +
			"64ab,bob@example.org,Bob,,false,false,,2023-04-05T06:07:08.000Z,,,\n" +
			"64ac,cy@example.org,Cy,,true,false,,2023-04-05T06:07:08.000Z,2024-01-01T00:00:00.000Z,,\n",
			[]string{"ada@example.org|Ada|active|2023-04-05T06:07:08Z"}, 2},
		"galley": {"address,name,status,joined,changed\nada@example.org,'=Ada,active,2023-04-05T06:07:08Z,2024-01-01T00:00:00Z\nbob@example.org,,left,2023-04-05T06:07:08Z,\n",
			[]string{"ada@example.org|=Ada|active|2023-04-05T06:07:08Z"}, 1},
		"a spreadsheet": {"\ufeffName;E-Mail;Consent date\r\n\"Lovelace; Ada\";ADA@example.org;2023-04-05\r\n;;\r\n",
			[]string{"ADA@example.org|Lovelace; Ada|active|2023-04-05T00:00:00Z"}, 0},
		"tabs": {"email\tname\nada@example.org\tAda, the first\n", []string{"ada@example.org|Ada, the first|active|now"}, 0},
	} {
		t.Run(host, func(t *testing.T) {
			db := storetest.Open(t)
			rep := take(t, db, c.csv)
			got := all(t, db)
			for i := range got {
				if i < len(c.want) && strings.HasSuffix(c.want[i], "|now") {
					got[i] = got[i][:strings.LastIndex(got[i], "|")] + "|now"
				}
			}
			if !reflect.DeepEqual(got, c.want) || rep.Added != len(c.want) || rep.Away != c.away {
				t.Errorf("got %q, report %+v; want %q, %d away", got, rep, c.want, c.away)
			}
		})
	}
}

func TestImportTellsFaultsByLine(t *testing.T) {
	db := storetest.Open(t)
	rep := take(t, db, "address,name,date,status\n"+
		"ada@example.org,Ada,2023-01-01,\n"+
		"no address,,,\n"+
		"\n"+
		"bob@example.org,Bob,03/04/2023,\n"+
		"cy@example.org,Young, Cy,2023-01-01,\n"+
		"di@example.org,\"Di,2023-01-01,\n"+ // the quote is never closed
		"ed@example.org,Ed\xe9,2023-01-01,\n"+
		"flo@example.org,\"Flo\" Nightingale,2023-01-01,\n"+
		"gus@example.org,Gus,2923-01-01,\n"+
		"hal@example.org,Hal,2023-01-01,vip\n"+
		"ian@example.org,Ian "+strings.Repeat("n", 70_000)+",,\n"+
		"joy@example.org,\"Joy\nof \"\"Reading\"\"\",2023-01-01\n"+
		"kim@example.org,Kim \"Kit\" K")
	var got []string
	for _, f := range rep.Faults {
		got = append(got, fmt.Sprintf("%d: %s", f.Line, f.What))
	}
	want := []string{
		`3: "no address" is no address: it has no @; write name@example.org`,
		`5: "03/04/2023" is no date, or one that can be read in two ways; write 2024-03-09`,
		`6: 5 cells under 4 columns; put cells with a comma in quotes`,
		`7: a quote (") is opened and not closed; double the quotes inside a cell`,
		`8: not UTF-8; save the file as UTF-8`,
		`9: something stands behind the closing quote ("); double the quotes inside a cell`,
		`10: the date "2923-01-01" cannot be the day of a consent`,
		`11: the status "vip" is not known; write "active", or "left" for those who are not to get it, or take the column out`,
		`12: the line is longer than 64 KiB; is this a list?`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if people := recipients(t, db, 10); !reflect.DeepEqual(people, []string{"ada@example.org", "joy@example.org", "kim@example.org"}) {
		t.Errorf("taken: %q", people)
	}
	if rep.Faulty != len(want) || rep.Added != 3 {
		t.Errorf("report %+v", rep)
	}
	if names := strings.Join(all(t, db), " "); !strings.Contains(names, `|Joy of "Reading"|`) || !strings.Contains(names, `|Kim "Kit" K|`) {
		t.Errorf("names: %s", names)
	}
}

func TestImportRefusesWhatIsNoList(t *testing.T) {
	db := storetest.Open(t)
	for text, want := range map[string]string{
		"": "empty", "ada@example.org\nbob@example.org\n": "no column", "\xff\xfea\x00": "UTF-16", "\"email\n": "line 1",
		strings.Repeat("email,", 20_000): "line 1",
	} {
		_, err := books.Import(t.Context(), db, news, "x.csv", strings.NewReader(text), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// Nobody who left or is suppressed comes back, however often a list is imported.
func TestImportBringsNobodyBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		text := "email,name\nada@example.org,Ada\nbob@example.org,Bob\nADA@Example.org,Ada again\ncy@example.org,Cy\ndi@example.org,Di\n"
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			_, err := books.Suppress(ctx, tx, news, address(t, "di@example.org"), "erased")
			return err
		})
		if rep := take(t, db, text); rep.Added != 3 || rep.Already != 1 || rep.Suppressed != 1 {
			t.Errorf("first time: %+v", rep)
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			_, err := books.LeaveAddress(ctx, tx, news, address(t, "bob@example.org"), "one-click")
			_, err2 := books.Suppress(ctx, tx, news, address(t, "cy@example.org"), "bounced")
			return errors.Join(err, err2)
		})
		before := all(t, db)
		if rep := take(t, db, text); rep.Added != 0 || rep.Already != 2 || rep.Left != 1 || rep.Suppressed != 2 {
			t.Errorf("again: %+v", rep)
		}
		if after := all(t, db); !reflect.DeepEqual(before, after) {
			t.Errorf("before %q, after %q", before, after)
		}
		s := find(t, db, "ada@example.org")
		if got := history(t, db, s.ID); len(got) != 1 || got[0] != "joined: import of people.csv, line 2, no date of consent given" {
			t.Errorf("history %q", got)
		}
	})
}

func find(t testing.TB, db *store.DB, who string) (s list.Subscriber) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) (err error) {
		s, err = books.Find(t.Context(), tx, news, address(t, who))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// crowd is a list of n people as CSV.
func crowd(n int) string {
	var b strings.Builder
	b.WriteString("email,name,consent date\n")
	for i := range n {
		fmt.Fprintf(&b, "r%07d@example.org,Reader %d,2024-03-09\n", i*7919%n, i)
	}
	return b.String()
}

// A list that broke off is imported again: whole batches are there, nobody twice.
func TestImportBrokenOffGoesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const n = 25_000
		text := crowd(n)
		broken := io.MultiReader(strings.NewReader(text[:len(text)*9/10]), &failing{})
		var steps []int
		rep, err := books.Import(t.Context(), db, news, "x", broken, func(read int) { steps = append(steps, read) })
		if !errors.Is(err, errDisk) {
			t.Fatalf("the fault of the file: %v", err)
		}
		sum(t, rep)
		// PostgreSQL takes two at once: the last and short one may be there first.
		inTurn := slices.Equal(steps, []int{10_000, 20_000, rep.Read}) || db.Dialect() == store.PostgreSQL && slices.Contains(steps, rep.Read-10_000)
		if len(steps) != 3 || !inTurn || !slices.IsSorted(steps) || steps[2] != rep.Read || len(recipients(t, db, 5000)) != rep.Added {
			t.Errorf("steps %v, report %+v", steps, rep)
		}
		again := take(t, db, text)
		if again.Added+rep.Added != n || again.Already != rep.Added || len(recipients(t, db, 5000)) != n {
			t.Errorf("again: %+v after %+v", again, rep)
		}
	})
}

// When the books cannot be written any more, or nobody waits for it, an import
// ends, also while it reads ahead, and its reader is the caller's again.
func TestImportEndsInTheMidst(t *testing.T) {
	text := crowd(350_000)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, end := range []string{"cancelled", "no books"} {
			t.Run(end, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				in, before := &lent{Reader: strings.NewReader(text)}, len(recipients(t, db, 5000))
				rep, err := books.Import(ctx, db, news, "x", in, func(int) {
					if end == "no books" {
						db.Close()
					} else {
						cancel()
					}
				})
				in.back = true                                                                        // the race detector sees whoever still reads
				whole := rep.Read == 10_000 || rep.Read == 20_000 && db.Dialect() == store.PostgreSQL // which takes two at once
				if err == nil || !whole || rep.Added+rep.Already != rep.Read {
					t.Errorf("%+v, %v", rep, err)
				}
				sum(t, rep)
				if end == "no books" {
					return
				}
				added := len(recipients(t, db, 5000)) - before
				cutOff := db.Dialect() == store.PostgreSQL && rep.Read == 10_000 && added == 20_000 // a commit whose answer nobody waited for
				if added != rep.Added && !cutOff {
					t.Errorf("%d are on the books, not %d", added, rep.Added)
				}
			})
		}
	})
}

// Whoever stands in a file so often that a transaction ends among their lines
// joins once, also where several are written at once.
func TestImportOfOneOftenNamed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		rep := take(t, db, crowd(19_995)+strings.Repeat("zoe@example.org,Zoe,2024-03-09\n", 30_000))
		if want := (list.Report{Read: 49_995, Added: 19_996, Already: 29_999}); !reflect.DeepEqual(rep, want) {
			t.Errorf("%+v, not %+v", rep, want)
		}
	})
}

// lent is a reader that must not be used when it was given back.
type lent struct {
	io.Reader
	back bool
}

func (l *lent) Read(p []byte) (int, error) {
	if l.back {
		return 0, errors.New("read after it was given back")
	}
	return l.Reader.Read(p)
}

var errDisk = errors.New("the disk went away")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }

func TestImportCountsOnlyWhatIsOnTheBooks(t *testing.T) {
	db := storetest.Open(t)
	db.Close()
	rep, err := books.Import(t.Context(), db, news, "x", strings.NewReader("email\nada@example.org\nbad\n"), nil)
	if err == nil || rep.Added != 0 {
		t.Errorf("%+v, %v", rep, err)
	}
	sum(t, rep)
}

// What Export writes, Import reads back, and those away stay away.
func TestExportRoundTrip(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		take(t, db, "email,name,date\nada@example.org,\"Ada \"\"A\"\", L\",2023-01-02\n=x@example.org,=1+1,2023-01-03\nbob@example.org,Bob,2023-01-04\ncy@example.org,-Cy,2023-01-05\n")
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			_, err := books.LeaveAddress(ctx, tx, news, address(t, "bob@example.org"), "x")
			return err
		})
		var out bytes.Buffer
		if err := books.Export(t.Context(), db, news, &out); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, "=") || strings.Contains(line, ",=") || strings.Contains(line, ",-") {
				t.Errorf("a spreadsheet would take a cell for a formula: %s", line)
			}
		}
		other := storetest.Open(t)
		rep := take(t, other, out.String())
		if rep.Added != 3 || rep.Away != 1 || rep.Faulty != 0 {
			t.Errorf("read back: %+v\n%s", rep, out.String())
		}
		want := map[string]bool{}
		for _, s := range all(t, db) {
			want[s] = !strings.Contains(s, "|left|")
		}
		for _, s := range all(t, other) {
			if !want[s] {
				t.Errorf("came back as %s", s)
			}
			delete(want, s)
		}
	})
}

// BenchmarkImport is goal P3, with the checks, the row of consent and progress;
// -rows=1000000 is its size. The processor's time is for all of the process,
// without PostgreSQL's, which GALLEY_SERVERS=1 starts.
func BenchmarkImport(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchImport(b, func() *store.DB { return storetest.Open(b) }) })
	b.Run("postgres", func(b *testing.B) {
		server := servertest.StartPostgres(b).URL
		benchImport(b, func() *store.DB {
			db, err := store.Open(b.Context(), storetest.Schema(b, server))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { db.Close() })
			return db
		})
	})
}

func benchImport(b *testing.B, open func() *store.DB) {
	n := *rows
	text := crowd(n)
	began := spent(b)
	for b.Loop() {
		if _, err := books.Import(b.Context(), open(), news, "x", strings.NewReader(text), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64((spent(b)-began).Nanoseconds())/1e3/float64(n)/float64(b.N), "cpu-µs/row")
}

var rows = flag.Int("rows", 100_000, "how many people BenchmarkImport imports")

// spent is the processor's time of this process so far.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
