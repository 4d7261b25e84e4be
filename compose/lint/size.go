package lint

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
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
			Level: markdown.Error, Code: "too-big", Line: i.worst().Line, Words: short(i.worst().Title),
			Message: fmt.Sprintf("The HTML of this issue is %s bytes. Gmail shows about %s and hides the rest; the limit here is %s.%s",
				comma(i.sizes.HTML), comma(gmailClip), comma(budget), i.heaviest()),
			Remedy: "Shorten the heaviest sections, or mail them as an issue of their own.",
		}}
	case i.sizes.HTML > nearly:
		return []markdown.Finding{{
			Level: markdown.Warning, Code: "nearly-too-big", Line: i.worst().Line, Words: short(i.worst().Title),
			Message: fmt.Sprintf("The HTML of this issue is %s of the %s bytes that may be sent.%s",
				comma(i.sizes.HTML), comma(budget), i.heaviest()),
			Remedy: "Shorten the heaviest sections a little.",
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

// heaviest is a sentence that names the three biggest sections of the HTML.
func (i *issue) heaviest() string {
	all := i.byWeight()
	var names []string
	for _, w := range all[:min(3, len(all))] {
		names = append(names, fmt.Sprintf("“%s” (%s)", w.Title, comma(w.bytes)))
	}
	if len(names) == 0 {
		return ""
	}
	return " The heaviest sections: " + strings.Join(names, ", ") + "."
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

// comma writes 12345 as 12,345.
func comma(n int) string {
	s := strconv.Itoa(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

func leaving(i *issue) []markdown.Finding {
	switch {
	case i.Unsubscribe == "":
		return nil
	case i.sizes.Unsubscribe < 0 || !bytes.Contains(i.Text, []byte(i.Unsubscribe)):
		return []markdown.Finding{{
			Level: markdown.Error, Code: "unsubscribe-missing",
			Message: "The link for leaving the list is missing in the mail.",
			Remedy:  "Put {{.UnsubscribeURL}} back into issue.html and issue.txt of the templates folder.",
		}}
	case i.sizes.Unsubscribe > leaveBy:
		return []markdown.Finding{{
			Level: markdown.Error, Code: "unsubscribe-late",
			Message: fmt.Sprintf("The link for leaving begins at byte %s, where mail programs may have cut the mail already; it must begin before %s.",
				comma(i.sizes.Unsubscribe), comma(leaveBy)),
			Remedy: "Shorten the issue.",
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
			Message: "This issue has no title, so the mail would have no subject.",
			Remedy:  `Write title: "…" at the top of the draft, or give your mail a Subject.`,
		}}
	case len([]rune(s)) > longSubject:
		return []markdown.Finding{{
			Level: markdown.Warning, Code: "subject-long", Line: 1, Words: short(s),
			Message: fmt.Sprintf("The subject has %d characters; mail programs show about 60.", len([]rune(s))),
			Remedy:  "Shorten the title; the subtitle may be longer.",
		}}
	case shouting(s):
		return []markdown.Finding{{
			Level: markdown.Warning, Code: "subject-shouting", Line: 1, Words: short(s),
			Message: "The subject is all in capitals, as junk mail is.",
			Remedy:  "Write the title in ordinary letters.",
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
			Message: "There is no subtitle, so mailboxes show the first words of the page beside the subject.",
			Remedy:  `Write subtitle: "…" (or preheader:) at the top: the topics, in 40 to 110 characters.`,
		}}
	case strings.EqualFold(p, strings.TrimSpace(i.Subject)):
		return []markdown.Finding{{
			Level: markdown.Warning, Code: "preheader-repeats", Line: 1, Words: short(p),
			Message: "The preview line says the same as the subject.",
			Remedy:  "Let the subtitle name the topics.",
		}}
	case len([]rune(p)) > longPreheader:
		return []markdown.Finding{{
			Level: markdown.Note, Code: "preheader-long", Line: 1, Words: short(p),
			Message: fmt.Sprintf("The preview line has %d characters; most mailboxes show about the first %d.", len([]rune(p)), longPreheader),
			Remedy:  "Nothing, if the best topics come first; preheader: overrides it.",
		}}
	}
	return nil
}

func length(i *issue) []markdown.Finding {
	var found []markdown.Finding
	if i.sizes.Words < fewWords {
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "short",
			Message: fmt.Sprintf("This issue has %d words. Is the draft complete?", i.sizes.Words),
			Remedy:  "Look whether your mail program sent all of it.",
		})
	}
	if i.sizes.Links == 0 {
		found = append(found, markdown.Finding{
			Level: markdown.Note, Code: "no-links",
			Message: "This issue has no link.",
			Remedy:  "Nothing, if it is meant so.",
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
