package compose

import (
	"galley/templates"
	"strings"
	"testing"
	"time"
)

// The form has the last issue's shape: greeting, sections, rules and foot,
// with the links that wait under the section that they or their notes name.
func TestStarterText(t *testing.T) {
	day := time.Date(2022, 7, 16, 9, 0, 0, 0, time.UTC)
	old := "---\ntitle: \"#129 - 9 Jul 2022\"\nlayout: email\n---\n\nHi!\n\nLast week was long.\n\n----------\n\n## Managing Teams\n\n[A](https://a.example/) - B\n\nWords.\n\n----------\n\n## Random\n\n[C](https://c.example/)\n\n----------\n\n## That’s it…\n\nAnd that’s it for another week.\n"
	links := []*waitingLink{
		{ID: 1, Entry: 214, URL: "https://example.org/podcasts", Title: "A Guide", Author: "Lee", Votes: 2, Note: "a nice one -- for your Random section"},
		{ID: 2, Entry: 215, URL: "https://example.org/plan", Votes: 1},
		{ID: 3, Entry: 216, URL: "https://example.org/teams", Votes: 1, Section: "managing teams", FromEditor: true, Published: 88},
	}
	n := &Newsletter{Frame: Frame{Looks: templates.Look("")}, Zone: time.UTC}
	for _, l := range links {
		l.n = n
	}
	title, text, loose := n.starterText(130, day, []byte(old), links)
	if title != "#130 - 16 Jul 2022" || len(loose) != 1 || loose[0].Entry != 215 {
		t.Errorf("%q, loose %v", title, loose)
	}
	want := `---
title: "#130 - 16 Jul 2022"
subtitle: "TK"
date: 2022-07-16
layout: email
---

Hi!

TK

----------

## Managing Teams

<!-- 216, from you. In #88 before. -->
[https://example.org/teams](https://example.org/teams)

----------

## Random

<!-- 214, 2 readers. "a nice one - - for your Random section" -->
[A Guide](https://example.org/podcasts) - Lee

----------

## That’s it…

And that’s it for another week.
`
	if text != want {
		t.Errorf("the form is\n%s", text)
	}
}

// The first issue has no last one: the configured sections are its shape.
func TestStarterTextOfTheFirstIssue(t *testing.T) {
	n := &Newsletter{Frame: Frame{Looks: templates.Look(""), Sections: []string{"Reading", "Random"}}}
	_, text, _ := n.starterText(1, time.Date(2022, 7, 16, 9, 0, 0, 0, time.UTC), nil, nil)
	if !strings.HasSuffix(text, "---\n\nTK\n\n## Reading\n\nTK\n\n## Random\n\nTK\n") || !strings.Contains(text, `title: "#1 - 16 Jul 2022"`) {
		t.Errorf("the form is\n%s", text)
	}
}

// A title with words of its own is to be written anew.
func TestStarterTitle(t *testing.T) {
	n := &Newsletter{Frame: Frame{Looks: templates.Look("")}}
	if title, _, _ := n.starterText(13, time.Now(), []byte("---\ntitle: \"#12: The Binder\"\n---\n\nHi\n"), nil); title != "#13: TK" {
		t.Errorf("the title is %q", title)
	}
}

func TestShared(t *testing.T) {
	a := strings.Repeat("one two three four five six seven eight nine ten ", 3) + "eleven twelve"
	for _, c := range []struct {
		b    string
		like bool
	}{{strings.ToUpper(a), true}, {strings.ReplaceAll(a, " ", "\n> "), true}, {"alpha beta gamma delta epsilon zeta eta theta", false}, {"one two", false}} {
		if got := shared(shingles(a), shingles(c.b)) >= 1.0/3; got != c.like {
			t.Errorf("%q: %v", c.b, got)
		}
	}
}
