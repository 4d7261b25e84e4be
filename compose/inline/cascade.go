package inline

import (
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
)

// rule is a style rule that is inlined: one selector of it and its block.
type rule struct {
	selector selector
	declared []declaration
	order    int // place of the whole rule among all sheets
}

// The layers of the cascade, weakest first (CSS Cascade section 6.1).
const (
	sheetNormal = iota
	attributeNormal
	sheetImportant
	attributeImportant
)

// candidate is one declaration on its way through the cascade.
type candidate struct {
	declaration
	layer  int
	weight cascadia.Specificity
	order  int
}

// hits says for each element which rules match it.
func hits(ix index, rules []rule) map[*html.Node][]int {
	found := map[*html.Node][]int{}
	for i, r := range rules {
		for _, n := range ix[r.selector.key] {
			if r.selector.match.Match(n) {
				found[n] = append(found[n], i)
			}
		}
	}
	return found
}

// cascade weighs the rules that match an element against its style attribute and
// returns what counts, weakest first.
func cascade(rules []rule, matched []int, style string) []declaration {
	var all []candidate
	for _, i := range matched {
		all = appendCandidates(all, rules[i])
	}
	inlined := declarations(tokens(style))
	for _, d := range inlined {
		layer := attributeNormal
		if d.important {
			layer = attributeImportant
		}
		all = append(all, candidate{declaration: d, layer: layer, order: len(rules)})
	}
	slices.SortStableFunc(all, weaker)
	return settle(all)
}

func appendCandidates(all []candidate, r rule) []candidate {
	weight := r.selector.match.Specificity()
	for _, d := range r.declared {
		layer := sheetNormal
		if d.important {
			// The word is spent in the cascade. Left in the attribute, it
			// would beat the media queries that came after it in the sheet.
			layer, d.important = sheetImportant, false
		}
		all = append(all, candidate{d, layer, weight, r.order})
	}
	return all
}

func weaker(a, b candidate) int {
	if a.layer != b.layer {
		return a.layer - b.layer
	}
	if a.weight != b.weight {
		if a.weight.Less(b.weight) {
			return -1
		}
		return 1
	}
	return a.order - b.order
}

// settle drops every declaration that a later one of the same name replaces. A
// fallback and its modern form in the same rule both stay.
func settle(all []candidate) []declaration {
	var out []candidate
	for _, c := range all {
		out = slices.DeleteFunc(out, func(o candidate) bool {
			return o.name == c.name && !fallback(o, c)
		})
		out = append(out, c)
	}
	list := make([]declaration, len(out))
	for i, c := range out {
		list[i] = c.declaration
	}
	return list
}

// fallback tells whether a is there for programs that do not know b: the same
// block has both and b uses a function or a vendor's word.
func fallback(a, b candidate) bool {
	same := a.order == b.order && a.layer == b.layer && a.value != b.value
	return same && (strings.Contains(b.value, "(") || strings.HasPrefix(b.value, "-"))
}
