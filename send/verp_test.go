package send

import (
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		name             string
		p                Pattern
		address, bare    string
		mailto, helpLink string
	}{
		{"plus", Pattern{Mailbox: "News@Example.org"}, "news+unsub-tk2@example.org", "news+help@example.org",
			"mailto:news+unsub-tk2@example.org?subject=unsubscribe", "mailto:news+help@example.org?subject=help"},
		{"minus", Pattern{"news@example.org", "local-KIND-TOKEN@domain"}, "news-unsub-tk2@example.org", "news-help@example.org",
			"mailto:news-unsub-tk2@example.org?subject=unsubscribe", "mailto:news-help@example.org?subject=help"},
		{"catch-all", Pattern{"news@example.org", "KIND-TOKEN@in.example.net"}, "unsub-tk2@in.example.net", "help@in.example.net",
			"mailto:unsub-tk2@in.example.net?subject=unsubscribe", "mailto:help@in.example.net?subject=help"},
		{"a mailbox called local", Pattern{Mailbox: "local@domain.example"}, "local+unsub-tk2@domain.example", "local+help@domain.example",
			"mailto:local+unsub-tk2@domain.example?subject=unsubscribe", "mailto:local+help@domain.example?subject=help"},
		{"none", Pattern{"news@example.org", NoForm}, "news@example.org", "news@example.org",
			"mailto:news@example.org?subject=unsubscribe%20tk2", "mailto:news@example.org?subject=help"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.p.Check(); err != nil {
				t.Fatal(err)
			}
			got := []string{c.p.Address("unsub", "tk2"), c.p.Address("help", ""), c.p.Mailto("unsub", "tk2"), c.p.Mailto("help", "")}
			want := []string{c.address, c.bare, c.mailto, c.helpLink}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if c.p.Form == NoForm {
				if _, _, ok := c.p.Parse(c.address); ok {
					t.Error("the mailbox itself was parsed")
				}
				return
			}
			at := strings.LastIndexByte(c.address, '@')
			local, domain := c.address[:at], c.address[at+1:]
			for _, a := range []string{c.address, strings.ToUpper(c.address), "<" + c.address + ">",
				"SRS0=Hh7=TT=" + domain + "=" + local + "@fwd.example",
				"srs0+Hh7=TT=" + domain + "=" + local + "@fwd.example",
				"SRS1=Qq=fwd.example==Hh7=TT=" + domain + "=" + local + "@second.example"} {
				if kind, token, ok := c.p.Parse(a); !ok || kind != "unsub" || token != "tk2" {
					t.Errorf("%s is %q %q %v", a, kind, token, ok)
				}
			}
			if kind, token, ok := c.p.Parse(c.bare); !ok || kind != "help" || token != "" {
				t.Errorf("%s is %q %q %v", c.bare, kind, token, ok)
			}
			for _, a := range []string{"", c.p.Mailbox, "someone@elsewhere.example", local + "@elsewhere.example", c.address + "x", "@" + c.address} {
				if kind, token, ok := c.p.Parse(a); ok {
					t.Errorf("%q is %q %q", a, kind, token)
				}
			}
		})
	}
}

func TestPatternCheck(t *testing.T) {
	for _, bad := range []Pattern{
		{"news", ""}, {"news@example.org", "local+KIND@domain"}, {"news@example.org", "local+KINDTOKEN@domain"},
		{"news@example.org", "TOKEN-KIND@domain"}, {"news@example.org", "local+KIND-TOKEN"}, {"news@example.org", "KIND-TOKEN@a@b"},
		{strings.Repeat("n", 40) + "@example.org", ""},
	} {
		if err := bad.Check(); err == nil {
			t.Errorf("%+v passes", bad)
		}
	}
}

func TestKeys(t *testing.T) {
	k := Keys{Secret: []byte("thirty-two octets of token secret")}
	for _, id := range []int64{0, 1, 255, 256, 4711, 1 << 40, 1<<63 - 1} {
		for _, purpose := range []string{"b", "unsub"} {
			token := k.Mint(purpose, id)
			if got, ok := k.Read(purpose, strings.ToUpper(token)); !ok || got != id {
				t.Errorf("%s %d: %s reads as %d, %v", purpose, id, token, got, ok)
			}
			if len(token) > 39 || strings.ToLower(token) != token {
				t.Errorf("token %s", token)
			}
			for i := range token {
				for _, c := range "a7" {
					forged := token[:i] + string(c) + token[i+1:]
					if _, ok := k.Read(purpose, forged); ok && forged != token {
						t.Fatalf("%s is taken for %s", forged, token)
					}
				}
			}
			for _, other := range []string{"s", "confirm", ""} {
				if _, ok := k.Read(other, token); ok {
					t.Errorf("a token for %q works for %q", purpose, other)
				}
			}
			rotated := Keys{Secret: []byte("another secret of thirty-two octet"), Old: [][]byte{k.Secret}}
			if got, ok := rotated.Read(purpose, token); !ok || got != id || rotated.Mint(purpose, id) == token {
				t.Error("a token of an older key is not read")
			}
		}
	}
	if _, ok := (Keys{}).Read("b", Keys{}.Mint("b", 1)); ok {
		t.Error("without a secret a token is taken")
	}
}

// Bar 14: the local part of a VERP address stays below 64, and aims at 40.
func TestReturnPathIsShort(t *testing.T) {
	n := testNewsletter()
	a := n.returnPath(&task{id: 30_000_000})
	if local, _, _ := strings.Cut(a, "@"); len(local) > 40 || strings.ToLower(a) != a {
		t.Errorf("%s: %d octets before the @", a, len(local))
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("news+b-abc@example.org")
	f.Add("SRS0=hh=tt=example.org=news+b-abc@fwd.example")
	f.Add("SRS1=hh=x==hh=tt=example.org=news+b-abc@fwd.example")
	f.Fuzz(func(t *testing.T, s string) {
		p := Pattern{Mailbox: "news@example.org"}
		kind, token, ok := p.Parse(s)
		if ok && p.Address(kind, token) == "" {
			t.Fatal("no address")
		}
		if ok {
			if k, tk, again := p.Parse(p.Address(kind, token)); !again || k != kind || tk != token {
				t.Fatalf("%q gives %q %q, and back %q %q", s, kind, token, k, tk)
			}
		}
		testNewsletter().Bounced(s)
	})
}
