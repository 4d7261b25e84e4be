package intent

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
	"unicode"
)

// token is one word of a text.
type token struct {
	norm string // lower case, without marks
	raw  string
	line int
}

var (
	angleLink = regexp.MustCompile(`<(https?|mailto):[^>\s]*>|\[(image|cid):[^\]]*\]|\[\d+\]`)
	wordMarks = " \t*_#>|\"'“”‘’„«».,;:!?()[]{}<>-–—―=~`·…"
)

// tokens gives a text's words; marks, links beside words and numbers of links
// are left out, since mail programs add and drop them.
func tokens(text string) []token {
	var out []token
	n := 0
	for l := range strings.SplitSeq(text, "\n") {
		n++
		for _, w := range strings.Fields(angleLink.ReplaceAllString(l, " ")) {
			if norm := strings.ToLower(strings.Trim(w, wordMarks)); norm != "" {
				out = append(out, token{norm, w, n})
			}
		}
	}
	return out
}

// hunk is a place where a quote differs from what was sent: words
// sent[from:to] have become quote[qfrom:qto].
type hunk struct{ from, to, qfrom, qto int }

// near is how many words a change inside a line may span.
const near = 15

// changes finds the words that were changed inside the quote and gives them
// as `change` commands. Lines that were cut out are no change, nor is what
// the mail program did. The quote is compared with the text and the HTML of
// the paper and judged by the one it fits better.
func changes(m Mail, s split) []Command {
	q := tokens(s.quote)
	if len(q) == 0 || m.Quoted == "" && m.QuotedHTML == "" {
		return nil
	}
	var best []Command
	least := -1
	for _, sent := range []string{m.Quoted, m.QuotedHTML} {
		if sent == "" {
			continue
		}
		p := tokens(sent)
		hunks, loose := compare(q, p)
		if n := len(hunks) + loose; least < 0 || n < least {
			best, least = asCommands(q, p, hunks), n
		}
	}
	return best
}

// compare walks down the quote and what was sent. loose counts words of the
// quote that stand nowhere near: another rendering, or words of one's own,
// which they are when all else fits.
func compare(q, p []token) (hunks []hunk, loose int) {
	index := map[string][]int{}
	for j := 0; j+2 < len(p); j++ {
		k := p[j].norm + " " + p[j+1].norm + " " + p[j+2].norm
		index[k] = append(index[k], j)
	}
	var added []hunk
	run := 0 // words that matched just before
	for i, j := 0, 0; i < len(q); {
		if j < len(p) && q[i].norm == p[j].norm {
			i, j, run = i+1, j+1, run+1
			continue
		}
		if a, b, ok := resync(q, p, i, j); ok && run > 0 {
			if h := (hunk{j, j + b, i, i + a}); !trimmed(p, h) && !listNumber(q, h) {
				hunks = append(hunks, h)
			}
			i, j, run = i+a, j+b, 0
			continue
		}
		if k, ok := jump(q, index, i, j); ok {
			j, run = k, 0
			continue
		}
		added = lengthen(added, hunk{j, j, i, i + 1})
		i, run, loose = i+1, 0, loose+1
	}
	if loose*5 <= len(q) {
		hunks = append(hunks, worded(q, added)...)
	}
	return hunks, loose
}

// lengthen adds a word to the last run or begins a new one.
func lengthen(runs []hunk, h hunk) []hunk {
	if n := len(runs); n > 0 && runs[n-1].qto == h.qfrom {
		runs[n-1].qto = h.qto
		return runs
	}
	return append(runs, h)
}

// worded keeps the runs in which a letter stands: numbers of lists come and
// go with mail programs.
func worded(q []token, runs []hunk) []hunk {
	var out []hunk
	for _, h := range runs {
		if strings.ContainsFunc(raw(q[h.qfrom:h.qto]), unicode.IsLetter) {
			out = append(out, h)
		}
	}
	return out
}

// listNumber is a number that a mail program put before an item.
func listNumber(q []token, h hunk) bool {
	if h.to != h.from || h.qto != h.qfrom+1 {
		return false
	}
	return len(strings.Trim(q[h.qfrom].raw, "0123456789.)")) == 0 && (h.qfrom == 0 || q[h.qfrom-1].line != q[h.qfrom].line)
}

// resync finds the nearest place where both go on together: two words, or the
// last one of both.
func resync(q, p []token, i, j int) (a, b int, ok bool) {
	for sum := 1; sum <= 2*near; sum++ {
		for a = 0; a <= min(sum, near); a++ {
			b = sum - a
			if b > near || i+a >= len(q) || j+b >= len(p) || q[i+a].norm != p[j+b].norm {
				continue
			}
			qLast, pLast := i+a+1 >= len(q), j+b+1 >= len(p)
			if qLast && pLast || !qLast && !pLast && q[i+a+1].norm == p[j+b+1].norm {
				return a, b, true
			}
		}
	}
	return 0, 0, false
}

// jump finds the next place of three words in what was sent, below the
// current one if it can be.
func jump(q []token, index map[string][]int, i, j int) (int, bool) {
	if i+2 >= len(q) {
		return 0, false
	}
	places := index[q[i].norm+" "+q[i+1].norm+" "+q[i+2].norm]
	if n := sort.SearchInts(places, j); n < len(places) {
		return places[n], true
	}
	if len(places) > 0 && places[0] != j {
		return places[0], true
	}
	return 0, false
}

// trimmed says whether a hunk only takes whole lines out.
func trimmed(p []token, h hunk) bool {
	if h.qto > h.qfrom {
		return false
	}
	starts := h.from == 0 || p[h.from-1].line != p[h.from].line
	ends := h.to >= len(p) || p[h.to-1].line != p[h.to].line
	return starts && ends
}

// asCommands writes each change with a word of context on either side, so
// that it fits one place.
func asCommands(q, p []token, hunks []hunk) []Command {
	var out []Command
	for _, h := range hunks {
		was := raw(p[max(h.from-1, 0):min(h.to+1, len(p))])
		is := raw(q[max(h.qfrom-1, 0):min(h.qto+1, len(q))])
		out = append(out, Command{Word: WordChange, Args: []string{was, is}, Line: fmt.Sprintf("change %q to %q", was, is)})
	}
	return out
}

func raw(ts []token) string {
	var words []string
	for _, t := range ts {
		words = append(words, t.raw)
	}
	return strings.Join(words, " ")
}
