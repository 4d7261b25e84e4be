package templates

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"strings"
)

// HTML fills one of a look's HTML files, with the functions of the catalogue.
func HTML(looks fs.FS, file string, data any) ([]byte, error) {
	t, err := readPage(looks, file, func(s *Speaker) template.FuncMap {
		words := s.Words()
		words["say"] = s.sayHTML
		return words
	})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return b.Bytes(), nil
}

// sayHTML writes one of the catalogue's sentences as HTML: what it marks as
// strong is bold, and its words to send back are code.
func (s *Speaker) sayHTML(name string, data ...any) (template.HTML, error) {
	var d any
	if len(data) > 0 {
		d = data[0]
	}
	text, err := s.execute(name, d)
	if err != nil {
		return "", err
	}
	text = template.HTMLEscapeString(strings.Join(strings.Fields(text), " "))
	return template.HTML(htmlMarks.Replace(text)), nil
}
