package compose

import (
	"fmt"
	"strings"

	"galley/send"
	"galley/send/store"
)

// refusal is a reader who did not get a copy, as an editor reads it: Why names
// the sentence of the catalogue, Reply is the server's own.
type refusal struct {
	send.Failure
	Why   string
	Again string // when it is tried again, "" when it is not
}

// Refused says in the catalogue's words why a reader did not get a copy.
func (d *Desk) Refused(newsletter string, f send.Failure) (string, error) {
	n := d.Newsletters[newsletter]
	if n == nil {
		return "", fmt.Errorf("newsletter %q is not in the configuration; put it back to read of its readers", newsletter)
	}
	return phrase(n.Frame.Looks, "why", n.refusal(f))
}

// refusal sorts a failure by what an editor would say of it.
func (n *Newsletter) refusal(f send.Failure) refusal {
	r := refusal{Failure: f, Why: whyNot(f)}
	if !f.Due.IsZero() {
		r.Again = n.when(f.Due, store.Now())
	}
	return r
}

// whyNot names the sentence for a failure. How it stands comes before what the
// server said, since that is what the editor can do something about.
func whyNot(f send.Failure) string {
	switch {
	case f.Class == send.ClassHand:
		return "hand"
	case f.State == send.Ambiguous, f.State == send.Held:
		return "unsure"
	case f.Class == send.ClassComplaint:
		return "complaint"
	case full(f):
		return "full"
	case f.Class == send.ClassOurs && tooBig(f):
		return "big"
	case f.Class == send.ClassOurs && strings.HasPrefix(f.Status, "5.6.7"): // RFC 6531 section 3.5
		return "letters"
	case f.Class == send.ClassOurs:
		return "ours"
	case f.Class == send.ClassDomain:
		return "domain"
	case f.Class == send.ClassHard:
		return "nobody"
	case f.Status == "4.7.1" && f.State == send.Deferred:
		return "grey"
	case f.State == send.Expired:
		return "expired"
	}
	return "trouble"
}

// full tells of a mailbox without room (RFC 3463 section 3.3).
func full(f send.Failure) bool {
	return strings.HasSuffix(f.Status, ".2.2") || f.Status == "" && f.Code == 552
}

// tooBig tells of a message that a server takes no room for.
func tooBig(f send.Failure) bool { return f.Status == "5.3.4" || f.Status == "5.2.3" }
