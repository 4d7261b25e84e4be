package templates

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"
	"unicode"
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
type Speaker struct {
	blocks   *template.Template
	calendar *strings.Replacer // from the English names of days and months
	numbers  []string          // as sentences spell them, from 0
	comma    string            // between thousands
	lang     string            // of the catalogue
}

// Read reads a look's catalogue, or hands out what it read of it before. An
// error says where its text is wrong.
func Read(looks fs.FS) (*Speaker, error) {
	if s, ok := looks.(*set); ok {
		return s.speaker()
	}
	return parse(looks)
}

// Say is the function of this name, with the catalogue at hand.
func (s *Speaker) Say(name string, data any) (subject, body string, err error) {
	text, err := s.execute(name, data)
	if err != nil {
		return "", "", err
	}
	subject, body, _ = strings.Cut(strings.TrimLeft(marks.Replace(text), "\n"), "\n")
	return strings.TrimSpace(subject), Wrap(body), nil
}

// execute writes a block with the marks of strong words and of words to send
// back, which only HTML shows.
func (s *Speaker) execute(name string, data any) (string, error) {
	var b bytes.Buffer
	if err := s.blocks.ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("%s: %w", Catalogue, err)
	}
	return b.String(), nil
}

// The marks are characters that no mail holds (RFC 5322 section 2.3).
var (
	marks     = strings.NewReplacer("\x02", "", "\x03", "", "\x04", "", "\x05", "", "\x06", "", "\x07", " ", "\x08", "")
	htmlMarks = strings.NewReplacer("\x02", "<b>", "\x03", "</b>", "\x04", "<code>", "\x05", "</code>",
		"\x06", `<a href="`, "\x07", `">`, "\x08", "</a>")
)

// Phrase writes one of the catalogue's sentences, without a line break.
func Phrase(looks fs.FS, name string, data any) (string, error) {
	s, err := Read(looks)
	if err != nil {
		return "", err
	}
	return s.Phrase(name, data)
}

// Phrase is the function of this name, with the catalogue at hand.
func (s *Speaker) Phrase(name string, data any) (string, error) {
	first, rest, err := s.Say(name, data)
	return strings.TrimSpace(first + " " + strings.Join(strings.Fields(rest), " ")), err
}

// parted is a sentence of the catalogue with what stands in its gaps.
type parted interface {
	Parts() (name string, gaps []any)
}

// Fill writes a sentence whose gaps the catalogue calls .A, .B and so on, and
// the lines below it. Sentences may stand in the gaps of others.
func (s *Speaker) Fill(name string, gaps []any) (first, rest string, err error) {
	data := map[string]any{}
	for i, gap := range gaps {
		if data[string(rune('A'+i))], err = s.gap(gap); err != nil {
			return "", "", err
		}
	}
	text, err := s.execute(name, data)
	if err != nil {
		return "", "", err
	}
	first, rest, _ = strings.Cut(text, "\n")
	return first, rest, nil
}

// gap is what stands in a gap: sentences are written, all else is itself.
func (s *Speaker) gap(v any) (any, error) {
	p, ok := v.(parted)
	if !ok {
		return v, nil
	}
	name, gaps := p.Parts()
	if name == "" {
		return "", nil
	}
	text, _, err := s.Fill(name, gaps)
	return text, err
}

// Words are the functions that the catalogue and the other templates share;
// say in them writes one of the catalogue's sentences.
func (s *Speaker) Words() map[string]any {
	all := maps.Clone(wordFuncs)
	all["date"], all["thousands"], all["count"], all["spell"] = s.Date, s.Thousands, s.Count, s.spell
	all["figures"] = func(n int, what string) string { return fmt.Sprintf("%7s  %s", s.Thousands(n), what) }
	all["say"] = func(name string, data ...any) (string, error) {
		var d any
		if len(data) > 0 {
			d = data[0]
		}
		return s.Phrase(name, d)
	}
	return all
}

// Lang is the language of the catalogue, such as de or pt-BR.
func (s *Speaker) Lang() string { return s.lang }

// Thousands writes 1604 as the language does.
func (s *Speaker) Thousands(n int) string { return strings.ReplaceAll(Thousands(n), ",", s.comma) }

// Count writes a number with what it counts: 1 reader, 1,604 readers.
func (s *Speaker) Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return s.Thousands(n) + " " + many
}

// spell writes a small number as a word.
func (s *Speaker) spell(n int) string {
	if n >= 0 && n < len(s.numbers) {
		return s.numbers[n]
	}
	return s.Thousands(n)
}

// Date writes a day or an hour in a layout of package time, with the days and
// months in the catalogue's language.
func (s *Speaker) Date(layout string, t time.Time) string {
	return s.calendar.Replace(t.Format(layout))
}

// calendarNames are the blocks that hold the names of days and months, each
// with the layout that writes one in English and the step from one to the next.
var calendarNames = []struct {
	block, layout string
	many          int
	days, months  int
}{
	{"weekdays", "Monday", 7, 1, 0}, {"months", "January", 12, 0, 1},
	{"short-weekdays", "Mon", 7, 1, 0}, {"short-months", "Jan", 12, 0, 1},
}

// names reads the catalogue's names of days and months, which stand in lines
// of their own from Sunday and from January.
func (s *Speaker) names() error {
	var pairs []string
	for _, c := range calendarNames {
		text, err := s.optional(c.block)
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		theirs := strings.Split(text, ", ")
		if len(theirs) != c.many {
			return fmt.Errorf("%s: block %s has %d names, not %d, with a comma between", Catalogue, c.block, len(theirs), c.many)
		}
		for i, name := range theirs { // 1 January 2023 was a Sunday
			english := time.Date(2023, time.January, 1, 12, 0, 0, 0, time.UTC).AddDate(0, i*c.months, i*c.days).Format(c.layout)
			pairs = append(pairs, english, name)
		}
	}
	s.calendar = strings.NewReplacer(pairs...)
	numbers, err := s.optional("small-numbers")
	if err != nil {
		return err
	}
	s.numbers = strings.Split(numbers, ", ")
	s.comma, err = s.optional("thousands-separator")
	return err
}

// optional is a block's sentence, "" where there is no such block: CheckWords
// names what is missing.
func (s *Speaker) optional(block string) (string, error) {
	if s.blocks.Lookup(block) == nil {
		return "", nil
	}
	return s.Phrase(block, nil)
}

var wordFuncs = template.FuncMap{
	"add":       func(a, b int) int { return a + b },
	"count":     Count,
	"thousands": Thousands,
	"weight":    weight,
	"strong":    func(v any) string { return "\x02" + fmt.Sprint(v) + "\x03" },
	"word":      func(v any) string { return "\x04" + fmt.Sprint(v) + "\x05" },
	"link":      func(url, words any) string { return "\x06" + fmt.Sprint(url) + "\x07" + fmt.Sprint(words) + "\x08" },
	"upper":     func(n string) string { return strings.ToUpper(n) },
	"pair":      func(a, b any) struct{ A, B any } { return struct{ A, B any }{a, b} },
	"join":      strings.Join,
	"quote":     func(s string) string { return "\"" + strings.Join(strings.Fields(s), " ") + "\"" },
	"indent":    func(n int, s string) string { return Indent(s, n, n) },
	"lead":      lead,
	"first":     first,
	"figures":   func(n int, what string) string { return fmt.Sprintf("%7s  %s", Thousands(n), what) },
}

// first writes a sentence's first letter as a capital.
func first(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// weight is a size in octets as people say it.
func weight(octets int) string {
	if octets < 1_000_000 {
		return fmt.Sprintf("%d kB", max(1, (octets+500)/1000))
	}
	return fmt.Sprintf("%.1f MB", float64(octets)/1e6)
}

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
	t, err := Read(looks)
	if err != nil {
		return err
	}
	whole, err := builtIn()
	if err != nil {
		return err
	}
	var missing []string
	for _, block := range whole.blocks.Templates() {
		if t.blocks.Lookup(block.Name()) == nil {
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
		if file == Catalogue {
			return looks
		}
		if _, err := fs.Stat(looks, file); err == nil {
			return &set{FS: speaking{looks, file}}
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
	if kept, ok := looks.(*set); ok {
		looks = kept.FS
	}
	if s, ok := looks.(speaking); ok {
		return s.catalogue
	}
	return Catalogue
}

func parse(looks fs.FS) (*Speaker, error) {
	s := &Speaker{}
	t, err := template.New(Catalogue).Funcs(s.Words()).ParseFS(looks, Catalogue)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Catalogue, err)
	}
	s.blocks = t
	s.lang = strings.TrimSuffix(strings.TrimPrefix(catalogueOf(looks), "desk."), ".txt")
	return s, s.names()
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
