package inline

import (
	"strings"

	"github.com/andybalholm/cascadia"
	"github.com/tdewolff/parse/v2/css"
	"golang.org/x/net/html"
)

// structural are the pseudo-classes that depend on the document alone. Every
// other one depends on the reader, the clock or the mail program and cannot be
// written into an attribute.
var structural = map[string]bool{
	"root": true, "empty": true, "not": true,
	"first-child": true, "last-child": true, "only-child": true,
	"first-of-type": true, "last-of-type": true, "only-of-type": true,
	"nth-child": true, "nth-last-child": true, "nth-of-type": true, "nth-last-of-type": true,
}

// source is a selector as a sheet has it.
type source struct {
	all   []token
	plain bool   // it depends on the document alone
	key   string // the rarest name an element must bear to be matched: "#id", ".class", "tag", "" for any
}

func newSource(all []token) source {
	all = trim(all)
	return source{all: all, plain: plain(all), key: key(all)}
}

// selector is one that is inlined.
type selector struct {
	match cascadia.Sel
	key   string
}

// sort compiles the selectors of a rule that can be inlined and notes those that
// must stay in the sheet. One that asks for a name which no element bears is
// neither: most rules of a large sheet end here, before the dear part.
func (p *piece) sort(ix index) []selector {
	var compiled []selector
	for _, s := range p.selectors {
		if s.plain && len(ix[s.key]) == 0 {
			continue
		}
		written := text(s.all)
		match, err := cascadia.Parse(written)
		if !s.plain || err != nil {
			p.stay = append(p.stay, written)
			continue
		}
		compiled = append(compiled, selector{match, s.key})
	}
	return compiled
}

// plain tells whether every pseudo-class is structural and no pseudo-element
// occurs.
func plain(all []token) bool {
	if len(all) == 0 {
		return false
	}
	for i, t := range all {
		if t.kind != css.ColonToken {
			continue
		}
		if i+1 == len(all) {
			return false
		}
		name := strings.ToLower(strings.TrimSuffix(all[i+1].data, "("))
		if !structural[name] {
			return false
		}
	}
	return true
}

// key looks at the last compound of the selector only.
func key(all []token) string {
	depth := 0
	best := ""
	for i := len(all) - 1; i >= 0; i-- {
		t := all[i]
		depth -= nesting(t.kind)
		if depth > 0 || nesting(t.kind) > 0 {
			continue
		}
		switch {
		case strings.Contains(t.data, `\`):
			return ""
		case t.kind == css.WhitespaceToken, t.data == ">", t.data == "+", t.data == "~":
			return best
		case t.kind == css.HashToken:
			best = t.data
		case t.kind == css.IdentToken:
			best = better(best, nameKey(all, i))
		}
	}
	return best
}

func nameKey(all []token, i int) string {
	name := all[i].data
	if i == 0 {
		return strings.ToLower(name)
	}
	switch all[i-1].data {
	case ".":
		return "." + name
	case ":":
		return ""
	}
	return strings.ToLower(name)
}

func better(a, b string) string {
	if b == "" || strings.HasPrefix(a, "#") || strings.HasPrefix(a, ".") {
		return a
	}
	return b
}

// index finds the elements that may match a key.
type index map[string][]*html.Node

func newIndex(elements []*html.Node) index {
	ix := index{}
	for _, n := range elements {
		if unstyled(n) {
			continue
		}
		ix[""] = append(ix[""], n)
		tag := strings.ToLower(n.Data)
		ix[tag] = append(ix[tag], n)
		if id, ok := attr(n, "id"); ok {
			ix["#"+id] = append(ix["#"+id], n)
		}
		class, _ := attr(n, "class")
		seen := map[string]bool{}
		for _, c := range strings.Fields(class) {
			if !seen[c] {
				ix["."+c] = append(ix["."+c], n)
			}
			seen[c] = true
		}
	}
	return ix
}

// unstyled are the elements that are never drawn: a style attribute on them is
// weight without effect.
func unstyled(n *html.Node) bool {
	switch n.Data {
	case "head", "title", "meta", "link", "base", "style", "script", "template", "noscript":
		return true
	}
	return false
}
