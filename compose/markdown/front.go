package markdown

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
)

// known holds the keys that Galley reads; all others are kept and noted.
var known = map[string]bool{
	"title": true, "subtitle": true, "date": true, "layout": true, "hero-img": true,
	"issue": true, "send": true, "slug": true, "preheader": true, "reply-to": true,
	"lang": true, "tags": true, "canonical": true, "to": true, "draft": true, "credits": true,
}

// front takes the front matter off the top of the draft.
func (w *work) front(f *Front) {
	h := cutHead(w.ls)
	if h.kind == headNone {
		return
	}
	first := w.fences(h)
	w.ls = h.rest
	seen := map[string]bool{}
	for _, p := range w.pairs(h, first) {
		if seen[fold(p.key)] {
			w.found(Finding{Level: Warning, Code: "front-twice", Line: p.line, Words: p.key, Gaps: []any{p.key}})
			continue
		}
		seen[fold(p.key)] = true
		w.assign(f, p)
	}
}

// fences tells what happened to the lines around the head, and gives the number
// of its first line.
func (w *work) fences(h head) int {
	ls := trimBlank(w.ls)
	if strings.ContainsAny(ls[0].s, "–—") {
		w.smart = true
		w.repaired(ls[0].n, "front-dashes")
	}
	if h.open {
		w.found(Finding{Level: Warning, Code: "front-open", Line: ls[0].n, Words: strings.TrimSpace(ls[0].s)})
	}
	if len(h.ls) > 0 {
		return h.ls[0].n
	}
	return ls[0].n
}

// pairs reads the head strictly, and by lines where that fails.
func (w *work) pairs(h head, first int) []pair {
	size := 0
	for i, l := range h.ls {
		if size += len(l.s) + 1; size > headLimit {
			w.found(Finding{Level: Error, Code: "front-large", Line: l.n})
			h.ls = h.ls[:i]
			return tolerant(h)
		}
	}
	if h.kind == headPlain {
		return tolerant(h)
	}
	ls := whole(w.straight(h.ls, h.kind))
	strict := strictYAML
	if h.kind == headTOML {
		strict = strictTOML
	}
	ps, err := strict(ls)
	if err == nil {
		return ps
	}
	h.ls = ls
	w.found(Finding{Level: Note, Code: "front-lenient", Line: faultLine(err, ls, first), Words: quoteLine(err, ls, first), Gaps: []any{formName(h.kind)}})
	return tolerant(h)
}

func formName(k headKind) string {
	if k == headTOML {
		return "TOML"
	}
	return "YAML"
}

// straight gives values whose quotation marks a phone curled straight ones, so
// that YAML and TOML see them.
func (w *work) straight(in []line, kind headKind) []line {
	ls := append([]line(nil), in...)
	key, sign := keyLine, ": "
	if kind == headTOML {
		key, sign = tomlLine, " = "
	}
	for i, l := range ls {
		s := strings.ReplaceAll(strings.ReplaceAll(l.s, nbsp, " "), "\t", "  ")
		s = smartTarget.ReplaceAllStringFunc(s, w.dashed)
		if m := key.FindStringSubmatch(s); m != nil {
			v := strings.TrimSpace(strings.Join(m[2:], ""))
			if r := firstRune(v); r > unicode.MaxASCII && quotePair[r] != 0 && closedQuote(v) {
				s = m[1] + sign + strconv.Quote(unquoteValue(v))
			}
		}
		if s != l.s {
			w.repaired(l.n, "front-curly")
		}
		ls[i].s = s
	}
	return ls
}

var (
	cutAddress = regexp.MustCompile(`^[\pL\pN _-]+:\s*["']?https?://\S*[-/?&=_]$`)
	bareKey    = regexp.MustCompile(`^[\pL\pN_-]+:$`)
	cutHalf    = regexp.MustCompile(`\pL-$`)
)

// whole joins values that a mail program cut inside an address or a word with a
// hyphen, where YAML would put a space.
func whole(ls []line) []line {
	var out []line
	for _, l := range ls {
		if n := len(out); n > 0 && !keyLine.MatchString(l.s) && l.s != "" && l.s[0] != ' ' {
			last := &out[n-1]
			if strings.HasPrefix(l.s, "http") && bareKey.MatchString(last.s) {
				last.s += " " + l.s
				continue
			}
			if cutAddress.MatchString(last.s) || cutHalf.MatchString(last.s) && unicode.IsLower(firstRune(l.s)) && !suspended[firstWord(l.s)] {
				last.s += l.s
				continue
			}
		}
		out = append(out, l)
	}
	return out
}

var errLine = regexp.MustCompile(`line (\d+)`)

// faultLine finds the source line an error of the YAML reader speaks of.
func faultLine(err error, ls []line, first int) int {
	if m := errLine.FindStringSubmatch(err.Error()); m != nil {
		if n, _ := strconv.Atoi(m[1]); n >= 1 && n <= len(ls) {
			return ls[n-1].n
		}
	}
	return first
}

func quoteLine(err error, ls []line, first int) string {
	n := faultLine(err, ls, first)
	for _, l := range ls {
		if l.n == n {
			return strings.TrimSpace(l.s)
		}
	}
	return ""
}

func headText(ls []line) []byte {
	var b bytes.Buffer
	for _, l := range ls {
		b.WriteString(l.s + "\n")
	}
	return b.Bytes()
}

var (
	errShape  = errors.New("it is not a list of keys")
	errAlias  = errors.New("it has an alias or anchor (& or * before a value)")
	errTag    = errors.New("it has a tag (! before a value)")
	errTwice  = errors.New("it has a key twice")
	errHidden = errors.New("a value is hidden by #, which begins a comment")
)

// strictYAML reads one flat map. Aliases and tags are refused (trust.md 2.4),
// and so is a value that a # cut off: "title: #129" is null to YAML.
func strictYAML(ls []line) ([]pair, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(headText(ls), &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errShape
	}
	kv := doc.Content[0].Content
	ps := make([]pair, 0, len(kv)/2)
	seen := map[string]bool{}
	for i := 0; i+1 < len(kv); i += 2 {
		p, err := yamlPair(kv[i], kv[i+1], ls)
		if err != nil {
			return nil, err
		}
		if seen[p.key] {
			return nil, errTwice
		}
		seen[p.key] = true
		ps = append(ps, p)
	}
	return ps, nil
}

func yamlPair(k, v *yaml.Node, ls []line) (pair, error) {
	if k.Kind != yaml.ScalarNode || !keyLine.MatchString(k.Value+":") {
		return pair{}, errShape
	}
	if v.LineComment != "" && known[fold(k.Value)] || k.LineComment != "" && v.Value == "" {
		return pair{}, errHidden
	}
	if err := plainNode(v); err != nil {
		return pair{}, err
	}
	p := pair{key: k.Value, line: ls[min(max(k.Line, 1), len(ls))-1].n}
	switch {
	case v.Kind == yaml.ScalarNode && v.Tag == "!!null":
	case v.Kind == yaml.ScalarNode:
		p.value = v.Value
	case scalars(v):
		p.list = []string{}
		for _, c := range v.Content {
			p.list = append(p.list, c.Value)
		}
	default:
		b, _ := json.Marshal(plainValue(v)) // strings, maps and slices alone: it can not fail
		p.value = string(b)
	}
	return p, nil
}

// plainNode refuses aliases, anchors and tags anywhere below v.
func plainNode(v *yaml.Node) error {
	if v.Kind == yaml.AliasNode || v.Anchor != "" {
		return errAlias
	}
	if v.Style&yaml.TaggedStyle != 0 && v.Tag != "!" && v.Tag != "!!str" && v.Tag != "" {
		return errTag
	}
	for _, c := range v.Content {
		if err := plainNode(c); err != nil {
			return err
		}
	}
	return nil
}

func scalars(v *yaml.Node) bool {
	for _, c := range v.Content {
		if c.Kind != yaml.ScalarNode {
			return false
		}
	}
	return v.Kind == yaml.SequenceNode
}

// plainValue gives a node as strings, slices and maps.
func plainValue(v *yaml.Node) any {
	switch v.Kind {
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range v.Content {
			out = append(out, plainValue(c))
		}
		return out
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(v.Content); i += 2 {
			out[v.Content[i].Value] = plainValue(v.Content[i+1])
		}
		return out
	}
	return v.Value
}

// strictTOML reads TOML; nested tables become JSON.
func strictTOML(ls []line) ([]pair, error) {
	var m map[string]any
	if err := toml.Unmarshal(headText(ls), &m); err != nil {
		return nil, err
	}
	var ps []pair
	for k, v := range m {
		p := pair{key: k, line: lineOf(ls, k)}
		switch v := v.(type) {
		case string:
			p.value = v
		case map[string]any:
			b, err := json.Marshal(textual(v))
			if err != nil {
				return nil, err
			}
			p.value = string(b)
		case []any:
			p.list = []string{}
			for _, e := range v {
				p.list = append(p.list, fmt.Sprint(e))
			}
		default:
			p.value = fmt.Sprint(v)
		}
		ps = append(ps, p)
	}
	sort.Slice(ps, func(i, j int) bool {
		return ps[i].line < ps[j].line || ps[i].line == ps[j].line && ps[i].key < ps[j].key
	})
	return ps, nil
}

// textual turns every scalar below v into text, as the YAML reader does, so that
// a repaired draft reads back equal.
func textual(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = textual(e)
		}
		return out
	case []any:
		out := []any{}
		for _, e := range v {
			out = append(out, textual(e))
		}
		return out
	}
	return fmt.Sprint(v)
}

func lineOf(ls []line, key string) int {
	for _, l := range ls {
		if s := strings.TrimLeft(l.s, " [\""); strings.HasPrefix(s, key) {
			return l.n
		}
	}
	return ls[0].n
}
