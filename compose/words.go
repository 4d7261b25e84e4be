package compose

import (
	"context"
	"fmt"
	"io/fs"

	"galley/compose/markdown"
	"galley/templates"
)

// say writes one of the desk's mails: its Subject and its body.
func say(looks fs.FS, name string, data any) (subject, body string, err error) {
	return templates.Say(looks, name, data)
}

// phrase writes one of the catalogue's sentences, without a line break.
func phrase(looks fs.FS, name string, data any) (string, error) {
	return templates.Phrase(looks, name, data)
}

// plural writes a number with what it counts.
func plural(n int, one, many string) string { return templates.Count(n, one, many) }

// thousands writes 1604 as 1,604.
func thousands(n int) string { return templates.Thousands(n) }

// Check tells whether the templates of the desk's mails can be read: a fault
// in somebody's own file is better told at the start than at the first mail.
func (n *Newsletter) Check() error {
	if err := templates.CheckWords(n.Frame.Looks); err != nil {
		return fmt.Errorf("newsletter %s: %w", n.ID, err)
	}
	_, err := Render(context.Background(), markdown.Source{Text: []byte("# Check\n\nA [link](https://example.org/).\n"), Exact: true}, 1, n.Frame)
	if err != nil {
		return fmt.Errorf("newsletter %s: %w", n.ID, err)
	}
	v := &proofView{}
	if _, err := v.html(n, []byte("<body>")); err != nil {
		return fmt.Errorf("newsletter %s: %w", n.ID, err)
	}
	return nil
}
