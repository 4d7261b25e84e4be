package inbox

import (
	"context"
	"slices"
	"strings"

	"galley/compose"
	"galley/inbox/intent"
	"galley/inbox/trust"
	"galley/send/store"
)

// greeting is what an answer to the hello shows beside its word
// (conversation.md section 8); nil for every other mail.
func (in *Inbox) greeting(l *letter) *compose.Greeting {
	r := l.reading.Greeted
	if r == nil { // in answer to another mail with a code nothing is learnt but its ways
		if !saysHello(l.reading) || l.opening.Proof == 0 || l.opening.Code != "valid" {
			return nil
		}
		r = &intent.Greeted{}
	}
	g := &compose.Greeting{Coded: l.opening.Code == "valid", Places: in.places(l), Signature: r.Signature, Banner: r.Banner, Foot: r.Foot, Rest: r.Rest}
	g.Renamed = l.m.InReplyTo != "" && l.m.InReplyTo != l.opening.MessageID
	g.Domains = in.signers(l.proof)
	switch {
	case l.proof.PGP == "pass":
		g.By = compose.ByPGP
	case l.proof.E == "pass" && l.proof.By == "authres":
		g.By = compose.ByServer
	case len(g.Domains) > 0:
		g.By = compose.ByDKIM
	}
	return g
}

// signers are the domains that are pinned for the sender of an answer to the
// hello. The code has shown that the editor's own mailbox was read, so a
// provider that signs in its own name may be pinned as well (trust.md 2.6 A);
// the newsletter's own domain may not, where a server of ours could sign
// whatever comes in.
func (in *Inbox) signers(p trust.Evidence) []string {
	_, own, _ := strings.Cut(in.Newsletter.Address, "@")
	_, from, _ := strings.Cut(p.From, "@")
	return slices.DeleteFunc(slices.Clone(p.Signers), func(d string) bool {
		return !strings.EqualFold(from, own) && (strings.EqualFold(d, own) || strings.HasSuffix(strings.ToLower(own), "."+strings.ToLower(d)))
	})
}

// places names where the code of the mail that is answered has come back.
// References do not count: they travel with a forwarded copy.
func (in *Inbox) places(l *letter) (out []string) {
	code := codeOf(l.opening.MessageID)
	if code == "" {
		return nil
	}
	for _, a := range KnownTo(in.Newsletter.Press).addressed(l.m) {
		if a.kind == "approve" && a.token == code && !slices.Contains(out, compose.PlaceAddress) {
			out = append(out, compose.PlaceAddress)
		}
	}
	if l.m.InReplyTo == l.opening.MessageID {
		out = append(out, compose.PlaceThread)
	}
	if strings.Contains(l.m.Text, code) {
		out = append(out, compose.PlaceText)
	}
	if strings.Contains(l.m.Subject, code) {
		out = append(out, compose.PlaceSubject)
	}
	return out
}

// codeOf is the code in the Message-ID of a paper of the desk.
func codeOf(messageID string) string {
	local, _, _ := strings.Cut(messageID, "@")
	code := local[strings.LastIndexByte(local, '.')+1:]
	if len(code) != codeLen {
		return ""
	}
	return code
}

// saysHello tells that a mail is the one word hello.
func saysHello(r intent.Reading) bool {
	return r.Kind == intent.KindCommands && len(r.Commands) == 1 && r.Commands[0].Word == intent.WordHello
}

// pin remembers which domains sign an editor's mail. Only an answer with a
// good code pins: whoever sent it has read the editor's mailbox.
func (in *Inbox) pin(ctx context.Context, tx *store.Tx, l *letter, g *compose.Greeting) error {
	if g == nil || !g.Coded || !l.proof.Strict || !l.proof.Editor {
		return nil
	}
	for _, d := range g.Domains {
		_, err := tx.ExecContext(ctx, `INSERT INTO editor (newsletter, address, domain, at) VALUES ($1, $2, $3, $4) ON CONFLICT (newsletter, address, domain) DO NOTHING`,
			in.Newsletter.ID, strings.ToLower(l.proof.From), d, store.Micros(tx.Now()))
		if err != nil {
			return err
		}
	}
	return nil
}

// unpin takes back what a hello has shown, when the editor says no to it.
func (in *Inbox) unpin(ctx context.Context, tx *store.Tx, l *letter) error {
	r := l.reading
	if r.Kind != intent.KindCommands || len(r.Commands) != 1 || r.Commands[0].Word != intent.WordNo {
		return nil
	}
	for _, d := range l.opening.Shown {
		_, err := tx.ExecContext(ctx, `DELETE FROM editor WHERE newsletter = $1 AND address = $2 AND domain = $3`, in.Newsletter.ID, strings.ToLower(l.opening.Editor), d)
		if err != nil {
			return err
		}
	}
	return nil
}

// pinned are the domains that sign for each editor. Editors without one are
// believed by the domain of their address. A fault of the books is given back:
// without the pins a mail could prove more than it may.
func (in *Inbox) pinned(ctx context.Context) (map[string][]string, error) {
	if in.DB == nil {
		return nil, nil
	}
	out := map[string][]string{}
	err := in.DB.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT address, domain FROM editor WHERE newsletter = $1 ORDER BY at, domain`, in.Newsletter.ID)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var address, domain string
			if err := rows.Scan(&address, &domain); err != nil {
				return err
			}
			out[address] = append(out[address], domain)
		}
		return rows.Err()
	})
	return out, err
}
