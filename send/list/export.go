package list

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"time"

	"galley/send/store"
)

var exportColumns = []string{"address", "name", "status", "joined", "changed"}

// Export writes everybody on the books of a newsletter as CSV, in the order
// in which they came: address, name, status, date of consent, last change.
// Import reads it back, and keeps those away who are away. It takes no lock
// for longer than a page, so people may come and go meanwhile.
func (l *List) Export(ctx context.Context, db *store.DB, newsletter string, w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(exportColumns); err != nil {
		return err
	}
	const n = 5000
	for after, more := int64(0), true; more; {
		var people []Subscriber
		err := db.View(ctx, func(tx *store.Tx) (err error) {
			people, err = l.All(ctx, tx, newsletter, after, n)
			return err
		})
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		for _, s := range people {
			after = s.ID
			if err := out.Write(record(s)); err != nil {
				return fmt.Errorf("export: %w", err)
			}
		}
		more = len(people) == n
	}
	out.Flush()
	return out.Error()
}

func record(s Subscriber) []string {
	return []string{guard(s.Address.String()), guard(s.Name), string(s.State), s.Joined.Format(time.RFC3339), s.Changed.Format(time.RFC3339)}
}
