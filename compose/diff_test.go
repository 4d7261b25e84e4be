package compose

import (
	"fmt"
	"strings"
	"testing"
)

// shown writes changes as a person reads them: [-gone-] and [+came+].
func shown(changes []change) string {
	var out []string
	for _, c := range changes {
		line := fmt.Sprintf("%d:", c.Line)
		for _, p := range c.Pieces {
			line += " " + map[string]string{same: p.Text, gone: "[-" + p.Text + "-]", came: "[+" + p.Text + "+]"}[p.Kind]
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func TestDiff(t *testing.T) {
	long := "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
	for _, c := range []struct{ name, old, cur, want string }{
		{"nothing", "a\nb\n", "a\nb", ""},
		{"blanks that do not show", "One.  Two. \nThree", "One. Two.\nThree", ""},
		{"blanks of code count", "    x  = 1", "    x = 1", "1: [-x = 1-] [+x = 1+]"},
		{"one word", "see the patterna in it", "see the pattern in it", "1: see the [-patterna-] [+pattern+] in it"},
		{"one word of a long line", long, strings.Replace(long, "eight", "acht", 1),
			"1: … two three four five six seven [-eight-] [+acht+] nine ten eleven twelve thirteen fourteen"},
		{"two words far apart", long + " " + long, "uno" + long[3:] + " " + long[:len(long)-8] + "vierzehn",
			"1: [-one-] [+uno+] two three four five six seven … eight nine ten eleven twelve thirteen [-fourteen-] [+vierzehn+]"},
		{"a word less", "keep this one", "keep one", "1: keep [-this-] one"},
		{"a new line", "a\nc", "a\nb\nc", "2: [+b+]"},
		{"a line less", "a\nb\nc", "a\nc", "2: [-b-]"},
		{"another line", "The binder by the door", "A font for labels", "1: [-The binder by the door-] [+A font for labels+]"},
		{"lines that come and go", "a\nb\nc\nd", "a\nx\nc\ny\nd", "2: [-b-] [+x+]\n4: [+y+]"},
	} {
		if got := shown(diff(c.old, c.cur)); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	c := diff("see the patterna in it", "see the pattern in it")[0]
	if c.Old != "see the patterna in it" || c.New != "see the pattern in it" {
		t.Errorf("old %q, new %q", c.Old, c.New)
	}
}

// FuzzDiff holds that a text does not differ from itself, and that each word
// of which the newer text has more is shown as one that came.
func FuzzDiff(f *testing.F) {
	f.Add("a\nb\nc", "a\nx y\nc")
	f.Fuzz(func(t *testing.T, old, cur string) {
		if len(old)+len(cur) > 300 || len(cur) > 190 { // a longer line may be cut
			return
		}
		if changes := diff(old, old); len(changes) != 0 {
			t.Errorf("a text differs from itself: %v", changes)
		}
		more := map[string]int{}
		for _, w := range strings.Fields(cur) {
			more[w]++
		}
		for _, w := range strings.Fields(old) {
			more[w]--
		}
		for _, c := range diff(old, cur) {
			for _, p := range c.Pieces {
				for _, w := range strings.Fields(p.Text) {
					if p.Kind == came {
						more[w]--
					}
				}
			}
		}
		for w, n := range more {
			if n > 0 && w != "…" {
				t.Errorf("%q came and is not shown: %v", w, diff(old, cur))
			}
		}
	})
}
