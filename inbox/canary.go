package inbox

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"galley/inbox/mime"
	"galley/inbox/trust"
	"galley/send/store"
)

// How often the mailbox's server is tried, how long a trial counts, and when
// one that nothing came of is made again (trust.md 2.6 B).
const (
	canaryEvery = 7 * 24 * time.Hour
	canaryFresh = 30 * 24 * time.Hour
	canaryAgain = 24 * time.Hour
	canaryTick  = time.Hour
	canaryKept  = 90 * 24 * time.Hour
)

// canaryID begins the Message-ID of the mail by which a server is tried.
const canaryID = "<check."

// What a trial has shown of a server.
const (
	canaryStripped = "stripped"
	canaryForged   = "forged"
)

// Canary is what the last trial of a mail server has shown.
type Canary struct {
	Authserv string
	Sent     time.Time // of the last trial whose mail came; zero: none ever came
	Forged   bool      // it let a judgement in its own name in
}

// Fresh tells whether the server's word counts at an instant.
func (c Canary) Fresh(now time.Time) bool {
	return !c.Forged && now.Sub(c.Sent) <= canaryFresh
}

// Canaries tells of every authserv-id of the configuration what its last trial
// has shown.
func (in *Inbox) Canaries(ctx context.Context, tx *store.Tx) ([]Canary, error) {
	var out []Canary
	for _, id := range in.Newsletter.Authserv {
		c := Canary{Authserv: id}
		var sent int64
		var verdict string
		err := tx.QueryRowContext(ctx, `SELECT sent, verdict FROM canary WHERE newsletter = $1 AND authserv = $2 AND verdict <> '' ORDER BY sent DESC, token LIMIT 1`,
			in.Newsletter.ID, strings.ToLower(id)).Scan(&sent, &verdict)
		if err != nil && !store.NotFound(err) {
			return nil, err
		}
		if err == nil {
			c.Sent, c.Forged = store.Instant(sent), verdict == canaryForged
		}
		out = append(out, c)
	}
	return out, nil
}

// believed are the authserv-ids whose word counts now. A border server has to
// take judgements in its own name off mail that comes in (RFC 8601 section 5);
// whether it does is tried and not hoped.
func (in *Inbox) believed(ctx context.Context, now time.Time) []string {
	n := in.Newsletter
	if in.DB == nil || n.AuthservUnchecked || len(n.Authserv) == 0 {
		return n.Authserv
	}
	var out []string
	err := in.DB.View(ctx, func(tx *store.Tx) error {
		all, err := in.Canaries(ctx, tx)
		for _, c := range all {
			if c.Fresh(now) {
				out = append(out, c.Authserv)
			}
		}
		return err
	})
	if err != nil {
		return nil // a fault of the books proves nothing
	}
	return out
}

// keepCanary tries the server every week until ctx ends.
func (in *Inbox) keepCanary(ctx context.Context) {
	tick := time.NewTicker(canaryTick)
	defer tick.Stop()
	for {
		if err := in.tryServer(ctx); err != nil && ctx.Err() == nil {
			in.Log.Warn("inbox: the mail server could not be tried", "newsletter", in.Newsletter.ID, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tryServer sends a canary when one is due. It is in the books before it
// leaves, so that it is known whatever happens then.
func (in *Inbox) tryServer(ctx context.Context) error {
	if in.Try == nil || in.Newsletter.AuthservUnchecked {
		return nil
	}
	due := false
	err := in.DB.View(ctx, func(tx *store.Tx) (err error) {
		due, err = in.canaryDue(ctx, tx)
		return err
	})
	if err != nil || !due {
		return err
	}
	token := strings.ToLower(rand.Text())
	if err := in.DB.Update(ctx, func(tx *store.Tx) error { return in.Tried(ctx, tx, token) }); err != nil {
		return err
	}
	return in.Try(ctx, token)
}

// canaryDue tells whether the last trial that came back is a week old for some
// server, and the last one that left a day.
func (in *Inbox) canaryDue(ctx context.Context, tx *store.Tx) (bool, error) {
	all, err := in.Canaries(ctx, tx)
	for _, c := range all {
		var last int64
		if err == nil {
			err = tx.QueryRowContext(ctx, `SELECT COALESCE(max(sent), 0) FROM canary WHERE newsletter = $1 AND authserv = $2`,
				in.Newsletter.ID, strings.ToLower(c.Authserv)).Scan(&last)
		}
		if err != nil {
			return false, err
		}
		if tx.Now().Sub(c.Sent) >= canaryEvery && tx.Now().Sub(store.Instant(last)) >= canaryAgain {
			return true, nil
		}
	}
	return false, err
}

// Tried notes that a canary with a token leaves now.
func (in *Inbox) Tried(ctx context.Context, tx *store.Tx, token string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM canary WHERE newsletter = $1 AND sent < $2`, in.Newsletter.ID, store.Micros(tx.Now().Add(-canaryKept)))
	for _, id := range in.Newsletter.Authserv {
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO canary (newsletter, authserv, token, sent) VALUES ($1, $2, $3, $4) ON CONFLICT (newsletter, authserv, token) DO NOTHING`,
				in.Newsletter.ID, strings.ToLower(id), token, store.Micros(tx.Now()))
		}
	}
	return err
}

// Came notes what has become of a canary's forged judgements. One in the name
// of a server that let it in speaks against this server alone. A message that
// bears no token of ours changes nothing: the token is known to nobody else.
func (in *Inbox) Came(ctx context.Context, tx *store.Tx, messageID string, judgements []string) error {
	rest, ok := strings.CutPrefix(messageID, canaryID)
	token, _, cut := strings.Cut(rest, "@")
	if !ok || !cut || token == "" {
		return nil
	}
	survived := Survived(token, judgements)
	for _, id := range in.Newsletter.Authserv {
		verdict := canaryStripped
		if slices.Contains(survived, strings.ToLower(id)) {
			verdict = canaryForged
		}
		_, err := tx.ExecContext(ctx, `UPDATE canary SET verdict = $1 WHERE newsletter = $2 AND authserv = $3 AND token = $4 AND verdict <> $5`,
			verdict, in.Newsletter.ID, strings.ToLower(id), token, canaryForged)
		if err != nil {
			return err
		}
	}
	return nil
}

// Survived are the servers, in lower case, in whose name a canary's forged
// judgement is still there. One that cannot be parsed counts for whomever it
// begins with.
func Survived(token string, judgements []string) (ids []string) {
	for _, v := range judgements {
		if !strings.Contains(strings.ToLower(v), token) {
			continue
		}
		id, _, err := trust.ParseAuthResults(v)
		if err != nil {
			id, _, _ = strings.Cut(strings.TrimSpace(v), ";")
		}
		ids = append(ids, strings.ToLower(strings.TrimSpace(id)))
	}
	return ids
}

// came is the effect of a canary that has come into the mailbox.
func (in *Inbox) came(m *mime.Message) effect {
	if !strings.HasPrefix(m.MessageID, canaryID) {
		return nil
	}
	judgements := m.Header.Raw("Authentication-Results")
	return func(ctx context.Context, tx *store.Tx) error { return in.Came(ctx, tx, m.MessageID, judgements) }
}
