package markdown

import "unicode"

// blockText holds the elements whose lines run in a direction of their own.
var blockText = set("p h1 h2 h3 h4 h5 h6 li ul ol blockquote td th")

// direction is "rtl" for a block whose first letter belongs to a script that is
// written from right to left, else "" (the Unicode bidirectional algorithm, rules
// P2 and P3). Mail programs do not know dir="auto" well enough to leave it to
// them.
func direction(n *node) string {
	if !blockText[n.tag] || n.get("dir") != "" {
		return ""
	}
	if r := firstLetter(n); unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko) {
		return "rtl"
	}
	return ""
}

// firstLetter is the first letter of a tree's text, 0 where it has none.
func firstLetter(n *node) rune {
	if n.tag == "" {
		for _, r := range n.text {
			if unicode.IsLetter(r) {
				return r
			}
		}
		return 0
	}
	for _, k := range n.kids {
		if r := firstLetter(k); r != 0 {
			return r
		}
	}
	return 0
}
