package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"galley/compose"
	"galley/compose/lint"
	"galley/compose/markdown"
	"galley/compose/probe"
	"galley/inbox"
	"galley/inbox/mime"
	"galley/send/message"
	"galley/templates"
)

// previewCmd makes an issue of a draft, without database and, unless asked to
// look at the links, without network.
type previewCmd struct {
	Draft     string `arg:"" type:"existingfile" help:"A Markdown draft, or a mail (.eml) that holds one."`
	Out       string `short:"o" required:"" type:"path" placeholder:"DIR" help:"Folder for issue.eml, issue.html, issue.txt, web.html, draft.md and report.json."`
	Templates string `type:"existingdir" help:"A folder of templates over the built-in ones."`
	Number    int    `help:"The issue's number, where the draft names none."`
	Name      string `default:"Newsletter" help:"The newsletter's name (${default})."`
	Live      bool   `help:"Also ask the web whether the links are alive."`

	mailed []compose.Enclosed // the pictures of the mail
}

// report is what report.json says.
type report struct {
	Front    markdown.Front     `json:"front"`
	Repairs  []markdown.Repair  `json:"repairs"`
	Findings []markdown.Finding `json:"findings"`
	Sections []section          `json:"sections"`
	Sizes    lint.Sizes         `json:"sizes"`
	Images   []shownImage       `json:"images"`
}

// section and item are the structure as a script would want it.
type section struct {
	Title string `json:"title"`
	Items []item `json:"items"`
}

type item struct {
	Links []itemLink `json:"links"`
	Line  int        `json:"line"`
}

type itemLink struct {
	Title  string `json:"title"`
	URL    string `json:"url"`
	Author string `json:"author"`
}

// Run writes the files. It fails with exit code 1 only when report.json holds
// an error, and with 2 when nothing could be made of the draft.
func (c *previewCmd) Run(e *env) error {
	src, err := c.source()
	if err != nil {
		return err
	}
	frame, err := c.frame(e)
	if err != nil {
		return err
	}
	c.pictures(&frame)
	r, err := compose.Render(e.ctx, src, c.Number, frame)
	if err != nil {
		return err
	}
	if c.Live {
		if err := r.Reach(e.ctx, &probe.Prober{}); err != nil {
			return err
		}
	}
	if err := c.write(r); err != nil {
		return err
	}
	for _, f := range r.Findings {
		fmt.Fprintln(e.stdout, spokenFinding(c.Draft, f))
	}
	if r.Errors() > 0 {
		return errFaults
	}
	return nil
}

// frame is that of the configuration's first newsletter where there is a
// configuration, else a plain one.
func (c *previewCmd) frame(e *env) (compose.Frame, error) {
	if !e.configured() {
		return compose.Frame{Name: c.Name, Looks: templates.Look(c.Templates)}, nil
	}
	cfg, err := Load(e.config)
	if err != nil {
		return compose.Frame{}, err
	}
	frame := cfg.Newsletters[0].desk(cfg, nil).Frame
	if c.Templates != "" {
		frame.Looks = templates.Look(c.Templates)
	}
	return frame, nil
}

// spokenFinding is a finding as a terminal shows it: file, line, what and
// remedy.
func spokenFinding(file string, f markdown.Finding) string {
	at := filepath.Base(file)
	if f.Line > 0 {
		at += fmt.Sprintf(":%d", f.Line)
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s: %s %s", at, f.Level, f.Message, f.Remedy))
}

// source reads the draft: a file as it is, a mail by the form that counts.
func (c *previewCmd) source() (markdown.Source, error) {
	data, err := os.ReadFile(c.Draft)
	if err != nil {
		return markdown.Source{}, err
	}
	if !strings.EqualFold(filepath.Ext(c.Draft), ".eml") {
		return markdown.Source{Text: data, Exact: true}, nil
	}
	m, err := mime.Read(data)
	if err != nil {
		return markdown.Source{}, fmt.Errorf("%s: %w", c.Draft, err)
	}
	c.mailed = inbox.Pictures(m)
	text, _, _, exact, ok := mime.DraftText(m)
	if !ok {
		return markdown.Source{}, fmt.Errorf("%s: the mail holds no text", c.Draft)
	}
	return markdown.Source{Text: text, Subject: m.Subject, Date: m.Date, Exact: exact}, nil
}

func (c *previewCmd) write(r *compose.Rendered) error {
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	html, text := sample(r.HTML, true), sample(r.Text, false)
	eml, err := c.eml(r, html, text)
	if err != nil {
		return err
	}
	if err := c.writePictures(r); err != nil {
		return err
	}
	html = beside(html, r)
	rep, err := reportOf(r)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{"issue.eml", eml}, {"issue.html", html}, {"issue.txt", text}, {"web.html", beside(r.Web, r)}, {"draft.md", r.Markdown}, {"report.json", rep},
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(c.Out, f.name), f.data, 0o644))
	}
	return err
}

// sample shows a reader's link for leaving where each reader has an own one, and
// what readers get who gave no name.
func sample(b []byte, isHTML bool) []byte {
	b = message.Fallbacks(b, isHTML)
	return bytes.ReplaceAll(b, []byte(message.SlotUnsubscribe), []byte("https://example.org/u/each-reader-has-an-own-link"))
}

// eml is the issue as one mail. Its date is that of the draft, so that the
// same draft gives the same bytes.
func (c *previewCmd) eml(r *compose.Rendered, html, text []byte) ([]byte, error) {
	date, err := time.Parse(time.DateOnly, r.Date)
	if err != nil {
		date = time.Unix(0, 0).UTC()
	}
	subject := r.Subject
	if subject == "" {
		subject = "(no title)"
	}
	return (&message.Mail{
		From: message.Address{Name: c.Name, Addr: "newsletter@example.org"}, To: []message.Address{{Addr: "reader@example.org"}},
		Subject: subject, Date: date, MessageID: fmt.Sprintf("<%d.preview.%s@example.org>", r.Number, r.Digest[:16]), Text: text, HTML: html, Inline: r.Inline,
	}).Bytes()
}

func reportOf(r *compose.Rendered) ([]byte, error) {
	out := report{Front: r.Doc.Front, Repairs: r.Draft.Repairs, Findings: r.Findings, Sizes: r.Sizes,
		Sections: []section{}, Images: imagesOf(r)}
	if out.Repairs == nil {
		out.Repairs = []markdown.Repair{}
	}
	if out.Findings == nil {
		out.Findings = []markdown.Finding{}
	}
	for _, s := range r.Doc.Sections {
		sec := section{Title: s.Title, Items: []item{}}
		for _, i := range s.Items {
			it := item{Line: i.Line}
			for _, l := range i.Links {
				it.Links = append(it.Links, itemLink{l.Title, l.URL, l.Author})
			}
			sec.Items = append(sec.Items, it)
		}
		out.Sections = append(out.Sections, sec)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(out)
	return b.Bytes(), err
}
