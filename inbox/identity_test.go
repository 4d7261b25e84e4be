package inbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"galley/inbox/inboxtest"
)

// What makes a mail the same mail (bar 49): its octets below the trace, and
// neither its number nor its Message-ID.
func TestOneMailByItsOctets(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.start()
		r.deliver(letterOf("twice"))
		r.deliver(letterOf("twice")) // delivered again
		r.deliver("Received: by elsewhere\n\tfor somebody\nDelivered-To: x@y.example\n" + letterOf("twice"))
		time.Sleep(10 * time.Minute)
		r.deliver(letterOf("twice")) // appended by a mail program, after it was filed
		r.deliver(strings.Replace(letterOf("twice"), "smile", "laugh", 1))
		for range 2 {
			r.deliver("From: ada@readers.example\nTo: " + rigBox + "\nSubject: no id\n\nHello!\n")
		}
		time.Sleep(2 * time.Hour)
		if want := []string{"twice", "twice", "no id"}; !slices.Equal(r.desk.passed, want) {
			t.Errorf("passed on %q, want %q", r.desk.passed, want)
		}
	})
}

// A mailbox that is made anew, with the same mail and more, also under a lower
// number and with its UIDs given to other mail (bar 48): nothing is done
// again, and nothing is missed.
func TestMailboxMadeAnew(t *testing.T) {
	bubble(t, inboxtest.Options{UIDValidity: 7}, func(r *rig) {
		r.start()
		raw := func(n int) []byte { return []byte(letterOf(fmt.Sprint("letter ", n))) }
		var all [][]byte
		for n := range 5 {
			all = append(all, raw(n))
			r.deliver(string(raw(n)))
		}
		time.Sleep(5 * time.Minute)
		for i, validity := range []uint32{9, 4, 30, 29, 31} {
			all = append([][]byte{raw(5 + i)}, all...) // so every mail has another UID
			if err := r.imap.Recreate("galley", validity, all...); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Minute)
		}
		time.Sleep(2 * time.Hour)
		var want []string
		for n := range 10 {
			want = append(want, fmt.Sprint("letter ", n))
		}
		if !slices.Equal(r.desk.passed, want) || r.rows("1 = 1") != len(want) {
			t.Errorf("passed on %q, %d rows", r.desk.passed, r.rows("1 = 1"))
		}
	})
}

// Somebody else works in the same mailbox and takes a third of the mail away
// while it comes in (bar 50): what lies there for a poll is dealt with, once,
// and nothing ends the reading.
func TestSomebodyElseInTheMailbox(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.start()
		rnd := rand.New(rand.NewPCG(3, 4))
		const mails = 300
		taken := 0
		for n := range mails {
			r.deliver(letterOf(fmt.Sprint("letter ", n)))
			if rnd.IntN(3) == 0 {
				list, err := r.imap.Messages("galley", "INBOX")
				if err != nil {
					t.Fatal(err)
				}
				if len(list) > 0 {
					if err := r.imap.Remove("galley", "INBOX", list[rnd.IntN(len(list))].UID); err != nil {
						t.Fatal(err)
					}
					taken++
				}
			}
			if rnd.IntN(10) == 0 {
				time.Sleep(time.Duration(rnd.IntN(90)) * time.Second)
			}
		}
		time.Sleep(2 * time.Hour)
		r.holds("INBOX")
		got := slices.Clone(r.desk.passed)
		slices.Sort(got)
		if n := len(slices.Compact(got)); n != len(r.desk.passed) || n < mails-taken {
			t.Errorf("%d of %d mails were passed on, %d of them once; %d were taken away", len(r.desk.passed), mails, n, taken)
		}
		t.Logf("%d mails, %d taken away, %d passed on", mails, taken, len(r.desk.passed))
	})
}
