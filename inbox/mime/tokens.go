package mime

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// tokens takes a page of HTML apart, token for token as html.Tokenizer does,
// which looks at every octet several times. What nearly all of a mail consists
// of (text, tags whose attributes are written plainly, comments) is read here
// at a fifth of that price; the rest is left to the tokenizer.
type tokens struct {
	rest string // what no token was taken from yet
	name string // of a tag, in lower case
	attr attributes
	text string // of a text, entities undone

	odd   *html.Tokenizer // reads rest, as long as it is set
	turns int             // how often it was called in
}

// maxTurns is how often the tokenizer is called in before the rest of a page is
// left to it: each time costs it a buffer.
const maxTurns = 100

// next reads one token; name, attr and text hold until the next one.
func (t *tokens) next() html.TokenType {
	if t.odd == nil {
		if kind, known := t.plain(); known {
			return kind
		}
		t.odd = html.NewTokenizer(strings.NewReader(t.rest))
		t.turns++
	}
	return t.strange()
}

// strange has the tokenizer read one token, and one more where what follows a
// tag is no HTML (script, style and the like).
func (t *tokens) strange() html.TokenType {
	z := t.odd
	kind := z.Next()
	t.rest = t.rest[min(len(z.Raw()), len(t.rest)):]
	switch kind {
	case html.TextToken:
		t.text = string(z.Text())
	case html.StartTagToken, html.SelfClosingTagToken:
		token := z.Token()
		t.name, t.attr = token.Data, token.Attr
	case html.EndTagToken:
		name, _ := z.TagName()
		t.name = atom.String(name)
	}
	tag := kind == html.StartTagToken || kind == html.SelfClosingTagToken
	if t.turns < maxTurns && !(tag && isRaw(t.name)) {
		t.odd = nil
	}
	return kind
}

// isRaw names the elements whose content is no HTML to the tokenizer.
func isRaw(name string) bool {
	switch name {
	case "iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "textarea", "title", "xmp":
		return true
	}
	return false
}

// plain reads a token of the common forms; false where rest begins with another.
func (t *tokens) plain() (kind html.TokenType, known bool) {
	s := t.rest
	switch {
	case len(s) < 2:
	case s[0] != '<' || !opens(s[1]):
		return t.plainText()
	case isLetter(s[1]):
		return t.plainTag()
	case s[1] == '/':
		n := nameEnd(s, 2)
		if n > 2 && n < len(s) && s[n] == '>' && isLetter(s[2]) {
			t.name, t.rest = lowered(s[2:n]), s[n+1:]
			return html.EndTagToken, true
		}
	default:
		return t.plainComment()
	}
	return 0, false
}

// opens tells the octets behind a "<" that begin a tag or a comment.
func opens(c byte) bool { return isLetter(c) || c == '/' || c == '!' || c == '?' }

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// plainText reads up to the next tag or comment.
func (t *tokens) plainText() (html.TokenType, bool) {
	end := 0
	for {
		i := strings.IndexByte(t.rest[end:], '<')
		if i < 0 {
			end = len(t.rest)
			break
		}
		if end += i; end+1 < len(t.rest) && opens(t.rest[end+1]) {
			break
		}
		end++
	}
	text := t.rest[:end]
	if strings.IndexByte(text, '\r') >= 0 {
		return 0, false
	}
	t.text, t.rest = html.UnescapeString(text), t.rest[end:]
	return html.TextToken, true
}

// plainComment passes over a comment. Those that end otherwise than by "-->"
// behind some text are not plain.
func (t *tokens) plainComment() (html.TokenType, bool) {
	body, begun := strings.CutPrefix(t.rest, "<!--")
	end := strings.Index(body, "-->")
	if !begun || end < 1 || body[0] == '>' || body[0] == '-' || strings.Contains(body[:end], "--!") {
		return 0, false
	}
	t.rest = body[end+len("-->"):]
	return html.CommentToken, true
}

// plainTag reads a start tag. Its attributes have values, in quotes or without
// any character that needs them.
func (t *tokens) plainTag() (html.TokenType, bool) {
	s := t.rest
	at := nameEnd(s, 1)
	name := lowered(s[1:at])
	if isRaw(name) {
		return 0, false
	}
	attr, kind := t.attr[:0], html.StartTagToken
	for at = spaceEnd(s, at); at < len(s) && s[at] != '>' && s[at] != '/'; at = spaceEnd(s, at) {
		a, end := attribute(s, at)
		if end < 0 {
			return 0, false
		}
		attr, at = append(attr, a), end
	}
	if at < len(s) && s[at] == '/' {
		at, kind = at+1, html.SelfClosingTagToken
	}
	if at >= len(s) || s[at] != '>' {
		return 0, false
	}
	t.name, t.attr, t.rest = name, attr, s[at+1:]
	return kind, true
}

// attribute reads the attribute at a place in s; end is -1 where it is not
// plain.
func attribute(s string, at int) (a html.Attribute, end int) {
	equals := nameEnd(s, at)
	if equals == at || equals+1 >= len(s) || s[equals] != '=' {
		return a, -1
	}
	from, to := equals+1, equals+1
	if quote := s[from]; quote == '"' || quote == '\'' {
		from++
		n := strings.IndexByte(s[from:], quote)
		if n < 0 {
			return a, -1
		}
		to, end = from+n, from+n+1
	} else {
		for to < len(s) && isBare(s[to]) {
			to++
		}
		if end = to; to == from || to == len(s) || s[to] != '>' && !isSpace(s[to]) {
			return a, -1
		}
	}
	value, plain := plainValue(s[from:to])
	if !plain {
		return a, -1
	}
	return html.Attribute{Key: lowered(s[at:equals]), Val: value}, end
}

// plainValue undoes the one entity that addresses are full of; a value with
// others, which mean something else here than in a text, is not plain.
func plainValue(s string) (string, bool) {
	if strings.ContainsAny(s, "\r\x00") {
		return "", false
	}
	and := strings.Count(s, "&")
	if and == 0 {
		return s, true
	}
	return strings.ReplaceAll(s, "&amp;", "&"), strings.Count(s, "&amp;") == and
}

// nameEnd is where the name of a tag or an attribute ends that begins at a place
// in s, as far as it is a plain one.
func nameEnd(s string, at int) int {
	for at < len(s) && (isLetter(s[at]) || '0' <= s[at] && s[at] <= '9' || s[at] == ':' || s[at] == '-' || s[at] == '_') {
		at++
	}
	return at
}

func spaceEnd(s string, at int) int {
	for at < len(s) && isSpace(s[at]) {
		at++
	}
	return at
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\f' || c == '\r' }

// isBare tells what a value without quotes may consist of here.
func isBare(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || strings.IndexByte("#%.,:;_+-", c) >= 0
}

// lowered is a name in lower case.
func lowered(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}
