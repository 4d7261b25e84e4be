package compose

import (
	"fmt"
	"strings"

	"galley/compose/markdown"
	"galley/templates"
)

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
		Level: markdown.Warning, Code: "layout-unknown", Line: 1, Words: layout,
		Message: fmt.Sprintf("There is no look of this name; the issue gets the newsletter's own. There are: %s.", strings.Join(templates.Names(f.Looks), ", ")),
		Remedy:  "Write one of them behind layout:, or leave the key out.",
	}}
}
