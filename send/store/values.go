package store

import (
	"bytes"
	"strconv"
)

// Values writes the rows of VALUES for so many values, from $from on:
// ($3,$4),($5,$6) for 3, 2 and 2.
func Values(from, rows, columns int) string {
	b := make([]byte, 0, rows*columns*6)
	for r := range rows {
		if r > 0 {
			b = append(b, ',')
		}
		for c := range columns {
			b = append(b, "(,"[min(c, 1)], '$')
			b = strconv.AppendInt(b, int64(from+r*columns+c), 10)
		}
		b = append(b, ')')
	}
	return string(b)
}

// unnamed writes a text whose values are $1, $2 … each once and in this order
// with a bare ? for each, which means the same to SQLite: it keeps a name for
// every other kind, and the driver looks all of them through for each. A LIMIT
// that is a bare value would have SQLite plan the statement anew at each call,
// for the value it has this time; one that is computed is planned once. Any
// other text stays as it is.
func unnamed(query string) string {
	b := make([]byte, 0, len(query))
	next := int64(1)
	for i := 0; i < len(query); i++ {
		switch c := query[i]; c {
		case '\'', '"':
			end := i + 1
			for end < len(query) && query[end] != c {
				end++
			}
			if end == len(query) {
				return query
			}
			b = append(b, query[i:end+1]...)
			i = end
		case '?', '-', ':', '@':
			if c != '-' || i+1 < len(query) && query[i+1] == '-' { // another kind of value, or a comment
				return query
			}
			b = append(b, c)
		case '$':
			end := i + 1
			for end < len(query) && query[end] >= '0' && query[end] <= '9' {
				end++
			}
			if n, err := strconv.ParseInt(query[i+1:end], 10, 32); err != nil || n != next {
				return query
			}
			next++
			if bytes.HasSuffix(b, []byte("LIMIT ")) {
				b = append(b, "0+"...)
			}
			b = append(b, '?')
			i = end - 1
		default:
			b = append(b, c)
		}
	}
	return string(b)
}
