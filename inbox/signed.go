package inbox

import (
	"strings"

	"galley/inbox/mime"
)

// signed narrows a mail that a pinned OpenPGP key alone has proven to what the
// key has signed: an outer Subject, an address with a code, a thread or an
// unsigned text could be anybody's. It gives the codes in it.
//
// The signed text has to name the newsletter, so that nothing that was signed
// for somebody else comes here as a draft (trust.md 2.6 G); the code in it
// names issue and revision.
func (in *Inbox) signed(l *letter, codes []string) []string {
	if l.proof.PGP != "pass" || l.proof.E == "pass" {
		return codes
	}
	inner, err := mime.Read(l.proof.Signed)
	if err != nil {
		l.proof.PGP, l.proof.PGPWhy = "fail", "what is signed cannot be read: "+err.Error()
		return codes
	}
	own := codesIn(inner, in.Newsletter)
	if !in.namedIn(inner) && len(own) == 0 {
		l.proof.PGP, l.proof.PGPWhy = "absent", "what is signed does not name the newsletter"
		return codes
	}
	inner.From, inner.To, inner.Cc, inner.Date, inner.MessageID = l.m.From, l.m.To, l.m.Cc, l.m.Date, l.m.MessageID
	l.m = inner
	return own
}

// namedIn tells whether a text or its protected header fields hold the
// newsletter's address.
func (in *Inbox) namedIn(m *mime.Message) bool {
	address := strings.ToLower(in.Newsletter.Address)
	for _, s := range append(m.Header.Raw("To"), m.Text) {
		if strings.Contains(strings.ToLower(s), address) {
			return true
		}
	}
	return false
}
