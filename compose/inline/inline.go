package inline

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/vanng822/go-premailer/premailer"
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
	flat := b.flatten(elements, ix, rules)
	attach(root, flat)
	marked, err := render(root)
	if err != nil {
		return nil, err
	}
	done, err := premail(marked)
	if err != nil {
		return nil, err
	}
	return b.show(done), nil
}

// gather lists every element in document order and takes off the attribute that
// go-premailer uses as its own mark (an element that brings one makes it panic).
func gather(root *html.Node) []*html.Node {
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		all = append(all, n)
		removeAttr(n, "pr-el-id")
	}
	return all
}

// attach puts the flat sheet at the end of the head, where go-premailer looks
// for it and takes it away again.
func attach(root *html.Node, css string) {
	if css == "" {
		return
	}
	style := &html.Node{Type: html.ElementNode, Data: "style"}
	style.AppendChild(&html.Node{Type: html.TextNode, Data: css})
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "head" && n.Namespace == "" {
			n.AppendChild(style)
			return
		}
	}
	root.AppendChild(style)
}

func render(root *html.Node) (string, error) {
	var buf bytes.Buffer
	if err := html.Render(&buf, root); err != nil {
		return "", fmt.Errorf("write the document for inlining: %w", err)
	}
	return buf.String(), nil
}

func premail(document string) (string, error) {
	options := premailer.NewOptions(premailer.WithCssToAttributes(false))
	p, err := premailer.NewPremailerFromString(document, options)
	if err != nil {
		return "", fmt.Errorf("read the document for inlining: %w (nest fewer elements)", err)
	}
	out, err := p.Transform()
	if err != nil {
		return "", fmt.Errorf("inline the style sheets: %w", err)
	}
	return out, nil
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
