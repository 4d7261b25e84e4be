package markdown

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"galley/compose/corpora"
)

// others are the damages for which other newsletters than ours are measured, and
// what share in percent must give the very same mail. They are written in other
// habits: text wrapped by hand, reference links, code, five languages. A text
// wrapped by hand that has lost its empty lines can not be told from one
// paragraph, and Chinese has no spaces to cut at.
var others = map[string]int{
	"stuffed": 100, "nbsp": 100, "quoted": 100, "rule blanks lost": 100, "signature": 100, "crlf": 100,
	"smart dashes": 90, "own paragraphs": 88, "wrap 72": 73, "wrap 78": 74,
}

// TestFamilies mails issues of other newsletters through the damages.
func TestFamilies(t *testing.T) {
	seldomCollect(t)
	dirs, err := filepath.Glob(filepath.Join(corpora.Dir(t), "newsletters-*", "files"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no newsletters: %v", err)
	}
	type kept struct {
		name, seen string
		text       []byte
	}
	var all []kept
	for _, dir := range dirs {
		family := filepath.Base(filepath.Dir(dir))
		if slices.Contains([]string{"newsletters-perlweekly-json", "newsletters-rct", "newsletters-rct-history"}, family) {
			continue
		}
		files := issues(t, family)
		step := 3
		if sampled() {
			step = 12
		}
		for i, name := range slices.Sorted(maps.Keys(files)) {
			if i%step > 0 {
				continue
			}
			text := files[name]
			d, doc := render(t, Source{Text: text, Exact: true})
			all = append(all, kept{family + "/" + name, seen(d, doc), text})
		}
	}
	for _, dm := range damages {
		want, ok := others[dm.name]
		if !ok {
			continue
		}
		t.Run(dm.name, func(t *testing.T) {
			t.Parallel()
			same := 0
			var other []string
			for _, k := range all {
				d, doc := render(t, Source{Text: []byte(dm.do(string(k.text))), Exact: true})
				if seen(d, doc) == k.seen {
					same++
				} else {
					other = append(other, k.name)
				}
			}
			t.Logf("%d of %d give the same mail; not %v", same, len(all), other)
			if same*100 < want*len(all) && !sampled() {
				t.Errorf("only %d of %d give the same mail, want %d of 100", same, len(all), want)
			}
		})
	}
}
