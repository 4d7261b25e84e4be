package mime

import (
	"bytes"
	"strings"
)

// decodeTransfer undoes a Content-Transfer-Encoding (RFC 2045 section 6). What
// can be decoded is always given; fault says what could not.
func decodeTransfer(body []byte, encoding string) (data []byte, fault string) {
	switch transferName(encoding) {
	case "base64":
		return base64Body(body)
	case "quoted-printable":
		return quotedPrintable(body), ""
	case "uuencode":
		return uuBody(body)
	case "":
		return body, ""
	}
	return body, "unknown transfer encoding " + cleanLine(encoding)
}

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
	return s
}

// base64Body keeps the good beginning: lines of words that follow the code
// (list footers) or stand in its place are no base64.
func base64Body(body []byte) (data []byte, fault string) {
	code := make([]byte, 0, len(body))
	for rest := body; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if !base64Line(line) {
			fault = "base64 is followed by other text"
			break
		}
		code = append(code, line...)
		code = append(code, '\n')
	}
	if len(code) == 0 && fault != "" {
		return body, "declared base64, but is none"
	}
	data = lenientBase64(code)
	if fault == "" && bytes.ContainsFunc(code, strayBase64) {
		fault = "base64 holds foreign characters"
	}
	return data, fault
}

func strayBase64(r rune) bool {
	return r > 127 || !(inBase64(byte(r)) || r == '=' || r == '\n' || r == ' ' || r == '\t')
}

// base64Line tells code from words: a stray character may happen, but not
// several, nor spaces between words with punctuation.
func base64Line(line []byte) bool {
	stray := 0
	for _, r := range string(line) {
		if strayBase64(r) {
			stray++
		}
	}
	spaces := bytes.Count(line, []byte(" "))
	if spaces > 0 && len(line) < 200 && len(line)/(spaces+1) < 20 {
		return false
	}
	return stray*8 <= len(line) || stray == 1 && len(line) >= 4
}

// quotedPrintable decodes RFC 2045 section 6.7; what is no code stays as it is.
func quotedPrintable(in []byte) []byte {
	out := make([]byte, 0, len(in))
	for len(in) > 0 {
		line, rest := cutLine(in)
		ended := len(in) > len(line)
		line = bytes.TrimRight(line, " \t") // rule 3: added by transport
		soft := bytes.HasSuffix(line, []byte("="))
		if soft {
			line = line[:len(line)-1]
		}
		out = appendQP(out, line)
		if ended && !soft {
			out = append(out, '\n')
		}
		in = rest
	}
	return out
}

func appendQP(out, line []byte) []byte {
	for i := 0; i < len(line); i++ {
		if line[i] == '=' && i+2 < len(line) && isHex(line[i+1]) && isHex(line[i+2]) {
			out = append(out, unhex(line[i+1])<<4|unhex(line[i+2]))
			i += 2
			continue
		}
		out = append(out, line[i])
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

func appendUU(out, line []byte) []byte {
	if len(line) < 2 {
		return out
	}
	n := int((line[0] - ' ') & 0x3f)
	line = line[1:]
	for n > 0 && len(line) > 0 {
		var q [4]byte
		for i := range q {
			if i < len(line) {
				q[i] = (line[i] - ' ') & 0x3f
			}
		}
		three := []byte{q[0]<<2 | q[1]>>4, q[1]<<4 | q[2]>>2, q[2]<<6 | q[3]}
		out = append(out, three[:min(3, n)]...)
		n -= 3
		line = line[min(4, len(line)):]
	}
	return out
}
