package markdown

import "strings"

// cols is the width of s on a screen.
func cols(s string) int {
	n := 0
	for _, r := range s {
		n++
		if wide(r) {
			n++
		}
	}
	return n
}

// wrapText cuts running text into lines of at most limit columns. Line feeds
// in it stay; a dash does not begin a line, where it would look like a list.
func wrapText(s string, limit int) []string {
	limit = max(limit, 20)
	var out []string
	for part := range strings.SplitSeq(strings.Trim(s, " \n"), "\n") {
		out = appendWrapped(out, pieces(part, limit), limit)
	}
	for i := range out {
		out[i] = strings.ReplaceAll(out[i], glued, " ")
	}
	return out
}

// appendWrapped fills lines; without pieces there is one empty line.
func appendWrapped(out []string, words []piece, limit int) []string {
	line, n := make([]byte, 0, 2*limit), 0
	for _, word := range words {
		size := cols(word.s)
		switch {
		case len(line) == 0:
			n = size
		case n+size+word.gap <= limit || dashes[word.s] && n <= limit+2:
			line = append(line, " "[:word.gap]...)
			n += size + word.gap
		default:
			out, line, n = append(out, string(line)), line[:0], size
		}
		line = append(line, word.s...)
	}
	return append(out, string(line))
}

var dashes = map[string]bool{"-": true, "–": true, "—": true}

// piece is a part of a line that is not cut; gap spaces stand before it.
type piece struct {
	s   string
	gap int
}

// pieces cuts at spaces, and words that are too long or in a script without
// spaces where they must be. Addresses are never cut.
func pieces(s string, limit int) []piece {
	out := make([]piece, 0, len(s)/5)
	for word := range strings.FieldsSeq(s) {
		gap := 1
		if strings.Contains(word, "://") || cols(word) <= limit && !anyWide(word) {
			out = append(out, piece{word, gap})
			continue
		}
		for _, part := range parts(word, limit) {
			out = append(out, piece{part, gap})
			gap = 0
		}
	}
	return out
}

func anyWide(s string) bool { return strings.IndexFunc(s, wide) >= 0 }

// parts cuts a word: after every wide character unless a closing mark follows,
// and elsewhere only at the limit.
func parts(word string, limit int) []string {
	var out []string
	cur := ""
	var last rune
	for _, r := range word {
		if cur != "" && (cols(cur) >= limit-1 || (wide(last) || wide(r)) && !strings.ContainsRune(noStart, r) && !strings.ContainsRune(noEnd, last)) {
			out = append(out, cur)
			cur = ""
		}
		cur += string(r)
		last = r
	}
	return append(out, cur)
}

// noStart may not begin a line, noEnd not end one.
const (
	noStart = "，。、；：？！）】」』》〉”’…,.;:?!)]}%" + glued
	noEnd   = "（【「『《〈“‘([{" + glued
)

// cutLong cuts a line of code that is too wide for mail.
func cutLong(s string, limit int) []string {
	limit = max(limit, 20)
	var out []string
	cur, n := "", 0
	for _, r := range s {
		if n >= limit && !strings.Contains(s, "://") {
			out = append(out, cur)
			cur, n = "", 0
		}
		cur += string(r)
		n += cols(string(r))
	}
	return append(out, cur)
}
