package markdown

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	xhtml "golang.org/x/net/html"
)

// The allow-list of raw HTML (product.md 2.6). What is on no list and has no
// closing partner is shown as text: <name> is a placeholder, not an element.
var (
	allowed = map[string][]string{
		"a": {"href", "name", "id", "title"}, "img": {"src", "alt", "title", "width", "height"},
		"td": {"align", "colspan", "rowspan"}, "th": {"align", "colspan", "rowspan"},
		"ol": {"start"}, "li": {"value"}, "div": {"class"}, "p": {"align"},
		"br": nil, "hr": nil, "b": nil, "strong": nil, "i": nil, "em": nil, "sub": nil, "sup": nil, "s": nil, "del": nil,
		"ins": nil, "u": nil, "small": nil, "mark": nil, "kbd": nil, "samp": nil, "var": nil, "cite": nil, "q": nil, "abbr": nil,
		"code": nil, "pre": nil, "blockquote": nil, "ul": nil, "dl": nil, "dt": nil, "dd": nil,
		"table": nil, "thead": nil, "tbody": nil, "tfoot": nil, "tr": nil, "caption": nil,
		"h1": {"id"}, "h2": {"id"}, "h3": {"id"}, "h4": {"id"}, "h5": {"id"}, "h6": {"id"},
	}
	// dropped elements go with all that is in them.
	dropped = set("script style iframe object embed applet noscript template svg math head title textarea select video audio canvas frameset")
	// passed elements go, and what is in them stays.
	passed = set("html body main section article header footer nav aside center font figure figcaption details summary span form button label fieldset legend input meta link base source param track wbr time address picture ruby rb rt rp rtc bdi bdo dfn data hgroup dialog menu search option optgroup area map big tt strike nobr frame noframes colgroup col")
	void   = set("br hr img")
)

var closeTag = regexp.MustCompile(`</\s*([A-Za-z][A-Za-z0-9-]*)`)

// closed collects the names of all elements that raw HTML closes in the draft.
func closed(tree ast.Node, src []byte) map[string]bool {
	names := map[string]bool{}
	add := func(s []byte) {
		for _, m := range closeTag.FindAllSubmatch(s, -1) {
			names[strings.ToLower(string(m[1]))] = true
		}
	}
	// The walker can not fail: its callback returns no error.
	_ = ast.Walk(tree, func(n ast.Node, in bool) (ast.WalkStatus, error) {
		if h, ok := n.(*ast.HTMLBlock); ok && in {
			add(blockHTML(h, src))
		}
		if r, ok := n.(*ast.RawHTML); ok && in {
			add(r.Segments.Value(src))
		}
		return ast.WalkContinue, nil
	})
	return names
}

func blockHTML(n *ast.HTMLBlock, src []byte) []byte {
	var b []byte
	for i := range n.Lines().Len() {
		at := n.Lines().At(i)
		b = append(b, at.Value(src)...)
	}
	if n.HasClosure() {
		b = append(b, n.ClosureLine.Value(src)...)
	}
	return b
}

func (b *builder) htmlBlock(n *ast.HTMLBlock) {
	at := b.cur.line
	if n.Lines().Len() > 0 {
		at = b.d.Source(b.ix.line(n.Lines().At(0).Start))
	}
	b.raw(blockHTML(n, b.src), at)
	if !b.partner[b.skip] {
		b.skip = ""
	}
}

func (b *builder) rawInline(n *ast.RawHTML) {
	at := b.cur.line
	if n.Segments.Len() > 0 {
		at = b.d.Source(b.ix.line(n.Segments.At(0).Start))
	}
	b.raw(n.Segments.Value(b.src), at)
}

// raw reads a piece of raw HTML token by token.
func (b *builder) raw(s []byte, at int) {
	z := xhtml.NewTokenizer(strings.NewReader(string(s)))
	z.SetMaxBuf(maxBody)
	for {
		kind := z.Next()
		was := string(z.Raw())
		switch kind {
		case xhtml.ErrorToken:
			b.write(strings.TrimRight(was, "\n"), at) // a tag that never ends is text
			return
		case xhtml.TextToken:
			b.write(strings.Map(visible, strings.ReplaceAll(z.Token().Data, "\n", b.newline())), at)
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken:
			b.startTag(z.Token(), was, at)
		case xhtml.EndTagToken:
			b.endTag(z.Token().Data)
		}
		at += strings.Count(was, "\n")
	}
}

// newline is what a line end in raw text means: itself in pre, else a space.
func (b *builder) newline() string {
	if b.within("pre") {
		return "\n"
	}
	return " "
}

func (b *builder) startTag(t xhtml.Token, was string, at int) {
	if b.skip != "" {
		return
	}
	keep, ok := allowed[t.Data]
	switch {
	case dropped[t.Data]:
		if t.Type == xhtml.StartTagToken && t.Data != "embed" {
			b.skip = t.Data
		}
	case ok:
		b.openRaw(t, keep, at)
	case passed[t.Data] || b.partner[t.Data]:
	default:
		b.write(was, at)
	}
}

// openRaw adds an allowed element with its allowed attributes. Depth is bounded:
// what nests deeper than any mail program reads loses its element, not its text.
func (b *builder) openRaw(t xhtml.Token, keep []string, at int) {
	if t.Data == "a" && b.within("a") || b.rawDepth() > maxNesting {
		return
	}
	attrs, ok := b.attributes(t, keep, at)
	if !ok {
		return
	}
	if void[t.Data] {
		b.leaf(t.Data, at, attrs...)
		return
	}
	if t.Data == "li" {
		b.endSibling("li")
	}
	e := b.open(t.Data, at, attrs...)
	if lv := e.heading(); lv > 0 && e.get("id") != "" {
		b.ids[e.get("id")]++
	}
	if t.Type == xhtml.SelfClosingTagToken || t.Data == "a" && e.get("href") == "" && !b.partner["a"] {
		b.cur = e.up
	}
}

func (b *builder) rawDepth() int {
	n := 0
	for e := b.cur; e != nil; e = e.up {
		n++
	}
	return n
}

// endSibling closes an element that the next of its kind ends without a tag.
func (b *builder) endSibling(tag string) {
	for n := b.cur; n != nil && !n.own; n = n.up {
		if n.tag == tag {
			b.cur = n.up
			return
		}
		if n.tag == "ul" || n.tag == "ol" {
			return
		}
	}
}

// attributes keeps what the list allows; ok is false when the element makes no
// sense without what was refused.
func (b *builder) attributes(t xhtml.Token, keep []string, at int) (attrs []attr, ok bool) {
	for _, a := range t.Attr {
		if !listed(keep, a.Key) {
			continue
		}
		v, ok := attrValue(t.Data, a.Key, a.Val)
		if !ok {
			b.refuse(at, a.Val)
			return nil, false
		}
		if v != "" || a.Key == "alt" {
			attrs = append(attrs, attr{a.Key, v})
		}
	}
	return attrs, true
}

func listed(keep []string, key string) bool {
	for _, k := range keep {
		if k == key {
			return true
		}
	}
	return false
}

var (
	sizeValue  = regexp.MustCompile(`^[0-9]{1,4}%?$`)
	alignValue = regexp.MustCompile(`^(?i:left|right|center)$`)
)

// attrValue checks one value: refused addresses are not ok, values without
// meaning are "".
func attrValue(tag, key, v string) (string, bool) {
	v = strings.Map(visible, v)
	switch key {
	case "href":
		return linkTarget(v)
	case "src":
		return imageTarget(v)
	case "width", "height", "colspan", "rowspan", "start", "value":
		if !sizeValue.MatchString(v) {
			return "", true
		}
	case "align":
		if !alignValue.MatchString(v) {
			return "", true
		}
	case "class":
		if v != "email-only" && v != "web-only" {
			return "", true
		}
	}
	return v, true
}

func (b *builder) endTag(name string) {
	if b.skip != "" {
		if name == b.skip {
			b.skip = ""
		}
		return
	}
	for n := b.cur; n != nil && !n.own; n = n.up {
		if n.tag == name {
			b.cur = n.up
			return
		}
	}
}

var schemes = set("http https mailto tel sms ftp ftps gemini irc ircs xmpp matrix news nntp git ssh magnet bitcoin lightning geo webcal")

var schemeOf = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):`)

// misspelt tells a slip in http or https, and a host with a port: neither runs
// anything, and the check of links tells the editor.
var misspelt = regexp.MustCompile(`^(?i:[htps]{3,6}|[a-z0-9-]+(?:\.[a-z0-9-]+)+)$`)

// linkTarget lets through addresses of schemes that run nothing, and relative
// ones. White space becomes %20: it would end the address in the text part.
func linkTarget(url string) (string, bool) {
	url = strings.TrimSpace(strings.Map(visible, url))
	// Browsers drop tabs and line ends inside an address before they read its scheme.
	bare := strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, url)
	if m := schemeOf.FindStringSubmatch(bare); m != nil && !schemes[strings.ToLower(m[1])] && !misspelt.MatchString(m[1]) {
		return "", false
	}
	return encodeSpace.Replace(url), true
}

var encodeSpace = strings.NewReplacer(" ", "%20", "\t", "%20", "\u00a0", "%C2%A0", "<", "%3C", ">", "%3E", `"`, "%22")

// imageTarget lets through web, relative and cid: images. data: images are not
// shown by most mail programs and can hold a document.
func imageTarget(url string) (string, bool) {
	safe, ok := linkTarget(url)
	if m := schemeOf.FindStringSubmatch(url); m != nil {
		s := strings.ToLower(m[1])
		return encodeSpace.Replace(strings.TrimSpace(url)), s == "http" || s == "https" || s == "cid"
	}
	return safe, ok
}
