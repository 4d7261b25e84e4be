package templates

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
)

// HTML fills one of a look's HTML files, with the functions of the catalogue.
func HTML(looks fs.FS, file string, data any) ([]byte, error) {
	s, err := Read(looks)
	if err != nil {
		return nil, err
	}
	t, err := template.New(file).Funcs(template.FuncMap(s.Words())).ParseFS(looks, file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return b.Bytes(), nil
}
