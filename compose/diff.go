package compose

import "strings"

// change is one line that differs between two revisions; a line that only
// one of them has leaves the other side empty.
type change struct {
	Line     int // in the newer text, from 1
	Old, New string
}

// diffCells bounds the table of the comparison: two texts of a thousand
// changed lines each.
const diffCells = 1 << 20

// diff lists the changed lines between two texts, in the order of the newer
// one. Lines before the first and after the last change are cut off first,
// so that the usual small edit costs next to nothing.
func diff(old, cur string) []change {
	a, b := lines(old), lines(cur)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	a, b = a[head:len(a)-tail], b[head:len(b)-tail]
	if len(a)*len(b) > diffCells {
		return pairUp(a, b, head+1)
	}
	return walk(a, b, common(a, b), head+1)
}

// lines splits a text; empty lines say nothing and are told by their place.
func lines(s string) []string { return strings.Split(strings.TrimRight(s, "\n"), "\n") }

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

// walk reads the table and pairs what went with what came in its place.
func walk(a, b []string, t [][]int32, line int) []change {
	var out []change
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
		out = append(out, pairUp(a[i0:i], b[j0:j], line+j0)...)
	}
	return out
}

func pairUp(a, b []string, line int) []change {
	var out []change
	for k := 0; k < len(a) || k < len(b); k++ {
		c := change{Line: line + min(k, max(len(b)-1, 0))}
		if k < len(a) {
			c.Old = brief(a[k])
		}
		if k < len(b) {
			c.New = brief(b[k])
		}
		if c.Old != "" || c.New != "" {
			out = append(out, c)
		}
	}
	return out
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
