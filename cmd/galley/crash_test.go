package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"galley/send"
	"galley/send/sendtest"
)

// TestKilledInMidRun is bar 25 of the trust design: 8 connections and 2,000
// readers with ten kills at random moments, where the real servers are 10,000
// with twenty, on both databases. Nobody is left out, and a second copy is only
// ever the same octets again, because the daemon died between the server's word
// and its own note of it.
func TestKilledInMidRun(t *testing.T) { onEach(t, killedInMidRun) }

func killedInMidRun(t *testing.T, on footing) {
	readers, refused, kills := 2000, 20, 10
	if whole() {
		readers, refused, kills = 10_000, 100, 20
	}
	r := newRig(t, on, crashConfig{connections: 8})
	r.readers(readers, func(n int) string {
		if n%(readers/refused) == 7 {
			return "550+"
		}
		return ""
	})
	r.start()
	r.letOut()
	r.killedOften(kills, 160)
	r.firstMail()
	r.until("the end of the run", func() bool { return r.run().Final() })
	t.Logf("at most %v from a start to the first MAIL", r.waits.Round(time.Millisecond))
	if r.waits > 5*time.Second {
		t.Errorf("%v from a start to the first MAIL, want at most 5 s", r.waits)
	}
	run := r.run()
	if run.Counts[send.Sent] != readers-refused || run.Counts[send.Failed] != refused || run.Total != readers || len(run.Counts) != 2 {
		t.Errorf("the final states are %v of %d", run.Counts, run.Total)
	}
	r.complete(readers-refused, func(a sendtest.Accepted) [32]byte { return a.Digest })
	r.checkReport(readers-refused, readers)
}

// killedOften kills the daemon at random moments of a run, each before so many
// copies more, and starts it again.
func (r *rig) killedOften(kills, within int) {
	r.t.Helper()
	for range kills {
		done := r.killAt(20 + r.rand.IntN(within-20))
		r.firstMail()
		r.burn(done)
		r.start()
	}
}

// TestKilledWithAWindow is bar 25 where each line has up to 16 copies on their
// way at once: as many may come twice for each that is lost.
func TestKilledWithAWindow(t *testing.T) { onEach(t, killedWithAWindow) }

func killedWithAWindow(t *testing.T, on footing) {
	readers, kills := 600, 4
	if on.dovecot && !raceDetector {
		readers, kills = 1500, 8
	}
	r := newRig(t, on, crashConfig{connections: 3, window: 16})
	r.readers(readers, noFate)
	r.start()
	r.letOut()
	r.killedOften(kills, 140)
	r.until("the end of the run", func() bool { return r.run().Final() })
	if run := r.run(); run.Counts[send.Sent] != readers || run.Total != readers {
		t.Errorf("the final states are %v of %d", run.Counts, run.Total)
	}
	r.complete(readers, func(a sendtest.Accepted) [32]byte { return a.Digest })
	r.checkReport(readers, readers)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.data > 0 {
		t.Errorf("%d messages came by DATA, of which a line has one at a time: this test shows nothing", r.data)
	}
}

// complete checks that every reader has the issue, and that no copy came
// twice but by a kill; digest is what two copies of a reader have in common.
func (r *rig) complete(want int, digest func(sendtest.Accepted) [32]byte) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	first := map[string]sendtest.Accepted{}
	window := max(r.conf.window, 1)
	behind := map[int64]int{} // how many came after each on its connection
	lines := map[int64]int{}
	for _, a := range slices.Backward(r.copies) {
		behind[a.ID] = lines[a.Conn]
		lines[a.Conn]++
	}
	twice := 0
	for _, a := range r.copies {
		b, seen := first[a.To[0]]
		if !seen {
			first[a.To[0]] = a
			continue
		}
		twice++
		if digest(a) != digest(b) || a.MessageID != b.MessageID || a.MessageID == "" {
			r.t.Errorf("%s got two mails that differ: %s and %s", a.To[0], b.MessageID, a.MessageID)
		}
		// trust.md M2: the next final dot waits for the result's commit of
		// the last one, or of the one that many before it which may be on
		// their way at once; so only what a connection brought last can come again.
		// A machine that wakes when others have taken its copies may end the one
		// that was on the wire: there it is the second that is the last.
		if behind[b.ID] >= window && !(r.woken > 0 && a.ID > r.woken && behind[a.ID] < window) {
			r.t.Errorf("%s got it again, although %d came on its connection after the first copy", a.To[0], behind[b.ID])
		}
		first[a.To[0]] = a
	}
	r.t.Logf("%d readers, %d kills: %d lost, %d twice", want, r.kills, want-len(first), twice)
	if len(first) != want {
		r.t.Errorf("%d readers have the issue, want %d", len(first), want)
	}
	if most := r.conf.connections * window * r.kills; twice > most {
		r.t.Errorf("%d copies came twice, want at most %d", twice, most)
	}
}

// checkReport compares the report with what the sink has seen (bar 39).
func (r *rig) checkReport(sent, of int) {
	r.t.Helper()
	report := r.paper("Sent: #12")
	if want := fmt.Sprintf("Sent: #12 to %s of %s", crashThousands(sent), crashThousands(of)); report.Subject != want {
		r.t.Errorf("the report says %q, want %q", report.Subject, want)
	}
}

func crashThousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// TestOnePersonOneCopy is bar 24: however an address is written, and however
// often the issue is let out, a person has one row and gets one copy.
func TestOnePersonOneCopy(t *testing.T) { onEach(t, onePersonOneCopy) }

func onePersonOneCopy(t *testing.T, on footing) {
	r := newRig(t, on, crashConfig{connections: 4})
	people := []string{
		"ada@example.org", " ada@example.org ", "Ada@EXAMPLE.org", "ada@example.org.", "\u00a0ada@Example.Org\u200b",
		"grace@bücher.example", "grace@xn--bcher-kva.example", "GRACE@BÜCHER.example", "grace@bu\u0308cher.example",
		"alan@example.org",
	}
	r.galley("address\n"+strings.Join(people, "\n")+"\n", "list", "import", "-")
	r.galley("", "list", "add", "ADA@example.org", "alan@EXAMPLE.ORG")
	r.start()
	r.draft(demoDraft)
	proof := r.paper("Proof 1 of #12")
	r.answer(proof, "send now")
	r.answer(proof, "send now") // an impatient editor
	r.paper("Sent: #12")
	r.until("both words to be answered", func() bool { return r.number(`SELECT count(*) FROM decision WHERE state = 'done'`) == 2 })
	got := map[string]int{}
	for _, a := range r.copies {
		got[strings.ToLower(a.To[0])]++
	}
	want := map[string]int{"ada@example.org": 1, "grace@xn--bcher-kva.example": 1, "alan@example.org": 1}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("copies %v, want %v", got, want)
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM subscriber`: 3, `SELECT count(*) FROM delivery`: 3, `SELECT count(*) FROM delivery WHERE state = 'sent'`: 3,
	} {
		if n := r.number(query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
}

// TestSecondDaemon is the first half of bar 34: a second daemon on the same
// books ends at once and names the first, which goes on. A dead one holds
// nothing.
func TestSecondDaemon(t *testing.T) {
	r := newRig(t, footing{}, crashConfig{connections: 1})
	r.start()
	r.mail(crashEditor, crashBox, "status", "status\n", nil)
	r.paper("Status") // it has the lock
	second := program(t, r.config(), "serve")
	var told bytes.Buffer
	second.Stderr = &told
	stdin, err := second.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	began := time.Now()
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(crashWait/3, func() { second.Process.Kill() })
	err = second.Wait()
	late.Stop()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took the second one %v to give up, want at most 2 s", took)
	}
	if pid := fmt.Sprintf("process %d;", r.d.cmd.Process.Pid); second.ProcessState.ExitCode() != exitFailed || !strings.Contains(told.String(), pid) {
		t.Errorf("%v, and says %q; want exit code %d and %q", err, told.String(), exitFailed, pid)
	}
	if !r.d.alive() {
		t.Error("the first one is gone")
	}
	r.kill()
	r.start()
	r.mail(crashEditor, crashBox, "help", "help\n", nil)
	r.paper("")
}
