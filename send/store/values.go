package store

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// Chunk is how many rows one statement should take: PostgreSQL counts the round
// trips, SQLite the time to bind so many values.
func (tx *Tx) Chunk() int {
	if tx.dialect == PostgreSQL {
		return 1000
	}
	return 100
}

// Table writes rows of values as the table of a statement, whose columns are
// column1, column2 … as those of VALUES are in both databases. The rows are what
// stands in args behind the first lead values, one row after the other. It gives
// the text and all values of the statement so far. To PostgreSQL each column goes
// as one array: it reads and plans a thousand values one by one for longer than
// it takes to write them, and one text serves all numbers of rows.
func (tx *Tx) Table(args []any, lead, columns int) (text string, with []any) {
	rows := args[lead:]
	if tx.dialect != PostgreSQL {
		return "VALUES " + Values(lead+1, len(rows)/columns, columns), args
	}
	with = slices.Clip(args[:lead])
	arrays, names := make([]string, columns), make([]string, columns)
	for c := range columns {
		column := make([]any, 0, len(rows)/columns)
		for at := c; at < len(rows); at += columns {
			column = append(column, rows[at])
		}
		with = append(with, column)
		arrays[c] = "$" + strconv.Itoa(len(with)) + "::" + arrayOf(column) + "[]"
		names[c] = "column" + strconv.Itoa(c+1)
	}
	return "SELECT * FROM unnest(" + strings.Join(arrays, ", ") + ") AS u (" + strings.Join(names, ", ") + ")", with
}

// Among is the condition that a column is one of these numbers, and all values of
// the statement with them: one array for PostgreSQL, for which one text so serves
// any number of them.
func (tx *Tx) Among(column string, args []any, numbers []int64) (text string, with []any) {
	if tx.dialect == PostgreSQL {
		return column + " = ANY ($" + strconv.Itoa(len(args)+1) + "::bigint[])", append(args, numbers)
	}
	b := append([]byte(column), " IN ("...)
	for i, n := range numbers {
		if i > 0 {
			b = append(b, ',')
		}
		args = append(args, n)
		b = strconv.AppendInt(append(b, '$'), int64(len(args)), 10)
	}
	return string(append(b, ')')), args
}

// arrayOf is PostgreSQL's name for what stands in a column.
func arrayOf(column []any) string {
	if len(column) > 0 {
		switch column[0].(type) {
		case string:
			return "text"
		case bool:
			return "boolean"
		}
	}
	return "bigint"
}

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
