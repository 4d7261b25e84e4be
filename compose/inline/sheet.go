package inline

import (
	"strings"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/css"
)

// token is one piece of a style sheet; data is exactly what the sheet has at that
// place.
type token struct {
	kind css.TokenType
	at   int
	data string
}

// declaration is one "name: value" of a rule or of a style attribute.
type declaration struct {
	name, value string
	important   bool
}

// piece is one statement of a sheet, in the sheet's order: a style rule, or
// bytes that are kept as they stand (an at-rule).
type piece struct {
	raw   string // the whole statement
	block string // of a rule: from "{" to "}"
	// selectors are empty for a piece that is only kept.
	selectors []source
	stay      []string // those selectors that cannot be inlined
	body      []token  // inside the block
	nested    bool     // the block holds rules of its own (CSS Nesting)
}

// tokens cuts a sheet up. The sum of all data is the sheet. The data are parts of
// the sheet's own string: a sheet of 2,400 rules has 30,000 tokens.
func tokens(sheet string) []token {
	lexer := css.NewLexer(parse.NewInputString(sheet))
	all := make([]token, 0, len(sheet)/3+4)
	at := 0
	for {
		kind, data := lexer.Next()
		if kind == css.ErrorToken {
			break
		}
		end := at + len(data)
		all = append(all, token{kind, at, sheet[at:end]})
		at = end
	}
	if at < len(sheet) {
		all = append(all, token{css.DelimToken, at, sheet[at:]})
	}
	return all
}

// span is the text of consecutive tokens of a sheet.
func span(sheet string, all []token) string {
	if len(all) == 0 {
		return ""
	}
	last := all[len(all)-1]
	return sheet[all[0].at : last.at+len(last.data)]
}

// pieces reads a sheet as CSS Syntax level 3 section 5.4.1 does, with one
// kindness: a stray "}" between two rules is passed over. (Browsers make it part
// of the next rule's selector and lose that rule.)
func pieces(sheet string) []piece {
	all := tokens(sheet)
	out := make([]piece, 0, strings.Count(sheet, "}"))
	for i := 0; i < len(all); {
		switch all[i].kind {
		case css.WhitespaceToken, css.CommentToken, css.CDOToken, css.CDCToken, css.RightBraceToken:
			i++
		case css.AtKeywordToken:
			end := statementEnd(all, i)
			out = append(out, piece{raw: span(sheet, all[i:end])})
			i = end
		default:
			end := ruleEnd(all, i)
			if p, ok := readRule(sheet, all[i:end]); ok {
				out = append(out, p)
			}
			i = end
		}
	}
	return out
}

// statementEnd finds the end of an at-rule: its semicolon or its block.
func statementEnd(all []token, i int) int {
	depth := 0
	for ; i < len(all); i++ {
		switch all[i].kind {
		case css.LeftBraceToken:
			return blockEnd(all, i)
		case css.SemicolonToken:
			if depth <= 0 {
				return i + 1
			}
		default:
			depth += nesting(all[i].kind)
		}
	}
	return len(all)
}

// ruleEnd finds the end of a style rule: that of its first block.
func ruleEnd(all []token, i int) int {
	for ; i < len(all); i++ {
		if all[i].kind == css.LeftBraceToken {
			return blockEnd(all, i)
		}
	}
	return len(all)
}

// blockEnd takes the place of a "{" and returns the place behind its "}".
func blockEnd(all []token, i int) int {
	depth := 0
	for ; i < len(all); i++ {
		switch all[i].kind {
		case css.LeftBraceToken:
			depth++
		case css.RightBraceToken:
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(all)
}

func nesting(kind css.TokenType) int {
	switch kind {
	case css.LeftParenthesisToken, css.LeftBracketToken, css.FunctionToken:
		return 1
	case css.RightParenthesisToken, css.RightBracketToken:
		return -1
	}
	return 0
}

// readRule reads one style rule. A rule without a block says nothing and is
// left out.
func readRule(sheet string, all []token) (piece, bool) {
	open := 0
	for open < len(all) && all[open].kind != css.LeftBraceToken {
		open++
	}
	if open == len(all) {
		return piece{}, false
	}
	p := piece{raw: span(sheet, all), block: span(sheet, all[open:])}
	parts := split(all[:open], css.CommaToken)
	p.selectors = make([]source, len(parts))
	for i, part := range parts {
		p.selectors[i] = newSource(part)
	}
	p.body = all[open+1:]
	if n := len(p.body); n > 0 && p.body[n-1].kind == css.RightBraceToken {
		p.body = p.body[:n-1]
	}
	p.nested = hasRules(p.body)
	return p, true
}

// hasRules tells whether a "{" stands in a block outside of custom properties.
func hasRules(all []token) bool {
	start := 0
	for i, t := range all {
		switch t.kind {
		case css.SemicolonToken:
			start = i + 1
		case css.LeftBraceToken:
			if !isCustom(all[start:i]) {
				return true
			}
		}
	}
	return false
}

// declarations reads the inside of a block or a style attribute. What is no
// declaration is passed over up to the next semicolon, and so are nested rules.
func declarations(all []token) []declaration {
	var list []declaration
	start := 0
	for i := 0; i < len(all); i++ {
		switch all[i].kind {
		case css.SemicolonToken:
			list = appendDeclaration(list, all[start:i])
			start = i + 1
		case css.LeftBraceToken:
			end := blockEnd(all, i)
			if isCustom(all[start:i]) {
				i = end - 1
				continue
			}
			i, start = end-1, end
		case css.FunctionToken, css.LeftParenthesisToken, css.LeftBracketToken:
			i = groupEnd(all, i) - 1
		}
	}
	return appendDeclaration(list, all[start:])
}

func isCustom(all []token) bool {
	all = trim(all)
	return len(all) > 0 && all[0].kind == css.CustomPropertyNameToken
}

// groupEnd takes the place of an opening bracket or function and returns the
// place behind its end.
func groupEnd(all []token, i int) int {
	depth := 0
	for ; i < len(all); i++ {
		depth += nesting(all[i].kind)
		if depth == 0 {
			return i + 1
		}
	}
	return len(all)
}

func appendDeclaration(list []declaration, all []token) []declaration {
	all = trim(all)
	if len(all) < 2 || (all[0].kind != css.IdentToken && all[0].kind != css.CustomPropertyNameToken) {
		return list
	}
	name, rest := all[0], trim(all[1:])
	if len(rest) == 0 || rest[0].kind != css.ColonToken {
		return list
	}
	value, important := cutImportant(trim(rest[1:]))
	d := declaration{name: name.data, value: text(value), important: important}
	if name.kind == css.IdentToken {
		d.name = strings.ToLower(d.name)
		if d.value == "" {
			return list
		}
	}
	return append(list, d)
}

// cutImportant takes "!important" off the end of a value; white space may stand
// between its halves and its case does not matter (CSS Cascade section 6.4.4).
func cutImportant(all []token) ([]token, bool) {
	n := len(all)
	if n == 0 || all[n-1].kind != css.IdentToken || !strings.EqualFold(all[n-1].data, "important") {
		return all, false
	}
	rest := trim(all[:n-1])
	if m := len(rest); m > 0 && rest[m-1].data == "!" {
		return trim(rest[:m-1]), true
	}
	return all, false
}

func trim(all []token) []token {
	for len(all) > 0 && isSpace(all[0].kind) {
		all = all[1:]
	}
	for len(all) > 0 && isSpace(all[len(all)-1].kind) {
		all = all[:len(all)-1]
	}
	return all
}

func isSpace(kind css.TokenType) bool {
	return kind == css.WhitespaceToken || kind == css.CommentToken
}

// split cuts at every separator outside brackets and strings.
func split(all []token, at css.TokenType) [][]token {
	out := make([][]token, 0, 1)
	depth, start := 0, 0
	for i, t := range all {
		depth += nesting(t.kind)
		if t.kind == at && depth == 0 {
			out = append(out, all[start:i])
			start = i + 1
		}
	}
	return append(out, all[start:])
}

func join(all []token) string {
	var b strings.Builder
	for _, t := range all {
		b.WriteString(t.data)
	}
	return b.String()
}

// text writes tokens on one line: without comments, runs of space as one.
func text(all []token) string {
	all = trim(all)
	if len(all) == 1 {
		return all[0].data
	}
	var b strings.Builder
	for _, t := range all {
		switch t.kind {
		case css.CommentToken:
		case css.WhitespaceToken:
			b.WriteByte(' ')
		default:
			b.WriteString(t.data)
		}
	}
	return b.String()
}
