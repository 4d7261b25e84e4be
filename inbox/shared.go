package inbox

import (
	"context"
	"slices"
	"strings"

	"galley/inbox/mime"
)

// foreign tells mail of an editor's own mailbox that is none of the
// newsletter's business: what is neither to its address, or a plus-address of
// it, nor an answer to a mail of ours (conversation.md section 7). Where the
// newsletter's address is also the editor's, mail to the bare address may be
// anybody's and proves nothing.
func (in *Inbox) foreign(ctx context.Context, l *letter) (bool, error) {
	if !in.Newsletter.Shared || in.toUs(l.m) {
		return false, nil
	}
	_, ours, err := in.origin(ctx, l, l.m.InReplyTo)
	return !ours, err
}

// toUs tells whether a mail names an address of the newsletter as one that it
// came to.
func (in *Inbox) toUs(m *mime.Message) bool {
	n := in.Newsletter
	k := KnownTo(n.Press)
	if len(k.addressed(m)) > 0 {
		return true
	}
	if slices.ContainsFunc(n.Editors, func(e Editor) bool { return strings.EqualFold(e.Addr, n.Address) }) {
		return false
	}
	for _, name := range addressFields {
		for _, raw := range m.Header.Raw(name) {
			for _, a := range mime.ParseAddresses(raw) {
				if strings.EqualFold(a.Addr, n.Address) {
					return true
				}
			}
		}
	}
	return false
}

// stays tells kinds of mail that are left where they lie, unmarked.
func (in *Inbox) stays(k Kind) bool {
	return k == Alert || k == Before || k == Foreign || in.Newsletter.Shared && k == Letter
}
