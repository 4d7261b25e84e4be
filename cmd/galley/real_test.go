package main

import (
	"bytes"
	"fmt"
	"galley/compose/corpora"
	"galley/send/servertest"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// seedIssue is issue 129 as its editor wrote it.
func seedIssue(t *testing.T) string {
	return filepath.Join(corpora.Dir(t), "newsletters-rct/files/0129.md")
}

// TestRealServers is the whole path on real servers: the editor mails issue
// 129 as an attachment with swaks and answers the proof with it; a thousand
// mailboxes hold one copy each; those who do not exist come back as bounces
// that Postfix makes; people leave by mail and by the button; and judges of
// others look at what was fetched.
func TestRealServers(t *testing.T) {
	const readers, gone = 1000, 5
	r := newReal(t, readers, "")
	r.readers(readers, gone)
	dns, spoilt := r.dns, servertest.StartDNS(t, r.zones("_dmarc."+realDomain))
	r.change(dns, spoilt)
	r.start()
	r.swaks("ines", realEditor, realBox, "the next one", "Here it is.", "--attach-type", "text/markdown", "--attach-name", "0129.md", "--attach", "@"+seedIssue(t))
	r.reply(r.paper("Proof 1 of #129"), "send now")
	held := r.paper("Held: #129, the records of " + realDomain + " are wrong")
	if n := r.number(`SELECT count(*) FROM delivery WHERE state <> 'prepared'`); n > 0 || !strings.Contains(held.Plain, "dmarc "+realDomain) {
		t.Errorf("%d copies went although a record was missing; the editor reads\n%s", n, held.Plain)
	}
	r.stop()
	r.change(spoilt, dns)
	r.start()
	r.reply(held, "send now")
	began := time.Now()
	r.paper("Sent: #129")
	copies := r.copies(readers)
	t.Logf("%d copies in %v", readers, time.Since(began).Round(time.Second))
	r.until("every bounce to be counted", time.Minute, func() bool {
		return r.number(`SELECT count(*) FROM subscriber WHERE state = 'suppressed'`) == gone
	})
	if n := r.number(`SELECT count(*) FROM return WHERE kind = 'bounce' AND counted`); n != gone {
		t.Errorf("%d bounces are counted, want %d", n, gone)
	}
	r.leaveByMail(copies[3])
	r.leaveByButton(copies[4])
	r.judge(copies)
}

// TestRealTextPlain is the same by mutt, the draft being the text of the mail,
// in PostgreSQL's books.
func TestRealTextPlain(t *testing.T) {
	const readers = 1000
	r := newReal(t, readers, servertest.StartPostgres(t).URL)
	r.readers(readers, 0)
	r.start()
	text, err := os.ReadFile(seedIssue(t))
	if err != nil {
		t.Fatal(err)
	}
	r.muttNew(realBox, "The next one", text)
	r.paper("Proof 1 of #129")
	r.muttReply("send now")
	r.paper("Sent: #129")
	r.copies(readers)
}

// copies waits until the mailboxes of n readers hold the issue, and gives
// what they hold: one mail each.
func (r *real) copies(n int) []letter {
	r.t.Helper()
	out := make([]letter, n)
	for i := range n {
		user := fmt.Sprintf("reader%04d", i)
		r.until("a mail for "+user, time.Minute, func() bool { return len(r.dovecot.Messages(user, "INBOX")) > 0 })
		box := r.box(user)
		if len(box) != 1 || !strings.HasPrefix(box[0].Subject, "#129") {
			r.t.Fatalf("%s has %d mails, the first of them %q", user, len(box), box[0].Subject)
		}
		out[i] = box[0]
	}
	return out
}

var (
	leaveMail = regexp.MustCompile(`<mailto:([^?>]+)`)
	leaveWeb  = regexp.MustCompile(`<https://quiet\.example(/[^>]+)>`)
)

// leaveByMail presses the button of a mail program that leaves by mail.
func (r *real) leaveByMail(l letter) {
	r.t.Helper()
	to := leaveMail.FindStringSubmatch(field(l.raw, "List-Unsubscribe"))
	if to == nil {
		r.t.Fatalf("no address to leave by: %q", field(l.raw, "List-Unsubscribe"))
	}
	addr, err := url.PathUnescape(to[1])
	if err != nil {
		r.t.Fatal(err)
	}
	who := l.To[0].Addr
	r.swaks("owner", who, addr, "unsubscribe", "unsubscribe")
	arrived := func() bool { return r.number(`SELECT count(*) FROM message WHERE kind = 'unsubscribe'`) > 0 }
	r.until("the mail to be taken in", 20*time.Second, arrived)
	took := r.until(who+" to be off the list", time.Second, func() bool { return r.left(who) })
	r.t.Logf("off the list %v after the mail was read", took.Round(time.Millisecond))
}

// leaveByButton presses the one-click button (RFC 8058).
func (r *real) leaveByButton(l letter) {
	r.t.Helper()
	path := leaveWeb.FindStringSubmatch(field(l.raw, "List-Unsubscribe"))
	if path == nil || field(l.raw, "List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		r.t.Fatalf("no button: %q", field(l.raw, "List-Unsubscribe"))
	}
	began := time.Now()
	res, err := http.PostForm("http://"+r.web+path[1], url.Values{"List-Unsubscribe": {"One-Click"}})
	if err != nil {
		r.t.Fatal(err)
	}
	res.Body.Close()
	r.until(l.To[0].Addr+" to be off the list", time.Second, func() bool { return r.left(l.To[0].Addr) })
	if res.StatusCode != http.StatusOK || time.Since(began) > time.Second {
		r.t.Errorf("the button: %s after %v", res.Status, time.Since(began))
	}
}

func (r *real) left(who string) bool {
	return r.number(`SELECT count(*) FROM subscriber WHERE address = $1 AND state = 'left'`, who) == 1
}

// judge has others verify the signatures of the fetched octets (bars 3 to 5)
// and say whether it is spam (bar 7).
func (r *real) judge(copies []letter) {
	r.t.Helper()
	const sample = 100 // bar 5; bar 3 has its thousand issues in send/message
	var raw [][]byte
	for _, l := range copies[:sample] {
		raw = append(raw, l.raw)
	}
	for i, sigs := range servertest.Dkimpy(r.t, r.records, raw...) {
		algorithms := []string{}
		for _, s := range sigs {
			if s.OK {
				algorithms = append(algorithms, s.Algorithm)
			}
		}
		slices.Sort(algorithms)
		if !slices.Equal(algorithms, []string{"ed25519-sha256", "rsa-sha256"}) {
			r.t.Fatalf("dkimpy on copy %d: %v", i, sigs)
		}
	}
	for i, ok := range servertest.OpenDKIM(r.t, r.records, raw...) {
		if !ok {
			r.t.Fatalf("OpenDKIM refuses copy %d", i)
		}
	}
	spoilt := servertest.Dkimpy(r.t, r.records, bytes.Replace(raw[0], []byte("\r\n\r\n"), []byte("\r\n\r\nx"), 1))
	for _, s := range spoilt[0] {
		if s.OK {
			r.t.Error("dkimpy passes a changed body: this test shows nothing")
		}
	}
	r.spam(raw)
}

func (r *real) spam(raw [][]byte) {
	r.t.Helper()
	rspamd := servertest.StartRspamd(r.t, r.dns)
	for i, one := range raw[:10] {
		v := rspamd.Judge(one, field(one, "Return-Path"), field(one, "To"))
		_, allowed := v.Rules["R_DKIM_ALLOW"]
		_, refused := v.Rules["R_DKIM_REJECT"]
		if v.Action != "no action" || !allowed || refused {
			r.t.Fatalf("rspamd on copy %d: %+v", i, v)
		}
		if i == 0 {
			r.t.Logf("rspamd: %s, %.1f: %v", v.Action, v.Score, v.Rules)
		}
	}
	v := servertest.SpamAssassin(r.t, raw[0])
	r.t.Logf("SpamAssassin: %.1f: %v", v.Score, v.Rules)
	if v.Score > 1.0 {
		r.t.Errorf("SpamAssassin gives %.1f: %v", v.Score, v.Rules)
	}
	for rule := range v.Rules {
		for _, family := range []string{"MISSING_", "MIME_", "HTML_", "MSGID_", "DATE_"} {
			if strings.HasPrefix(rule, family) && v.Rules[rule] > 0.001 {
				r.t.Errorf("SpamAssassin's rule %s hits (%.1f)", rule, v.Rules[rule])
			}
		}
	}
}
