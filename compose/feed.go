package compose

import (
	"bytes"
	"html"
	"strconv"
)

// entry is the issue as a feed's entry holds it (RFC 4287 section 4.1.3.3, type
// html): whole, without styles or a page around it, so that a feed reader's own
// look holds. It is kept with the edition; the feed itself is made later.
func (r *Rendered) entry(p *Page) []byte {
	var b bytes.Buffer
	if p.Hero != nil {
		b.WriteString(`<p><img src="` + html.EscapeString(string(p.Hero.URL)) + `" alt="` + html.EscapeString(p.Hero.Alt) +
			`" width="` + strconv.Itoa(p.Hero.Width) + "\"></p>\n")
	}
	b.Write(r.Doc.Feed(p.WebURL))
	return b.Bytes()
}
