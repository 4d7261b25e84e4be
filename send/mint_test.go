package send

import (
	"testing"

	"galley/send/message"
)

// The minter gives what Keys, Pattern and press.slots give.
func TestMinter(t *testing.T) {
	for _, form := range []string{"", "local-KIND=TOKEN@bounce.news.example", NoForm} {
		for _, host := range []string{"https://news.example", ""} {
			n := testNewsletter()
			n.Pattern.Form, n.Host = form, host
			p := &press{frozen: frozen{Pattern: n.Pattern, Host: host}, domain: n.domain()}
			p.mailto, p.page = aroundToken(p.Pattern.Mailto(KindUnsubscribe, sample)), aroundToken(p.Host+"/u/"+sample)
			m := newMinter(n)
			for _, id := range []int64{1, 255, 256, 77_000_123, 1 << 40, 5} {
				d := &task{id: id, subscriber: id * 7, issue: 12, edition: 9, to: message.Address{Addr: "ann@mail.example"}}
				slots, from := m.copy(p, d)
				if want := p.slots(n, d); slots != want {
					t.Errorf("%q: slots %+v, want %+v", form, slots, want)
				}
				if want := n.returnPath(d); from != want {
					t.Errorf("%q: MAIL FROM %q, want %q", form, from, want)
				}
			}
		}
	}
}
