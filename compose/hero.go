package compose

import (
	"html/template"
	"net/url"
	"slices"
	"strings"

	"galley/compose/markdown"
)

// heroOf is the hero image of the mail, and the address under which others may
// share it. There is none when the body shows the same picture: nobody wants to
// see it twice.
func (r *Rendered) heroOf(f *Frame) (shown *Image, share string) {
	raw := r.Doc.Front.HeroImg
	if local(raw) {
		if r.hero.Mail != "" && !r.shows(raw) {
			shown = &Image{URL: template.URL(r.hero.Mail), Alt: r.Title, Width: min(r.hero.Width, columnWidth)}
		}
		return shown, r.hero.Web
	}
	if shown = hero(raw, f.Host, r.Title); shown == nil {
		return nil, ""
	}
	if share = string(shown.URL); r.shows(share) {
		return nil, share
	}
	return shown, share
}

// onWeb is the hero image of the page.
func (r *Rendered) onWeb(mail *Image) *Image {
	if mail == nil || r.hero.Web == "" {
		return mail
	}
	return &Image{URL: template.URL(r.hero.Web), Alt: mail.Alt, Width: mail.Width}
}

// hero resolves the address of a hero image against the site; one that is no web
// address is left out.
func hero(raw, host, alt string) *Image {
	if raw == "" {
		return nil
	}
	if strings.HasPrefix(raw, "/") && host != "" {
		raw = host + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || strings.ContainsAny(raw, " \t") {
		return nil
	}
	return &Image{URL: template.URL(raw), Alt: alt, Width: columnWidth}
}

// shows tells whether the body has the image already, under its address or as a
// path of the site, or under another name of the same file.
func (r *Rendered) shows(hero string) bool {
	return slices.ContainsFunc(r.Doc.Images, func(i markdown.Image) bool {
		if i.URL == hero || strings.HasPrefix(i.URL, "/") && strings.HasSuffix(hero, i.URL) {
			return true
		}
		return slices.ContainsFunc(r.Used, func(a *Attached) bool { return a.answersTo(hero) && a.answersTo(i.URL) })
	})
}
