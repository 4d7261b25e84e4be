package inbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"galley/inbox/inboxtest"
	"galley/send"
	"galley/send/store"
)

// The mailbox's server is tried by a mail that bears forged judgements (bar
// 69): one that takes them away is believed, one that does not is not, and
// after 30 days without a trial nobody is.
func TestCanary(t *testing.T) {
	for _, x := range []struct {
		name string
		lets []string // the servers in whose name forged judgements come through
		as   string   // the field that they come through in
		want []string // the servers that are believed
	}{
		{"all taken away", nil, "", []string{"mx.quiet.example", "Gate.quiet.example"}},
		{"one let in", []string{"gate.quiet.example"}, "Authentication-Results", []string{"mx.quiet.example"}},
		{"both let in", []string{"mx.quiet.example", "gate.quiet.example"}, "Authentication-Results", nil},
		{"renamed", []string{"mx.quiet.example"}, "X-Original-Authentication-Results", []string{"mx.quiet.example", "Gate.quiet.example"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			bubble(t, inboxtest.Options{}, func(r *rig) {
				c := &aviary{r: r, lets: x.lets, as: x.as}
				c.start()
				if got := c.believed(); got != nil {
					t.Errorf("believed before any trial: %q", got)
				}
				time.Sleep(3 * time.Minute)
				if got := c.believed(); !slices.Equal(got, x.want) {
					t.Errorf("believed %q, want %q", got, x.want)
				}
				if r.rows("kind = 'own' AND state = 'done'") != 1 || len(r.passed()) > 0 {
					t.Errorf("%d canaries are own mail, and %q was passed on", r.rows("kind = 'own'"), r.passed())
				}
				r.holds("INBOX")
				for days, want := range map[int][]string{29: x.want, 31: nil} {
					if got := c.r.in.believed(context.Background(), store.Now().Add(time.Duration(days)*24*time.Hour)); !slices.Equal(got, want) {
						t.Errorf("believed %q after %d days, want %q", got, days, want)
					}
				}
			})
		})
	}
}

// What nobody sent, and what says that it is checked elsewhere.
func TestCanaryOfOthers(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		c := &aviary{r: r, lost: true}
		c.start()
		time.Sleep(2 * time.Minute)
		r.deliver(canaryMail("anothertoken", nil, ""))
		time.Sleep(2 * time.Minute)
		if got := c.believed(); got != nil {
			t.Errorf("believed by a token that is not ours: %q", got)
		}
		r.in.Newsletter.AuthservUnchecked = true
		if got := c.believed(); len(got) != 2 {
			t.Errorf("unchecked, believed %q", got)
		}
	})
}

// A canary that came through once is not made good by a second copy.
func TestCanaryStaysForged(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		c := &aviary{r: r, lost: true}
		c.start()
		time.Sleep(time.Minute)
		err := r.db.Update(context.Background(), func(tx *store.Tx) error {
			id := "<check." + c.token + "@quiet.example>"
			forged := []string{"mx.quiet.example; dkim=pass header.d=" + c.token + ".invalid"}
			return errors.Join(r.in.Came(context.Background(), tx, id, forged), r.in.Came(context.Background(), tx, id, nil))
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.believed(); !slices.Equal(got, []string{"Gate.quiet.example"}) {
			t.Errorf("believed %q", got)
		}
	})
}

// aviary is the way that canaries take: out, and through the border server.
type aviary struct {
	r     *rig
	lets  []string
	as    string
	lost  bool
	sent  int
	token string
}

func (c *aviary) start() {
	c.r.start(func(n *Newsletter) {
		n.Authserv = []string{"mx.quiet.example", "Gate.quiet.example"}
		n.Press = &send.Newsletter{ID: "quiet", Pattern: send.Pattern{Mailbox: rigBox}, Keys: send.Keys{Secret: []byte("k")}}
	}, func(*Newsletter) { c.r.try = c.fly })
}

func (c *aviary) fly(_ context.Context, token string) error {
	c.sent++
	c.token = token
	if c.lost {
		return nil
	}
	go func() {
		time.Sleep(30 * time.Second)
		c.r.deliver(canaryMail(token, c.lets, c.as))
	}()
	return nil
}

func (c *aviary) believed() []string {
	return c.r.in.believed(context.Background(), store.Now())
}

func canaryMail(token string, lets []string, as string) string {
	head := "Authentication-Results: mx.quiet.example; dkim=none\n"
	for _, id := range lets {
		head += fmt.Sprintf("%s: %s; dkim=pass header.d=%s.invalid\n", as, id, token)
	}
	loop := (&send.Newsletter{ID: "quiet", Pattern: send.Pattern{Mailbox: rigBox}, Keys: send.Keys{Secret: []byte("k")}}).Loop()
	return head + "From: " + rigBox + "\nTo: " + rigBox + "\nSubject: galley check\nMessage-ID: <check." + token + "@quiet.example>\nX-Loop: " + loop + "\n\nA trial.\n"
}

// A server is tried every week, and a trial that nothing came of is made again
// after a day.
func TestCanaryIsRepeated(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		c := &aviary{r: r}
		c.start()
		time.Sleep(3 * time.Minute)
		r.end()
		for _, x := range []struct {
			after time.Duration
			want  int
		}{{6 * 24 * time.Hour, 1}, {25 * time.Hour, 2}, {time.Hour, 2}, {24 * time.Hour, 3}} {
			c.lost = true // nothing comes of the second one
			time.Sleep(x.after)
			if err := r.in.tryServer(context.Background()); err != nil {
				t.Fatal(err)
			}
			if c.sent != x.want {
				t.Errorf("%v later %d canaries, want %d", x.after, c.sent, x.want)
			}
		}
	})
}
