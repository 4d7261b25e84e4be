package reply

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pathological are what a megabyte of is hard to take apart.
var pathological = []string{
	"> ", ">>>>>>>>>>>>>>>> x\n", "a\n> b\n", "> http://a\nb\n", "AB> x\n", // quotes
	"On Mon, 1 Jan 2024 at 10:00, A <a@example.org> wrote:\n", "wrote:\n", "1 a@b:\n", "On ", "On a <\n", "<", "On <\n> x\n", // attributions
	"> On 1 Jan 2024 wrote:\n", "On 1:00 a@b:\n\n> x\n\ny\n", "Ada wrote:\nb\n", "On 1:00 a@b wrote:\nb\nb\nb\nb\n",
	"From: a@example.org\n", "From:\n", "a:\n", "*From:* x\n", "Subject: b\nDate: 1\n\n", "From: a\nTo: b\n> c\n", // header blocks
	"-----", "_____\n", "_____________\na\n", "----- Forwarded message -----\n", "Begin forwarded message:\n\n", "##- above -##\n", "----- Original Message -----\n> x\n", "--- Original Message ---\nOn 1:00 a@b wrote:\n> x\n", // separators
	"a\n", "\n\n", "-- \n", "Kind regards,\n", "- Bob\n\n", "Sent from my x\n", "This e-mail is ", "caution: external\n", // feet
}

// pathologicalPages are the same of HTML.
var pathologicalPages = []string{
	"<blockquote>a", "<div class=gmail_quote>a</div>b", "<div class=gmail_quote><blockquote>a</blockquote>b</div>",
	"<div class=gmail_attr>On 1:00 a@b wrote:</div>", "<hr>", "<ol><li>", "<p>a", "<a href=http://x>y", "</b>", "<pre>a\n",
}

// pathologicalLinks are the same of addresses.
var pathologicalLinks = []string{
	"https://a.example/\n", "https://a.example/", "http://a ", "http://", "http://www.", "www.a.", "://", "&amp;", "(http://a.example", "http://a.example(",
}

// TestPathological: a megabyte costs about eight times as much as an eighth of
// it, and not 64 times. What counts is the processor's time of this process:
// the clock on the wall would tell what else the machine does.
func TestPathological(t *testing.T) {
	for _, u := range pathological {
		grows(t, u, func(text string) { Split("Hello\n\n" + text + "\n> x\n") })
	}
	for _, u := range pathologicalPages {
		grows(t, u, func(page string) { SplitHTML("Hello<br>" + page) })
	}
	for _, u := range pathologicalLinks {
		grows(t, u, func(text string) { Links(text) })
	}
}

// grows compares the least time that work takes for an eighth of a megabyte
// and for a whole one, in as many tries as it takes to be left alone once.
func grows(t *testing.T, unit string, work func(string)) {
	t.Helper()
	size := 1 << 20
	if raceDetector { // it costs up to twenty times
		size >>= 4
	}
	whole := strings.Repeat(unit, size/len(unit))
	eighth := whole[:len(whole)/8/len(unit)*len(unit)]
	part, all := time.Hour, time.Hour
	bound := time.Second
	if raceDetector {
		bound *= 20
	}
	slow := func() bool { return all > 24*part+20*time.Millisecond || all > bound }
	for tries := 0; tries < 5 && slow(); tries++ {
		part, all = min(part, spent(t, work, eighth)), min(all, spent(t, work, whole))
	}
	t.Logf("%.30q: %d KB %v, eight times that %v", unit, size>>13, part, all)
	if slow() {
		t.Errorf("%q: %d KB took %v, eight times that %v", unit, size>>13, part, all)
	}
}

// spent is the processor's time that work takes, on all cores.
func spent(t *testing.T, work func(string), text string) time.Duration {
	t.Helper()
	runtime.GC() // what the last one left is not to be paid for by the next
	start := processorTime(t)
	work(text)
	return processorTime(t) - start
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSplit takes a megabyte of the hardest shapes.
func BenchmarkSplit(b *testing.B) {
	for _, u := range []string{"a:\n", "a\n> b\n", "Subject: b\nDate: 1\n\n", "1 a@b:\n", "On Mon, 1 Jan 2024 at 10:00, A <a@example.org> wrote:\n"} {
		text := strings.Repeat(u, (1<<20)/len(u))
		b.Run(u[:1], func(b *testing.B) {
			for b.Loop() {
				Split(text)
			}
		})
	}
}
