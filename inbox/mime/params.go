package mime

import (
	"net/mail"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

const maxParams = 100

// parseMedia reads Content-Type and Content-Disposition: the value in lower
// case and its parameters with the names in lower case. Unquoted values may
// hold spaces; RFC 2231 pieces are joined and decoded.
func parseMedia(raw string) (value string, params map[string]string) {
	raw = stripComments(raw)
	value, rest, _ := strings.Cut(raw, ";")
	value = strings.ToLower(strings.Trim(value, " \t\r\n\"'"))
	if i := strings.IndexAny(value, " \t"); i >= 0 && strings.Contains(value[:i], "/") {
		value = value[:i]
	}
	return value, joinPieces(rawParams(rest))
}

// stripComments drops (comments) outside quoted strings (RFC 2045 section 5.1).
func stripComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '(' && (depth > 0 || i == 0 || s[i-1] == ' ' || s[i-1] == ';'):
			depth++
			continue
		case c == ')' && depth > 0:
			depth--
			continue
		}
		if depth == 0 {
			b.WriteByte(c)
		}
	}
	if depth > 0 {
		return s
	}
	return b.String()
}

type param struct{ name, value string }

// rawParams cuts "a=b; c="d;e"" into pairs.
func rawParams(s string) []param {
	var all []param
	for len(s) > 0 && len(all) < maxParams {
		s = strings.TrimLeft(s, " \t;")
		eq := strings.IndexByte(s, '=')
		if eq < 0 {
			break
		}
		if semi := strings.IndexByte(s, ';'); semi >= 0 && semi < eq {
			s = s[semi+1:]
			continue
		}
		name := strings.ToLower(strings.TrimSpace(s[:eq]))
		var value string
		value, s = paramValue(strings.TrimLeft(s[eq+1:], " \t"))
		if i := strings.LastIndexAny(name, " \t"); i >= 0 {
			name = name[i+1:]
		}
		all = append(all, param{name, value})
	}
	return all
}

// paramValue takes one value off s: a quoted string, or everything up to the
// next semicolon, since names with spaces are often left unquoted. A space
// before "name=" ends it too: some writers forget the semicolon.
func paramValue(s string) (value, rest string) {
	if strings.HasPrefix(s, `"`) {
		if v, rest, ok := quotedValue(s); ok {
			return v, rest
		}
		s = s[1:]
	}
	end := strings.IndexByte(s, ';')
	if end < 0 {
		end = len(s)
	}
	if at := forgottenSemicolon.FindStringIndex(s[:end]); at != nil {
		end = at[0]
	}
	return strings.Trim(s[:end], " \t\""), s[end:]
}

var forgottenSemicolon = regexp.MustCompile(`(?i)[ \t]+(charset|boundary|name|filename|format|report-type|delsp)\*?=`)

func quotedValue(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case c == '"':
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(c)
		}
	}
	return "", s, false
}

// joinPieces undoes the continuations and charsets of RFC 2231, and the
// encoded words that many programs write in their place.
func joinPieces(raw []param) map[string]string {
	params := make(map[string]string, len(raw))
	pieces := map[string][]piece{}
	for _, p := range raw {
		name, n, extended, ok := pieceName(p.name)
		if ok {
			pieces[name] = append(pieces[name], piece{n, extended, p.value})
			continue
		}
		if _, twice := params[p.name]; !twice {
			params[p.name] = DecodeWords(p.value)
		}
	}
	for name, all := range pieces {
		params[name] = joinPiece(all)
	}
	return params
}

type piece struct {
	n        int
	extended bool
	value    string
}

// pieceName splits "filename*1*" (RFC 2231 sections 3 and 4).
func pieceName(s string) (name string, n int, extended, ok bool) {
	name, tail, ok := strings.Cut(s, "*")
	if !ok || name == "" {
		return s, 0, false, false
	}
	number, isExtended := strings.CutSuffix(tail, "*")
	if tail == "" {
		return name, 0, true, true
	}
	n, err := strconv.Atoi(number)
	return name, n, isExtended, err == nil
}

func joinPiece(all []piece) string {
	sort.SliceStable(all, func(i, j int) bool { return all[i].n < all[j].n })
	var octets strings.Builder
	charset, extended := "", false
	for i, p := range all {
		v := p.value
		if !p.extended {
			octets.WriteString(v)
			continue
		}
		if i == 0 {
			if parts := strings.SplitN(v, "'", 3); len(parts) == 3 {
				charset, v = parts[0], parts[2]
			}
		}
		extended = true
		octets.WriteString(percent(v))
	}
	if !extended {
		return DecodeWords(octets.String())
	}
	return cleanLine(decodeCharset([]byte(octets.String()), charset))
}

func percent(s string) string {
	if out, err := url.PathUnescape(s); err == nil {
		return out
	}
	return s
}

var (
	datePattern = regexp.MustCompile(`(?i)(\d{1,2})[ \t.-]+(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ \t.,-]+(\d{2,4})`)
	dateUS      = regexp.MustCompile(`(?i)(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ \t]+(\d{1,2})(?:,?[ \t]+(?:\d{1,2}:\d{2}(?::\d{2})?[ \t]+)?(?:[A-Z]{3,4}[ \t]+)?(\d{4}))`)
	dateISO     = regexp.MustCompile(`(\d{4})-(\d{2})-(\d{2})`)
	clock       = regexp.MustCompile(`(?i)(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:[.,]\d+)?[ \t]*(am|pm)?`)
	offset      = regexp.MustCompile(`([+-])(\d{1,2}):?(\d{2})(?:\D|$)`) // -600 is seen too
)

// ParseDate reads a date as mail programs write it (RFC 5322 sections 3.3 and
// 4.3, and a good deal else). It is zero when none can be read.
func ParseDate(s string) time.Time {
	s = strings.TrimSpace(cleanLine(s))
	if t, err := mail.ParseDate(s); err == nil {
		return knownZone(t)
	}
	y, mo, d, rest, ok := looseDay(s)
	if !ok {
		return time.Time{}
	}
	h, mi, sec, rest := looseClock(rest)
	if d < 1 || d > 31 || h > 24 || mi > 59 || sec > 60 {
		return time.Time{}
	}
	return time.Date(y, mo, d, h, mi, sec, 0, looseZone(rest))
}

func looseDay(s string) (y int, mo time.Month, d int, rest string, ok bool) {
	if m := datePattern.FindStringSubmatchIndex(s); m != nil {
		return fullYear(s[m[6]:m[7]]), month(s[m[4]:m[5]]), atoi(s[m[2]:m[3]]), s[m[1]:], true
	}
	if m := dateUS.FindStringSubmatchIndex(s); m != nil {
		return fullYear(s[m[6]:m[7]]), month(s[m[2]:m[3]]), atoi(s[m[4]:m[5]]), s[m[5]:], true
	}
	if m := dateISO.FindStringSubmatchIndex(s); m != nil {
		return atoi(s[m[2]:m[3]]), time.Month(atoi(s[m[4]:m[5]])), atoi(s[m[6]:m[7]]), s[m[1]:], atoi(s[m[4]:m[5]]) <= 12
	}
	return 0, 0, 0, "", false
}

func looseClock(s string) (h, m, sec int, rest string) {
	at := clock.FindStringSubmatchIndex(s)
	if at == nil {
		return 0, 0, 0, s
	}
	h, m = atoi(s[at[2]:at[3]]), atoi(s[at[4]:at[5]])
	if at[6] >= 0 {
		sec = atoi(s[at[6]:at[7]])
	}
	if at[8] >= 0 {
		pm := strings.EqualFold(s[at[8]:at[9]], "pm")
		switch {
		case pm && h < 12:
			h += 12
		case !pm && h == 12:
			h = 0
		}
	}
	return h, m, sec, s[at[1]:]
}

// looseZone reads +hhmm or a name of RFC 5322 section 4.3; any other zone is
// taken for UTC.
func looseZone(s string) *time.Location {
	if m := offset.FindStringSubmatch(s); m != nil {
		secs := atoi(m[2])*3600 + atoi(m[3])*60
		if m[1] == "-" {
			secs = -secs
		}
		return time.FixedZone("", secs)
	}
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		if h, ok := zoneHours[w]; ok {
			return time.FixedZone(w, h*3600)
		}
	}
	return time.UTC
}

// zoneHours are the names of RFC 5322 section 4.3 and a few that are seen.
var zoneHours = map[string]int{"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
	"CET": 1, "CEST": 2, "MET": 1, "BST": 1, "JST": 9}

// knownZone sets right a time whose zone net/mail took for an unknown name.
func knownZone(t time.Time) time.Time {
	name, seconds := t.Zone()
	hours, ok := zoneHours[name]
	if !ok || seconds != 0 {
		return t
	}
	return t.Add(-time.Duration(hours) * time.Hour).In(time.FixedZone(name, hours*3600))
}

func month(s string) time.Month {
	return time.Month(strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(s[:3]))/3 + 1)
}

// fullYear reads short years as RFC 5322 section 4.3 says.
func fullYear(s string) int {
	y := atoi(s)
	switch {
	case len(s) == 2 && y < 50:
		return y + 2000
	case len(s) < 4:
		return y + 1900
	}
	return y
}

// atoi is for digits a pattern has found already.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
