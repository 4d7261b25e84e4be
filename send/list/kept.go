package list

import (
	"context"
	"fmt"

	"galley/send/store"
)

// Kept tells what the list keeps of a person: where they stand, and all that
// happened, with the words and mails that show it.
func (l *List) Kept(ctx context.Context, tx *store.Tx, newsletter string, a Address) ([]string, error) {
	s, err := l.Find(ctx, tx, newsletter, a)
	if store.NotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	const day = "2006-01-02 15:04"
	lines := []string{"address  " + s.Address.String()}
	if s.Name != "" {
		lines = append(lines, "name     "+s.Name)
	}
	lines = append(lines, "state    "+string(s.State)+" since "+s.Changed.Format(day))
	for what, on := range map[string]bool{"paused   until " + s.Paused.Format(day): !s.Paused.IsZero(), "wants    plain text": s.Plain, "wants    no thanks": s.Quiet} {
		if on {
			lines = append(lines, what)
		}
	}
	history, err := l.History(ctx, tx, newsletter, s.ID)
	for _, c := range history {
		lines = append(lines, fmt.Sprintf("%s  %s: %s", c.At.Format(day), c.What, c.Evidence))
	}
	return lines, err
}
