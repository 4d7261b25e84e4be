package compose

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"galley/send/store"
)

// inMaking lists a newsletter's issues that are not out yet.
func inMaking(ctx context.Context, tx *store.Tx, n *Newsletter) ([]*Issue, error) {
	return issuesIn(ctx, tx, n.ID, Proofed, Approved, Held, Sending, Stopped)
}

// called says where an issue stands, and tells it from others in the making by
// its title and, where several people write, by who wrote its newest text.
func (d *Desk) called(ctx context.Context, tx *store.Tx, n *Newsletter, i *Issue, standing string) (string, error) {
	row, err := revisionOf(ctx, tx, i.ID, i.Revision)
	if err != nil || row == nil {
		return "", fmt.Errorf("revision %d of #%d: %v", i.Revision, i.Number, err)
	}
	data := map[string]any{"Standing": cmp.Or(standing, i.standing(tx.Now(), n)), "Title": i.Title, "By": ""}
	if len(n.Editors) > 1 {
		data["By"] = n.nameOf(row.Editor)
	}
	return n.phrase("standing-named", data), nil
}

// standings tells of all issues in the making, or of the one if it is alone.
func (d *Desk) standings(ctx context.Context, tx *store.Tx, n *Newsletter) (string, error) {
	open, err := inMaking(ctx, tx, n)
	if err != nil || len(open) == 0 {
		return "", err
	}
	if len(open) == 1 {
		return open[0].standing(tx.Now(), n), nil
	}
	lines, err := d.besides(ctx, tx, n, open, 0)
	return strings.Join(lines, " "), err
}

// besides names the issues of a list but the one with a number.
func (d *Desk) besides(ctx context.Context, tx *store.Tx, n *Newsletter, open []*Issue, number int) (lines []string, err error) {
	for _, i := range open {
		if i.Number == number {
			continue
		}
		line, err := d.called(ctx, tx, n, i, "")
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// whichIssue answers words that fit more than one issue in the making.
func (d *Desk) whichIssue(ctx context.Context, tx *store.Tx, r *decisionRow) (asked bool, result string, err error) {
	open, err := inMaking(ctx, tx, r.n)
	about := r.Number != 0 || r.paper != nil && r.paper.Issue != 0
	if err != nil || about || len(open) < 2 || len(r.Words.Commands) == 0 || r.Words.Commands[0].Word == "yes" || r.Words.Commands[0].Word == "no" {
		return false, "", err
	}
	lines, err := d.besides(ctx, tx, r.n, open, 0)
	if err != nil {
		return false, "", err
	}
	result, err = r.tell(ctx, tx, d, "which-issue", map[string]any{"Line": r.line(), "Issues": lines})
	return true, result, err
}

// unclear answers a word that does not say which issue it means.
func (d *Desk) unclear(ctx context.Context, tx *store.Tx, r *decisionRow, i *Issue) (string, error) {
	if i != nil {
		return r.tell(ctx, tx, d, "too-late", map[string]any{"Number": i.Number, "State": string(i.State)})
	}
	if asked, result, err := d.whichIssue(ctx, tx, r); err != nil || asked {
		return result, err
	}
	return r.tell(ctx, tx, d, "note", map[string]any{"Open": d.standing(ctx, tx, r), "Note": r.line(),
		"Nearest": "", "Beside": "", "Foot": nil})
}
