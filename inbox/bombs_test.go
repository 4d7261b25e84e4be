//go:build unix

package inbox

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	"galley/compose/markdown"
	"galley/inbox/mime"
)

// The limits of bar 54, for one mail.
const (
	bombTime   = 2 * time.Second // of the processor, in all threads
	bombMemory = 128 << 20       // octets of the heap beside what was there
)

// bomb is a mail made to be hard to read, and what is said of it: the kind
// and its reason, what was left unread, and what the text is refused for.
type bomb struct {
	name string
	raw  func() string // made when it is its turn, or the others' octets would let the heap grow
	want []string
}

const (
	bombHead  = "From: Ada <ada@readers.example>\nTo: " + rigBox + "\nSubject: hello\n"
	bombMixed = bombHead + "Content-Type: multipart/mixed; boundary=b\n\n"
	bombHTML  = bombHead + "Content-Type: text/html\n\n"
	tooLong   = "the draft is larger than Galley reads"
)

// bombs are those of the bar; scale divides the sizes of those that are read.
func bombs(scale int) []bomb {
	times := func(head, s string, n int) func() string {
		return func() string { return head + strings.Repeat(s, n/scale) }
	}
	mega := func(head, s string, n int) func() string { return times(head, s, n<<20/len(s)) }
	return []bomb{
		{"MIME depth 1,000", deepBomb, []string{"letter: ", "parts nested deeper than 20 were left out"}},
		{"300,000 parts", times(bombMixed, "--b\n\nx\n", 300_000), []string{"letter: ", "parts after the 200th were left out"}},
		{"a header of 5 MB", mega(bombHead, "X-Long: x"+strings.Repeat("y", 1<<20)+"\n", 5*scale), []string{"quarantine: ", "header is larger than 256 KiB"}},
		{"a folded header of 5 MB", mega(bombHead+"X-Long: x\n", " x\n", 5*scale), []string{"quarantine: ", "header is larger than 256 KiB"}},
		{"5 MB of fields", mega(bombHead, "X-Long: x\n", 5*scale), []string{"quarantine: ", "more than 1,000 fields"}},
		{"a mail of 100 MB", mega(bombHead+"\n", "Hello there.\n", 100*scale), []string{"quarantine: ", "larger than 25 MiB"}},
		{"a zip", mega(bombMixed+"--b\n\nSee the file.\n--b\nContent-Type: application/zip; name=big.zip\nContent-Transfer-Encoding: base64\n\n", strings.Repeat("UEsDBBQAAAAI", 6)+"\n", 16), []string{"letter: "}},
		{"100,000 divs", times(bombHTML, "<div>", 100_000), []string{"letter: "}},
		{"1 MB of ![a](", mega(bombHead+"\n", "![a](", 1), []string{"letter: ", tooLong}},
		{"128 KB of ![a](", times(bombHead+"\n", "![a](", scale*(128<<10)/5), []string{"letter: ", "brackets and exclamation marks"}},
		{"4 MB of a nested list", func() string { return listBomb(4 << 20 / scale) }, []string{"letter: ", tooLong}},
		{"128 KB of a nested list", func() string { return listBomb(120 << 10) }, []string{"letter: ", "nested more than 100 deep"}},
		{"4 MB of a nested list in HTML", mega(bombHTML, "<ul><li>item", 4), []string{"letter: ", tooLong}},
		{"YAML aliases", yamlBomb, []string{"letter: "}},
		{"10,000 links", func() string { return linkBomb(10_000 / scale) }, []string{"suggestion: links"}},
	}
}

func deepBomb() string {
	var b strings.Builder
	b.WriteString(bombHead)
	for n := range 1000 {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", n, n)
	}
	return b.String() + "\ndeep\n"
}

func listBomb(size int) string {
	var b strings.Builder
	b.WriteString(bombHead + "\n")
	for n := 0; b.Len() < size; n++ {
		b.WriteString(strings.Repeat(" ", 2*(n%500)) + "- item\n")
	}
	return b.String()
}

// yamlBomb would be 9 to the power of 100 words, were its aliases followed.
func yamlBomb() string {
	var b strings.Builder
	b.WriteString(bombHead + "\n---\ntitle: Hello\nk: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for n := range 100 {
		fmt.Fprintf(&b, "k%d: &a%d [%s]\n", n, n+1, strings.Repeat(fmt.Sprintf("*a%d, ", n), 9))
	}
	return b.String() + "---\n\n# Hello\n\nWords.\n"
}

func linkBomb(links int) string {
	var b strings.Builder
	b.WriteString(bombHead + "\n")
	for n := range links {
		fmt.Fprintf(&b, "https://example.org/%d is nice\n", n)
	}
	return b.String()
}

// TestBombs is bar 54: what is made to be hard to read costs no more than 2 s
// of the processor and 128 MiB, as a reader's mail, as an editor's draft and
// as the text of an issue, and it is said what was the matter.
func TestBombs(t *testing.T) {
	scale, bound := 1, bombTime
	if testing.Short() {
		scale = 8
	}
	if raceDetector { // it costs up to twenty times, and memory too; that is not the bomb's
		scale, bound = 8, 20*bound
	}
	for _, b := range bombs(scale) {
		t.Run(b.name, func(t *testing.T) {
			said := ""
			raw := []byte(b.raw())
			spent, high := cost(func() { said = defuse(t, raw) })
			if spent > bound || high > bombMemory {
				t.Errorf("it cost %v and %d MiB", spent, high>>20)
			}
			for _, want := range b.want {
				if !strings.Contains(said, want) {
					t.Errorf("it is said %q, and not %q", said, want)
				}
			}
			t.Logf("%v, %d MiB: %.200s", spent, high>>20, said)
		})
	}
}

// defuse reads a mail on every way that a mail takes, and gives what is said
// of it.
func defuse(t *testing.T, raw []byte) string {
	r := (&Inspector{}).Mail(t.Context(), raw)
	said := string(r.Kind) + ": " + r.Reason
	m, err := mime.Read(raw)
	if err != nil {
		return said
	}
	text, _, _, _, _ := mime.DraftText(m)
	d := markdown.Read(markdown.Source{Text: text, Subject: m.Subject, Date: m.Date})
	doc, found, err := markdown.Parse(t.Context(), d)
	if err != nil {
		return said + "; " + strings.Join(m.Notes, "; ") + "; " + err.Error()
	}
	doc.HTML(markdown.Mail)
	for _, f := range found {
		m.Notes = append(m.Notes, f.Message)
	}
	return said + "; " + strings.Join(m.Notes, "; ")
}

// cost is the time of the processor that a function takes, and how much the
// heap grows meanwhile at the most.
func cost(f func()) (spent time.Duration, high uint64) {
	runtime.GC()
	before, began := heap(), processor()
	done, peak := make(chan bool), make(chan uint64)
	go func() {
		top, tick := uint64(0), time.NewTicker(5*time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				top = max(top, heap())
			case <-done:
				peak <- max(top, heap())
				return
			}
		}
	}()
	f()
	spent = processor() - began
	close(done)
	if top := <-peak; top > before {
		high = top - before
	}
	return spent, high
}

// processor is the time that this process has had.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heap is how many octets of objects there are, also those not yet collected.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
