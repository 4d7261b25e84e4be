package intent

import "testing"

// A link that is cut out of a sentence leaves no hole.
func TestCutLinks(t *testing.T) {
	const link = "https://example.org/binders"
	for text, want := range map[string]string{
		"Loved this one. Have you seen " + link + " ?\nA nice one.": "Loved this one. Have you seen …?\nA nice one.",
		"Have you seen <" + link + ">? It is good.":                 "Have you seen …? It is good.",
		link + "\nfor Random":                                       "for Random",
		link + " - for Random":                                      "for Random",
		"a nice one: " + link:                                       "a nice one:",
		"put " + link + " into Random, please":                      "put … into Random, please",
		"see (" + link + ").":                                       "see ….",
		link:                                                        "",
	} {
		if got := CutLinks(text, []string{link}); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
