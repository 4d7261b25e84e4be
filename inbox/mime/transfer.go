package mime

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// salvage decodes a body that go-message gave up on (RFC 2045 section 6).
// What can be decoded is always given; fault says what could not.
func salvage(body []byte, encoding string) (data []byte, fault string) {
	switch encoding {
	case "":
		return body, ""
	case "base64":
		return base64Body(body)
	case "quoted-printable":
		return quotedPrintable(body), ""
	case "uuencode":
		return uuBody(body)
	}
	return body, "unknown transfer encoding " + encoding
}

// transferName gives the name by which go-message and salvage know an
// encoding, "" when there is nothing to decode.
func transferName(s string) string {
	s = strings.ToLower(strings.Trim(stripComments(strings.TrimSpace(s)), " \t\"';"))
	switch {
	case s == "" || strings.HasPrefix(s, "7") || strings.HasPrefix(s, "8") || s == "binary" || s == "none":
		return ""
	case strings.HasPrefix(s, "base64") || s == "base-64" || s == "b":
		return "base64"
	case strings.HasPrefix(s, "quoted") || s == "qp" || s == "q":
		return "quoted-printable"
	case strings.Contains(s, "uu"):
		return "uuencode"
	}
	return cleanLine(s)
}

func base64Body(body []byte) (data []byte, fault string) {
	code := base64Code(body)
	switch {
	case len(code) == 0:
		return body, "declared base64, but is none"
	case len(code) < len(body):
		fault = "base64 is followed by other text"
	default:
		fault = "base64 was damaged"
	}
	return lenientBase64(code), fault
}

// base64Code cuts off the words that follow the code, such as the footers of
// lists, or stand in its place: they would decode to rubbish.
func base64Code(body []byte) []byte {
	for rest := body; len(rest) > 0; {
		line, below := cutLine(rest)
		if end := paddingEnd(line); end > 0 {
			return body[:len(body)-len(rest)+end]
		}
		if line = bytes.TrimSpace(line); len(line) > 0 && !base64Line(line) {
			return body[:len(body)-len(rest)]
		}
		rest = below
	}
	return body
}

// paddingEnd tells where code ends within a line because it is padded there and
// words follow (RFC 2045 section 6.8); 0 when it does not.
func paddingEnd(line []byte) int {
	pad := bytes.IndexByte(line, '=')
	if pad < 2 || bytes.IndexFunc(line[:pad], func(r rune) bool { return r > 0x7f || !inBase64(byte(r)) }) >= 0 {
		return 0
	}
	end := pad + 1
	if end < len(line) && line[end] == '=' {
		end++
	}
	if end%4 != 0 || len(bytes.TrimSpace(line[end:])) == 0 || line[end] != ' ' {
		return 0
	}
	return end
}

// base64Line tells code from words: a stray character may happen, but not
// several, nor spaces between words of a common length.
func base64Line(line []byte) bool {
	spaces, stray := bytes.Count(line, []byte(" ")), 0
	for _, c := range line {
		if !inBase64(c) && c != '=' && c != ' ' {
			stray++
		}
	}
	return (spaces == 0 || len(line) >= 20*(spaces+1)) && (stray*8 <= len(line) || stray == 1 && len(line) >= 4)
}

// quotedPrintable decodes what go-message does not: control characters, and
// lines longer than its buffer.
func quotedPrintable(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for line := range bytes.SplitAfterSeq(body, []byte("\n")) {
		text := bytes.TrimRight(line, " \t\n") // rule 3: added by transport
		ended := bytes.HasSuffix(line, []byte("\n"))
		text, soft := bytes.CutSuffix(text, []byte("="))
		if out = append(out, text...); ended && !soft {
			out = append(out, '\n')
		}
	}
	return octetsQP(out)
}

// octetsQP undoes =XX; what is no code stays as it is.
func octetsQP(in []byte) []byte {
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); i++ {
		var code [1]byte
		if in[i] == '=' && i+2 < len(in) {
			if _, err := hex.Decode(code[:], in[i+1:i+3]); err == nil {
				out = append(out, code[0])
				i += 2
				continue
			}
		}
		out = append(out, in[i])
	}
	return out
}

// uuBody decodes the lines between "begin" and "end".
func uuBody(body []byte) (data []byte, fault string) {
	start := bytes.Index(body, []byte("begin "))
	if start < 0 {
		return body, "declared uuencode, but is none"
	}
	_, rest := cutLine(body[start:])
	for len(rest) > 0 {
		var line []byte
		line, rest = cutLine(rest)
		if bytes.Equal(bytes.TrimSpace(line), []byte("end")) {
			return data, ""
		}
		data = appendUU(data, line)
	}
	return data, "uuencode is cut off"
}

// uuCode is the alphabet of uuencode; zero is written as a space as well.
var uuCode = base64.NewEncoding("`!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_").WithPadding(base64.NoPadding)

// appendUU decodes a line; spaces at its end may have been lost.
func appendUU(out, line []byte) []byte {
	if len(line) < 2 {
		return out
	}
	n := int((line[0] - ' ') & 0x3f)
	code := bytes.ReplaceAll(line[1:], []byte(" "), []byte("`"))
	data, _ := uuCode.AppendDecode(nil, append(code, bytes.Repeat([]byte("`"), 2*n)...))
	return append(out, data[:min(n, len(data))]...)
}
