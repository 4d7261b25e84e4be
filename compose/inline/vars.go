package inline

import (
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/css"
	"golang.org/x/net/html"
)

// maxVarDepth bounds how far custom properties may refer to each other.
const maxVarDepth = 16

// scope is the set of custom properties that an element sees; it inherits its
// parent's (CSS Custom Properties section 2).
type scope struct {
	parent *scope
	own    map[string]string
}

func (s *scope) get(name string) (string, bool) {
	for ; s != nil; s = s.parent {
		if v, ok := s.own[name]; ok {
			return v, true
		}
	}
	return "", false
}

// scopes are kept per element while the document is walked from the top.
type scopes struct {
	of   map[*html.Node]*scope
	used bool // something in the document reads a custom property
}

// usesVariables tells whether any declaration reads a custom property.
func usesVariables(elements []*html.Node, rules []rule) bool {
	reads := func(d declaration) bool { return strings.Contains(d.value, "var(") }
	for _, r := range rules {
		if slices.ContainsFunc(r.declared, reads) {
			return true
		}
	}
	return slices.ContainsFunc(elements, func(n *html.Node) bool {
		style, _ := attr(n, "style")
		return strings.Contains(style, "var(")
	})
}

// enter notes the custom properties that list sets on n and returns the rest
// with every var() that can be resolved written out. Custom properties that
// nothing here reads are somebody else's and stay.
func (all scopes) enter(n *html.Node, list []declaration) []declaration {
	if !all.used {
		return list
	}
	s := all.above(n)
	var rest []declaration
	own := map[string]string{}
	for _, d := range list {
		if strings.HasPrefix(d.name, "--") {
			own[d.name] = d.value
			continue
		}
		rest = append(rest, d)
	}
	if len(own) > 0 {
		s = &scope{s, own}
		all.of[n] = s
	}
	for i, d := range rest {
		if strings.Contains(d.value, "var(") {
			rest[i].value = s.resolve(d.value, 0)
		}
	}
	return rest
}

func (all scopes) above(n *html.Node) *scope {
	for p := n.Parent; p != nil; p = p.Parent {
		if s := all.of[p]; s != nil {
			return s
		}
	}
	return nil
}

// resolve writes out var(--name, fallback). What it does not know it leaves for
// the mail program.
func (s *scope) resolve(value string, depth int) string {
	if depth > maxVarDepth {
		return value
	}
	all := tokens(value)
	var b strings.Builder
	for i := 0; i < len(all); i++ {
		if all[i].kind != css.FunctionToken || !strings.EqualFold(all[i].data, "var(") {
			b.WriteString(all[i].data)
			continue
		}
		end := groupEnd(all, i)
		b.WriteString(s.variable(all[i:end], depth))
		i = end - 1
	}
	return b.String()
}

func (s *scope) variable(call []token, depth int) string {
	inside := call[1:]
	if n := len(inside); n > 0 && inside[n-1].kind == css.RightParenthesisToken {
		inside = inside[:n-1]
	}
	parts := split(inside, css.CommaToken)
	if v, ok := s.get(text(parts[0])); ok && len(v) < 1<<10 {
		return s.resolve(v, depth+1)
	}
	if len(parts) > 1 {
		_, fallback, _ := strings.Cut(join(inside), ",")
		return s.resolve(strings.TrimSpace(fallback), depth+1)
	}
	return join(call)
}
