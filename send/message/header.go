package message

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// lineWidth is where header lines fold: RFC 2047 section 2 allows 76 for
	// a line with encoded-words, RFC 5322 section 2.1.1 recommends 78.
	lineWidth = 76
	// maxToken bounds what cannot be folded, far below the 998 octets of RFC
	// 5322 section 2.1.1; some servers cut at 990.
	maxToken = 900
	// dateForm is the date-time of RFC 5322 section 3.3.
	dateForm = "Mon, 02 Jan 2006 15:04:05 -0700"
)

// header writes header fields. It is the only way into a header: it folds,
// encodes and refuses, and remembers the first refusal in err.
type header struct {
	buf  []byte
	col  int  // octets on the current line
	bare bool // nothing but the name of the field is written yet
	err  error
}

// fail keeps the first refusal.
func (h *header) fail(name, why string) {
	if h.err == nil {
		h.err = fmt.Errorf("header field %s: %s", name, why)
	}
}

func (h *header) begin(name string) {
	h.buf = append(h.buf, name...)
	h.buf = append(h.buf, ':')
	h.col = len(name) + 1
	h.bare = true
}

func (h *header) end() { h.buf = append(h.buf, '\r', '\n') }

// fold begins a new line of the same field.
func (h *header) fold() {
	h.buf = append(h.buf, '\r', '\n', ' ')
	h.col, h.bare = 1, false
}

// space makes room for a token of n octets: a blank, or a fold where the
// token does not fit. A token that is too long for any line stays behind the
// name of its field.
func (h *header) space(n int) {
	if h.col+1+n > lineWidth && (!h.bare || 1+n <= lineWidth) {
		h.fold()
		return
	}
	h.bare = false
	h.buf = append(h.buf, ' ')
	h.col++
}

// token writes one unbreakable token behind a blank or a fold.
func (h *header) token(s string) {
	h.space(len(s))
	h.buf = append(h.buf, s...)
	h.col += len(s)
}

// words writes s, folding at its spaces. Spaces side by side become one.
func (h *header) words(s string) {
	for len(s) > 0 {
		word, rest, _ := strings.Cut(s, " ")
		if word != "" {
			h.token(word)
		}
		s = rest
	}
}

// structured writes a field of printable ASCII tokens.
func (h *header) structured(name, value string) {
	if !isPrintable(value) || strings.Contains(value, "=?") {
		h.fail(name, "only printable ASCII without encoded-words may stand in it; take the rest out")
		return
	}
	if longest(value) > maxToken {
		h.fail(name, fmt.Sprintf("a word of more than %d characters cannot be sent; shorten it", maxToken))
		return
	}
	h.begin(name)
	h.words(value)
	h.end()
}

// optional writes a structured field unless its value is empty.
func (h *header) optional(name, value string) {
	if value != "" {
		h.structured(name, value)
	}
}

// text writes an unstructured field (RFC 5322 section 2.2.1), encoded where
// plain ASCII words would not say the same.
func (h *header) text(name, value string) {
	if !h.sound(name, value) {
		return
	}
	h.begin(name)
	if isPlain(value) {
		h.words(value)
	} else {
		h.encoded(value)
	}
	h.end()
}

// addresses writes an address-list (RFC 5322 section 3.4).
func (h *header) addresses(name string, list ...Address) {
	if len(list) == 0 {
		h.fail(name, "there is no address; give one")
	}
	h.begin(name)
	for i, a := range list {
		h.mailbox(name, a)
		if i < len(list)-1 {
			h.buf = append(h.buf, ',')
			h.col++
		}
	}
	h.end()
}

// mailbox writes one address. Address has open fields, so what ParseAddress
// would refuse is refused here once more. A UTF-8 local part stands as it is
// (RFC 6532 section 3.2): such a mail travels by SMTPUTF8 or not at all.
func (h *header) mailbox(name string, a Address) {
	at := strings.LastIndexByte(a.Addr, '@')
	if at < 0 || checkLocal(a.Addr[:at]) != nil || len(a.Addr) > maxPath || !isDomain(a.Addr[at+1:]) || !utf8.ValidString(a.Addr) {
		h.fail(name, fmt.Sprintf("%.80q is not an address; write it as name@example.org", a.Addr))
		return
	}
	if a.Name == "" {
		h.token(a.Addr)
		return
	}
	h.phrase(name, a.Name)
	h.space(len(a.Addr) + 3) // the brackets, and a comma that may follow
	h.buf = append(append(append(h.buf, '<'), a.Addr...), '>')
	h.col += len(a.Addr) + 2
}

// phrase writes a display name (RFC 5322 section 3.2.5).
func (h *header) phrase(name, s string) {
	if !h.sound(name, s) {
		return
	}
	switch {
	case isAtoms(s) && longest(s) < lineWidth:
		h.words(s)
	case isPrintable(s) && len(s) <= 50 && singleSpaced(s) && !strings.Contains(s, "=?"):
		h.token(quote(s))
	default:
		h.encoded(s)
	}
}

// ids writes message identifiers.
func (h *header) ids(name string, list ...string) {
	for _, id := range list {
		if !isMessageID(id) {
			h.fail(name, fmt.Sprintf("%.80q is not a message identifier such as <a.b@example.org>", id))
			return
		}
	}
	h.begin(name)
	for _, id := range list {
		h.token(id)
	}
	h.end()
}

// links writes URLs in angle brackets (RFC 2369 section 2).
func (h *header) links(name string, urls ...string) {
	h.begin(name)
	for i, u := range urls {
		if !isURL(u) {
			h.fail(name, fmt.Sprintf("%.80q cannot stand in a header; it must be a URL in ASCII of at most %d characters without blanks or brackets", u, maxToken-10))
			return
		}
		h.space(len(u) + 3)
		h.buf = append(append(append(h.buf, '<'), u...), '>')
		h.col += len(u) + 2
		if i < len(urls)-1 {
			h.buf = append(h.buf, ',')
			h.col++
		}
	}
	h.end()
}

func (h *header) date(name string, t time.Time) {
	if t.IsZero() {
		h.fail(name, "it is not set; give the time of the mail")
	}
	h.begin(name)
	h.space(len(dateForm))
	h.buf = t.AppendFormat(h.buf, dateForm)
	h.end()
}

// sound refuses what no encoding makes harmless: the characters that end a
// line or a string somewhere on the way, and other control characters, which
// a mail program or a terminal might obey.
func (h *header) sound(name, s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			h.fail(name, fmt.Sprintf("the control character %U stands in %.60q; take it out", r, s))
			return false
		}
	}
	if !utf8.ValidString(s) {
		h.fail(name, fmt.Sprintf("%.60q is not UTF-8; write it anew", s))
		return false
	}
	return true
}

// isPlain tells whether s reads back the same when it is written unencoded
// and folded at its blanks.
func isPlain(s string) bool {
	return isPrintable(s) && singleSpaced(s) && !strings.Contains(s, "=?") && longest(s) <= lineWidth-2
}

// longest returns the length of the longest word of s.
func longest(s string) int {
	most, run := 0, 0
	for i := range len(s) {
		run++
		if s[i] == ' ' {
			run = 0
		}
		most = max(most, run)
	}
	return most
}

// isMessageID takes what may be repeated in a header: one token in angle
// brackets with one @.
func isMessageID(s string) bool {
	return len(s) > 4 && len(s) <= maxToken && s[0] == '<' && s[len(s)-1] == '>' &&
		isPrintable(s) && !strings.ContainsAny(s[1:len(s)-1], " <>,;\"()") && strings.Count(s, "@") == 1 &&
		!strings.Contains(s, "=?")
}

// isURL takes a URL as it may stand between angle brackets and in an HTML
// attribute: visible ASCII, RFC 3986 section 2.
func isURL(s string) bool {
	return strings.Contains(s, ":") && len(s) <= maxToken-10 && isPrintable(s) &&
		!strings.ContainsAny(s, " <>\"\\^`{|}") && !strings.Contains(s, "=?")
}

// isDomain takes a name in lower-case A-labels.
func isDomain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= maxDomain
}
