package inline

import (
	"fmt"
	"strings"

	"github.com/vanng822/go-premailer/premailer"
	"golang.org/x/net/html"
)

// outfit is what the cascade gives to some elements: the same list of
// declarations for each of them.
type outfit struct {
	list    []declaration
	wearers []*html.Node
}

// dress has go-premailer write the style attribute of every outfit and puts it
// on the elements that wear it. go-premailer searches its whole document once
// for each rule, so it gets a small one: an element for each outfit, where an
// issue of 600 elements has some 40.
func (b *book) dress(outfits []*outfit) error {
	if len(outfits) == 0 {
		return nil
	}
	styles, err := premail(b.figures(outfits))
	if err != nil {
		return err
	}
	for i, o := range outfits {
		style := b.unshield(styles[b.mark('k', i)])
		for _, n := range o.wearers {
			setAttr(n, "style", style)
		}
	}
	return nil
}

// figures is the small document. All classes weigh the same and no two meet, so
// that go-premailer has nothing left to decide.
func (b *book) figures(outfits []*outfit) string {
	var css, body strings.Builder
	for i, o := range outfits {
		name := b.mark('k', i)
		css.WriteString("." + name + "{" + b.shieldAll(o.list) + "}\n")
		body.WriteString(`<i class="` + name + `"></i>`)
	}
	return "<html><head><style>" + css.String() + "</style></head><body>" + body.String() + "</body></html>"
}

// premail returns the style attributes that go-premailer writes, by class.
func premail(document string) (map[string]string, error) {
	p, err := premailer.NewPremailerFromString(document, premailer.NewOptions(premailer.WithCssToAttributes(false)))
	if err != nil {
		return nil, fmt.Errorf("read the rules for inlining: %w", err)
	}
	out, err := p.Transform()
	if err != nil {
		return nil, fmt.Errorf("inline the style sheets: %w", err)
	}
	styles := map[string]string{}
	z := html.NewTokenizer(strings.NewReader(out))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		if kind != html.StartTagToken {
			continue
		}
		var class, style string
		for _, a := range z.Token().Attr {
			switch a.Key {
			case "class":
				class = a.Val
			case "style":
				style = a.Val
			}
		}
		styles[class] = style
	}
	return styles, nil
}

// unshield puts back the declarations that go-premailer was not shown.
func (b *book) unshield(style string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(style, b.prefix+"d")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		digits, after, _ := strings.Cut(rest, "z:0")
		if n, ok := b.number(b.prefix+"d"+digits+"z", 'd'); ok && n < len(b.shielded) {
			out.WriteString(b.shielded[n])
		}
		style = after
	}
}
