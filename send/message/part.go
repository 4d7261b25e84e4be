package message

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// part is one MIME entity: its fields, and its body with a CRLF at the end.
type part struct {
	head, body []byte
}

// marks stand in encoded bodies where a slot will be filled. Neither octet
// can occur there otherwise: bodies are 7-bit text without control characters.
const (
	markText byte = 1 // filled with the bare URL
	markHTML byte = 2 // filled with the URL escaped for an HTML attribute
)

// textPart encodes text as quoted-printable. Where mark is not 0 it takes the
// place of every SlotUnsubscribe, and those of fs the places of their fields,
// each at column 0.
func textPart(subtype string, text []byte, mark byte, fs *fields) part {
	h := header{}
	h.structured("Content-Type", "text/"+subtype+"; charset=utf-8")
	h.structured("Content-Transfer-Encoding", "quoted-printable")
	p := printable{}
	rest := strings.TrimRight(lines(string(text)), "\n")
	for mark != 0 {
		start, end, m := fs.nextSlot(rest, mark)
		if start < 0 {
			break
		}
		p.write(rest[:start])
		p.slot(m)
		rest = rest[end:]
	}
	p.write(rest)
	return part{head: h.buf, body: append(p.buf, '\r', '\n')}
}

// slot puts a mark at the beginning of an encoded line. What follows it
// begins a line too, for the length of what will stand there is not known.
func (p *printable) slot(mark byte) {
	if p.col > 0 {
		p.soft()
	}
	p.buf = append(p.buf, mark)
	p.col = qpWidth
}

// multi joins parts under a boundary that is made from their octets: the same
// mail has the same boundary. It begins with =_, which neither
// quoted-printable nor base64 can contain (RFC 2045 section 6.7, note).
func multi(subtype string, parts ...part) part {
	sum := sha256.New()
	for _, p := range parts {
		sum.Write(p.head)
		sum.Write(p.body)
	}
	boundary := "=_" + hex.EncodeToString(sum.Sum(nil)[:15])
	h := header{}
	kind := `multipart/` + subtype + `; boundary="` + boundary + `"`
	if subtype == "related" { // RFC 2387 section 3.1
		kind += `; type="` + parts[0].kind() + `"`
	}
	h.structured("Content-Type", kind)
	size := len(boundary) + 6
	for _, p := range parts {
		size += len(boundary) + len(p.head) + len(p.body) + 6
	}
	body := make([]byte, 0, size)
	for _, p := range parts {
		body = append(body, "--"+boundary+"\r\n"...)
		body = append(append(append(body, p.head...), '\r', '\n'), p.body...)
	}
	return part{head: h.buf, body: append(body, "--"+boundary+"--\r\n"...)}
}

// kind is the media type of a part.
func (p part) kind() string {
	_, rest, _ := bytes.Cut(p.head, []byte("Content-Type: "))
	kind, _, _ := bytes.Cut(rest, []byte(";"))
	return string(bytes.TrimSpace(kind))
}

// filePart encodes an attachment, or what an HTML part refers to by its
// ContentID.
func filePart(a Attachment) (part, error) {
	h := header{}
	if !h.sound("Content-Disposition", a.Name) {
		return part{}, h.err
	}
	kind := a.Type
	if kind == "" {
		kind = "application/octet-stream"
	}
	if !strings.Contains(kind, "/") || strings.HasPrefix(kind, "multipart/") {
		h.fail("Content-Type", fmt.Sprintf("%.60q is not the type of a file; use application/octet-stream", kind))
	}
	h.structured("Content-Type", kind)
	how := "attachment"
	if a.ContentID != "" {
		how = "inline"
		h.structured("Content-ID", "<"+a.ContentID+">")
	}
	h.structured("Content-Disposition", how+parameter("filename", a.Name))
	body, err := encodeFile(&h, kind, a.Data)
	if err == nil {
		err = h.err
	}
	return part{head: h.buf, body: body}, err
}

// encodeFile uses base64, but for messages, which must stand as they are
// (RFC 2046 section 5.2.1).
func encodeFile(h *header, kind string, data []byte) ([]byte, error) {
	if strings.HasPrefix(kind, "message/") {
		h.structured("Content-Transfer-Encoding", "7bit")
		if err := Check(data); err != nil {
			return nil, fmt.Errorf("attached message: %w; attach it as application/octet-stream", err)
		}
		return append(bytes.TrimRight(data, "\r\n"), '\r', '\n'), nil
	}
	h.structured("Content-Transfer-Encoding", "base64")
	const octets = lineWidth / 4 * 3 // of a line
	body := make([]byte, 0, base64.StdEncoding.EncodedLen(len(data))+2*(len(data)/octets+1))
	for len(data) > octets {
		body = append(base64.StdEncoding.AppendEncode(body, data[:octets]), '\r', '\n')
		data = data[octets:]
	}
	return append(base64.StdEncoding.AppendEncode(body, data), '\r', '\n'), nil
}

// parameter writes a parameter of a MIME field, by RFC 2231 where a quoted
// string would not do.
func parameter(name, value string) string {
	if value == "" {
		return ""
	}
	if isPrintable(value) && len(value) <= 50 && singleSpaced(value) {
		return "; " + name + "=" + quote(value)
	}
	var b strings.Builder
	room, n := 0, 0
	for i := range len(value) {
		if room < 3 {
			fmt.Fprintf(&b, "; %s*%d*=", name, n)
			if n == 0 {
				b.WriteString("utf-8''")
			}
			room, n = 45, n+1
		}
		c := value[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' {
			b.WriteByte(c)
			room--
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
		room -= 3
	}
	return b.String()
}

// Check tells whether msg may go over the wire as it is: only CRLF line ends,
// no NUL, 7-bit, lines of at most 998 octets (RFC 5322 section 2.1.1, RFC 5321
// section 2.3.8).
func Check(msg []byte) error {
	for n := 1; len(msg) > 0; n++ {
		line, rest, found := bytes.Cut(msg, []byte("\r\n"))
		if i := bytes.IndexFunc(line, func(r rune) bool { return r == '\r' || r == '\n' || r == 0 || r > '~' && r != 0x7f }); i >= 0 {
			return fmt.Errorf("line %d: octet %#x cannot go over the wire", n, line[i])
		}
		if len(line) > 998 {
			return fmt.Errorf("line %d: %d octets are more than the 998 a server takes", n, len(line))
		}
		if !found {
			return fmt.Errorf("line %d: it does not end in CRLF", n)
		}
		msg = rest
	}
	return nil
}
