package list

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// readAhead is how many people are put in order before they are written. Rows
// in the order of the index are far cheaper to insert than in the file's, and
// the more so the longer the order is; two portions are in memory at once.
const readAhead = 100_000

// reader makes people of a file.
type reader struct {
	records *records
	layout  *layout
	now     time.Time
}

// portion is what stands in a part of a file: people in the order of their
// keys, and the figures of all its records.
type portion struct {
	people             []person
	read, away, faulty int
	faults             []Fault
	line               int   // of the last record
	more               bool  // the file goes on
	err                error // the file could not be read further
}

// newReader reads the line with the names of the columns. Spreadsheets write a
// semicolon or a tab where a comma means something else, and a mark in front.
func newReader(r io.Reader, now time.Time) (*reader, error) {
	in := &reader{records: newRecords(r), now: now}
	start, _ := in.records.r.Peek(3)
	if bytes.Equal(start, []byte("\xef\xbb\xbf")) {
		in.records.r.Discard(3)
	} else if len(start) > 1 && (start[0] == 0xff && start[1] == 0xfe || start[0] == 0xfe && start[1] == 0xff) {
		return nil, fmt.Errorf("import: %w", wrong("line", 1, wrong("wide")))
	}
	first, err := in.records.take()
	if err == io.EOF {
		return nil, fmt.Errorf("import: %w", wrong("empty"))
	}
	if err != nil {
		return nil, fmt.Errorf("import: %w", wrong("line", 1, err))
	}
	for _, comma := range []byte(";\t") {
		if strings.Count(first, string(comma)) > strings.Count(first, string(in.records.comma)) {
			in.records.comma = comma
		}
	}
	cells, err := split(nil, first, in.records.comma)
	if err == nil {
		in.layout, err = readHeader(cells)
	}
	if err != nil {
		return nil, fmt.Errorf("import: %w", wrong("line", 1, err))
	}
	return in, nil
}

// next reads the next portion, until ctx ends, into the memory of one that is
// done with.
func (in *reader) next(ctx context.Context, p *portion) {
	*p = portion{people: p.people[:0], more: true}
	for len(p.people) < readAhead && p.more && p.err == nil {
		if p.err = ctx.Err(); p.err == nil {
			in.one(p)
		}
	}
	p.line = in.records.line
	slices.SortFunc(p.people, func(a, b person) int { return cmp.Or(strings.Compare(a.key, b.key), a.line-b.line) })
}

// one reads one record.
func (in *reader) one(p *portion) {
	cells, err := in.records.read()
	switch {
	case err == io.EOF:
		p.more = false
		return
	case err == errOpenQuote || err == errAfter || err == errLong:
		p.read++
		p.fault(in.records.line, err)
		return
	case err != nil:
		p.more, p.err = false, err
		return
	}
	p.read++
	who, away, err := in.layout.read(cells, in.now)
	who.line = in.records.line
	switch {
	case err != nil:
		p.fault(who.line, err)
	case away:
		p.away++
	default:
		who.keep()
		p.people = append(p.people, who)
	}
}

func (p *portion) fault(line int, err error) {
	p.faulty++
	if len(p.faults) < maxFaults {
		p.faults = append(p.faults, Fault{line, err.Error(), err})
	}
}
