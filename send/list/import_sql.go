package list

import (
	"context"
	"errors"
	"strconv"
	"time"

	"galley/send/store"
)

// bookkeeper writes one transaction of an import.
type bookkeeper struct {
	*importer
	tx    *store.Tx
	ready map[string]query // prepared statements, for most chunks are alike
	done  Report
}

// query is a prepared statement.
type query interface {
	QueryContext(context.Context, ...any) (*store.Rows, error)
}

// ask runs a statement and has each row of its answer seen.
func (b *bookkeeper) ask(ctx context.Context, text string, args []any, see func(scanner) error) error {
	if b.ready[text] == nil {
		q, err := b.tx.PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		b.ready[text] = q
	}
	rows, err := b.ready[text].QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	for rows.Next() && err == nil {
		err = see(rows)
	}
	return errors.Join(err, rows.Err(), rows.Close())
}

// take takes a chunk of people in a handful of statements.
func (b *bookkeeper) take(ctx context.Context, people []person) error {
	in, err := b.allowed(ctx, people)
	if err != nil || len(in) == 0 {
		return err
	}
	ids, err := b.insert(ctx, in)
	if err != nil {
		return err
	}
	b.done.Added += len(ids)
	if len(ids) == 0 {
		return b.known(ctx, in)
	}
	if len(ids) < len(in) {
		err = b.known(ctx, without(in, ids))
	}
	return errors.Join(err, b.consent(ctx, in, ids))
}

// allowed leaves out, and counts, those who are suppressed.
func (b *bookkeeper) allowed(ctx context.Context, people []person) (in []person, err error) {
	var some bool // most lists are imported before anybody is suppressed
	err = b.ask(ctx, `SELECT EXISTS (SELECT 1 FROM suppression WHERE newsletter = $1)`, []any{b.newsletter}, func(row scanner) error {
		return row.Scan(&some)
	})
	if err != nil || !some {
		return people, err
	}
	args := []any{b.newsletter}
	for _, p := range people {
		args = append(args, b.l.hash(b.newsletter, p.address))
	}
	shut := map[string]bool{}
	err = b.ask(ctx, `SELECT hash FROM suppression WHERE newsletter = $1 AND hash IN `+tuple(2, len(people)), args, func(row scanner) error {
		var hash string
		err := row.Scan(&hash)
		shut[hash] = true
		return err
	})
	if len(shut) == 0 {
		return people, err
	}
	for n, p := range people {
		if !shut[args[n+1].(string)] {
			in = append(in, p)
		}
	}
	b.done.Suppressed += len(people) - len(in)
	return in, err
}

// insert adds those who are not on the books, and gives their new ids by key.
func (b *bookkeeper) insert(ctx context.Context, people []person) (map[string]int64, error) {
	now := store.Micros(b.tx.Now())
	args := make([]any, 0, 7*len(people))
	for _, p := range people {
		joined := now
		if !p.joined.IsZero() {
			joined = store.Micros(p.joined)
		}
		args = append(args, b.newsletter, now, string(Active), p.key, p.address.String(), p.name, joined)
	}
	text := `INSERT INTO subscriber (newsletter, changed, state, key, address, name, joined) VALUES ` + store.Values(1, len(people), 7) +
		` ON CONFLICT (newsletter, key) DO NOTHING RETURNING key, id`
	ids := make(map[string]int64, len(people))
	err := b.ask(ctx, text, args, func(row scanner) error {
		var key string
		var id int64
		err := row.Scan(&key, &id)
		ids[key] = id
		return err
	})
	return ids, err
}

// known counts people who are on the books, by where they stand.
func (b *bookkeeper) known(ctx context.Context, people []person) error {
	args := []any{b.newsletter}
	for _, p := range people {
		args = append(args, p.key)
	}
	return b.ask(ctx, `SELECT state FROM subscriber WHERE newsletter = $1 AND key IN `+tuple(2, len(people)), args, func(row scanner) error {
		var s State
		err := row.Scan(&s)
		if s == Active {
			b.done.Already++
		} else {
			b.done.Left++
		}
		return err
	})
}

// consent writes down why the new ones are on the list.
func (b *bookkeeper) consent(ctx context.Context, people []person, ids map[string]int64) error {
	now := store.Micros(b.tx.Now())
	args := make([]any, 0, 5*len(ids))
	for _, p := range people {
		if id, added := ids[p.key]; added {
			args = append(args, b.newsletter, now, Joined, id, b.evidence(p))
		}
	}
	text := `INSERT INTO consent (newsletter, at, what, subscriber, evidence) VALUES ` + store.Values(1, len(ids), 5)
	return b.ask(ctx, text, args, func(scanner) error { return nil })
}

func (i *importer) evidence(p person) string {
	said := "no date of consent given"
	if !p.joined.IsZero() {
		said = "consent of " + p.joined.Format(time.RFC3339)
	}
	return "import of " + i.source + ", line " + strconv.Itoa(p.line) + ", " + said
}

// without are the people who got no id.
func without(people []person, ids map[string]int64) (out []person) {
	for _, p := range people {
		if _, added := ids[p.key]; !added {
			out = append(out, p)
		}
	}
	return out
}

// tuple writes ($2,$3,$4) for three values from the second on.
func tuple(from, n int) string { return store.Values(from, 1, n) }
