package trust

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// StrictFrom reads the From field on raw octets and is content only where
// every parser must read the same one mailbox: exactly one field named From,
// the name written plainly, one address without group, route, comment or
// quoted local part, no NUL and no bare CR, Sender absent or equal, no
// Resent fields (trust.md 2.6 F). The address comes back as local@domain
// with the domain as lower-case A-labels; name is the display name, decoded.
// The error says what is doubtful.
func StrictFrom(raw []byte) (addr, name string, err error) {
	h := readHeader(crlf(head(raw)))
	return h.strictFrom()
}

// head is a mail up to its first blank line or a little further, which spares
// looking at all of a long one.
func head(raw []byte) []byte {
	if i := bytes.Index(raw, []byte("\n\r\n")); i >= 0 {
		raw = raw[:i+3]
	}
	if i := bytes.Index(raw, []byte("\n\n")); i >= 0 {
		raw = raw[:i+2]
	}
	return raw
}

func (h *header) strictFrom() (addr, name string, err error) {
	if h.fault != "" {
		return "", "", errors.New("trust: " + h.fault)
	}
	if bad := h.badName(); bad != "" {
		return "", "", fmt.Errorf("trust: field name %q is not plain", bad)
	}
	if n := h.count("From"); n != 1 {
		return "", "", fmt.Errorf("trust: %d From fields", n)
	}
	for _, f := range h.fields {
		if len(f.name) >= 7 && strings.EqualFold(f.name[:7], "Resent-") {
			return "", "", fmt.Errorf("trust: %s: the mail was sent again by somebody", f.name)
		}
	}
	addr, name, err = strictMailbox(h.all("From")[0].value())
	if err != nil {
		return "", "", fmt.Errorf("trust: From: %w", err)
	}
	if err := h.checkSender(addr); err != nil {
		return "", "", err
	}
	return addr, name, nil
}

// checkSender refuses a Sender that is not the author (RFC 5322 section
// 3.6.2): somebody else put the mail into the post.
func (h *header) checkSender(from string) error {
	senders := h.all("Sender")
	if len(senders) == 0 {
		return nil
	}
	if len(senders) > 1 {
		return errors.New("trust: more than one Sender field")
	}
	addr, _, err := strictMailbox(senders[0].value())
	if err != nil {
		return fmt.Errorf("trust: Sender: %w", err)
	}
	if addr != from {
		return fmt.Errorf("trust: Sender %s is not From %s", addr, from)
	}
	return nil
}

// strictMailbox reads "Name <local@domain>" or "local@domain" and nothing
// else, and demands that net/mail reads the same address.
func strictMailbox(v string) (addr, name string, err error) {
	if err := plainText(v); err != nil {
		return "", "", err
	}
	display, spec, err := splitMailbox(v)
	if err != nil {
		return "", "", err
	}
	addr, err = strictAddress(spec)
	if err != nil {
		return "", "", err
	}
	if err := agrees(v, spec); err != nil {
		return "", "", err
	}
	return addr, decodeWords(display), nil
}

// plainText refuses control characters and octets that are not UTF-8.
func plainText(v string) error {
	if !utf8.ValidString(v) {
		return errors.New("octets that are no text")
	}
	for _, r := range v {
		if r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return fmt.Errorf("control character %q", r)
		}
	}
	return nil
}

// splitMailbox separates the display name from the address. What could be
// read as a second address, a group, a route or a comment is refused.
func splitMailbox(v string) (display, spec string, err error) {
	open := -1
	quoted := false
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<' && open < 0:
			open = i
		case strings.IndexByte("<(),;:[]\\", c) >= 0:
			return "", "", fmt.Errorf("%q outside quotation marks", c)
		case c == '>' && (open < 0 || strings.TrimSpace(v[i+1:]) != ""):
			return "", "", errors.New("text behind the address")
		}
	}
	if quoted {
		return "", "", errors.New("open quotation mark")
	}
	if open < 0 {
		return "", strings.TrimSpace(v), nil
	}
	if !strings.HasSuffix(v, ">") {
		return "", "", errors.New("open angle bracket")
	}
	return strings.TrimSpace(v[:open]), v[open+1 : len(v)-1], nil
}

// strictAddress checks one local@domain: a dot-atom that hides no encoded
// word, and a host name, which comes back as lower-case A-labels.
func strictAddress(spec string) (string, error) {
	local, domain, found := strings.Cut(spec, "@")
	if !found || strings.Contains(domain, "@") {
		return "", errors.New("not one address")
	}
	if !dotAtom(local) || strings.Contains(local, "=?") || len(local) > 64 {
		return "", fmt.Errorf("local part %q is not plain", local)
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || !hostName(strings.ToLower(ascii)) {
		return "", fmt.Errorf("domain %q is no host name", domain)
	}
	if shown, err := idna.Lookup.ToUnicode(ascii); !isASCII(domain) && (err != nil || shown != strings.ToLower(domain)) {
		// Wide letters, soft hyphens and marks without width are mapped away,
		// so the eye sees another name than the one that was looked up.
		return "", fmt.Errorf("domain %q is written in letters that stand for others", domain)
	}
	return local + "@" + strings.ToLower(ascii), nil
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// dotAtom is RFC 5322 section 3.2.3, with the letters of RFC 6532.
func dotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f || strings.IndexByte("()<>[]:;@\\,\"", s[i]) >= 0 {
			return false
		}
	}
	return true
}

// hostName is a name of two labels or more in letters, digits and hyphens.
func hostName(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 || len(s) > 253 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for i := 0; i < len(l); i++ {
			if !isLetterDigit(l[i]) && l[i] != '-' {
				return false
			}
		}
	}
	return true
}

// isLetterDigit is Let-dig of RFC 5321.
func isLetterDigit(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// agrees demands that net/mail sees exactly the address we saw: where two
// readers differ, an attacker chooses which one is shown.
func agrees(v, spec string) error {
	list, err := mail.ParseAddressList(v)
	if err != nil {
		return errors.New("other readers cannot parse it")
	}
	if len(list) != 1 || list[0].Address != strings.TrimSpace(spec) {
		return errors.New("other readers see another address")
	}
	return nil
}

// decodeWords gives a display name for people: encoded words decoded, outer
// quotation marks off. A name that cannot be decoded stays as it is.
func decodeWords(s string) string {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		s = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s[1 : len(s)-1])
	}
	var d mime.WordDecoder
	out, err := d.DecodeHeader(s)
	if err != nil || plainText(out) != nil { // CR, LF and NUL can be encoded too
		return s
	}
	return out
}

// sameAddress compares two addresses; the local part without regard to ASCII
// case, since no provider gives Ada@ and ada@ to two people. Unicode folding
// is not used: it makes different letters equal.
func sameAddress(a, b string) bool { return asciiLower(a) == asciiLower(b) }

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
