package main

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// templates names a folder, or a built-in look behind @; links are checked unless
// the file says otherwise.
func TestTemplatesAndLinks(t *testing.T) {
	text, err := os.ReadFile("testdata/full.toml")
	if err != nil {
		t.Fatal(err)
	}
	load := func(templates, more string) (*Config, error) {
		changed := strings.Replace(string(text), `templates = "looks"`, `templates = "`+templates+`"`, 1)
		if changed == string(text) && templates != "looks" {
			t.Fatal("the file names no templates")
		}
		return Load(homeWith(t, more+changed))
	}
	for _, good := range []string{"looks", "@plain", "@standard"} {
		cfg, err := load(good, "")
		if err != nil {
			t.Fatalf("%s: %v", good, err)
		}
		if got := cfg.Newsletters[0].Templates; got != good && !strings.HasSuffix(got, "/"+good) || !cfg.CheckLinks {
			t.Errorf("%s became %s, links %v", good, got, cfg.CheckLinks)
		}
	}
	var faults Faults
	if _, err := load("@palin", ""); !errors.As(err, &faults) || !strings.Contains(err.Error(), "@plain") {
		t.Errorf("an unknown look: %v", err)
	}
	cfg, err := load("looks", "check_links = false\n")
	if err != nil || cfg.CheckLinks {
		t.Errorf("check_links = false: %v", err)
	}
}
