package list

import (
	"bufio"
	"io"
	"strings"
)

// maxRecord is the longest record in bytes that a list may have: longer ones
// are a quote that was never closed, or no list at all.
const maxRecord = 64 << 10

var (
	errOpenQuote error = wrong("open-quote")
	errAfter     error = wrong("after-quote")
	errLong      error = wrong("long", maxRecord>>10)
)

// records reads CSV (RFC 4180) one record at a time. encoding/csv would read
// to the end of the file for one open quote and lose everybody behind it;
// here only the record with the fault is lost.
type records struct {
	r     *bufio.Reader
	comma byte
	line  int      // of the last record's first line
	next  int      // of the next line to read
	queue []string // lines read ahead for a cell over several lines
	cells []string // of the last record
}

func newRecords(r io.Reader) *records {
	return &records{r: bufio.NewReaderSize(r, maxRecord), comma: ',', next: 1}
}

// read gives the cells of the next record, which are there until the next call;
// lines with nothing in them are passed over. A fault of one record is errOpenQuote, errAfter or errLong,
// and the next call goes on behind it; io.EOF ends the file.
func (c *records) read() ([]string, error) {
	text, err := c.take()
	for ; err == nil && text == ""; text, err = c.take() {
	}
	if err != nil {
		return nil, err
	}
	c.line = c.next - 1
	c.cells, err = split(c.cells[:0], text, c.comma)
	if err != errOpenQuote {
		return c.cells, err
	}
	return c.long(text)
}

// long reads on until the quote that text opens is closed. When it never is,
// the lines read ahead are given back.
func (c *records) long(text string) ([]string, error) {
	var ahead []string
	for len(text) < maxRecord && len(ahead) < 100 {
		more, err := c.take()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		ahead = append(ahead, more)
		text += "\n" + more
		if !strings.Contains(more, `"`) {
			continue
		}
		cells, err := split(nil, text, c.comma)
		if err == nil {
			return cells, nil
		}
		if err == errAfter {
			break // the open quote met the opening quote of another record
		}
	}
	c.queue = append(ahead, c.queue...)
	c.next -= len(ahead)
	return nil, errOpenQuote
}

// take gives the next line without its end.
func (c *records) take() (string, error) {
	if len(c.queue) > 0 {
		line := c.queue[0]
		c.queue = c.queue[1:]
		c.next++
		return line, nil
	}
	raw, err := c.r.ReadSlice('\n')
	if len(raw) == 0 && err != nil && err != bufio.ErrBufferFull {
		return "", err
	}
	if err != nil && err != bufio.ErrBufferFull && err != io.EOF {
		return "", err
	}
	c.next++
	if err == bufio.ErrBufferFull {
		return "", c.skip()
	}
	line := strings.TrimSuffix(string(raw), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// skip passes over the rest of a line that is too long.
func (c *records) skip() error {
	c.line = c.next - 1
	for {
		_, err := c.r.ReadSlice('\n')
		switch err {
		case bufio.ErrBufferFull:
		case nil, io.EOF:
			return errLong
		default:
			return err
		}
	}
}

// split takes one record apart, into cells behind those that are given. A quote inside a cell that did not begin with
// one is part of the cell, as people write nicknames.
func split(cells []string, s string, comma byte) ([]string, error) {
	for {
		if strings.HasPrefix(s, `"`) {
			cell, rest, err := quoted(s[1:])
			if err != nil {
				return nil, err
			}
			cells = append(cells, cell)
			if rest == "" {
				return cells, nil
			}
			if rest[0] != comma {
				return nil, errAfter
			}
			s = rest[1:]
			continue
		}
		i := strings.IndexByte(s, comma)
		if i < 0 {
			return append(cells, s), nil
		}
		cells = append(cells, s[:i])
		s = s[i+1:]
	}
}

// quoted reads a cell behind its opening quote.
func quoted(s string) (cell, rest string, err error) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return "", "", errOpenQuote
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		if !strings.HasPrefix(s, `"`) {
			return b.String(), s, nil
		}
		b.WriteByte('"')
		s = s[1:]
	}
}
