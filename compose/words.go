package compose

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"strings"
	"text/template"
	"unicode/utf8"

	"galley/compose/markdown"
)

// deskWords is the file of the desk's mails in the templates.
const deskWords = "desk.en.txt"

// say writes one of the desk's mails: its Subject, and its body in lines of
// at most 72 columns but for those that begin with a space.
func say(looks fs.FS, name string, data any) (subject, body string, err error) {
	t, err := template.New(deskWords).Funcs(wordFuncs).ParseFS(looks, deskWords)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", deskWords, err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return "", "", fmt.Errorf("%s: %w", deskWords, err)
	}
	subject, body, _ = strings.Cut(strings.TrimLeft(b.String(), "\n"), "\n")
	return strings.TrimSpace(subject), wrapText(body), nil
}

// phrase writes one of the catalogue's sentences, without a line break.
func phrase(looks fs.FS, name string, data any) (string, error) {
	first, rest, err := say(looks, name, data)
	return strings.TrimSpace(first + " " + strings.Join(strings.Fields(rest), " ")), err
}

var wordFuncs = template.FuncMap{
	"add":       func(a, b int) int { return a + b },
	"count":     plural,
	"thousands": thousands,
	"upper":     func(n string) string { return strings.ToUpper(n) },
	"pair":      func(a, b any) struct{ A, B any } { return struct{ A, B any }{a, b} },
	"join":      strings.Join,
	"quote":     func(s string) string { return "\"" + strings.Join(strings.Fields(s), " ") + "\"" },
	"indent":    func(n int, s string) string { return wrapIndent(s, n, n) },
	"lead":      lead,
	"first":     func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
	"figures":   func(n int, what string) string { return fmt.Sprintf("%7s  %s", thousands(n), what) },
}

// lead writes s behind a mark, its further lines indented as far.
func lead(mark, s string) string {
	n := utf8.RuneCountInString(mark)
	return mark + strings.TrimLeft(wrapIndent(s, n, n), " ")
}

// wrapText wraps paragraphs at 72 columns. Lines that begin with a space are
// left as they are: they hold words to copy, figures and code.
func wrapText(s string) string {
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
			line = wrapIndent(line, 0, 0)
		}
		b.WriteString(line + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// wrapIndent wraps s at 72 columns, its first line indented by first and the
// others by rest. A word longer than a line stands alone and is not cut.
func wrapIndent(s string, first, rest int) string {
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

// Check tells whether the templates of the desk's mails can be read: a fault
// in somebody's own file is better told at the start than at the first mail.
func (n *Newsletter) Check() error {
	if _, err := template.New(deskWords).Funcs(wordFuncs).ParseFS(n.Frame.Looks, deskWords); err != nil {
		return fmt.Errorf("newsletter %s: %s: %w", n.ID, deskWords, err)
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
