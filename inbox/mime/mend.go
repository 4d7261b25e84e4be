package mime

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
)

// mender writes a mail anew in the form that go-message reads. Each header
// holds nothing but fields, with a plain Content-Type and transfer encoding on
// top of the sender's own; each multipart stands between delimiters of our own
// making, which nothing in the mail can imitate, and is closed. What stands
// before the first delimiter and behind the last is left out.
type mender struct {
	m      *Message
	out    bytes.Buffer
	token  string // begins our boundaries
	parts  int
	leaves [][]byte // their bodies as the mail has them, in its order
}

// ownFields is the number of fields the mender puts on top of each header.
const ownFields = 2

func (m *Message) mend(top *scanner) *mender {
	d := &mender{m: m, token: rand.Text()}
	d.out.Grow(8 << 10)
	d.entity(top, 0, "text/plain")
	return d
}

// entity writes one part; defaultType is what it is when its header does not
// say.
func (d *mender) entity(s *scanner, depth int, defaultType string) {
	media, params := parseMedia(s.value("Content-Type"))
	if !strings.Contains(media, "/") {
		media = mediaFallback(media, defaultType)
	}
	encoding := transferName(s.value("Content-Transfer-Encoding"))
	if strings.HasPrefix(media, "multipart/") {
		parts, boundary := d.boundary(s.rest, params["boundary"], encoding)
		if boundary != "" {
			d.multipart(s, media, parts, boundary, depth)
			return
		}
		// RFC 2046 section 5.1 without any boundary: what is left is text.
		d.m.note("a multipart without its boundary was read as text")
		media = textLike(s.rest)
	}
	d.leaves = append(d.leaves, s.rest)
	d.header(s, media, encoding)
	if encoding != "" { // else nobody reads it there: see decoded
		d.out.Grow(len(s.rest) + len(s.rest)/16)
		d.out.Write(s.rest)
	}
}

// header writes the fields below two of our own. These name no charset:
// go-message would convert by whatever reader the whole program has set, and
// Part.Data promises the octets as they came.
func (d *mender) header(s *scanner, contentType, encoding string) {
	d.out.WriteString("Content-Type: " + contentType + "\nContent-Transfer-Encoding: " + encoding + "\n")
	for _, f := range s.fields {
		d.out.Write(f)
	}
	d.out.WriteByte('\n')
}

// multipart writes the parts between the delimiters.
func (d *mender) multipart(s *scanner, media string, body []byte, boundary string, depth int) {
	kind, childType := "mixed", "text/plain"
	switch media {
	case "multipart/alternative":
		kind = "alternative"
	case "multipart/digest":
		childType = "message/rfc822" // RFC 2046 section 5.1.5
	}
	ours := fmt.Sprintf("%s%03d", d.token, d.parts)
	d.header(s, "multipart/"+kind+"; boundary="+ours, "")
	if depth >= MaxDepth {
		d.m.note("parts nested deeper than 20 were left out")
		body = nil
	}
	_, at, final := nextDelimiter(body, boundary)
	for at >= 0 && !final {
		if d.parts++; d.parts > MaxParts {
			d.m.note("parts after the 200th were left out")
			break
		}
		var end int
		body = body[at:]
		if end, at, final = nextDelimiter(body, boundary); at < 0 {
			d.m.note("the closing boundary was missing")
		}
		if own := sharedEnd(body, body[:end], boundary); own > 0 {
			d.m.note("two multiparts had the same boundary")
			if _, at, final = nextDelimiter(body[own:], boundary); at >= 0 {
				at += own
			}
			end = own
		}
		d.out.WriteString("\n--" + ours + "\n")
		d.entity(newScanner(body[:end]), depth+1, childType)
	}
	d.out.WriteString("\n--" + ours + "--\n")
}

// sharedEnd gives the end of a part that is itself a multipart with the very
// boundary of the one around it, which RFC 2046 section 5.1.2 forbids: the
// first closing delimiter is its own. 0 when the part is none.
func sharedEnd(body, part []byte, boundary string) int {
	media, params := parseMedia(newScanner(part).value("Content-Type"))
	if !strings.HasPrefix(media, "multipart/") || params["boundary"] != boundary {
		return 0
	}
	for own := 0; ; {
		_, after, final := nextDelimiter(body[own:], boundary)
		if after < 0 {
			return 0
		}
		if own += after; final {
			return own
		}
	}
}

// boundary finds the boundary of a multipart, and the body in which it stands:
// some programs encode that, which RFC 2045 section 6.4 forbids.
func (d *mender) boundary(body []byte, declared, encoding string) (parts []byte, found string) {
	if hasBoundary(body, declared) {
		return body, declared
	}
	if data, _ := salvage(body, encoding); hasBoundary(data, declared) {
		return data, declared
	}
	if found = guessBoundary(body); found != "" {
		d.m.note("the boundary was not the declared one")
	}
	return body, found
}

func hasBoundary(body []byte, boundary string) bool {
	if boundary == "" {
		return false
	}
	_, after, _ := nextDelimiter(body, boundary)
	return after >= 0
}

// guessBoundary finds a line that is followed by the header of a part.
func guessBoundary(body []byte) string {
	for rest := body[:min(len(body), 256<<10)]; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		text, dashed := bytes.CutPrefix(bytes.TrimRight(line, " \t"), []byte("--"))
		if dashed && len(text) > 0 && len(text) <= 200 && string(text) != "-" &&
			(bytes.HasPrefix(rest, []byte("Content-")) || bytes.HasPrefix(rest, []byte("MIME-Version"))) {
			return string(text)
		}
	}
	return ""
}

// nextDelimiter finds the next delimiter line (RFC 2046 section 5.1.1): where
// the part above it ends, where the line below begins (-1: there is none), and
// whether it is the closing one. A boundary that begins with another one is
// not it.
func nextDelimiter(body []byte, boundary string) (end, after int, final bool) {
	for from := 0; ; {
		i := bytes.Index(body[from:], []byte("--"+boundary))
		if i < 0 {
			return len(body), -1, false
		}
		end = from + i
		from = end + len("--"+boundary)
		if end > 0 && body[end-1] != '\n' {
			continue
		}
		line, rest := cutLine(body[from:])
		if line = bytes.TrimRight(line, " \t"); len(line) == 0 || bytes.HasPrefix(line, []byte("--")) {
			return max(end-1, 0), len(body) - len(rest), len(line) > 0
		}
	}
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
