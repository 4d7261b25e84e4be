package mime

import (
	"bytes"
	"regexp"
	"strings"
)

// node is a part of the tree: a leaf with its part, or a multipart.
type node struct {
	media    string // of a multipart
	children []*node
	part     int // index into Message.Parts, for a leaf
}

// walker reads the tree within the budgets.
type walker struct {
	m     *Message
	texts int // decoded octets of text so far
}

func (m *Message) readBody(body []byte) {
	w := &walker{m: m}
	root := w.entity(m.Header, body, 0, "text/plain")
	media, params := parseMedia(m.Header.first("Content-Type"))
	m.gatherTexts(root)
	m.gatherReport(media, params)
}

// entity reads one part with its header h; defaultType is what it is when h
// does not say (RFC 2046 section 5.1.5 for digests).
func (w *walker) entity(h Header, body []byte, depth int, defaultType string) *node {
	media, params := parseMedia(h.first("Content-Type"))
	if !strings.Contains(media, "/") {
		media = mediaFallback(media, defaultType)
	}
	if strings.HasPrefix(media, "multipart/") {
		if n := w.multipart(h, media, params, body, depth); n != nil {
			return n
		}
		// RFC 2046 section 5.1 without any boundary: what is left is text.
		w.m.note("a multipart without its boundary was read as text")
		media = textLike(body)
	}
	return w.leaf(h, media, params, body, depth)
}

// mediaFallback reads a Content-Type such as "text" or "html".
func mediaFallback(media, defaultType string) string {
	switch media {
	case "text", "plain":
		return "text/plain"
	case "html":
		return "text/html"
	case "multipart", "mixed":
		return "multipart/mixed"
	}
	return defaultType
}

func textLike(body []byte) string {
	head := bytes.ToLower(body[:min(len(body), 2048)])
	if bytes.Contains(head, []byte("<html")) || bytes.Contains(head, []byte("<!doctype html")) {
		return "text/html"
	}
	return "text/plain"
}

// multipart splits body; nil when no boundary can be found.
func (w *walker) multipart(h Header, media string, params map[string]string, body []byte, depth int) *node {
	if depth >= MaxDepth {
		w.m.note("parts nested deeper than 20 were left out")
		return &node{media: media}
	}
	boundary := params["boundary"]
	if !hasBoundary(body, boundary) {
		if data, _ := decodeTransfer(body, h.first("Content-Transfer-Encoding")); hasBoundary(data, boundary) {
			body = data // RFC 2045 section 6.4 forbids it; it is done
		} else if boundary = guessBoundary(body); boundary == "" {
			return nil
		} else {
			w.m.note("the boundary was not the declared one")
		}
	}
	n := &node{media: media}
	childType := "text/plain"
	if media == "multipart/digest" {
		childType = "message/rfc822"
	}
	parts, closed := splitParts(body, boundary, MaxParts-len(w.m.Parts))
	if !closed {
		w.m.note("the closing boundary was missing")
	}
	for _, p := range parts {
		if len(w.m.Parts) >= MaxParts {
			w.m.note("parts after the 200th were left out")
			break
		}
		ph, pb := partHeader(p)
		c := w.entity(ph, pb, depth+1, childType)
		if c.media == "" && media == "multipart/alternative" {
			w.m.Parts[c.part].choice = true
		}
		n.children = append(n.children, c)
	}
	return n
}

// partHeader cuts the header off a part; one that does not begin with a field
// has none.
func partHeader(p []byte) (Header, []byte) {
	s := scanner{rest: p}
	if line, _ := cutLine(p); len(line) > 0 && line[0] != ' ' && line[0] != '\t' {
		if name, _ := splitField(line); name == "" && !knownFollows(p) {
			return Header{}, p
		}
	}
	for s.next() && len(s.fields) <= MaxFields {
	}
	return Header{s.fields}, s.rest
}

func hasBoundary(body []byte, boundary string) bool {
	if boundary == "" {
		return false
	}
	_, after, _ := nextDelimiter(body, []byte("--"+boundary))
	return after >= 0
}

// splitParts gives what stands between the delimiters, at most limit+1 parts;
// closed tells whether the closing one was there.
func splitParts(body []byte, boundary string, limit int) (parts [][]byte, closed bool) {
	delimiter := []byte("--" + boundary)
	_, at, final := nextDelimiter(body, delimiter)
	for at >= 0 && !final && len(parts) <= limit {
		body = body[at:]
		var end int
		end, at, final = nextDelimiter(body, delimiter)
		if at < 0 {
			return append(parts, body), false
		}
		parts = append(parts, bytes.TrimSuffix(body[:end], []byte("\n")))
	}
	return parts, true
}

// nextDelimiter finds the next delimiter line (RFC 2046 section 5.1.1): where
// it begins, where the line after it begins (-1: there is none), and whether
// it is the closing one. A boundary that begins with another one is not it.
func nextDelimiter(body, delimiter []byte) (start, after int, final bool) {
	for from := 0; ; {
		i := bytes.Index(body[from:], delimiter)
		if i < 0 {
			return 0, -1, false
		}
		start = from + i
		from = start + len(delimiter)
		if start > 0 && body[start-1] != '\n' {
			continue
		}
		line, rest := cutLine(body[from:])
		tail := string(bytes.TrimRight(line, " \t"))
		if tail == "" || strings.HasPrefix(tail, "--") {
			return start, len(body) - len(rest), tail != ""
		}
	}
}

var partStart = regexp.MustCompile(`(?m)^--([^\s-][^\n]{0,200}|-[^\n]{1,200})\n(?:Content-|MIME-Version)`)

// guessBoundary finds a line that is followed by the header of a part.
func guessBoundary(body []byte) string {
	m := partStart.FindSubmatch(body[:min(len(body), 256<<10)])
	if m == nil {
		return ""
	}
	return string(bytes.TrimRight(m[1], " \t"))
}

// leaf decodes one part and keeps it.
func (w *walker) leaf(h Header, media string, params map[string]string, body []byte, depth int) *node {
	disposition, dparams := parseMedia(h.first("Content-Disposition"))
	p := Part{Type: media, Params: params, Depth: depth, Charset: charsetName(params["charset"])}
	p.Name = firstNonEmpty(dparams["filename"], params["name"], dparams["name"])
	p.Disposition = disposition
	if disposition != "" && disposition != "inline" {
		p.Disposition = "attachment" // RFC 2183 section 2.8: unknown ones too
	}
	p.ContentID = strings.Trim(h.first("Content-ID"), "<> \t")
	p.Data, p.Err = decodeTransfer(body, h.first("Content-Transfer-Encoding"))
	if p.Type == "application/ms-tnef" || p.Type == "application/vnd.ms-tnef" || strings.EqualFold(p.Name, "winmail.dat") {
		p.Type = "application/ms-tnef"
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

func firstNonEmpty(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
