package relay

import (
	"errors"
	"testing"

	"galley/send"
	"galley/send/sendtest"
)

// LMTP is SMTP but for its greeting, when each transaction has one recipient.
func TestLMTP(t *testing.T) {
	s, r := sink(t, sendtest.Options{LMTP: true})
	r.LMTP = true
	l := open(t, r)
	ann, bo := to("ann@example.org"), to("550+bo@example.org")
	if o := send.Deliver(t.Context(), l, ann, letter("one\r\n"), &bo); o.Verdict != send.Accepted {
		t.Fatalf("%+v", o)
	}
	if o := send.Deliver(t.Context(), l, bo, letter("two\r\n"), nil); o.Verdict != send.Never || o.Stage != send.StageRcpt || o.Transport {
		t.Fatalf("%+v", o)
	}
	if o := send.Deliver(t.Context(), l, ann, letter("three\r\n"), nil); o.Verdict != send.Accepted {
		t.Fatalf("%+v", o)
	}
	if n := len(s.Messages()); n != 2 {
		t.Errorf("%d messages were taken", n)
	}
}

// Who speaks the other of the two is refused at the greeting.
func TestLMTPAndSMTPDoNotMix(t *testing.T) {
	for _, lmtp := range []bool{true, false} {
		_, r := sink(t, sendtest.Options{LMTP: !lmtp})
		r.LMTP = lmtp
		_, err := r.Line(t.Context())
		var refusal *send.Refusal
		if !errors.As(err, &refusal) || refusal.Outcome.Stage != send.StageEHLO {
			t.Errorf("LMTP %v: %v", lmtp, err)
		}
	}
}
