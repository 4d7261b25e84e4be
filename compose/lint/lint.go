package lint

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"galley/compose/markdown"

	"golang.org/x/net/html"
)

// Input is a rendered issue and what is known around it. Every field may be
// empty; then the checks that need it are silent.
type Input struct {
	Doc   *markdown.Document
	Draft *markdown.Draft
	// HTML and Text are the parts of the mail as readers get them.
	HTML, Text []byte
	// Subject and Preheader are what a mailbox shows of the mail.
	Subject, Preheader string
	// Unsubscribe is the URL that stands for leaving in both parts.
	Unsubscribe string
	// Published tells in which issue a canonical link went out before.
	Published func(canonicalURL string) (issue int, ok bool)
	// ReplyTo is the newsletter's own address, bare.
	ReplyTo string
	// Sections are the names of the newsletter's usual sections, Aliases the
	// other names by which the editor calls them.
	Sections, Aliases []string
	// Web is the page of the archive.
	Web []byte
	// Number is the issue's, Next the one that is to be expected; 0 when unknown.
	Number, Next int
	// Written is when the draft was mailed.
	Written time.Time
	// Picture tells what is known of an image; nil when nothing is.
	Picture func(url string) (Picture, bool)
	// Files are the pictures that came with the draft, Missing the names of those
	// that the draft shows and that did not come.
	Files   []File
	Missing []string
	// HasSite tells that paths without a host are the newsletter's own site's.
	HasSite bool
}

// Picture is what is known of an image: pixels, and bytes as it is sent.
type Picture struct{ Width, Height, Bytes int }

// Sizes are the figures of an issue. Bytes are of the decoded parts.
type Sizes struct {
	HTML   int `json:"html"`
	Text   int `json:"text"`
	Words  int `json:"words"`
	Links  int `json:"links"`
	Images int `json:"images"`
	// Unsubscribe is where the link for leaving begins in the HTML, in bytes;
	// -1 when there is none.
	Unsubscribe int `json:"unsubscribe"`
}

// Measure returns the figures of an issue.
func Measure(in Input) Sizes {
	s := Sizes{HTML: len(in.HTML), Text: len(in.Text), Unsubscribe: -1}
	if in.Unsubscribe != "" {
		s.Unsubscribe = bytes.Index(in.HTML, []byte(in.Unsubscribe))
	}
	if in.Doc != nil {
		s.Words, s.Links, s.Images = in.Doc.Words, len(in.Doc.Links), len(in.Doc.Images)
	}
	return s
}

// checks are run in this order; Check sorts what they find.
var checks = []func(*issue) []markdown.Finding{
	size, leaving, subject, preheader, length,
	links, fragments, repeats, images, files, sitePaths,
	placeholders, brackets, quotes, imageAfterQuote, underlined, emptyHeadings, sections, addresses,
	dates, weekdays, number, junkWords, attached, webWords, contrast, support,
}

// issue is the input with what several checks need of it.
type issue struct {
	Input
	sizes Sizes
	lines []line     // the draft's body
	lower string     // all their prose in small letters
	root  *html.Node // the mail's HTML
}

// Check returns what the editor should know, errors first, then warnings, then
// notes, each by line.
func Check(in Input) []markdown.Finding {
	if in.Doc == nil {
		in.Doc = &markdown.Document{}
	}
	i := &issue{Input: in, sizes: Measure(in)}
	if in.Draft != nil {
		i.lines = read(in.Draft)
		i.lower = whole(i.lines)
	}
	if root, err := html.Parse(bytes.NewReader(in.HTML)); err == nil {
		i.root = root
	}
	var found []markdown.Finding
	for _, check := range checks {
		found = append(found, check(i)...)
	}
	Sort(found)
	return found
}

// lineOf is the line of the draft where the mail's words stand, 0 when they come
// from a template. Words that Markdown marks up are cut by the marks, so the
// first few serve.
func (i *issue) lineOf(words string) int {
	words, _, _ = strings.Cut(words, "\n")
	if runes := []rune(words); len(runes) > 24 {
		words = string(runes[:24])
	}
	for _, l := range i.lines {
		if words != "" && strings.Contains(l.raw, words) {
			return l.number
		}
	}
	return 0
}

// Sort puts findings in the order of a proof: errors, warnings, notes, each by
// line; equal ones stay as they were.
func Sort(found []markdown.Finding) {
	slices.SortStableFunc(found, func(a, b markdown.Finding) int {
		return cmp.Or(cmp.Compare(rank(a.Level), rank(b.Level)), cmp.Compare(a.Line, b.Line))
	})
}

func rank(l markdown.Level) int {
	switch l {
	case markdown.Error:
		return 0
	case markdown.Warning:
		return 1
	}
	return 2
}

// short cuts quoted words to what a line of a proof holds.
func short(words string) string {
	words = strings.Join(strings.Fields(words), " ")
	runes := []rune(words)
	if len(runes) <= 60 {
		return words
	}
	return string(runes[:57]) + "…"
}
