package mime

import (
	"path"
	"regexp"
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
)

// The forms in which a draft is mailed, the surest first.
const (
	FormAttachment = "attachment"
	FormText       = "text"
	FormHTML       = "html"
)

// DraftText finds the text of a draft in m. Of several forms the surest
// counts: a Markdown or text attachment, then plain text, then HTML. Plain
// text made by a mail program from formatted HTML, which has lost links on
// the way, gives way to that HTML; so does plain text that the program cut into
// lines, where the HTML has the same words in whole ones. name is that of the
// attachment; exact says that no mail program touched the text. ok is false
// when there is no text.
func DraftText(m *Message) (text []byte, form, name string, exact, ok bool) {
	if p := draftAttachment(m); p != nil {
		return []byte(p.Text()), FormAttachment, p.Name, true, true
	}
	page := unword(m.HTML)
	typed := linesText(ownLines(render(page, true)))
	byHand := typedMarkdown(typedWords(page))
	plain := strings.TrimSpace(m.Plain) != ""
	rich := page != "" && isRich(page)
	if plain && (!rich || typedMarkdown(m.Plain) || !losesLinks(m)) {
		if byHand && wholer(typed, m.Plain) {
			return []byte(typed), FormHTML, "", false, true
		}
		return []byte(m.Plain), FormText, "", false, true
	}
	if strings.TrimSpace(page) == "" {
		return nil, "", "", false, false
	}
	if rich && !byHand {
		if md, done := richMarkdown(page); done {
			return []byte(md), FormHTML, "", false, true
		}
	}
	return []byte(typed), FormHTML, "", false, strings.TrimSpace(typed) != ""
}

// typedWords is what was typed into a page, without what its elements add.
func typedWords(page string) string {
	var b strings.Builder
	for _, l := range (&renderer{typed: true, bare: true}).read(page) {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

// ownLines takes off the end what a mail program put below the draft: a
// signature, the mail that was answered.
func ownLines(lines []HTMLLine) []HTMLLine {
	n := len(lines)
	for n > 0 && (lines[n-1].Text == "" || lines[n-1].Mark != MarkNone && lines[n-1].Mark != MarkForward) {
		n--
	}
	if n == 0 {
		return lines
	}
	return lines[:n]
}

// doubled is the address that Exchange writes behind one in its plain text.
var doubled = regexp.MustCompile(`<(?:https?|mailto):[^<>\s]*>`)

// wholer tells whether a has the words of b in fewer lines, or without the
// addresses that a mail program wrote twice.
func wholer(a, b string) bool {
	lines := func(s string) int { return strings.Count(strings.TrimSpace(s), "\n") }
	squeeze := func(s string) string { return strings.Join(strings.Fields(doubled.ReplaceAllString(s, "")), "") }
	return (lines(a) < lines(b) || len(doubled.FindAllString(a, -1)) < len(doubled.FindAllString(b, -1))) && squeeze(a) == squeeze(b)
}

// draftAttachment picks the first file by the order .md, .markdown, .txt.
func draftAttachment(m *Message) *Part {
	for _, ext := range []string{".md", ".markdown", ".mdown", ".txt"} {
		for i := range m.Parts {
			p := &m.Parts[i]
			if strings.EqualFold(path.Ext(p.Name), ext) && p.Size > 0 && p.Size <= MaxText {
				return p
			}
		}
	}
	for i := range m.Parts {
		if p := &m.Parts[i]; p.Type == "text/markdown" && p.Attached() && p.Size > 0 && p.Size <= MaxText {
			return p
		}
	}
	return nil
}

var (
	richElement = regexp.MustCompile(`(?i)<(h[1-6]|ul|ol|b|strong|table)[\s>]`)
	richLink    = regexp.MustCompile(`(?is)<a\s[^>]*href\s*=\s*["']?(https?:[^"'\s>]+)[^>]*>(.*?)</a>`)
	anyTag      = regexp.MustCompile(`<[^>]*>`)
	markdown    = regexp.MustCompile(`(?m)^(#{1,6} \S|\s*[-*+] \S|\d+[.)] \S|>+ ?\S)|\]\(\s*https?:|^---+\s*$|^title:`)
	frontMatter = regexp.MustCompile(`\A\s*[-–—]{2,}\s*\n\s*[A-Za-z-]+\s*:`)
)

// isRich tells whether HTML is formatted, and not just text in a mail program.
func isRich(page string) bool {
	return richElement.MatchString(page) || len(otherLinks(page)) > 0
}

// otherLinks lists the addresses of links whose text is not the address.
func otherLinks(page string) []string {
	var all []string
	for _, m := range richLink.FindAllStringSubmatch(page, 500) {
		text := strings.TrimSpace(anyTag.ReplaceAllString(m[2], ""))
		if text != "" && !sameURL(text, m[1]) {
			all = append(all, m[1])
		}
	}
	return all
}

// losesLinks tells whether the plain text lacks addresses of the HTML.
func losesLinks(m *Message) bool {
	for _, href := range otherLinks(m.HTML) {
		if !strings.Contains(m.Plain, href) {
			return true
		}
	}
	return false
}

// typedMarkdown tells whether somebody typed Markdown: front matter, or marks
// on at least two lines.
func typedMarkdown(text string) bool {
	return frontMatter.MatchString(text) || len(markdown.FindAllStringIndex(text, 2)) >= 2
}

// richMarkdown converts formatted HTML. done is false when the converter
// gives up, as it does on more than 512 nested elements.
func richMarkdown(page string) (md string, done bool) {
	c := converter.NewConverter(converter.WithPlugins(base.NewBasePlugin(), commonmark.NewCommonmarkPlugin(), table.NewTablePlugin()))
	out, err := c.ConvertString(unwrapLinks(page))
	if err != nil || strings.TrimSpace(out) == "" {
		return "", false
	}
	return strings.ReplaceAll(out, "\u00a0", " ") + "\n", true
}

var hrefValue = regexp.MustCompile(`(?i)href\s*=\s*"(https?:[^"]+)"`)

// unwrapLinks takes redirectors off before the converter sees them.
func unwrapLinks(page string) string {
	return hrefValue.ReplaceAllStringFunc(page, func(s string) string {
		m := hrefValue.FindStringSubmatch(s)
		href := strings.ReplaceAll(m[1], "&amp;", "&")
		if plain := UnwrapURL(href); plain != href {
			return `href="` + strings.ReplaceAll(plain, "&", "&amp;") + `"`
		}
		return s
	})
}
