package compose

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"galley/templates"
	"html/template"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode"

	"galley/compose/inline"
	"galley/compose/lint"
	"galley/compose/markdown"
	"galley/send/message"
)

// Frame is what a newsletter brings to every issue.
type Frame struct {
	Name, Tagline string
	Host          string // the site's URL without a slash at the end, "" when there is no site
	ArchivePath   string // where issues live on the site, such as /newsletter_issues
	PostalAddress string
	Lang          string // BCP 47; a draft's lang: overrides it
	ReplyTo       string // the newsletter's own address, bare
	Looks         fs.FS  // the template files, as templates.Look gives them
	Sections      []string
	Aliases       []string // other names of the sections
	// Voices tells who sent a link; nil when nobody is thanked.
	Voices      func(canonicalURL string) []Voice
	Suggestions string // what {{suggestions}} in a draft stands for: items in Markdown, "" when none wait
	Next        int    // the number that an issue is expected to have, 0 when any will do
	// Published tells in which issue a link went out before; nil when unknown.
	Published func(canonicalURL string) (issue int, ok bool)
	// Picture tells what is known of an image; nil when nothing is.
	Picture func(url string) (lint.Picture, bool)
	// Brought are the pictures that came with this draft, Kept those of earlier
	// revisions; Beside finds others, as files beside a draft. It may be nil.
	Brought, Kept []*Attached
	Beside        func(ref string) *Attached
	// HostPictures has the site serve the pictures; without it, and without a
	// site, every copy carries them.
	HostPictures bool
}

// Rendered is one issue as readers would get it, and what the editor should know
// about it. HTML and Text hold message.SlotUnsubscribe where each reader's own
// link for leaving belongs.
type Rendered struct {
	Number                    int // 0 when nothing names one
	Slug, Title               string
	Subject, Preheader        string
	Date                      string // YYYY-MM-DD, "" when unknown
	HTML, Text, Web, Markdown []byte
	Doc                       *markdown.Document
	Draft                     *markdown.Draft
	Findings                  []markdown.Finding // errors first
	Sizes                     lint.Sizes
	Digest                    string               // SHA-256 in hex over all that readers see
	Feed                      []byte               // the issue as a feed's entry holds it
	Inline                    []message.Attachment // what HTML refers to as cid:
	Waiting                   []string             // links that had not answered when Reach asked
	Used                      []*Attached          // the attached pictures that the issue names

	hero markdown.Shown // of an attached hero image
	lost []string       // pictures that did not come

	looks fs.FS // the words of the findings
}

// Errors counts the findings that stop an approval.
func (r *Rendered) Errors() int {
	n := 0
	for _, f := range r.Findings {
		if f.Level == markdown.Error {
			n++
		}
	}
	return n
}

// Sendable is false when the issue may not go out at all, not even by "approve
// anyway": too big for Gmail, no way to leave, no subject.
func (r *Rendered) Sendable() bool {
	return !slices.ContainsFunc(r.Findings, lint.Final)
}

// Render makes an issue of a draft. It is pure: the same draft and frame give the
// same bytes. number is the issue's number, 0 to take it from the draft. An error
// means that nothing could be made: the draft is over the limits of package
// markdown, ctx ended, or a template is faulty. Faults of the draft are findings.
func Render(ctx context.Context, src markdown.Source, number int, f Frame) (*Rendered, error) {
	var err error
	if src.Partials, err = f.partials(); err != nil {
		return nil, err
	}
	src.Text = f.placed(src.Text)
	draft := markdown.Read(src)
	doc, found, err := markdown.Parse(ctx, draft)
	if err != nil {
		return nil, fmt.Errorf("read the draft: %w", err)
	}
	doc.Slot = message.SlotField
	if doc.Labels, err = f.labels(); err != nil {
		return nil, err
	}
	found = append(found, f.dress(doc.Front.Layout)...)
	r := &Rendered{Doc: doc, Draft: draft, Markdown: draft.Markdown()}
	r.name(number)
	r.pictures(&f)
	if err := r.write(f); err != nil {
		return nil, err
	}
	r.check(f, src.Date, slices.Concat(draft.Findings, found))
	r.Digest, r.looks = r.digest(), f.Looks
	return r, r.speak()
}

// labels are the words that the text part sets itself.
func (f *Frame) labels() (map[string]string, error) {
	s, err := templates.Read(f.Looks)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, name := range []string{"image", "note"} {
		if out[name], err = s.Phrase("issue-"+name, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// numbered matches the number at the head of a title: "#129 - 9 Jul 2022".
var numbered = regexp.MustCompile(`^#(\d{1,6})\b\s*[-–—:.,|]*\s*`)

// name settles what the issue is called.
func (r *Rendered) name(number int) {
	front := r.Doc.Front
	r.Title = oneLine(front.Title)
	r.Subject = r.Title
	r.Preheader = oneLine(front.Preheader)
	if r.Preheader == "" {
		r.Preheader = oneLine(front.Subtitle)
	}
	r.Date = front.Date
	r.Number = number
	if r.Number == 0 {
		r.Number = NumberOf(front)
	}
	r.Slug = slug(front.Slug, r.Number)
}

// slug is the last part of the issue's address: four digits, as archives of
// newsletters are used to, unless the draft chose another.
func slug(chosen string, number int) string {
	if clean := unsafeSlug.ReplaceAllString(strings.ToLower(chosen), "-"); strings.Trim(clean, "-.") != "" {
		return strings.Trim(clean, "-.")
	}
	if number > 0 {
		return fmt.Sprintf("%04d", number)
	}
	return ""
}

var unsafeSlug = regexp.MustCompile(`[^a-z0-9._-]+`)

// oneLine keeps a header's words and none of its control characters: a title
// becomes a Subject.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// Image is a picture that a template shows. Width is that of the column or,
// where it is less, the picture's own, in pixels. URL is checked where it is
// made; templates would let no cid: through otherwise.
type Image struct {
	URL   template.URL
	Alt   string
	Width int
}

// Page is what the templates of an issue are given; templates/README.md
// describes it for those who write their own.
type Page struct {
	Lang, Name, Tagline string
	Number              int
	Title, Headline     string
	Subtitle, Preheader string
	Date, DateISO       string
	WebURL, ArchiveURL  string
	UnsubscribeURL      string
	PostalAddress       string
	Credits             string // whom the links are owed to, "" when nobody sent one
	Hero                *Image
	ShareImage          string
	Contents            []markdown.Section
	Body                template.HTML // of the HTML files
	TextBody            string        // of issue.txt

	inThisIssue string // above the contents
}

// ContentsLine is the table of contents as one sentence.
func (p *Page) ContentsLine() string {
	titles := make([]string, len(p.Contents))
	for i, s := range p.Contents {
		titles[i] = s.Title
	}
	return p.inThisIssue + ": " + strings.Join(titles, "; ")
}

// write fills the three templates.
func (r *Rendered) write(f Frame) error {
	p, err := r.page(f)
	if err != nil {
		return err
	}
	p.UnsubscribeURL = message.SlotUnsubscribe
	mail, err := fill(f.Looks, "issue.html", p, r.Doc.HTML("mail"))
	if err != nil {
		return err
	}
	if r.HTML, err = inline.Inline(mail); err != nil {
		return fmt.Errorf("template issue.html: %w", err)
	}
	if r.Text, err = fillText(f.Looks, "issue.txt", p, r.Doc.Text("mail")); err != nil {
		return err
	}
	p.Contents = contents(r.Doc, markdown.Web)
	p.Hero = r.onWeb(p.Hero)
	p.UnsubscribeURL = "" // never on a page that anybody may read
	r.Web, err = fill(f.Looks, "web.html", p, r.Doc.HTML("web"))
	r.Feed = r.entry(p)
	return err
}

func (r *Rendered) page(f Frame) (p *Page, err error) {
	p = &Page{
		Lang: r.Doc.Front.Lang, Name: f.Name, Tagline: f.Tagline,
		Number: r.Number, Title: r.Title, Subtitle: oneLine(r.Doc.Front.Subtitle), Preheader: r.Preheader,
		PostalAddress: f.PostalAddress, Contents: contents(r.Doc, markdown.Mail), DateISO: r.Date,
	}
	if p.Lang == "" {
		p.Lang = f.Lang
	}
	if p.Lang == "" {
		p.Lang = "en"
	}
	if p.Date, err = longDate(f.Looks, r.Date, p.Lang); err != nil {
		return nil, err
	}
	if p.inThisIssue, err = phrase(f.Looks, "issue-contents", nil); err != nil {
		return nil, err
	}
	p.Headline = headline(r.Title)
	if f.Host != "" {
		p.ArchiveURL = f.Host + f.ArchivePath
		p.WebURL = p.ArchiveURL + "/" + r.Slug
	}
	p.Hero, p.ShareImage = r.heroOf(&f)
	p.Credits, err = r.credits(&f)
	return p, err
}

// contents is the table of contents of one medium. A list of one leads nobody
// anywhere.
func contents(doc *markdown.Document, m markdown.Medium) []markdown.Section {
	if all := doc.ContentsOf(m); len(all) > 1 {
		return all
	}
	return nil
}

// longDate writes 2022-07-09 as people do, in the catalogue's language. An issue
// in another one keeps the form that is read everywhere.
func longDate(looks fs.FS, iso, lang string) (string, error) {
	s, err := templates.Read(looks)
	if err != nil {
		return "", err
	}
	day, err := time.Parse(time.DateOnly, iso)
	if err != nil || !strings.HasPrefix(strings.ToLower(lang), strings.ToLower(s.Lang())) {
		return iso, nil
	}
	return s.Phrase("day-year", day)
}

// headline is what the title says beyond number and date; the masthead shows
// those already.
func headline(title string) string {
	rest := numbered.ReplaceAllString(title, "")
	if isDate(rest) {
		return ""
	}
	for _, between := range []string{" - ", " – ", " — ", " | "} {
		if at := strings.LastIndex(rest, between); at > 0 && isDate(rest[at+len(between):]) {
			return strings.TrimSpace(rest[:at])
		}
	}
	return rest
}

func isDate(s string) bool {
	for _, layout := range []string{"2 Jan 2006", "2 January 2006", "Jan 2, 2006", "January 2, 2006", "2 Jan, 2006", time.DateOnly} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

// fill executes an HTML template.
func fill(looks fs.FS, name string, p *Page, body []byte) ([]byte, error) {
	t, err := templates.Page(looks, name)
	if err != nil {
		return nil, err
	}
	p.Body = template.HTML(body)
	var b bytes.Buffer
	b.Grow(len(body) + len(body)/2 + 16<<10)
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// textWidth is the measure of the text part (RFC 5322 section 2.1.1 asks for 78
// at most).
const textWidth = 72

func fillText(looks fs.FS, name string, p *Page, body []byte) ([]byte, error) {
	funcs := texttemplate.FuncMap{
		"wrap":  func(s string) string { return wrap(s, textWidth) },
		"rule":  func() string { return strings.Repeat("-", textWidth) },
		"upper": strings.ToUpper,
	}
	s, err := templates.Read(looks)
	if err != nil {
		return nil, err
	}
	t, err := texttemplate.New(name).Funcs(s.Words()).Funcs(funcs).ParseFS(looks, name)
	if err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	p.TextBody = strings.Trim(string(body), "\n") + "\n"
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return append(bytes.TrimSpace(b.Bytes()), '\n'), nil
}

// wrap breaks a line at spaces so that none is longer than width, unless one
// word is.
func wrap(s string, width int) string {
	var b strings.Builder
	at := 0
	for i, word := range strings.Fields(s) {
		n := len([]rune(word))
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteByte('\n')
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

// check lets lint look at the result and gathers all findings.
func (r *Rendered) check(f Frame, written time.Time, found []markdown.Finding) {
	in := lint.Input{
		Doc: r.Doc, Draft: r.Draft, HTML: r.HTML, Text: r.Text,
		Subject: r.Subject, Preheader: r.Preheader, Unsubscribe: message.SlotUnsubscribe,
		Published: f.Published, ReplyTo: f.ReplyTo, Sections: f.Sections, Aliases: f.Aliases,
		Web: r.Web, Number: r.Number, Next: f.Next, Written: written, Picture: f.facts, Files: r.files(&f), Missing: r.lost, HasSite: f.Host != "",
	}
	r.Sizes = lint.Measure(in)
	r.Findings = append(found, lint.Check(in)...)
	lint.Sort(r.Findings)
}

// digest names exactly what readers would see. Each part goes in behind its
// length, so that no two issues can share one.
func (r *Rendered) digest() string {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(r.Subject), []byte(r.Preheader), r.HTML, r.Text, r.Web} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil))
}
