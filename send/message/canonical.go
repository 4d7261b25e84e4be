package message

import "bytes"

// relaxField appends one header field, folded or not and with its CRLF, in the
// relaxed form of RFC 6376 section 3.4.2.
func relaxField(dst, field []byte) []byte {
	name, value, _ := bytes.Cut(field, []byte(":"))
	for _, c := range bytes.TrimRight(name, " \t") {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	dst = append(dst, ':')
	blank, start := false, len(dst)
	for _, c := range value {
		switch c {
		case '\r', '\n':
		case ' ', '\t':
			blank = true
		default:
			if blank && len(dst) > start {
				dst = append(dst, ' ')
			}
			blank = false
			dst = append(dst, c)
		}
	}
	return append(dst, '\r', '\n')
}

// relaxLines appends body lines in the relaxed form of RFC 6376 section 3.4.4,
// but for its last rule about empty lines at the end: blanks side by side
// become one, those at the end of a line go.
func relaxLines(dst, body []byte) []byte {
	blank := false
	for _, c := range body {
		switch c {
		case ' ', '\t':
			blank = true
		case '\r':
			blank = false
			dst = append(dst, c)
		default:
			if blank {
				dst = append(dst, ' ')
			}
			blank = false
			dst = append(dst, c)
		}
	}
	return dst
}

// relaxBody appends a whole body in relaxed form.
func relaxBody(dst, body []byte) []byte {
	start := len(dst)
	dst = relaxLines(dst, body)
	if body = bytes.TrimRight(dst[start:], "\r\n"); len(body) == 0 {
		return dst[:start]
	}
	return append(dst[:start+len(body)], '\r', '\n')
}

// fieldsOf cuts a header into its fields, each with its folds and CRLF.
func fieldsOf(head []byte) [][]byte {
	var fields [][]byte
	start := 0
	for i := 0; i < len(head); {
		n := bytes.IndexByte(head[i:], '\n')
		if n < 0 {
			n = len(head) - i - 1
		}
		i += n + 1
		if i == len(head) || head[i] != ' ' && head[i] != '\t' {
			fields = append(fields, head[start:i])
			start = i
		}
	}
	return fields
}

// fieldName returns the name of a field.
func fieldName(field []byte) []byte {
	name, _, _ := bytes.Cut(field, []byte(":"))
	return bytes.TrimRight(name, " \t")
}
