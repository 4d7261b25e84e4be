package templates

import (
	"fmt"
	"html/template"
	"io/fs"
	"time"
)

// parsed is an HTML template with what it was made of.
type parsed struct {
	t     *template.Template
	at    time.Time // of its file
	words *Speaker
}

// Page reads the HTML template of this name, which knows the catalogue's words
// (Words) and raw. An error says where the file is wrong.
func Page(looks fs.FS, name string) (*template.Template, error) {
	return readPage(looks, name, func(s *Speaker) template.FuncMap {
		words := s.Words()
		words["raw"] = raw
		return words
	})
}

// readPage parses a template with the functions that words makes of the catalogue.
// One of a set that Look or Choose made is parsed anew only when the file or
// the catalogue has changed: to parse costs three times what it costs to fill.
// A file is always read with the same functions.
func readPage(looks fs.FS, name string, words func(*Speaker) template.FuncMap) (*template.Template, error) {
	speaker, err := Read(looks)
	if err != nil {
		return nil, err
	}
	s, ok := looks.(*set)
	if !ok {
		return parsePage(looks, name, words(speaker))
	}
	info, err := fs.Stat(s.FS, name)
	if err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.pages[name]; ok && p.words == speaker && p.at.Equal(info.ModTime()) {
		return p.t, nil
	}
	t, err := parsePage(looks, name, words(speaker))
	if err != nil {
		return nil, err
	}
	if s.pages == nil {
		s.pages = map[string]parsed{}
	}
	s.pages[name] = parsed{t, info.ModTime(), speaker}
	return t, nil
}

func parsePage(looks fs.FS, name string, words template.FuncMap) (*template.Template, error) {
	t, err := template.New(name).Funcs(words).ParseFS(looks, name)
	if err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return t, nil
}

// raw lets a template write bytes that html/template would drop: it drops
// comments, and Outlook reads some. It is only ever given the template's own
// words.
func raw(s string) template.HTML { return template.HTML(s) }
