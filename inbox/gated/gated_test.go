package gated

import (
	"strings"
	"testing"
)

// The letters that an alternative cannot do without.
func TestNeeded(t *testing.T) {
	for pattern, want := range map[string]string{
		`quota`: "quota", `(?i)Quota`: "quota", `(?i)mask`: "ma", `a?bc+`: "b", `(user|box).{0,9}full`: "full", `x*`: "", `(not|n't) (be )?found`: "found",
	} {
		got := ""
		for _, b := range MustCompile(pattern).branches {
			got += strings.Join(b.need, "|")
		}
		if got != want {
			t.Errorf("%s needs %q, want %q", pattern, got, want)
		}
	}
}
