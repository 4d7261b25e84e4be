package inbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
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
		if want := []string{"twice", "twice", "no id"}; !slices.Equal(r.passed(), want) {
			t.Errorf("passed on %q, want %q", r.passed(), want)
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
		if !slices.Equal(r.passed(), want) || r.rows("1 = 1") != len(want) {
			t.Errorf("passed on %q, %d rows", r.passed(), r.rows("1 = 1"))
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
		got := slices.Clone(r.passed())
		slices.Sort(got)
		if n := len(slices.Compact(got)); n != len(r.passed()) || n < mails-taken {
			t.Errorf("%d of %d mails were passed on, %d of them once; %d were taken away", len(r.passed()), mails, n, taken)
		}
		t.Logf("%d mails, %d taken away, %d passed on", mails, taken, len(r.passed()))
	})
}

// Five mail programs work in the mailbox at once, each at random: they append,
// flag, copy, move away and expunge (bar 51). The books hold the mails that
// were seen, by their octets, each once; nothing ends the reading, and what is
// delivered afterwards is dealt with.
func TestFiveRandomClients(t *testing.T) {
	bubble(t, inboxtest.Options{Folders: []string{"Elsewhere"}}, func(r *rig) {
		r.start()
		folders := []string{"INBOX", "Elsewhere", "Galley/Letters"}
		lay := map[string]bool{} // every mail that was ever put into the mailbox
		var wait sync.WaitGroup
		var mu sync.Mutex
		for client := range uint64(5) {
			rnd := rand.New(rand.NewPCG(51, client))
			wait.Go(func() {
				for n := range 40 {
					time.Sleep(time.Duration(1+rnd.IntN(15_000)) * time.Millisecond)
					mu.Lock()
					fresh := fmt.Sprint("mail ", n, " of ", client)
					if r.meddle(rnd, folders, fresh) {
						lay[fresh] = true
					}
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		time.Sleep(2 * time.Hour)
		r.deliver(letterOf("afterwards"))
		time.Sleep(time.Hour)
		got := slices.Clone(r.passed())
		slices.Sort(got)
		if once := slices.Compact(slices.Clone(got)); len(once) != len(got) || r.rows("1 = 1") != len(got) {
			t.Errorf("%d mails were passed on, %d different ones; %d rows", len(got), len(once), r.rows("1 = 1"))
		}
		if !slices.Contains(got, "afterwards") {
			t.Error("the reading has ended")
		}
		for _, subject := range got {
			if !lay[subject] && subject != "afterwards" {
				t.Errorf("%q was never there", subject)
			}
		}
		list, err := r.imap.Messages("galley", "INBOX")
		if err != nil || len(got) < 40 {
			t.Errorf("%d were passed on: %v", len(got), err)
		}
		t.Logf("%d mails, %d passed on, %d left in the inbox", len(lay), len(got), len(list))
	})
}

// meddle does one thing to the mailbox as another mail program would, and
// tells whether it was to put a mail into the inbox.
func (r *rig) meddle(rnd *rand.Rand, folders []string, fresh string) bool {
	act := rnd.IntN(6)
	if act < 2 {
		r.deliver(letterOf(fresh))
		return true
	}
	from, to := folders[rnd.IntN(len(folders))], folders[rnd.IntN(2)]
	list, err := r.imap.Messages("galley", from)
	if err != nil || len(list) == 0 {
		return false // the folder is not made yet, or empty
	}
	m := list[rnd.IntN(len(list))]
	if act == 2 {
		err = r.imap.Flag("galley", from, m.UID, `\Flagged`, `\Seen`)
	}
	if act == 3 || act == 4 {
		err = r.imap.Put("galley", to, m.Raw, m.Flags...)
	}
	if err == nil && act >= 4 {
		err = r.imap.Remove("galley", from, m.UID)
	}
	if err != nil {
		r.t.Error(err)
	}
	return false
}
