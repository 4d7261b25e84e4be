package mime

import (
	"regexp"
	"strings"
)

// Address is one mailbox as it is shown. It proves nothing about the sender.
type Address struct{ Name, Addr string }

// String gives the bare address when there is no name.
func (a Address) String() string {
	if a.Name == "" {
		return a.Addr
	}
	return a.Name + " <" + a.Addr + ">"
}

const (
	maxAddresses = 1000     // of one field
	maxField     = 64 << 10 // octets of one field that are looked at
	maxWord      = 400      // octets of one encoded word; RFC 2047 section 2 allows 75
	maxTorn      = 20       // comments and quoted strings without an end, before no end is looked for
)

// Addresses reads the first field of that name that holds any address; groups
// are flattened (RFC 5322 section 3.4).
func (h Header) Addresses(name string) []Address {
	for _, v := range append([]string{h.first(name)}, h.Raw(name)...) {
		if all := ParseAddresses(v); len(all) > 0 {
			return all
		}
	}
	return nil
}

// ParseAddresses reads a list of addresses as loosely as mail is written:
// semicolons for commas, missing angle brackets, comments, routes, groups.
// What holds no address is left out.
func ParseAddresses(raw string) []Address {
	var all []Address
	s := addressScanner{rest: raw[:min(len(raw), maxField)]}
	for len(s.rest) > 0 && len(all) < maxAddresses {
		if a, ok := s.entry(); ok {
			all = append(all, a)
		}
	}
	return all
}

// addressScanner cuts entries off rest. For each it gathers the words outside
// brackets, the text inside them, and the comments.
type addressScanner struct {
	rest     string
	words    []addressWord
	angle    string
	hasAngle bool
	comments []string
	hasAt    bool // one of the words has an "@"
	torn     int  // comments and quoted strings that never ended
}

type addressWord struct {
	text   string
	quoted bool
	glued  bool // no white space stood before it
}

func (s *addressScanner) entry() (Address, bool) {
	s.words, s.angle, s.hasAngle, s.comments, s.hasAt = nil, "", false, nil, false
	glued := false
	for len(s.rest) > 0 {
		c := s.rest[0]
		switch {
		case c == ',' || c == ';':
			s.rest = s.rest[1:]
			return s.address()
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			s.rest = s.rest[1:]
			glued = false
			continue
		case c == '"':
			s.word(addressWord{s.quoted(), true, glued})
		case c == '(':
			s.comments = append(s.comments, s.comment())
			continue
		case c == '<':
			s.bracket()
		case c == ':' && !s.hasAngle && !s.hasAt:
			s.rest = s.rest[1:]
			s.words, s.comments = nil, nil // the name of a group
		default:
			s.word(addressWord{s.atom(), false, glued})
		}
		glued = true
	}
	return s.address()
}

func (s *addressScanner) word(w addressWord) {
	if w.text != "" || w.quoted {
		s.words = append(s.words, w)
		s.hasAt = s.hasAt || !w.quoted && strings.Contains(w.text, "@")
	}
}

// atom takes an encoded word whole, since it may hold any separator, or
// everything up to the next special character.
func (s *addressScanner) atom() string {
	if strings.HasPrefix(s.rest, "=?") {
		if at := encodedWord.FindStringIndex(s.rest[:min(len(s.rest), maxWord)]); at != nil && at[0] == 0 {
			w := s.rest[:at[1]]
			s.rest = s.rest[at[1]:]
			return w
		}
	}
	i := strings.IndexAny(s.rest[1:], " \t\r\n,;:<(\"")
	if i < 0 {
		i = len(s.rest) - 1
	}
	w := s.rest[:i+1]
	s.rest = s.rest[i+1:]
	return w
}

// quoted takes a quoted string (RFC 5322 section 3.2.4); one that never ends
// is taken for a stray quotation mark.
func (s *addressScanner) quoted() string {
	var b strings.Builder
	for i := 1; i < len(s.rest) && s.torn < maxTorn; i++ {
		switch c := s.rest[i]; {
		case c == '\\' && i+1 < len(s.rest):
			i++
			b.WriteByte(s.rest[i])
		case c == '"':
			s.rest = s.rest[i+1:]
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
	s.rest = s.rest[1:]
	s.torn++
	return ""
}

// comment takes a comment with those inside it (RFC 5322 section 3.2.2).
func (s *addressScanner) comment() string {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(s.rest) && s.torn < maxTorn; i++ {
		c := s.rest[i]
		switch {
		case c == '\\' && i+1 < len(s.rest):
			i++
			b.WriteByte(s.rest[i])
			continue
		case c == '(':
			if depth++; depth == 1 {
				continue
			}
		case c == ')':
			if depth--; depth == 0 {
				s.rest = s.rest[i+1:]
				return b.String()
			}
		}
		b.WriteByte(c)
	}
	s.rest = s.rest[1:]
	s.torn++
	return ""
}

// bracket takes <address>. Doubled brackets are a common fault.
func (s *addressScanner) bracket() {
	inner := strings.TrimLeft(s.rest, "<")
	end := strings.IndexByte(inner, '>')
	if end < 0 {
		end = len(inner)
		if i := strings.IndexAny(inner, ",; "); i >= 0 {
			end = i
		}
	}
	text := inner[:end]
	s.rest = strings.TrimLeft(inner[end:], ">")
	if !s.hasAngle {
		s.angle, s.hasAngle = text, true
	}
}

var addressInText = regexp.MustCompile(`[^\s<>"(),;:\[\]]+@[^\s<>"(),;:]+`)

// address puts the gathered pieces together.
func (s *addressScanner) address() (Address, bool) {
	a, ok := s.assembled()
	a.Addr = decodeRaw(a.Addr)
	return a, ok
}

func (s *addressScanner) assembled() (Address, bool) {
	if s.hasAngle {
		addr, inner := bareAddress(s.angle)
		s.comments = append(s.comments, inner...)
		if addr == "" {
			return s.withoutAngle()
		}
		return Address{s.name(s.words), addr}, true
	}
	return s.withoutAngle()
}

// withoutAngle reads "a@b", "a@b (Name)" and "Name a@b".
func (s *addressScanner) withoutAngle() (Address, bool) {
	joined := joinGlued(s.words)
	for i, w := range joined {
		if w.quoted || !strings.Contains(w.text, "@") {
			continue
		}
		if strings.HasPrefix(w.text, "=?") {
			return addressInWord(w.text)
		}
		addr := w.text
		rest := append(append([]addressWord{}, joined[:i]...), joined[i+1:]...)
		if spaced := spacedAddress(s.words); spaced != "" {
			addr, rest = spaced, nil
		}
		addr = strings.Trim(addr, "<>'\"[]")
		if strings.HasPrefix(addr, "@") || strings.HasSuffix(addr, "@") {
			continue
		}
		return Address{s.name(rest), addr}, true
	}
	for _, w := range joined {
		if at := addressInText.FindString(w.text); w.quoted && at != "" {
			return Address{"", at}, true
		}
	}
	return Address{}, false
}

// addressInWord reads an address that was encoded as a whole, which RFC 2047
// section 5 forbids and some programs do.
func addressInWord(text string) (Address, bool) {
	plain := DecodeWords(text)
	at := addressInText.FindStringIndex(plain)
	if at == nil {
		return Address{}, false
	}
	return Address{strings.Trim(plain[:at[0]], " \"'<"), plain[at[0]:at[1]]}, true
}

// joinGlued joins words that touched, as in a."b"@c.
func joinGlued(words []addressWord) []addressWord {
	var out []addressWord
	for _, w := range words {
		if n := len(out); w.glued && n > 0 && (strings.HasPrefix(w.text, "@") || strings.HasSuffix(out[n-1].text, ".") ||
			strings.HasSuffix(out[n-1].text, "@")) {
			left := out[n-1]
			if left.quoted {
				left.text = `"` + left.text + `"`
			}
			out[n-1] = addressWord{text: left.text + w.text, glued: left.glued}
			continue
		}
		out = append(out, w)
	}
	return out
}

// spacedAddress reads "a @ b . c" (RFC 5322 section 4.4).
func spacedAddress(words []addressWord) string {
	var b strings.Builder
	loose := false
	for i, w := range words {
		if w.quoted {
			return ""
		}
		if i > 0 && !w.glued {
			left := words[i-1].text
			if !strings.HasSuffix(left, "@") && !strings.HasPrefix(w.text, "@") && !strings.HasSuffix(left, ".") && !strings.HasPrefix(w.text, ".") {
				return ""
			}
			loose = true
		}
		b.WriteString(w.text)
	}
	if !loose {
		return ""
	}
	return b.String()
}

// bareAddress cleans what stood in brackets: comments out, route off
// (RFC 5322 section 4.4), spaces out unless the local part is quoted.
func bareAddress(s string) (addr string, comments []string) {
	var b strings.Builder
	in := addressScanner{rest: s}
	for len(in.rest) > 0 {
		switch in.rest[0] {
		case '(':
			comments = append(comments, in.comment())
		case '"':
			before := in.rest
			in.quoted()
			b.WriteString(before[:len(before)-len(in.rest)])
		default:
			b.WriteByte(in.rest[0])
			in.rest = in.rest[1:]
		}
	}
	s = strings.TrimSpace(b.String())
	if strings.HasPrefix(s, "@") {
		s = s[strings.LastIndexByte(s, ':')+1:]
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "mailto:"), "MAILTO:")
	if strings.HasPrefix(s, "=?") {
		s = DecodeWords(s)
	}
	if !strings.Contains(s, `"`) {
		s = strings.Join(strings.Fields(s), "")
	}
	return s, comments
}

// name joins the words of a display name; without any the comment counts.
func (s *addressScanner) name(words []addressWord) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 && !(w.glued && !w.quoted && !strings.HasPrefix(w.text, "=?")) {
			b.WriteByte(' ')
		}
		b.WriteString(w.text)
	}
	text := b.String()
	if strings.TrimSpace(text) == "" {
		text = strings.Join(s.comments, " ")
	}
	return strings.Trim(DecodeWords(text), ` "`)
}

var (
	angledID = regexp.MustCompile(`<[^<>]{1,995}>`)
	bareID   = regexp.MustCompile(`[^\s<>,;"()]+@[^\s<>,;"()]+`)
)

// IDs finds all message identifiers in a field, with angle brackets; what a
// program forgot of them is put right (RFC 5322 section 3.6.4).
func IDs(value string) []string {
	var all []string
	for _, id := range angledID.FindAllString(value, 500) {
		if id = strings.Join(strings.Fields(id), ""); len(id) > 2 {
			all = append(all, decodeRaw(id))
		}
	}
	if all != nil {
		return all
	}
	for _, id := range bareID.FindAllString(value, 500) {
		all = append(all, "<"+decodeRaw(id)+">")
	}
	return all
}

// FirstID gives the first identifier in a field, "" when there is none.
func FirstID(value string) string {
	if all := IDs(value); len(all) > 0 {
		return all[0]
	}
	if w := strings.Fields(cleanLine(decodeRaw(value))); len(w) == 1 && len(w[0]) <= 995 {
		return "<" + strings.Trim(w[0], "<>") + ">"
	}
	return ""
}
