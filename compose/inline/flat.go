package inline

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// takeSheets reads the style elements, leaves in their places what must be kept,
// and returns the rules that can be inlined.
func (b *book) takeSheets(root *html.Node, ix index) []rule {
	var styles []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "style" && n.Namespace == "" {
			styles = append(styles, n)
		}
	}
	var rules []rule
	order := 0
	for _, n := range styles {
		text := b.sheetText(n)
		if !forEveryone(n) {
			b.keep(n, text)
			continue
		}
		all := pieces(unmarked(text))
		for i := range all {
			order++
			compiled := all[i].sort(ix)
			if len(compiled) == 0 {
				continue
			}
			declared := declarations(all[i].body)
			for _, s := range compiled {
				rules = append(rules, rule{s, declared, order})
			}
		}
		if both, _ := attr(n, "data-css-inline"); strings.EqualFold(both, "keep") {
			b.keep(n, text)
			continue
		}
		b.keep(n, leftover(all))
	}
	return rules
}

// unmarked takes the marks of character data off a sheet, which templates out of
// XML have bare: they would be read as part of the first selector.
func unmarked(sheet string) string {
	inside, ok := strings.CutPrefix(strings.TrimSpace(sheet), "<![CDATA[")
	if !ok {
		return sheet
	}
	return strings.TrimSuffix(inside, "]]>")
}

// forEveryone tells whether a style element counts in every mail program.
func forEveryone(n *html.Node) bool {
	if _, ignore := attr(n, "data-premailer"); ignore || untouched(n) {
		return false
	}
	media, _ := attr(n, "media")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "" || media == "all"
}

// untouched tells whether the author asks to leave an element or a sheet alone,
// in the word that other inliners know.
func untouched(n *html.Node) bool {
	value, _ := attr(n, "data-css-inline")
	return strings.EqualFold(value, "ignore")
}

// keep replaces a style element by a mark for its text, or removes it when
// nothing is left.
func (b *book) keep(n *html.Node, text string) {
	if strings.TrimSpace(text) == "" {
		n.Parent.RemoveChild(n)
		return
	}
	var tag strings.Builder
	tag.WriteString("<style")
	for _, a := range n.Attr {
		tag.WriteString(" " + a.Key + `="` + html.EscapeString(a.Val) + `"`)
	}
	b.kept = append(b.kept, tag.String()+">"+text+"</style>")
	mark := &html.Node{Type: html.CommentNode, Data: b.mark('s', len(b.kept)-1)}
	n.Parent.InsertBefore(mark, n)
	n.Parent.RemoveChild(n)
}

// leftover is what stays in the sheet, each statement as it stood.
func leftover(all []piece) string {
	var kept []string
	for _, p := range all {
		if raw := p.leftover(); raw != "" {
			kept = append(kept, raw)
		}
	}
	text := strings.Join(kept, "\n")
	if !strings.Contains(text, "var(") {
		return text
	}
	// Rules that stay may need custom properties that were inlined away.
	for _, p := range all {
		if definesCustom(p) && p.leftover() == "" {
			text = p.raw + "\n" + text
		}
	}
	return text
}

// leftover returns the part of one statement that stays in the sheet: all of an
// at-rule or a nested rule, and those selectors that cannot be inlined.
func (p piece) leftover() string {
	if len(p.selectors) == 0 || p.nested {
		return p.raw
	}
	switch len(p.stay) {
	case len(p.selectors):
		return p.raw
	case 0:
		return ""
	}
	return strings.Join(p.stay, ", ") + " " + p.block
}

func definesCustom(p piece) bool {
	for _, d := range declarations(p.body) {
		if strings.HasPrefix(d.name, "--") {
			return true
		}
	}
	return false
}

// flatten settles the cascade and returns each list of declarations that it
// gives, with the elements that get it, in the order of the document.
func (b *book) flatten(elements []*html.Node, ix index, rules []rule) []*outfit {
	found := hits(ix, rules)
	same := map[string]*outfit{}
	var outfits []*outfit
	all := scopes{of: map[*html.Node]*scope{}, used: usesVariables(elements, rules)}
	for _, n := range elements {
		style, styled := attr(n, "style")
		if untouched(n) || len(found[n]) == 0 && (!styled || !strings.Contains(style, "var(") && !strings.Contains(style, "--")) {
			continue
		}
		body, list := b.body(n, all, rules, found[n], style)
		removeAttr(n, "style")
		if body == "" {
			continue
		}
		legacy(n, list)
		o := same[body]
		if o == nil {
			o = &outfit{list: list}
			same[body] = o
			outfits = append(outfits, o)
		}
		o.wearers = append(o.wearers, n)
	}
	return outfits
}

func (b *book) body(n *html.Node, all scopes, rules []rule, matched []int, style string) (string, []declaration) {
	list := all.enter(n, cascade(rules, matched, style))
	var body strings.Builder
	for _, d := range list {
		d.write(&body)
		body.WriteByte(';')
	}
	return body.String(), list
}

func (d declaration) String() string {
	var s strings.Builder
	d.write(&s)
	return s.String()
}

func (d declaration) write(to *strings.Builder) {
	to.WriteString(d.name)
	to.WriteByte(':')
	to.WriteString(d.value)
	if d.important {
		to.WriteString(" !important")
	}
}

// Safe names and values pass go-premailer's scanner unharmed. It doubles or
// drops the rest: custom properties, strings with colons, blocks, "!important".
var (
	safeName  = regexp.MustCompile(`^-?[a-z][a-z-]*$`)
	safeValue = regexp.MustCompile(`^[-\w#%.,()+/ ]+$`)
)

func (b *book) shieldAll(list []declaration) string {
	times := map[string]int{}
	for _, d := range list {
		times[d.name]++
	}
	parts := make([]string, len(list))
	for i, d := range list {
		parts[i] = b.shield(d, times[d.name] > 1)
	}
	return strings.Join(parts, ";")
}

// shield returns the declaration as go-premailer may see it: itself, or a mark.
func (b *book) shield(d declaration, repeated bool) string {
	safe := !repeated && !d.important && safeName.MatchString(d.name) && safeValue.MatchString(d.value)
	if safe && !strings.Contains(d.value, "important") {
		return d.name + ":" + d.value
	}
	b.shielded = append(b.shielded, d.String())
	return b.mark('d', len(b.shielded)-1) + ":0"
}

// colour is a value that the bgcolor attribute can carry.
var colour = regexp.MustCompile(`^(#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3}|[a-z]{3,20})$`)

// legacy writes the attributes that Outlook's engine reads from tables and
// images. An attribute of the author's own is never changed.
func legacy(n *html.Node, list []declaration) {
	for _, d := range list {
		switch n.Data {
		case "table", "td", "th", "tr", "body":
			legacyCell(n, d)
		case "img":
			legacyLength(n, d)
		}
	}
}

func legacyCell(n *html.Node, d declaration) {
	switch d.name {
	case "background-color", "background":
		if colour.MatchString(d.value) && d.value != "none" && d.value != "transparent" && d.value != "inherit" {
			suggest(n, "bgcolor", longColour(d.value))
		}
	case "text-align":
		if n.Data != "table" && n.Data != "body" && (d.value == "left" || d.value == "right" || d.value == "center") {
			suggest(n, "align", d.value)
		}
	case "vertical-align":
		if n.Data != "table" && n.Data != "body" && (d.value == "top" || d.value == "middle" || d.value == "bottom") {
			suggest(n, "valign", d.value)
		}
	case "width":
		if n.Data != "tr" && n.Data != "body" {
			legacyLength(n, d)
		}
	}
}

func legacyLength(n *html.Node, d declaration) {
	if d.name != "width" && (d.name != "height" || n.Data != "img") {
		return
	}
	if px, ok := strings.CutSuffix(d.value, "px"); ok && isNumber(px) {
		suggest(n, d.name, px)
	}
	if pc, ok := strings.CutSuffix(d.value, "%"); ok && isNumber(pc) && n.Data != "img" {
		suggest(n, d.name, d.value)
	}
}

func isNumber(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0
}

func suggest(n *html.Node, key, value string) {
	if _, has := attr(n, key); !has {
		setAttr(n, key, value)
	}
}

// longColour writes #abc as #aabbcc: Outlook reads the short form wrongly.
func longColour(c string) string {
	if len(c) != 4 || c[0] != '#' {
		return c
	}
	return string([]byte{'#', c[1], c[1], c[2], c[2], c[3], c[3]})
}
