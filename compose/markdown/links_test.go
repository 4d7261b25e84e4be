package markdown

import (
	"context"
	"testing"
)

// TestLinkFindings checks what is said of links that cannot be kept, and that
// their near relatives pass in silence.
func TestLinkFindings(t *testing.T) {
	for _, c := range []struct{ body, code, words string }{
		{"See [the *plan*]().", "link-empty", "the plan"},
		{"See [the plan](https://a.example/).", "", ""},
		{"See [it](javascript:alert(1)).", "link-refused", "javascript:alert(1)"},
		{"See [it](mailto:a@b.example).", "", ""},
	} {
		_, found, err := Parse(context.Background(), Read(Source{Text: []byte("---\ntitle: x\n---\n\n" + c.body), Exact: true}))
		if err != nil {
			t.Fatal(err)
		}
		if c.code == "" {
			if len(found) > 0 {
				t.Errorf("%s: %+v", c.body, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Code != c.code || found[0].Words != c.words || found[0].Line != 5 {
			t.Errorf("%s: %+v", c.body, found)
		}
	}
}
