package markdown

import (
	"regexp"
	"strings"
	"unicode"
)

// Section is a heading and the items below it. Items before the first heading
// belong to no section.
type Section struct {
	ID    string `json:"id,omitempty"`
	Title string `json:"title"`
	Level int    `json:"level,omitempty"`
	Line  int    `json:"line,omitempty"`
	Items []Item `json:"items"`

	only Medium // the one medium it stands in, "" for both
}

// Item is one linked piece of a section. Most have one link; several stand
// stacked in one paragraph, a line each.
type Item struct {
	Links []Link `json:"links"`
	Line  int    `json:"line"`
}

// Link is one link of the document. Author is what follows a dash behind a lead
// link: authors and, after a comma, the venue. Lead links head an item.
type Link struct {
	Title  string `json:"title"`
	URL    string `json:"url"`
	Author string `json:"author,omitempty"`
	Line   int    `json:"line,omitempty"`
	Lead   bool   `json:"lead,omitempty"`
}

// Image is one image of the document.
type Image struct {
	Alt  string `json:"alt"`
	URL  string `json:"url"`
	Line int    `json:"line,omitempty"`
}

// Contents returns the sections that a table of contents should list: those at
// the level most items stand under, without such as hold no item.
func (doc *Document) Contents() []Section { return doc.ContentsOf("") }

// ContentsOf returns those of one medium: without the sections that stand in a
// block for the other.
func (doc *Document) ContentsOf(m Medium) []Section {
	count := map[int]int{}
	for _, s := range doc.Sections {
		if len(s.Items) > 0 {
			count[s.Level]++
		}
	}
	level := 2
	for l := 1; l <= 6; l++ {
		if count[l] > count[level] {
			level = l
		}
	}
	var out []Section
	for _, s := range doc.Sections {
		if s.Level == level && s.ID != "" && len(s.Items) > 0 && (m == "" || s.only == "" || s.only == m) {
			out = append(out, s)
		}
	}
	return out
}

// collect fills the lists of the document from its tree and marks items.
func (doc *Document) collect() {
	lead := map[*node]Link{}
	c := collector{doc: doc, lead: lead}
	c.blocks(doc.root)
	c.endGroup()
	doc.root.walk(func(n *node) bool {
		switch n.tag {
		case "a":
			doc.addLink(n, lead)
		case "img":
			doc.Images = append(doc.Images, Image{Alt: n.get("alt"), URL: n.get("src"), Line: n.line})
		case "":
			for range strings.FieldsSeq(n.text) {
				doc.Words++
			}
		}
		return true
	})
}

func (doc *Document) addLink(n *node, lead map[*node]Link) {
	if n.get("href") == "" {
		return
	}
	l, ok := lead[n]
	if !ok {
		l = linkOf(n)
	}
	doc.Links = append(doc.Links, l)
}

func linkOf(n *node) Link {
	return Link{Title: n.plain(), URL: n.get("href"), Line: n.line}
}

// collector walks the blocks in order and gathers those between two rules or
// headings: in such a group either some paragraphs lead with a link and the
// others comment on them, or every paragraph with a link is an item of its own.
type collector struct {
	doc   *Document
	lead  map[*node]Link
	group []candidate
	only  Medium // of the block that is being walked
}

type candidate struct {
	line   int
	links  []Link
	leads  bool
	author bool
}

func (c *collector) blocks(n *node) {
	for _, k := range n.kids {
		switch {
		case k.heading() > 0:
			c.endGroup()
			c.doc.Sections = append(c.doc.Sections, Section{ID: k.get("id"), Title: k.plain(), Level: k.heading(), Line: k.line, Items: []Item{}, only: c.only})
		case k.tag == "hr":
			c.endGroup()
		case k.tag == "p":
			c.paragraph(k)
		case k.tag == "ul" || k.tag == "ol":
			c.list(k)
		case k.tag == "div" || k.tag == "#":
			was := c.only
			if o := onlyIn(k); o != "" {
				c.only = o
			}
			c.blocks(k)
			c.only = was
		}
	}
}

// paragraph reads a paragraph as an item and marks the lead links in the tree:
// for the eye it is one when an author or venue follows, or nothing at all. A
// link that a remark follows reads as prose, and looks like it.
func (c *collector) paragraph(p *node) {
	cand := candidate{line: p.line}
	var heads []*node
	bare := true
	for _, row := range rows(p) {
		a, author, rest, ok := leadOf(row)
		if !ok {
			break
		}
		l := linkOf(a)
		l.Lead, l.Author = true, author
		c.lead[a] = l
		heads = append(heads, a)
		bare = bare && rest == ""
		cand.leads = true
		cand.author = cand.author || author != ""
		cand.links = append(cand.links, l)
	}
	if !cand.leads {
		cand.links = webLinks(p)
	} else if cand.author && !isRemark(cand.links) || bare {
		p.set("class", "item")
		for _, a := range heads {
			a.set("class", "lead")
		}
	}
	if len(cand.links) > 0 {
		c.group = append(c.group, cand)
	}
}

// isRemark tells whether what stands behind the dash of the only link is a
// sentence and no author.
func isRemark(links []Link) bool {
	if len(links) != 1 {
		return false
	}
	a := links[0].Author
	n := len(strings.Fields(a))
	return n > 5 && unicode.IsLower(firstRune(a)) || n > 8 && strings.HasSuffix(a, ".")
}

// list takes the entries of a list that lead with a link as items.
func (c *collector) list(l *node) {
	for _, li := range l.kids {
		if li.tag != "li" {
			continue
		}
		row := li.kids
		if len(row) > 0 && row[0].tag == "p" {
			row = row[0].kids
		}
		a, author, _, ok := leadOf(inlineOnly(row))
		if !ok {
			continue
		}
		link := linkOf(a)
		link.Lead, link.Author = true, author
		c.lead[a] = link
		c.group = append(c.group, candidate{line: li.line, links: []Link{link}, leads: true, author: author != ""})
	}
}

func inlineOnly(row []*node) []*node {
	for i, k := range row {
		if k.block() {
			return row[:i]
		}
	}
	return row
}

// endGroup turns the gathered paragraphs into items of the last section.
func (c *collector) endGroup() {
	group := c.group
	c.group = nil
	if len(c.doc.Sections) == 0 {
		return
	}
	comments := len(group) > 0 && group[0].author
	s := &c.doc.Sections[len(c.doc.Sections)-1]
	for _, cand := range group {
		if cand.leads || !comments {
			s.Items = append(s.Items, Item{Links: cand.links, Line: cand.line})
		}
	}
}

func webLinks(n *node) []Link {
	var out []Link
	n.walk(func(a *node) bool {
		if u := a.get("href"); a.tag == "a" && (strings.HasPrefix(u, "http://") || strings.HasPrefix(u, "https://")) {
			out = append(out, linkOf(a))
		}
		return true
	})
	return out
}

// rows cuts the children of a paragraph at its line breaks.
func rows(p *node) [][]*node {
	out := [][]*node{nil}
	for _, k := range p.kids {
		if k.tag == "br" {
			out = append(out, nil)
			continue
		}
		out[len(out)-1] = append(out[len(out)-1], k)
	}
	return out
}

var (
	authorDash = regexp.MustCompile(`^[\s\x{a0}]*(?:-|–|—)[\s\x{a0}]+`)
	leadEnd    = regexp.MustCompile(`^[\s\x{a0}]*(?:$|[.,;:!?()\[\]|/&+–—-])`)
)

// leadOf takes a row that begins with a link, bold or not, and is not a mere
// sentence: behind the link comes a dash and the author, a remark, or nothing.
// rest is what follows but for a mark of punctuation at the end.
func leadOf(row []*node) (a *node, author, rest string, ok bool) {
	for len(row) > 0 && row[0].tag == "" && strings.TrimSpace(row[0].text) == "" {
		row = row[1:]
	}
	if len(row) == 0 {
		return nil, "", "", false
	}
	if a = linkIn(row[0]); a == nil || a.get("href") == "" || a.plain() == "" {
		return nil, "", "", false
	}
	behind := &node{tag: "#", kids: row[1:]}
	after := behind.plain()
	rest = strings.Trim(after, " .,;:")
	if m := authorDash.FindString(after + " "); m != "" {
		return a, strings.TrimSpace(strings.TrimPrefix(after+" ", m)), rest, true
	}
	return a, "", rest, leadEnd.MatchString(after)
}

// linkIn returns the link that n is, or that is all there is in n.
func linkIn(n *node) *node {
	for n.tag == "strong" || n.tag == "b" || n.tag == "em" || n.tag == "i" {
		if len(n.kids) != 1 {
			return nil
		}
		n = n.kids[0]
	}
	if n.tag == "a" {
		return n
	}
	return nil
}
