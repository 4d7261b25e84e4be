package list

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"galley/send/store"
)

const (
	readAhead = 100_000 // records that are put in order before they are written
	batchRows = 10_000  // rows of one transaction: others want to write too
	maxFaults = 1_000   // faults that a Report lists; it counts them all
)

// Fault is a record that could not be taken, and why.
type Fault struct {
	Line int    `json:"line"`
	What string `json:"what"` // in English

	Wrong error `json:"-"` // a *Wrong, for whoever has other words
}

// Report is what became of every record of an import: Read is the sum of the
// other figures.
type Report struct {
	Read       int     `json:"read"`
	Added      int     `json:"added"`
	Already    int     `json:"already"`    // on the list before, or twice in the file
	Left       int     `json:"left"`       // left here, and stays away
	Suppressed int     `json:"suppressed"` // must not be mailed
	Away       int     `json:"away"`       // the file itself says they left
	Faulty     int     `json:"faulty"`
	Faults     []Fault `json:"faults,omitempty"` // the first thousand, by line
}

// Import puts the people of a CSV file on the list of a newsletter. The first
// line names the columns; those of Buttondown, Mailchimp, Substack, listmonk
// and Ghost are known, and Galley's own. A record with a fault is told by its
// line and not taken; all others are. Nobody who left or is suppressed comes
// back, so a file may be imported again, also after it broke off: each
// transaction takes up to 10,000 records and is whole or not there at all.
// After each of them progress, if not nil, is called with the records read.
//
// source is written into the consent of everybody who joins. The error tells
// that the file could not be read to its end or the books not be written; the
// Report then says what is done.
func (l *List) Import(ctx context.Context, db *store.DB, newsletter, source string, r io.Reader, progress func(read int)) (Report, error) {
	i := &importer{l: l, db: db, newsletter: newsletter, source: source, now: store.Now(), records: newRecords(r)}
	if err := i.header(); err != nil {
		return i.report, err
	}
	var err error
	if i.tx != nil {
		err = i.all(ctx, progress)
	} else {
		err = db.Spacious(ctx, func() error { return i.all(ctx, progress) })
	}
	if err == nil && i.tx == nil && i.report.Added > 0 {
		err = db.Update(ctx, func(tx *store.Tx) error { return tx.Weigh(ctx, "subscriber") })
	}
	return i.report, err
}

// all reads and writes until the file ends.
func (i *importer) all(ctx context.Context, progress func(read int)) error {
	for more := true; more; {
		var people []person
		var err error
		people, more, err = i.ahead()
		if werr := i.write(ctx, people, progress); werr != nil || err != nil {
			return fmt.Errorf("import: after line %d: %w", i.records.line, errors.Join(err, werr))
		}
	}
	return nil
}

// chunk is how many rows one statement takes: PostgreSQL counts the round
// trips, SQLite the time to bind so many values.
func (i *importer) chunk() int {
	if i.db != nil && i.db.Dialect() == store.PostgreSQL {
		return 1000
	}
	return 100
}

// importer is one import under way.
type importer struct {
	l                  *List
	db                 *store.DB
	tx                 *store.Tx // nil: a transaction for each batch
	newsletter, source string
	now                time.Time
	records            *records
	layout             *layout
	report             Report
}

// header reads the line with the names of the columns. Spreadsheets write a
// semicolon or a tab where a comma means something else, and a mark in front.
func (i *importer) header() error {
	start, _ := i.records.r.Peek(3)
	if bytes.Equal(start, []byte("\xef\xbb\xbf")) {
		i.records.r.Discard(3)
	} else if len(start) > 1 && (start[0] == 0xff && start[1] == 0xfe || start[0] == 0xfe && start[1] == 0xff) {
		return fmt.Errorf("import: %w", wrong("line", 1, wrong("wide")))
	}
	first, err := i.records.take()
	if err == io.EOF {
		return fmt.Errorf("import: %w", wrong("empty"))
	}
	if err != nil {
		return fmt.Errorf("import: %w", wrong("line", 1, err))
	}
	for _, comma := range []byte(";\t") {
		if strings.Count(first, string(comma)) > strings.Count(first, string(i.records.comma)) {
			i.records.comma = comma
		}
	}
	cells, err := split(first, i.records.comma)
	if err == nil {
		i.layout, err = readHeader(cells)
	}
	if err != nil {
		return fmt.Errorf("import: %w", wrong("line", 1, err))
	}
	return nil
}

// ahead reads the people of the next transactions.
func (i *importer) ahead() (batch []person, more bool, err error) {
	for len(batch) < readAhead {
		cells, err := i.records.read()
		switch {
		case err == io.EOF:
			return batch, false, nil
		case err == errOpenQuote || err == errAfter || err == errLong:
			i.report.Read++
			i.fault(err)
			continue
		case err != nil:
			return batch, false, err
		}
		i.report.Read++
		p, err := i.layout.read(cells, i.now)
		p.line = i.records.line
		switch {
		case err != nil:
			i.fault(err)
		case p.away:
			i.report.Away++
		default:
			batch = append(batch, p)
		}
	}
	return batch, true, nil
}

func (i *importer) fault(err error) {
	i.report.Faulty++
	if len(i.report.Faults) < maxFaults {
		i.report.Faults = append(i.report.Faults, Fault{i.records.line, err.Error(), err})
	}
}

// write puts people on the books. Rows in the order of the index are far
// cheaper to insert than in the file's, and the more so the longer the order is.
func (i *importer) write(ctx context.Context, people []person, progress func(read int)) error {
	slices.SortFunc(people, func(a, b person) int { return cmp.Or(strings.Compare(a.key, b.key), a.line-b.line) })
	left := len(people)
	tell := func() {
		if progress != nil {
			progress(i.report.Read - left)
		}
	}
	for batch := range slices.Chunk(people, batchRows) {
		if err := i.writeBatch(ctx, batch); err != nil {
			i.report.Read -= left // not taken, so not counted: the sum holds
			return err
		}
		left -= len(batch)
		tell()
	}
	if len(people) == 0 {
		tell()
	}
	return nil
}

// writeBatch puts people in order on the books, in one transaction. Whoever
// stands in the file twice counts as on the list the second time.
func (i *importer) writeBatch(ctx context.Context, batch []person) error {
	whole := len(batch)
	batch = slices.CompactFunc(batch, func(a, b person) bool { return a.key == b.key })
	var done Report
	err := i.update(ctx, func(tx *store.Tx) error {
		b := &bookkeeper{importer: i, tx: tx, ready: map[string]query{}} // anew when the transaction is tried again
		b.done.Already = whole - len(batch)
		for chunk := range slices.Chunk(batch, i.chunk()) {
			if err := b.take(ctx, chunk); err != nil {
				return err
			}
		}
		done = b.done
		return nil
	})
	if err != nil {
		return err
	}
	i.report.Added += done.Added
	i.report.Already += done.Already
	i.report.Left += done.Left
	i.report.Suppressed += done.Suppressed
	return nil
}

// update runs f in the caller's transaction, or in one of its own.
func (i *importer) update(ctx context.Context, f func(tx *store.Tx) error) error {
	if i.tx != nil {
		return f(i.tx)
	}
	return i.db.Update(ctx, f)
}
