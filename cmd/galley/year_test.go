package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// yearVerbs are the forms of lines that pass many weeks at a time.
var yearVerbs = []verb{
	on(`the house goes on through (\d+) usual weeks of Ines, from #(\d+)(?:, (\d+) later)?`, (*story).usualWeeks),
	on(`Ines mails week (\d+)(?:, (\d+) later)? as attachment`, (*story).mailsWeek),
	on(`(\d+) issues are out`, (*story).issuesAreOut),
	on(`the database is smaller than the mail it kept`, (*story).smallerThanMail),
	on(`nothing grows in (\d+) idle weeks`, (*story).idle),
}

// yearStart is the day of #1 in a story that tells a year.
var yearStart = time.Date(2000, time.January, 8, 9, 0, 0, 0, toronto)

// slotOf is when an issue goes: so many weeks later than its number says as
// slots were left out.
func slotOf(issue, later int) time.Time { return yearStart.AddDate(0, 0, 7*(issue-1+later)) }

// weekly is the text of an issue: of its own words, as a person's are.
func weekly(number int, day time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "---\ntitle: \"#%d - %s\"\nsubtitle: \"Week %d\"\ndate: %s\n---\n\nHi!\n\n", number, day.Format("2 Jan 2006"), number, day.Format(time.DateOnly))
	for k := range 8 {
		seed := number*8 + k
		fmt.Fprintf(&b, "## Part %d\n\n[Essay %d on gear %d](https://essays.example.org/%d) - Author %d\n\nPiece %d weighs %d grams, and whoever lifted it in year %d wrote %d pages about lever %d.\n\n",
			k+1, seed, seed*7919%1000, seed, seed*31%97, seed*17, seed*13%911, 1700+seed, seed*3, seed*5)
	}
	return b.String() + "## That's it…\n\nTake care,\n\nInes\n"
}

// usualWeeks is the usual week, again and again: on Friday the draft, its
// proof and the approval; on Saturday the copies and the report.
func (s *story) usualWeeks(w []string) {
	s.t.Helper()
	for k := range number(w[0]) {
		n := number(w[1]) + k
		slot := slotOf(n, number(w[2]))
		s.nap(time.Until(slot.Add(-20 * time.Hour)))
		s.mailsWeek([]string{fmt.Sprint(n), w[2]})
		s.gets([]string{"Ines", fmt.Sprintf("Proof 1 of #%d: ready", n)})
		s.reply("Ines", "Ines", "", "approve")
		s.gets([]string{"Ines", fmt.Sprintf("Approved: #%d goes %s", n, slot.Format("Monday 2 January, 15:04"))})
		s.nap(time.Until(slot.Add(-time.Minute)))
		time.Sleep(3 * time.Minute)
		s.have([]string{fmt.Sprintf("%d readers", s.plan.readers), fmt.Sprintf("#%d", n)})
		s.gets([]string{"Ines", fmt.Sprintf("Sent: #%d to %d of %d", n, s.plan.readers, s.plan.readers)})
		if s.t.Failed() {
			return
		}
	}
}

func (s *story) mailsWeek(w []string) {
	name, issue := "week"+w[0]+".md", number(w[0])
	s.texts[name] = weekly(issue, slotOf(issue, number(w[1])))
	s.mails([]string{"Ines", name, "attachment", ""})
}

// nap lets time pass with the house closed: what it would do meanwhile is
// nothing, and a ticker of a year would be all that the test does.
func (s *story) nap(d time.Duration) {
	s.end()
	time.Sleep(d)
	s.start()
}

func (s *story) issuesAreOut(w []string) {
	s.t.Helper()
	if n := len(s.issuesOut()); n != number(w[0]) {
		s.t.Errorf("%d issues are out", n)
	}
}

// smallerThanMail compares the database with what came and went by mail.
func (s *story) smallerThanMail(_ []string) {
	s.t.Helper()
	mail := 0
	for _, a := range s.sink.Messages() {
		mail += len(a.Octets)
	}
	came, err := s.imap.Messages("letter", "INBOX")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range came {
		mail += len(m.Raw)
	}
	s.end()
	defer s.start()
	books := int64(0)
	files, err := filepath.Glob(filepath.Join(s.dir, "*", "*.db*"))
	more, err2 := filepath.Glob(filepath.Join(s.dir, "*.db*"))
	if err != nil || err2 != nil || len(files)+len(more) == 0 {
		s.t.Fatalf("no database in %s: %v %v", s.dir, err, err2)
	}
	for _, f := range append(files, more...) {
		info, err := os.Stat(f)
		if err != nil {
			s.t.Fatal(err)
		}
		books += info.Size()
	}
	s.t.Logf("the database has %d kB, the mail %d kB", books>>10, mail>>10)
	if books > int64(mail) {
		s.t.Errorf("the database has %d octets, the mail %d", books, mail)
	}
}

// idle lets weeks pass in which nothing happens, with the house open.
func (s *story) idle(w []string) {
	s.t.Helper()
	time.Sleep(time.Hour)
	goroutines, before := runtime.NumGoroutine(), heap()
	for range number(w[0]) {
		time.Sleep(7 * 24 * time.Hour)
	}
	synctest.Wait()
	if n := runtime.NumGoroutine(); n > goroutines+2 {
		s.t.Errorf("%d goroutines became %d", goroutines, n)
	}
	after := heap()
	s.t.Logf("%d goroutines, %d kB at first, %d kB after %s weeks", goroutines, before>>10, after>>10, w[0])
	if after > before+before/10+1<<20 {
		s.t.Errorf("the memory grew from %d to %d octets", before, after)
	}
}

// heap is how much memory is in use when all that can be freed is free.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestIdleYear lets time pass in which nothing happens (issue 6): it is alone
// in its process's memory, and does not run beside others.
func TestIdleYear(t *testing.T) {
	if testing.Short() {
		t.Skip("a year is long")
	}
	const most = 20 * time.Second // of processors, for the whole year
	before := spentCPU(t)
	synctest.Test(t, func(t *testing.T) {
		tell(t, &txtar.Archive{Comment: []byte("given no slot\ngiven no reminders\ngiven a house that looks every 6h\nnothing grows in 52 idle weeks\n")})
	})
	spent := spentCPU(t) - before
	t.Logf("an idle year took %s of the processors", spent.Round(time.Millisecond))
	if spent > most && !raceDetector { // which costs more than the year
		t.Errorf("an idle year took %s of the processors", spent)
	}
}

// spentCPU is what the process has taken of the processors so far.
func spentCPU(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
