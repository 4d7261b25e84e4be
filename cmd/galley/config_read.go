package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Fault is one thing that is wrong with the file, and what to do about it.
type Fault struct {
	File   string // as it was named
	Line   int    // 1-based; 0 when the fault is of no line
	Key    string // as in "smtp.port"; "" when it is of no key
	What   string
	Remedy string
}

// String is the fault on one line, in the form that editors jump to.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	for _, s := range []string{f.Key, f.What} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	if f.Remedy != "" {
		b.WriteString("; " + f.Remedy)
	}
	return strings.Map(func(r rune) rune { // a key in quotes may hold anything
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, b.String())
}

// Faults are all faults of a file, by line. It is the error of Load.
type Faults []Fault

// Error lists the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].String()
	}
	return strings.Join(lines, "\n")
}

// Load reads and checks the configuration at path. Its error is Faults when
// the file could be read, with every fault in it: what TOML refuses, keys
// that do not exist, and values that cannot work. No fault quotes a secret.
func Load(path string) (*Config, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(abs)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w; name the file with --config", unwrapPath(err, path))
	}
	d := &document{name: path, text: text, bad: map[int]bool{}}
	c := &Config{Path: abs}
	if d.outline() {
		d.decode(c)
		c.defaults(d.has)
		c.check(d)
	}
	if len(d.faults) > 0 {
		return nil, d.sorted()
	}
	return c, nil
}

// document is the file while it is read: where each key stands, and what is
// wrong so far.
type document struct {
	name   string
	text   []byte
	lines  map[string]int // "newsletter[0].imap.host" to its line
	parts  []part
	faults Faults
	bad    map[int]bool // lines whose value could not be read: nothing more is said of it
}

// part is one expression of the file: a table's header or a key with its value.
type part struct {
	start int // offset in the text
	table bool
}

// has tells whether the file says anything about key.
func (d *document) has(key string) bool { return d.lines[key] > 0 }

// fault notes that something is wrong with key.
func (d *document) fault(key, remedy, what string, args ...any) {
	if d.bad[d.lines[key]] {
		return
	}
	d.faults = append(d.faults, Fault{d.name, d.line(key), plainKey(key), fmt.Sprintf(what, args...), remedy})
}

// line is where key stands, or else the nearest table around it.
func (d *document) line(key string) int {
	for key != "" {
		if n := d.lines[key]; n > 0 {
			return n
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 0
}

// plainKey drops the positions in lists: the line says which one is meant.
func plainKey(key string) string {
	for {
		before, rest, ok := strings.Cut(key, "[")
		if !ok {
			return key
		}
		_, after, _ := strings.Cut(rest, "]")
		key = before + after
	}
}

func (d *document) sorted() Faults {
	slices.SortStableFunc(d.faults, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return slices.Compact(d.faults)
}

// outline notes where every key stands. It tells whether the text is TOML at
// all; if not, there is one fault and nothing else can be read.
func (d *document) outline() bool {
	o := d.walk()
	if at, ok := o.single["dkim"]; ok && d.double(at) {
		o = d.walk() // a lone [dkim] is a list of one
	}
	if o.err == nil {
		return true
	}
	var e *unstable.ParserError
	line := 0
	if errors.As(o.err, &e) {
		line = 1 + bytes.Count(d.text[:o.parser.Range(e.Highlight).Offset], []byte("\n"))
	}
	d.faults = append(d.faults, Fault{d.name, line, "", "not TOML: " + o.err.Error(), "mend this line first; the rest was not looked at"})
	return false
}

// double turns the table header with its key at offset into a list's.
func (d *document) double(offset int) bool {
	open := bytes.LastIndexByte(d.text[:offset], '[')
	end := bytes.IndexByte(d.text[offset:], ']')
	if open < 0 || end < 0 {
		return false
	}
	end += offset
	d.text = slices.Concat(d.text[:open], []byte("["), d.text[open:end], []byte("]"), d.text[end:])
	return true
}

// outliner is one walk over the syntax of a file.
type outliner struct {
	d      *document
	parser unstable.Parser
	single map[string]int // tables that are no list, by key, with their offset
	counts map[string]int // lists of tables
	table  string         // the key of the table we are in
	err    error
}

func (d *document) walk() *outliner {
	d.lines, d.parts = map[string]int{}, nil
	o := &outliner{d: d, single: map[string]int{}, counts: map[string]int{}}
	o.parser.Reset(d.text)
	for o.parser.NextExpression() {
		o.expression(o.parser.Expression())
	}
	o.err = o.parser.Error()
	return o
}

func (o *outliner) expression(n *unstable.Node) {
	if n.Kind == unstable.Comment {
		return
	}
	keys, offset := keyOf(n)
	o.d.parts = append(o.d.parts, o.d.part(offset, n.Kind != unstable.KeyValue))
	switch n.Kind {
	case unstable.Table:
		o.single[strings.Join(keys, ".")] = offset
		o.table = o.resolve(keys)
		o.at(o.table, offset)
	case unstable.ArrayTable:
		bare := strings.TrimPrefix(o.resolve(keys[:len(keys)-1])+"."+keys[len(keys)-1], ".")
		o.table = element(bare, o.counts[bare])
		o.counts[bare]++
		o.at(o.table, offset)
	case unstable.KeyValue:
		o.value(o.table, n)
	}
}

// part begins at its key, or in front of the brackets that open a table.
func (d *document) part(offset int, table bool) part {
	for table && offset > 0 && strings.IndexByte("[ \t", d.text[offset-1]) >= 0 {
		offset--
	}
	return part{offset, table}
}

// resolve writes the key of a table with the position of the last element
// wherever it passes through a list.
func (o *outliner) resolve(keys []string) string {
	path := ""
	for _, k := range keys {
		path = strings.TrimPrefix(path+"."+k, ".")
		if n := o.counts[path]; n > 0 {
			path = element(path, n-1)
		}
	}
	return path
}

// value notes a key with its value, and all that is inside the value.
func (o *outliner) value(table string, n *unstable.Node) {
	keys, offset := keyOf(n)
	path := strings.TrimPrefix(table+"."+strings.Join(keys, "."), ".")
	o.at(path, offset)
	o.inside(path, offset, n.Value())
}

func (o *outliner) inside(path string, offset int, v *unstable.Node) {
	at := v.Children()
	for i := 0; at.Next(); i++ {
		child := at.Node()
		if child.Kind == unstable.KeyValue {
			o.value(path, child)
			continue
		}
		if child.Raw.Length > 0 {
			offset = int(child.Raw.Offset)
		}
		o.at(element(path, i), offset)
		o.inside(element(path, i), offset, child)
	}
}

func (o *outliner) at(path string, offset int) {
	if _, known := o.d.lines[path]; !known {
		o.d.lines[path] = 1 + bytes.Count(o.d.text[:offset], []byte("\n"))
	}
}

func element(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// keyOf gives the parts of a dotted key and the offset of the first.
func keyOf(n *unstable.Node) (keys []string, offset int) {
	for it := n.Key(); it.Next(); {
		if keys == nil {
			offset = int(it.Node().Raw.Offset)
		}
		keys = append(keys, string(it.Node().Data))
	}
	return keys, offset
}

// decode fills c. The library stops at the first value it cannot store, so
// that expression is blanked and the rest tried again, until all is said.
func (d *document) decode(c *Config) {
	text := bytes.Clone(d.text)
	for range d.parts {
		*c = Config{Path: c.Path}
		dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
		err := dec.Decode(c)
		var one *toml.DecodeError
		var unknown *toml.StrictMissingError
		switch {
		case errors.As(err, &unknown):
			d.unknown(unknown)
			return
		case errors.As(err, &one):
			d.refused(one)
			row, column := one.Position()
			d.blank(text, row, column)
		case err != nil:
			d.faults = append(d.faults, Fault{File: d.name, What: err.Error()})
			return
		default:
			return
		}
	}
}

// unknown notes the keys that do not exist. The library's own picture of the
// place is not used: it quotes the lines around it, which may hold a secret.
func (d *document) unknown(e *toml.StrictMissingError) {
	for i := range e.Errors {
		row, _ := e.Errors[i].Position()
		key := strings.Join(e.Errors[i].Key(), ".")
		d.faults = append(d.faults, Fault{d.name, row, key, "there is no such setting", suggest(key)})
	}
}

func (d *document) refused(e *toml.DecodeError) {
	row, _ := e.Position()
	d.bad[row] = true
	what := strings.TrimPrefix(e.Error(), "toml: ")
	what, remedy, _ := strings.Cut(what, "; ")
	if at := strings.Index(what, "cannot decode TOML "); at >= 0 {
		what, remedy = typeFault(what[at+len("cannot decode TOML "):])
	}
	if remedy == "" {
		remedy = "mend the value or take the line out"
	}
	d.faults = append(d.faults, Fault{d.name, row, d.keyAt(row, e.Key()), what, remedy})
}

// typeFault turns "string into struct field main.SMTP.Port of type int" into
// words without Go in them.
func typeFault(s string) (what, remedy string) {
	got, rest, _ := strings.Cut(s, " into ")
	want := "another kind of value"
	for _, k := range []struct{ suffix, word string }{
		{"[]string", "a list of strings"}, {"string", "a string in quotes"}, {"int", "a whole number"}, {"bool", "true or false"},
		{"Duration", `a length of time such as "10m"`}, {"Secret", "a string in quotes"},
	} {
		if strings.HasSuffix(rest, k.suffix) {
			want = k.word
			break
		}
	}
	return got + " is the wrong kind of value", "write " + want
}

// keyAt names the key of a fault when the library does not.
func (d *document) keyAt(row int, key []string) string {
	if len(key) > 0 {
		return strings.Join(key, ".")
	}
	best := ""
	for k, line := range d.lines {
		if line == row && (best == "" || len(k) < len(best) || len(k) == len(best) && k < best) {
			best = k
		}
	}
	return plainKey(best)
}

// blank takes the expression at a position out of text and keeps its lines,
// so that all others stay where they are. A table goes with all its keys.
func (d *document) blank(text []byte, row, column int) {
	offset := column - 1
	for line := range bytes.Lines(text) {
		if row--; row < 1 {
			break
		}
		offset += len(line)
	}
	i := max(0, d.partAt(offset))
	end := len(text)
	for _, p := range d.parts[i+1:] {
		if p.table || !d.parts[i].table {
			end = p.start
			break
		}
	}
	for j := d.parts[i].start; j < end; j++ {
		if text[j] != '\n' {
			text[j] = ' '
		}
	}
}

// partAt finds the expression that holds an offset.
func (d *document) partAt(offset int) int {
	at := -1
	for i, p := range d.parts {
		if p.start <= offset {
			at = i
		}
	}
	return at
}
