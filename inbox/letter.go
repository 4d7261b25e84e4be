package inbox

import (
	"context"
	"time"

	"galley/compose"
	"galley/inbox/bounce"
	"galley/inbox/intent"
	"galley/inbox/mime"
	"galley/inbox/reply"
	"galley/inbox/trust"
	"galley/send/store"
)

// letter is a message on its way through the inbox.
type letter struct {
	row     int64
	raw     []byte
	m       *mime.Message
	report  bounce.Result // what it says as a bounce
	parts   *reply.Parts  // nil: not taken apart yet
	claims  *claims       // nil: not looked for yet
	tx      *store.Tx     // the one it is decided in; nil: each look at the books is its own
	kind    Kind
	reason  string
	tray    Tray
	proof   trust.Evidence
	opening *compose.Opening
	reading intent.Reading
	due     time.Time                                     // not now: look again then
	effect  func(ctx context.Context, tx *store.Tx) error // nil: it is kept, and nothing else
}

// split takes the letter apart, once.
func (l *letter) split() *reply.Parts {
	if l.parts == nil {
		parts := split(l.m)
		l.parts = &parts
	}
	return l.parts
}

func (l *letter) messageID() string {
	if l.m == nil {
		return ""
	}
	return l.m.MessageID
}

func (l *letter) subject() string {
	if l.m == nil {
		return ""
	}
	return l.m.Subject
}

func (l *letter) written() time.Time {
	if l.m == nil {
		return time.Time{}
	}
	return l.m.Date
}

func (l *letter) name() string {
	if l.m == nil || len(l.m.From) == 0 {
		return ""
	}
	return l.m.From[0].Name
}

func (l *letter) sender() string {
	if l.m == nil || len(l.m.From) == 0 {
		return ""
	}
	return l.m.From[0].Addr
}
