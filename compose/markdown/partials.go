package markdown

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// closing are the partials that end every issue, in this order. Newsletters
// repeat them word for word, so nobody should have to mail them each time.
var closing = []string{"sign-off", "about"}

// Suggestions is the name of the partial that holds readers' links.
const Suggestions = "suggestions"

var partialLine = regexp.MustCompile(`^ {0,3}\{\{\s*([A-Za-z][A-Za-z0-9_-]*)\s*\}\}\s*$`)

// partials puts the texts of src in place of their names: {{about}} on a line of
// its own. Each stands once, whether the draft names it twice, or has its words
// already, as the repaired text of an earlier revision does.
func (w *work) partials(src Source) {
	done := map[string]bool{}
	code := fenced(w.ls)
	var out []line
	apart := false // the line above was put in
	for i, l := range w.ls {
		m := partialLine.FindStringSubmatch(l.s)
		if m == nil || code[i] {
			if apart && !l.blank() {
				out = append(out, line{n: l.n})
			}
			apart = false
			out = append(out, l)
			continue
		}
		name := fold(m[1])
		text, known := src.Partials[name]
		switch {
		case !known && name == FieldAddress:
			out = append(out, l)
		case !known:
			w.found(Finding{Level: Error, Code: "partial-unknown", Line: l.n, Words: strings.TrimSpace(l.s), Gaps: []any{name, w.names(src), name}})
			out = append(out, l)
		case strings.TrimSpace(text) == "":
			w.found(Finding{Level: Note, Code: "partial-empty", Line: l.n, Words: strings.TrimSpace(l.s)})
		case done[name] || holds(w.ls, text):
			w.found(Finding{Level: Note, Code: "partial-twice", Line: l.n, Words: strings.TrimSpace(l.s)})
		default:
			out, apart = insert(out, text, l.n), true
		}
		done[name] = true
	}
	w.ls = trimBlank(out)
	if !src.Closed {
		w.close(src, done)
	}
}

// close ends the draft with the closing texts that it lacks.
func (w *work) close(src Source, done map[string]bool) {
	for _, name := range closing {
		text := src.Partials[name]
		if strings.TrimSpace(text) == "" || done[name] || holds(w.ls, text) {
			continue
		}
		n := 1
		if len(w.ls) > 0 {
			n = w.ls[len(w.ls)-1].n
		}
		w.ls = trimBlank(insert(w.ls, text, n))
	}
}

// names lists what a draft may name.
func (w *work) names(src Source) string {
	var all []string
	for name := range src.Partials {
		all = append(all, "{{"+name+"}}")
	}
	slices.Sort(all)
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all, ", ")
}

// insert adds a text behind an empty line; all of it is at line n of the source.
func insert(ls []line, text string, n int) []line {
	if len(ls) > 0 && !ls[len(ls)-1].blank() {
		ls = append(ls, line{n: n})
	}
	for _, l := range trimBlank(split([]byte(text))) {
		ls = append(ls, line{s: strings.Map(visible, l.s), n: n})
	}
	return ls
}

// holds tells whether the draft has the words of text: its first heading, or all
// of its first paragraph.
func holds(ls []line, text string) bool {
	want := ""
	for _, l := range trimBlank(split([]byte(text))) {
		if want = lettersOf(l.s); want != "" {
			break
		}
	}
	return want != "" && slices.ContainsFunc(ls, func(l line) bool { return lettersOf(l.s) == want })
}

// lettersOf is what stays of a line whatever its marks, spaces and quotation
// marks are.
func lettersOf(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
