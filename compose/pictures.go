package compose

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"galley/compose/lint"
	"galley/compose/markdown"
	"galley/compose/picture"
	"galley/send/message"

	"golang.org/x/text/unicode/norm"
)

// columnWidth is the width of the text in both looks, in pixels; a look with
// another one is served as well, since max-width holds wherever it is known.
const columnWidth = 552

// PicturePath is where a site serves attached pictures.
const PicturePath = "/image/"

// Attached is a picture that came with a draft.
type Attached struct {
	Name      string // of the file, as mailed
	ContentID string // without angle brackets
	Size      int    // octets of the file
	Picture   *picture.Picture
	Fault     *Fault // why there is no Picture
	// File tells a file that was attached on purpose from a picture that a mail
	// program laid into the text, which may be a logo of the signature.
	File bool
}

// answersTo tells whether a draft that names ref means this picture: its
// Content-ID behind cid:, or the name of its file, in whatever folder the draft
// thinks it is. Mail programs and file systems write one name in several ways.
func (a *Attached) answersTo(ref string) bool {
	if cid, ok := cutCID(ref); ok {
		return a.ContentID != "" && strings.EqualFold(cid, a.ContentID) || a.Name != "" && strings.EqualFold(cid, a.Name)
	}
	return a.Name != "" && plainFile(ref) == plainFile(a.Name)
}

func cutCID(ref string) (string, bool) {
	if len(ref) < 4 || !strings.EqualFold(ref[:4], "cid:") {
		return "", false
	}
	if plain, err := url.PathUnescape(ref[4:]); err == nil {
		return plain, true // RFC 2392 section 2
	}
	return ref[4:], true
}

func plainFile(name string) string {
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	return strings.ToLower(norm.NFC.String(strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '_' || r == '\u00a0' }), " ")))
}

// local tells whether ref names something that must come with the draft: no
// address on the web and no path of a site.
func local(ref string) bool {
	if _, ok := cutCID(ref); ok {
		return true
	}
	u, err := url.Parse(ref)
	return err == nil && ref != "" && u.Scheme == "" && u.Host == "" && u.Path != "" && !strings.HasPrefix(u.Path, "/")
}

// find looks a reference up among what came with the draft.
func (f *Frame) find(ref string) *Attached {
	if !local(ref) {
		return nil
	}
	for _, list := range [][]*Attached{f.Brought, f.Kept} {
		if i := slices.IndexFunc(list, func(a *Attached) bool { return a.answersTo(ref) }); i >= 0 {
			return list[i]
		}
	}
	if f.Beside != nil {
		return f.Beside(ref)
	}
	return nil
}

// gallery is what a rendering knows of its pictures while it is made.
type gallery struct {
	frame *Frame
	used  []*Attached // each once, in order
	lost  []string    // references for which nothing came
}

// show finds the picture for a reference.
func (g *gallery) show(ref string) (markdown.Shown, bool) {
	if strings.HasPrefix(ref, "/") && !strings.HasPrefix(ref, "//") && g.frame.Host != "" {
		whole := g.frame.Host + ref // a path of the site, as drafts for site generators have it
		return markdown.Shown{Mail: whole, Web: whole}, true
	}
	a := g.frame.find(ref)
	if a == nil || a.Picture == nil {
		if a != nil && !slices.Contains(g.used, a) {
			g.used = append(g.used, a)
		}
		if a == nil && local(ref) {
			g.lost = append(g.lost, ref)
		}
		return markdown.Shown{}, false
	}
	if !slices.Contains(g.used, a) {
		g.used = append(g.used, a)
	}
	s := markdown.Shown{Mail: "cid:" + ContentID(a.Picture), Web: g.frame.hosted(a.Picture), Width: a.Picture.Width, Height: a.Picture.Height, Column: columnWidth}
	if g.frame.hosts() {
		s.Mail = s.Web
	}
	return s, true
}

// hosts tells whether the mail's pictures stand on the site.
func (f *Frame) hosts() bool { return f.HostPictures && f.Host != "" }

// hosted is the address of a picture on the site, "" without one.
func (f *Frame) hosted(p *picture.Picture) string {
	if f.Host == "" {
		return ""
	}
	return f.Host + PicturePath + PictureFile(p)
}

// PictureFile is the name of a picture on the site: half of its digest, which
// nobody guesses, and the usual ending.
func PictureFile(p *picture.Picture) string { return p.Digest[:32] + p.Extension() }

// ContentID is the Content-ID of a picture (RFC 2392). It is made from its digest,
// so that the same issue has the same octets.
func ContentID(p *picture.Picture) string { return p.Digest[:32] + "@galley.invalid" }

// pictures settles how the images of the draft are shown.
func (r *Rendered) pictures(f *Frame) {
	g := gallery{frame: f}
	r.Doc.Show(g.show)
	hero := r.Doc.Front.HeroImg
	if local(hero) {
		r.hero, _ = g.show(hero)
	}
	r.Used = g.used
	for _, a := range g.used {
		if a.Picture == nil {
			continue
		}
		r.note(a, f)
		if !f.hosts() && !slices.ContainsFunc(r.Inline, func(in message.Attachment) bool { return in.ContentID == ContentID(a.Picture) }) {
			r.Inline = append(r.Inline, message.Attachment{Name: mailName(a), Type: a.Picture.Type, ContentID: ContentID(a.Picture), Data: a.Picture.Data})
		}
	}
	r.lost = g.lost
}

// mailName is the file's name with the ending of what it has become.
func mailName(a *Attached) string {
	name := oneLine(path.Base(strings.ReplaceAll(a.Name, `\`, "/")))
	if name == "" || name == "." || name == "/" {
		name = "picture"
	}
	return strings.TrimSuffix(name, path.Ext(name)) + a.Picture.Extension()
}

// note tells in the proof what became of a picture.
func (r *Rendered) note(a *Attached, f *Frame) {
	p := a.Picture
	if p.Width == p.FromWidth && a.Size < 2*len(p.Data) {
		return
	}
	r.Draft.Repairs = append(r.Draft.Repairs, markdown.Repair{Line: r.lineOf(a), Kind: "picture",
		Gaps: []any{1, a.Name, p.FromWidth, p.FromHeight, a.Size, p.Width, len(p.Data)}})
}

func (r *Rendered) lineOf(a *Attached) int {
	for _, img := range r.Doc.Images {
		if a.answersTo(img.URL) {
			return img.Line
		}
	}
	return 1
}

// facts tells lint what is known of a picture, under the name that the draft
// uses for it.
func (f *Frame) facts(ref string) (lint.Picture, bool) {
	if a := f.find(ref); a != nil && a.Picture != nil {
		return lint.Picture{Width: a.Picture.Width, Height: a.Picture.Height, Bytes: len(a.Picture.Data)}, true
	}
	if f.Picture == nil {
		return lint.Picture{}, false
	}
	return f.Picture(ref)
}

// files is what came with the draft, as lint sees it.
func (r *Rendered) files(f *Frame) []lint.File {
	var all []lint.File
	for _, a := range f.Brought {
		all = append(all, r.file(a))
	}
	for _, a := range r.Used {
		if !slices.Contains(f.Brought, a) {
			all = append(all, r.file(a))
		}
	}
	return all
}

func (r *Rendered) file(a *Attached) lint.File {
	out := lint.File{Name: a.Name, Line: r.lineOf(a), Used: slices.Contains(r.Used, a), OnPurpose: a.File}
	if a.Fault != nil {
		out.Why, out.Remedy = a.Fault.Why, a.Fault.Remedy
	}
	for _, in := range r.Inline {
		if a.Picture != nil && in.ContentID == ContentID(a.Picture) {
			out.Carried = len(a.Picture.Data)
		}
	}
	return out
}
