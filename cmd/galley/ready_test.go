package main

import (
	"bytes"
	"testing"
	"time"

	"galley/inbox/inboxtest"
)

// The daemon says that it is ready when it has looked into its mailbox. What
// came into a mailbox that was out of reach at the first start is dealt with
// when it is back.
func TestReady(t *testing.T) {
	r := newRig(t, footing{}, crashConfig{name: "Quiet Machines", from: crashBox, postal: "3 Harbour Lane, Example Town", connections: 1})
	imap := r.imap.(*inboxtest.Server)
	imap.Down()
	r.start()
	said := func(what string) func() bool {
		return func() bool { return bytes.Contains(file(t, r.dir, "daemon.log"), []byte(what)) }
	}
	if !said("msg=ready")() || !said("out_of_reach="+crashBox)() {
		t.Errorf("it says %s", file(t, r.dir, "daemon.log"))
	}
	time.Sleep(time.Second) // servers tell seconds
	r.mail("ada@readers.example", crashBox, "hello", "It made me smile.", nil)
	imap.Heal()
	r.until("the letter is dealt with", said("kind=letter"))
	r.kill()
	r.start()
	r.until("it is ready again", func() bool { return bytes.Count(file(t, r.dir, "daemon.log"), []byte("msg=ready")) == 2 })
	log := file(t, r.dir, "daemon.log")
	if again := log[bytes.LastIndex(log, []byte("msg=ready")):]; bytes.Contains(again, []byte("out_of_reach")) {
		t.Errorf("it says %s", again)
	}
}
