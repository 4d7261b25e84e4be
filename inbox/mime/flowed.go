package mime

import "strings"

// unflow joins the lines of format=flowed text (RFC 3676). Quoted paragraphs
// are joined within their own depth; with delSp the space at a soft break goes.
func unflow(text string, delSp bool) string {
	var b strings.Builder
	b.Grow(len(text))
	open, depth := false, 0 // a paragraph whose last line was flowed, and its depth
	for i, line := range strings.Split(text, "\n") {
		d, body := flowedQuote(line)
		signature := body == "-- "
		if open && (d != depth || signature) { // section 4.5: a broken paragraph just ends
			b.WriteByte('\n')
			open = false
		} else if i > 0 && !open {
			b.WriteByte('\n')
		}
		if !open && d > 0 {
			b.WriteString(strings.Repeat(">", d))
			b.WriteByte(' ')
		}
		flowed := strings.HasSuffix(body, " ") && !signature
		if flowed && delSp {
			body = body[:len(body)-1]
		}
		b.WriteString(body)
		open, depth = flowed, d
	}
	return b.String()
}

// flowedQuote counts the quote marks and undoes space-stuffing (section 4.4).
func flowedQuote(line string) (depth int, body string) {
	for depth < len(line) && line[depth] == '>' {
		depth++
	}
	return depth, strings.TrimPrefix(line[depth:], " ")
}
