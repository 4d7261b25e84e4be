package compose

import (
	"context"
	"slices"
	"strings"

	"galley/compose/lint"
	"galley/send/store"
)

// Voice is one reader who sent a link.
type Voice struct {
	Sender string // tells one reader from another, and is never shown
	Name   string // as they asked to be named; "" is a reader
}

// mostNamed is how many names one line holds.
const mostNamed = 12

// credits is the line that thanks for the links of an issue: who asked to be
// named is named, the others are counted, and who wants no mention has none. The
// editor leaves it out of one issue with "credits: no" in the head.
func (r *Rendered) credits(f *Frame) (string, error) {
	if f.Voices == nil || r.Doc.Front.NoCredits {
		return "", nil
	}
	var names []string
	seen := map[string]bool{}
	others := 0
	for _, link := range r.Doc.Links {
		for _, v := range f.Voices(lint.Canonical(link.URL)) {
			if seen[v.Sender] {
				continue
			}
			seen[v.Sender] = true
			if name := oneLine(v.Name); name != "" && len(names) < mostNamed {
				names = append(names, name)
				continue
			}
			others++
		}
	}
	if others > 0 {
		more, err := phrase(f.Looks, "other-readers", others)
		if err != nil {
			return "", err
		}
		names = append(names, more)
	}
	if len(names) == 0 {
		return "", nil
	}
	return phrase(f.Looks, "with-thanks", map[string]any{"Names": names})
}

// voices finds who sent a link, but for the editors and those who want no word
// of it. An answer about the name that has not come yet is none.
func (n *Newsletter) voices(ctx context.Context, tx *store.Tx, canonical string) ([]Voice, error) {
	rows, err := tx.QueryContext(ctx, `SELECT v.sender, v.name, v.credit, v.consent FROM vote v JOIN suggestion s ON s.id = v.suggestion
		WHERE s.newsletter = $1 AND s.canonical = $2 AND v.consent <> 'private' ORDER BY v.id`, n.ID, canonical)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Voice
	for rows.Next() {
		var v Voice
		var name, credit, consent string
		if err := rows.Scan(&v.Sender, &name, &credit, &consent); err != nil {
			return nil, err
		}
		if _, editor := n.editor(v.Sender); editor {
			continue
		}
		if consent == "named" {
			if v.Name = credit; v.Name == "" {
				v.Name = name
			}
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// listen gives the frame what readers sent: the links that wait, for a draft
// that asks for them, and who is to be thanked for those that are in it.
func (d *Desk) listen(ctx context.Context, n *Newsletter, h *home, f *Frame) error {
	f.Voices = func(canonical string) (all []Voice) {
		err := d.DB.View(ctx, func(tx *store.Tx) (err error) {
			all, err = n.voices(ctx, tx, canonical)
			return err
		})
		if err != nil {
			d.Log.Error("desk: who sent a link", "error", err)
			return nil // nobody is named who might not want to be
		}
		return all
	}
	if !strings.Contains(string(h.draft.Source), "{{") {
		return nil
	}
	return d.DB.View(ctx, func(tx *store.Tx) error {
		links, err := d.waiting(ctx, tx, n)
		var items []string
		for _, l := range links {
			items = append(items, l.Item())
		}
		f.Suggestions = strings.Join(items, "\n\n")
		return err
	})
}

// without leaves out the links that a text has already.
func without(links []*waitingLink, has []published) []*waitingLink {
	return slices.DeleteFunc(links, func(w *waitingLink) bool {
		return slices.ContainsFunc(has, func(p published) bool { return p.Canonical == w.URL })
	})
}
