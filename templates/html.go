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
	t, err := ReadPage(looks, file)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return b.Bytes(), nil
}

// ReadPage is one of a look's HTML files, with the functions of the catalogue; say
// writes its sentences with what they mark.
func ReadPage(looks fs.FS, file string) (*template.Template, error) {
	return readPage(looks, file, func(s *Speaker) template.FuncMap {
		words := s.Words()
		words["say"] = s.sayHTML
		return words
	})
}

// sayHTML writes one of the catalogue's sentences as HTML: what it marks as
// strong is bold, its words to send back are code, and its links lead on.
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
