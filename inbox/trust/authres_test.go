package trust

import (
	"regexp"
	"strings"
	"testing"
)

func TestParseAuthResults(t *testing.T) {
	for _, x := range []struct{ in, id, want string }{
		{"mx.example.org; none", "mx.example.org", ""},
		{"mx.example.org 1; dkim=pass header.d=lab.example", "mx.example.org", "dkim=pass header.d=lab.example"},
		{"mx.example.org;\r\n dkim=pass (good key) header.i=@lab.example header.s=s1 header.b=\"ab/d+==\";\r\n spf=pass smtp.mailfrom=ada@lab.example;\r\n dmarc=pass (p=REJECT) header.from=lab.example", "mx.example.org",
			"dkim=pass header.i=@lab.example header.s=s1 header.b=ab/d+==; spf=pass smtp.mailfrom=ada@lab.example; dmarc=pass header.from=lab.example"},
		{"mx.example.org; DKIM/1 = Pass reason=\"all; well\" Header . D = lab.example", "mx.example.org", "dkim=pass header.d=lab.example"},
		{"(a (nested; x=pass) comment) mx.example.org (b) 1 (c); (d) spf (e) = (f) fail (g) smtp.helo=x", "mx.example.org", "spf=fail smtp.helo=x"},
		{"mx.example.org; dkim=pass header.b=ab/d+q header.d=lab.example;", "mx.example.org", "dkim=pass header.b=ab/d+q header.d=lab.example"},
		// Finding M5: what stands in quotes and comments is no result.
		{`mx.example.org; spf=pass smtp.mailfrom="x; dmarc=pass header.from=editor.example"@evil.example`, "mx.example.org", "spf=pass smtp.mailfrom=x; dmarc=pass header.from=editor.example@evil.example"},
		{`mx.example.org; spf=fail (x; dmarc=pass header.from=editor.example) smtp.mailfrom=a@b.example`, "mx.example.org", "spf=fail smtp.mailfrom=a@b.example"},
		{`mx.example.org; spf=fail (\); dmarc=pass header.from=editor.example) smtp.helo=a`, "mx.example.org", "spf=fail smtp.helo=a"},
		{`mx.example.org; spf=fail reason="\"; dmarc=pass" smtp.helo=a`, "mx.example.org", "spf=fail smtp.helo=a"},
		// No field at all.
		{"", "", ""}, {"mx.example.org", "", ""}, {"mx.example.org;", "", ""}, {"mx.example.org 2; dkim=pass", "", ""},
		{"spf=pass smtp.helo=x; mx.example.org", "", ""}, {"mx.example.org; dkim=pass (open", "", ""}, {"mx.example.org; spf=pass smtp.mailfrom=\"open", "", ""},
		{"mx.example.org; dkim=pass header.d", "", ""}, {"mx.example.org; dkim", "", ""}, {"mx.example.org; dkim=pass header.d=a b", "", ""},
		{"mx.example.org; none; dkim=pass", "", ""}, {"mx.example.org; dkim=pass; none", "", ""}, {"mx.example.org; dkim=pass header.d=a\r\ndmarc=pass", "", ""},
		{"mx.example.org; dkim=pass header.d=a\x00", "", ""}, {"mx.example.org; dkim=pass) header.d=a", "", ""}, {"mx.example.org; ;dkim=pass", "", ""},
	} {
		id, results, err := ParseAuthResults(x.in)
		var got []string
		for _, r := range results {
			s := r.Method + "=" + r.Result
			for _, p := range r.Props {
				s += " " + p.Type + "." + p.Name + "=" + p.Value
			}
			got = append(got, s)
		}
		if id != x.id || strings.Join(got, "; ") != x.want || (err == nil) != (x.id != "") {
			t.Errorf("%q:\n got %q %q %v\nwant %q %q", x.in, id, got, err, x.id, x.want)
		}
	}
}

func TestProp(t *testing.T) {
	_, r, err := ParseAuthResults("mx.example.org; dmarc=pass header.from=a.example header.from=b.example")
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := r[0].Prop("header.from"); ok {
		t.Errorf("of two values %q was chosen", v)
	}
}

// The grammar once more, as one expression over a field whose comments and
// quoted strings were blanked out by another scanner: an oracle that shares
// no code with the parser. Words of the grammar are written in either case (RFC
// 5234 section 2.3).
var (
	oracleToken = "[!#$%&'*+.^_`{|}~A-Za-z0-9\\-]+"
	oracleValue = "(?:" + oracleToken + "|Q)"
	oraclePval  = "(?:(?:[!#$%&'*+./=?^_`{|}~A-Za-z0-9\\-:\\[\\]]+|Q)?@[A-Za-z0-9._\\-]+|Q|[!#$%&'*+./:=?\\[\\]^_`{|}~A-Za-z0-9\\-]+)"
	oracleWord  = "[A-Za-z0-9_\\-]*[A-Za-z0-9]"
	oracle      = regexp.MustCompile(`^ ?` + oracleValue + `(?: ?1)? ?(?:; ?(?i:none) ?|(?:; ?` + oracleWord + `(?: ?/ ?[0-9]+)? ?= ?` + oracleWord + ` ?(?:(?i:reason) ?= ?` + oracleValue + ` ?)?(?: ?` + oracleWord + ` ?\. ?` + oracleWord + ` ?= ?` + oraclePval + ` ?)*)+(?:; ?)?)$`)
)

// blank replaces comments by a space and quoted strings by Q; ok is false
// where one stays open or a control character stands.
func blank(s string) (out string, ok bool) {
	depth, quoted := 0, false
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\r' && i+2 < len(s) && s[i+1] == '\n' && (s[i+2] == ' ' || s[i+2] == '\t') {
			i++
			c = ' '
		}
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", false
		}
		switch {
		case (depth > 0 || quoted) && c == '\\':
			i++
			if i >= len(s) || s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
				return "", false
			}
		case quoted && c == '"':
			quoted = false
			b.WriteByte('Q')
		case quoted:
		case c == '(':
			depth++
		case depth > 0 && c == ')':
			depth--
			b.WriteByte(' ')
		case depth > 0:
		case c == '"':
			quoted = true
		case c == 'Q': // a letter like any other, kept apart from our mark
			b.WriteByte('q')
		case c == '\t':
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	return regexp.MustCompile(` +`).ReplaceAllString(b.String(), " "), depth == 0 && !quoted
}

// FuzzAuthResults: no input has a pass that the grammar does not have (bar
// 68).
func FuzzAuthResults(f *testing.F) {
	for _, s := range []string{
		"mx.example.org; dkim=pass header.d=lab.example; spf=fail smtp.mailfrom=a@b", `a; spf=pass smtp.mailfrom="x; dmarc=pass header.from=e"@evil`,
		"a 1; dkim=pass (c (d)) reason=\"x\" header.i=@y", "a; none", "a;\r\n dmarc=pass header.from=b;", "a 1; dkim=pass (c (d)) reaSon=\"p\" header.i=@y",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, results, err := ParseAuthResults(s)
		if err != nil {
			return
		}
		for _, r := range results {
			if r.Result != "pass" {
				continue
			}
			b, ok := blank(s)
			if !ok || !oracle.MatchString(b) {
				t.Errorf("%q passes %s; blanked %q", s, r.Method, b)
			}
		}
	})
}
