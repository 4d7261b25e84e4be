package compose

import "testing"

// What the masthead shows already is not said again below it.
func TestHeadline(t *testing.T) {
	for title, want := range map[string]string{
		"#129 - 9 Jul 2022":                "",
		"#129":                             "",
		"#12 - Winter berths - 9 Jan 2026": "Winter berths",
		"#12: Winter berths":               "Winter berths",
		"Winter berths – January 9, 2026":  "Winter berths",
		"Boats - and berths":               "Boats - and berths",
		"2026-01-09":                       "",
		"":                                 "",
	} {
		if got := headline(title); got != want {
			t.Errorf("headline(%q) = %q, want %q", title, got, want)
		}
	}
}
