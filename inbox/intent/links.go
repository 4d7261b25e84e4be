package intent

import (
	"regexp"
	"slices"
	"strings"
)

var webLink = regexp.MustCompile(`(?i)\bhttps?://[^\s<>"“”«»]+`)

// bareWWW is an address as people type it on a telephone.
var bareWWW = regexp.MustCompile(`(?i)(^|[\s(<\[])(www\.[a-z0-9-]+(?:\.[a-z0-9-]+)+)`)

// The budgets of trust.md 2.4.
const (
	maxLinks   = 50
	maxLinkLen = 2048
)

// findLinks gives the web addresses of a text, each once, without the
// punctuation that belongs to the sentence.
func findLinks(text string) []string {
	var out []string
	text = bareWWW.ReplaceAllString(text, "${1}http://$2")
	for _, u := range webLink.FindAllString(text, -1) {
		u = trimLink(u)
		if len(u) <= maxLinkLen && len(out) < maxLinks && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}

// countLinks counts the addresses as they stand, also one within the text of
// a Markdown link to it.
func countLinks(text string) int {
	return strings.Count(text, "http://") + strings.Count(text, "https://")
}

// trimLink takes off what the sentence put behind an address; a closing
// bracket stays when it was opened inside.
func trimLink(u string) string {
	for u != "" {
		last := u[len(u)-1]
		switch {
		case strings.IndexByte(".,;:!?'*_", last) >= 0:
		case last == ')' && strings.Count(u, "(") < strings.Count(u, ")"):
		case last == ']' && strings.Count(u, "[") < strings.Count(u, "]"):
		default:
			return u
		}
		u = u[:len(u)-1]
	}
	return u
}

// CutLinks is a text without its links.
func CutLinks(text string, found []string) string {
	// The longest first, so that one address does not cut another.
	sorted := slices.SortedFunc(slices.Values(found), func(a, b string) int { return len(b) - len(a) })
	for _, u := range sorted {
		text = strings.ReplaceAll(text, u, gone)
		if typed, ok := strings.CutPrefix(u, "http://www."); ok {
			text = strings.ReplaceAll(text, "www."+typed, gone)
		}
	}
	var lines []string
	for l := range strings.SplitSeq(text, "\n") {
		if l = fold(l); strings.Contains(l, gone) {
			l = closeGap(l)
		}
		if l = strings.Trim(l, " <>()[]-–—"); l != "" {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "\n")
}

// gone stands where a link was, until the line around it is closed.
const gone = "\x00"

var (
	aroundLink = regexp.MustCompile(`[<(\[]*` + gone + `[>)\]]*`)
	edgeLink   = regexp.MustCompile(`^(?: ?` + gone + `[ .,;:]*)+|(?: ` + gone + `)+$`)
	insideLink = regexp.MustCompile(`(?: ?` + gone + `)+ ?([?!.,;:]|$|[^ ])`)
)

// closeGap takes a link out of a line so that what is left can be read: at
// either end nothing is missed, and within a sentence an ellipsis stands for it.
func closeGap(l string) string {
	l = edgeLink.ReplaceAllString(strings.TrimSpace(aroundLink.ReplaceAllString(l, gone)), "")
	return strings.TrimSpace(insideLink.ReplaceAllStringFunc(l, func(hit string) string {
		next := insideLink.FindStringSubmatch(hit)[1]
		if strings.ContainsAny(next, "?!.,;:") || next == "" {
			return " …" + next
		}
		return " … " + next
	}))
}
