package inbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"galley/inbox/mailbox"
	"galley/send/store"
)

// Cursor is the highest UID that was taken in under a UIDVALIDITY
// (mailbox.Ledger).
func (in *Inbox) Cursor(ctx context.Context, uidvalidity uint32) (uid uint32, err error) {
	err = in.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT cursor FROM mailbox WHERE newsletter = $1 AND name = $2 AND uidvalidity = $3`,
			in.Newsletter.ID, in.Folder, int64(uidvalidity)).Scan(&uid)
	})
	if store.NotFound(err) {
		return 0, nil
	}
	return uid, err
}

// Unknown are those UIDs that are not in the ledger (mailbox.Ledger).
func (in *Inbox) Unknown(ctx context.Context, uidvalidity uint32, uids []uint32) ([]uint32, error) {
	if len(uids) == 0 {
		return nil, nil
	}
	known := map[uint32]bool{}
	err := in.DB.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT uid FROM arrival WHERE newsletter = $1 AND mailbox = $2 AND uidvalidity = $3 AND uid BETWEEN $4 AND $5`,
			in.Newsletter.ID, in.Folder, int64(uidvalidity), int64(uids[0]), int64(uids[len(uids)-1]))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var uid uint32
			if err := rows.Scan(&uid); err != nil {
				return err
			}
			known[uid] = true
		}
		return rows.Err()
	})
	var out []uint32
	for _, uid := range uids {
		if !known[uid] {
			out = append(out, uid)
		}
	}
	return out, err
}

// take writes a batch of messages into the ledger, all or none. A message
// that is known by its content gets another arrival and nothing else.
func (in *Inbox) take(ctx context.Context, batch []mailbox.Message) error {
	return in.DB.Update(ctx, func(tx *store.Tx) error {
		for _, m := range batch {
			if err := in.takeOne(ctx, tx, m); err != nil {
				return err
			}
		}
		last := batch[len(batch)-1]
		_, err := tx.ExecContext(ctx, `INSERT INTO mailbox (newsletter, name, uidvalidity, cursor) VALUES ($1, $2, $3, $4)
			ON CONFLICT (newsletter, name) DO UPDATE SET
				cursor = CASE WHEN mailbox.uidvalidity = excluded.uidvalidity AND mailbox.cursor > excluded.cursor THEN mailbox.cursor ELSE excluded.cursor END,
				uidvalidity = excluded.uidvalidity`,
			in.Newsletter.ID, in.Folder, int64(last.UIDValidity), int64(last.UID))
		tx.AfterCommit(in.bell.ring)
		return err
	})
}

func (in *Inbox) takeOne(ctx context.Context, tx *store.Tx, m mailbox.Message) error {
	state, reason := "new", ""
	if m.TooBig {
		state, reason = "quarantine", "larger than the limit; only its header was fetched"
	}
	raw := m.Raw
	if raw == nil {
		raw = []byte{}
	}
	var id int64
	// The update changes nothing; it is there to return the row that is known.
	err := tx.QueryRowContext(ctx, `INSERT INTO message (newsletter, digest, received, state, kind, reason, raw) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (newsletter, digest) DO UPDATE SET received = message.received RETURNING id`,
		in.Newsletter.ID, Digest(raw), store.Micros(tx.Now()), state, set(m.TooBig, string(Quarantine), ""), reason, raw).Scan(&id)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO arrival (newsletter, mailbox, uidvalidity, uid, message) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (newsletter, mailbox, uidvalidity, uid) DO NOTHING`,
		in.Newsletter.ID, in.Folder, int64(m.UIDValidity), int64(m.UID), id)
	return err
}

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
	raw      []byte
	received time.Time
}

// nextWaiting is the oldest message that is due; nil when there is none.
func (in *Inbox) nextWaiting(ctx context.Context) (*waiting, error) {
	var w waiting
	err := in.DB.View(ctx, func(tx *store.Tx) error {
		var received int64
		err := tx.QueryRowContext(ctx, `SELECT id, tries, raw, received FROM message WHERE newsletter = $1 AND state = 'new' AND due <= $2 ORDER BY id LIMIT 1`,
			in.Newsletter.ID, store.Micros(tx.Now())).Scan(&w.id, &w.tries, &w.raw, &received)
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

// untry takes an attempt back that failed by a fault of the books or of a
// neighbour: only what a message itself does counts against it.
func (in *Inbox) untry(ctx context.Context, w *waiting) error {
	return in.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE message SET tries = $1 WHERE id = $2`, w.tries-1, w.id)
		return err
	})
}

// settle marks a message as dealt with, in the transaction of its effects.
func settle(ctx context.Context, tx *store.Tx, id int64, l *letter) error {
	state := "done"
	if l.kind == Quarantine {
		state = "quarantine"
	}
	_, err := tx.ExecContext(ctx, `UPDATE message SET state = $1, kind = $2, reason = $3, message_id = $4, sender = $5, subject = $6, written = $7 WHERE id = $8`,
		state, l.kind, l.reason, l.messageID(), l.sender(), l.subject(), store.Micros(l.written()), id)
	return err
}

// postpone has a message looked at again later.
func postpone(ctx context.Context, tx *store.Tx, id int64, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE message SET due = $1, tries = 0 WHERE id = $2`, store.Micros(at), id)
	return err
}

// unfiled are arrivals whose message is settled but which lie in the inbox
// still.
func (in *Inbox) unfiled(ctx context.Context) (out []arrival, err error) {
	err = in.DB.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT arrival.uidvalidity, arrival.uid, message.kind FROM arrival JOIN message ON message.id = arrival.message
			WHERE arrival.newsletter = $1 AND arrival.mailbox = $2 AND arrival.filed = 0 AND message.state <> 'new' ORDER BY arrival.uid`,
			in.Newsletter.ID, in.Folder)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a arrival
			if err := rows.Scan(&a.uidvalidity, &a.uid, &a.kind); err != nil {
				return err
			}
			out = append(out, a)
		}
		return rows.Err()
	})
	return out, err
}

type arrival struct {
	uidvalidity, uid uint32
	kind             Kind
}

// filed notes that an arrival was put away; its message stays in the books.
func (in *Inbox) filed(ctx context.Context, a arrival) error {
	return in.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE arrival SET filed = $1 WHERE newsletter = $2 AND mailbox = $3 AND uidvalidity = $4 AND uid = $5`,
			store.Micros(tx.Now()), in.Newsletter.ID, in.Folder, int64(a.uidvalidity), int64(a.uid))
		return err
	})
}

// seenBefore tells whether a value of that kind was acted on already.
func seenBefore(ctx context.Context, tx *store.Tx, newsletter, kind, value string) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM seen WHERE newsletter = $1 AND kind = $2 AND value = $3`, newsletter, kind, value).Scan(&n)
	return n > 0, err
}

// remember keeps a value, so that it counts once.
func remember(ctx context.Context, tx *store.Tx, newsletter, kind, value string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO seen (newsletter, kind, value, at) VALUES ($1, $2, $3, $4) ON CONFLICT (newsletter, kind, value) DO NOTHING`,
		newsletter, kind, value, store.Micros(tx.Now()))
	return err
}

// SetAside counts the messages in quarantine.
func (in *Inbox) SetAside(ctx context.Context, tx *store.Tx) (n int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM message WHERE newsletter = $1 AND state = 'quarantine'`, in.Newsletter.ID).Scan(&n)
	return n, err
}
