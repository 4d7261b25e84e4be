package markdown

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// Level says how much a Finding weighs.
type Level string

// An error stops approval, a warning is worth a look, a note only informs.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Note    Level = "note"
)

// Finding is one thing the editor is told about a draft. Its words stand in
// the catalogue of the newsletter's language, under its Code or, where one code
// has several sentences, under Say; Message and Remedy are empty until whoever
// knows the language has written them there.
type Finding struct {
	Level   Level  `json:"level"`
	Code    string `json:"code"`
	Line    int    `json:"line,omitempty"` // of the source as mailed, from 1
	Words   string `json:"words,omitempty"`
	Message string `json:"message,omitempty"`
	Remedy  string `json:"remedy,omitempty"`
	Say     string `json:"-"`
	Gaps    []any  `json:"-"` // what stands in the sentence's gaps, in their order
}

// Sentence names a sentence of the catalogue, with what stands in its gaps. It
// may itself stand in the gap of another.
type Sentence struct {
	Name string
	Gaps []any
}

// Parts are the sentence's name and what stands in its gaps.
func (s Sentence) Parts() (name string, gaps []any) { return s.Name, s.Gaps }

// Sentence is what the finding says.
func (f *Finding) Sentence() Sentence {
	if f.Say != "" {
		return Sentence{"finding-" + f.Say, f.Gaps}
	}
	return Sentence{"finding-" + f.Code, f.Gaps}
}

// Repair is one kind of damage that was undone; Line is the first line of the
// source as mailed where it was found. Its words stand in the catalogue under
// the name of Kind; What is empty until they are written there.
type Repair struct {
	Line int    `json:"line"`
	Kind string `json:"kind"`
	What string `json:"what,omitempty"`
	Gaps []any  `json:"-"` // how often it was found, and what else the sentence says
}

// Sentence is what the repair says.
func (r *Repair) Sentence() Sentence { return Sentence{"repair-" + r.Kind, r.Gaps} }

// Front holds the front matter. Its zero values mean that the key was absent.
type Front struct {
	Title     string            `json:"title,omitempty"`
	Subtitle  string            `json:"subtitle,omitempty"`
	Date      string            `json:"date,omitempty"` // YYYY-MM-DD, a date in the newsletter's own zone
	Layout    string            `json:"layout,omitempty"`
	HeroImg   string            `json:"hero-img,omitempty"`
	Issue     int               `json:"issue,omitempty"`
	Send      string            `json:"send,omitempty"`
	Slug      string            `json:"slug,omitempty"`
	Preheader string            `json:"preheader,omitempty"`
	ReplyTo   string            `json:"reply-to,omitempty"`
	Lang      string            `json:"lang,omitempty"`
	Tags      []string          `json:"tags,omitempty"`
	Canonical string            `json:"canonical,omitempty"`
	To        string            `json:"to,omitempty"`
	Draft     bool              `json:"draft,omitempty"`
	NoCredits bool              `json:"no-credits,omitempty"` // this issue thanks nobody for links
	Other     map[string]string `json:"other,omitempty"`      // unknown keys, kept; lists and maps as JSON
}

// Source is a draft as it was mailed.
type Source struct {
	Text    []byte    // decoded to UTF-8, format=flowed already undone
	Subject string    // serves as the title when the front matter has none
	Date    time.Time // the mail's Date serves as date when the front matter has none; may be zero
	Day     string    // of the slot that the draft is for, which is a surer date than the mail's
	Exact   bool      // an attachment or a file: guess about hard wraps only where plain evidence shows
	// Partials are the texts, in Markdown, that {{name}} on a line of its own
	// stands for, by name in lower case. "sign-off" and "about" end every draft
	// that lacks them, unless it is Closed, as an issue of the past is.
	Partials map[string]string
	Closed   bool
}

// Draft is a source after repair.
type Draft struct {
	Front    Front
	Body     []byte // the Markdown below the front matter, LF, repaired
	Line     int    // line of the source as mailed at which Body begins, from 1
	Repairs  []Repair
	Findings []Finding

	lines []int // the source line of every line of Body
}

// Read repairs src and takes its front matter off. It never fails: what it could
// not understand is told as Findings. Reading the Markdown of the result again,
// with the same Exact, gives the same front matter and body.
func Read(src Source) *Draft {
	w := &work{exact: src.Exact, ls: split(src.Text)}
	w.clean()
	w.unquote()
	w.unstuff()
	d := &Draft{}
	w.front(&d.Front)
	if len(src.Text) <= 2*maxBody { // Parse refuses what is larger
		w.body()
		w.partials(src)
	}
	w.fill(&d.Front, src)
	d.Line = 1
	if len(w.ls) > 0 {
		d.Line = w.ls[0].n
	}
	d.Body, d.lines = join(w.ls)
	d.Repairs, d.Findings = w.mends, w.findings
	return d
}

// Source tells which line of the source as mailed the given line of Body (from
// 1) came from.
func (d *Draft) Source(bodyLine int) int {
	if bodyLine < 1 {
		bodyLine = 1
	}
	if bodyLine <= len(d.lines) {
		return d.lines[bodyLine-1]
	}
	if n := len(d.lines); n > 0 {
		return d.lines[n-1] + bodyLine - n
	}
	return max(d.Line, 1) + bodyLine - 1
}

// Markdown returns the repaired file: front matter between fences, an empty
// line, the body.
func (d *Draft) Markdown() []byte {
	var b bytes.Buffer
	if head := d.Front.yaml(); head != "" {
		b.WriteString("---\n" + head + "---\n\n")
	}
	b.Write(d.Body)
	return b.Bytes()
}

// line is one line of a draft and the number it had in the source as mailed.
type line struct {
	s string
	n int
}

func (l line) blank() bool { return strings.TrimSpace(l.s) == "" }

// work is a draft under repair.
type work struct {
	ls       []line
	exact    bool
	smart    bool // smart punctuation has eaten dashes somewhere in this draft
	short    bool // and it makes en dashes of two hyphens
	mends    []Repair
	findings []Finding
}

// repaired counts a repair of a kind; more stands in its sentence behind the
// count, and tells two repairs of a kind apart.
func (w *work) repaired(n int, kind string, more ...any) {
	for i, m := range w.mends {
		if m.Kind == kind && slices.Equal(m.Gaps[1:], more) {
			w.mends[i].Gaps[0] = m.Gaps[0].(int) + 1
			w.mends[i].Line = min(m.Line, n)
			return
		}
	}
	w.mends = append(w.mends, Repair{Line: n, Kind: kind, Gaps: append([]any{1}, more...)})
}

func (w *work) found(f Finding) { w.findings = append(w.findings, f) }

// join writes lines as one text that ends with a line feed, without empty lines
// at either end, and returns the source line of each.
func join(ls []line) ([]byte, []int) {
	ls = trimBlank(ls)
	var b bytes.Buffer
	at := make([]int, 0, len(ls))
	size := 0
	for _, l := range ls {
		size += len(l.s) + 1
	}
	b.Grow(size)
	for _, l := range ls {
		b.WriteString(l.s)
		b.WriteByte('\n')
		at = append(at, l.n)
	}
	return b.Bytes(), at
}

func trimBlank(ls []line) []line {
	for len(ls) > 0 && ls[0].blank() {
		ls = ls[1:]
	}
	for len(ls) > 0 && ls[len(ls)-1].blank() {
		ls = ls[:len(ls)-1]
	}
	return ls
}
