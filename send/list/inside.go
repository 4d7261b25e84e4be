package list

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"galley/send/store"
)

// ImportIn is Import in the caller's transaction: the whole file or nothing.
// It is for lists that come by mail, which are short.
func (l *List) ImportIn(ctx context.Context, tx *store.Tx, newsletter, source string, r io.Reader) (Report, error) {
	i := &importer{l: l, tx: tx, newsletter: newsletter, source: source}
	in, err := newReader(r, tx.Now())
	if err != nil {
		return Report{}, err
	}
	for p := (&portion{}); ; {
		in.next(ctx, p)
		if err := i.write(ctx, p, nil); err != nil || !p.more {
			return i.report, err
		}
	}
}

// Preview tells what ImportIn would do, and does nothing.
func (l *List) Preview(ctx context.Context, tx *store.Tx, newsletter string, r io.Reader) (Report, error) {
	if _, err := tx.ExecContext(ctx, "SAVEPOINT preview"); err != nil {
		return Report{}, err
	}
	rep, err := l.ImportIn(ctx, tx, newsletter, "preview", r)
	_, err2 := tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT preview")
	_, err3 := tx.ExecContext(ctx, "RELEASE SAVEPOINT preview")
	return rep, errors.Join(err, err2, err3)
}

// ExportIn is Export in the caller's transaction. It returns how many people
// it wrote.
func (l *List) ExportIn(ctx context.Context, tx *store.Tx, newsletter string, w io.Writer) (count int, err error) {
	out := csv.NewWriter(w)
	if err := out.Write(exportColumns); err != nil {
		return 0, err
	}
	const n = 5000
	for after := int64(0); ; {
		people, err := l.All(ctx, tx, newsletter, after, n)
		if err != nil {
			return count, fmt.Errorf("export: %w", err)
		}
		for _, s := range people {
			after = s.ID
			count++
			if err := out.Write(record(s)); err != nil {
				return count, fmt.Errorf("export: %w", err)
			}
		}
		if len(people) < n {
			out.Flush()
			return count, out.Error()
		}
	}
}
