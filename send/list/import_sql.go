package list

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"galley/send/store"
)

// bookkeeper writes one transaction of an import.
type bookkeeper struct {
	*importer
	tx   *store.Tx
	now  int64
	ids  []int64 // for those who are new
	args []any   // of one statement; the next one takes their place
	done Report
}

// ask runs a statement and has each row of its answer seen.
func (b *bookkeeper) ask(ctx context.Context, text string, see func(scanner) error) error {
	rows, err := b.tx.QueryContext(ctx, text, b.args...)
	if err != nil {
		return err
	}
	for rows.Next() && err == nil {
		err = see(rows)
	}
	return errors.Join(err, rows.Err(), rows.Close())
}

// take takes people, in chunks of a few statements each.
func (b *bookkeeper) take(ctx context.Context, people []person) (err error) {
	if people, err = b.allowed(ctx, people); err != nil || len(people) == 0 {
		return err
	}
	if b.ids, err = b.tx.Numbers(ctx, "subscriber", len(people)); err != nil {
		return err
	}
	for chunk := range slices.Chunk(people, b.tx.Chunk()) {
		ids := b.ids[:len(chunk)]
		b.ids = b.ids[len(chunk):]
		if err := b.join(ctx, chunk, ids); err != nil {
			return err
		}
	}
	return nil
}

// join puts a chunk of people on the list who are not on the books, under the
// ids that are given for them.
func (b *bookkeeper) join(ctx context.Context, people []person, ids []int64) error {
	n, err := b.insert(ctx, people, ids)
	if err != nil {
		return err
	}
	if n < len(people) {
		if people, ids, err = b.known(ctx, people, ids); err != nil {
			return err
		}
	}
	b.done.Added += len(people)
	return b.consent(ctx, people, ids)
}

// allowed leaves out, and counts, those who are suppressed.
func (b *bookkeeper) allowed(ctx context.Context, people []person) (in []person, err error) {
	var some bool // most lists are imported before anybody is suppressed
	err = b.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM suppression WHERE newsletter = $1)`, b.newsletter).Scan(&some)
	if err != nil || !some {
		return people, err
	}
	for chunk := range slices.Chunk(people, b.tx.Chunk()) {
		shut := map[string]bool{}
		b.args = append(b.args[:0], b.newsletter)
		for _, p := range chunk {
			b.args = append(b.args, b.l.hash(b.newsletter, p.address))
		}
		err = b.ask(ctx, `SELECT hash FROM suppression WHERE newsletter = $1 AND hash IN `+tuple(2, len(chunk)), func(row scanner) error {
			var hash string
			err := row.Scan(&hash)
			shut[hash] = true
			return err
		})
		if err != nil {
			return nil, err
		}
		for n, p := range chunk {
			if !shut[b.args[n+1].(string)] {
				in = append(in, p)
			}
		}
	}
	b.done.Suppressed += len(people) - len(in)
	return in, nil
}

// insert adds those who are not on the books, and tells how many that were.
// What is the same for all is a value of its own: each value costs about as
// much as a column that is written.
func (b *bookkeeper) insert(ctx context.Context, people []person, ids []int64) (int, error) {
	b.args = append(b.args[:0], b.newsletter, b.now)
	for n := range people {
		p := &people[n]
		joined := p.joined
		if joined == 0 {
			joined = b.now
		}
		b.args = append(b.args, ids[n], p.key, p.address.String(), p.name, joined)
	}
	table, args := b.tx.Table(b.args, 2, 5)
	done, err := b.tx.ExecContext(ctx, `INSERT INTO subscriber (newsletter, state, changed, id, key, address, name, joined)
		SELECT CAST($1 AS TEXT), 'active', CAST($2 AS BIGINT), v.column1, v.column2, v.column3, v.column4, v.column5
		FROM (`+table+`) AS v WHERE TRUE
		ON CONFLICT (newsletter, key) DO NOTHING`, args...)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// known counts people who were on the books, by where they stand, and gives
// the others with their ids.
func (b *bookkeeper) known(ctx context.Context, people []person, ids []int64) (added []person, theirs []int64, err error) {
	b.args = append(b.args[:0], b.newsletter)
	for _, p := range people {
		b.args = append(b.args, p.key)
	}
	at := make(map[string]int64, len(people))
	err = b.ask(ctx, `SELECT key, id, state FROM subscriber WHERE newsletter = $1 AND key IN `+tuple(2, len(people)), func(row scanner) error {
		var key string
		var id int64
		var s State
		if err := row.Scan(&key, &id, &s); err != nil {
			return err
		}
		at[key] = id
		switch _, new := slices.BinarySearch(ids, id); {
		case new:
		case s == Active:
			b.done.Already++
		default:
			b.done.Left++
		}
		return nil
	})
	for n, p := range people {
		if at[p.key] == ids[n] {
			added, theirs = append(added, p), append(theirs, ids[n])
		}
	}
	return added, theirs, err
}

// consent writes down why the new ones are on the list.
func (b *bookkeeper) consent(ctx context.Context, people []person, ids []int64) error {
	if len(people) == 0 {
		return nil
	}
	b.args = append(b.args[:0], b.newsletter, b.now, Joined)
	for n := range people {
		b.args = append(b.args, ids[n], b.evidence(&people[n]))
	}
	table, args := b.tx.Table(b.args, 3, 2)
	_, err := b.tx.ExecContext(ctx, `INSERT INTO consent (newsletter, at, what, subscriber, evidence)
		SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), v.column1, v.column2
		FROM (`+table+`) AS v`, args...)
	return err
}

func (i *importer) evidence(p *person) string {
	said := "no date of consent given"
	if p.joined != 0 {
		said = "consent of " + store.Instant(p.joined).Format(time.RFC3339)
	}
	return "import of " + i.source + ", line " + strconv.Itoa(p.line) + ", " + said
}

// tuple writes ($2,$3,$4) for three values from the second on.
func tuple(from, n int) string { return store.Values(from, 1, n) }
