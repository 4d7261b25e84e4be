package compose

import (
	"context"
	"fmt"
	"io/fs"
	"time"

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

// phrase writes a piece of a sentence that stands inside of a mail. Check has
// seen that the catalogue has it; where somebody has broken it since, its name
// stands there, since a poor mail is better than none.
func (n *Newsletter) phrase(name string, data any) string {
	text, err := phrase(n.Frame.Looks, name, data)
	if err != nil {
		return "(" + name + ")"
	}
	return text
}

// date writes an instant as the catalogue's block of this name does, in the
// newsletter's zone.
func (n *Newsletter) date(name string, t time.Time) string { return n.phrase(name, t.In(n.Zone)) }

// thousands writes 1604 as the newsletter's language does.
func (n *Newsletter) thousands(number int) string {
	s, err := templates.Read(n.Frame.Looks)
	if err != nil {
		return fmt.Sprint(number)
	}
	return s.Thousands(number)
}

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
