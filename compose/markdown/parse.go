package markdown

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	gtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// The budgets of trust.md 2.4: goldmark takes quadratic time on nested brackets
// and lists (trust.md M12) and can not be stopped.
const (
	maxBody    = 128 << 10
	maxOpeners = 5000
	maxNesting = 100
	maxTime    = 2 * time.Second
)

// ErrBudget is wrapped by the errors of Parse that mean that a draft is larger
// than Galley reads; the *Excess around it says what, where and how much.
var ErrBudget = errors.New("the draft is larger than Galley reads")

// ErrDeadline is wrapped by the error of Parse when time ran out.
var ErrDeadline = errors.New("reading the Markdown took too long")

// Excess is why a draft is not read. Its sentences stand in the catalogue of
// the mails, behind "draft-"; Error says them in English, for the command line.
type Excess struct {
	Name string
	Gaps []any
	Kind error // ErrBudget or ErrDeadline
}

// Error is the sentence in English.
func (e *Excess) Error() string {
	return fmt.Sprintf(excesses[e.Name], append([]any{e.Kind}, e.Gaps...)...)
}

// Unwrap is ErrBudget or ErrDeadline.
func (e *Excess) Unwrap() error { return e.Kind }

// Parts name the sentence of the catalogue.
func (e *Excess) Parts() (name string, gaps []any) { return "draft-" + e.Name, e.Gaps }

var excesses = map[string]string{
	"long":     "%v: %d octets of text, and %d are the most; split the issue or move images out of the text",
	"brackets": "%v: %d brackets and exclamation marks, and %d are the most",
	"nested":   "%v: line %d is nested more than %d deep",
	"slow":     "%v; look for very many brackets or deeply nested lists",
}

// Document is a draft as a tree, with what stands in it.
type Document struct {
	Front    Front
	Sections []Section
	Links    []Link
	Images   []Image
	Words    int

	// Slot gives what stands in the mail for a field of its reader, with the
	// fallback for those without; nil writes the fallback.
	Slot func(field, fallback string) string

	// Labels are the words that a text part sets itself, image and note, in the
	// language of the issue; English where one is missing.
	Labels map[string]string

	root *node
}

// Parse reads the Markdown of d. Findings tell what was left out and why. The
// error is not nil only when a budget or the deadline was exceeded; without a
// deadline in ctx it is two seconds.
func Parse(ctx context.Context, d *Draft) (*Document, []Finding, error) {
	if err := budget(d); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	type result struct {
		doc *Document
		fs  []Finding
	}
	// The goroutine outlives a deadline; the budgets bound for how long.
	done := make(chan result, 1)
	go func() {
		doc, fs := parse(d)
		done <- result{doc, fs}
	}()
	select {
	case r := <-done:
		return r.doc, r.fs, nil
	case <-ctx.Done():
		return nil, nil, &Excess{"slow", nil, ErrDeadline}
	}
}

func budget(d *Draft) error {
	if n := len(d.Body); n > maxBody {
		return &Excess{"long", []any{n, maxBody}, ErrBudget}
	}
	if n := bytes.Count(d.Body, []byte("[")) + bytes.Count(d.Body, []byte("!")); n > maxOpeners {
		return &Excess{"brackets", []any{n, maxOpeners}, ErrBudget}
	}
	for i, l := range strings.Split(string(d.Body), "\n") {
		if depth(l) > maxNesting {
			return &Excess{"nested", []any{d.Source(i + 1), maxNesting}, ErrBudget}
		}
	}
	return nil
}

// depth estimates how deep the lists and quotes of a line nest: one for every
// quote mark and list marker it begins with, and one for two columns of indent.
func depth(l string) int {
	marks, cols := 0, 0
	for i, r := range l {
		switch {
		case r == ' ':
			cols++
		case r == '\t':
			cols += 4
		case r == '>' || (r == '-' || r == '*' || r == '+') && i+1 < len(l) && l[i+1] == ' ':
			marks++
		default:
			return marks + cols/2
		}
	}
	return marks
}

func parse(d *Draft) (*Document, []Finding) {
	src := d.Body
	tree := dialect().Parse(gtext.NewReader(src))
	b := newBuilder(d, tree)
	b.misplaced(strings.Join([]string{d.Front.Title, d.Front.Subtitle, d.Front.Preheader, d.Front.HeroImg}, " "), 1)
	b.kids(tree)
	b.fields(b.root)
	tidy(b.root)
	doc := &Document{Front: d.Front, root: b.root}
	doc.collect()
	return doc, b.findings
}

var (
	never   = regexp.MustCompile(`^[^\s\S]`)
	bareURL = regexp.MustCompile(`^(?:https?://[\pL\pN\[][^\s<>"` + "`" + `]*|mailto:[^\s<>@"]+@[\pL\pN.-]+)`)
)

// dialect is CommonMark with tables, task lists, footnotes, ~~strike~~ and bare
// http, https and mailto addresses as links. There is no typographer: authors'
// quotation marks are as they want them. Ids of headings are given later.
func dialect() parser.Parser {
	links := extension.NewLinkifyParser(
		extension.WithLinkifyAllowedProtocols([]string{"http:", "https:", "mailto:"}),
		extension.WithLinkifyURLRegexp(bareURL),
		extension.WithLinkifyWWWRegexp(never),
		extension.WithLinkifyEmailRegexp(never),
	)
	return parser.NewParser(
		parser.WithBlockParsers(append(parser.DefaultBlockParsers(),
			util.Prioritized(extension.NewFootnoteBlockParser(), 999))...),
		parser.WithInlineParsers(append(parser.DefaultInlineParsers(),
			util.Prioritized(extension.NewTaskCheckBoxParser(), 0),
			util.Prioritized(extension.NewFootnoteParser(), 101),
			util.Prioritized(strike{}, 500),
			util.Prioritized(links, 999))...),
		parser.WithParagraphTransformers(append(parser.DefaultParagraphTransformers(),
			util.Prioritized(extension.NewTableParagraphTransformer(), 200))...),
		parser.WithASTTransformers(
			util.Prioritized(extension.NewTableASTTransformer(), 0),
			util.Prioritized(extension.NewFootnoteASTTransformer(), 999)),
	)
}

// strike reads ~~struck~~ text. goldmark's own also takes single tildes, which
// people write for "about".
type strike struct{}

func (strike) Trigger() []byte         { return []byte{'~'} }
func (strike) IsDelimiter(c byte) bool { return c == '~' }
func (strike) OnMatch(int) ast.Node    { return newStruck() }
func (strike) CanOpenCloser(a, b *parser.Delimiter) bool {
	return a.Char == b.Char
}

func (s strike) Parse(_ ast.Node, block gtext.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	l, segment := block.PeekLine()
	n := parser.ScanDelimiter(l, before, 2, s)
	if n == nil || n.OriginalLength != 2 || before == '~' {
		return nil
	}
	n.Segment = segment.WithStop(segment.Start + n.OriginalLength)
	block.Advance(n.OriginalLength)
	pc.PushDelimiter(n)
	return n
}
