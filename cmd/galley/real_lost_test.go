package main

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRealServersLost loses both servers in the middle of a run, first the
// mailbox's and then the one that takes our mail, and has them back. Nothing
// is lost and nothing comes twice, the editor hears nothing of it, and the log
// has one line of each loss and one of each return. The hour of the same is
// told in the stories an-hour-without-….
func TestRealServersLost(t *testing.T) {
	const readers = 60
	r := newReal(t, readers, "")
	r.readers(readers, 0)
	r.change("[smtp]\n", "[smtp]\nper_second = 2\n")
	r.start()
	r.swaks("ines", realEditor, realBox, "the next one", "Here it is.", "--attach-type", "text/markdown", "--attach-name", "0129.md", "--attach", "@"+seedIssue(t))
	r.reply(r.paper("Proof 1 of #129"), "send now")
	sent := func() int { return r.number(`SELECT count(*) FROM delivery WHERE state = 'sent'`) }
	r.until("a few copies to be out", time.Minute, func() bool { return sent() >= 5 })
	r.frozen(func() {
		r.until("Postfix to have delivered what it has", time.Minute, r.postfix.Idle)
		r.dovecot.Stop()
	})
	r.until("the loss of the mailbox in the log", time.Minute, func() bool { return r.logged("the mailbox is out of reach") > 0 })
	before := sent()
	r.until("copies to go on without the mailbox", time.Minute, func() bool { return sent() >= before+5 })
	r.frozen(r.postfix.Stop)
	r.until("the loss of the next hop in the log", time.Minute, func() bool { return r.logged("the next hop does not take mail") > 0 })
	time.Sleep(time.Second) // what was answered before is in the books now
	lost := sent()
	if lost >= readers {
		t.Fatal("the run was over before the servers were lost: this test shows nothing")
	}
	time.Sleep(2 * time.Second) // as long as several tries take
	if n := sent(); n != lost {
		t.Errorf("%d copies went to a server that is not there", n-lost)
	}
	r.dovecot.Start()
	r.postfix.Start()
	r.until("the mailbox in the log", time.Minute, func() bool { return r.logged("the mailbox is open again") > 0 })
	r.until("the next hop in the log", 2*time.Minute, func() bool { return r.logged("the next hop takes mail again") > 0 })
	r.paper("Sent: #129")
	r.copies(readers)
	for _, words := range []string{"the mailbox is out of reach", "the mailbox is open again", "the next hop does not take mail", "the next hop takes mail again"} {
		if n := r.logged(words); n != 1 {
			t.Errorf("the log says %d times: %s", n, words)
		}
	}
	for _, l := range r.box("ines") {
		if !strings.HasPrefix(l.Subject, "Proof 1 ") && !strings.HasPrefix(l.Subject, "Approved: ") && !strings.HasPrefix(l.Subject, "Sent: ") {
			t.Errorf("the editor was bothered with %q", l.Subject)
		}
	}
}

// frozen has the daemon stand still while end ends a server, and what it has
// handed over be delivered before: a copy whose answer was cut off would rightly
// go twice, also one between the servers.
func (r *real) frozen(end func()) {
	r.t.Helper()
	p := r.d.cmd.Process
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		r.t.Fatal(err)
	}
	time.Sleep(3 * time.Second) // a hundred times what a copy takes through both servers of Postfix
	end()
	if err := p.Signal(syscall.SIGCONT); err != nil {
		r.t.Fatal(err)
	}
}

// logged counts the lines of the daemon's log with some words.
func (r *real) logged(words string) (n int) {
	r.t.Helper()
	for line := range strings.Lines(string(file(r.t, r.dir, "daemon.log"))) {
		if strings.Contains(line, words) {
			n++
		}
	}
	return n
}
