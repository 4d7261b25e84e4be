package lint

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode"

	"galley/compose/markdown"
)

const (
	// Gmail cuts a mail at about 102,000 bytes of HTML and hides the rest, the
	// link for leaving with it (trust.md 1.5).
	gmailClip = 102_000
	budget    = 100_000
	nearly    = 90_000
	// leaveBy is where the link for leaving must have begun.
	leaveBy = 90_000

	longSubject   = 150
	longPreheader = 110
	fewWords      = 50
)

func size(i *issue) []markdown.Finding {
	switch {
	case i.sizes.HTML > budget:
		return []markdown.Finding{{
			Level: markdown.Error, Code: "too-big", Line: i.worst().Line, Words: short(i.worst().Title), Gaps: []any{i.sizes.HTML, gmailClip, budget, i.heaviest()},
		}}
	case i.sizes.HTML > nearly:
		return []markdown.Finding{{
			Level: markdown.Warning, Code: "nearly-too-big", Line: i.worst().Line, Words: short(i.worst().Title), Gaps: []any{i.sizes.HTML, budget, i.heaviest()},
		}}
	}
	return nil
}

type weight struct {
	markdown.Section
	bytes int
}

// byWeight are the sections of the HTML, the biggest first.
func (i *issue) byWeight() []weight {
	all := weigh(i.HTML, i.Doc.Sections)
	slices.SortStableFunc(all, func(a, b weight) int { return cmp.Compare(b.bytes, a.bytes) })
	return all
}

// worst is the section that weighs most; its zero value means that there is none.
func (i *issue) worst() markdown.Section {
	if all := i.byWeight(); len(all) > 0 {
		return all[0].Section
	}
	return markdown.Section{}
}

// heaviest names the three biggest sections of the HTML, with their bytes.
func (i *issue) heaviest() markdown.Sentence {
	all := i.byWeight()
	var gaps []any
	for _, w := range all[:min(3, len(all))] {
		gaps = append(gaps, markdown.Sentence{Name: "section-weight", Gaps: []any{w.Title, w.bytes}})
	}
	if len(gaps) == 0 {
		return markdown.Sentence{}
	}
	return markdown.Sentence{Name: "heaviest", Gaps: gaps}
}

// weigh measures from each section's heading to the next of the same rank.
func weigh(html []byte, sections []markdown.Section) []weight {
	top := 7
	for _, s := range sections {
		if s.Level > 1 {
			top = min(top, s.Level)
		}
	}
	var all []weight
	last := -1
	for _, s := range sections {
		at := bytes.Index(html, []byte(` id="`+s.ID+`"`))
		if s.Level != top || s.ID == "" || at < 0 {
			continue
		}
		if last >= 0 {
			all[len(all)-1].bytes = at - last
		}
		all = append(all, weight{Section: s})
		last = at
	}
	if last >= 0 {
		all[len(all)-1].bytes = len(html) - last
	}
	return all
}

func leaving(i *issue) []markdown.Finding {
	switch {
	case i.Unsubscribe == "":
		return nil
	case i.sizes.Unsubscribe < 0 || !bytes.Contains(i.Text, []byte(i.Unsubscribe)):
		return []markdown.Finding{{
			Level: markdown.Error, Code: "unsubscribe-missing",
		}}
	case i.sizes.Unsubscribe > leaveBy:
		return []markdown.Finding{{
			Level: markdown.Error, Code: "unsubscribe-late", Gaps: []any{i.sizes.Unsubscribe, leaveBy},
		}}
	}
	return nil
}

func subject(i *issue) []markdown.Finding {
	s := strings.TrimSpace(i.Subject)
	switch {
	case s == "":
		return []markdown.Finding{{
			Level: markdown.Error, Code: "subject-missing", Line: 1,
		}}
	case len([]rune(s)) > longSubject:
		return []markdown.Finding{{
			Level: markdown.Warning, Code: "subject-long", Line: 1, Words: short(s), Gaps: []any{len([]rune(s))},
		}}
	case shouting(s):
		return []markdown.Finding{{
			Level: markdown.Warning, Code: "subject-shouting", Line: 1, Words: short(s),
		}}
	}
	return nil
}

// shouting means at least two words and eight letters, all of them capitals.
func shouting(s string) bool {
	letters := 0
	for _, r := range s {
		if unicode.IsLower(r) {
			return false
		}
		if unicode.IsUpper(r) {
			letters++
		}
	}
	return letters >= 8 && len(strings.Fields(s)) > 1
}

func preheader(i *issue) []markdown.Finding {
	p := strings.TrimSpace(i.Preheader)
	switch {
	case p == "":
		return []markdown.Finding{{
			Level: markdown.Warning, Code: "preheader-missing", Line: 1,
		}}
	case strings.EqualFold(p, strings.TrimSpace(i.Subject)):
		return []markdown.Finding{{
			Level: markdown.Warning, Code: "preheader-repeats", Line: 1, Words: short(p),
		}}
	case len([]rune(p)) > longPreheader:
		return []markdown.Finding{{
			Level: markdown.Note, Code: "preheader-long", Line: 1, Words: short(p), Gaps: []any{len([]rune(p)), longPreheader},
		}}
	}
	return nil
}

func length(i *issue) []markdown.Finding {
	var found []markdown.Finding
	if i.sizes.Words < fewWords {
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "short", Gaps: []any{i.sizes.Words},
		})
	}
	if i.sizes.Links == 0 {
		found = append(found, markdown.Finding{
			Level: markdown.Note, Code: "no-links",
		})
	}
	return found
}

// Final tells whether a finding keeps an issue from going out at all, whatever
// the editor says.
func Final(f markdown.Finding) bool {
	switch f.Code {
	case "too-big", "unsubscribe-missing", "unsubscribe-late", "subject-missing":
		return f.Level == markdown.Error
	}
	return false
}
