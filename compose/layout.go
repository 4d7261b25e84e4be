package compose

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"galley/compose/markdown"
	"galley/templates"
)

// partials are the texts that drafts name: the files of the folder partials,
// and the readers' links.
func (f *Frame) partials() (map[string]string, error) {
	texts := map[string]string{markdown.Suggestions: f.Suggestions}
	files, err := fs.Glob(f.Looks, "partials/*.md")
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		text, err := fs.ReadFile(f.Looks, name)
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", name, err)
		}
		texts[strings.ToLower(strings.TrimSuffix(path.Base(name), ".md"))] = string(text)
	}
	return texts, nil
}

// usualLayouts are what drafts for site generators say; they mean the
// newsletter's own look.
var usualLayouts = map[string]bool{"": true, "email": true, "newsletter": true, "issue": true, "post": true, "page": true, "default": true}

// dress puts the look that a draft asks for over the newsletter's own. An
// unknown name is told, with the names that there are.
func (f *Frame) dress(layout string) []markdown.Finding {
	name := strings.ToLower(strings.TrimSpace(layout))
	if look, ok := templates.Choose(f.Looks, name); ok {
		f.Looks = look
		return nil
	}
	if usualLayouts[name] {
		return nil
	}
	return []markdown.Finding{{
		Level: markdown.Warning, Code: "layout-unknown", Line: 1, Words: layout, Gaps: []any{strings.Join(templates.Names(f.Looks), ", ")},
	}}
}
