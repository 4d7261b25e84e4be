package inbox

import (
	"context"
	"strings"

	"galley/compose"
	"galley/inbox/intent"
	"galley/send/store"
)

// strangersDraft tells whether a mail that proves no editor brings the text
// of an issue all the same, from an editor's other account perhaps. Such a
// text is never mined for suggestions (conversation.md section 5). The answer
// is the address of the editor to be asked, "" when it is no draft.
func (in *Inbox) strangersDraft(ctx context.Context, l *letter) string {
	if len(in.Newsletter.Editors) == 0 || l.m.InReplyTo != "" && !in.named(l) {
		return ""
	}
	if l.opening == nil && in.open(ctx, l, nil) != nil {
		return ""
	}
	r := intent.Read(in.mail(l, intent.PaperNone, store.Now()))
	if r.Kind != intent.KindDraft {
		return ""
	}
	// A reader may send a long letter with links, or a file. What has a head,
	// or is much like a text in the making, is an issue; so is whatever comes
	// under an editor's name.
	surely := r.Draft.Form == "front matter" || r.Draft.Form == "attachment" && strings.HasPrefix(strings.TrimSpace(r.Draft.Text), "---")
	if !surely && !in.named(l) && !in.likeOpen(l, r.Draft.Text) {
		return ""
	}
	l.reading = r
	for _, e := range in.Newsletter.Editors {
		if strings.EqualFold(e.Name, l.name()) {
			return e.Addr
		}
	}
	return in.Newsletter.Editors[0].Addr
}

// named tells whether the mail bears an editor's name.
func (in *Inbox) named(l *letter) bool {
	for _, e := range in.Newsletter.Editors {
		if e.Name != "" && strings.EqualFold(e.Name, l.name()) {
			return true
		}
	}
	return false
}

// likeOpen tells whether a text shares a third with one in the making.
func (in *Inbox) likeOpen(l *letter, text string) bool {
	for _, t := range l.opening.Texts {
		if intent.Shares(t.Markdown, text) {
			return true
		}
	}
	return false
}

// askAbout keeps a stranger's text unseen and asks the editor about it.
func (in *Inbox) askAbout(l *letter, editor string) effect {
	return func(ctx context.Context, tx *store.Tx) error {
		text, form := in.draftText(l)
		return in.Desk.Submit(ctx, tx, &compose.Draft{
			Newsletter: in.Newsletter.ID, Message: l.row, Editor: editor, Form: form, Subject: l.m.Subject,
			Remark: l.reading.Draft.Remark, Source: text, Written: l.m.Date, Held: true, From: l.sender(),
		})
	}
}
