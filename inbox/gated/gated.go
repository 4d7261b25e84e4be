package gated

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Pattern is a pattern of many alternatives. Go's matcher tries all of them at
// every octet; here an alternative is tried only where the letters that it
// cannot do without stand in the text. It answers the same as regexp would, at a
// hundredth of the price.
//
// A pattern is read when the first text comes, and an alternative compiled when
// the first text could match it: together they take a third of a second, which
// no command that reads no mail should pay at its start.
type Pattern struct {
	text     string
	read     sync.Once
	branches []branch
}

type branch struct {
	need []string // one of them occurs in every text that matches, in lower case; none: not known
	re   func() *regexp.Regexp
}

// New is a pattern in the syntax of regexp. What is no pattern panics as
// regexp.MustCompile does, when the first text comes.
func New(pattern string) *Pattern { return &Pattern{text: pattern} }

// ready reads the pattern, once.
func (g *Pattern) ready() []branch {
	g.read.Do(func() {
		tree, err := syntax.Parse(g.text, syntax.Perl)
		if err != nil {
			regexp.MustCompile(g.text) // tells what is wrong with it
		}
		for _, b := range alternatives(tree) {
			g.branches = append(g.branches, branch{needed(b), sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(b.String()) })})
		}
	})
	return g.branches
}

// String is the pattern as it was given.
func (g *Pattern) String() string { return g.text }

// MatchString tells whether s contains a match of the pattern.
func (g *Pattern) MatchString(s string) bool { return g.Match(s, strings.ToLower(s)) }

// Match is MatchString with s in lower case at hand.
func (g *Pattern) Match(s, lower string) bool {
	branches := g.ready()
	for i := range branches {
		b := &branches[i]
		if b.open(lower) && b.re().MatchString(s) {
			return true
		}
	}
	return false
}

func (b *branch) open(lower string) bool {
	return len(b.need) == 0 || slices.ContainsFunc(b.need, func(n string) bool { return strings.Contains(lower, n) })
}

// alternatives takes a pattern apart at its bars, also at those behind a
// beginning that the parser has drawn out of them.
func alternatives(re *syntax.Regexp) []*syntax.Regexp {
	switch re.Op {
	case syntax.OpAlternate:
		var out []*syntax.Regexp
		for _, sub := range re.Sub {
			out = append(out, alternatives(sub)...)
		}
		return out
	case syntax.OpCapture:
		return alternatives(re.Sub[0])
	}
	return []*syntax.Regexp{re}
}

// needed lists texts one of which every match contains; none when there are
// no such.
func needed(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return literal(re.Rune, re.Flags&syntax.FoldCase != 0)
	case syntax.OpCapture, syntax.OpPlus:
		return needed(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return needed(re.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if some := needed(sub); shortest(some) > shortest(best) {
				best = some
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			some := needed(sub)
			if len(some) == 0 {
				return nil
			}
			all = append(all, some...)
		}
		return all
	}
	return nil
}

// literal is a text in lower case. Where upper and lower case match each other
// it is the longest piece of it without s and k, which the long s and the sign
// of the kelvin match too.
func literal(runes []rune, fold bool) []string {
	if !fold {
		return []string{strings.ToLower(string(runes))}
	}
	var best, piece []rune
	for _, r := range append(slices.Clone(runes), -1) {
		if r < 0 || strings.ContainsRune("skSKſK", r) || unicode.ToLower(r) != unicode.ToLower(unicode.ToUpper(r)) {
			if len(piece) > len(best) {
				best = piece
			}
			piece = nil
			continue
		}
		piece = append(piece, unicode.ToLower(r))
	}
	if len(best) == 0 {
		return nil
	}
	return []string{string(best)}
}

func shortest(texts []string) int {
	n := 0
	for _, s := range texts {
		if n == 0 || len(s) < n {
			n = len(s)
		}
	}
	return n
}
