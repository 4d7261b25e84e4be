package inbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"galley/send/store"
)

func set(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}

// trace are the fields that servers put on top of a message on its way; two
// copies of one mail differ in them.
var trace = []string{"return-path", "received", "delivered-to", "x-original-to", "authentication-results"}

// Digest is the identity of a message: the SHA-256 of its octets below the
// trace fields on top, in hex.
func Digest(raw []byte) string {
	sum := sha256.Sum256(belowTrace(raw))
	return hex.EncodeToString(sum[:])
}

func belowTrace(raw []byte) []byte {
	rest := raw
	inTrace := false
	for len(rest) > 0 {
		line := rest
		if n := bytes.IndexByte(rest[:min(len(rest), 1<<16)], '\n'); n >= 0 {
			line = rest[:n+1]
		}
		folded := line[0] == ' ' || line[0] == '\t'
		if !folded {
			inTrace = isTrace(line)
		}
		if !inTrace {
			break
		}
		rest = rest[len(line):]
	}
	return rest
}

func isTrace(line []byte) bool {
	name, _, ok := strings.Cut(string(line[:min(len(line), 64)]), ":")
	if !ok {
		return false
	}
	name = strings.ToLower(strings.TrimSpace(name))
	for _, t := range trace {
		if name == t {
			return true
		}
	}
	return false
}

// maxFaults is how often the effect of a message may fail to be written before
// the message is set aside; with the pauses of putOff, which double up to ten
// minutes, that takes an hour and a half.
const maxFaults = 16

// putOff takes an attempt back that failed by a fault of the books or of a
// neighbour: only what a message itself does to its reader counts among its
// tries. The others go first meanwhile, and a fault that stays with one
// message is bounded too. It fails where the books take nothing at all: then
// the fault is nobody's.
func (in *Inbox) putOff(ctx context.Context, w *waiting) error {
	pause := min(2*time.Second<<min(w.faults, 16), 10*time.Minute)
	return in.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE message SET tries = $1, faults = faults + 1, due = $2 WHERE id = $3 AND state = 'new'`,
			w.tries-1, store.Micros(tx.Now().Add(pause)), w.id)
		return err
	})
}

// untry takes attempts back that were broken off.
func (in *Inbox) untry(ctx context.Context, ws []*waiting) error {
	return in.DB.Update(ctx, func(tx *store.Tx) error {
		for _, w := range ws {
			if _, err := tx.ExecContext(ctx, `UPDATE message SET tries = $1, due = 0 WHERE id = $2 AND state = 'new'`, w.tries-1, w.id); err != nil {
				return err
			}
		}
		return nil
	})
}

// settle marks a message as dealt with, in the transaction of its effects. It
// fails when another transaction has done so: an effect must not come twice.
func settle(ctx context.Context, tx *store.Tx, id int64, l *letter) error {
	state, told := "done", store.Micros(tx.Now())
	if l.kind == Quarantine {
		state = "quarantine"
		if l.effect == nil { // otherwise the editor is told by what it causes
			told = 0
		}
	}
	done, err := tx.ExecContext(ctx, `UPDATE message SET state = $1, kind = $2, reason = $3, message_id = $4, sender = $5, subject = $6, written = $7, told = $8 WHERE id = $9 AND state = 'new'`,
		state, l.kind, l.reason, l.messageID(), l.sender(), l.subject(), store.Micros(l.written()), told, id)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, errSettled)
	}
	if l.kind == Foreign { // none of ours: only that it was seen is kept
		_, err = tx.ExecContext(ctx, `UPDATE message SET message_id = '', sender = '', subject = '', written = 0 WHERE id = $1`, id)
		if err == nil {
			err = keep(ctx, tx, id, nil)
		}
	}
	return err
}

// postpone has a message looked at again later.
func postpone(ctx context.Context, tx *store.Tx, id int64, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE message SET due = $1, tries = 0 WHERE id = $2`, store.Micros(at), id)
	return err
}

// errSettled ends a transaction that would settle a message again.
var errSettled = errors.New("the message was dealt with already")

// keep stores the octets of a message; nil ones are empty.
func keep(ctx context.Context, tx *store.Tx, id int64, raw []byte) error {
	if raw == nil {
		raw = []byte{}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO octets (message, raw) VALUES ($1, $2) ON CONFLICT (message) DO UPDATE SET raw = excluded.raw`, id, raw)
	return err
}

// seenBefore tells whether a value of that kind was acted on already, by
// another message than this one, which may be dealt with again.
func seenBefore(ctx context.Context, tx *store.Tx, newsletter, kind, value string, message int64) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM seen WHERE newsletter = $1 AND kind = $2 AND value = $3 AND message <> $4`,
		newsletter, kind, value, message).Scan(&n)
	return n > 0, err
}

// remember keeps a value and the message that it came with, so that it counts
// once.
func remember(ctx context.Context, tx *store.Tx, newsletter, kind, value string, message int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO seen (newsletter, kind, value, message, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (newsletter, kind, value) DO NOTHING`,
		newsletter, kind, value, message, store.Micros(tx.Now()))
	return err
}

// SetAside counts the messages in quarantine.
func (in *Inbox) SetAside(ctx context.Context, tx *store.Tx) (n int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM message WHERE newsletter = $1 AND state = 'quarantine'`, in.Newsletter.ID).Scan(&n)
	return n, err
}
