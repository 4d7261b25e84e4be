package message

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Limits of RFC 5321 section 4.5.3.1, in octets.
const (
	maxLocal  = 64
	maxDomain = 255
	maxPath   = 254 // 256 with the angle brackets
)

// Address is one mailbox. Addr is local@domain with the domain in lower-case
// A-labels; ParseAddress makes it so.
type Address struct {
	Name, Addr string
}

// ParseAddress reads one address, bare or as Name <local@domain>. The domain
// becomes lower-case A-labels, the local part is kept as it is. It refuses
// control characters, quoted local parts, address literals and what is longer
// than RFC 5321 section 4.5.3.1 lets a server take.
func ParseAddress(s string) (Address, error) {
	s = strings.TrimSpace(s)
	name, addr := splitName(s)
	if !utf8.ValidString(s) || strings.ContainsFunc(s, isControl) {
		return Address{}, fmt.Errorf("address %.80q: it has control characters or broken UTF-8; write it as name@example.org", s)
	}
	addr, err := checkAddr(addr)
	if err != nil {
		return Address{}, fmt.Errorf("address %.80q: %w", s, err)
	}
	return Address{Name: name, Addr: addr}, nil
}

// Local returns the part before the @.
func (a Address) Local() string { return a.Addr[:max(strings.LastIndexByte(a.Addr, '@'), 0)] }

// Domain returns the part behind the @, in A-labels.
func (a Address) Domain() string { return a.Addr[strings.LastIndexByte(a.Addr, '@')+1:] }

// ASCII tells whether the address travels without SMTPUTF8 (RFC 6531).
func (a Address) ASCII() bool { return isASCII(a.Addr) }

// String returns the address for people and for configuration; ParseAddress
// of it gives the address back. It is not the form of a header field.
func (a Address) String() string {
	switch {
	case a.Name == "":
		return a.Addr
	case isAtoms(a.Name):
		return a.Name + " <" + a.Addr + ">"
	}
	return quote(a.Name) + " <" + a.Addr + ">"
}

// splitName parts Name <addr>; a quoted name loses its quotes.
func splitName(s string) (name, addr string) {
	open := strings.LastIndexByte(s, '<')
	if open < 0 || !strings.HasSuffix(s, ">") {
		return "", s
	}
	name, addr = strings.TrimSpace(s[:open]), strings.TrimSpace(s[open+1:len(s)-1])
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		name = unquote(name[1 : len(name)-1])
	}
	return name, addr
}

// checkAddr returns addr with its domain as A-labels.
func checkAddr(addr string) (string, error) {
	at := strings.LastIndexByte(addr, '@')
	if at < 0 {
		return "", errors.New("there is no @ in it; write it as name@example.org")
	}
	local := addr[:at]
	if err := checkLocal(local); err != nil {
		return "", err
	}
	domain, err := idna.Lookup.ToASCII(addr[at+1:])
	if err != nil || domain == "" || strings.HasSuffix(domain, ".") {
		return "", fmt.Errorf("%.80q is not the name of a mail domain; look for a typing error", addr[at+1:])
	}
	if len(domain) > maxDomain || len(local)+1+len(domain) > maxPath {
		return "", fmt.Errorf("it is longer than %d characters, which no server takes; look for a typing error", maxPath)
	}
	return local + "@" + domain, nil
}

// checkLocal takes a dot-atom (RFC 5322 section 3.2.3), with the letters of
// RFC 6531. Quoted local parts are legal but nobody has one; those seen in
// lists are typing errors.
func checkLocal(local string) error {
	if len(local) == 0 || len(local) > maxLocal {
		return fmt.Errorf("the part before the @ must have 1 to %d characters", maxLocal)
	}
	for _, r := range local {
		if r < utf8.RuneSelf && r != '.' && !isAtext(byte(r)) || r >= utf8.RuneSelf && !unicode.IsPrint(r) {
			return fmt.Errorf("%q cannot stand before the @; take it out", r)
		}
	}
	if local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return errors.New("its dots stand at an end or side by side before the @; take one out")
	}
	return nil
}

// isAtext is atext of RFC 5322 section 3.2.3.
func isAtext(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// isControl also names the line separators that some programs break lines at.
func isControl(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

// isAtoms tells whether s may stand unquoted as a phrase: atoms with single
// spaces between them.
func isAtoms(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != ' ' && !isAtext(c) {
			return false
		}
	}
	return s != "" && singleSpaced(s) && !strings.Contains(s, "=?")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isPrintable tells whether s has only the octets 32 to 126.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func singleSpaced(s string) bool {
	return !strings.HasPrefix(s, " ") && !strings.HasSuffix(s, " ") && !strings.Contains(s, "  ")
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func unquote(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(s)
}
