package trust

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// fits says whether a cell of the table covers a value.
func fits(cell, value string) bool {
	if rest, not := strings.CutPrefix(cell, "!"); not {
		return value != rest
	}
	return cell == "*" || slices.Contains(strings.Split(cell, "|"), value)
}

// TestDecisionTable holds Decide against an independent table, in which no
// order counts: each of the 768 combinations stands in exactly one line (bar
// 66).
func TestDecisionTable(t *testing.T) {
	b, err := os.ReadFile("testdata/decisions.txt")
	if err != nil {
		t.Fatal(err)
	}
	var table [][]string
	for l := range strings.SplitSeq(string(b), "\n") {
		if f := strings.Fields(l); len(f) == 7 && l[0] != '#' {
			table = append(table, f)
		}
	}
	n, equal := 0, 0
	each(func(c Case) {
		n++
		yes := map[bool]string{true: "yes", false: "no"}
		cells := []string{c.Intent, yes[c.Automated], yes[c.Strict], c.E, c.Code, c.PGP}
		want := ""
		for _, row := range table {
			all := true
			for i, cell := range cells {
				all = all && fits(row[i], cell)
			}
			if all && want != "" {
				t.Fatalf("%+v stands in two lines", c)
			}
			if all {
				want = row[6]
			}
		}
		row, got := Decide(c)
		if got != want || row == "" {
			t.Errorf("%+v: row %s says %s, the table %q", c, row, got, want)
			return
		}
		equal++
		c.CodeAllowed = true
		_, lax := Decide(c)
		if (got == Execute || lax == Execute) && (c.Code != "valid" || c.Automated || !c.Strict || c.Intent != "approve") {
			t.Errorf("%+v is let out", c)
		}
		if lax != got && (c.E != "none" || c.Intent != "approve") {
			t.Errorf("%+v: the file's leave changes %s to %s", c, got, lax)
		}
	})
	t.Logf("decisions: %d of %d", equal, n)
	if n != 768 {
		t.Errorf("%d combinations", n)
	}
}

func each(f func(Case)) {
	for _, automated := range []bool{false, true} {
		for _, strict := range []bool{false, true} {
			for _, e := range []string{"pass", "fail", "none", "temperror"} {
				for _, code := range []string{"valid", "stale", "wrong", "absent"} {
					for _, pgp := range []string{"pass", "fail", "absent"} {
						for _, intent := range []string{"approve", "hold", "draft", "none"} {
							f(Case{Automated: automated, Strict: strict, E: e, Code: code, PGP: pgp, Intent: intent})
						}
					}
				}
			}
		}
	}
}

// TestDecideAsk: a question is answered to whoever has proof or code.
func TestDecideAsk(t *testing.T) {
	for _, x := range []struct{ e, code, want string }{{"pass", "absent", Do}, {"none", "valid", Do}, {"none", "absent", Silence}, {"temperror", "valid", Retry}, {"fail", "valid", Quarantine}} {
		if _, got := Decide(Case{Strict: true, E: x.e, Code: x.code, Intent: "ask"}); got != x.want {
			t.Errorf("%s %s: %s, want %s", x.e, x.code, got, x.want)
		}
	}
}
