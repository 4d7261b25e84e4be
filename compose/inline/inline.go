package inline

import (
	"fmt"
	"strings"

	"golang.org/x/net/html"
)

// Inline returns the document with its style sheets written into style
// attributes. Conditional comments, at-rules and rules that depend on the
// reader (:hover, ::before) are kept byte for byte. The error says that the
// document cannot be parsed, for instance because it is nested more than 512
// elements deep.
func Inline(document []byte) ([]byte, error) {
	b := newBook(document)
	root, err := html.Parse(strings.NewReader(b.hide(document)))
	if err != nil {
		return nil, fmt.Errorf("inline the style sheets: %w (nest fewer elements)", err)
	}
	elements := gather(root)
	ix := newIndex(elements)
	rules := b.takeSheets(root, ix)
	if err := b.dress(b.flatten(elements, ix, rules)); err != nil {
		return nil, err
	}
	marked, err := render(root, len(document))
	if err != nil {
		return nil, err
	}
	return b.show(marked), nil
}

// gather lists every element in document order.
func gather(root *html.Node) []*html.Node {
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

// render writes the document; size is a guess at its length in bytes.
func render(root *html.Node, size int) (string, error) {
	var out strings.Builder
	out.Grow(size + size/2)
	if err := html.Render(&out, root); err != nil {
		return "", fmt.Errorf("write the document after inlining: %w", err)
	}
	return out.String(), nil
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Namespace == "" && a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func setAttr(n *html.Node, key, value string) {
	for i, a := range n.Attr {
		if a.Namespace == "" && a.Key == key {
			n.Attr[i].Val = value
			return
		}
	}
	n.Attr = append(n.Attr, html.Attribute{Key: key, Val: value})
}

func removeAttr(n *html.Node, key string) {
	kept := n.Attr[:0]
	for _, a := range n.Attr {
		if a.Namespace != "" || a.Key != key {
			kept = append(kept, a)
		}
	}
	n.Attr = kept
}
