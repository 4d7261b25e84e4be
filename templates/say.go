package templates

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"text/template"
	"unicode/utf8"
)

// Catalogue is the file that all of Galley's own mails stand in.
const Catalogue = "desk.en.txt"

// Say writes one of Galley's own mails out of a look's catalogue: its Subject,
// and its body in lines of at most 72 columns but for those that begin with a
// space.
func Say(looks fs.FS, name string, data any) (subject, body string, err error) {
	s, err := Read(looks)
	if err != nil {
		return "", "", err
	}
	return s.Say(name, data)
}

// Speaker writes mails out of a catalogue that was read once: reading it
// costs a hundred times what one mail does. Several goroutines may use it.
type Speaker struct{ blocks *template.Template }

// Read reads a look's catalogue. An error says where its text is wrong.
func Read(looks fs.FS) (*Speaker, error) {
	t, err := parse(looks)
	if err != nil {
		return nil, err
	}
	return &Speaker{t}, nil
}

// Say is the function of this name, with the catalogue at hand.
func (s *Speaker) Say(name string, data any) (subject, body string, err error) {
	var b bytes.Buffer
	if err := s.blocks.ExecuteTemplate(&b, name, data); err != nil {
		return "", "", fmt.Errorf("%s: %w", Catalogue, err)
	}
	subject, body, _ = strings.Cut(strings.TrimLeft(b.String(), "\n"), "\n")
	return strings.TrimSpace(subject), Wrap(body), nil
}

// Phrase writes one of the catalogue's sentences, without a line break.
func Phrase(looks fs.FS, name string, data any) (string, error) {
	first, rest, err := Say(looks, name, data)
	return strings.TrimSpace(first + " " + strings.Join(strings.Fields(rest), " ")), err
}

var wordFuncs = template.FuncMap{
	"add":       func(a, b int) int { return a + b },
	"count":     Count,
	"thousands": Thousands,
	"upper":     func(n string) string { return strings.ToUpper(n) },
	"pair":      func(a, b any) struct{ A, B any } { return struct{ A, B any }{a, b} },
	"join":      strings.Join,
	"quote":     func(s string) string { return "\"" + strings.Join(strings.Fields(s), " ") + "\"" },
	"indent":    func(n int, s string) string { return Indent(s, n, n) },
	"lead":      lead,
	"first":     func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
	"figures":   func(n int, what string) string { return fmt.Sprintf("%7s  %s", Thousands(n), what) },
}

// Words are the functions that the catalogue and the other templates share.
func Words() map[string]any { return wordFuncs }

// lead writes s behind a mark, its further lines indented as far.
func lead(mark, s string) string {
	n := utf8.RuneCountInString(mark)
	return mark + strings.TrimLeft(Indent(s, n, n), " ")
}

// Wrap wraps paragraphs at 72 columns. Lines that begin with a space are
// left as they are: they hold words to copy, figures and code.
func Wrap(s string) string {
	var b strings.Builder
	blank := true // no empty line at the start, never two in a row
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, " \n")
		if line == "" {
			if !blank {
				b.WriteByte('\n')
			}
			blank = true
			continue
		}
		blank = false
		if line[0] != ' ' {
			line = Indent(line, 0, 0)
		}
		b.WriteString(line + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// Indent wraps s at 72 columns, its first line indented by first and the
// others by rest. A word longer than a line stands alone and is not cut.
func Indent(s string, first, rest int) string {
	var lines []string
	for para := range strings.SplitSeq(strings.TrimSpace(s), "\n") {
		line, indent := "", first
		if len(lines) > 0 {
			indent = rest
		}
		for _, word := range strings.Fields(para) {
			if line != "" && indent+utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > 72 {
				lines = append(lines, strings.Repeat(" ", indent)+line)
				line, indent = "", rest
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		lines = append(lines, strings.TrimRight(strings.Repeat(" ", indent)+line, " "))
	}
	return strings.Join(lines, "\n")
}

// CheckWords tells whether a look's catalogue can be read and has every mail
// and sentence of ours: a fault in somebody's own file is better told at the
// start than at the first mail.
func CheckWords(looks fs.FS) error {
	t, err := parse(looks)
	if err != nil {
		return err
	}
	ours, err := parse(embedded)
	if err != nil {
		return err
	}
	var missing []string
	for _, block := range ours.Templates() {
		if t.Lookup(block.Name()) == nil {
			missing = append(missing, block.Name())
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("%s has no block %s; the built-in file shows what each says", catalogueOf(looks), strings.Join(missing, ", "))
	}
	return nil
}

// Speaking returns the template files with the catalogue of a language: where
// they hold desk.LANG.txt, it stands in the place of the English one. Of a
// language with a region (de-AT) the region's file counts first.
func Speaking(looks fs.FS, lang string) fs.FS {
	for lang != "" {
		file := "desk." + lang + ".txt"
		if _, err := fs.Stat(looks, file); err == nil {
			return speaking{looks, file}
		}
		cut := strings.LastIndexByte(lang, '-')
		lang = lang[:max(cut, 0)]
	}
	return looks
}

// speaking is template files whose catalogue is another one.
type speaking struct {
	fs.FS
	catalogue string
}

// Open finds the language's catalogue under the English one's name.
func (s speaking) Open(name string) (fs.File, error) {
	if name == Catalogue {
		name = s.catalogue
	}
	return s.FS.Open(name)
}

// ReadDir is that of the files themselves.
func (s speaking) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(s.FS, name) }

// catalogueOf is the name of the file that a look's words stand in.
func catalogueOf(looks fs.FS) string {
	if s, ok := looks.(speaking); ok {
		return s.catalogue
	}
	return Catalogue
}

func parse(looks fs.FS) (*template.Template, error) {
	t, err := template.New(Catalogue).Funcs(wordFuncs).ParseFS(looks, Catalogue)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Catalogue, err)
	}
	return t, nil
}

// Count writes a number with what it counts: 1 reader, 1,604 readers.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Thousands(n) + " " + many
}

// Thousands writes 1604 as 1,604.
func Thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
