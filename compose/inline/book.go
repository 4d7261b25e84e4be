package inline

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// book remembers what must not pass through the HTML parser and go-premailer,
// and puts it back afterwards. Each thing is replaced by a mark: a prefix that
// the document does not contain, the letter of its kind, its number and "z". The
// classes of the outfits (k) are such marks too.
type book struct {
	prefix   string
	comments []string // c: conditional comments
	sheets   []string // t: the text of a <style>, as it stood
	kept     []string // s: whole <style> elements that stay
	shielded []string // d: declarations that go-premailer would damage
}

func newBook(document []byte) *book {
	prefix := "nlx"
	lower := strings.ToLower(string(document))
	for strings.Contains(lower, prefix) {
		prefix += "x"
	}
	return &book{prefix: prefix}
}

func (b *book) mark(kind byte, n int) string {
	return b.prefix + string(kind) + strconv.Itoa(n) + "z"
}

// hide replaces comments and the text of style sheets by marks. Comments that
// are not for Outlook are dropped: they are notes of the template's author.
func (b *book) hide(document []byte) string {
	var out strings.Builder
	out.Grow(len(document))
	z := html.NewTokenizer(bytes.NewReader(document))
	inStyle := false
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		raw := z.Raw()
		switch {
		case kind == html.CommentToken:
			out.WriteString(b.hideComment(string(raw)))
		case kind == html.TextToken && inStyle:
			out.WriteString(b.mark('t', len(b.sheets)))
			b.sheets = append(b.sheets, string(raw))
		default:
			out.Write(raw)
		}
		inStyle = kind == html.StartTagToken && isStyle(z)
	}
	return out.String()
}

func isStyle(z *html.Tokenizer) bool {
	name, _ := z.TagName()
	return string(name) == "style"
}

// conditional recognises both halves of a conditional comment, hidden
// (<!--[if mso]>) and revealed (<![if !mso]>).
var conditional = regexp.MustCompile(`(?i)\[\s*(if\s|if\(|if!|endif)`)

func (b *book) hideComment(raw string) string {
	if !conditional.MatchString(raw) {
		return ""
	}
	b.comments = append(b.comments, raw)
	return "<!--" + b.mark('c', len(b.comments)-1) + "-->"
}

// sheetText gives back what hide took out of a style element.
func (b *book) sheetText(n *html.Node) string {
	var s strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if i, ok := b.number(c.Data, 't'); ok && i < len(b.sheets) {
			s.WriteString(b.sheets[i])
			continue
		}
		s.WriteString(c.Data)
	}
	return s.String()
}

func (b *book) number(mark string, kind byte) (int, bool) {
	s, ok := strings.CutPrefix(mark, b.prefix+string(kind))
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSuffix(s, "z"))
	return n, err == nil
}

// show puts everything back into what go-premailer wrote.
func (b *book) show(document string) []byte {
	out := make([]byte, 0, len(document)+len(document)/4)
	for {
		i := strings.Index(document, b.prefix)
		if i < 0 {
			return append(out, document...)
		}
		kind, n, end := b.parse(document, i)
		before, after, text := b.replace(document[:i], document[end:], kind, n)
		out = append(out, before...)
		out = append(out, text...)
		document = after
	}
}

func (b *book) parse(document string, i int) (kind byte, n, end int) {
	end = i + len(b.prefix)
	if end == len(document) {
		return 0, 0, end
	}
	kind = document[end]
	end++
	start := end
	for end < len(document) && document[end] != 'z' {
		end++
	}
	n, _ = strconv.Atoi(document[start:end])
	return kind, n, min(end+1, len(document))
}

// replace returns the text for one mark, and what stands around it without the
// syntax that only carried the mark.
func (b *book) replace(before, after string, kind byte, n int) (string, string, string) {
	switch kind {
	case 'c':
		return strings.TrimSuffix(before, "<!--"), strings.TrimPrefix(after, "-->"), b.comments[n]
	case 's':
		return strings.TrimSuffix(before, "<!--"), strings.TrimPrefix(after, "-->"), b.kept[n]
	}
	return before, after, b.sheets[n]
}
