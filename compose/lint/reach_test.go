package lint

import (
	"slices"
	"strings"
	"testing"

	"galley/compose/probe"
)

func TestReach(t *testing.T) {
	const link = "[The plan](https://plan.town/x#part)"
	at := "https://plan.town/x"
	for _, c := range []struct {
		name, body, url string
		answer          probe.Answer
		want            string
	}{
		{"fine", link, at, probe.Answer{State: probe.Fine}, ""},
		{"gone", link, at, probe.Answer{State: probe.Gone, Status: 404, Why: "status"}, "error link-dead"},
		{"silent", link, at, probe.Answer{State: probe.Silent, Why: "no-answer"}, "warning link-silent"},
		{"refused", link, at, probe.Answer{State: probe.Refused, Status: 403, Why: "status"}, "note link-refused"},
		{"forbidden", link, at, probe.Answer{State: probe.Forbidden, Why: "astray"}, "warning link-private"},
		{"reserved", link, at, probe.Answer{State: probe.Reserved}, ""},
		{"waiting", link, at, probe.Answer{State: probe.Waiting}, "note link-waiting"},
		{"www", link, at, probe.Answer{State: probe.Fine, Final: "https://www.plan.town/x/"}, ""},
		{"another site", link, at, probe.Answer{State: probe.Fine, Final: "https://casino.town/"}, "warning link-elsewhere"},
		{"front page", link, at, probe.Answer{State: probe.Fine, Final: "https://plan.town/"}, "warning link-elsewhere"},
		{"signpost", "[x](https://doi.org/10.1/x)", "https://doi.org/10.1/x", probe.Answer{State: probe.Fine, Final: "https://journal.town/x"}, ""},
		{"http with https", "[x](http://plan.town/)", "http://plan.town/", probe.Answer{State: probe.Fine, Secure: true}, "warning http-link"},
		{"http without https", "[x](http://plan.town/)", "http://plan.town/", probe.Answer{State: probe.Fine}, ""},
		{"http waiting", "[x](http://plan.town/)", "http://plan.town/", probe.Answer{State: probe.Waiting}, "warning http-link note link-waiting"},
		{"image gone", "![A boat](https://plan.town/b.png)", "https://plan.town/b.png", probe.Answer{State: probe.Gone, Why: "no-such-host"}, "error image-dead"},
		{"image heavy", "![A boat](https://plan.town/b.png)", "https://plan.town/b.png", probe.Answer{State: probe.Fine, Bytes: 2 << 20}, "warning image-heavy"},
		{"image wide", "![A boat](https://plan.town/b.png)", "https://plan.town/b.png", probe.Answer{State: probe.Fine, Width: 2000}, "note image-wide"},
		{"image fine", "![A boat](https://plan.town/b.png)", "https://plan.town/b.png", probe.Answer{State: probe.Fine, Width: 900, Bytes: 90_000}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t, c.body)
			if !slices.ContainsFunc(Asks(in.Doc), func(a probe.Ask) bool { return a.URL == c.url }) {
				t.Fatalf("%s is not asked for: %v", c.url, Asks(in.Doc))
			}
			var got []string
			for _, f := range Reach(in.Doc, map[string]probe.Answer{c.url: c.answer}, Check(in)) {
				got = append(got, string(f.Level)+" "+f.Code)
				if message, remedy := say(t, f); f.Line == 0 || remedy == "" || message == "" || strings.Contains(message, "no value") {
					t.Errorf("an incomplete finding: %+v", f)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Nothing but web addresses is asked for, and each once.
func TestAsks(t *testing.T) {
	in := input(t, "[a](https://a.town/#x) [b](https://a.town/#y) [c](mailto:c@a.town) [d](#d) ![e](https://a.town/e.png)")
	if got := Asks(in.Doc); len(got) != 3 {
		t.Errorf("%v", got)
	}
}
