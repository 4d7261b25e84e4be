package site

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galley/templates"
)

// TestREADMETellsWhatPagesAreGiven keeps the guide for people who write looks
// complete: every field and every block of page.html stands in it, and no other.
func TestREADMETellsWhatPagesAreGiven(t *testing.T) {
	text, err := os.ReadFile("../../templates/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, found := strings.Cut(string(text), "## What `page.html` is given")
	if !found {
		t.Fatal("the section is not there")
	}
	part, _, _ = strings.Cut(part, "\n## ")
	var told, real []string
	for _, hit := range regexp.MustCompile("`\\.([A-Z]\\w*)`").FindAllStringSubmatch(part, -1) {
		told = append(told, hit[1])
	}
	for _, of := range []reflect.Type{reflect.TypeFor[view](), reflect.TypeFor[entry]()} {
		for i := range of.NumField() {
			real = append(real, of.Field(i).Name)
		}
	}
	for _, name := range real {
		if !slices.Contains(told, name) {
			t.Errorf(".%s is not in templates/README.md", name)
		}
	}
	for _, name := range told {
		if !slices.Contains(real, name) {
			t.Errorf("templates/README.md tells of .%s, which pages are not given", name)
		}
	}
	n := &Newsletter{Looks: templates.Look("")}
	all, err := n.template()
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range all.Templates() {
		name := block.Name()
		if name != "page.html" && name != "top" && name != "bottom" && name != "address" && !strings.Contains(part, "`"+name+"`") {
			t.Errorf("the block %s is not in templates/README.md", name)
		}
	}
}
