package list

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"galley/send/store"
)

const (
	batchRows = 10_000 // rows of one transaction: others want to write too
	maxFaults = 1_000  // faults that a Report lists; it counts them all
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
// Report then says what is done, but for a commit of PostgreSQL whose answer was
// cut off.
func (l *List) Import(ctx context.Context, db *store.DB, newsletter, source string, r io.Reader, progress func(read int)) (Report, error) {
	i := &importer{l: l, db: db, newsletter: newsletter, source: source}
	in, err := newReader(r, store.Now())
	if err != nil {
		return Report{}, err
	}
	err = db.Spacious(ctx, func() error { return i.all(ctx, in, progress) })
	if err == nil && i.report.Added > 0 {
		err = db.Update(ctx, func(tx *store.Tx) error { return tx.Weigh(ctx, "subscriber") })
	}
	return i.report, err
}

// all reads and writes until the file ends. While people are written the next
// ones are read and put in order.
func (i *importer) all(ctx context.Context, in *reader, progress func(read int)) error {
	reading, stop := context.WithCancel(ctx)
	portions, used := make(chan *portion), make(chan *portion, 2)
	used <- &portion{}
	used <- &portion{}
	go func() {
		defer close(portions)
		for more := true; more; {
			var p *portion
			select {
			case p = <-used:
			case <-reading.Done():
				return
			}
			in.next(reading, p)
			more = p.more
			select {
			case portions <- p:
			case <-reading.Done():
				return
			}
		}
	}()
	defer func() {
		stop()
		for range portions { // r is the caller's again when nobody reads it any more
		}
	}()
	for p := range portions {
		if err := i.write(ctx, p, progress); err != nil || !p.more {
			return err
		}
		used <- p
	}
	return fmt.Errorf("import: after line %d: %w", in.records.line, ctx.Err())
}

// importer is one import under way.
type importer struct {
	l                  *List
	db                 *store.DB
	tx                 *store.Tx // nil: a transaction for each batch
	newsletter, source string
	report             Report
}

// write puts a portion on the books, a transaction for each batch. PostgreSQL
// takes several at once.
func (i *importer) write(ctx context.Context, p *portion, progress func(read int)) error {
	i.count(p)
	left := len(p.people)
	tell := func() {
		if progress != nil {
			progress(i.report.Read - left)
		}
	}
	var mu sync.Mutex
	writing, until := errgroup.WithContext(ctx)
	writing.SetLimit(i.atOnce())
	for batch := range slices.Chunk(p.people, batchRows) {
		writing.Go(func() error {
			done, err := i.writeBatch(until, batch)
			if err != nil {
				return err // the others end by it, and what they had begun is not there
			}
			mu.Lock()
			defer mu.Unlock()
			i.report.add(done)
			left -= len(batch)
			tell()
			return nil
		})
	}
	err := errors.Join(p.err, writing.Wait())
	i.report.Read -= left // not taken, so not counted: the sum holds
	if len(p.people) == 0 {
		tell()
	}
	if err != nil {
		return fmt.Errorf("import: after line %d: %w", p.line, err)
	}
	return nil
}

// atOnce is how many transactions are written at once: while the server writes
// one the next is made ready. A third one only gets in their way. People come in
// order, so that two can only meet at the end of one and the beginning of the
// next, and never wait for each other.
func (i *importer) atOnce() int {
	if i.tx != nil || i.db.Dialect() != store.PostgreSQL {
		return 1
	}
	return 2
}

// count adds what was read to the report.
func (i *importer) count(p *portion) {
	i.report.Read += p.read
	i.report.Away += p.away
	i.report.Faulty += p.faulty
	i.report.Faults = append(i.report.Faults, p.faults[:min(len(p.faults), maxFaults-len(i.report.Faults))]...)
}

// writeBatch puts people in order on the books, in one transaction. Whoever
// stands in the file twice counts as on the list the second time.
func (i *importer) writeBatch(ctx context.Context, batch []person) (done Report, err error) {
	whole := len(batch)
	batch = slices.CompactFunc(batch, func(a, b person) bool { return a.key == b.key })
	err = i.update(ctx, func(tx *store.Tx) error {
		b := &bookkeeper{importer: i, tx: tx, now: store.Micros(tx.Now())} // anew when the transaction is tried again
		b.done.Already = whole - len(batch)
		err := b.take(ctx, batch)
		done = b.done
		return err
	})
	return done, err
}

// add adds what was done with one batch.
func (r *Report) add(done Report) {
	r.Added += done.Added
	r.Already += done.Already
	r.Left += done.Left
	r.Suppressed += done.Suppressed
}

// update runs f in the caller's transaction, or in one of its own.
func (i *importer) update(ctx context.Context, f func(tx *store.Tx) error) error {
	if i.tx != nil {
		return f(i.tx)
	}
	return i.db.Update(ctx, f)
}
