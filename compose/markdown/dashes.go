package markdown

import (
	"regexp"
	"strings"
)

var (
	smartRule    = regexp.MustCompile(`^\s*[-–—][-–— ]*\s*$`)
	smartComment = regexp.MustCompile(`<!\s?[–—]-?|[–—]-?>`)
	smartTable   = regexp.MustCompile(`^\s*\|?[\s:|–—-]*[–—][\s:|–—-]*$`)
	smartTarget  = regexp.MustCompile(`\]\([^)\s]*[–—][^)\s]*\)|https?://[^\s)>\]]*[–—][^\s)>\]]*`)
	// smartOption is a word with a hyphen or a sign of equality in it right behind
	// a long dash: an option of a command.
	smartOption = regexp.MustCompile("(^|[\\s\"'“‘`(])—([a-z][a-z0-9]*[-=][a-z0-9])")
	smartCode   = regexp.MustCompile("`[^`]*[–—][^`]*`")
	closeDash   = regexp.MustCompile(`—[a-z]`)
)

// dashes undoes smart punctuation where a dash is syntax: rules, comments,
// tables, code, addresses. Dashes in prose stay as they are.
func (w *work) dashes() {
	for _, l := range w.ls {
		if !hasDash(l.s) {
			continue
		}
		if strings.Contains(l.s, "<!—") || smartRule.MatchString(l.s) && strings.Count(l.s, "—") > 1 {
			w.smart = true
		}
		w.short = w.short || smartRule.MatchString(l.s) && strings.Count(l.s, "–") > 1
	}
	code := fenced(w.ls)
	for i, l := range w.ls {
		if !hasDash(l.s) {
			continue
		}
		if isSmartRule(l.s) && !code[i] {
			w.ls[i].s = restoredRule(l.s)
			w.repaired(l.n, "rule-dashes")
			continue
		}
		w.ls[i].s = w.hyphens(l, code[i])
	}
}

// hasDash is asked of every line: strings.ContainsAny looks at each rune.
func hasDash(s string) bool { return strings.Contains(s, "–") || strings.Contains(s, "—") }

// hyphens gives a line its hyphens back where a long dash can not be meant.
func (w *work) hyphens(l line, code bool) string {
	s := l.s
	if w.smart {
		s = w.plainDashes(s, code)
	}
	if strings.Contains(s, "](") || strings.Contains(s, "://") {
		s = smartTarget.ReplaceAllStringFunc(s, w.dashed)
	}
	if at := strings.Index(s, "—"); at >= 0 && closeDash.MatchString(s[at:]) {
		s = smartOption.ReplaceAllString(s, "$1--$2")
	}
	if s != l.s {
		w.repaired(l.n, "dashes")
	}
	return s
}

// dashed writes the hyphens that a long dash was made of. Some programs make an
// en dash of two, others an em dash; the other one is then the author's, as in
// the addresses of encyclopedias.
func (w *work) dashed(s string) string {
	if w.short {
		s = strings.ReplaceAll(s, "–", "--")
	}
	return strings.ReplaceAll(s, "—", "--")
}

func isSmartRule(s string) bool {
	return smartRule.MatchString(s) && hasDash(s) && (strings.Contains(s, "—") || strings.Count(s, "–") > 1)
}

// restoredRule gives every em dash back its two hyphens; a rule needs three.
func restoredRule(s string) string {
	s = strings.NewReplacer("—", "--", "–", "--", " ", "").Replace(strings.TrimSpace(s))
	if len(s) < 3 {
		return "---"
	}
	return s
}

func (w *work) plainDashes(s string, code bool) string {
	if code || smartTable.MatchString(s) && strings.Contains(s, "|") {
		return w.dashed(s)
	}
	s = smartComment.ReplaceAllStringFunc(s, func(m string) string {
		if strings.HasSuffix(m, ">") {
			return "-->"
		}
		return "<!--"
	})
	s = strings.ReplaceAll(s, "—-", "---") // what smart punctuation makes of three, and nobody writes
	return smartCode.ReplaceAllStringFunc(s, w.dashed)
}

// target is a definition that Markdown takes for one, were it not for the
// paragraph above: the address of a link, or a footnote.
var target = regexp.MustCompile(`^ {0,3}\[(?:\^[^\]\s]+\]:\s|[^\]^]+\]:\s+<?(?:https?://|mailto:|/|#))`)

// definitions puts back the empty line that the first of several definitions
// needs before it: without one they are words of the paragraph above.
func (w *work) definitions() {
	var code []bool
	marked := map[int]bool{}
	for i, l := range w.ls {
		if i == 0 || !strings.Contains(l.s, "]:") || !target.MatchString(l.s) || w.ls[i-1].blank() || target.MatchString(w.ls[i-1].s) {
			continue
		}
		if code == nil {
			code = fenced(w.ls)
		}
		marked[i] = !code[i] && needsBlank(w.ls[i-1].s)
	}
	w.part(marked)
}

// rules puts back the empty line that a rule needs before it: without one, the
// paragraph above becomes a heading. A line that underlines a short title of its
// own length is meant as a heading (setext) and stays.
func (w *work) rules() {
	code := fenced(w.ls)
	separators := w.separatorLengths(code)
	var out []line
	for i, l := range w.ls {
		if i > 0 && mayRule(l.s) && ruleLine.MatchString(l.s) && !code[i] && needsBlank(w.ls[i-1].s) && !w.underlines(i, separators) {
			out = append(out, line{n: l.n})
			w.repaired(l.n, "rule-line")
		}
		out = append(out, l)
	}
	w.ls = out
}

func needsBlank(above string) bool {
	return strings.TrimSpace(above) != "" && !headingLine.MatchString(above) && !ruleLine.MatchString(above) && !tableLine.MatchString(above)
}

// separatorLengths collects the lengths of dash lines that can not be meant as
// underlines, since the text above them is much longer.
func (w *work) separatorLengths(code []bool) map[int]bool {
	out := map[int]bool{}
	for i, l := range w.ls {
		if i > 0 && !code[i] && mayRule(l.s) && ruleLine.MatchString(l.s) && width(w.ls[i-1].s) > 90 {
			out[len(strings.TrimSpace(l.s))] = true
		}
	}
	return out
}

// underlines tells whether dash line i is the underline of a heading.
func (w *work) underlines(i int, separators map[int]bool) bool {
	title := strings.TrimSpace(w.ls[i-1].s)
	n := len(strings.TrimSpace(w.ls[i].s))
	if i > 1 && !w.ls[i-2].blank() || markerLine.MatchString(title) || quoteLine1.MatchString(title) || endsBroken(title) {
		return false
	}
	diff := width(title) - n
	return !separators[n] && diff >= -3 && diff <= 3
}
