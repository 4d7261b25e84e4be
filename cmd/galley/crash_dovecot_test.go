package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galley/send/servertest"
)

// dovecotRig is a daemon on a real mailbox, whose server the test can spoil.
func dovecotRig(t *testing.T) (*rig, *servertest.Dovecot) {
	t.Helper()
	servertest.Need(t, "dovecot")
	r := newRig(t, footing{dovecot: true}, crashConfig{connections: 1})
	r.readers(300, noFate)
	r.start()
	return r, r.imap.(dovecot).Dovecot
}

// leave has the n-th reader leave by mail, which is an effect that can be
// counted.
func (r *rig) leave(n int) {
	r.t.Helper()
	r.mail(readerAddress(n), crashBox, "unsubscribe", "unsubscribe\n", nil)
}

// handled waits until so many have left, each once, and every mail was taken
// in once.
func (r *rig) handled(n int) {
	r.t.Helper()
	r.until(fmt.Sprintf("%d to have left", n), func() bool { return r.number(`SELECT count(*) FROM subscriber WHERE state = 'left'`) >= n })
	for query, want := range map[string]int{`subscriber WHERE state = 'left'`: n, `consent WHERE what = 'left'`: n, `message`: r.count, `message WHERE kind = 'unsubscribe'`: r.count} {
		if got := r.number(`SELECT count(*) FROM ` + query); got != want {
			r.t.Errorf("%d rows of %s, want %d", got, query, want)
		}
	}
}

// TestUIDValidityOfDovecot is bar 48: five times the mailbox forgets its
// numbers, so that all mail in it has new ones under another UIDVALIDITY, or
// the old numbers stand for other mail. Nothing is done twice, nothing missed.
func TestUIDValidityOfDovecot(t *testing.T) {
	r, d := dovecotRig(t)
	done := 0
	for round := range 5 {
		for range 6 {
			r.leave(done)
			done++
		}
		r.handled(done)
		if round == 0 { // later on there lies what was put back: it is known, and is not filed again
			r.until("the inbox to be empty", func() bool { return len(d.Messages("letter", "INBOX")) == 0 })
		}
		r.kill()
		d.Stop()
		dir := d.Maildir("letter", "INBOX")
		if moved := putBack(t, dir); round == 0 && moved == 0 {
			t.Error("nothing was filed: this test shows little")
		}
		forget(t, dir)
		if round == 2 { // to a lower one
			put(t, filepath.Join(dir, "dovecot-uidlist"), "3 V1000 N1 G00000000000000000000000000000001\n", 0o666)
		}
		d.Start()
		r.leave(done) // comes while the daemon is away
		done++
		r.start()
	}
	r.handled(done)
}

// putBack moves what was filed back into the inbox, behind the server's back,
// as a person does who moves everything back, or a backup.
func putBack(t *testing.T, dir string) (moved int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, ".Galley*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if sub := filepath.Base(filepath.Dir(f)); sub != "cur" && sub != "new" {
			continue
		}
		if strings.Contains(f, ".Galley.Again") {
			continue
		}
		name, _, _ := strings.Cut(filepath.Base(f), ":")
		if err := os.Rename(f, filepath.Join(dir, "new", name)); err != nil {
			t.Fatal(err)
		}
		moved++
	}
	return moved
}

// forget takes away what Dovecot knows of a folder's numbers.
func forget(t *testing.T, dir string) {
	t.Helper()
	for _, pattern := range []string{"dovecot*", ".Galley*/dovecot*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := os.RemoveAll(f); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestOthersInTheMailbox is bar 50: another mail program flags, moves away and
// expunges a third of the mail at random while the daemon looks. What it leaves
// lying is dealt with, once; what it takes away, once or not at all; and nothing
// that it does ends the daemon.
func TestOthersInTheMailbox(t *testing.T) {
	r, d := dovecotRig(t)
	const mails = 299
	other := d.Login("letter")
	other.Do("CREATE Elsewhere")
	other.Do("CREATE Aside")
	taken := 0
	here := func() int { return r.number(`SELECT count(*) FROM subscriber WHERE state = 'left'`) }
	for n := range mails {
		r.leave(n)
		if n%20 == 19 {
			taken += r.meddle(other)
			r.until("what was left lying to be dealt with", func() bool { return here() >= n+1-taken })
		}
	}
	if taken < mails/20 {
		t.Errorf("only %d mails were taken away: this test shows little", taken)
	}
	r.leave(mails) // when it is done, so is what came before
	last := readerAddress(mails)
	r.until("the last mail", func() bool {
		return r.number(`SELECT count(*) FROM subscriber WHERE state = 'left' AND address = $1`, last) == 1
	})
	for _, query := range []string{`consent WHERE what = 'left'`, `message WHERE kind = 'unsubscribe'`} {
		if n, want := r.number(`SELECT count(*) FROM `+query), here(); n != want {
			t.Errorf("%d rows of %s, want %d", n, query, want)
		}
	}
	log := string(file(t, r.dir, "daemon.log"))
	if strings.Contains(log, "level=ERROR") {
		t.Error("the daemon complains")
	}
	t.Logf("%d of %d mails were taken away by the other program, %d dealt with", taken, mails, here())
}

// meddle does something to each third mail that lies in the inbox, and to one
// that was filed. It counts the mails that the daemon may never have seen.
func (r *rig) meddle(other *servertest.IMAP) (taken int) {
	r.t.Helper()
	other.Do("SELECT INBOX")
	var uids []string
	for _, a := range other.Do("UID SEARCH ALL") {
		if list, ok := strings.CutPrefix(a, "SEARCH "); ok {
			uids = strings.Fields(list)
		}
	}
	for _, uid := range uids {
		if r.rand.IntN(3) > 0 {
			continue
		}
		switch r.rand.IntN(4) {
		case 0:
			other.Try(`UID STORE %s +FLAGS (\Seen \Flagged)`, uid)
		case 1:
			other.Try(`UID MOVE %s Elsewhere`, uid)
			taken++
		case 2:
			other.Try(`UID STORE %s +FLAGS (\Deleted)`, uid)
			other.Do("EXPUNGE")
			taken++
		default: // away, and soon back under another number
			other.Try(`UID MOVE %s Aside`, uid)
		}
	}
	other.Do("SELECT Aside")
	other.Try(`MOVE 1:* INBOX`)
	if _, ok := other.Try("SELECT Galley.Readers"); ok {
		other.Try(`STORE 1 +FLAGS (\Deleted)`)
		other.Do("EXPUNGE")
	}
	return taken
}

// TestDovecotGone is bar 52's server restart: mail that comes while the server
// is away, and after it is back, is dealt with within a minute.
func TestDovecotGone(t *testing.T) {
	r, d := dovecotRig(t)
	r.leave(0)
	r.handled(1)
	for n := 1; n <= 2; n++ {
		d.Stop()
		time.Sleep(300 * time.Millisecond)
		r.leave(2*n - 1)
		d.Start()
		back := time.Now()
		r.leave(2 * n)
		r.handled(2*n + 1)
		t.Logf("dealt with %v after the server was back", time.Since(back).Round(time.Millisecond))
		if time.Since(back) > time.Minute {
			t.Errorf("%v after the server was back", time.Since(back))
		}
	}
}

// TestSameOctets is bar 49: the same octets by copying, by APPEND and by a
// second delivery have one effect; two mails that differ in one octet have two,
// also under one Message-ID; a mail without Message-ID is dealt with.
func TestSameOctets(t *testing.T) {
	r, d := dovecotRig(t)
	raw := []byte("Return-Path: <ada@ada.example>\r\nDelivered-To: letter@quiet.example\r\nReceived: from out.example by mx.test with ESMTP; Sun, 22 Nov 2026 09:00:00 +0000\r\n" +
		"From: ada@ada.example\r\nTo: letter@quiet.example\r\nSubject: hello\r\nDate: Sun, 22 Nov 2026 09:00:00 +0000\r\n\r\nWhat a fine issue this was, I read every word.\r\n")
	lay := func(raw []byte) {
		if err := d.Lay("letter", "INBOX", raw); err != nil {
			t.Fatal(err)
		}
	}
	lay(raw)
	letters := func() int { return r.number(`SELECT count(*) FROM message WHERE kind = 'letter'`) }
	r.until("the letter", func() bool { return letters() == 1 })
	lay(raw)
	r.until("it to be filed", func() bool { return r.number(`SELECT count(*) FROM arrival WHERE filed <> 0`) >= 2 })
	d.Doveadm("copy", "-u", "letter", "INBOX", "mailbox", "Galley.Letters", "all")
	d.Login("letter").Append("INBOX", raw)
	lay([]byte(strings.Replace(string(raw), "every word.", "every word!", 1)))
	r.until("the other letter", func() bool { return letters() == 2 })
	named := strings.Replace(string(raw), "Subject: hello", "Message-ID: <one@ada.example>\r\nSubject: hello", 1)
	lay([]byte(named))
	lay([]byte(strings.Replace(named, "every word.", "no word.", 1)))
	r.until("both letters of one Message-ID", func() bool { return letters() == 4 })
	r.leave(0) // when it is done, so is what came before
	r.until("the last mail", func() bool { return r.number(`SELECT count(*) FROM subscriber WHERE state = 'left'`) == 1 })
	if n := letters(); n != 4 {
		t.Errorf("%d letters, want 4", n)
	}
}
