package trust

import (
	"errors"
	"fmt"
	"strings"
)

// AuthResult is one result of an Authentication-Results field (RFC 8601
// section 2.2).
type AuthResult struct {
	Method, Version string // lower case; Version is "" where none is written
	Result          string // lower case
	Reason          string
	Props           []AuthProp
}

// AuthProp is one property of a result, such as header.from=example.org.
type AuthProp struct{ Type, Name, Value string }

// Prop gives the value of the property "type.name" if it stands there exactly
// once; of two nobody knows which one is meant.
func (r AuthResult) Prop(key string) (string, bool) {
	value, n := "", 0
	for _, p := range r.Props {
		if p.Type+"."+p.Name == key {
			value = p.Value
			n++
		}
	}
	return value, n == 1
}

// ParseAuthResults reads the value of an Authentication-Results field, folded
// or not, by the grammar of RFC 8601 section 2.2: comments and quoted strings
// are what they are and hide no semicolon. A field that does not follow the
// grammar has no results at all, since whoever could bend it could write what
// he likes into it.
//
// QUIRK: a semicolon at the very end is let pass (many servers write it), and
// so are the octets :/=?[] in a bare value (header.b of Gmail, the IPv6
// addresses and URLs of Fastmail): none of them can end a value.
func ParseAuthResults(s string) (id string, results []AuthResult, err error) {
	p := &authParser{s: s}
	id, err = p.field(&results)
	if err != nil {
		return "", nil, fmt.Errorf("trust: Authentication-Results at octet %d: %w", p.i, err)
	}
	return id, results, nil
}

type authParser struct {
	s string
	i int
}

// field reads id, version and results.
func (p *authParser) field(results *[]AuthResult) (id string, err error) {
	if err := p.space(); err != nil {
		return "", err
	}
	if id, err = p.value(); err != nil {
		return "", err
	}
	if err := p.version(); err != nil {
		return "", err
	}
	for {
		if p.end() && len(*results) > 0 {
			return id, nil
		}
		if !p.take(';') {
			return "", errors.New("no semicolon where a result ends")
		}
		if err := p.space(); err != nil {
			return "", err
		}
		if p.end() && len(*results) > 0 {
			return id, nil // the semicolon at the end
		}
		none, err := p.result(results)
		if err != nil || none {
			return id, err
		}
	}
}

// version reads the optional version, of which only 1 is known.
func (p *authParser) version() error {
	if err := p.space(); err != nil {
		return err
	}
	start := p.i
	for !p.end() && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	if v := p.s[start:p.i]; v != "" && v != "1" {
		return errors.New("unknown version " + v)
	}
	return p.space()
}

// result reads one resinfo; none is true for the "none" that stands for no
// result and must be all there is.
func (p *authParser) result(results *[]AuthResult) (none bool, err error) {
	var r AuthResult
	if r.Method, err = p.keyword(); err != nil {
		return false, err
	}
	if r.Method == "none" && p.end() && len(*results) == 0 {
		return true, nil
	}
	if p.take('/') {
		if err := p.space(); err != nil {
			return false, err
		}
		if r.Version, err = p.digits(); err != nil {
			return false, err
		}
	}
	if err := p.equals(); err != nil {
		return false, err
	}
	if r.Result, err = p.keyword(); err != nil {
		return false, err
	}
	if err := p.props(&r); err != nil {
		return false, err
	}
	*results = append(*results, r)
	return false, nil
}

// props reads the reason and the properties up to the next semicolon.
func (p *authParser) props(r *AuthResult) error {
	for first := true; !p.end() && p.s[p.i] != ';'; first = false {
		word, err := p.keyword()
		if err != nil {
			return err
		}
		if word == "reason" && first {
			if err := p.equals(); err != nil {
				return err
			}
			if r.Reason, err = p.value(); err != nil {
				return err
			}
			if err := p.space(); err != nil {
				return err
			}
			continue
		}
		if err := p.prop(r, word); err != nil {
			return err
		}
	}
	return nil
}

// prop reads what follows a ptype: dot, name, equals sign, value.
func (p *authParser) prop(r *AuthResult, kind string) error {
	if !p.take('.') {
		return errors.New("property without a dot")
	}
	if err := p.space(); err != nil {
		return err
	}
	name, err := p.keyword()
	if err != nil {
		return err
	}
	if err := p.equals(); err != nil {
		return err
	}
	value, err := p.pvalue()
	if err != nil {
		return err
	}
	before := p.i
	if err := p.space(); err != nil {
		return err
	}
	if !p.end() && p.s[p.i] != ';' && p.i == before {
		return errors.New("text sticks to a value")
	}
	r.Props = append(r.Props, AuthProp{Type: kind, Name: name, Value: value})
	return nil
}

// pvalue is a value or an address: the local part may be a quoted string.
func (p *authParser) pvalue() (string, error) {
	if p.i < len(p.s) && p.s[p.i] == '"' {
		local, err := p.quoted()
		if err != nil || !p.take('@') {
			return local, err
		}
		domain, err := p.run(isHostByte)
		return local + "@" + domain, err
	}
	if p.take('@') {
		domain, err := p.run(isHostByte)
		return "@" + domain, err
	}
	local, err := p.run(isAtomByte)
	if err != nil {
		return "", err
	}
	if p.take('@') {
		if !dotAtom(local) {
			return "", errors.New("local part is no dot-atom")
		}
		domain, err := p.run(isHostByte)
		return local + "@" + domain, err
	}
	for i := 0; i < len(local); i++ {
		if !isTokenByte(local[i]) && strings.IndexByte(":/=?[]", local[i]) < 0 {
			return "", fmt.Errorf("%q in a bare value", local[i])
		}
	}
	return local, nil
}

// value is a token or a quoted string (RFC 2045 section 5.1).
func (p *authParser) value() (string, error) {
	if p.i < len(p.s) && p.s[p.i] == '"' {
		return p.quoted()
	}
	return p.run(isTokenByte)
}

// quoted reads a quoted string with its quoted pairs.
func (p *authParser) quoted() (string, error) {
	var b strings.Builder
	for p.i++; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return b.String(), nil
		case c == '\\' && p.i+1 < len(p.s):
			p.i++
			if !textByte(p.s[p.i]) {
				return "", errors.New("control character in a quoted string")
			}
			b.WriteByte(p.s[p.i])
		case textByte(c):
			b.WriteByte(c)
		case p.fold():
			p.i++ // the CR is stepped over here, the LF by the loop
		default:
			return "", errors.New("control character in a quoted string")
		}
	}
	return "", errors.New("open quoted string")
}

// keyword is Ldh-str of RFC 5321, lower-cased, with the space behind it.
func (p *authParser) keyword() (string, error) {
	word, err := p.run(func(c byte) bool { return isLetterDigit(c) || c == '-' || c == '_' })
	if err != nil {
		return "", errors.New("no word where one must be")
	}
	if c := word[len(word)-1]; !isLetterDigit(c) {
		return "", errors.New("word ends in " + string(c))
	}
	return asciiLower(word), p.space()
}

func (p *authParser) digits() (string, error) {
	d, err := p.run(func(c byte) bool { return c >= '0' && c <= '9' })
	if err != nil {
		return "", err
	}
	return d, p.space()
}

func (p *authParser) equals() error {
	if !p.take('=') {
		return errors.New("no equals sign")
	}
	return p.space()
}

// run takes one or more octets of a kind.
func (p *authParser) run(is func(byte) bool) (string, error) {
	start := p.i
	for p.i < len(p.s) && is(p.s[p.i]) {
		p.i++
	}
	if p.i == start {
		return "", errors.New("no value")
	}
	return p.s[start:p.i], nil
}

func (p *authParser) end() bool { return p.i >= len(p.s) }

func (p *authParser) take(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

// space skips CFWS: spaces, folds and nested comments.
func (p *authParser) space() error {
	depth := 0
	for ; p.i < len(p.s); p.i++ {
		c := p.s[p.i]
		switch {
		case c == ' ' || c == '\t':
		case p.fold():
			p.i++
		case c == '(':
			depth++
		case depth == 0:
			return nil
		case c == ')':
			depth--
		case c == '\\' && p.i+1 < len(p.s) && textByte(p.s[p.i+1]):
			p.i++
		case c == '\\' || !textByte(c):
			return errors.New("control character in a comment")
		}
	}
	if depth > 0 {
		return errors.New("open comment")
	}
	return nil
}

// fold says whether a CRLF with white space behind it stands here.
func (p *authParser) fold() bool {
	rest := p.s[p.i:]
	return len(rest) > 2 && rest[0] == '\r' && rest[1] == '\n' && (rest[2] == ' ' || rest[2] == '\t')
}

// textByte is any octet but a control character; UTF-8 is RFC 8601's since
// RFC 6532.
func textByte(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }

func isHostByte(c byte) bool { return isLetterDigit(c) || c == '-' || c == '.' || c == '_' }
func isTokenByte(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte("()<>@,;:\\\"/[]?=", c) < 0
}
func isAtomByte(c byte) bool { return c > ' ' && c < 0x7f && strings.IndexByte("()<>@,;\\\"", c) < 0 }
