package mime

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// decodeCharset gives octets of a declared charset as UTF-8. It never fails:
// what is not known or not true is read as UTF-8 where it is valid, else as
// windows-1252, which holds what people meant by "Latin-1".
func decodeCharset(b []byte, name string) string {
	name = charsetName(name)
	switch {
	case strings.HasSuffix(name, "utf-7"):
		return decodeUTF7(b)
	case name == "iso-2022-kr":
		return decodeWith(korean.EUCKR, shiftedKorean(b))
	case name == "" || isUTF8Name(name) || isASCIIName(name):
		return guess(b)
	}
	if asciiOnly(b) && !stateful(name) {
		return string(b)
	}
	// Many programs declare one charset and write another; valid UTF-8 with
	// several multi-octet letters is no accident of an 8-bit charset.
	if !multiOctet(name) && looksUTF8(b) {
		return string(b)
	}
	if e := lookup(name); e != nil {
		return decodeWith(e, b)
	}
	return guess(b)
}

// charsetName takes the quotes, comments and case off a declared name.
func charsetName(s string) string {
	s = strings.ToLower(strings.Trim(s, " \t\"'`<>()"))
	if i := strings.IndexAny(s, " ;,"); i >= 0 {
		s = s[:i]
	}
	return s
}

func isUTF8Name(s string) bool { return s == "utf-8" || s == "utf8" || s == "utf_8" }

func isASCIIName(s string) bool {
	return s == "us-ascii" || s == "ascii" || s == "7bit" || s == "8bit" || s == "unknown-8bit" || s == "x-unknown" ||
		s == "unknown" || s == "default" || s == "default_charset" || s == "x-user-defined" || s == "binary"
}

func stateful(name string) bool {
	return strings.HasPrefix(name, "iso-2022") || strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-32") ||
		strings.HasPrefix(name, "hz") || strings.Contains(name, "ucs") || strings.Contains(name, "jis7")
}

func multiOctet(name string) bool {
	for _, p := range []string{"iso-2022", "utf-16", "utf-32", "gb", "big5", "euc", "shift", "sjis", "ks_c", "cp93", "cp94", "ms9", "windows-31j", "hz"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// lookup finds the decoder: WHATWG names first, so that iso-8859-1 is read as
// windows-1252, then the register of IANA and a few names seen in the wild.
func lookup(name string) encoding.Encoding {
	if strings.HasPrefix(name, "hz") {
		return simplifiedchinese.HZGB2312
	}
	for _, n := range charsetAliases(name) {
		if e, canon := charset.Lookup(n); e != nil && canon != "replacement" {
			return e
		}
		if e, err := ianaindex.MIME.Encoding(n); err == nil && e != nil {
			return e
		}
		if e, err := ianaindex.IANA.Encoding(n); err == nil && e != nil {
			return e
		}
	}
	return nil
}

// charsetAliases are the spellings to try for one declared name.
func charsetAliases(name string) []string {
	all := []string{name}
	bare := strings.TrimPrefix(name, "x-")
	all = append(all, bare, strings.ReplaceAll(bare, "_", "-"))
	if n, ok := strings.CutPrefix(bare, "cp"); ok {
		all = append(all, "windows-"+strings.TrimPrefix(n, "-"), "ibm"+strings.TrimPrefix(n, "-"))
	}
	if n, ok := strings.CutPrefix(bare, "windows"); ok {
		all = append(all, "windows-"+strings.Trim(n, "-_"))
	}
	if n, ok := strings.CutPrefix(bare, "iso"); ok {
		all = append(all, "iso-"+strings.TrimLeft(n, "-_"))
	}
	switch bare {
	case "cp932", "ms932", "mskanji", "windows-932", "shift-jis":
		all = append(all, "shift_jis")
	case "cp949", "ms949", "ks-c-5601-1987", "ksc5601", "uhc":
		all = append(all, "euc-kr")
	case "cp936", "ms936", "gb-2312", "gb2312-80":
		all = append(all, "gb18030")
	case "cp950", "big5-hkscs", "big-5":
		all = append(all, "big5")
	case "maccyrillic", "mac-cyrillic":
		all = append(all, "x-mac-cyrillic")
	case "macroman", "mac-roman":
		all = append(all, "macintosh")
	case "ansi", "ansi_x3.110-1983", "latin-1", "cp-1252":
		all = append(all, "windows-1252")
	}
	return all
}

// decodeWith never returns invalid UTF-8.
func decodeWith(e encoding.Encoding, b []byte) string {
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return guess(b)
	}
	return strings.TrimPrefix(strings.ToValidUTF8(string(out), "\uFFFD"), "\ufeff")
}

// guess reads octets of no or an untrue charset.
func guess(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")):
		return decodeWith(lookup("utf-16"), b)
	case bytes.Contains(b, []byte("\x1b$")) && asciiOnly(b):
		return decodeWith(lookup("iso-2022-jp"), b)
	case utf8.Valid(b):
		return strings.TrimPrefix(string(b), "\ufeff")
	}
	good, bad := countUTF8(b)
	if good > bad {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return decodeWith(lookup("windows-1252"), b)
}

// countUTF8 counts the multi-octet letters and the faults of b.
func countUTF8(b []byte) (good, bad int) {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1 && r != utf8.RuneError:
			good++
		}
		b = b[n:]
	}
	return good, bad
}

func looksUTF8(b []byte) bool {
	good, bad := countUTF8(b)
	return bad == 0 && good >= 2
}

func asciiOnly(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

var metaCharsetPattern = regexp.MustCompile(`(?i)<meta[^>]{0,200}charset\s*=\s*["']?([A-Za-z0-9_:.-]{2,40})`)

// metaCharset finds what an HTML page declares of itself.
func metaCharset(page []byte) string {
	if len(page) > 4096 {
		page = page[:4096]
	}
	m := metaCharsetPattern.FindSubmatch(page)
	if m == nil || strings.HasPrefix(strings.ToLower(string(m[1])), "utf-16") {
		return ""
	}
	return string(m[1])
}

var utf7Shift = regexp.MustCompile(`\+[A-Za-z0-9+/]*-?`)

// decodeUTF7 reads RFC 2152; x/text does not have it.
func decodeUTF7(b []byte) string {
	plain := utf7Shift.ReplaceAllFunc(b, func(run []byte) []byte {
		if run = bytes.TrimSuffix(run[1:], []byte("-")); len(run) == 0 {
			return []byte("+")
		}
		return []byte(utf7Run(run))
	})
	return guess(plain)
}

// utf7Run decodes one shifted run: base64 of UTF-16, big end first.
func utf7Run(run []byte) string {
	octets := make([]byte, base64.RawStdEncoding.DecodedLen(len(run)))
	n, _ := base64.RawStdEncoding.Decode(octets, run)
	units := make([]uint16, 0, n/2)
	for i := 0; i+1 < n; i += 2 {
		units = append(units, uint16(octets[i])<<8|uint16(octets[i+1]))
	}
	return string(utf16.Decode(units))
}

// shiftedKorean turns ISO-2022-KR (RFC 1557) into EUC-KR: letters between SO
// and SI get their high bit.
func shiftedKorean(b []byte) []byte {
	out := make([]byte, 0, len(b))
	b = bytes.ReplaceAll(b, []byte("\x1b$)C"), nil)
	shifted := false
	for _, c := range b {
		switch {
		case c == 0x0e:
			shifted = true
		case c == 0x0f:
			shifted = false
		case c == '\n':
			shifted = false
			out = append(out, c)
		case shifted && c > ' ':
			out = append(out, c|0x80)
		default:
			out = append(out, c)
		}
	}
	return out
}
