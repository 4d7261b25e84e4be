package message

import (
	"encoding/base32"
	"html"
	"regexp"
	"strings"
	"unicode"
)

// Fields that a text may have of its reader.
const (
	FieldName    = "name"
	FieldAddress = "address"
)

// longestName is how many characters of a reader's name are written into a
// text. Names are what anybody typed into a form.
const longestName = 80

var (
	fallbacks = base32.HexEncoding.WithPadding(base32.NoPadding)
	fieldSlot = regexp.MustCompile("\uE000(" + FieldName + "|" + FieldAddress + ")\\.([0-9A-V]*)\uE001")
)

// SlotField stands in the HTML and the text of an issue where something of its
// reader goes, or the fallback for readers of whom it is not known. It is one
// word, whatever the fallback: no line is cut in it.
func SlotField(field, fallback string) string {
	return "\uE000" + field + "." + fallbacks.EncodeToString([]byte(fallback)) + "\uE001"
}

// Fallbacks puts the fallbacks in the place of all fields, as a proof shows
// them.
func Fallbacks(text []byte, isHTML bool) []byte {
	return fieldSlot.ReplaceAllFunc(text, func(slot []byte) []byte {
		f, _ := parseField(slot, isHTML)
		return []byte(f.say(Address{Addr: "reader@example.invalid"}))
	})
}

// field is a slot for something of the reader.
type field struct {
	name     string
	fallback string
	html     bool
}

// parseField reads a slot. One with a fallback that was not written by
// SlotField is none.
func parseField(slot []byte, isHTML bool) (field, bool) {
	m := fieldSlot.FindSubmatch(slot)
	if m == nil {
		return field{}, false
	}
	fallback, err := fallbacks.DecodeString(string(m[2]))
	return field{name: string(m[1]), fallback: plainWords(string(fallback)), html: isHTML}, err == nil
}

// say is what stands in the copy for a reader.
func (f field) say(to Address) string {
	words := ""
	switch f.name {
	case FieldName:
		words = givenName(to.Name)
	case FieldAddress:
		words = to.Addr
	}
	if words == "" {
		words = f.fallback
	}
	if words == "" { // a body must not end in nothing
		words = "…"
	}
	if f.html {
		words = html.EscapeString(words)
	}
	return words
}

// givenName is a name that may stand in a text, "" for what is none: whoever
// asked for the list could have written an advertisement there.
func givenName(s string) string {
	s = plainWords(s)
	low := strings.ToLower(s)
	if strings.ContainsAny(s, "@<>{}\\") || strings.Contains(low, "://") || strings.Contains(low, "www.") || len([]rune(s)) > longestName {
		return ""
	}
	return s
}

// plainWords takes out what shows nothing or turns the text round, and makes
// all white space one space: so it is its own canonical form (RFC 6376 section
// 3.4.4).
func plainWords(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d', unicode.Is(unicode.Co, r), r == unicode.ReplacementChar:
			return -1 // the two that are kept join and part letters of names in some scripts
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// firstField is the index of the mark of the first field; no encoded body has
// an octet beyond ASCII.
const firstField = 0x80

// mark gives the mark of a field, the same for the same.
func (fs *fields) mark(f field) (byte, bool) {
	for i, known := range *fs {
		if known == f {
			return byte(firstField + i), true
		}
	}
	if len(*fs) >= 0x100-firstField {
		return 0, false
	}
	*fs = append(*fs, f)
	return byte(firstField + len(*fs) - 1), true
}

// fields are those of an issue, in the order of their marks.
type fields []field

// nextSlot finds the first slot of a text: where it is, and its mark.
func (fs *fields) nextSlot(text string, leave byte) (start, end int, mark byte) {
	start = strings.Index(text, SlotUnsubscribe)
	end, mark = start+len(SlotUnsubscribe), leave
	for from := 0; ; {
		at := strings.Index(text[from:], "\uE000")
		if at < 0 || start >= 0 && from+at > start {
			return start, end, mark
		}
		at += from
		if loc := fieldSlot.FindStringIndex(text[at:]); loc != nil && loc[0] == 0 {
			if f, ok := parseField([]byte(text[at:at+loc[1]]), leave == markHTML); ok {
				if m, ok := fs.mark(f); ok {
					return at, at + loc[1], m
				}
			}
		}
		from = at + 1
	}
}

// fillFields encodes what stands in the field slots of one copy.
func (w *scratch) fillFields(fs fields, to Address) {
	for len(w.fields) < len(fs) {
		w.fields = append(w.fields, nil)
	}
	for i, f := range fs {
		p := printable{buf: w.fields[i][:0]}
		p.write(f.say(to))
		w.fields[i] = p.buf
	}
}

// isSlot tells the octets that stand for slots in encoded bodies. Those beyond
// ASCII are no UTF-8, and so are told as utf8.RuneError.
func isSlot(r rune) bool { return r == rune(markText) || r == rune(markHTML) || r >= firstField }
