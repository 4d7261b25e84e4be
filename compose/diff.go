package compose

import (
	"slices"
	"strings"
)

// change is one line that differs between two revisions; a line that only
// one of them has leaves the other side empty.
type change struct {
	Line     int     // in the newer text, from 1
	Old, New string  // around the words that differ
	Pieces   []piece // the same in one line, word by word
}

// piece is a run of words of a change.
type piece struct {
	Kind string // same, gone or came
	Text string
}

// Kinds of pieces.
const (
	same = "same"
	gone = "gone"
	came = "came"
)

// diffCells bounds the table of a comparison: two texts of a thousand
// changed lines each, or two paragraphs of a thousand words.
const diffCells = 1 << 20

// diff lists the changed lines between two texts, in the order of the newer
// one. Lines before the first and after the last change are cut off first,
// so that the usual small edit costs next to nothing.
func diff(old, cur string) []change {
	a, b := lines(old), lines(cur)
	head, tail := ends(a, b)
	a, b = a[head:len(a)-tail], b[head:len(b)-tail]
	if len(a)*len(b) > diffCells {
		return pairUp(a, b, head+1)
	}
	var out []change
	walk(a, b, func(a0, a1, b0, b1 int) { out = append(out, pairUp(a[a0:a1], b[b0:b1], head+1+b0)...) })
	return out
}

// lines splits a text; empty lines say nothing and are told by their place.
// Blanks that Markdown does not show are no change.
func lines(s string) []string {
	out := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, l := range out {
		if !strings.HasPrefix(l, " ") && !strings.HasPrefix(l, "\t") && !strings.HasSuffix(l, "  ") && !strings.ContainsAny(l, "`|") {
			out[i] = strings.Join(strings.Fields(l), " ")
		}
	}
	return out
}

// ends counts what two lists have in common at their heads and their tails.
func ends(a, b []string) (head, tail int) {
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head, tail
}

// common is the table of the longest common subsequence: t[i][j] is its
// length for a[i:] and b[j:].
func common(a, b []string) [][]int32 {
	t := make([][]int32, len(a)+1)
	for i := range t {
		t[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				t[i][j] = t[i+1][j+1] + 1
			} else {
				t[i][j] = max(t[i+1][j], t[i][j+1])
			}
		}
	}
	return t
}

// walk gives each run a[a0:a1] that went, with the run b[b0:b1] that came in
// its place.
func walk(a, b []string, differ func(a0, a1, b0, b1 int)) {
	t := common(a, b)
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		if i < len(a) && j < len(b) && a[i] == b[j] {
			i, j = i+1, j+1
			continue
		}
		i0, j0 := i, j
		for (i < len(a) || j < len(b)) && !(i < len(a) && j < len(b) && a[i] == b[j]) {
			if j == len(b) || i < len(a) && t[i+1][j] >= t[i][j+1] {
				i++
			} else {
				j++
			}
		}
		differ(i0, i, j0, j)
	}
}

func pairUp(a, b []string, line int) []change {
	var out []change
	for k := 0; k < len(a) || k < len(b); k++ {
		old, cur := "", ""
		if k < len(a) {
			old = a[k]
		}
		if k < len(b) {
			cur = b[k]
		}
		if strings.TrimSpace(old+cur) != "" {
			out = append(out, compared(old, cur, line+min(k, max(len(b)-1, 0))))
		}
	}
	return out
}

// compared is the change from one line to another.
func compared(old, cur string, line int) change {
	c := change{Line: line, Pieces: pieces(strings.Fields(old), strings.Fields(cur))}
	var was, is []string
	for _, p := range c.Pieces {
		if p.Kind != came {
			was = append(was, p.Text)
		}
		if p.Kind != gone {
			is = append(is, p.Text)
		}
	}
	if old != "" {
		c.Old = strings.Join(was, " ")
	}
	if cur != "" {
		c.New = strings.Join(is, " ")
	}
	return c
}

// pieces compares two lines word by word. Lines that have little in common
// are shown whole, one after the other.
func pieces(a, b []string) []piece {
	head, tail := ends(a, b)
	old, cur := a[head:len(a)-tail], b[head:len(b)-tail]
	whole := [][]string{nil, a, b}
	if len(old)*len(cur) > diffCells {
		return runs(whole)
	}
	var parts [][]string // same, gone, came, same, gone, came …
	at, kept := 0, head+tail
	walk(old, cur, func(a0, a1, b0, b1 int) {
		kept += a0 - at
		parts = append(parts, old[at:a0], old[a0:a1], cur[b0:b1])
		at = a1
	})
	kept += len(old) - at
	if len(parts) == 0 || 3*kept < max(len(a), len(b)) {
		return runs(whole)
	}
	parts[0] = a[:head+len(parts[0])]
	return runs(append(parts, slices.Concat(old[at:], a[len(a)-tail:])))
}

// runs makes pieces of runs that are the same, gone and came, in turn.
func runs(parts [][]string) []piece {
	var out []piece
	for i, words := range parts {
		kind := []string{same, gone, came}[i%3]
		if kind == same {
			words = around(words, i == 0, i == len(parts)-1)
		}
		if len(words) > 0 {
			out = append(out, piece{kind, brief(strings.Join(words, " "))})
		}
	}
	return out
}

// beside is how many words are shown before and after those that changed.
const beside = 6

// around leaves out the middle of a run that did not change; of the first
// run of a line its beginning, of the last one its end.
func around(words []string, first, last bool) []string {
	switch {
	case first && len(words) > beside:
		return append([]string{"…"}, words[len(words)-beside:]...)
	case last && len(words) > beside:
		return append(slices.Clone(words[:beside]), "…")
	case len(words) > 2*beside:
		return slices.Concat(words[:beside], []string{"…"}, words[len(words)-beside:])
	}
	return words
}

// brief keeps a line of the panel short; the words that changed are found
// by their line's number.
func brief(s string) string {
	s = strings.TrimSpace(s)
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + " …"
	}
	return s
}
