package gated

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// The letters that an alternative cannot do without.
func TestNeeded(t *testing.T) {
	for pattern, want := range map[string]string{
		`quota`: "quota", `(?i)Quota`: "quota", `(?i)mask`: "ma", `a?bc+`: "b", `(user|box).{0,9}full`: "full", `x*`: "", `(not|n't) (be )?found`: "found",
	} {
		got := ""
		for _, b := range New(pattern).ready() {
			got += strings.Join(b.need, "|")
		}
		if got != want {
			t.Errorf("%s needs %q, want %q", pattern, got, want)
		}
	}
}

// What is no pattern is told with its fault, as regexp does.
func TestNoPattern(t *testing.T) {
	defer func() {
		if told := fmt.Sprint(recover()); !strings.Contains(told, "missing closing )") {
			t.Errorf("%q", told)
		}
	}()
	New("(a|b").MatchString("a")
	t.Error("it matches")
}

// Many may bring the first text at once.
func TestFirstTexts(t *testing.T) {
	g := New("(?i)mailbox|quota|no such user")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if !g.MatchString("550 No Such User here") || g.MatchString("250 ok") {
				t.Error("another answer than regexp's")
			}
		})
	}
	all.Wait()
}
