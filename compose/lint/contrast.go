package lint

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"galley/compose/markdown"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
)

// WCAG 2.2, 1.4.3: text against its ground, and large text.
const (
	enoughContrast = 4.5
	largeContrast  = 3.0
)

// colour is red, green and blue; ok is false for what is not known.
type colour struct {
	r, g, b uint8
	ok      bool
}

// paint is what an element's text looks like.
type paint struct {
	text, ground colour
	size         float64 // pixels
	bold, hidden bool
}

// contrast finds text that is hard to read, as the mail comes and as programs
// with dark colours show it.
func contrast(i *issue) []markdown.Finding {
	if i.root == nil {
		return nil
	}
	white, black := colour{255, 255, 255, true}, colour{0, 0, 0, true}
	p := &painter{seen: map[pair]bool{}, styles: map[string][]declaration{}, line: i.lineOf}
	p.walk(i.root, paint{text: black, ground: white, size: 16})
	dark := darkRules(i.root)
	if len(dark) > 0 {
		p.mode, p.rules, p.seen = "dark", dark, map[pair]bool{}
		p.walk(i.root, paint{text: black, ground: white, size: 16})
	}
	return p.found
}

// pair is a text and its ground.
type pair struct {
	text, ground colour
	large        bool
}

type painter struct {
	mode   string
	rules  []darkRule
	seen   map[pair]bool            // whether these can be read, once they are judged
	styles map[string][]declaration // by style attribute
	line   func(words string) int
	found  []markdown.Finding
}

func (p *painter) walk(n *html.Node, look paint) {
	if n.Type == html.ElementNode {
		if n.Data == "head" || n.Data == "style" || n.Data == "script" {
			return
		}
		look = p.apply(n, look)
		if look.hidden {
			return
		}
	}
	for k := n.FirstChild; k != nil; k = k.NextSibling {
		if k.Type == html.TextNode {
			p.judge(k.Data, look)
			continue
		}
		p.walk(k, look)
	}
}

// apply adds an element's own attributes and styles, then what dark mode says.
func (p *painter) apply(n *html.Node, look paint) paint {
	if c := parseColour(attrOf(n, "bgcolor")); c.ok {
		look.ground = c
	}
	if c := parseColour(attrOf(n, "color")); c.ok && n.Data == "font" {
		look.text = c
	}
	look.bold = look.bold || n.Data == "b" || n.Data == "strong" || n.Data == "th"
	for _, d := range p.style(attrOf(n, "style")) {
		look = look.with(d)
	}
	var won cascadia.Specificity
	class := attrOf(n, "class")
	for _, r := range p.rules {
		if strings.Contains(class, r.class) && r.selector.Match(n) && !r.selector.Specificity().Less(won) {
			won = r.selector.Specificity()
			for _, d := range r.declared {
				look = look.with(d)
			}
		}
	}
	return look
}

// style reads each style attribute once: an issue has some 40 of them on 600
// elements.
func (p *painter) style(s string) []declaration {
	list, known := p.styles[s]
	if !known {
		list = declared(s)
		p.styles[s] = list
	}
	return list
}

func (look paint) with(d declaration) paint {
	switch d.name {
	case "color":
		if c := parseColour(d.value); c.ok || !inherits(d.value) {
			look.text = c
		}
	case "background", "background-color":
		if strings.Contains(d.value, "url(") || strings.Contains(d.value, "gradient(") {
			look.ground = colour{} // a picture: nothing can be said
		} else if c := firstColour(d.value); c.ok {
			look.ground = c
		}
	case "font-size":
		if px, ok := strings.CutSuffix(d.value, "px"); ok {
			if size, err := strconv.ParseFloat(px, 64); err == nil {
				look.size = size
			}
		}
	case "font-weight":
		weight, err := strconv.Atoi(d.value)
		look.bold = d.value == "bold" || d.value == "bolder" || err == nil && weight >= 700
	case "display":
		look.hidden = d.value == "none"
	}
	return look
}

func inherits(value string) bool {
	switch strings.ToLower(value) {
	case "inherit", "currentcolor", "unset", "revert":
		return true
	}
	return false
}

func (p *painter) judge(text string, look paint) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\u00a0", " "))
	if text == "" || text == "·" || !look.text.ok || !look.ground.ok {
		return
	}
	want := enoughContrast
	large := look.size >= 24 || look.bold && look.size >= 18.66
	if large {
		want = largeContrast
	}
	key := pair{look.text, look.ground, large}
	if p.seen[key] {
		return
	}
	p.seen[key] = true
	is := ratio(look.text, look.ground)
	if is >= want {
		return
	}
	p.found = append(p.found, markdown.Finding{
		Level: markdown.Warning, Code: "contrast", Line: p.line(text), Words: short(text), Gaps: []any{p.mode, look.text, look.ground, is, want},
	})
}

func (c colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

func ratio(a, b colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func (c colour) luminance() float64 {
	channel := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(c.r) + 0.7152*channel(c.g) + 0.0722*channel(c.b)
}

// darkRule is one selector with its declarations of the block for dark mode.
type darkRule struct {
	selector cascadia.Sel
	class    string // what the class of every element that it matches holds
	declared []declaration
}

// darkRules reads the blocks @media (prefers-color-scheme:dark) of the mail.
func darkRules(root *html.Node) []darkRule {
	var all []darkRule
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "style" || n.FirstChild == nil {
			continue
		}
		rest := n.FirstChild.Data
		for {
			_, after, ok := strings.Cut(rest, "prefers-color-scheme")
			if !ok {
				break
			}
			condition, block, _ := strings.Cut(after, "{")
			end := blockEnd(block)
			if strings.Contains(condition, "dark") {
				all = append(all, rulesOf(block[:end])...)
			}
			rest = block[end:]
		}
	}
	return all
}

// blockEnd is where the brace closes that was opened before css.
func blockEnd(css string) int {
	depth := 1
	for at := range len(css) {
		switch css[at] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return at
			}
		}
	}
	return len(css)
}

// lastClass is the class that a selector such as "table .paper" asks for, ""
// where it is not as plain as that: it saves asking every element in full.
func lastClass(selector string) string {
	_, class, ok := strings.Cut(selector[strings.LastIndexAny(selector, " >+~")+1:], ".")
	if !ok || strings.ContainsAny(class, `.:[\\#()"'`) || strings.ContainsAny(selector, `[(\\`) {
		return ""
	}
	return class
}

func rulesOf(css string) []darkRule {
	var all []darkRule
	for rule := range strings.SplitSeq(css, "}") {
		selectors, block, ok := strings.Cut(rule, "{")
		if !ok {
			continue
		}
		group, err := cascadia.ParseGroup(strings.TrimSpace(selectors))
		if err != nil {
			continue // a selector of a newer CSS: nothing can be said
		}
		for _, s := range group {
			all = append(all, darkRule{s, lastClass(s.String()), declared(block)})
		}
	}
	return all
}
