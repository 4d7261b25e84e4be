package compose

import (
	"bytes"
	"galley/templates"
	"testing"

	"galley/compose/lint"
	"galley/send/message"
	"galley/send/store"
	"galley/send/store/storetest"
)

func TestCredits(t *testing.T) {
	a, b, c := Voice{"a@x", "Ada Reader"}, Voice{"b@x", ""}, Voice{"c@x", "Cy\r\n<b>Holm</b>"}
	text := "[One](https://one.example/?utm_source=x) - A\n\n[Two](https://two.example/) - B\n\nAnd [three](https://three.example/) in a sentence.\n"
	for _, test := range []struct {
		voices map[string][]Voice
		want   string
	}{
		{nil, ""},
		{map[string][]Voice{"https://one.example/": {a}}, "With thanks for links to Ada Reader."},
		{map[string][]Voice{"https://one.example/": {a, b}, "https://two.example/": {a}}, "With thanks for links to Ada Reader and a reader."},
		{map[string][]Voice{"https://two.example/": {b, {"d@x", ""}}, "https://three.example/": {c}}, "With thanks for links to Cy <b>Holm</b> and 2 readers."},
	} {
		r := renderedWith(t, text, Frame{Voices: func(link string) []Voice { return test.voices[lint.Canonical(link)] }})
		if got, err := r.credits(&Frame{Looks: templates.Look(""), Voices: func(link string) []Voice { return test.voices[lint.Canonical(link)] }}); err != nil || got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
		if test.want != "" && (!bytes.Contains(r.Text, []byte(test.want)) || bytes.Contains(r.HTML, []byte("<b>Holm"))) {
			t.Errorf("the issue does not say it, or says it unescaped:\n%s", r.Text)
		}
	}
}

// "credits: no" in the head leaves the line out of that issue, and of what is
// kept of it.
func TestNoCredits(t *testing.T) {
	f := harbour()
	f.Voices = func(string) []Voice { return []Voice{{"a@x", "Ada Reader"}} }
	for head, thanked := range map[string]bool{"": true, "credits: no\n": false, "credits: \"Off\"\n": false, "credits: yes\n": true} {
		draft := []byte("---\ntitle: x\n" + head + "---\n\n[One](https://one.example/) - A\n")
		r := mustRender(t, draft, f)
		again := mustRender(t, r.Markdown, f)
		for _, r := range []*Rendered{r, again} {
			for name, part := range map[string][]byte{"html": r.HTML, "text": r.Text, "web": r.Web} {
				if got := bytes.Contains(part, []byte("Ada Reader")); got != thanked {
					t.Errorf("%q: %s thanks: %v", head, name, got)
				}
			}
		}
		for _, found := range r.Findings {
			if found.Code == "front-unknown" {
				t.Errorf("%q: %+v", head, found)
			}
		}
	}
}

var ines = message.Address{Name: "Ines", Addr: "ines@ines.example"}

// Consent decides: named, counted, or no word.
func TestVoices(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d := &Desk{DB: db, Newsletters: map[string]*Newsletter{}}
		n := &Newsletter{ID: "quiet"}
		n.Editors = append(n.Editors, ines)
		d.Newsletters["quiet"] = n
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			for sender, consent := range map[string]string{"named@x": "named", "anon@x": "", "private@x": "private", "asked@x": "asked", ines.Addr: "named"} {
				err := d.Suggest(t.Context(), tx, &Suggestion{Newsletter: "quiet", Sender: sender, Name: "Name of " + sender, Consent: consent, Links: []SuggestedLink{{URL: "https://one.example/"}}})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.View(t.Context(), func(tx *store.Tx) error {
			all, err := n.voices(t.Context(), tx, lint.Canonical("https://one.example/"))
			got := map[string]string{}
			for _, v := range all {
				got[v.Sender] = v.Name
			}
			if len(got) != 3 || got["named@x"] != "Name of named@x" || got["anon@x"] != "" || got["asked@x"] != "" {
				t.Errorf("%v", got)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
