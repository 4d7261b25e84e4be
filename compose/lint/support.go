package lint

import (
	_ "embed"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"galley/compose/markdown"

	"golang.org/x/net/html"
)

// features is what mail programs show, from Can I email (see features.LICENCE).
// `galley support` writes it anew from the origin's own data.
//
//go:embed features.tsv
var features []byte

// fewShow is the share of common mail programs that must show a feature, in per
// cent (trust.md bar 11).
const fewShow = 60

// mild features are decoration: who does not know them shows everything.
var mild = words(`css-accent-color css-at-font-face css-background-blend-mode css-border-image css-border-radius-logical css-box-shadow
	css-color-scheme css-cursor css-font-kerning css-font-size-adjust css-font-stretch css-hyphenate-character css-hyphenate-limit-chars css-hyphens
	css-letter-spacing css-list-style-image css-opacity css-orphans css-outline css-outline-offset css-overflow-wrap css-resize css-scroll-snap css-tab-size
	css-text-align-last css-text-decoration-color css-text-decoration-skip-ink css-text-decoration-style css-text-decoration-thickness css-text-emphasis
	css-text-emphasis-position css-text-justify css-text-shadow css-text-underline-offset css-text-underline-position css-text-wrap css-transition
	css-user-select css-white-space-collapse css-widows css-word-break css-word-wrap css-animation html-aria-describedby html-aria-labelledby html-aria-live
	html-bdi html-lang html-loading-attribute html-meta-color-scheme html-role html-srcset html-target html-wbr html-hidden html-abbr html-acronym`)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// feature is a row of the table.
type feature struct {
	title   string
	percent int      // of the common programs that show it, wholly or in part
	missing []string // those that do not
}

// shown is the built-in table, read once.
var shown = sync.OnceValue(func() map[string]feature { return table(features) })

// table reads the built-in data: a first row with the programs' names, then one
// row a feature with one letter a program (y, a for in part, n, . for unknown).
func table(data []byte) map[string]feature {
	all := map[string]feature{}
	var programs []string
	for row := range strings.Lines(string(data)) {
		cells := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		switch {
		case strings.HasPrefix(row, "#") || len(cells) < 3:
		case programs == nil:
			programs = strings.Split(cells[2], ",")
		default:
			all[cells[0]] = rowOf(cells[1], cells[2], programs)
		}
	}
	return all
}

func rowOf(title, letters string, programs []string) feature {
	f := feature{title: title}
	known, shown := 0, 0
	for i, name := range programs[:min(len(programs), len(letters))] {
		switch letters[i] {
		case 'y', 'a':
			known, shown = known+1, shown+1
		case 'n':
			known++
			f.missing = append(f.missing, name)
		}
	}
	f.percent = 100
	if known > 0 {
		f.percent = 100 * shown / known
	}
	return f
}

// support names the features of the mail that common programs do not show.
func support(i *issue) []markdown.Finding {
	if i.root == nil {
		return nil
	}
	known := shown()
	var found []markdown.Finding
	for _, u := range i.used() {
		f, ok := known[u.slug]
		if !ok || f.percent >= fewShow || mild[u.slug] {
			continue
		}
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "not-shown", Line: u.line, Words: short(u.words), Gaps: []any{f.title, f.percent, listed(f.missing, 4)},
		})
	}
	return found
}

// listed names the first few of many.
func listed(names []string, few int) markdown.Sentence {
	return markdown.Sentence{Name: "listed", Gaps: []any{strings.Join(names[:min(few, len(names))], ", "), max(0, len(names)-few)}}
}

// use is one feature at its first place.
type use struct {
	slug, words string
	line        int // of the draft, 0 when it comes from the template
}

// used lists the features of the mail, each once, by name. What stands in the
// style block is extra to what was inlined and does not count, but for imports.
func (i *issue) used() []use {
	seen, styles := map[string]use{}, map[string]bool{}
	note := func(slug, words string, line int) {
		if _, ok := seen[slug]; !ok {
			seen[slug] = use{slug, words, line}
		}
	}
	lines := map[string]int{}
	for _, img := range i.Doc.Images {
		lines[img.URL] = img.Line
	}
	for n := range i.root.Descendants() {
		if n.Type == html.ElementNode {
			// The same style again has nothing new.
			style := attrOf(n, "style")
			usedBy(n, !styles[style], func(slug, words string) { note(slug, words, lines[attrOf(n, "src")]) })
			styles[style] = true
		}
	}
	return slices.SortedFunc(maps.Values(seen), func(a, b use) int { return strings.Compare(a.slug, b.slug) })
}

func usedBy(n *html.Node, styles bool, note func(slug, words string)) {
	note(elementSlug(n), "<"+n.Data+">")
	if n.Data == "style" && n.FirstChild != nil && strings.Contains(n.FirstChild.Data, "@import") {
		note("css-at-import", "@import")
	}
	for _, a := range n.Attr {
		switch a.Key {
		case "style":
			if !styles {
				continue
			}
			for _, d := range declared(a.Val) {
				usedIn(d, note)
			}
		case "src":
			if n.Data == "img" {
				note(imageSlug(a.Val), path.Base(a.Val))
			}
		default:
			note("html-"+a.Key, a.Key)
		}
	}
}

// elementSlug is the table's name for an element; for most it is the element's.
func elementSlug(n *html.Node) string {
	if n.Data == "input" {
		return "html-input-" + attrOf(n, "type")
	}
	return "html-" + n.Data
}

// formats are the endings of image files whose name in the table is another.
var formats = map[string]string{"jpeg": "jpg", "heic": "heif", "tif": "tiff"}

func imageSlug(src string) string {
	if strings.HasPrefix(src, "data:") {
		return "image-base64"
	}
	u, err := url.Parse(src)
	if err != nil {
		return ""
	}
	ending := strings.TrimPrefix(strings.ToLower(path.Ext(u.Path)), ".")
	if other, ok := formats[ending]; ok {
		ending = other
	}
	return "image-" + ending
}

// functions of values that are features of their own.
var functions = []struct{ part, slug string }{
	{"var(", "css-variables"}, {"calc(", "css-unit-calc"}, {"clamp(", "css-function-clamp"}, {"min(", "css-function-min"}, {"max(", "css-function-max"},
	{"light-dark(", "css-function-light-dark"}, {"conic-gradient(", "css-conic-gradient"}, {"radial-gradient(", "css-radial-gradient"},
	{"linear-gradient(", "css-linear-gradient"}, {"oklch(", "css-modern-color"}, {"lab(", "css-modern-color"}, {"color(", "css-modern-color"},
}

func usedIn(d declaration, note func(slug, words string)) {
	name, value := d.name, strings.ToLower(d.value)
	whole := name + ":" + d.value
	switch {
	case name == "display" && (value == "flex" || value == "grid" || value == "none"):
		note("css-display-"+value, whole)
	case name == "display" && (value == "inline-flex" || value == "inline-grid"):
		note("css-display-"+strings.TrimPrefix(value, "inline-"), whole)
	case name == "left" || name == "right" || name == "top" || name == "bottom":
		note("css-left-right-top-bottom", whole)
	default:
		note("css-"+name, whole)
	}
	if !strings.Contains(value, "(") {
		return
	}
	for _, f := range functions {
		if at := strings.Index(value, f.part); at >= 0 && (at == 0 || !strings.ContainsAny(value[at-1:at], "abcdefghijklmnopqrstuvwxyz-")) {
			note(f.slug, whole)
		}
	}
}

// declaration is one of a style attribute; the name is in small letters.
type declaration struct{ name, value string }

// declared cuts a style attribute at the semicolons that are in no quotes and
// no brackets.
func declared(style string) []declaration {
	var all []declaration
	depth, start := 0, 0
	var quote byte
	for at := 0; at <= len(style); at++ {
		switch {
		case at == len(style) || style[at] == ';' && depth == 0 && quote == 0:
			if name, value, ok := strings.Cut(style[start:at], ":"); ok {
				value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
				all = append(all, declaration{strings.ToLower(strings.TrimSpace(name)), value})
			}
			start = at + 1
		case quote != 0:
			if style[at] == quote {
				quote = 0
			}
		case style[at] == '"' || style[at] == '\'':
			quote = style[at]
		case style[at] == '(':
			depth++
		case style[at] == ')':
			depth = max(0, depth-1)
		}
	}
	return all
}

func attrOf(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
