package send

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"galley/send/message"
	"galley/send/store"
	"galley/send/store/storetest"
)

// seals counts the seals in the books.
func (h *house) seals() (n int) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM seal`).Scan(&n)
	})
	return n
}

// checkSigned verifies every copy with the key that was in use when it went.
func (h *house) checkSigned(key ed25519.PrivateKey) {
	h.t.Helper()
	for _, c := range h.script.copies {
		results, err := dkim.VerifyWithOptions(bytes.NewReader(c.msg), &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) {
			return []string{message.TXT(key)}, nil
		}})
		if err != nil || len(results) != 1 || results[0].Err != nil {
			h.t.Fatalf("DKIM of %s: %v, %+v", c.env.To, err, results)
		}
	}
}

func (h *house) sealedAll(n int) func() bool { return func() bool { return h.seals() == n } }

// Goal D3: what is approved is signed before its time, and the copies that go
// are those that were signed.
func TestSignedAhead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := houseOn(t, db, 0)
		h.crowd(450) // more than two pages
		h.q.Tick = 20 * time.Millisecond
		h.publish(edition("The tide waits.", time.Now().Add(time.Hour).Truncate(time.Second)))
		h.until(20*time.Second, "all are signed", h.sealedAll(450))
		h.leave("reader000007@mail.example")
		h.join("late@mail.example")
		h.update(func(ctx context.Context, tx *store.Tx) error {
			return h.q.Reschedule(ctx, tx, "harbour", 12, tx.Now().Add(2*time.Second))
		})
		h.until(20*time.Second, "the run ends", h.done)
		h.until(20*time.Second, "the seals are cleared away", h.sealedAll(0))
		h.expectTotal(450)
		// The new time made new seals of all but the one who joined later.
		if n := h.q.sealed.Load(); n != 449 {
			t.Errorf("%d copies had a seal", n)
		}
		h.checkSigned(testNewsletter().Signers[0].Key.(ed25519.PrivateKey))
	})
}

func (h *house) expectTotal(n int) {
	h.t.Helper()
	for a, copies := range h.script.perReader() {
		if copies != 1 {
			h.t.Errorf("%s got %d copies", a, copies)
		}
		n--
	}
	if n != 0 {
		h.t.Errorf("%d readers too few", n)
	}
}

// Keys that are changed between the approval and the slot make the seals anew.
func TestNewKeysSealAnew(t *testing.T) {
	simulate(t, 30, func(h *house) {
		at := time.Now().Add(time.Hour)
		h.publish(edition("The tide waits.", at))
		h.until(10*time.Minute, "all are signed", h.sealedAll(30))
		key := ed25519.NewKeyFromSeed([]byte("another seed of thirty-two octet"))
		h.again()
		h.q.Newsletters["harbour"].Signers = []*message.Signer{{Domain: "news.example", Selector: "e1", Key: key}}
		h.until(2*time.Hour, "the run ends", h.done)
		h.expectOneEach(30)
		if n := h.q.sealed.Load(); n != 30 {
			t.Errorf("%d copies had a seal", n)
		}
		h.checkSigned(key)
	})
}

// Keys that are changed when the run has begun: the old seals fit no longer,
// and what is left is signed when it goes.
func TestNewKeysInMidRun(t *testing.T) {
	simulate(t, 30, func(h *house) {
		h.publish(edition("The tide waits.", time.Now().Add(time.Hour)))
		h.until(10*time.Minute, "all are signed", h.sealedAll(30))
		key := ed25519.NewKeyFromSeed([]byte("another seed of thirty-two octet"))
		h.q.Newsletters["harbour"].Signers = []*message.Signer{{Domain: "news.example", Selector: "e1", Key: key}}
		h.update(func(ctx context.Context, tx *store.Tx) error {
			return h.q.Reschedule(ctx, tx, "harbour", 12, tx.Now())
		})
		h.until(2*time.Hour, "the run ends", h.done)
		h.expectOneEach(30)
		if n := h.q.sealed.Load(); n != 0 {
			t.Errorf("%d copies had a seal of the old key", n)
		}
		h.checkSigned(key)
	})
}
