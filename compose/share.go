package compose

import (
	"context"
	"hash/fnv"
	"strings"
	"unicode"

	"galley/send/store"
)

// shareLength is how many characters a text has at least that is known by
// what it shares with another.
const shareLength = 300

// sharing is the number of the open text with which a text shares most, a
// third at least, either way round; 0 when it shares that with none. A
// revision shares most of its text with the one before; next week's issue
// less than a tenth.
func sharing(ctx context.Context, tx *store.Tx, newsletter, text string) (number int, err error) {
	if len(text) < shareLength {
		return 0, nil
	}
	open, err := openTexts(ctx, tx, newsletter)
	own, most := shingles(text), 0.0
	for _, o := range open {
		if s := shared(own, shingles(o.Markdown)); s > most && s >= 1.0/3 {
			number, most = o.Issue, s
		}
	}
	return number, err
}

// shared is the part of two texts that they have in common, of the shorter.
func shared(a, b map[uint64]bool) float64 {
	common := 0
	for h := range a {
		if b[h] {
			common++
		}
	}
	if least := min(len(a), len(b)); least > 0 {
		return float64(common) / float64(least)
	}
	return 0
}

// shingles hashes each run of four words, so that wraps do not matter.
func shingles(text string) map[uint64]bool {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	out := map[uint64]bool{}
	for i := 0; i+4 <= len(words); i++ {
		h := fnv.New64a()
		for _, w := range words[i : i+4] {
			_, _ = h.Write([]byte(w + " "))
		}
		out[h.Sum64()] = true
	}
	return out
}
