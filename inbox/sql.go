package inbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
		if n := strings.IndexByte(string(rest[:min(len(rest), 1<<16)]), '\n'); n >= 0 {
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

// waiting is a message that was not dealt with yet.
type waiting struct {
	id       int64
	tries    int
	faults   int
	raw      []byte
	received time.Time
}

// nextWaiting is the oldest message that is due; nil when there is none.
func (in *Inbox) nextWaiting(ctx context.Context) (*waiting, error) {
	var w waiting
	err := in.DB.View(ctx, func(tx *store.Tx) error {
		var received int64
		err := tx.QueryRowContext(ctx, `SELECT id, tries, faults, raw, received FROM message WHERE newsletter = $1 AND state = 'new' AND due <= $2 ORDER BY id LIMIT 1`,
			in.Newsletter.ID, store.Micros(tx.Now())).Scan(&w.id, &w.tries, &w.faults, &w.raw, &received)
		w.received = store.Instant(received)
		return err
	})
	if store.NotFound(err) {
		return nil, nil
	}
	return &w, err
}

// suspicion is how long a message that was being read when the program died
// lets the others go first, by the number of its tries. A program that dies
// again and again for another reason would else set aside one innocent message
// after the other.
var suspicion = [maxTries]time.Duration{time.Second, 10 * time.Second}

// try counts an attempt before it is made, so that a message that kills the
// program is known after the restart.
func (in *Inbox) try(ctx context.Context, w *waiting) error {
	w.tries++
	return in.DB.Update(ctx, func(tx *store.Tx) error {
		due := tx.Now().Add(suspicion[w.tries-1])
		_, err := tx.ExecContext(ctx, `UPDATE message SET tries = $1, due = $2 WHERE id = $3`, w.tries, store.Micros(due), w.id)
		return err
	})
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
		_, err := tx.ExecContext(ctx, `UPDATE message SET tries = $1, faults = faults + 1, due = $2 WHERE id = $3`,
			w.tries-1, store.Micros(tx.Now().Add(pause)), w.id)
		return err
	})
}

// untry takes an attempt back that was broken off.
func (in *Inbox) untry(ctx context.Context, w *waiting) error {
	return in.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE message SET tries = $1, due = 0 WHERE id = $2`, w.tries-1, w.id)
		return err
	})
}

// settle marks a message as dealt with, in the transaction of its effects.
func settle(ctx context.Context, tx *store.Tx, id int64, l *letter) error {
	state, told := "done", store.Micros(tx.Now())
	if l.kind == Quarantine {
		state = "quarantine"
		if l.effect == nil { // otherwise the editor is told by what it causes
			told = 0
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE message SET state = $1, kind = $2, reason = $3, message_id = $4, sender = $5, subject = $6, written = $7, told = $8 WHERE id = $9`,
		state, l.kind, l.reason, l.messageID(), l.sender(), l.subject(), store.Micros(l.written()), told, id)
	if err == nil && l.kind == Foreign { // none of ours: only that it was seen is kept
		_, err = tx.ExecContext(ctx, `UPDATE message SET raw = $1, message_id = '', sender = '', subject = '', written = 0 WHERE id = $2`, []byte{}, id)
	}
	return err
}

// postpone has a message looked at again later.
func postpone(ctx context.Context, tx *store.Tx, id int64, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE message SET due = $1, tries = 0 WHERE id = $2`, store.Micros(at), id)
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
