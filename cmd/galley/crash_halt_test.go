package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"galley/inbox/mime"
	"galley/inbox/trust"
	"galley/send"
	"galley/send/message"
	"galley/send/sendtest"
	"galley/send/store"
	"galley/templates"
)

// midRun is how slow a next hop is so that a run lasts long enough to have a
// middle, on a fast machine too: mail takes half a second to be seen.
const midRun = 5 * time.Millisecond

// TestHeldKilledResumed is bar 36: an issue is held in the middle of its run,
// once by another process and once by mail, the daemon is killed while it
// stands, and it is resumed. What was in flight is all that still leaves, a
// dead daemon's successor keeps still, and in the end everybody has it once.
func TestHeldKilledResumed(t *testing.T) { onEach(t, heldKilledResumed) }

func heldKilledResumed(t *testing.T, on footing) {
	const readers = 2400
	r := newRig(t, on, crashConfig{connections: 8, slow: midRun})
	r.readers(readers, noFate)
	r.start()
	r.letOut()
	r.reach(50 + r.rand.IntN(150))
	r.think(40 * time.Millisecond) // the other process must not come too late
	answer := make(chan string)
	go func() { answer <- r.galley("", "issue", "hold", "#12") }()
	r.halted(send.Paused, true)
	if s := <-answer; !strings.HasPrefix(s, "Stopped: #12") {
		t.Errorf("the command answers %q", s)
	}
	r.think(2 * time.Millisecond)
	r.kill()
	r.start()
	r.still(send.Paused)
	done := r.killAt(50 + r.rand.IntN(150))
	r.answer(r.paper("Stopped: #12"), "resume")
	r.burn(done)
	r.start()
	r.reach(r.sent() + 20 + r.rand.IntN(100))
	r.think(20 * time.Millisecond)
	r.mail(crashEditor, crashBox, "stop", "stop\n", nil)
	r.halted(send.Paused, false)
	r.kill() // with letters in flight
	r.think(2 * time.Millisecond)
	r.start()
	r.still(send.Paused)
	if s := r.galley("", "issue", "resume", "#12"); !strings.HasPrefix(s, "Resumed: #12") {
		t.Errorf("the command answers %q", s)
	}
	r.until("the end of the run", func() bool { return r.run().Final() })
	if run := r.run(); run.Counts[send.Sent] != readers || run.Total != readers {
		t.Errorf("the final states are %v of %d", run.Counts, run.Total)
	}
	r.complete(readers, func(a sendtest.Accepted) [32]byte { return a.Digest })
	r.checkReport(readers, readers)
}

// TestCancelledInMidRun is the rest of bar 36: cancel and yes by mail. Whoever
// has no copy then gets none, whatever is killed and started.
func TestCancelledInMidRun(t *testing.T) { onEach(t, cancelledInMidRun) }

func cancelledInMidRun(t *testing.T, on footing) {
	const readers = 800
	r := newRig(t, on, crashConfig{connections: 8, slow: midRun})
	r.readers(readers, noFate)
	r.start()
	r.letOut()
	r.reach(50 + r.rand.IntN(150))
	r.think(20 * time.Millisecond)
	r.mail(crashEditor, crashBox, "cancel", "cancel\n", nil)
	r.halted(send.Paused, true)
	asked := r.paper("Stopped: drop #12?")
	if want := fmt.Sprintf("%d of 800 readers have it", r.sent()); !strings.Contains(asked.Plain, want) {
		t.Errorf("the question does not say that %s:\n%s", want, asked.Plain)
	}
	r.answer(asked, "yes")
	r.halted(send.Cancelled, true)
	r.kill()
	r.start()
	r.still(send.Cancelled)
	run, got := r.run(), map[string]bool{}
	for _, a := range r.copies {
		got[a.To[0]] = true
	}
	if run.Counts[send.Sent] != len(got) || run.Counts[send.Sent]+run.Counts[send.Dropped] != readers || len(got) == readers {
		t.Errorf("%d readers have it; the final states are %v of %d", len(got), run.Counts, run.Total)
	}
	if twice := len(r.copies) - len(got); twice > 0 {
		t.Errorf("%d have it twice", twice)
	}
}

// reach waits until so many copies are with the readers' servers.
func (r *rig) reach(n int) {
	r.t.Helper()
	r.until("copies at the readers' servers", func() bool { return r.sent() >= n })
}

// halted waits until the books say that the edition is halted and, with
// settle, until nothing is in flight any more. Then it counts what the readers'
// servers have taken since: one letter a connection may have been on its way.
// SQLite's books name the instant at which the halting transaction began; while
// it lasts no result can be committed, so no connection begins another letter.
// PostgreSQL commits results beside it, and knows when it was committed itself.
func (r *rig) halted(state send.EditionState, settle bool) {
	r.t.Helper()
	r.until("the issue to be "+string(state), func() bool { return r.run().State == state })
	if !settle {
		return
	}
	r.until("the letters in flight", func() bool { return r.number(`SELECT count(*) FROM delivery WHERE state = 'claimed'`) == 0 })
	instant := `SELECT changed FROM edition`
	if r.on.books != "" {
		instant = `SELECT (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint FROM edition`
	}
	at, before, after := store.Instant(int64(r.number(instant))), 0, 0
	r.mu.Lock()
	for _, a := range r.copies {
		if a.Time.After(at) {
			after++
		} else {
			before++
		}
	}
	r.mu.Unlock()
	r.t.Logf("%s after %d copies; %d more were taken", state, before, after)
	if after > r.conf.connections {
		r.t.Errorf("%d copies were taken after the issue was %s, want at most %d", after, state, r.conf.connections)
	}
	if run := r.run(); before == 0 || run.Counts[send.Sent] == run.Total {
		r.t.Errorf("it was not in mid-run: %v", run.Counts)
	}
}

// still checks that a daemon that works sends nothing of a halted issue: it
// answers a mail, over the same lines.
func (r *rig) still(state send.EditionState) {
	r.t.Helper()
	before := r.sent()
	for range 2 { // the second is asked when the first answer has left
		r.mail(crashEditor, crashBox, "status", "status\n", nil)
		r.paper("Status").answer = true
	}
	if after := r.sent(); after != before {
		r.t.Errorf("%d copies left although the issue is %s", after-before, state)
	}
	if run := r.run(); run.State != state {
		r.t.Errorf("the issue is %s after a restart, want %s", run.State, state)
	}
}

// TestChangesInMidRun is bar 37: templates, configuration and DKIM key change
// in the middle of a run, and the editor mails another text. What the editor
// approved is what everybody gets; only the signature is another one.
func TestChangesInMidRun(t *testing.T) { onEach(t, changesInMidRun) }

func changesInMidRun(t *testing.T, on footing) {
	const readers = 400
	r := newRig(t, on, crashConfig{connections: 4})
	keys := map[string]string{"first._domainkey.quiet.example": r.writeKey("dkim.pem")}
	r.readers(readers, noFate)
	r.start()
	r.letOut()
	r.reach(40 + r.rand.IntN(100))
	r.kill()
	keys["second._domainkey.quiet.example"] = r.writeKey("dkim.pem")
	r.conf = crashConfig{connections: 3, imapPort: r.conf.imapPort, name: "Loud Machines", from: "Somebody Else",
		tagline: "Another tagline", postal: "Another address", selector: "second"}
	r.configure()
	r.changeLook("issue.html", "</body>", "<p>A NEW LOOK</p></body>")
	r.changeLook("web.html", "</body>", "<p>A NEW LOOK</p></body>")
	r.changeLook("issue.txt", "{{.TextBody}}", "A NEW LOOK\n{{.TextBody}}")
	r.think(30 * time.Millisecond)
	r.start()
	r.draft(bytes.Replace(demoDraft, []byte("ring binder"), []byte("shoe box"), 1))
	refusal := r.paper("Refused: #12 is being sent")
	if !strings.Contains(refusal.Plain, "your new text was not taken") {
		t.Errorf("the refusal says\n%s", refusal.Plain)
	}
	r.think(2 * time.Millisecond)
	r.until("the end of the run", func() bool { return r.run().Final() })
	r.checkApproved(keys)
	r.draft(bytes.Replace(demoDraft, []byte("#12"), []byte("#13"), 1))
	if p := r.paper("Proof 1 of #13"); !strings.Contains(p.Plain, "A NEW LOOK") || !strings.Contains(p.HTML, "A NEW LOOK") || !strings.Contains(p.HTML, "Loud Machines") {
		t.Errorf("the changes have no effect on a new issue: this test shows nothing\n%s", p.Plain)
	}
	r.conf.connections = 4 // those of the life that was killed
	r.complete(readers, func(a sendtest.Accepted) [32]byte { return unsigned(a.Octets) })
}

// changeLook lays a changed template into the user's folder.
func (r *rig) changeLook(name, old, new string) {
	r.t.Helper()
	text, err := fs.ReadFile(templates.Look(""), name)
	if err != nil {
		r.t.Fatal(err)
	}
	if bytes.Count(text, []byte(old)) != 1 {
		r.t.Fatalf("%s has no %q", name, old)
	}
	put(r.t, filepath.Join(r.dir, "looks", name), strings.Replace(string(text), old, new, 1), 0o600)
}

// ownToken is the address that lets one reader leave.
var ownToken = regexp.MustCompile(`mailto:letter\+unsub-[a-z0-9]+@quiet\.example[^"\s)>]*`)

// checkApproved compares every copy with the edition that was approved, and
// checks its signature by the key of its selector.
func (r *rig) checkApproved(keys map[string]string) {
	r.t.Helper()
	var e *send.Edition
	r.look(func(ctx context.Context, tx *store.Tx) (err error) {
		e, err = r.h.queue.Page(ctx, tx, "quiet", "0012")
		return err
	})
	if n := r.number(`SELECT count(*) FROM draft WHERE digest = $1 AND revision = 1`, e.Digest); n != 1 || e.Revision != 1 {
		r.t.Errorf("the edition is not the revision that was approved: %d", e.Revision)
	}
	dns := func(_ context.Context, name string) ([]string, error) {
		return []string{keys[strings.TrimSuffix(name, ".")]}, nil
	}
	heads, by := map[[32]byte]string{}, map[string]int{}
	for _, a := range r.copies {
		head := r.checkCopy(a, e)
		heads[sha256.Sum256([]byte(head))] = head
		for _, s := range trust.DKIM(r.t.Context(), a.Octets, trust.Policy{Now: time.Now(), DNS: dns}) {
			if s.Result != "pass" {
				r.t.Errorf("%s: signature by %s: %s", a.To[0], s.Selector, s.Reason)
			}
			by[s.Selector]++
		}
	}
	if len(heads) != 1 {
		r.t.Errorf("%d different headers: %q", len(heads), heads)
	}
	if by["first"] == 0 || by["second"] == 0 {
		r.t.Errorf("signatures by selector: %v; want some of both", by)
	}
	r.t.Logf("%d copies, signatures by selector %v", len(r.copies), by)
}

// checkCopy compares the bodies of a copy with those that were approved, and
// returns what of its header is not the reader's own.
func (r *rig) checkCopy(a sendtest.Accepted, e *send.Edition) (head string) {
	r.t.Helper()
	m, err := mime.Read(a.Octets)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, part := range []struct {
		name, got string
		approved  []byte
	}{{"HTML", m.HTML, e.HTML}, {"text", m.Plain, e.Text}} {
		tokens := ownToken.FindAllString(part.got, -1)
		slices.Sort(tokens)
		if len(slices.Compact(tokens)) != 1 {
			r.t.Errorf("%s: the %s has the tokens %q", a.To[0], part.name, tokens)
		}
		got := ownToken.ReplaceAllString(part.got, message.SlotUnsubscribe)
		if got, want := crashLines(got), crashLines(string(part.approved)); got != want {
			r.t.Errorf("%s: the %s is not what was approved", a.To[0], part.name)
		}
	}
	own, _, _ := bytes.Cut(dropFields(a.Octets, "DKIM-Signature", "To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"), []byte("\r\n\r\n"))
	return string(own)
}

// crashLines brings texts to the same line ends.
func crashLines(s string) string {
	return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
}
