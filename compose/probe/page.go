package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"
)

// Page is what a page says of itself, in its head.
type Page struct{ Title, Author, Site string }

// maxHead is how much of a page is read for its title: what stands further
// down is not a head.
const maxHead = 256 << 10

// Page reads the head of a page. It is asked for under the same rules as a
// link check; a page that has no title is an error, too.
func (p *Prober) Page(ctx context.Context, address string) (Page, error) {
	p.once.Do(p.open)
	u, err := url.Parse(address)
	if err != nil {
		return Page{}, fmt.Errorf("page %s: this is not a web address", address)
	}
	if state, why := askable(u); state != "" {
		return Page{}, fmt.Errorf("page %s: %s", address, why)
	}
	r, err := http.NewRequestWithContext(bounded(ctx), http.MethodGet, address, nil)
	if err != nil {
		return Page{}, fmt.Errorf("page %s: this is not a web address", address)
	}
	r.Header.Set("User-Agent", p.agent())
	r.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9")
	resp, err := p.client.Do(r)
	if err != nil {
		return Page{}, fmt.Errorf("page %s: %w (%s)", address, err, unheard(err).Why)
	}
	defer resp.Body.Close()
	page, err := readPage(resp)
	if err != nil {
		return Page{}, fmt.Errorf("page %s: %w", address, err)
	}
	return page, nil
}

func (p *Prober) agent() string {
	if p.Agent == "" {
		return "Galley (link check)"
	}
	return p.Agent
}

func readPage(resp *http.Response) (Page, error) {
	if resp.StatusCode/100 != 2 {
		return Page{}, errors.New("the server says " + judge(resp.StatusCode).Reply())
	}
	kind := resp.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(kind); err == nil && media != "text/html" && media != "application/xhtml+xml" {
		return Page{}, fmt.Errorf("it is %s and no page", media)
	}
	text, err := charset.NewReader(io.LimitReader(resp.Body, maxHead), kind)
	if err != nil {
		return Page{}, errors.New("it is empty")
	}
	page := head(text)
	if page.Title == "" {
		return Page{}, errors.New("it has no title")
	}
	return page, nil
}

// head reads the tokens of a page up to its body. What a page says for other
// sites (og:title) is written more carefully than its own <title>.
func head(r io.Reader) Page {
	var page Page
	var title string
	for z := html.NewTokenizer(r); ; {
		switch z.Next() {
		case html.ErrorToken:
			return page.filled(title)
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			switch {
			case t.Data == "body":
				return page.filled(title)
			case t.Data == "title" && title == "" && z.Next() == html.TextToken:
				title = fold(z.Token().Data)
			case t.Data == "meta":
				page.meta(t)
			}
		}
	}
}

func (p Page) filled(title string) Page {
	if p.Title == "" {
		p.Title = title
	}
	return p
}

// meta takes what one <meta> says.
func (p *Page) meta(t html.Token) {
	name, content := "", ""
	for _, a := range t.Attr {
		switch strings.ToLower(a.Key) {
		case "name", "property":
			name = strings.ToLower(strings.TrimSpace(a.Val))
		case "content":
			content = fold(a.Val)
		}
	}
	for _, f := range []struct {
		names string
		field *string
	}{{"og:title", &p.Title}, {"author article:author", &p.Author}, {"og:site_name", &p.Site}} {
		for want := range strings.FieldsSeq(f.names) {
			// An author that is a link is a profile and no name.
			if name == want && *f.field == "" && !strings.Contains(content, "://") {
				*f.field = content
			}
		}
	}
}

// maxWords bounds what a page may say of itself.
const maxWords = 300

// fold brings text to one line of bounded length.
func fold(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > maxWords {
		s = strings.ToValidUTF8(s[:maxWords], "") + " …"
	}
	return s
}
