package markdown

import (
	"regexp"
	"strings"
)

// headLimit bounds the front matter, in bytes (trust.md 2.4).
const headLimit = 16 << 10

// headKind tells the three ways to write front matter apart.
type headKind int

const (
	headNone  headKind = iota
	headYAML           // key: value between lines of three dashes
	headTOML           // key = value between +++ lines
	headPlain          // key: value lines on top, ended by an empty line
)

// head is the front matter of a draft, still as text, and what stands below it.
type head struct {
	kind headKind
	ls   []line
	rest []line
	open bool // the closing fence is missing
}

var (
	// A key is a word at the start of a line; the colon needs a space, a quotation
	// mark or the end of the line behind it, or a URL would be a key.
	keyLine  = regexp.MustCompile(`^ ?([\pL][\pL\pN_-]*(?: [\pL\pN_-]+)?)\s*:(?:[\s\x{a0}]+(.*)|(["'“‘„«].*)|)$`)
	tomlLine = regexp.MustCompile(`^ ?([\pL\pN_.-]+)\s*=\s*(.*)$`)
	// Phones turn --- into an em dash, or into one and a hyphen.
	dashFence = regexp.MustCompile(`^ ?(?:-{3,}|[-–—]*[–—][-–—]*)\s*$`)
	dotFence  = regexp.MustCompile(`^ ?(?:\.\.\.|…)\s*$`)
	tomlTable = regexp.MustCompile(`^\[{1,2}[\pL\pN_. "'-]+\]{1,2}\s*$`)
	// blockMark announces a value on the lines below, as YAML's block scalars do.
	blockMark = regexp.MustCompile(`^[>|][-+]?$`)
	tomlFence = regexp.MustCompile(`^ ?\+\+\+\s*$`)
)

// cutHead finds the front matter on top of ls.
func cutHead(ls []line) head {
	for len(ls) > 0 && ls[0].blank() {
		ls = ls[1:]
	}
	if len(ls) == 0 {
		return head{}
	}
	switch first := ls[0].s; {
	case dashFence.MatchString(first) && startsWith(ls[1:], keyLine):
		return cutFenced(ls, headYAML, keyLine)
	case tomlFence.MatchString(first) && startsWith(ls[1:], tomlLine):
		return cutFenced(ls, headTOML, tomlLine)
	case knownKey(first) && plainHead(ls):
		return cutPlain(ls)
	}
	return head{}
}

// startsWith tells whether the first line that is neither empty nor a comment
// matches re.
func startsWith(ls []line, re *regexp.Regexp) bool {
	for _, l := range ls {
		if !l.blank() && !strings.HasPrefix(strings.TrimSpace(l.s), "#") {
			return re.MatchString(l.s)
		}
	}
	return false
}

// cutFenced takes the lines between two fences. Where the closing fence is
// missing the head ends with its last key.
func cutFenced(ls []line, kind headKind, key *regexp.Regexp) head {
	size := 0
	for i := 1; i < len(ls); i++ {
		if isFence(ls[i].s, kind) {
			return head{kind: kind, ls: ls[1:i], rest: ls[i+1:]}
		}
		if size += len(ls[i].s) + 1; size > headLimit || endsHead(ls[i].s, kind) {
			break
		}
	}
	end := 1
	for i := 1; i < len(ls) && (!ls[i].blank() || kind == headTOML && startsWith(ls[i:], tomlTable)) && !endsHead(ls[i].s, kind); i++ {
		if key.MatchString(ls[i].s) || kind == headTOML && tomlTable.MatchString(ls[i].s) || strings.HasPrefix(ls[i].s, " ") {
			end = i + 1
		}
	}
	return head{kind: kind, ls: ls[1:end], rest: ls[end:], open: true}
}

func isFence(s string, kind headKind) bool {
	if kind == headTOML {
		return tomlFence.MatchString(s)
	}
	return dashFence.MatchString(s) || dotFence.MatchString(s)
}

// endsHead tells lines that front matter can not hold: sections and items. In
// TOML a word in brackets opens a table.
func endsHead(s string, kind headKind) bool {
	if kind == headTOML && tomlTable.MatchString(s) {
		return false
	}
	return strings.HasPrefix(s, "## ") || strings.HasPrefix(s, "[") || strings.HasPrefix(s, "<!--")
}

// plainHead asks for a title or date key among the first lines before it takes
// "Note: this is …" at the top of a letter for front matter.
func plainHead(ls []line) bool {
	for i, l := range ls {
		m := keyLine.FindStringSubmatch(l.s)
		if headGoesOn(ls, i) {
			continue
		}
		if l.blank() || m == nil && !strings.HasPrefix(l.s, " ") {
			return false
		}
		if m != nil && (fold(m[1]) == "title" || fold(m[1]) == "date" || fold(m[1]) == "issue") {
			return true
		}
	}
	return false
}

// headGoesOn tells an empty line that a mail program put between two keys: the
// line below it is a key that Galley knows, or any key where such lines stand
// between those above, too.
func headGoesOn(ls []line, i int) bool {
	if !ls[i].blank() || i+1 == len(ls) {
		return false
	}
	return knownKey(ls[i+1].s) || i > 2 && ls[i-2].blank() && keyLine.MatchString(ls[i+1].s)
}

// headHolds tells whether line i belongs to a plain head that may have lost the
// empty line at its end: it is a key, or the rest of a value that was cut.
func headHolds(ls []line, i int) bool {
	if endsHead(ls[i].s, headPlain) {
		return false
	}
	if i == 0 || keyLine.MatchString(ls[i].s) || strings.HasPrefix(ls[i].s, " ") {
		return true
	}
	for k := i + 1; k < len(ls) && k < i+4; k++ {
		if ls[k].blank() || dashFence.MatchString(ls[k].s) {
			return width(ls[i-1].s) >= 50
		}
		if knownKey(ls[k].s) {
			return true
		}
	}
	return false
}

func cutPlain(ls []line) head {
	end := 0
	for end < len(ls) && (headGoesOn(ls, end) || !ls[end].blank() && headHolds(ls, end)) && !dashFence.MatchString(ls[end].s) {
		end++
	}
	rest := ls[end:]
	if len(rest) > 0 && dashFence.MatchString(rest[0].s) {
		rest = rest[1:] // a closing fence whose opening one was lost
	}
	return head{kind: headPlain, ls: ls[:end], rest: rest}
}

func knownKey(s string) bool {
	m := keyLine.FindStringSubmatch(s)
	return m != nil && known[fold(m[1])]
}

// fold gives a key its canonical form: lower case, hyphens.
func fold(key string) string {
	return strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(key))
}

// pair is one key of the front matter and its value as text. list is set when
// the value was a list of scalars.
type pair struct {
	key, value string
	list       []string
	line       int
}

// tolerant reads key lines that YAML refused: the value is the rest of the line
// without quotation marks; what is not a key continues the value before it.
func tolerant(h head) []pair {
	key := keyLine
	if h.kind == headTOML {
		key = tomlLine
	}
	var ps []pair
	table := ""
	for i, l := range h.ls {
		if h.kind == headTOML && tomlTable.MatchString(l.s) {
			table = strings.Trim(strings.TrimSpace(l.s), `[] "'`) + " "
			continue
		}
		if l.blank() || strings.HasPrefix(strings.TrimSpace(l.s), "#") && !openQuote(ps) {
			continue
		}
		m := key.FindStringSubmatch(l.s)
		if m != nil && !continues(ps, m[1], h.ls, i) {
			value := strings.TrimSpace(strings.Join(m[2:], ""))
			if blockMark.MatchString(value) {
				value = ""
			}
			ps = append(ps, pair{key: table + m[1], value: value, line: l.n})
			continue
		}
		if len(ps) > 0 {
			extend(&ps[len(ps)-1], strings.TrimSpace(l.s))
		}
	}
	for i := range ps {
		ps[i].value = unquoteValue(ps[i].value)
	}
	return ps
}

// extend adds a further line to a value: a list entry or wrapped text.
func extend(p *pair, s string) {
	if rest, ok := strings.CutPrefix(s, "- "); ok && (p.value == "" || p.list != nil) {
		p.list = append(p.list, unquoteValue(strings.TrimSpace(rest)))
		return
	}
	p.value = strings.TrimSpace(p.value + " " + s)
}

// continues tells whether a line in the form of a key is rather the next piece
// of a wrapped value: inside an open quote, or an unknown word after a full line.
func continues(ps []pair, key string, ls []line, i int) bool {
	if len(ps) == 0 {
		return false
	}
	if openQuote(ps) {
		return true
	}
	return !known[fold(key)] && width(ls[i-1].s) >= 55 && !closedQuote(ps[len(ps)-1].value)
}

func openQuote(ps []pair) bool {
	if len(ps) == 0 || ps[len(ps)-1].value == "" {
		return false
	}
	v := ps[len(ps)-1].value
	r := firstRune(v)
	return quotePair[r] != 0 && !closedQuote(v) && strings.Count(v, string(r)) < 2
}

func closedQuote(v string) bool {
	end := quotePair[firstRune(v)]
	return end != 0 && len(v) > 1 && strings.HasSuffix(strings.TrimRight(v, " "), string(end)) && !strings.HasSuffix(v, `\"`)
}

var quotePair = map[rune]rune{'"': '"', '\'': '\'', '“': '”', '‘': '’', '„': '“', '«': '»', '”': '”'}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

// unquoteValue takes one pair of quotation marks, straight or curly, off.
func unquoteValue(v string) string {
	v = strings.TrimSpace(strings.ReplaceAll(v, nbsp, " "))
	if rest, ok := strings.CutPrefix(v, "! "); ok && closedQuote(strings.TrimSpace(rest)) {
		v = strings.TrimSpace(rest) // YAML's mark of a plain string
	}
	if !closedQuote(v) {
		return v
	}
	r := firstRune(v)
	in := strings.TrimSuffix(strings.TrimPrefix(v, string(r)), string(quotePair[r]))
	if r == '"' {
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(in)
	}
	if r == '\'' {
		return strings.ReplaceAll(in, "''", "'")
	}
	return in
}
