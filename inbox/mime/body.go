package mime

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/emersion/go-message"
)

// node is a part of the tree: a leaf with its part, or a multipart.
type node struct {
	media    string // of a multipart
	children []*node
	part     int // index into Message.Parts, for a leaf
}

func (n *node) alternative() bool { return strings.HasPrefix(n.media, "multipart/alternative;") }

// walker takes what go-message reads of a mended mail. The mender has seen to
// the number of parts and their depth.
type walker struct {
	m      *Message
	leaves [][]byte // the bodies of Message.Parts before any decoding
	texts  int      // decoded octets of text so far
}

// readParts reads the mail of which top has taken the header off. Its error is
// a *Refusal.
func (m *Message) readParts(top *scanner) error {
	d := m.mend(top)
	e, fault := message.ReadWithOptions(&d.out, &message.ReadOptions{MaxHeaderBytes: -1})
	if e == nil {
		return &Refusal{"its header cannot be read: " + fault.Error()}
	}
	w := &walker{m: m, leaves: d.leaves}
	root := w.entity(e, fault, 0)
	m.Header = Header{e.Header}
	media, params := parseMedia(m.Header.first("Content-Type"))
	m.gatherTexts(root)
	m.gatherReport(media, params)
	return nil
}

// entity reads one part and those in it; its header is the sender's own
// afterwards. fault is what go-message said of it: nothing worse than a
// transfer encoding it does not know.
func (w *walker) entity(e *message.Entity, fault error, depth int) *node {
	media, encoding := takeOwn(&e.Header)
	parts := e.MultipartReader()
	if parts == nil {
		data, words := w.decoded(e, fault, encoding)
		return w.leaf(Header{e.Header}, Part{Type: media, Data: data, Err: words, Depth: depth})
	}
	n := &node{media: media}
	for {
		part, fault := parts.NextPart()
		if part == nil {
			return n // io.EOF, or there never was a part
		}
		c := w.entity(part, fault, depth+1)
		if c.media == "" && n.alternative() {
			w.m.Parts[c.part].choice = true
		}
		n.children = append(n.children, c)
	}
}

// decoded gives what go-message decodes of a leaf, and what needs no decoding
// as it stands. Where it gives up, or would decode the words below base64, what
// can be salvaged of the body is given.
func (w *walker) decoded(e *message.Entity, fault error, encoding string) (data []byte, words string) {
	body := w.leaves[len(w.m.Parts)]
	if encoding == "" {
		return body, ""
	}
	var all bytes.Buffer
	all.Grow(len(body) + bytes.MinRead)
	_, err := all.ReadFrom(e.Body)
	if fault == nil && err == nil && (encoding != "base64" || len(base64Code(body)) == len(body)) {
		return all.Bytes(), ""
	}
	return salvage(body, encoding)
}

// leaf names a part by its header and keeps it.
func (w *walker) leaf(h Header, p Part) *node {
	_, p.Params = parseMedia(h.first("Content-Type"))
	disposition, dparams := parseMedia(h.first("Content-Disposition"))
	p.Charset = charsetName(p.Params["charset"])
	p.Name = cmp.Or(dparams["filename"], p.Params["name"], dparams["name"])
	p.Disposition = disposition
	if disposition != "" && disposition != "inline" {
		p.Disposition = "attachment" // RFC 2183 section 2.8: unknown ones too
	}
	p.ContentID = strings.Trim(h.first("Content-ID"), "<> \t")
	if p.Type == "application/vnd.ms-tnef" || strings.EqualFold(p.Name, "winmail.dat") {
		p.Type = "application/ms-tnef"
	}
	if p.Type == "application/ms-tnef" {
		w.m.note("a TNEF part (winmail.dat) was not opened; ask the sender for plain text")
	}
	w.limitText(&p)
	p.Size = len(p.Data)
	if p.Err != "" {
		w.m.note(p.Err)
	}
	w.m.Parts = append(w.m.Parts, p)
	return &node{part: len(w.m.Parts) - 1}
}

// limitText keeps the budgets of text that will be read.
func (w *walker) limitText(p *Part) {
	if !strings.HasPrefix(p.Type, "text/") || p.Attached() {
		return
	}
	limit := max(0, min(MaxText, MaxTexts-w.texts))
	if len(p.Data) > limit {
		p.Data = p.Data[:limit]
		p.Err = "text was cut at the budget"
	}
	w.texts += len(p.Data)
}
