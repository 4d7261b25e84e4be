package lint

import (
	"bytes"
	"html"
	"net/url"
	"path"
	"strings"

	"galley/compose/markdown"
)

func links(i *issue) []markdown.Finding {
	var found []markdown.Finding
	for _, l := range i.Doc.Links {
		found = append(found, link(l)...)
	}
	return found
}

func link(l markdown.Link) []markdown.Finding {
	var found []markdown.Finding
	if strings.TrimSpace(l.Title) == "" {
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "empty-link", Line: l.Line, Words: short(l.URL),
		})
	}
	if strings.TrimSpace(l.URL) == "" {
		return found // the reader of the draft said so already and made it plain text
	}
	u, err := url.Parse(l.URL)
	if err != nil || strings.ContainsAny(l.URL, " \t") {
		return append(found, markdown.Finding{
			Level: markdown.Warning, Code: "bad-link", Line: l.Line, Words: short(l.URL),
		})
	}
	if u.Scheme == "http" {
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "http-link", Line: l.Line, Words: short(l.Title), Gaps: []any{u.Host},
		})
	}
	if isShortener(u) {
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "shortener", Line: l.Line, Words: short(l.URL), Gaps: []any{u.Host},
		})
	}
	if relative(u) {
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "relative-link", Line: l.Line, Words: short(l.URL),
		})
	}
	if names := tracked(l.URL); len(names) > 0 {
		found = append(found, markdown.Finding{
			Level: markdown.Note, Code: "tracking", Line: l.Line, Words: short(l.Title), Gaps: []any{strings.Join(names, ", "), Canonical(l.URL)},
		})
	}
	return found
}

// fragments checks links within the issue.
func fragments(i *issue) []markdown.Finding {
	var found []markdown.Finding
	for _, l := range i.Doc.Links {
		name, ok := strings.CutPrefix(l.URL, "#")
		if !ok || i.hasTarget(name) {
			continue
		}
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "unknown-fragment", Line: l.Line, Words: short(l.Title), Gaps: []any{name},
		})
	}
	return found
}

func (i *issue) hasTarget(name string) bool {
	if name == "" || len(i.HTML) == 0 {
		return true // "#" alone is the top of the page
	}
	if decoded, err := url.PathUnescape(name); err == nil {
		name = decoded
	}
	name = html.EscapeString(name)
	return bytes.Contains(i.HTML, []byte(` id="`+name+`"`)) || bytes.Contains(i.HTML, []byte(` name="`+name+`"`))
}

// repeats tells of lead links that an earlier issue had, or that this one has
// twice. Links in running text are often repeated on purpose.
func repeats(i *issue) []markdown.Finding {
	var found []markdown.Finding
	seen := map[string]int{}
	for _, l := range i.Doc.Links {
		if !l.Lead {
			continue
		}
		canonical := Canonical(l.URL)
		if at, twice := seen[canonical]; twice {
			found = append(found, markdown.Finding{
				Level: markdown.Warning, Code: "linked-twice", Line: l.Line, Words: short(l.Title), Gaps: []any{at},
			})
			continue
		}
		seen[canonical] = l.Line
		if number, ok := i.published(canonical); ok {
			found = append(found, markdown.Finding{
				Level: markdown.Warning, Code: "already-published", Line: l.Line, Words: short(l.Title), Gaps: []any{number},
			})
		}
	}
	return found
}

func (i *issue) published(canonical string) (int, bool) {
	if i.Published == nil {
		return 0, false
	}
	return i.Published(canonical)
}

func images(i *issue) []markdown.Finding {
	var found []markdown.Finding
	for _, img := range i.Doc.Images {
		alt := strings.TrimSpace(img.Alt)
		switch {
		case alt == "":
			found = append(found, markdown.Finding{
				Level: markdown.Warning, Code: "missing-alt", Line: img.Line, Words: short(path.Base(img.URL)),
			})
		case isFileName(alt):
			found = append(found, markdown.Finding{
				Level: markdown.Warning, Code: "alt-is-file-name", Line: img.Line, Words: short(alt),
			})
		}
		found = append(found, i.picture(img)...)
	}
	return found
}

const (
	// wideImage is twice the column of the looks: sharp on every screen.
	wideImage = 1400
	// heavyImage is what a phone on a train still loads, in bytes.
	heavyImage = 1 << 20
)

// picture looks at the size of an image, where it is known.
func (i *issue) picture(img markdown.Image) []markdown.Finding {
	if i.Picture == nil {
		return nil
	}
	p, ok := i.Picture(img.URL)
	switch {
	case !ok:
		return nil
	case p.Bytes > heavyImage:
		return []markdown.Finding{{
			Level: markdown.Warning, Code: "image-heavy", Line: img.Line, Words: short(path.Base(img.URL)), Gaps: []any{float64(p.Bytes) / 1e6, wideImage},
		}}
	case p.Width > wideImage:
		return []markdown.Finding{{
			Level: markdown.Note, Code: "image-wide", Line: img.Line, Words: short(path.Base(img.URL)), Gaps: []any{p.Width, wideImage, wideImage},
		}}
	}
	return nil
}

func isFileName(alt string) bool {
	switch strings.ToLower(path.Ext(alt)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".heic":
		return !strings.Contains(alt, " ")
	}
	return false
}
