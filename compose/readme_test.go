package compose

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var fieldName = regexp.MustCompile("`\\.([A-Z]\\w*)`")

// TestREADMETellsWhatIssuesAreGiven keeps the guide for people who write looks
// complete: every field that a template of an issue can use stands in it, and no
// other does.
func TestREADMETellsWhatIssuesAreGiven(t *testing.T) {
	text, err := os.ReadFile("../templates/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "## What an issue's files are given")
	part, _, found := strings.Cut(part, "\n## ")
	if !found {
		t.Fatal("the section is not there")
	}
	var told []string
	for _, hit := range fieldName.FindAllStringSubmatch(part, -1) {
		told = append(told, hit[1])
	}
	var real []string
	for _, of := range []reflect.Type{reflect.TypeFor[Page](), reflect.TypeFor[Image]()} {
		for i := range of.NumField() {
			if of.Field(i).IsExported() {
				real = append(real, of.Field(i).Name)
			}
		}
	}
	real = append(real, "ContentsLine", "ID") // a method, and what of a section is told
	for _, name := range real {
		if !slices.Contains(told, name) {
			t.Errorf(".%s is not in templates/README.md", name)
		}
	}
	for _, name := range told {
		if !slices.Contains(real, name) {
			t.Errorf("templates/README.md tells of .%s, which issues are not given", name)
		}
	}
	for _, name := range []string{"raw", "wrap", "rule", "upper"} {
		if !strings.Contains(part, "`"+name+"`") {
			t.Errorf("the function %s is not told of", name)
		}
	}
}
