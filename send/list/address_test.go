package list_test

import (
	"encoding/json"
	"strings"
	"testing"

	"galley/send/list"
)

func TestParseAddress(t *testing.T) {
	long := strings.Repeat("a", 64)
	label := strings.Repeat("b", 63)
	for _, c := range []struct{ in, want, key string }{
		{"ada@example.org", "ada@example.org", ""},
		{"  Ada@Example.ORG\t", "Ada@example.org", "ada@example.org"},
		{"\u00a0\ufeffada@example.org\u200b\r\n", "ada@example.org", ""},
		{"ada@BÜCHER.example", "ada@xn--bcher-kva.example", ""},
		{"ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example", ""},
		{"ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example", ""},
		{"ada@bu\u0308cher.example", "ada@xn--bcher-kva.example", ""}, // decomposed
		{"ada@example.org.", "ada@example.org", ""},
		{"ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah", ""}, // an ideographic full stop
		{"o'neill+tag=x/y@example.org", "o'neill+tag=x/y@example.org", ""},
		{"用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah", ""},
		{"Ärger@example.org", "Ärger@example.org", "ärger@example.org"},
		{long + "@example.org", long + "@example.org", ""},
		{long + "a@example.org", "", ""},
		{long + "@" + label + "." + label + "." + label[:61], long + "@" + label + "." + label + "." + label[:61], ""},
		{long + "@" + label + "." + label + "." + label[:62], "", ""},
		{"a@b" + label + ".org", "", ""},
		{"", "", ""}, {"@", "", ""}, {"ada", "", ""}, {"ada@", "", ""}, {"@example.org", "", ""},
		{"ada@localhost", "", ""}, {"ada@[127.0.0.1]", "", ""}, {"ada@example..org", "", ""},
		{"ada@-example.org", "", ""}, {"ada@exa_mple.org", "", ""}, {"ada@exam ple.org", "", ""},
		{"ada@xn--a.example", "", ""}, {".ada@example.org", "", ""}, {"ada.@example.org", "", ""}, {"a..da@example.org", "", ""},
		{`"ada"@example.org`, "", ""}, {"Ada <ada@example.org>", "", ""}, {"a@b@example.org", "", ""},
		{"ada\r\nBcc: x@example.org", "", ""}, {"ada\x00@example.org", "", ""}, {"ada\u2028@example.org", "", ""},
		{"ada\u0085x@example.org", "", ""}, {"ada\xff@example.org", "", ""}, {"ada\u202ex@example.org", "", ""}, {"a,b@example.org", "", ""},
	} {
		a, err := list.ParseAddress(c.in)
		if (err == nil) != (c.want != "") || a.String() != c.want {
			t.Errorf("ParseAddress(%q) = %q, %v; want %q", c.in, a, err, c.want)
		}
		if c.key == "" {
			c.key = c.want
		}
		if a.Key() != c.key {
			t.Errorf("the key of %q is %q, want %q", c.in, a.Key(), c.key)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Errorf("the fault of %q has raw control characters: %q", c.in, err)
		}
	}
}

func TestMaskedShowsLittle(t *testing.T) {
	for in, want := range map[string]string{
		"ada.lovelace@example.org": "a…@e….org", "élodie@mail.example.co.uk": "é…@m….uk",
	} {
		a, _ := list.ParseAddress(in)
		if got := a.Masked(); got != want {
			t.Errorf("Masked(%q) = %q, want %q", in, got, want)
		}
	}
	if (list.Address{}).Masked() != "" || (list.Address{}).Local() != "" || (list.Address{}).Domain() != "" {
		t.Error("nobody has an address")
	}
}

func TestAddressInJSON(t *testing.T) {
	var a list.Address
	if err := json.Unmarshal([]byte(`" Ada@EXAMPLE.org"`), &a); err != nil || a.Local() != "Ada" || a.Domain() != "example.org" {
		t.Errorf("got %q, %v", a, err)
	}
	if err := json.Unmarshal([]byte(`"ada"`), &a); err == nil || a.String() != "Ada@example.org" {
		t.Errorf("a bad one was taken: %q, %v", a, err)
	}
}

// Whatever is taken is a fixed point, fits SMTP and can break no line.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"ada@example.org", " A.B+c@BÜCHER.example. ", "用户@例え.テスト", "a@xn--bcher-kva.example", `"a b"@c.d`, "a@b@c.d", "a\r\n@b.c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := list.ParseAddress(s)
		if err != nil {
			if !a.IsZero() {
				t.Fatalf("refused, and yet %q", a)
			}
			return
		}
		if again, err := list.ParseAddress(a.String()); err != nil || again != a {
			t.Fatalf("%q is read again as %q, %v", a, again, err)
		}
		if strings.ContainsAny(a.String(), " \t\r\n\x00<>\"(),:;[\\]") || len(a.String()) > 254 || len(a.Local()) > 64 {
			t.Fatalf("%q cannot stand in an SMTP command", a)
		}
		if a.Local()+"@"+a.Domain() != a.String() || strings.ToLower(a.Key()) != a.Key() {
			t.Fatalf("parts of %q: %q, %q, key %q", a, a.Local(), a.Domain(), a.Key())
		}
	})
}
