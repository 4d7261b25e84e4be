package list

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Limits of RFC 5321 section 4.5.3.1, in octets: of the local part, and of
// the path without its angle brackets. A DNS name is shorter than its limit.
const (
	maxLocal  = 64
	maxPath   = 254
	maxDomain = 253
	maxLabel  = 63
)

// Address is an address that mail can be sent to: a local part as a dot-atom
// and a domain as lower-case A-labels. Only ParseAddress and the books make
// one, so a raw string never reaches SMTP. The zero Address is nobody's.
type Address struct{ s string }

// ParseAddress reads one bare address. Space around it goes, the domain
// becomes lower-case A-labels, and the local part keeps its spelling (RFC 5321
// section 2.4 leaves it to the receiver). It refuses, in a sentence that names
// the fault, what cannot be mailed: control characters, quoted local parts,
// domains of one label, and whatever exceeds the lengths of RFC 5321.
func ParseAddress(s string) (Address, error) {
	s = strings.TrimFunc(s, blank)
	if s == "" {
		return Address{}, wrong("no-address")
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return Address{}, wrong("no-at", s)
	}
	local, err := checkLocal(s[:at])
	if err != nil {
		return Address{}, wrong("address", s, err)
	}
	domain, err := Domain(s[at+1:])
	if err != nil {
		return Address{}, wrong("address", s, err)
	}
	if len(local)+1+len(domain) > maxPath {
		return Address{}, wrong("address", s, wrong("too-long", maxPath))
	}
	if domain == s[at+1:] {
		return Address{s}, nil
	}
	return Address{local + "@" + domain}, nil
}

// blank tells what stands around a pasted address and is no part of it.
func blank(r rune) bool {
	return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff'
}

// checkLocal accepts the dot-atom of RFC 5322 section 3.2.3 with the UTF-8 of
// RFC 6531. Quoted local parts are legal, yet no mailbox that reads newsletters has one.
func checkLocal(s string) (string, error) {
	switch {
	case s == "":
		return "", wrong("no-local")
	case len(s) > maxLocal:
		return "", wrong("local-long", maxLocal)
	case !utf8.ValidString(s):
		return "", wrong("local-coding")
	case s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, ".."):
		return "", wrong("local-dots")
	}
	for _, r := range s {
		if !atext(r) {
			return "", wrong("local-sign", string(r))
		}
	}
	return s, nil
}

func atext(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return true
	case r < utf8.RuneSelf:
		return strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r)
	}
	return unicode.IsGraphic(r) && !unicode.IsSpace(r)
}

// Domain turns the name of a mail domain into lower-case A-labels (RFC 5890)
// and refuses what cannot be one.
func Domain(s string) (string, error) {
	s = strings.TrimSuffix(s, ".")
	if !plainDomain(s) {
		a, err := idna.Lookup.ToASCII(s)
		if err != nil || !utf8.ValidString(s) {
			return "", wrong("domain", s)
		}
		s = a
	}
	s = strings.ToLower(s)
	if len(s) > maxDomain || !strings.Contains(s, ".") {
		return "", wrong("domain-long", s, maxDomain)
	}
	for label := range strings.SplitSeq(s, ".") {
		if !goodLabel(label) {
			return "", wrong("label", s, label)
		}
	}
	return s, nil
}

// plainDomain tells that there is nothing in s to translate, which holds for
// nearly all and spares them the tables of IDNA. A-labels are not plain: they
// must be well formed.
func plainDomain(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return !strings.Contains(strings.ToLower(s), "xn--")
}

func goodLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// String is the address as it is sent to.
func (a Address) String() string { return a.s }

// IsZero tells that this is no address.
func (a Address) IsZero() bool { return a.s == "" }

// Key is what makes two spellings one person: the address in lower case, the
// local part too. A server may tell Ada@ from ada@, but RFC 5321 section 2.4
// discourages it and none is known that does; people spell their own address
// both ways, and two rows would mean two copies.
func (a Address) Key() string { return strings.ToLower(a.s) }

// Local is the part before the @.
func (a Address) Local() string { return a.s[:max(0, strings.LastIndexByte(a.s, '@'))] }

// Domain is the part behind the @, in lower-case A-labels.
func (a Address) Domain() string { return a.s[strings.LastIndexByte(a.s, '@')+1:] }

// Masked shows enough of the address for its owner to know it, and too little
// for anybody else: the first letter of the local part and the domain's.
func (a Address) Masked() string {
	if a.IsZero() {
		return ""
	}
	first, _ := utf8.DecodeRuneInString(a.s)
	domain := a.Domain()
	dot := strings.LastIndexByte(domain, '.')
	return string(first) + "…@" + domain[:1] + "…" + domain[dot:]
}

// MarshalText writes the address.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.s), nil }

// UnmarshalText reads an address as ParseAddress does.
func (a *Address) UnmarshalText(text []byte) error {
	got, err := ParseAddress(string(text))
	if err == nil {
		*a = got
	}
	return err
}

// Scan takes an address out of the books, where only ParseAddress's are.
func (a *Address) Scan(v any) error {
	switch s := v.(type) {
	case string:
		a.s = s
	case []byte:
		a.s = string(s)
	default:
		return fmt.Errorf("address: the books hold a %T", v)
	}
	return nil
}
