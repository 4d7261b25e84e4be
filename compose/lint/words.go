package lint

import (
	"regexp"
	"slices"
	"strings"

	"galley/compose/markdown"
)

// line is one line of the draft's body. prose is the same line, byte for byte as
// long, with spaces in place of code, comments, tags and link targets.
type line struct {
	number int
	raw    string
	prose  string
	lower  string // prose in small letters
}

var (
	heading = regexp.MustCompile(`^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$`)
	rule    = regexp.MustCompile(`^ {0,3}([-*_])\s*(?:[-*_]\s*){2,}$`)
	// target matches the definition of a reference link and its name.
	target = regexp.MustCompile(`^ {0,3}\[([^\]]+)\]:`)
)

// read cuts a draft's body into lines, each with its number in the mail.
func read(d *markdown.Draft) []line {
	var all []line
	fenced, comment := false, false
	for n, raw := range strings.Split(string(d.Body), "\n") {
		l := line{number: d.Source(n + 1), raw: raw}
		switch {
		case isFence(raw):
			fenced = !fenced
		case !fenced && !comment:
			l.prose = mask(raw)
		}
		if !fenced {
			l.prose, comment = maskComment(raw, l.prose, comment)
		}
		l.lower = strings.ToLower(l.prose)
		all = append(all, l)
	}
	return all
}

// whole is the prose of all lines in small letters.
func whole(lines []line) string {
	var all strings.Builder
	size := 0
	for _, l := range lines {
		size += len(l.lower) + 1
	}
	all.Grow(size)
	for _, l := range lines {
		all.WriteString(l.lower)
		all.WriteByte('\n')
	}
	return all.String()
}

// isFence tells of the line before or after a block of code.
func isFence(raw string) bool {
	s := strings.TrimLeft(raw, " ")
	return len(raw)-len(s) <= 3 && (strings.HasPrefix(s, "```") || strings.HasPrefix(s, "~~~"))
}

// maskComment follows HTML comments over several lines.
func maskComment(raw, prose string, inside bool) (string, bool) {
	if inside {
		return "", !strings.Contains(raw, "-->")
	}
	if i := strings.Index(prose, "<!--"); i >= 0 {
		return prose[:i], true
	}
	return prose, false
}

// placeholder matches what writers leave for later: the newsroom's TK, notes to
// oneself, filler text. Words that also occur in plain sentences ("a TODO list")
// count only where they stand as a note.
var placeholder = regexp.MustCompile(`\bTK(?:TK)*\b|\bTKTK\w*|\b(?:TODO|FIXME|XXX|TBD|TBC)\s*:|\[\s*(?:TODO|FIXME|XXX|TBD|TBC)\b[^\]]*\]|^\s*(?:TODO|FIXME|XXX|TBD)\b|\bXXX+\b|(?i:\blorem ipsum\b)|\[(?:[Ii]nsert|[Aa]dd|[Ll]ink goes)[ \w]*(?: here)?\](?:$|[^(\[:])`)

// marked are parts of words of which every placeholder has one.
var marked = []string{"TK", "TODO", "FIXME", "XXX", "TBD", "TBC", "psum", "PSUM", "[insert", "[Insert", "[add", "[Add", "[link", "[Link"}

func mayHoldPlaceholder(prose string) bool {
	return slices.ContainsFunc(marked, func(m string) bool { return strings.Contains(prose, m) })
}

func placeholders(i *issue) []markdown.Finding {
	var found []markdown.Finding
	for _, words := range i.headWords() {
		if hit := strings.TrimSpace(placeholder.FindString(words)); hit != "" {
			found = append(found, markdown.Finding{
				Level: markdown.Error, Code: "placeholder", Line: 1, Words: short(words), Gaps: []any{hit},
			})
		}
	}
	for _, l := range i.lines {
		if !mayHoldPlaceholder(l.prose) {
			continue
		}
		if at := placeholder.FindStringIndex(l.prose); at != nil {
			words := strings.TrimSpace(l.prose[at[0]:at[1]])
			level := markdown.Error
			if linked(l.prose, at) || aName(l.prose, at) {
				level = markdown.Warning
			}
			found = append(found, markdown.Finding{
				Level: level, Code: "placeholder", Line: l.number, Words: around(l.raw, words), Say: "placeholder-body", Gaps: []any{words},
			})
		}
	}
	return found
}

// headWords are the words of a draft's head that readers see.
func (i *issue) headWords() []string {
	if i.Draft == nil {
		return nil
	}
	f := i.Draft.Front
	return []string{f.Title, f.Subtitle, f.Preheader}
}

// linked tells whether the match at stands in the text of a link: with a target,
// such words are as often the name of a thing as a note to oneself.
func linked(prose string, at []int) bool {
	open, end := strings.LastIndexByte(prose[:at[0]+1], '['), strings.Index(prose[at[0]:], "](")
	return open >= 0 && end >= 0 && !strings.Contains(prose[open:at[0]], "](")
}

var nameBehind = regexp.MustCompile(`^ \p{Lu}\p{Ll}`)

// aName tells whether the match at is TK with a capitalised word behind it: that
// is as often the name of a firm or a person.
func aName(prose string, at []int) bool {
	return prose[at[0]:at[1]] == "TK" && nameBehind.MatchString(prose[at[1]:])
}

// around quotes words with a little of what stands around them.
func around(raw, words string) string {
	at := strings.Index(raw, words)
	if at < 0 {
		return short(words)
	}
	runes := []rune(raw[:at])
	before := string(runes[max(0, len(runes)-20):])
	runes = []rune(raw[at+len(words):])
	after := string(runes[:min(20, len(runes))])
	return short(before + words + after)
}

// fewBracketed is how many words a forgotten link has; longer texts in brackets
// are remarks within a quotation.
const fewBracketed = 4

var (
	bare     = regexp.MustCompile(`\[([^\[\]]+)\]`)
	linkWord = regexp.MustCompile(`(?i)\b(?:pdf|links?|video|slides?|paper|code|repo|podcast|audio|transcript|url|website|here)\b`)
)

// labels tells a single word in brackets right beside a link, as in "[video]
// [Title](…)": it says what kind of thing the link leads to.
func labels(prose string, m []int) bool {
	if strings.ContainsRune(prose[m[2]:m[3]], ' ') {
		return false
	}
	before, after := strings.TrimRight(prose[:m[0]], " "), strings.TrimLeft(prose[m[1]:], " ")
	return strings.HasSuffix(before, ")") && strings.Contains(before, "](") || strings.HasPrefix(after, "[") && strings.Contains(after, "](")
}

func brackets(i *issue) []markdown.Finding {
	defined := i.references()
	var found []markdown.Finding
	for _, l := range i.lines {
		for _, m := range bare.FindAllStringSubmatchIndex(l.prose, -1) {
			words := l.prose[m[2]:m[3]]
			if len(strings.Fields(words)) > fewBracketed || labels(l.prose, m) || !linkWord.MatchString(words) || isLink(l.prose, m) || slices.Contains(defined, strings.ToLower(words)) {
				continue
			}
			found = append(found, markdown.Finding{
				Level: markdown.Warning, Code: "bracket-text", Line: l.number, Words: short(l.raw[m[0]:m[1]]),
			})
		}
	}
	return found
}

// isLink looks at what stands around the brackets at m.
func isLink(prose string, m []int) bool {
	after, before := prose[m[1]:], prose[:m[0]]
	if strings.HasPrefix(after, "(") || strings.HasPrefix(after, "[") || strings.HasPrefix(after, ":") {
		return true
	}
	return strings.HasSuffix(before, "]") || strings.HasSuffix(before, "!") || strings.HasPrefix(prose[m[2]:], "^")
}

func (i *issue) references() []string {
	var all []string
	for _, l := range i.lines {
		if !strings.Contains(l.raw, "]:") {
			continue
		}
		if m := target.FindStringSubmatch(l.raw); m != nil {
			all = append(all, strings.ToLower(m[1]))
		}
	}
	return all
}

func imageAfterQuote(i *issue) []markdown.Finding {
	var found []markdown.Finding
	quoted := false
	for _, l := range i.lines {
		trimmed := strings.TrimSpace(l.raw)
		if quoted && strings.HasPrefix(trimmed, "![") {
			found = append(found, markdown.Finding{
				Level: markdown.Warning, Code: "image-after-quote", Line: l.number, Words: short(trimmed),
			})
		}
		quoted = strings.HasPrefix(trimmed, ">") && l.prose != ""
	}
	return found
}

// setext is the line below a heading of the underlined form.
var setext = regexp.MustCompile(`^ {0,3}(?:-{2,}|=+)\s*$`)

// underlined finds paragraphs that a line of dashes right below turns into a
// heading: such lines of newsletters are rules.
func underlined(i *issue) []markdown.Finding {
	var found []markdown.Finding
	for n := 1; n < len(i.lines); n++ {
		above := strings.TrimSpace(i.lines[n-1].raw)
		if i.lines[n].prose == "" || !setext.MatchString(i.lines[n].raw) || !likeProse(above) {
			continue
		}
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "setext", Line: i.lines[n-1].number, Words: short(above),
		})
	}
	return found
}

// likeProse tells a sentence from a title; lists, quotes, tables and headings
// cannot be underlined.
func likeProse(s string) bool {
	if s == "" || strings.HasPrefix(s, ">") || strings.HasPrefix(s, "#") || strings.HasPrefix(s, "|") || setext.MatchString(s) {
		return false
	}
	return len(strings.Fields(s)) > 8 || strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "..") || strings.HasPrefix(s, "[")
}

// emptyHeadings finds headings with nothing below them.
func emptyHeadings(i *issue) []markdown.Finding {
	var found []markdown.Finding
	for n, l := range i.lines {
		m := heading.FindStringSubmatch(l.raw)
		if m == nil || l.prose == "" || i.hasContent(n+1, len(m[1])) {
			continue
		}
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "empty-section", Line: l.number, Words: short(m[2]),
		})
	}
	return found
}

// hasContent looks from line n on for anything but rules before the next heading
// of the same rank or a higher one.
func (i *issue) hasContent(n, level int) bool {
	for _, l := range i.lines[n:] {
		if m := heading.FindStringSubmatch(l.raw); m != nil {
			return len(m[1]) > level
		}
		if strings.TrimSpace(l.raw) != "" && !rule.MatchString(l.raw) {
			return true
		}
	}
	return false
}

// sections points at headings that are a slip of the pen away from a usual one.
func sections(i *issue) []markdown.Finding {
	var found []markdown.Finding
	known := slices.Concat(i.Sections, i.Aliases)
	body := i.lastWithItems()
	for n, s := range i.Doc.Sections {
		near, ok := nearest(s.Title, known)
		if !ok && len(known) > 0 && s.Level == 2 && (n <= body || body < 0) && !isKnown(s.Title, known) {
			found = append(found, markdown.Finding{
				Level: markdown.Note, Code: "section-new", Line: s.Line, Words: short(s.Title),
			})
		}
		if !ok {
			continue
		}
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "section-name", Line: s.Line, Words: short(s.Title), Gaps: []any{near, near},
		})
	}
	return found
}

// lastWithItems is the last section that has items, -1 when none has. What follows
// it is the sign-off, which no list of sections holds.
func (i *issue) lastWithItems() int {
	last := -1
	for n, s := range i.Doc.Sections {
		if len(s.Items) > 0 {
			last = n
		}
	}
	return last
}

func isKnown(title string, known []string) bool {
	return slices.ContainsFunc(known, func(k string) bool { return plainName(k) == plainName(title) })
}

// nearest returns the known name that is close to title but not the same.
func nearest(title string, known []string) (string, bool) {
	plain := plainName(title)
	best, bestAt := "", 3
	for _, k := range known {
		d := distance(plain, plainName(k), bestAt)
		if d == 0 {
			return "", false
		}
		if d < bestAt && d*5 <= len([]rune(plain)) {
			best, bestAt = k, d
		}
	}
	return best, best != ""
}

var plainSigns = strings.NewReplacer("’", "'", "‘", "'", "…", "...", "\u00a0", " ")

// plainName lets capitals and the form of apostrophes not count.
func plainName(s string) string {
	return strings.ToLower(plainSigns.Replace(strings.TrimSpace(s)))
}

var address = regexp.MustCompile(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)

// addresses finds the newsletter's own address misspelt: answers to it would go
// nowhere.
func addresses(i *issue) []markdown.Finding {
	own := strings.ToLower(i.ReplyTo)
	if own == "" {
		return nil
	}
	var found []markdown.Finding
	for _, l := range i.lines {
		if !strings.Contains(l.raw, "@") {
			continue
		}
		for _, a := range slices.Compact(address.FindAllString(strings.ReplaceAll(l.raw, "mailto:", " "), -1)) {
			if !misspelt(strings.ToLower(a), own) {
				continue
			}
			found = append(found, markdown.Finding{
				Level: markdown.Warning, Code: "own-address", Line: l.number, Words: a, Gaps: []any{own},
			})
		}
	}
	return found
}

// office are the names that every house uses; the same one elsewhere is no slip.
var office = map[string]bool{"info": true, "hello": true, "hi": true, "contact": true, "news": true, "newsletter": true, "editor": true,
	"editors": true, "office": true, "mail": true, "support": true, "jobs": true, "press": true, "admin": true, "help": true, "letter": true, "team": true}

// misspelt means at most two letters off the whole address, or its domain, or
// the same mailbox at another domain.
func misspelt(a, own string) bool {
	if a == own {
		return false
	}
	if distance(a, own, 3) <= 2 {
		return true
	}
	local, domain, _ := strings.Cut(a, "@")
	ownLocal, ownDomain, _ := strings.Cut(own, "@")
	if domain != ownDomain && local == ownLocal && !office[local] {
		return true // the same person at a domain that nobody set up
	}
	return domain != ownDomain && len(ownDomain) > 8 && distance(domain, ownDomain, 3) <= 2
}

// distance counts the letters to insert, delete, change or swap between a and b;
// anything from limit up is limit.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) >= limit || len(y)-len(x) >= limit {
		return limit
	}
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row := make([]int, len(y)+1)
		row[0] = i + 1
		for j := range y {
			change := last[j]
			if x[i] != y[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return min(last[len(y)], limit)
}
