package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"text/template"
	"text/template/parse"

	"github.com/rogpeppe/go-internal/txtar"

	"galley/inbox/mime"
	"galley/templates"
)

// toldElsewhere are stories that go through nearly all mails of the house.
var toldElsewhere = []string{"a-correction", "a-kind-no", "a-reader-joins", "cancel", "closed-too-long", "doubtful-words", "errors-in-a-draft", "filed-apart",
	"forms-of-a-draft", "holidays", "the-hello", "letters", "links-that-answer-late", "may-we-name-you", "moving-house", "questions", "readers-leave-by-mail",
	"reminders", "reports", "several-words", "starter", "suggestions", "thanks", "the-list-by-mail", "two-approvals", "two-that-cross", "undo"}

// TestSecondLanguage tells stories in a house whose catalogue is another one:
// the English file with a mark around all of its words. What stands outside of
// the marks in a mail of the house, and is no word that somebody wrote, was
// written by the program, and no second language could say it.
func TestSecondLanguage(t *testing.T) {
	catalogue := markedCatalogue(t)
	for n, name := range toldElsewhere {
		if testing.Short() && n%5 != 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(filepath.Join("testdata/stories", name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				tellWith(t, archive, func(s *story) {
					if err := os.WriteFile(filepath.Join(s.dir, "desk.eo.txt"), []byte(catalogue), 0o600); err != nil {
						t.Fatal(err)
					}
					s.plan.foreign = wordsOf(archive)
				})
			})
		})
	}
}

// words are runs of letters with single blanks between.
var wordRun = regexp.MustCompile(`\pL+(?:[ '’-]\pL+)*`)

func mark(s string) string { return wordRun.ReplaceAllString(s, "⟦$0⟧") }

// markedCatalogue is the English catalogue with a mark around all words that
// it says.
func markedCatalogue(t *testing.T) string {
	t.Helper()
	looks := templates.Look("")
	s, err := templates.Read(looks)
	if err != nil {
		t.Fatal(err)
	}
	all, err := template.New(templates.Catalogue).Funcs(s.Words()).ParseFS(looks, templates.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, block := range all.Templates() {
		if block.Name() == templates.Catalogue {
			continue
		}
		markNode(block.Root)
		fmt.Fprintf(&b, "{{define %q}}%s{{end}}\n", block.Name(), block.Root)
	}
	return b.String()
}

// markNode marks the text of a template, and the words that its functions are
// given to say.
func markNode(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, c := range n.Nodes {
			markNode(c)
		}
	case *parse.TextNode:
		n.Text = []byte(mark(string(n.Text)))
	case *parse.ActionNode:
		markPipe(n.Pipe)
	case *parse.IfNode:
		markNode(n.List)
		markNode(n.ElseList)
	case *parse.RangeNode:
		markNode(n.List)
		markNode(n.ElseList)
	case *parse.WithNode:
		markNode(n.List)
		markNode(n.ElseList)
	}
}

// speaks are the functions whose text is said; of the others it is a name.
var speaks = []string{"count", "word", "figures", "or", "printf", "lead", "print"}

func markPipe(p *parse.PipeNode) {
	for _, c := range p.Cmds {
		id, ok := c.Args[0].(*parse.IdentifierNode)
		for _, a := range c.Args {
			switch a := a.(type) {
			case *parse.StringNode:
				if ok && slices.Contains(speaks, id.Ident) {
					a.Quoted = fmt.Sprintf("%q", markFormat(a.Text))
				}
			case *parse.PipeNode:
				markPipe(a)
			}
		}
	}
}

var formatVerb = regexp.MustCompile(`%[-+ .\d]*[a-z]`)

// markFormat leaves the verbs of a format as they are.
func markFormat(s string) string {
	var b strings.Builder
	last := 0
	for _, at := range formatVerb.FindAllStringIndex(s, -1) {
		b.WriteString(mark(s[last:at[0]]) + s[at[0]:at[1]])
		last = at[1]
	}
	return b.String() + mark(s[last:])
}

// insideMarks is what stands inside of the marks.
var insideMarks = regexp.MustCompile(`⟦[^⟧]*⟧`)

// foreignWord is a word that a language would say otherwise: no address, code,
// name of a file or of a mail's field.
var foreignWord = regexp.MustCompile(`(?:^|[\s("'“>\[;,])([\pL][\pL'’]+)(?:$|[\s)"'”.,;:!?<\]])`)

// dotted is the name of a host or a file.
var dotted = regexp.MustCompile(`[\w-]+(?:\.[\w-]+)+`)

// technical are words that are the same in every language: what may be sent
// back to a question about a time, the placeholder, names of things.
var technical = strings.Fields(`TK Markdown Gmail approve send now change to delete title subtitle use in undo version From Subject Re OpenPGP DKIM CSV HTML kB MB Not Found
	sunday monday tuesday wednesday thursday friday saturday utf UTC Toronto Ines Moreau Jon Abara Quiet Machines Ada Reader Ben Nora Lind Friend Galley galley desk Margin Notes Harbour Lane Example Town reader
	Here it is this week's long
	subscribed confirmed by mail editor asked left added released imported import of line joined message mailto mailed an consent
	write has`) // of the last lines: what the books record of a consent, and the faults of a CSV file, which the command line tells in the same words

// wordsOf are all words that the people of a story write.
func wordsOf(a *txtar.Archive) map[string]bool {
	known := map[string]bool{}
	add := func(s string) {
		for _, w := range regexp.MustCompile(`[\pL'’]+`).FindAllString(s, -1) {
			known[strings.ToLower(w)] = true
		}
	}
	for _, w := range technical {
		add(w)
	}
	for _, f := range a.Files {
		add(f.Name + " " + string(f.Data))
	}
	drafts, _ := filepath.Glob("testdata/drafts/*")
	for _, name := range drafts {
		if text, err := os.ReadFile(name); err == nil {
			add(string(text))
		}
	}
	for line := range strings.Lines(string(a.Comment)) {
		wrote := strings.Contains(line, " writes") || strings.Contains(line, " replies") || strings.Contains(line, " answers") || strings.Contains(line, " mails ") || strings.Contains(line, " sends back ") || strings.Contains(line, " returns ")
		if wrote && line[0] != ' ' {
			add(line)
		}
	}
	return known
}

// unmarked takes the marks off a mail of the house, as the stories read it, and
// tells of words outside of them.
func (w *world) unmarked(m *mime.Message) *mime.Message {
	page := regexp.MustCompile(`(?s)<style.*?</style>|<[^>]*>`).ReplaceAllString(m.HTML, "\n")
	for _, part := range []string{m.Subject, m.Plain, page} {
		rest := insideMarks.ReplaceAllString(part, "")
		for _, own := range []*regexp.Regexp{codes, tokens, dotted} {
			rest = own.ReplaceAllString(rest, "")
		}
		for range 2 { // neighbours share the blank between them
			rest = foreignWord.ReplaceAllStringFunc(rest, func(hit string) string {
				word := foreignWord.FindStringSubmatch(hit)[1]
				if len(word) > 2 && !w.plan.foreign[strings.ToLower(word)] {
					w.t.Errorf("%q stands outside of the catalogue in %q:\n%s", word, m.Subject, part)
				}
				return " "
			})
		}
	}
	plain := *m
	off := strings.NewReplacer("⟦", "", "⟧", "")
	plain.Subject, plain.Plain, plain.HTML = off.Replace(m.Subject), off.Replace(m.Plain), off.Replace(m.HTML)
	return &plain
}
